// What was on the wire and when: tcpdump's file, whose times the kernel took when the packet passed (nanoseconds).
import Platform

/// A VRRP advertisement or an ARP packet that was seen.
struct SeenPacket {
    enum Kind { case advertisement, announcement }
    var kind: Kind
    /// Seconds since the epoch, relative to the capture's first day to keep nanoseconds exact.
    var time: Double
    /// Sender's IPv4 address: of the packet, or in the ARP body.
    var source: [UInt8]
    /// The advertised priority; 0 for announcements.
    var priority: UInt8
}

/// A running capture of VRRP and ARP on one interface.
final class Capture {
    private let path: String
    private let program: Program

    init(interface: String, namespace: String, path: String) throws {
        self.path = path
        program = try Program(
            [
                "tcpdump", "-i", interface, "-w", path, "-U", "--immediate-mode", "--time-stamp-precision=nano", "-s",
                "128",
                "-Z", "root", "ip proto 112 or arp",
            ], namespace: namespace)
        // The file's header is there once the capture runs.
        try eventually("tcpdump captures", within: 10) {
            (try? FileSystem.contents(of: path, limit: 1 << 28))??.count ?? 0 >= 24
        }
    }

    /// Everything seen so far, in order.
    func packets() throws -> [SeenPacket] {
        let bytes = try FileSystem.contents(of: path, limit: 1 << 28) ?? []
        var found: [SeenPacket] = []
        var offset = 24
        while offset + 16 <= bytes.count {
            let length = Int(word(bytes, offset + 8))
            guard offset + 16 + length <= bytes.count else { break }
            let time = Double(word(bytes, offset) % 1_000_000) + Double(word(bytes, offset + 4)) / 1e9
            if let packet = Self.packet(Array(bytes[offset + 16..<offset + 16 + length]), time) { found.append(packet) }
            offset += 16 + length
        }
        return found
    }

    /// Little-endian, as this machine writes its own captures.
    private func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) }
    }

    private static func packet(_ frame: [UInt8], _ time: Double) -> SeenPacket? {
        guard frame.count >= 42 else { return nil }
        switch (frame[12], frame[13]) {
        case (0x08, 0x00) where frame[23] == 112:
            let header = 14 + Int(frame[14] & 0x0F) * 4
            guard frame.count > header + 2 else { return nil }
            return SeenPacket(
                kind: .advertisement, time: time, source: Array(frame[26..<30]), priority: frame[header + 2])
        case (0x08, 0x06):
            return SeenPacket(kind: .announcement, time: time, source: Array(frame[28..<32]), priority: 0)
        default:
            return nil
        }
    }
}
