// The monitor over a scripted kernel that drops notifications as the real one does: when the queue is full, everything until somebody has
// emptied it, and only one ENOBUFS for all of it, before what was queued earlier (net/netlink/af_netlink.c: netlink_overrun, netlink_rcv_wake).

import Net
import Netlink
import Testing
import VRRP

/// Interfaces and addresses that change, the queue of notifications about them, and dumps.
private final class ScriptedNetwork: RouteKernel {
    private(set) var links: [Int32: Link] = [:]
    private(set) var addresses: [Int32: [InterfaceAddress]] = [:]
    /// Datagrams that the queue holds.
    var capacity = 1000
    /// Called while a dump is made, after it was taken.
    var duringDump: () -> Void = {}
    /// What the next dumps fail with.
    var dumpFailures: [NetlinkError] = []
    private(set) var dumps = 0
    private(set) var routingReads = 0
    private(set) var queue: [[UInt8]] = []
    private var overran = false
    private var isCongested = false

    /// An interface appears or changes.
    func set(_ index: Int32, _ name: String, up: Bool = true) {
        let flags: UInt32 = up ? 0x1043 : 0x1002
        links[index] = Link(
            index: index, name: name, flags: flags, mac: MACAddress(rawValue: 0x0200_0000_0007), mtu: 9000)
        notify(link(index: index, name: name, flags: flags, sequence: 0))
    }

    /// An interface is deleted, its addresses first.
    func delete(_ index: Int32) {
        guard let gone = links[index] else { return }
        for address in addresses[index] ?? [] { remove(address) }
        links[index] = nil
        notify(link(type: 17, index: index, name: gone.name, flags: gone.flags, sequence: 0))
    }

    func add(_ octet: UInt8, to index: Int32) {
        guard links[index] != nil, let prefix = IPPrefix("10.0.0.\(octet)/24") else { return }
        let address = InterfaceAddress(link: index, prefix: prefix, label: "eth0", flags: 0x80)
        guard addresses[index]?.contains(address) != true else { return }
        addresses[index, default: []].append(address)
        notify(message(20, address))
    }

    func remove(_ address: InterfaceAddress) {
        addresses[address.link]?.removeAll { $0 == address }
        notify(message(21, address))
    }

    func snapshot() throws(NetlinkError) -> RouteSnapshot {
        dumps += 1
        if !dumpFailures.isEmpty { throw dumpFailures.removeFirst() }
        var snapshot = RouteSnapshot()
        snapshot.links = Array(links.values)
        snapshot.addresses = links.keys.flatMap { addresses[$0] ?? [] }
        duringDump()
        return snapshot
    }

    func apply(_ changes: [KernelChange]) throws(NetlinkError) -> [RefusedChange] { [] }

    func routing(of origins: Set<UInt8>) throws(NetlinkError) -> RoutingSnapshot {
        routingReads += 1
        return RoutingSnapshot()
    }

    fileprivate func receive() throws(NetlinkError) -> [UInt8] {
        if overran {
            overran = false
            throw .overrun
        }
        guard !queue.isEmpty else { throw .timedOut }
        let datagram = queue.removeFirst()
        if queue.isEmpty { isCongested = false }
        return datagram
    }

    private func message(_ type: UInt16, _ value: InterfaceAddress) -> [UInt8] {
        address(
            type: type, value.prefix.address.octets, length: 24, index: UInt32(bitPattern: value.link), sequence: 0)
    }

    private func notify(_ datagram: [UInt8]) {
        guard !isCongested, queue.count < capacity else {
            overran = overran || !isCongested
            isCongested = true
            return
        }
        queue.append(datagram)
    }

    /// A monitor of this network, and its table.
    func monitor() -> Follower { Follower(RouteMonitor(Transport(network: self), number: -1, kernel: self)) }

    /// What the table must show.
    func matches(_ table: LinkTable) -> Bool {
        table.links == links
            && table.links.keys.allSatisfy { Set(table.addresses(on: $0)) == Set(addresses[$0] ?? []) }
    }

    fileprivate struct Transport: NetlinkTransport, ~Copyable {
        let network: ScriptedNetwork
        func send(_ datagram: UnsafeRawBufferPointer) throws(NetlinkError) { throw .messageTooLong }
        func receive(into buffer: UnsafeMutableRawBufferPointer) throws(NetlinkError) -> Int {
            let datagram = try network.receive()
            buffer.copyBytes(from: datagram)
            return datagram.count
        }
    }
}

/// Keeps the table that a monitor's news make.
private final class Follower {
    enum News: Equatable {
        case nothing
        /// With the numbers of interfaces that went meanwhile.
        case changed(gone: Set<Int32>)
        case replaced
        case stale(NetlinkError)
    }

    private let monitor: RouteMonitor
    private(set) var table = LinkTable()

    init(_ monitor: RouteMonitor) { self.monitor = monitor }

    var needsDump: Bool { monitor.needsDump }
    func update(limit: Int = 256) -> News { follow(monitor.update(limit: limit)) }
    func resynchronise() -> News { follow(monitor.resynchronise()) }

    private func follow(_ news: RouteMonitor.News) -> News {
        switch news {
        case .nothing: return .nothing
        case .changed(let events):
            for event in events { table.apply(event) }
            let gone = events.compactMap { if case .linkGone(let link) = $0 { link.index } else { nil } }
            return .changed(gone: Set(gone))
        case .replaced(let snapshot, let events):
            table = LinkTable(snapshot)
            for event in events { table.apply(event) }
            return .replaced
        case .stale(let error): return .stale(error)
        }
    }
}

@Suite struct RouteMonitorTests {
    private let network = ScriptedNetwork()
    private let monitor: Follower

    init() {
        network.set(2, "eth0")
        network.add(1, to: 2)
        monitor = network.monitor()
    }

    @Test func `it begins with a dump, and follows what is said after it`() {
        #expect(monitor.needsDump)
        #expect(monitor.resynchronise() == .replaced)
        #expect(!monitor.needsDump)
        #expect(monitor.update() == .nothing)
        network.set(2, "eth0", up: false)
        network.add(2, to: 2)
        #expect(monitor.update() == .changed(gone: []))
        #expect(network.matches(monitor.table))
    }

    @Test func `who is interested in nobody's routes reads none`() {
        let network = ScriptedNetwork()
        let monitor = RouteMonitor(ScriptedNetwork.Transport(network: network), number: -1, kernel: network)
        _ = monitor.resynchronise()
        #expect(network.routingReads == 1)
        monitor.routeOrigins = []
        _ = monitor.resynchronise()
        #expect(network.dumps == 2 && network.routingReads == 1)
    }

    @Test func `after a loss nothing that was queued earlier comes over the newer table`() {
        #expect(monitor.resynchronise() == .replaced)
        network.capacity = 3
        network.set(2, "eth0", up: false)
        for octet in UInt8(10)..<20 { network.add(octet, to: 2) }
        network.set(2, "eth0")
        #expect(network.queue.count == 3, "down is queued, up was dropped")
        #expect(monitor.update() == .replaced)
        #expect(monitor.table.link(named: "eth0")?.isUsable == true)
        #expect(monitor.update() == .nothing)
        #expect(network.matches(monitor.table))
    }

    @Test func `what changes while the table is read is not lost, and nobody sees what was between`() {
        network.duringDump = { [network] in
            network.set(2, "eth0", up: false)
            network.set(2, "eth0")
            network.add(7, to: 2)
            network.duringDump = {}
        }
        #expect(monitor.resynchronise() == .replaced)
        #expect(network.matches(monitor.table))
    }

    @Test func `a loss while the table is read begins anew, at most three times`() {
        network.capacity = 2
        let flood = { [network] in for octet in UInt8(20)..<30 { network.add(octet, to: 2) } }
        network.duringDump = { [network] in
            flood()
            if network.dumps == 2 { network.duringDump = {} }
        }
        #expect(monitor.resynchronise() == .replaced)
        #expect(network.dumps == 2)
        #expect(network.matches(monitor.table))
        network.duringDump = { [network] in
            for octet in UInt8(30)..<40 { network.add(octet, to: 2) }
            for address in network.addresses[2] ?? [] { network.remove(address) }
        }
        #expect(monitor.resynchronise() == .stale(.overrun))
        #expect(network.dumps == 5)
        #expect(monitor.needsDump)
    }

    @Test func `a dump that fails stays wanted until it succeeds, and the queue is kept empty meanwhile`() {
        #expect(monitor.resynchronise() == .replaced)
        network.capacity = 1
        network.dumpFailures = [.dumpInterrupted, .timedOut]
        network.add(8, to: 2)
        network.set(2, "eth0", up: false)
        #expect(monitor.update() == .stale(.dumpInterrupted))
        #expect(monitor.needsDump)
        network.set(2, "eth0")
        #expect(monitor.update() == .stale(.overrun))
        #expect(network.queue.isEmpty, "or the descriptor stays readable")
        #expect(monitor.resynchronise() == .stale(.timedOut))
        #expect(monitor.resynchronise() == .replaced)
        #expect(network.matches(monitor.table))
    }

    @Test func `an interface that is deleted and made again in one batch is said to have gone`() {
        #expect(monitor.resynchronise() == .replaced)
        network.delete(2)
        network.set(2, "eth0")
        #expect(monitor.update() == .changed(gone: [2]))
        #expect(network.matches(monitor.table))
        network.delete(2)
        network.set(5, "eth0")
        network.add(1, to: 5)
        #expect(monitor.update() == .changed(gone: [2]))
        #expect(network.matches(monitor.table))
    }

    @Test func `a flood is read in parts`() {
        #expect(monitor.resynchronise() == .replaced)
        for octet in UInt8(10)..<20 { network.add(octet, to: 2) }
        #expect(monitor.update(limit: 4) == .changed(gone: []))
        #expect(network.queue.count == 6)
    }

    @Test(arguments: UInt64(1)...200)
    func `whatever is lost and whichever dump fails, the table is right when the network is quiet`(seed: UInt64) {
        var random = Generator(state: seed)
        network.capacity = Int.random(in: 1...30, using: &random)
        _ = monitor.resynchronise()
        func change() {
            let index = Int32.random(in: 1...4, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: network.set(index, "eth\(index)", up: .random(using: &random))
            case 1: network.set(index, "lan\(index)")
            case 2: network.delete(index)
            case 3: if let address = network.addresses[index]?.first { network.remove(address) }
            case _: network.add(.random(in: 1...5, using: &random), to: index)
            }
        }
        for _ in 0..<300 {
            for _ in 0..<Int.random(in: 0...8, using: &random) { change() }
            if Int.random(in: 0..<6, using: &random) == 0 { network.dumpFailures.append(.dumpInterrupted) }
            let isBusy = Int.random(in: 0..<3, using: &random) == 0
            let burst = Int.random(in: 0...40, using: &random)
            network.duringDump = { if isBusy { for _ in 0..<burst { change() } } }
            if case .stale = monitor.update(limit: .random(in: 1...20, using: &random)) {
                #expect(monitor.needsDump)
                if Bool.random(using: &random) { _ = monitor.resynchronise() }
            }
        }
        network.duringDump = {}
        network.dumpFailures = []
        if monitor.needsDump { #expect(monitor.resynchronise() == .replaced) }
        var news = monitor.update()
        while news != .nothing { news = monitor.update() }
        #expect(network.matches(monitor.table))
    }
}

/// SplitMix64: the same numbers for the same seed.
private struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
