// nftables_ipvs: the table that marks groups is compared with what the configuration wants, whatever happens to it and to the process.
import Configuration
import Glibc
import Net
import Netlink
import Testing

@testable import ipvsd

/// Tables by name, as a kernel would have them.
private final class ScriptedMarks: MarkKernel {
    private(set) var tables: [String: MarkRules] = [:]
    private(set) var writes = 0
    var refusal: NetlinkError?

    func mark(_ rules: MarkRules, in table: String) throws(NetlinkError) {
        writes += 1
        if let refusal { throw refusal }
        tables[table] = rules.entries.isEmpty ? nil : rules
    }

    /// `nft flush ruleset`.
    func flush() { tables = [:] }
}

@Suite struct MarkTests {
    private let kernel = ScriptedMarks()
    private let store = ScriptedIntents()
    private let web = Endpoint(.v4(IPv4Address(192, 0, 2, 1)), port: 80)

    private func configuration(table: String? = "t", mark: UInt32 = 1000, isEmpty: Bool = false) -> Configuration {
        var configuration = Configuration()
        configuration.global.groupMarkTable = table
        var server = VirtualServerConfiguration(identity: .firewallMark(mark, .inet))
        server.marked = MarkedAddresses(
            transport: .tcp, ranges: [MarkedAddresses.Range(addresses: [web.address], port: 80)])
        configuration.virtualServers = isEmpty || table == nil ? [] : [server]
        return configuration
    }

    private func marks(in table: String) -> [UInt32] { kernel.tables[table]?.entries.map(\.mark) ?? [] }

    @Test func `the table follows the configuration, its name too, and goes with it`() {
        var keeper = MarkKeeper(kernel, store)
        func adopt(_ configuration: Configuration) {
            keeper.configure(configuration)
            keeper.turn(at: Instant.zero)
        }
        adopt(configuration())
        #expect(marks(in: "t") == [1000])
        adopt(configuration())
        #expect(kernel.writes == 1, "it is so already")
        adopt(configuration(mark: 1001))
        #expect(marks(in: "t") == [1001])
        adopt(configuration(table: "u"))
        #expect(kernel.tables.keys.sorted() == ["u"])
        adopt(configuration(table: "u", isEmpty: true))
        #expect(kernel.tables.isEmpty)
        adopt(configuration(table: nil))
        #expect(kernel.tables.isEmpty && store.read() == nil)
        #expect(keeper.deadline == .distantFuture)
    }

    @Test func `what somebody else does to the table is put right`() {
        var keeper = MarkKeeper(kernel, store)
        keeper.configure(configuration())
        keeper.turn(at: Instant.zero)
        kernel.flush()
        keeper.touched(at: .zero)
        keeper.turn(at: Instant.zero)
        #expect(marks(in: "t") == [1000])
    }

    @Test func `who changes it again and again costs a write a second at most, and is put right in the end`() {
        var keeper = MarkKeeper(kernel, store)
        keeper.configure(configuration())
        keeper.turn(at: .zero)
        let before = kernel.writes
        var now = Instant.zero
        // A minute of somebody else's changes, a thousand a second.
        for _ in 0..<60_000 {
            now = now + .milliseconds(1)
            kernel.flush()
            keeper.touched(at: now)
            keeper.turn(at: now)
        }
        #expect((50...70).contains(kernel.writes - before), "\(kernel.writes - before)")
        now = now + .seconds(1)
        keeper.turn(at: now)
        #expect(marks(in: "t") == [1000] && keeper.deadline == .distantFuture)
        // A configuration does not wait for that.
        kernel.flush()
        keeper.touched(at: now)
        keeper.configure(configuration(mark: 7))
        keeper.turn(at: now)
        #expect(marks(in: "t") == [7])
        now = now + .seconds(11)
        kernel.flush()
        keeper.touched(at: now)
        keeper.turn(at: now)
        #expect(marks(in: "t") == [7], "after some quiet it is done at once again")
    }

    @Test func `a refusal is tried again, and is over`() {
        var keeper = MarkKeeper(kernel, store)
        kernel.refusal = .refused(code: EOPNOTSUPP, message: "")
        keeper.configure(configuration())
        var now = Instant.zero
        for wait in [1, 2, 4, 8, 10, 10] {
            keeper.turn(at: now)
            #expect(keeper.problem != nil && keeper.deadline == now + .seconds(wait))
            now = keeper.deadline
        }
        kernel.refusal = nil
        keeper.turn(at: now)
        #expect(keeper.problem == nil && marks(in: "t") == [1000])
    }

    @Test func `a process that dies leaves no table that the next one does not know`() {
        var first = MarkKeeper(kernel, store)
        first.configure(configuration())
        first.turn(at: Instant.zero)
        // Killed; the file has another table now.
        var second = MarkKeeper(kernel, store)
        second.configure(configuration(table: "u"))
        second.turn(at: Instant.zero)
        #expect(kernel.tables.keys.sorted() == ["u"])
        // Killed before the kernel took it; then the word is gone.
        kernel.refusal = .timedOut
        second.configure(configuration(table: "v"))
        second.turn(at: Instant.zero)
        kernel.refusal = nil
        var third = MarkKeeper(kernel, store)
        third.configure(configuration(table: nil))
        third.turn(at: Instant.zero)
        #expect(kernel.tables.isEmpty && store.read() == nil)
    }

    @Test func `it goes when the services go for good`() throws {
        var keeper = MarkKeeper(kernel, store)
        keeper.configure(configuration())
        keeper.turn(at: Instant.zero)
        try keeper.finish()
        #expect(kernel.tables.isEmpty && store.read() == nil)
    }
}
