// BFD in virtual time: the packet octet by octet, two sessions on a wire that loses and delays, what RFC 5880 asks of one of them.

import Configuration
import Net
import Testing

@testable import VRRP

private func configuration(passive: Bool = false, _ change: (inout BFDConfiguration) -> Void = { _ in })
    -> BFDConfiguration
{
    var configuration = BFDConfiguration(name: "b", neighbor: .v4(IPv4Address(10, 0, 0, 2)))
    configuration.isPassive = passive
    change(&configuration)
    return configuration
}

@Suite struct BFDPacketTests {
    /// RFC 5880 §4.1.
    private let octets: [UInt8] = [
        0x21,  // version 1, control detection time expired
        0xE0,  // up, poll
        3, 24, 0, 0, 0, 7, 0, 0, 0, 9,
        0, 0x0F, 0x42, 0x40,  // 1 s
        0, 0, 0x27, 0x10,  // 10 ms
        0, 0, 0, 0,
    ]

    @Test func `a packet is read and written octet by octet`() throws {
        let packet = try #require(BFDPacket(octets[...]))
        #expect(packet.state == .up)
        #expect(packet.diagnostic == .detectionTimeExpired)
        #expect(packet.isPoll && !packet.isFinal && !packet.isDemand)
        #expect((packet.multiplier, packet.mine, packet.yours) == (3, 7, 9))
        #expect((packet.desiredTransmit, packet.requiredReceive) == (1_000_000, 10_000))
        #expect(packet.octets == octets)
    }

    @Test(
        arguments: [
            (0, 0x41), (1, 0xE4), (1, 0xE1), (2, 0), (3, 23), (3, 25), (7, 0),
        ] as [(Int, UInt8)])
    func `what RFC 5880 §6.8.6 discards is not read`(_ place: Int, _ value: UInt8) {
        var bad = octets
        bad[place] = value
        #expect(BFDPacket(bad[...]) == nil)
        #expect(BFDPacket(octets.dropLast()) == nil)
    }

    @Test func `only a session that is down may not know the other one's number`() {
        var bad = octets
        bad.replaceSubrange(8..<12, with: [0, 0, 0, 0])
        #expect(BFDPacket(bad[...]) == nil)
        bad[1] = 0x40
        #expect(BFDPacket(bad[...]) != nil)
    }

    @Test func `every octet sequence is read without a trap`() {
        var random = SplitMix(seed: 9)
        for _ in 0..<20_000 {
            let octets = (0..<Int(random.next() % 40)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            if let packet = BFDPacket(octets[...]) { #expect(BFDPacket(packet.octets[...]) == packet) }
        }
    }
}

/// Two sessions and the wire between them.
private struct Pair {
    var ends: [BFDSession]
    var now = Instant.zero
    var isCut = [false, false]
    var queue: [(at: Instant, to: Int, packet: BFDPacket)] = []
    var sent: [[(at: Instant, packet: BFDPacket)]] = [[], []]
    /// This end does not run; what is sent to it waits.
    var paused: Int?
    var lossPercent: UInt64 = 0
    var random = SplitMix(seed: 1)

    init(_ a: BFDConfiguration, _ b: BFDConfiguration) {
        ends = [
            BFDSession(a, discriminator: 11, seed: 1, at: .zero), BFDSession(b, discriminator: 22, seed: 2, at: .zero),
        ]
    }

    private mutating func send(_ packets: [BFDPacket], from end: Int) {
        for packet in packets {
            sent[end].append((now, packet))
            guard !isCut[end], random.next() % 100 >= lossPercent else { continue }
            queue.append((now + .microseconds(200), 1 - end, packet))
        }
    }

    mutating func run(_ duration: Duration) {
        let end = now + duration
        while true {
            let running = ends.indices.filter { $0 != paused }
            let times = running.compactMap { ends[$0].deadline } + queue.filter { $0.to != paused }.map(\.at)
            guard let next = times.min(), next <= end else { break }
            now = max(now, next)
            // As the loop does it: what has arrived before what is due.
            let arrived = queue.filter { $0.at <= now && $0.to != paused }
            queue.removeAll { $0.at <= now && $0.to != paused }
            for item in arrived {
                let packets = ends[item.to].received(item.packet, at: now)
                send(packets, from: item.to)
            }
            for index in running where ends[index].deadline.map({ $0 <= now }) ?? false {
                let packets = ends[index].due(at: now)
                send(packets, from: index)
            }
        }
        now = end
    }

    var states: [BFDState] { ends.map(\.state) }
}

@Suite struct BFDSessionTests {
    @Test(arguments: [false, true])
    func `two ends come up, one of them passive or not`(_ isPassive: Bool) {
        var pair = Pair(configuration(), configuration(passive: isPassive))
        pair.run(.seconds(4))
        #expect(pair.states == [.up, .up])
        #expect(pair.ends[0].report == TrackerReport(.good, "up"))
    }

    @Test func `two passive ends say nothing`() {
        var pair = Pair(configuration(passive: true), configuration(passive: true))
        pair.run(.seconds(4))
        #expect(pair.states == [.down, .down])
        #expect(pair.sent.map(\.count) == [0, 0])
    }

    @Test func `a cut path is down after the neighbor's multiplier times the slower interval`() {
        var pair = Pair(
            configuration { ($0.transmit, $0.receive) = (.milliseconds(20), .milliseconds(40)) },
            configuration { ($0.transmit, $0.multiplier) = (.milliseconds(30), 3) })
        pair.run(.seconds(4))
        pair.isCut = [true, true]
        let cut = pair.now
        // The first end receives at 40 ms, three may be lost.
        pair.run(.milliseconds(79))
        #expect(pair.states[0] == .up)
        pair.run(.milliseconds(45))
        #expect(pair.states[0] == .down)
        #expect(pair.ends[0].diagnostic == .detectionTimeExpired)
        pair.run(.seconds(1))
        #expect(pair.states == [.down, .down])
        #expect(pair.now - cut > .seconds(1))
        pair.isCut = [false, false]
        pair.run(.seconds(4))
        #expect(pair.states == [.up, .up])
    }

    @Test func `an end that does not hear tells the other one`() {
        var pair = Pair(configuration(), configuration())
        pair.run(.seconds(4))
        pair.isCut = [true, false]
        pair.run(.milliseconds(200))
        #expect(pair.ends[1].diagnostic == .detectionTimeExpired)
        #expect(pair.states[0] != .up)
        #expect(pair.ends[0].diagnostic == .neighborSignalled)
    }

    @Test func `while down one packet a second is sent at most, jittered; while up as configured`() {
        var pair = Pair(configuration { $0.idleTransmit = .milliseconds(10) }, configuration())
        pair.isCut = [true, true]
        pair.run(.seconds(20))
        #expect((20...28).contains(pair.sent[0].count))
        pair.isCut = [false, false]
        pair.run(.seconds(4))
        let before = pair.sent[0].count
        pair.run(.seconds(1))
        #expect((100...135).contains(pair.sent[0].count - before))
    }

    @Test func `a neighbor is not sent more than it can take, and a change of its interval is followed`() {
        var pair = Pair(configuration(), configuration { $0.receive = .milliseconds(250) })
        pair.run(.seconds(4))
        let before = pair.sent[0].count
        pair.run(.seconds(5))
        #expect((20...27).contains(pair.sent[0].count - before))
        #expect(pair.states == [.up, .up])
    }

    @Test func `a poll is answered at once, and coming up is confirmed by one`() {
        var pair = Pair(configuration(), configuration())
        pair.run(.seconds(4))
        #expect(pair.sent[0].contains { $0.packet.isPoll } && pair.sent[1].contains { $0.packet.isFinal })
        #expect(pair.sent[0].allSatisfy { !($0.packet.isPoll && $0.packet.isFinal) })
        let last = pair.sent[0].last?.packet
        #expect(last?.isPoll == false, "the poll has ended")
    }

    @Test func `an end that goes says so, and the other one is down with that reason`() {
        var pair = Pair(configuration(), configuration())
        pair.run(.seconds(4))
        guard let goodbye = pair.ends[0].end() else {
            Issue.record("nothing is said")
            return
        }
        #expect(goodbye.state == .adminDown)
        _ = pair.ends[1].received(goodbye, at: pair.now)
        #expect(pair.states[1] == .down)
        #expect(pair.ends[1].diagnostic == .neighborSignalled)
    }

    @Test func `a session that begins says nothing about its neighbor for five packets, then that it is down`() {
        var pair = Pair(configuration { $0.idleTransmit = .seconds(2) }, configuration())
        pair.isCut = [true, true]
        pair.run(.milliseconds(9999))
        #expect(pair.ends.map(\.verdict) == [.unknown, .failed])
        #expect(pair.ends[0].report == TrackerReport(.failed, "down, never up yet"))
        pair.run(.milliseconds(1))
        #expect(pair.ends[0].verdict == .failed)
        pair.isCut = [false, false]
        pair.run(.seconds(6))
        #expect(pair.ends.map(\.verdict) == [.good, .good])
        // Up once, it is believed at once.
        pair.isCut = [true, true]
        pair.run(.milliseconds(60))
        #expect(pair.ends.map(\.verdict) == [.failed, .failed])
    }

    @Test func `a session that comes up at once and is cut at once is not excused`() {
        var pair = Pair(configuration(), configuration())
        pair.run(.milliseconds(1500))
        #expect(pair.ends.map(\.verdict) == [.good, .good])
        pair.isCut = [true, true]
        pair.run(.milliseconds(60))
        #expect(pair.ends.map(\.verdict) == [.failed, .failed])
    }

    @Test(arguments: [false, true])
    func `the pause of this host is no fault of the neighbor`(_ isDeadAfter: Bool) {
        var pair = Pair(configuration(), configuration())
        pair.run(.seconds(4))
        pair.paused = 0
        pair.run(.seconds(1))
        #expect(pair.ends[1].verdict == .failed)
        pair.paused = nil
        if isDeadAfter { pair.isCut = [true, true] }
        pair.run(.zero)
        // What waited says that the neighbor has given up.
        #expect(pair.states[0] != .up && pair.ends[0].diagnostic == .neighborSignalled)
        #expect(pair.ends[0].verdict == .unknown)
        pair.run(.milliseconds(4950))
        #expect(pair.ends[0].verdict == (isDeadAfter ? .unknown : .good))
        pair.run(.milliseconds(60))
        #expect(pair.ends[0].verdict == (isDeadAfter ? .failed : .good))
    }

    @Test(arguments: [false, true])
    func `an end to which nothing was sent for long is not excused when it wants packets again`(_ isDemand: Bool) {
        var pair = Pair(configuration(), configuration())
        pair.run(.seconds(4))
        guard var packet = pair.sent[1].last?.packet else {
            Issue.record("nothing is sent")
            return
        }
        // It wants none for ten seconds, or asks for demand mode.
        (packet.isDemand, packet.requiredReceive) = (isDemand, isDemand ? packet.requiredReceive : 0)
        for _ in 0..<1000 {
            pair.now = pair.now + .milliseconds(10)
            _ = pair.ends[0].received(packet, at: pair.now)
            if let deadline = pair.ends[0].deadline, deadline <= pair.now { _ = pair.ends[0].due(at: pair.now) }
        }
        (packet.isDemand, packet.requiredReceive) = (false, 10_000)
        _ = pair.ends[0].received(packet, at: pair.now)
        _ = pair.ends[0].due(at: pair.now)
        #expect(pair.ends[0].verdict == .good)
        for _ in 0..<20 {
            pair.now = pair.now + .milliseconds(5)
            if let deadline = pair.ends[0].deadline, deadline <= pair.now { _ = pair.ends[0].due(at: pair.now) }
        }
        #expect(pair.ends[0].state == .down && pair.ends[0].verdict == .failed)
    }

    @Test func `a timer that is a little late excuses nothing`() {
        var pair = Pair(configuration(), configuration())
        pair.run(.seconds(4))
        pair.paused = 0
        pair.run(.milliseconds(30))
        pair.paused = nil
        pair.isCut = [true, true]
        pair.run(.milliseconds(60))
        #expect(pair.ends[0].verdict == .failed)
    }

    @Test func `a session goes on under a block that the neighbor cannot tell from its own`() {
        var pair = Pair(configuration(), configuration())
        pair.run(.seconds(4))
        let renamed = configuration { ($0.name, $0.weight, $0.tellsInstances) = ("c", -7, false) }
        #expect(renamed.isSameSession(as: configuration()))
        #expect(!configuration { $0.multiplier = 3 }.isSameSession(as: configuration()))
        pair.ends[0].adopt(renamed)
        pair.run(.seconds(1))
        #expect(pair.states == [.up, .up] && pair.ends[0].configuration == renamed)
    }

    @Test func `a packet of another session is not for this one`() {
        var session = BFDSession(configuration(), discriminator: 11, seed: 1, at: .zero)
        var packet = BFDPacket(
            state: .initialize, multiplier: 3, mine: 5, yours: 12, desiredTransmit: 10_000, requiredReceive: 10_000)
        #expect(session.received(packet, at: .zero).isEmpty)
        #expect(session.state == .down)
        packet.yours = 11
        _ = session.received(packet, at: .zero)
        #expect(session.state == .up)
    }

    @Test func `a neighbor in demand mode hears nothing while all is well`() {
        var session = BFDSession(configuration(), discriminator: 11, seed: 1, at: .zero)
        var packet = BFDPacket(
            state: .up, multiplier: 3, mine: 5, yours: 11, desiredTransmit: 10_000_000, requiredReceive: 10_000)
        packet.state = .initialize
        _ = session.received(packet, at: .zero)
        (packet.state, packet.isDemand, packet.isFinal) = (.up, true, true)
        _ = session.received(packet, at: .zero)
        #expect(session.deadline == .zero + .seconds(30), "only its silence is waited for")
    }

    @Test func `a third of all packets may be lost, then two healed ends are up again`() {
        for seed in 0..<50 {
            var pair = Pair(configuration(), configuration(passive: seed % 2 == 0))
            pair.random = SplitMix(seed: UInt64(seed))
            pair.lossPercent = 33
            pair.run(.seconds(10))
            pair.lossPercent = 0
            pair.run(.seconds(5))
            #expect(pair.states == [.up, .up], "seed \(seed)")
        }
    }

    @Test func `the TTL tells how far a packet has come`() {
        let single = configuration()
        #expect(single.accepts(timeToLive: 255) && !single.accepts(timeToLive: 254) && !single.accepts(timeToLive: -1))
        let three = configuration { $0.maximumHops = 3 }
        #expect(three.accepts(timeToLive: 252) && !three.accepts(timeToLive: 251))
        #expect(configuration { $0.maximumHops = nil }.accepts(timeToLive: 1))
    }
}
