// A link with N routers, in simulated time: packets are lost, delayed and cut off, routers are paused, crash and return. What
// must hold: when the trouble ends there is one master, the right one; and a dead master is replaced within the RFC's limit.

import Net
import Testing

@testable import VRRP

private struct Network {
    struct Packet {
        var to: Int
        var from: Int
        var advertisement: Advertisement
        var at: Instant
    }

    struct Node {
        var router: VirtualRouter
        var isAlive = true
        var pausedUntil = Instant.zero
        /// Nodes hear only their own side of a partition.
        var side = 0
    }

    var nodes: [Node] = []
    var wire: [Packet] = []
    var now = Instant(nanoseconds: 1_000_000_000)
    var lossPercent = 0
    var random: SplitMix
    var violations: [String] = []

    init(seed: UInt64, priorities: [UInt8], preemption: Preemption = .enabled, version: ProtocolVersion) {
        random = SplitMix(seed: seed)
        for (index, priority) in priorities.enumerated() {
            let configuration = RouterConfiguration(
                version: version, virtualRouterID: 1, priority: priority, preemption: preemption)
            let router = VirtualRouter(configuration, sourceAddress: Self.address(index))
            nodes.append(Node(router: router))
        }
        for index in nodes.indices { apply(index) { $0.start(at: $1) } }
    }

    static func address(_ index: Int) -> IPAddress { .v4(IPv4Address(10, 0, 0, UInt8(index + 1))) }

    var masters: [Int] { nodes.indices.filter { nodes[$0].isAlive && nodes[$0].router.state.name == .master } }

    mutating func apply(_ index: Int, _ event: (inout VirtualRouter, Instant) -> [Action]) {
        guard nodes[index].isAlive else { return }
        for action in event(&nodes[index].router, now) {
            switch action {
            case .send(let priority): broadcast(from: index, priority: priority)
            case .announce, .follow, .report: break
            }
        }
    }

    mutating func broadcast(from index: Int, priority: UInt8) {
        let advertisement = nodes[index].router.configuration.advertisement(priority: priority)
        for peer in nodes.indices where peer != index && nodes[peer].side == nodes[index].side {
            guard Int.random(in: 0..<100, using: &random) >= lossPercent else { continue }
            let delay = Duration.microseconds(Int.random(in: 20...500, using: &random))
            wire.append(Packet(to: peer, from: index, advertisement: advertisement, at: now + delay))
        }
    }

    mutating func crash(_ index: Int) {
        nodes[index].isAlive = false
    }

    mutating func revive(_ index: Int) {
        guard !nodes[index].isAlive else { return }
        nodes[index].isAlive = true
        nodes[index].router = VirtualRouter(
            nodes[index].router.configuration, sourceAddress: Self.address(index))
        apply(index) { $0.start(at: $1) }
    }

    /// Runs to `end`; calls `step` after every event.
    mutating func run(to end: Instant, _ step: (inout Network) -> Void = { _ in }) {
        while true {
            let packet = wire.indices.map { (at: ready(wire[$0].to, wire[$0].at), kind: 0, index: $0) }
            let timers = nodes.indices.compactMap { index -> (at: Instant, kind: Int, index: Int)? in
                guard nodes[index].isAlive, let deadline = nodes[index].router.deadline else { return nil }
                return (ready(index, deadline), 1, index)
            }
            // At the same time packets go first: the driver drains its socket before it believes a timer.
            guard let next = (packet + timers).min(by: { ($0.at, $0.kind) < ($1.at, $1.kind) }), next.at <= end else {
                now = end
                return
            }
            now = max(now, next.at)
            if next.kind == 0 {
                let packet = wire.remove(at: next.index)
                apply(packet.to) { $0.received(packet.advertisement, from: Self.address(packet.from), at: $1) }
            } else {
                apply(next.index) { $0.timerExpired(at: $1) }
            }
            step(&self)
        }
    }

    private func ready(_ index: Int, _ at: Instant) -> Instant { max(at, nodes[index].pausedUntil) }
}

private func priorities(_ random: inout SplitMix) -> [UInt8] {
    (0..<Int.random(in: 2...6, using: &random)).map { _ in UInt8.random(in: 1...254, using: &random) }
}

/// The router that RFC 9568 wants: the highest priority.
private func best(_ network: Network) -> UInt8 {
    network.nodes.filter(\.isAlive).map(\.router.priority).max() ?? 0
}

@Suite struct SimulationTests {
    @Test(arguments: Array(1...60) as [UInt64])
    func `after any trouble one master remains, of the highest priority`(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let version: ProtocolVersion = Bool.random(using: &random) ? .v2 : .v3
        var network = Network(seed: seed, priorities: priorities(&random), version: version)
        for _ in 0..<40 {
            let index = Int.random(in: network.nodes.indices, using: &random)
            switch Int.random(in: 0..<7, using: &random) {
            case 0: network.crash(index)
            case 1: network.revive(index)
            case 2: network.nodes[index].side = Int.random(in: 0...1, using: &random)
            case 3: network.lossPercent = Int.random(in: 0...90, using: &random)
            case 4:
                network.nodes[index].pausedUntil =
                    network.now + .milliseconds(Int.random(in: 1...9_000, using: &random))
            case 5: network.apply(index) { $0.stepDown(at: $1) }
            default: network.apply(index) { $0.faultsChanged(to: [.interfaceDown("eth0")], at: $1) }
            }
            network.run(to: network.now + .milliseconds(Int.random(in: 1...3_000, using: &random)))
        }
        network.lossPercent = 0
        for index in network.nodes.indices {
            network.nodes[index].side = 0
            network.nodes[index].pausedUntil = .zero
            network.revive(index)
            network.nodes[index].router.resume()
            network.apply(index) { $0.faultsChanged(to: [], at: $1) }
        }
        network.run(to: network.now + .seconds(12))
        network.run(to: network.now + .seconds(30)) { network in
            if network.masters.count != 1 { network.violations.append("\(network.masters.count) masters when quiet") }
        }
        #expect(network.violations.isEmpty)
        #expect(network.masters.map { network.nodes[$0].router.priority } == [best(network)])
    }

    @Test(arguments: Array(1...40) as [UInt64])
    func `a dead master is replaced by the next in rank within its master-down interval`(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let version: ProtocolVersion = Bool.random(using: &random) ? .v2 : .v3
        var network = Network(seed: seed, priorities: priorities(&random), version: version)
        network.run(to: network.now + .seconds(20))
        while network.nodes.filter(\.isAlive).count > 1, let master = network.masters.first {
            network.run(to: network.now + .milliseconds(Int.random(in: 0...1_500, using: &random)))
            network.crash(master)
            let died = network.now
            let interval = Timing.masterDown(version, priority: best(network), interval: .seconds(1), missed: 3)
            network.run(to: died + interval + .milliseconds(1))
            #expect(network.masters.contains { network.nodes[$0].router.priority == best(network) })
            network.run(to: network.now + .seconds(2))
            #expect(network.masters.count == 1)
        }
        #expect(network.violations.isEmpty)
    }

    @Test(arguments: Array(1...20) as [UInt64])
    func `with nopreempt a returning router never disturbs a live master`(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var network = Network(seed: seed, priorities: priorities(&random), preemption: .disabled, version: .v3)
        network.run(to: network.now + .seconds(20))
        for _ in 0..<10 {
            guard let master = network.masters.first else { break }
            let index = Int.random(in: network.nodes.indices, using: &random)
            guard index != master else { continue }
            network.crash(index)
            network.run(to: network.now + .milliseconds(Int.random(in: 1...8_000, using: &random)))
            network.revive(index)
            network.run(to: network.now + .milliseconds(Int.random(in: 1...8_000, using: &random)))
            #expect(network.masters == [master])
        }
        #expect(network.violations.isEmpty)
    }
}
