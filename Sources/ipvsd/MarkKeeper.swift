// `nftables_ipvs`: keeps the nftables table that marks the packets of groups as the configuration wants it. It is written as a whole, so what differs costs one
// transaction; somebody else's change is heard and put right; what is refused is tried again. The table stays with the services: a process that
// stops leaves both, and the next one writes it anew. Which table it is stands in the run directory (memory, as the table): a process that is started with
// another configuration takes the old one away.

import Configuration
import IPVS
import Net
import Netlink
import Platform

/// The nftables of the kernel, so that a test can be it.
protocol MarkKernel: AnyObject {
    /// Marks packets so, in a table of this name; without rules there is no such table.
    func mark(_ rules: MarkRules, in table: String) throws(NetlinkError)
}

/// The rules and the name of their table.
struct MarkTable: Equatable {
    var name: String
    var rules: MarkRules

    /// What a configuration wants; nil: nothing.
    init?(_ configuration: Configuration) {
        guard let name = configuration.global.groupMarkTable else { return nil }
        self.name = name
        rules = MarkRules(
            configuration.virtualServers.compactMap { server in
                guard case .firewallMark(let mark, _) = server.identity else { return nil }
                return server.marked.map { MarkRules.Entry($0, mark: mark) }
            }, priority: configuration.global.groupMarkPriority, isCounting: configuration.global.countsDrops)
    }
}

struct MarkKeeper {
    static let longestRetry = Duration.seconds(10)
    /// Paces of repairs, and how long nobody has to touch the table for the next repair to be at once again.
    private static let (firstPace, slowestPace, quiet) = (
        Duration.milliseconds(100), Duration.seconds(1), Duration.seconds(10)
    )
    private static let nameLimit = 255

    private let kernel: any MarkKernel
    private let store: any IntentStore
    private var wanted: MarkTable?
    /// What the kernel has; nil: not known, or nothing.
    private var held: MarkTable?
    /// The table that may be there, whatever is in it.
    private var present: String?
    private var retry = RetryPace(longest: longestRetry)
    private var isTouched = false
    /// When it was put right last because somebody else had changed it, and how long it then takes until that is done again.
    private var mended = Instant.zero
    private var pace = Duration.zero
    /// When `turn` has something to do.
    private(set) var deadline = Instant.zero
    /// Why groups are not marked.
    private(set) var problem: NetlinkError?

    /// `store` has the name of the table that an earlier process may have left.
    init(_ kernel: any MarkKernel, _ store: any IntentStore) {
        self.kernel = kernel
        self.store = store
        present = store.read().flatMap { name in
            (1...Self.nameLimit).contains(name.count) ? String(decoding: name, as: UTF8.self) : nil
        }
    }

    mutating func configure(_ configuration: Configuration) {
        wanted = MarkTable(configuration)
        retry.reset()
        deadline = .zero
    }

    /// Somebody else has changed the table. Once, that is put right at once; who does it again and again is answered once a second, or two such
    /// managers would take a processor each. After a refusal the retry's clock goes on.
    mutating func touched(at now: Instant) {
        held = nil
        guard problem == nil else { return }
        if now >= mended + Self.quiet { pace = .zero }
        isTouched = true
        deadline = min(deadline, max(now, mended + pace))
    }

    /// Does what is due.
    mutating func turn(at now: Instant) {
        guard deadline <= now else { return }
        do throws(NetlinkError) {
            if let present, present != wanted?.name { try remove(present) }
            if let wanted, wanted != held {
                // Noted first: a process that is killed in between leaves no table that nobody knows.
                if present != wanted.name { store.replace(Array(wanted.name.utf8)) }
                present = wanted.name
                try kernel.mark(wanted.rules, in: wanted.name)
                held = wanted
            }
            if isTouched { (mended, pace) = (now, min(max(pace * 2, Self.firstPace), Self.slowestPace)) }
            retry.reset()
            (problem, deadline, isTouched) = (nil, .distantFuture, false)
        } catch {
            problem = error
            deadline = now + retry.next()
        }
    }

    private mutating func remove(_ table: String) throws(NetlinkError) {
        try kernel.mark(MarkRules(), in: table)
        store.replace(nil)
        (present, held) = (nil, nil)
    }

    /// The services have gone for good, and so does the table.
    mutating func finish() throws(NetlinkError) {
        if let present { try remove(present) }
    }
}

/// The real one; its sockets are opened when there is something to mark.
final class NftablesMarks: MarkKernel {
    private var tables: Nftables?
    private var monitor: (table: String, monitor: NftablesMonitor, watch: Watch?)?
    private let loop: EventLoop
    /// Somebody else changed the table, or may have.
    var touched: (() -> Void)?

    init(on loop: EventLoop) {
        self.loop = loop
    }

    func mark(_ rules: MarkRules, in table: String) throws(NetlinkError) {
        let writer: Nftables
        if let tables, tables.table == table { writer = tables } else { writer = try Nftables(table: table) }
        tables = writer
        if rules.entries.isEmpty {
            if monitor?.table == table { monitor = nil }
        } else if monitor?.table != table {
            try listen(to: table)
        }
        try writer.mark(rules)
    }

    private func listen(to table: String) throws(NetlinkError) {
        let listener = try NftablesMonitor(table: table)
        let watch = try? loop.watch(listener.number, .read) { [weak self] _ in
            // Of somebody else: also between a change of ours and what is heard of it.
            if listener.isTouched(butBy: self?.tables?.port) { self?.touched?() }
        }
        monitor = (table, listener, watch)
    }
}
