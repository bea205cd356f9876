// Echo requests to the virtual address at a steady rate, as a user of it would notice a gap.

import Glibc
import Net
import Platform

/// Pings from a host.
final class Pings {
    /// Of ICMP (RFC 792).
    private static let (request, reply): (UInt8, UInt8) = (8, 0)

    /// Sent so far, and the numbers of those that were answered.
    private(set) var sent: UInt16 = 0
    private var answered: Set<UInt16> = []
    private let socket: FileDescriptor
    private var watch: Watch?
    private var pulse: LoopTimer?

    /// Asks every 10 ms until released.
    init(_ address: String, from host: Host, loop: EventLoop) throws {
        let raw = Int32(SOCK_RAW.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        socket = FileDescriptor(
            owning: try host.inside { try Errno.check(Glibc.socket(AF_INET, raw, Int32(IPPROTO_ICMP)), "socket") })
        watch = try loop.watch(socket.number, .read) { [weak self] _ in self?.receive() }
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_addr.s_addr = (IPv4Address(address) ?? .any).rawValue.bigEndian
        pulse = loop.timer { [weak self] in
            self?.send(to: target)
            self?.pulse?.arm(after: .milliseconds(10))
        }
        pulse?.arm(after: .zero)
    }

    /// Those that nobody answered, once nothing more is to be expected.
    var lost: [UInt16] { (0..<sent).filter { !answered.contains($0) } }

    /// Sends no more.
    func pause() { pulse?.disarm() }

    private func send(to target: sockaddr_in) {
        var packet: [UInt8] = [Self.request, 0, 0, 0, 0x45, 0x4B, UInt8(sent >> 8), UInt8(sent & 0xFF)]
        var sum = stride(from: 0, to: packet.count, by: 2).reduce(0) { $0 + Int(packet[$1]) << 8 + Int(packet[$1 + 1]) }
        sum = ~(sum & 0xFFFF + sum >> 16)
        (packet[2], packet[3]) = (UInt8(sum >> 8 & 0xFF), UInt8(sum & 0xFF))
        sent += 1
        _ = withUnsafePointer(to: target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(socket.number, packet, packet.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    private func receive() {
        var packet = [UInt8](repeating: 0, count: 256)
        while case let count = read(socket.number, &packet, packet.count), count >= 28 {
            // After the IPv4 header, which has no options here.
            guard packet[20] == Self.reply, packet[24] == 0x45, packet[25] == 0x4B else { continue }
            answered.insert(UInt16(packet[26]) << 8 | UInt16(packet[27]))
        }
    }
}
