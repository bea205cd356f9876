// `vrrp_track_process` (keepalived's track_process.c): which processes match, how many there are, and from when on that counts. What happens
// to processes comes in as events; whose name is to be looked up, and when everything is to be looked up anew, comes out.

public import Configuration
public import Net

/// What the kernel says about processes (linux/cn_proc.h). Threads are none.
public enum ProcessEvent: Hashable, Sendable {
    case forked(child: Int32, of: Int32)
    /// Runs another program, or has another name.
    case renamed(Int32)
    case exited(Int32)
}

/// A process as /proc shows it.
public struct ProcessSight: Hashable, Sendable {
    /// Its name, at most 15 octets: /proc/PID/comm.
    public var name: [UInt8]
    /// Its arguments, each with a NUL behind it: /proc/PID/cmdline; empty when nobody asked for them.
    public var commandLine: [UInt8]

    /// A process.
    public init(name: [UInt8], commandLine: [UInt8] = []) {
        self.name = name
        self.commandLine = commandLine
    }
}

extension TrackProcessConfiguration {
    /// The name alone does not tell: arguments count too.
    public var needsCommandLine: Bool { matchesFullCommand || parameters != .any }

    /// True when the process is one of those that are meant.
    public func matches(_ sight: ProcessSight) -> Bool {
        guard let program = process.first else { return false }
        guard needsCommandLine else {
            // The kernel keeps 15 octets of the name, without directories.
            let name = program.utf8.split(separator: UInt8(ascii: "/")).last.map(Array.init) ?? []
            return sight.name.elementsEqual(name.prefix(15))
        }
        let command = sight.commandLine
        guard let end = command.firstIndex(of: 0), command[..<end].elementsEqual(program.utf8) else { return false }
        let given = command[(end + 1)...]
        let wanted = process.dropFirst().flatMap { (argument: String) -> [UInt8] in Array(argument.utf8) + [0] }
        switch parameters {
        case .any: return true
        case .exact: return given.elementsEqual(wanted)
        case .partial: return given.starts(with: wanted)
        case .initial: return given.starts(with: wanted.dropLast())
        }
    }
}

/// How many there are, and whether that counts as enough.
struct ProcessQuorum {
    private(set) var count: Int
    /// What counts.
    private(set) var isMet: Bool
    /// When the opposite counts; nil while nothing is different.
    private(set) var changesAt: Instant?

    init(_ configuration: TrackProcessConfiguration, count: Int) {
        self.count = count
        isMet = configuration.isMet(by: count)
    }

    /// - Parameter isSure: a program was started: that is no fork that may still become something else, nor an end that may be followed
    ///   by a start.
    mutating func counted(_ count: Int, _ configuration: TrackProcessConfiguration, isSure: Bool, at now: Instant) {
        let delay = count > self.count ? configuration.forkDelay : configuration.terminateDelay
        let differs = configuration.isMet(by: count) != isMet
        self.count = count
        if !differs {
            changesAt = nil
        } else if delay == .zero || isSure {
            isMet.toggle()
            changesAt = nil
        } else if changesAt == nil {
            changesAt = now + delay
        }
    }

    mutating func due(at now: Instant) {
        guard let changesAt, changesAt <= now else { return }
        isMet.toggle()
        self.changesAt = nil
    }
}

extension TrackProcessConfiguration {
    fileprivate func isMet(by count: Int) -> Bool { count >= quorum && count <= maximum ?? .max }
}

/// All tracked processes.
public struct TrackedProcesses: Sendable {
    private struct Block {
        var configuration: TrackProcessConfiguration
        var processes: Set<Int32> = []
        /// Nil until everything was looked at once.
        var quorum: ProcessQuorum?
    }

    private var blocks: [String: Block] = [:]
    /// What happened since the last look began: it may not have seen it.
    private var missed: [ProcessEvent] = []
    private var isLooking = false
    /// Processes to be looked up.
    private var unknown: Set<Int32> = []
    private var mustScan = true

    /// More than this waits for one look: then everything is looked at.
    private static let limit = 4096

    /// Nothing is tracked.
    public init() {}

    /// The blocks, by name.
    public var configurations: [TrackProcessConfiguration] {
        blocks.values.map(\.configuration).sorted { $0.name < $1.name }
    }

    /// Goes over to these blocks. One that means the same processes keeps them.
    public mutating func adopt(_ configurations: [TrackProcessConfiguration], at now: Instant) {
        var next: [String: Block] = [:]
        for configuration in configurations {
            guard var block = blocks[configuration.name], block.configuration.means(configuration) else {
                next[configuration.name] = Block(configuration: configuration)
                mustScan = true
                continue
            }
            block.configuration = configuration
            block.quorum = block.quorum.map { ProcessQuorum(configuration, count: $0.count) }
            next[configuration.name] = block
        }
        blocks = next
    }

    /// What to look up.
    public enum Look: Equatable, Sendable {
        case everything
        case these(Set<Int32>)
    }

    /// What is to be looked up now; nil while nothing is, or the last look is under way.
    public mutating func nextLook() -> Look? {
        guard wantsLook else { return nil }
        defer {
            mustScan = false
            unknown = []
            missed = []
            isLooking = true
        }
        return mustScan ? .everything : .these(unknown)
    }

    /// Something is to be looked up.
    public var wantsLook: Bool { !isLooking && !blocks.isEmpty && (mustScan || !unknown.isEmpty) }

    /// The look could not be made: everything is to be looked at.
    public mutating func lookFailed() {
        isLooking = false
        mustScan = true
    }

    /// Events were lost, or there are none: everything must be looked at.
    public mutating func scanAgain() { mustScan = true }

    /// Something happened to processes.
    public mutating func heard(_ events: [ProcessEvent], at now: Instant) {
        for event in events {
            if isLooking { missed.append(event) }
            apply(event, at: now)
        }
        if missed.count > Self.limit || unknown.count > Self.limit {
            missed = []
            unknown = []
            mustScan = true
        }
    }

    private mutating func apply(_ event: ProcessEvent, at now: Instant) {
        switch event {
        case .forked(let child, let parent):
            // It is what its parent was, which is not known now.
            if isLooking || unknown.contains(parent) { unknown.insert(child) }
            change(at: now) { if $0.contains(parent) { $0.insert(child) } }
        case .renamed(let process):
            unknown.insert(process)
        case .exited(let process):
            unknown.remove(process)
            change(at: now) { $0.remove(process) }
        }
    }

    private mutating func change(isSure: Bool = false, at now: Instant, _ body: (inout Set<Int32>) -> Void) {
        for name in blocks.keys {
            guard var block = blocks[name] else { continue }
            let before = block.processes.count
            body(&block.processes)
            guard block.processes.count != before else { continue }
            block.quorum?.counted(block.processes.count, block.configuration, isSure: isSure, at: now)
            blocks[name] = block
        }
    }

    /// The look is done: which processes there are of each block, of those that were looked up.
    /// - Parameter isBlind: nothing is heard of what happens in between, so that delays count for what is seen.
    public mutating func saw(_ found: [String: Set<Int32>], of look: Look, isBlind: Bool = false, at now: Instant) {
        isLooking = false
        for name in blocks.keys {
            guard var block = blocks[name] else { continue }
            let matches = found[name] ?? []
            switch look {
            case .everything: block.processes = matches
            case .these(let looked): block.processes = block.processes.subtracting(looked).union(matches)
            }
            if block.quorum == nil, case .everything = look {
                block.quorum = ProcessQuorum(block.configuration, count: block.processes.count)
            } else {
                block.quorum?.counted(block.processes.count, block.configuration, isSure: !isBlind, at: now)
            }
            blocks[name] = block
        }
        let events = missed
        missed = []
        for event in events { apply(event, at: now) }
    }

    /// When to call `due`.
    public var deadline: Instant? { blocks.values.lazy.compactMap { $0.quorum?.changesAt }.min() }

    /// `deadline` has come.
    public mutating func due(at now: Instant) {
        for name in blocks.keys { blocks[name]?.quorum?.due(at: now) }
    }

    /// How each stands.
    public var reports: [String: TrackerReport] {
        blocks.compactMapValues { block in
            block.quorum.map { quorum in
                TrackerReport(
                    quorum.isMet ? .good : .failed, quorum.count == 1 ? "1 process" : "\(quorum.count) processes")
            }
        }
    }
}

extension TrackProcessConfiguration {
    fileprivate func means(_ other: TrackProcessConfiguration) -> Bool {
        process == other.process && matchesFullCommand == other.matchesFullCommand && parameters == other.parameters
    }
}
