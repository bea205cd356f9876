// What the daemons that are not root may ask for. They hear the network, so what they say counts for nothing: they get the programs and
// pipes that the configuration, which root alone writes, names for their job, as the users and under the rules that it names. What is asked
// for otherwise is not done, whoever has taken such a daemon over.

import Bus
import Configuration
import Platform

/// Who asks.
enum Asker: String, Hashable, Sendable, CaseIterable {
    /// root, or the user that scriptd runs as: may ask for everything.
    case administrator
    case ipvsd
    case checkd

    /// The user that a daemon runs as.
    var account: String? {
        switch self {
        case .administrator: nil
        case .ipvsd: "evenkeel-ipvsd"
        case .checkd: "evenkeel-checkd"
        }
    }

    /// Programs that run for it at once, or wait.
    var limit: Int {
        switch self {
        case .administrator: 512
        case .ipvsd, .checkd: 256
        }
    }

    /// Users that may connect besides root.
    static let accounts = allCases.compactMap(\.account)
}

/// What the configuration names for those who are not root.
struct Grants: Sendable {
    /// A program as it is called, and how it runs: an edit of the rules makes it another one, which the daemon asks for once it has gone over to
    /// them.
    struct Program: Hashable, Sendable {
        let arguments: [String]
        let user: String?
        let group: String?
        let isSecure: Bool
        let umask: Int?
        let hasAllGroups: Bool
        let networkNamespace: String?

        /// What a call asks for.
        init(_ call: ScriptAPI.Run) {
            (arguments, user, group) = (call.arguments, call.user, call.group)
            (isSecure, umask, hasAllGroups) = (call.secure, call.umask, call.allGroups ?? false)
            networkNamespace = call.networkNamespace
        }
    }

    /// A pipe and who gets it.
    struct Pipe: Hashable, Sendable {
        var path: String
        var user: String?
        var group: String?
    }

    private var programs: [Asker: Set<Program>] = [:]
    /// Programs that read pipes: the only ones without a time limit.
    private var readers: Set<Program> = []
    private var pipes: Set<Pipe> = []
    /// The longest that a program may take.
    static let longest = 86_400_000

    /// What a configuration names.
    init(_ configuration: Configuration) {
        let rules = configuration.global.scriptRules
        var (told, checks): (Set<Program>, Set<Program>) = ([], [])
        for service in configuration.virtualServers {
            for command in [service.quorumUp, service.quorumDown] { told.add(command, rules) }
            for server in service.realServers {
                for command in [server.notifyUp, server.notifyDown] { told.add(command, rules) }
                for checker in server.checkers {
                    if case .misc(let probe) = checker.probe { checks.add(probe.command, rules) }
                }
            }
        }
        for pipe in configuration.servicePipes {
            pipes.insert(Pipe(path: pipe.path, user: pipe.user?.user, group: pipe.user?.group))
            if let script = pipe.script { readers.add(script, behind: pipe.path, rules) }
        }
        programs = [.ipvsd: told, .checkd: checks]
    }

    /// What an earlier configuration named stays granted: a daemon that has not been reloaded yet goes on with it.
    mutating func join(_ earlier: Grants) {
        for (asker, more) in earlier.programs { programs[asker, default: []].formUnion(more) }
        readers.formUnion(earlier.readers)
        pipes.formUnion(earlier.pipes)
    }

    /// The call as it may be carried out; nil: the configuration does not name it.
    func granted(_ call: ScriptAPI.Run, to asker: Asker) -> ScriptAPI.Run? {
        let program = Program(call)
        let isReader = asker == .ipvsd && readers.contains(program)
        guard isReader || programs[asker]?.contains(program) == true else { return nil }
        guard call.environment.keys.allSatisfy({ $0.hasPrefix("EVENKEEL_") }) else { return nil }
        var call = call
        if !isReader { call.timeoutMilliseconds = min(call.timeoutMilliseconds ?? Self.longest, Self.longest) }
        // Nobody meets another daemon's programs.
        call.id = call.id.map { asker.named($0) }
        call.lane = call.lane.map { ScriptAPI.Lane(name: asker.named($0.name), owner: $0.owner) }
        return call
    }

    /// Whether the configuration names this pipe.
    func hasPipe(_ path: String, user: String?, group: String?, for asker: Asker) -> Bool {
        asker == .ipvsd && pipes.contains(Pipe(path: path, user: user, group: group))
    }
}

extension Asker {
    /// A name of this asker's own.
    func named(_ name: String) -> String {
        switch self {
        case .administrator: name
        case .ipvsd, .checkd: "\(rawValue): \(name)"
        }
    }
}

extension Set<Grants.Program> {
    fileprivate mutating func add(_ command: ScriptCommand?, behind path: String? = nil, _ rules: ScriptRules) {
        guard let command else { return }
        var call = ScriptAPI.Run(command, rules, timeout: nil)
        call.arguments += [path].compactMap(\.self)
        insert(Grants.Program(call))
    }
}
