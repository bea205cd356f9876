// Whole daemons on two wires while everything goes wrong that can: loss, doubling, partitions, pauses, interfaces that go, come back, are
// renamed or get another MAC, refusals, lost answers, lost notifications, addresses that somebody else takes off, reloads that add, remove,
// rename and regroup, operators, crashes, restarts. One second after the trouble has ended the addresses are where they are wanted and
// nowhere else; when the timers have run out there is one master of every virtual router on its wire.
//
// EVENKEEL_SEEDS says how many runs (10,000 unless given: about three minutes of one core in a debug build).

import Configuration
import Glibc
import Net
import Netlink
import Testing
import VRRP

@testable import vrrpd

/// One run.
private final class Storm {
    let network: SimulatedNetwork
    var random: SplitMix
    /// Addresses of the hosts' own that must be there.
    var own: [Int: [Int32: Set<String>]] = [:]
    var priorities: [UInt8] = []
    /// Addresses taken off by others: more than a few in a row are a fight, which is put back ever more slowly.
    var takings = 0
    /// A third of the runs have an IPv6 virtual router too.
    let hasIPv6: Bool
    /// In half of the runs VI_1 and VI_6 may have macvlans; not every configuration says so.
    let hasVirtualMACs: Bool
    /// In a quarter of the runs VI_2 signs, with clocks that differ.
    let signs: Bool
    var problems: [String] = []

    init(seed: UInt64) {
        random = SplitMix(seed: seed)
        network = SimulatedNetwork(seed: seed &* 7919)
        hasIPv6 = seed % 3 == 0
        hasVirtualMACs = seed % 2 == 0
        signs = seed % 4 == 1
        for number in 0..<Int.random(in: 2...3, using: &random) {
            priorities.append(UInt8(60 + 60 * number + Int.random(in: 0...20, using: &random)))
            let host = ScriptedHost(number, configuration(of: number), in: network)
            network.hosts.append(host)
            host.hasIPv6 = hasIPv6
            if signs { host.clockError = Int64(roll(4000) - 2000) * 1_000_000 }
            host.promotesSecondaries = Bool.random(using: &random)
            restoreLinks(of: host)
            host.start()
        }
    }

    func roll(_ sides: Int) -> Int { Int.random(in: 0..<sides, using: &random) }

    /// A configuration of the host; others of the same virtual routers.
    func configuration(of number: Int) -> Configuration {
        var names = ["VI_1", "VI_2", "VI_3"]
        if roll(3) == 0 { names.swapAt(0, 1) }
        if roll(3) == 0 { names[2] = "VI_X" }
        let priority = priorities[number]
        var blocks = [
            block(names[0], router: 51, priority: priority, addresses: ["10.0.0.100/24", "10.0.0.101/32"]),
            block(names[1], router: 52, interface: "eth1", priority: priority, addresses: ["10.1.0.100/24"]),
        ]
        if roll(3) != 0 {
            var third = block(names[2], router: 53, priority: priority, addresses: ["10.0.0.150/24"])
            third.excludedAddresses = block(addresses: ["10.1.0.150/24"], device: "eth1").virtualAddresses
            if roll(2) == 0 { third.virtualAddresses += block(addresses: ["10.0.0.151/24"]).virtualAddresses }
            blocks.append(third)
        }
        if signs {
            // Keys are changed as people do it: those of both are known everywhere.
            blocks[1].authenticationHMAC = AuthenticationHMACConfiguration(
                keys: [1, 2].map { id in
                    AuthenticationHMACConfiguration.Key(
                        id: id, secret: AuthenticationSecret([UInt8](repeating: id, count: 32)))
                }, activeKey: UInt8(1 + roll(2)))
        }
        if hasIPv6 {
            var fourth = block(
                "VI_6", router: 54, priority: priority,
                addresses: ["fe80::36/64", "2001:db8::100/64", "2001:db8::101/128"])
            fourth.excludedAddresses = block(addresses: ["10.1.0.160/24"], device: "eth1").virtualAddresses
            blocks.insert(fourth, at: roll(blocks.count))
        }
        for index in blocks.indices where roll(4) == 0 { blocks[index].lateYieldsTo = 254 }
        if hasVirtualMACs {
            for index in blocks.indices where [51, 54].contains(blocks[index].virtualRouterID) && roll(4) != 0 {
                let number = blocks[index].virtualRouterID
                blocks[index].virtualMAC = VirtualMACConfiguration(
                    name: "vrrp.\(number)",
                    mac: VirtualMACConfiguration.mac(virtualRouterID: number, blocks[index].family))
            }
        }
        let groups =
            roll(2) == 0
            ? [SyncGroupConfiguration(name: roll(2) == 0 ? "VG" : "VH", members: [names[0], names[1]])] : []
        return Configuration(instances: blocks, syncGroups: groups)
    }

    /// Interfaces with the right names, up, with the host's addresses.
    func restoreLinks(of host: ScriptedHost) {
        for (name, segment) in [("eth0", 0), ("eth1", 1)] {
            // A macvlan on the segment is no second interface of that name, which no kernel has.
            for link in host.links.values
            where link.name != name && host.segments[link.index] == segment && !link.isPrivateMacvlan {
                host.set(link.index, name, segment: segment)
            }
            if !host.links.values.contains(where: { $0.name == name }) {
                host.set(Int32(10 + segment + 2 * roll(4)), name, segment: segment)
            }
            for link in host.links.values where link.name == name {
                if !link.isUsable { host.set(link.index, name, segment: segment) }
                host.addLinkLocal(to: link.index)
                let address = "10.\(segment).0.\(host.number + 1)/24"
                host.add(address, to: link.index)
                own[host.number, default: [:]][link.index] = [address]
            }
        }
    }

    func disturb() {
        let host = network.hosts[roll(network.hosts.count)]
        let link = host.links.values.sorted { $0.index < $1.index }.dropFirst(roll(2)).first
        switch roll(24) {
        case 0: network.lossPercent = roll(90)
        case 1: network.duplicatePercent = roll(50)
        case 2: host.side = roll(2)
        case 3: host.pausedUntil = network.now + .milliseconds(roll(6000))
        case 4:
            if let link { host.set(link.index, link.name, segment: host.segments[link.index] ?? 0, up: !link.isUsable) }
        case 5:
            if let link {
                host.delete(link.index)
                own[host.number]?[link.index] = nil
                if roll(2) == 0 { restoreLinks(of: host) }
            }
        case 6: if let link { host.set(link.index, "renamed\(link.index)", segment: host.segments[link.index] ?? 0) }
        case 7: restoreLinks(of: host)
        case 8:
            if let link {
                host.set(
                    link.index, link.name, segment: host.segments[link.index] ?? 0, up: link.isUsable,
                    mac: 0x0200_0000_0000 | random.next() & 0xFFFF)
            }
        case 9:
            let percent = UInt64(roll(100))
            var dice = SplitMix(seed: random.next())
            host.refuses = { _ in dice.next() % 100 < percent ? .refused(code: 1, message: "") : nil }
            if roll(2) == 0 {
                host.refusesLink = { _ in dice.next() % 100 < percent ? .refused(code: 1, message: "") : nil }
            }
        case 10:
            host.refuses = { _ in nil }
            host.refusesLink = { _ in nil }
        case 11: host.lostAnswers = roll(3)
        case 12: host.capacity = roll(6)
        case 13: host.failingDumps = roll(3)
        case 14:
            takings += 1
            guard takings <= 4, let link, let address = host.addresses[link.index]?.last else { return }
            host.remove("\(address.prefix)", from: link.index)
            own[host.number]?[link.index]?.remove("\(address.prefix)")
        case 15: host.reload(configuration(of: host.number))
        case 16, 17:
            let choice = roll(2) == 0
            host.tell { daemon in
                guard let id = daemon.director.order.first else { return }
                _ = choice ? daemon.stepDown(id) : daemon.resume(id)
            }
        case 18: if host.isAlive { host.crash() } else { host.start() }
        case 19: if host.isAlive, host.failingDumps == 0 { host.handOver() } else { host.start() }
        case 20: if host.isAlive { host.stop() }
        case 21: host.filteringFails = roll(3)
        case 22:
            guard let macvlan = host.links.values.filter(\.isPrivateMacvlan).min(by: { $0.index < $1.index }) else {
                return
            }
            guard roll(2) == 0 else { try? host.apply(.set(macvlan.index, isUp: roll(2) == 0)); return }
            // Deleted while nobody runs, or where it cannot be made again, what the parent was goes with it.
            guard host.isAlive, host.pausedUntil <= network.now else { return }
            host.refusesLink = { _ in nil }
            (host.lostAnswers, host.failingDumps) = (0, 0)
            host.delete(macvlan.index)
            network.run(.milliseconds(10))
        default: host.notesFail = roll(2) == 0
        }
    }

    func calm() {
        network.lossPercent = 0
        network.duplicatePercent = 0
        for host in network.hosts {
            host.side = 0
            host.pausedUntil = .zero
            host.refuses = { _ in nil }
            host.refusesLink = { _ in nil }
            host.lostAnswers = 0
            host.failingDumps = 0
            host.notesFail = false
            host.filteringFails = 0
            host.capacity = 1000
            restoreLinks(of: host)
            if !host.isAlive { host.start() }
            host.tell { daemon in
                for id in daemon.director.order { _ = daemon.resume(id) }
            }
            network.wake(host, at: network.now)
        }
    }

    /// Wanted, held and the kernel's table are the same.
    func checkAddresses(_ when: String) {
        for host in network.hosts {
            guard let daemon = host.daemon else { continue }
            var wanted: [String: Set<String>] = [:]
            var held: Set<String> = []
            var macvlans: [String: Bool] = [:]
            for id in daemon.director.order {
                guard let view = daemon.director.view(of: id) else { continue }
                held.formUnion(view.held.map { "\($0)" })
                if let name = view.block.virtualMAC?.name { macvlans[name] = view.machine.state.name == .master }
                guard view.machine.state.name == .master else { continue }
                for line in view.block.virtualAddresses + view.block.excludedAddresses {
                    let virtual = line.device == view.block.interface ? view.block.virtualMAC?.name : nil
                    wanted[virtual ?? line.device ?? "", default: []].insert("\(line.prefix)")
                }
            }
            for (index, link) in host.links {
                let expected = (wanted[link.name] ?? []).union(own[host.number]?[index] ?? [])
                let shown = Set(host.shown(index).filter { $0 != "fe80::\(host.number + 1)/64" })
                if shown != expected {
                    problems.append(
                        "\(when): host \(host.number) \(link.name) has \(shown.sorted()), not \(expected.sorted())")
                }
            }
            let shown = host.links.values.filter(\.isPrivateMacvlan).map { ($0.name, $0.isUp) }
            if Dictionary(uniqueKeysWithValues: shown) != macvlans {
                problems.append("\(when): host \(host.number) has macvlans \(shown), not \(macvlans)")
            }
            for link in host.links.values where !link.isPrivateMacvlan {
                let isParent = host.links.values.contains { $0.parent == link.index }
                if link.ipv4?.arpIgnore != (isParent ? 1 : 0) {
                    problems.append("\(when): host \(host.number) \(link.name) has \(String(describing: link.ipv4))")
                }
            }
            let all = wanted.values.reduce(into: Set<String>()) { $0.formUnion($1) }
            if held != all {
                problems.append("\(when): host \(host.number) holds \(held.sorted()), not \(all.sorted())")
            }
        }
    }

    func checkMasters(_ when: String) {
        for router in [51, 52, 53, 54] as [UInt8] {
            let states = network.hosts.flatMap { host in
                host.daemon.map { daemon in
                    daemon.director.order.compactMap { daemon.director.view(of: $0) }
                        .filter { $0.block.virtualRouterID == router }.map { ($0.machine.state.name, host.number) }
                } ?? []
            }
            guard !states.isEmpty else { continue }
            let masters = states.filter { $0.0 == .master }.map(\.1)
            if masters.count != 1 {
                problems.append("\(when): virtual router \(router) has masters \(masters) of \(states)")
            }
        }
    }

    func run() {
        network.run(.milliseconds(roll(8000)))
        for _ in 0..<12 {
            disturb()
            network.run(.milliseconds(roll(roll(4) == 0 ? 5000 : 600)))
        }
        calm()
        network.run(.seconds(1) + .milliseconds(10))
        checkAddresses("after a second")
        network.run(.seconds(12))
        checkAddresses("when the timers had run out")
        checkMasters("when the timers had run out")
        network.run(.seconds(2)) { [self] _ in if problems.isEmpty { checkMasters("when quiet") } }
        for host in network.hosts { host.crash() }
        network.hosts = []
    }
}

@Suite struct DaemonSimulationTests {
    private static let seeds = getenv("EVENKEEL_SEEDS").flatMap { UInt64(String(cString: $0)) } ?? 10_000
    private static let first = getenv("EVENKEEL_FIRST_SEED").flatMap { UInt64(String(cString: $0)) } ?? 1

    @Test(arguments: 0..<8)
    func `after any trouble wanted is held is there, and every virtual router has one master`(part: UInt64) {
        for seed in Self.first..<Self.first + Self.seeds where seed % 8 == part {
            let storm = Storm(seed: seed)
            storm.run()
            guard storm.problems.isEmpty else {
                Issue.record("seed \(seed): \(storm.problems.prefix(3).joined(separator: "; "))")
                return
            }
        }
    }
}
