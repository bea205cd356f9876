// Answers pings to one address as badly as a test wants, where the kernel is told not to (net.ipv4.icmp_echo_ignore_all).
import Glibc
import Net
import Platform

/// One address that is pinged.
final class EchoResponder {
    private static let headerLength = 20

    private let socket: FileDescriptor
    private var watch: Watch?

    /// `answer` makes ICMP messages from the reply that would be right; their checksums are filled in.
    init(_ address: String, on host: Host, loop: EventLoop, answer: @escaping (_ right: [UInt8]) -> [[UInt8]]) throws {
        let raw = Int32(SOCK_RAW.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        socket = FileDescriptor(
            owning: try host.inside { try Errno.check(Glibc.socket(AF_INET, raw, Int32(IPPROTO_ICMP)), "socket") })
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = (IPv4Address(address) ?? .any).rawValue.bigEndian
        let result = withUnsafePointer(to: name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket.number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try Errno.check(result, "bind")
        watch = try loop.watch(socket.number, .read) { [weak self] _ in self?.receive(answer) }
    }

    private func receive(_ answer: ([UInt8]) -> [[UInt8]]) {
        var packet = [UInt8](repeating: 0, count: 2048)
        var from = sockaddr_storage()
        while true {
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let count = withUnsafeMutablePointer(to: &from) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    recvfrom(socket.number, &packet, packet.count, 0, $0, &length)
                }
            }
            guard count > Self.headerLength else { return }
            let message = Array(packet[Self.headerLength..<count])
            // Echo requests alone.
            guard message[0] == 8 else { continue }
            for var reply in answer([0] + message[1...]) {
                (reply[2], reply[3]) = (0, 0)
                let sum = InternetChecksum.of(reply)
                (reply[2], reply[3]) = (UInt8(sum >> 8), UInt8(sum & 0xFF))
                _ = withUnsafePointer(to: from) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        sendto(socket.number, reply, reply.count, 0, $0, length)
                    }
                }
            }
        }
    }
}
