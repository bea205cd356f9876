// `auth_hmac`: octets that keepalived's draft and an independent HMAC give, what is refused and why, clocks that step, keys that change.
//
// The expected octets were computed with Python's hmac and hashlib; the first two are also the images in the appendix of keepalived's draft.

import Configuration
import Net
import Testing

@testable import VRRP
@testable import vrrpd

private let key = AuthenticationSecret(Array(0..<32))
private let other = AuthenticationSecret([UInt8](repeating: 0xC3, count: 64))
private let group = IPAddress.v4(Advertisement.group4)
private let peer = address("10.0.0.2")

private func octets(_ hex: String) -> [UInt8] {
    let digits = hex.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

private func rules(
    active: UInt8 = 1, window: Int = 5, _ antiReplay: AuthenticationHMACConfiguration.AntiReplay = .time,
    _ mode: AuthenticationHMACConfiguration.Mode = .enforce, keys: [UInt8: AuthenticationSecret] = [1: key]
) -> AuthenticationHMACConfiguration {
    AuthenticationHMACConfiguration(
        keys: keys.map { AuthenticationHMACConfiguration.Key(id: $0.key, secret: $0.value) }, activeKey: active,
        window: window, antiReplay: antiReplay, mode: mode)
}

private func signed(_ rules: AuthenticationHMACConfiguration = rules(), priority: UInt8 = 100)
    -> VRRPInstanceConfiguration
{
    var block = block(priority: priority)
    block.authenticationHMAC = rules
    return block
}

/// An advertisement of 10.0.0.2, signed at a time of the simulation, which begins at 1,790,000,000.
private func packet(
    at seconds: Int64, _ extra: Int64 = 0, priority: UInt8 = 200, id: UInt8 = 1, key: AuthenticationSecret = key,
    from source: IPAddress = peer, to destination: IPAddress = group, isSigned: Bool = true
) -> [UInt8] {
    var packet: [UInt8] = []
    Advertisement(
        version: .v3, virtualRouterID: 51, priority: priority, interval: .seconds(1), addresses: [address("10.0.0.100")]
    ).encodePacket(into: &packet, from: source, to: destination, checksum: .pseudoHeader)
    guard isSigned else { return packet }
    var sealer = TrailerSealer(KeyedSHA256.digest)
    let time = WallTime(nanoseconds: (1_790_000_000 + seconds) * 1_000_000_000 + extra)
    #expect(sealer.seal(&packet, TrailerSignature(keyID: id, key: key, sequence: TrailerSequence(time))))
    return packet
}

/// A host that hears what a test says.
private final class Listener {
    let network: SimulatedNetwork
    let host: ScriptedHost

    init(_ block: VRRPInstanceConfiguration, for time: Duration = .seconds(1)) {
        (network, host) = lone([block])
        host.start()
        network.run(time)
    }

    func hear(_ packet: [UInt8], to destination: IPAddress = group) {
        host.arrive(packet, to: destination, at: 2)
        network.run(.microseconds(10))
    }

    /// Seconds of the wall clock since the simulation's beginning, rounded down.
    var clock: Int64 { network.now.nanoseconds / 1_000_000_000 }
    var received: UInt64? { host.view()?.machine.statistics.received }
    func refused(_ reason: Reason) -> UInt64 { host.view()?.machine.statistics.refused[reason] ?? 0 }
}

@Suite struct AuthenticationTrailerTests {
    // MARK: Octets

    @Test(arguments: [
        (
            "3133c80100644402c0000264", "198.51.100.10", key, UInt8(1), UInt64(0x6800_0000_8000_0000),
            "0101000068000000800000001b84bc4e8e43892dc6d98448f8ee2265"
        ),
        (
            "3133c8010064a2e9fe800000000000000000000000000100", "fe80::10", key, 1, 0x6800_0000_8000_0000,
            "010100006800000080000000c8c56146ebfd66ee10ec4d8186461b78"
        ),
        (
            "210796020001342c0a0000640a0000650000000000000000", "10.0.0.2", other, 200, 0x6AB0_0000_1234_0003,
            "01c800006ab0000012340003b9237f83410c589669d50ad078c17851"
        ),
        (
            "3133c801006411720a000064", "10.0.0.2", key, 1, 0x6AB1_0000_0000_0001,
            "010100006ab1000000000001a56ad6e2ae8635dccc8c69abfb6004f1"
        ),
        (
            "3133c801006411720a000064", "10.0.0.2", key, 1, 0x6AB1_0000_0000_0001,
            "010100006ab100000000000198d1e298d249f2027073ee5cf3908c85"
        ),
    ])
    func `trailers of the draft, of version 2, and of the first release are right, and no octet may change`(
        message: String, source: String, key: AuthenticationSecret, id: UInt8, sequence: UInt64, trailer: String
    ) throws {
        let signed = octets(message + trailer)
        func isRight(_ octets: [UInt8], from source: String) throws -> Bool {
            var reader = ByteReader(octets.suffix(28))
            let trailer = try AuthenticationTrailer(reading: &reader)
            var sealer = TrailerSealer(KeyedSHA256.digest)
            return trailer.isWellFormed
                && sealer.verifies(trailer, of: octets[...], from: address(source), key: key)
        }
        #expect(try isRight(signed, from: source))
        var reader = ByteReader(signed.suffix(28))
        let read = try AuthenticationTrailer(reading: &reader)
        #expect((read.keyID, read.sequence.value) == (id, sequence))
        // The last vector has the checksum hashed.
        let isFirst = trailer.hasSuffix("908c85")
        for index in signed.indices {
            var changed = signed
            changed[index] ^= 0x10
            let isChecksum = (6...7).contains(index) && !isFirst
            #expect(try isRight(changed, from: source) == isChecksum, "octet \(index)")
        }
        #expect(try !isRight(signed, from: source == "fe80::10" ? "fe80::11" : "10.0.0.3"), "the source is bound")
    }

    @Test func `a sealed packet of either family has the right lengths and checksum`() throws {
        let plain = packet(at: 0, isSigned: false)
        let octets4 = packet(at: 0)
        #expect(octets4.count == 20 + 12 + 28)
        #expect(octets4[2..<4] == [0, 60])
        #expect(octets4[20..<32] == plain[20..<32], "the message and its checksum are those of an unsigned one")
        #expect(octets4[32..<36] == [1, 1, 0, 0])
        let received = try ReceivedAdvertisement(packet: octets4[...])
        #expect(received.checksum == .pseudoHeader)
        #expect(received.trailer?.sequence.seconds == 1_790_000_000)

        var octets6: [UInt8] = []
        Advertisement(
            version: .v3, virtualRouterID: 54, priority: 120, interval: .seconds(1), addresses: [address("fe80::36")]
        ).encodePacket(
            into: &octets6, from: address("fe80::2"), to: .v6(Advertisement.group6), checksum: .pseudoHeader)
        var sealer = TrailerSealer(KeyedSHA256.digest)
        let signature = TrailerSignature(keyID: 1, key: key, sequence: TrailerSequence(value: 0x6AB1_0000_0000_0001))
        #expect(sealer.seal(&octets6, signature))
        #expect(octets6[4..<6] == [0, 52])
        #expect(
            Array(octets6[40...])
                == octets(
                    "313678010064778dfe800000000000000000000000000036"
                        + "010100006ab1000000000001a4fe5d126144d62f2e2d11bd57cea4f2"))
        #expect(try ReceivedAdvertisement(packet: octets6[...]).trailer != nil)
        for octets in [octets4, octets6] {
            for count in octets.indices {
                #expect(throws: DecodeError.self) { try ReceivedAdvertisement(packet: octets[..<count]) }
            }
        }
        #expect(throws: DecodeError.self) {
            try ReceivedAdvertisement(
                message: octets4[20..<59], from: peer, to: group, timeToLive: 255)
        }
    }

    @Test func `without a digest nothing is sealed and nothing verified`() {
        var sealer = TrailerSealer { _, _, _ in false }
        var octets = packet(at: 0)
        #expect(!sealer.seal(&octets, TrailerSignature(keyID: 1, key: key, sequence: TrailerSequence(value: 1))))
    }

    // MARK: What is believed

    @Test func `each reason has its counter, and only what is right is heard`() {
        let listener = Listener(signed(rules(keys: [1: key, 9: other])))
        let now = listener.clock
        listener.hear(packet(at: now, isSigned: false))
        #expect(listener.refused(.unsigned) == 1)
        var malformed = packet(at: now)
        malformed[32] = 2
        listener.hear(malformed)
        #expect(listener.refused(.malformedTrailer) == 1)
        listener.hear(packet(at: now - 7))
        listener.hear(packet(at: now + 8))
        #expect(listener.refused(.stale) == 2)
        listener.hear(packet(at: now, id: 3))
        #expect(listener.refused(.unknownKey) == 1)
        listener.hear(packet(at: now, key: other))
        #expect(listener.refused(.wrongHMAC) == 1)
        #expect(listener.received == 0)
        listener.hear(packet(at: now))
        listener.hear(packet(at: now, 400_000_000, id: 9, key: other))
        #expect(listener.received == 2)
        for _ in 0..<2 { listener.hear(packet(at: now)) }
        listener.hear(packet(at: now, 400_000_000, id: 9, key: other))
        #expect(listener.refused(.replay) == 3)
        #expect(listener.received == 2)
        for _ in 0..<3 {
            listener.network.run(.seconds(1))
            listener.hear(packet(at: now))
        }
        #expect(listener.host.concerns().unheard?.address == peer, "three in a row are an alarm")
    }

    @Test func `a forged packet moves no mark: the next right one is heard`() {
        let listener = Listener(signed())
        listener.hear(packet(at: listener.clock))
        listener.hear(packet(at: listener.clock + 4, key: other))
        #expect(listener.refused(.wrongHMAC) == 1)
        listener.hear(packet(at: listener.clock, 500_000_000))
        #expect(listener.received == 2)
    }

    @Test func `four senders have places, the one that was silent longest gives way`() {
        var guardian = ReplayGuard()
        func accepts(_ last: UInt8, _ value: UInt64) -> Bool {
            let sender = IPAddress.v4(IPv4Address(10, 0, 0, last))
            return guardian.accepts(
                TrailerSequence(value: value), from: sender, limit: 4, isExpired: { _ in false })
        }
        for sender in 1...4 as ClosedRange<UInt8> { #expect(accepts(sender, 10)) }
        #expect(!accepts(1, 10))
        #expect(accepts(5, 10), "instead of the second")
        #expect(!accepts(1, 10))
        #expect(accepts(2, 10), "which is known no more")
        #expect(!accepts(4, 9))
        // Serial number arithmetic: over the wrap.
        #expect(accepts(4, 0x7FFF_FFFF_FFFF_FFFF))
        #expect(accepts(4, 0x8000_0000_0000_0001))
        #expect(!accepts(4, 0x7FFF_FFFF_FFFF_FFFF))
    }

    @Test func `unicast: only peers are heard, each with a number of its own`() {
        var block = signed()
        block.sourceAddress = address("10.0.0.1")
        block.delivery = .unicast(peers: [UnicastPeer(peer), UnicastPeer(address("10.0.0.3"))], timeToLive: 255)
        let listener = Listener(block)
        let own = address("10.0.0.1")
        func hear(_ source: String) {
            listener.hear(packet(at: listener.clock, from: address(source), to: own), to: own)
        }
        hear("10.0.0.2")
        hear("10.0.0.3")
        #expect(listener.received == 2)
        hear("10.0.0.2")
        #expect(listener.refused(.replay) == 1)
        hear("10.0.0.4")
        #expect(listener.refused(.source) == 1)
    }

    @Test func `permissive and receive-only hear what is not signed, and never what is signed wrongly`() {
        for mode in [AuthenticationHMACConfiguration.Mode.permissive, .receiveOnly] {
            let listener = Listener(signed(rules(.time, mode)))
            listener.hear(packet(at: 0, isSigned: false))
            listener.hear(packet(at: listener.clock))
            #expect(listener.received == 2)
            listener.hear(packet(at: listener.clock, 1, key: other))
            #expect(listener.received == 2)
            listener.network.run(.seconds(10))
            #expect(listener.host.state() == .master)
            let last = listener.host.packets.last.flatMap { try? ReceivedAdvertisement(packet: $0[...]) }
            #expect((last?.trailer != nil) == (mode == .permissive))
        }
        let plain = Listener(block())
        plain.hear(packet(at: plain.clock))
        #expect(plain.refused(.authentication) == 1)
    }

    @Test func `monotonic: the time does not matter, the order does`() {
        let listener = Listener(signed(rules(.monotonic)))
        listener.hear(packet(at: -5000))
        listener.hear(packet(at: -4000))
        #expect(listener.received == 2)
        listener.hear(packet(at: -4500))
        #expect(listener.refused(.replay) == 1)
    }

    // MARK: Between hosts of ours

    /// The numbers of what a host has sent.
    private func sequences(_ host: ScriptedHost) -> [TrailerSequence] {
        host.packets.compactMap { (try? ReceivedAdvertisement(packet: $0[...]))?.trailer?.sequence }
    }

    @Test func `keys are changed one host after the other without a lost master`() {
        let old = rules()
        let both = rules(keys: [1: key, 2: other])
        let new = rules(active: 2, keys: [1: key, 2: other])
        let last = rules(active: 2, keys: [2: other])
        let network = hosts([[signed(old, priority: 150)], [signed(old, priority: 100)]])
        for host in network.hosts { host.start() }
        network.run(.seconds(10))
        for host in network.hosts { host.forget() }
        for step in [both, new, last] {
            for (host, priority) in zip(network.hosts, [150, 100] as [UInt8]) {
                host.reload(Configuration(instances: [signed(step, priority: priority)]))
                network.run(.seconds(7))
                #expect(network.hosts.map { $0.state() } == [.master, .backup])
            }
        }
        for host in network.hosts {
            #expect(
                !host.remarks.contains { if case .transition = $0 { true } else { false } }, "nobody changed its state")
            #expect(host.view()?.machine.statistics.refused.isEmpty == true)
        }
        let last2 = network.hosts[0].packets.last.flatMap { try? ReceivedAdvertisement(packet: $0[...]) }
        #expect(last2?.trailer?.keyID == 2)
    }

    @Test func `a reload keeps what was heard: an old packet stays a replay`() {
        let listener = Listener(signed())
        let old = packet(at: listener.clock)
        listener.hear(old)
        listener.host.reload(Configuration(instances: [signed(rules(keys: [1: key, 2: other]))]))
        listener.hear(old)
        #expect(listener.refused(.replay) == 1)
    }

    @Test func `two reloaded at different times, crashes and a second master leave no stuck numbers`() {
        let network = hosts([[signed(priority: 150)], [signed(priority: 100)]])
        for host in network.hosts { host.start() }
        network.run(.seconds(10))
        let (master, backup) = (network.hosts[0], network.hosts[1])
        master.crash()
        network.run(.milliseconds(300))
        master.start()
        network.run(.seconds(10))
        #expect(network.hosts.map { $0.state() } == [.master, .backup])
        master.crash()
        network.run(.seconds(10))
        #expect(backup.state() == .master)
        master.start()
        network.run(.seconds(10))
        #expect(network.hosts.map { $0.state() } == [.master, .backup])
        let numbers = sequences(master)
        #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $1.isAfter($0) })
        for host in network.hosts { #expect(host.view()?.machine.statistics.refused.isEmpty == true) }
    }

    @Test(arguments: [0, 1], [-3, -3600, 3600, -30_000_000])
    func `a wall clock that steps on one host changes nothing`(stepping: Int, seconds: Int64) {
        let network = hosts([[signed(priority: 150)], [signed(priority: 100)]])
        for host in network.hosts { host.start() }
        network.run(.seconds(10))
        for host in network.hosts { host.forget() }
        network.hosts[stepping].clockError = seconds * 1_000_000_000
        network.run(.seconds(60))
        // A clock that goes ahead is believed until the others say otherwise: they become master for that.
        let isMasterAhead = stepping == 0 && seconds > 0
        #expect(network.hosts.map { $0.state() } == [.master, .backup])
        let changes = network.hosts[1].remarks.filter { if case .transition = $0 { true } else { false } }
        #expect(isMasterAhead ? changes.count <= 2 : changes.isEmpty)
        let numbers = sequences(network.hosts[0])
        #expect(!numbers.isEmpty)
        // And back again.
        network.hosts[stepping].clockError = 0
        network.run(.seconds(60))
        #expect(network.hosts.map { $0.state() } == [.master, .backup])
    }

    @Test(arguments: [-1, -3, -4])
    func `a clock set back and a restart: the next process goes on from the last number`(seconds: Int64) {
        let network = hosts([[signed(priority: 150)], [signed(priority: 100)]])
        for host in network.hosts { host.start() }
        network.run(.seconds(10))
        network.hosts[1].forget()
        network.hosts[0].crash()
        network.hosts[0].clockError = seconds * 1_000_000_000
        network.run(.milliseconds(300))
        network.hosts[0].start()
        network.run(.seconds(20))
        #expect(network.hosts.map { $0.state() } == [.master, .backup])
        #expect(!network.hosts[1].remarks.contains { if case .transition = $0 { true } else { false } })
        #expect(network.hosts[1].view()?.machine.statistics.refused.isEmpty == true)
    }

    @Test func `a host that starts with a wrong clock is heard as soon as it is right`() {
        let network = hosts([[signed(priority: 150)], [signed(priority: 100)]])
        network.hosts[0].clockError = -1_700_000_000_000_000_000
        for host in network.hosts { host.start() }
        network.run(.seconds(10))
        #expect(network.hosts.map { $0.state() } == [.master, .master], "nobody can know whose clock is right")
        #expect(network.hosts[0].concerns().rival != nil)
        network.hosts[0].clockError = 0
        network.run(.seconds(10))
        #expect(network.hosts.map { $0.state() } == [.master, .backup])
    }

    @Test func `a secret is never printed`() {
        let block = signed()
        var text = "\(block) \(String(reflecting: block)) \(RouterConfiguration(block, isGrouped: false))"
        dump(block, to: &text)
        dump(TrailerSignature(keyID: 1, key: key, sequence: TrailerSequence(value: 1)), to: &text)
        #expect(text.contains("(secret)"))
        #expect(!text.contains("17, 18, 19"))
        #expect(!text.contains("17\n"))
    }
}
