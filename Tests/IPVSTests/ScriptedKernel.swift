// The kernel's IPVS table, a disk and a clock for simulations of `ServiceKeeper`: the kernel refuses what it is told to, loses answers, and is
// changed by others; the disk is full, hangs, or damages what it has.

import Bus
import Configuration
import Glibc
import IPVS
import Net
import Netlink
import Platform

@testable import ipvsd

final class ScriptedKernel: IPVSKernel {
    var table = KernelTable()
    /// Commands that are refused for what they ask.
    var refuses: (Command) -> Bool = { _ in false }
    /// Errors of the next requests, first first; the commands of a batch that fails are executed in part.
    var errors: [NetlinkError] = []
    /// What every request gets while it is set.
    var outage: NetlinkError?
    /// Hears every executed command, with the table before it.
    var executed: (Command, KernelTable) -> Void = { _, _ in }
    private(set) var requests = 0
    private(set) var commands: [Command] = []
    /// Executed commands that were given by hand.
    private(set) var byHand: [Command] = []
    private var walk: [ServiceSnapshot] = []
    /// Established connections of every server.
    var busy: UInt32 = 1
    /// Services read in one slice.
    var slice = 2

    private func request() throws(NetlinkError) {
        requests += 1
        if let outage { throw outage }
        if !errors.isEmpty { throw errors.removeFirst() }
    }

    func apply(_ commands: [Command]) throws(NetlinkError) -> BatchOutcome {
        var failures: [CommandFailure] = []
        var failure: NetlinkError?
        do throws(NetlinkError) { try request() } catch { failure = error }
        let isLost = failure?.stateIsUnknown ?? false
        guard failure == nil || isLost else { throw failure ?? .timedOut }
        for command in isLost ? commands.prefix(commands.count / 2) : commands[...] {
            if let code = answer(to: command) {
                failures.append(CommandFailure(command, .refused(code: code, message: "")))
            } else {
                let before = table
                table.apply(command)
                self.commands.append(command)
                executed(command, before)
            }
        }
        if let failure { throw failure }
        return BatchOutcome(failures)
    }

    /// The errno that the kernel would give; nil when it executes the command.
    private func answer(to command: Command) -> Int32? {
        let entry = table.services[command.service]
        switch command {
        case .addService:
            if entry != nil { return EEXIST }
        case .editService, .deleteService:
            if entry == nil { return ESRCH }
        case .addDestination(_, let endpoint, _):
            guard let entry else { return ESRCH }
            if entry.destinations[endpoint] != nil { return EEXIST }
        case .editDestination(_, let endpoint, _), .deleteDestination(_, let endpoint):
            guard let entry else { return ESRCH }
            if entry.destinations[endpoint] == nil { return ENOENT }
        }
        return refuses(command) ? ERANGE : nil
    }

    func attempt(_ commands: [Command]) throws(NetlinkError) -> [NetlinkRefusal] {
        var refusals: [NetlinkRefusal] = []
        var failure: NetlinkError?
        do throws(NetlinkError) { try request() } catch { failure = error }
        let isLost = failure?.stateIsUnknown ?? false
        guard failure == nil || isLost else { throw failure ?? .timedOut }
        for (index, command) in (isLost ? commands.prefix(commands.count / 2) : commands[...]).enumerated() {
            if let code = answer(to: command) {
                refusals.append(NetlinkRefusal(index: index, error: .refused(code: code, message: "")))
            } else {
                let before = table
                table.apply(command)
                byHand.append(command)
                executed(command, before)
            }
        }
        if let failure { throw failure }
        return refusals
    }

    func zero(_ service: VirtualServerIdentity?) throws(NetlinkError) {
        try request()
        if let service, table.services[service] == nil { throw .refused(code: ESRCH, message: "") }
    }

    func flush() throws(NetlinkError) {
        try request()
        table = KernelTable()
    }

    func serviceNames() throws(NetlinkError) -> [VirtualServerIdentity] {
        try request()
        return Array(table.services.keys)
    }

    func facts() throws(NetlinkError) -> KernelFacts {
        try request()
        return KernelFacts()
    }

    private func snapshot(_ service: VirtualServerIdentity) -> ServiceSnapshot? {
        guard let entry = table.services[service] else { return nil }
        var snapshot = ServiceSnapshot(identity: service, attributes: entry.attributes)
        snapshot.destinations = entry.destinations.map {
            var destination = DestinationSnapshot(endpoint: $0.key, attributes: $0.value)
            destination.activeConnections = busy
            return destination
        }
        return snapshot
    }

    func service(_ identity: VirtualServerIdentity) throws(NetlinkError) -> ServiceSnapshot? {
        try request()
        return snapshot(identity)
    }

    func beginSweep() throws(NetlinkError) -> [VirtualServerIdentity] {
        try request()
        walk = table.services.keys.compactMap(snapshot)
        return walk.map(\.identity)
    }

    func nextSlice() throws(NetlinkError) -> [ServiceSnapshot] {
        try request()
        let slice = walk.suffix(slice).map { listed in
            // Attributes are of the begin, servers of now; a service that is gone has none.
            var snapshot = listed
            snapshot.destinations = self.snapshot(listed.identity)?.destinations ?? []
            return snapshot
        }
        walk.removeLast(slice.count)
        return slice
    }

    func setTimeouts(_ timeouts: TableTimeouts) throws(NetlinkError) {
        try request()
    }
}

/// A file on a scripted disk. Writes are confirmed by `settle`, which is the loop's turn.
final class ScriptedFile: StateStore {
    let path: String
    var failure: Errno? {
        didSet { if failure?.code != oldValue?.code { failureChanged?(failure) } }
    }
    var failureChanged: ((Errno?) -> Void)?
    /// What is on the disk.
    var content: [UInt8]?
    var readError: Errno?
    /// What writing gives; nil: it works.
    var writeError: Errno?
    /// Nothing is confirmed.
    var hangs = false
    private(set) var aside: [[UInt8]] = []
    private(set) var older: [UInt8]?
    private(set) var writes = 0
    private var latest: (@Sendable () -> [UInt8])?
    private var waiting: [((Errno?) -> Void)] = []

    init(_ path: String, _ content: [UInt8]? = nil) {
        self.path = path
        self.content = content
    }

    func read() throws(Errno) -> [UInt8]? {
        if let readError { throw readError }
        return content
    }

    func setAside() throws(Errno) -> String {
        aside.append(content ?? [])
        content = nil
        return path + ".damaged"
    }

    func keepOlder() throws(Errno) -> String {
        older = content
        return path + ".older"
    }

    func write(_ make: @escaping @Sendable () -> [UInt8], done: ((Errno?) -> Void)?) {
        latest = make
        if let done { waiting.append(done) }
    }

    /// The disk does what it was asked.
    func settle() {
        guard !hangs, let latest else { return }
        if let writeError {
            failure = writeError
        } else {
            content = latest()
            writes += 1
            self.latest = nil
        }
        let answered = waiting
        waiting = []
        if writeError == nil { failure = nil }
        for done in answered { done(writeError) }
    }

    /// The file as the next process finds it.
    func reopened() -> ScriptedFile { ScriptedFile(path, content) }
}

/// A file in memory that outlives the process.
final class ScriptedIntents: IntentStore {
    private(set) var content: [UInt8]?
    private(set) var writes = 0

    func read() -> [UInt8]? { content }

    func replace(_ content: [UInt8]?) {
        self.content = content
        writes += 1
    }
}

/// A keeper with its scripted surroundings.
final class KeeperRig {
    let kernel: ScriptedKernel
    let intents = ScriptedIntents()
    private(set) var copy = ScriptedFile("run/decisions")
    private(set) var decisions: ScriptedFile
    private(set) var standings: ScriptedFile
    private(set) var keeper: ServiceKeeper
    var now = Instant(nanoseconds: 1_000_000_000_000)
    private(set) var lines: [KeeperNews.Line] = []
    var servers: [VirtualServerConfiguration] = []
    /// How servers leave that a configuration leaves out.
    var departure: Departure?
    /// What checkd said last.
    private(set) var said: [ServerIdentity: HealthNote] = [:]

    init(
        _ servers: [VirtualServerConfiguration] = [], kernel: ScriptedKernel = ScriptedKernel(),
        decisions: ScriptedFile = ScriptedFile("decisions.state"),
        standings: ScriptedFile = ScriptedFile("standings.state"), old: ScriptedFile = ScriptedFile("ipvsd.state")
    ) {
        self.kernel = kernel
        self.decisions = decisions
        self.standings = standings
        self.servers = servers
        keeper = Self.keeper(kernel, decisions, standings, old, copy, intents)
        keeper.configure(servers, timeouts: IPVSTimeouts())
        settle()
    }

    private static func keeper(
        _ kernel: ScriptedKernel, _ decisions: ScriptedFile, _ standings: ScriptedFile, _ old: ScriptedFile,
        _ copy: ScriptedFile, _ intents: ScriptedIntents
    ) -> ServiceKeeper {
        ServiceKeeper(
            kernel: kernel, decisions: DecisionKeeper(decisions, old: old, copy: copy, intents: intents),
            memory: StandingKeeper(standings, old: old, boot: "b1"), timeouts: IPVSTimeouts(), clock: { .zero })
    }

    /// The process dies and another one starts with what is on the disk.
    func restart(standings lost: ScriptedFile? = nil, decisions other: ScriptedFile? = nil) {
        decisions = other ?? decisions.reopened()
        copy = copy.reopened()
        standings = lost ?? standings.reopened()
        keeper = Self.keeper(kernel, decisions, standings, ScriptedFile("ipvsd.state"), copy, intents)
        keeper.configure(servers, departure: departure, timeouts: IPVSTimeouts())
    }

    func configure(_ servers: [VirtualServerConfiguration]) {
        self.servers = servers
        keeper.configure(servers, departure: departure, timeouts: IPVSTimeouts())
    }

    /// checkd says something about a server.
    func say(_ server: ServerIdentity, isUp: Bool, isVerified: Bool = true) {
        said[server] = HealthNote(state: isUp ? .up : .down, isVerified: isVerified, since: "", reason: "")
        sayAgain(server)
    }

    /// Commands that are given by hand; the answer comes when the disk has what they changed.
    func byHand(
        _ commands: [TableCommand], done: @escaping (HandReport, DecisionOutcome) -> Void = { _, _ in }
    ) {
        let writer = keeper.handWriter(
            file: "evenkeel.conf", synchronise: { _ in nil },
            decision: { Decision(override: $0, since: "2026", uid: 0) })
        keeper.run(commands, with: writer, at: now, done: done)
    }

    /// checkd's snapshot of a server comes over the bus.
    func sayAgain(_ server: ServerIdentity) {
        guard let note = said[server] else { return }
        keeper.heard(server, note)
    }

    /// One turn, then the disk.
    func turn() {
        keeper.turn(at: now)
        lines += keeper.takeNews().lines
        copy.settle()
        decisions.settle()
        standings.settle()
    }

    /// Turns until nothing is due, a bounded number of times.
    func settle() {
        for _ in 0..<200 {
            turn()
            if keeper.deadline > now { return }
        }
    }

    /// Time passes, and what is due is done.
    func pass(_ time: Duration) {
        let end = now + time
        for _ in 0..<2000 {
            settle()
            guard keeper.deadline <= end else { break }
            now = max(now, keeper.deadline)
        }
        now = end
        settle()
    }

    func takeLines() -> [KeeperNews.Line] {
        defer { lines = [] }
        return lines
    }
}
