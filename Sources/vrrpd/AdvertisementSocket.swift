// The raw sockets of one interface and one group (or one unicast source), shared by all virtual routers there: one to
// receive, bound to device and destination, one to send packets whose header we write. Buffers are allocated once.

import CLinux
import Net
import Platform
import VRRP

/// A pair of VRRP sockets.
final class AdvertisementSocket {
    /// Longest packet: 20 + 40 octets of header and options, 8 + 255 × 4 + 8 of message.
    private static let capacity = 2048
    /// Packets per `drain`: a flood cannot keep a timer from firing.
    private static let burst = 256

    private let receiver: FileDescriptor
    private let sender: FileDescriptor
    private var watch: Watch?
    private var buffer = [UInt8](repeating: 0, count: AdvertisementSocket.capacity)

    /// Opens the pair; `arrived` is called when packets wait.
    init(
        _ key: ChannelKey, interface: String?, on loop: EventLoop, arrived: @escaping () -> Void
    ) throws(Errno) {
        let index = key.link ?? 0
        receiver = FileDescriptor(
            owning: try Errno.check(ek_vrrp_receiver(interface, index, key.local.rawValue), "socket(VRRP receiver)"))
        sender = FileDescriptor(owning: try Errno.check(ek_vrrp_sender(interface, index), "socket(VRRP sender)"))
        watch = try loop.watch(receiver.number, .read) { _ in arrived() }
    }

    /// Hands over the packets that wait.
    func drain(_ body: (ArraySlice<UInt8>) -> Void) {
        for _ in 0..<Self.burst {
            let received = buffer.withUnsafeMutableBytes {
                ek_vrrp_receive(receiver.number, $0.baseAddress, $0.count)
            }
            guard received > 0 else { return }
            body(buffer[..<received])
        }
    }

    /// Sends a whole IPv4 packet.
    func send(_ packet: [UInt8], to destination: IPv4Address) throws(Errno) {
        try Errno.check(
            ek_vrrp_send(sender.number, packet, packet.count, destination.rawValue), "sendto(VRRP advertisement)")
    }
}

/// The socket for gratuitous ARP, one for all interfaces.
struct FrameSocket: ~Copyable {
    private let descriptor: FileDescriptor

    /// Opens it; needs CAP_NET_RAW.
    init() throws(Errno) {
        descriptor = FileDescriptor(owning: try Errno.check(ek_frame_sender(), "socket(AF_PACKET)"))
    }

    /// Sends a whole Ethernet frame.
    func send(_ frame: [UInt8], through link: Int32) throws(Errno) {
        try Errno.check(ek_frame_send(descriptor.number, link, frame, frame.count), "sendto(gratuitous ARP)")
    }
}
