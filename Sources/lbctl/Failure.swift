// Everything that ends a command without success: the exit status scripts see, and one text that says what to do next.
import Bus
import JSON
import Platform
import Varlink

/// The exit statuses of lbctl; scripts rely on them.
enum ExitStatus: Int32, Sendable {
    case done = 0
    /// The daemon said no, or what was asked for could not be done.
    case failed = 1
    /// The command line or the configuration is wrong; nothing was tried.
    case usage = 2
    /// The daemon that has to answer cannot be reached.
    case unreachable = 3
    /// Some of it was done.
    case inPart = 4
}

/// Who did not answer.
enum Culprit: Equatable, Sendable {
    case busd
    case daemon(Daemon)
    /// The daemon of an interface that is not one of Evenkeel's.
    case other(interface: String)

    /// Who answers a method.
    init(answering method: String) {
        let interface = VarlinkCall.split(method).map { String($0.interface) } ?? method
        if let daemon = Daemon(serving: interface) {
            self = .daemon(daemon)
        } else {
            let isBus = interface == BusAPI.interface || interface.hasPrefix("org.varlink.")
            self = isBus ? .busd : .other(interface: interface)
        }
    }

    fileprivate var name: String {
        switch self {
        case .busd: "busd"
        case .daemon(let daemon): daemon.rawValue
        case .other(let interface): "the daemon that serves \(interface)"
        }
    }

    fileprivate func help(in instance: String?) -> String {
        switch self {
        case .busd, .daemon: "'systemctl status \(UnitName.unit(of: name, in: instance))' says more"
        case .other: "'lbctl call io.evenkeel.Bus.ListServices' shows its process"
        }
    }
}

/// Why a command did not do what was asked.
enum Failure: Error, Equatable, Sendable {
    /// An argument that the parser could not know to be wrong.
    case usage(String)
    /// The configuration has errors, which have been printed.
    case configuration(file: String, errors: Int, warnings: Int, isStrict: Bool = false)
    /// Nobody answers at the bus's socket.
    case busUnreachable(socket: String, Errno)
    /// With --direct: nobody answers at a daemon's own socket.
    case daemonUnreachable(Daemon, socket: String, Errno)
    /// The daemon of an interface is not attached to the bus.
    case notAttached(interface: String, instance: String? = nil)
    /// No answer in time, and whose fault that is.
    case timedOut(method: String, Duration, by: Culprit, instance: String? = nil)
    /// The connection ended before the answer.
    case disconnected(method: String, by: Culprit)
    /// The answer is not what the interface promises.
    case protocolViolation(String)
    /// The bus does not let this user do that.
    case denied(method: String)
    /// The daemon answered with an error of its interface.
    case refused(method: String, error: String, parameters: JSONObject)
    /// There is nothing of that name.
    case unknownName(kind: String, name: String, known: [String])
    /// A word that is not in the keyword table, and one that is like it.
    case unknownKeyword(String, String?)
    /// The name fits several things.
    case ambiguous(name: String, matches: [String], remedy: String)
    /// The daemons read different configurations, so none was taken.
    case differentConfigurations([String])
    /// This host does not let lbctl do something itself.
    case hostRefused(String, remedy: String?)
    /// A change of the table was refused; why, and what to do.
    case notDone(String)
    /// Drains that were not over in time; they go on.
    case stillDraining([String])
    /// Done here and not there.
    case inPart(done: [String], undone: [String], remedy: String)

    /// What the process exits with.
    var status: ExitStatus {
        switch self {
        case .usage, .configuration: .usage
        case .busUnreachable, .daemonUnreachable, .timedOut, .disconnected: .unreachable
        case .notAttached(let interface, _): Daemon(serving: interface) == nil ? .failed : .unreachable
        case .refused(_, let error, _): error.hasSuffix(".ConfigurationRefused") ? .usage : .failed
        case .protocolViolation, .denied, .unknownName, .unknownKeyword, .ambiguous, .hostRefused,
            .differentConfigurations, .notDone:
            .failed
        case .inPart, .stillDraining: .inPart
        }
    }
}

extension Failure: CustomStringConvertible {
    var description: String {
        switch self {
        case .usage(let text): text
        case .configuration(let file, let errors, let warnings, let isStrict):
            "\(file): \(counted(errors, "error"))\(warnings > 0 ? ", \(counted(warnings, "warning"))" : ""): "
                + (isStrict
                    ? "it does not pass --strict; correct it, or check without to see whether it would be refused"
                    : "it would be refused; correct it and check again")
        case .busUnreachable(let socket, let errno):
            Self.unreachable("busd", socket, errno, allowed: "reading needs group evenkeel") + Self.withoutBus(errno)
        case .daemonUnreachable(let daemon, let socket, let errno):
            Self.unreachable(daemon.rawValue, socket, errno, allowed: "the daemons' own sockets are for root")
        case .notAttached(let interface, let instance): Self.notAttached(interface, instance)
        case .timedOut(let method, let limit, let culprit, let instance):
            "no answer to \(method) within \(limit.seconds.formatted) s: \(culprit.name) is stuck or very busy; "
                + culprit.help(in: instance) + "; --timeout SECONDS waits longer"
                + (Interfaces.roles[method].map { $0 != .reader } == true
                    ? "; what it was asked for may still be done when it goes on" : "")
        case .disconnected(let method, let culprit):
            "the connection ended during \(method): \(culprit.name) was stopped or restarted; try again"
        case .protocolViolation(let problem):
            "unexpected answer: \(problem); are lbctl and the daemons of the same version? 'lbctl introspect' shows theirs"
        case .denied(let method):
            "\(method) is not permitted for you: reading needs group evenkeel, changing needs group evenkeel-admin or root"
        case .refused(let method, let error, let parameters): Refusal.text(method, error, parameters)
        case .unknownName(let kind, let name, let known): Self.unknown(kind, name, known)
        case .unknownKeyword(let word, let like):
            "keepalived.conf has no word '\(word)'" + (like.map { "; did you mean '\($0)'?" } ?? "")
        case .ambiguous(let name, let matches, let remedy):
            "'\(name)' is several:\n" + matches.map { "  \($0)\n" }.joined() + remedy
        case .differentConfigurations(let digests):
            "nothing was loaded: the daemons read different configurations (\(digests.joined(separator: ", "))): "
                + "were they started with different --config, or was the file just being written?"
        case .hostRefused(let problem, let remedy): problem + (remedy.map { ": \($0)" } ?? "")
        case .notDone(let problem): problem
        case .stillDraining(let servers):
            "still draining: \(servers.joined(separator: ", ")): the drain goes on; wait for it again, or bound it with "
                + "--cut-after SECONDS"
        case .inPart(let done, let undone, let remedy):
            "done in part: \(done.joined(separator: ", ")) yes; \(undone.joined(separator: ", ")) no; \(remedy)"
        }
    }

    private static func unreachable(_ name: String, _ socket: String, _ errno: Errno, allowed: String) -> String {
        let unit = UnitName.unit(of: name, in: UnitName.instance(at: socket))
        return switch errno.reason {
        case .notPermitted:
            "\(name) at \(socket) may not be reached by you (\(errno)): \(allowed)"
        case .absent: "\(name) is not reachable at \(socket) (\(errno)): is \(unit) running? 'systemctl start \(unit)'"
        case .other: "\(name) is not reachable at \(socket) (\(errno)): 'systemctl status \(unit)' says more"
        }
    }

    private static func withoutBus(_ errno: Errno) -> String {
        errno.reason == .absent ? "; --direct asks the daemons without it, --socket names another" : ""
    }

    private static func notAttached(_ interface: String, _ instance: String?) -> String {
        guard let daemon = Daemon(serving: interface) else {
            return "nobody on the bus serves \(interface); 'lbctl introspect' lists what is there"
        }
        let unit = UnitName.unit(of: daemon.rawValue, in: instance)
        return "\(daemon.rawValue), which serves \(interface), is not attached to the bus: "
            + "is \(unit) running? 'systemctl status \(unit)'"
    }

    private static func unknown(_ kind: String, _ name: String, _ known: [String]) -> String {
        guard !known.isEmpty else { return "no \(kind) is called '\(name)'; there is none" }
        let names = known.prefix(8).joined(separator: ", ") + (known.count > 8 ? ", and \(known.count - 8) more" : "")
        let there = "\(known.count == 1 ? "there is" : "there are") \(names)"
        guard let meant = Naming.meant(name, known) else { return "no \(kind) is called '\(name)'; \(there)" }
        return "no \(kind) is called '\(name)'; did you mean '\(meant)'?"
            + (known == [meant] ? "" : " T\(there.dropFirst())")
    }
}

/// `1 error`, `2 errors`.
func counted(_ count: Int, _ noun: String) -> String { count == 1 ? "1 \(noun)" : "\(count) \(noun)s" }

extension Duration {
    /// As seconds.
    var seconds: Double { self / .seconds(1) }
}

extension Double {
    /// `5`, `0.5`.
    var formatted: String { self == rounded() && abs(self) < 1e15 ? String(Int(self)) : String(self) }
}
