// BFD_CHECK under attack: packets that are none, links that flap while reloads rename the session, and processes that are killed or stopped
// at the wrong moment.

import Bus
import Glibc
import Net
import Platform
import Testing

extension BFDCheckTests {
    private func startNeighbor() throws -> Router {
        let neighbor = try neighbor()
        try neighbor.start()
        return neighbor
    }

    private func reload(_ text: String, _ vrrpd: Program) throws {
        try room.configure(text)
        for program in [vrrpd, room.checkd] { program?.signal(SIGHUP) }
    }

    /// A socket of host b that sends to host a's BFD port, from one of b's addresses and with a TTL.
    private func attacker(from address: String, timeToLive: Int32) throws -> FileDescriptor {
        let number = try segment.hosts[1].inside {
            try Errno.check(
                Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0), "socket")
        }
        let socket = FileDescriptor(owning: number)
        var timeToLive = timeToLive
        try Errno.check(
            setsockopt(number, Int32(IPPROTO_IP), IP_TTL, &timeToLive, socklen_t(MemoryLayout<Int32>.size)),
            "setsockopt")
        func call(_ address: String, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = port.bigEndian
            inet_pton(AF_INET, address, &name.sin_addr)
            return withUnsafePointer(to: &name) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
        try Errno.check(call(address, 0) { bind(number, $0, $1) }, "bind")
        try Errno.check(call(segment.hosts[0].address, 3784) { connect(number, $0, $1) }, "connect")
        return socket
    }

    /// Packets that must change nothing: of every length, of all kinds that RFC 5880 §6.8.6 discards, and such as name a session that is not there.
    private static func wrongPackets(using generator: inout some RandomNumberGenerator) -> [[UInt8]] {
        // Version 1, "down", multiplier 3, 24 octets.
        let down: [UInt8] = [
            0x20, 0x40, 3, 24, 0, 0, 0, 9, 1, 2, 3, 4, 0, 0x0F, 0x42, 0x40, 0, 0x0F, 0x42, 0x40, 0, 0, 0, 0,
        ]
        var packets = (0...300).map { count in (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) } }
        packets += (0..<24).map { Array(down.prefix($0)) }
        for state in [UInt8(0x00), 0x40, 0x80, 0xC0] {
            for flags in UInt8(0)..<64 {
                var packet = down
                packet[1] = state | flags
                packets.append(packet)
            }
        }
        // With the right bits and no session of that number.
        for index in packets.indices where packets[index].count >= 12 { packets[index][8] |= 1 }
        return packets
    }

    @Test func `packets that are none, or come from elsewhere or too far, change nothing`() throws {
        try segment.ip(["-n", segment.hosts[1].namespace, "addr", "add", "10.77.0.99/24", "dev", "eth0"])
        let neighbor = try startNeighbor()
        try room.start(configuration())
        let vrrpd = try startVrrpd()
        defer { vrrpd.signal(SIGKILL) }
        _ = try room.becomes(server, .up)
        try sessionBecomes("good")
        let before = tap.states(of: "web")
        var generator = SystemRandomNumberGenerator()
        // Who says "down" and names nobody would be the neighbor, but for the address and the TTL.
        var anonymous = [UInt8]([0x20, 0x40, 3, 24, 0, 0, 0, 9] + Array(repeating: 0, count: 16))
        anonymous[13] = 0x0F
        for (address, timeToLive, packets) in [
            (segment.hosts[1].address, 255, []), (segment.hosts[1].address, 254, [anonymous]),
            ("10.77.0.99", 255, [anonymous]),
        ] as [(String, Int32, [[UInt8]])] {
            let socket = try attacker(from: address, timeToLive: timeToLive)
            for packet in Self.wrongPackets(using: &generator) + packets {
                _ = packet.withUnsafeBytes { send(socket.number, $0.baseAddress, $0.count, 0) }
                try room.loop.turn(timeoutMilliseconds: 0)
            }
            try segment.observe(for: .milliseconds(300))
        }
        #expect(tap.states(of: "web") == before)
        #expect(tap.states(of: server).last == "up")
        #expect(vrrpd.exit == nil)
        withExtendedLifetime(neighbor) {}
    }

    @Test func `a link that flaps while reloads rename the session ends with the right verdict`() throws {
        let neighbor = try startNeighbor()
        try room.start(configuration())
        let vrrpd = try startVrrpd()
        defer { vrrpd.signal(SIGKILL) }
        _ = try room.becomes(server, .up)
        var generator = SystemRandomNumberGenerator()
        for round in 1...8 {
            try segment.cable(segment.hosts[1], in: false)
            try segment.observe(for: .milliseconds(.random(in: 0...400, using: &generator)))
            try reload(configuration("web\(round)"), vrrpd)
            try segment.observe(for: .milliseconds(.random(in: 0...200, using: &generator)))
            try segment.cable(segment.hosts[1], in: true)
            try segment.observe(for: .milliseconds(.random(in: 0...1200, using: &generator)))
        }
        try sessionBecomes("good", "web8")
        _ = try room.becomes(server, .up)
        #expect(tap.standing(EventType.vrrpSession).keys.sorted() == ["web8"])
        try segment.cable(segment.hosts[1], in: false)
        _ = try room.becomes(server, .down)
        try segment.cable(segment.hosts[1], in: true)
        _ = try room.becomes(server, .up)
        #expect(alarm == nil && vrrpd.exit == nil && neighbor.exit == nil)
    }

    @Test func `a checkd that is stopped or killed meanwhile has the right verdict after`() throws {
        let neighbor = try startNeighbor()
        try room.start(configuration())
        let vrrpd = try startVrrpd()
        defer { vrrpd.signal(SIGKILL) }
        _ = try room.becomes(server, .up)
        room.checkd?.signal(SIGSTOP)
        try segment.cable(segment.hosts[1], in: false)
        try sessionBecomes("failed")
        room.checkd?.signal(SIGCONT)
        _ = try room.becomes(server, .down)
        try room.end(SIGKILL)
        try room.restart()
        #expect(try room.list()[server]?.state == .down)
        try segment.cable(segment.hosts[1], in: true)
        _ = try room.becomes(server, .up)
        // Down and up again while nobody looks.
        room.checkd?.signal(SIGSTOP)
        try segment.cable(segment.hosts[1], in: false)
        try sessionBecomes("failed")
        try segment.cable(segment.hosts[1], in: true)
        try sessionBecomes("good")
        room.checkd?.signal(SIGCONT)
        _ = try room.becomes(server, .up)
        try segment.observe(for: .seconds(1))
        #expect(try room.list()[server]?.state == .up)
        withExtendedLifetime(neighbor) {}
    }

    @Test func `a session that vrrpd alone has lost by a reload moves no verdict`() throws {
        let neighbor = try startNeighbor()
        try room.start(configuration())
        let vrrpd = try startVrrpd()
        defer { vrrpd.signal(SIGKILL) }
        _ = try room.becomes(server, .up)
        // checkd is not told.
        try room.configure(configuration("other"))
        vrrpd.signal(SIGHUP)
        try sessionBecomes(nil)
        try room.eventually("it is said") { alarm?.contains("vrrpd has no BFD session web") == true }
        #expect(try room.list()[server]?.state == .up)
        room.checkd?.signal(SIGHUP)
        try room.eventually("the alarm ends") { alarm == nil }
        #expect(try room.list()[server]?.state == .up)
        withExtendedLifetime(neighbor) {}
    }

    @Test(.enabled(if: hasFRR), arguments: [false, true])
    func `FRR that is killed and begins anew is followed, whoever of the two is passive`(_ isPassive: Bool) throws {
        let words = isPassive ? "multiplier 3\n passive" : "multiplier 3"
        try room.start(configuration().replacing("multiplier 3", with: words))
        let vrrpd = try startVrrpd()
        defer { vrrpd.signal(SIGKILL) }
        for _ in 0..<2 {
            let frr = try segment.startFRR(on: segment.hosts[1], peer: segment.hosts[0], passive: !isPassive)
            _ = try room.becomes(server, .up)
            try end(frr, SIGKILL)
            _ = try room.becomes(server, .down)
        }
        let frr = try segment.startFRR(on: segment.hosts[1], peer: segment.hosts[0], passive: !isPassive)
        _ = try room.becomes(server, .up)
        // Its end is a goodbye.
        try end(frr, SIGTERM)
        _ = try room.becomes(server, .down)
        #expect(alarm == nil)
    }
}
