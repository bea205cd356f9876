// The raw sockets of one interface and one group (or one unicast source), shared by all virtual routers there: one to
// receive, bound to device and destination and with a filter for these routers, one to send packets whose header we write.

import CLinux
import Net
import Platform
import VRRP

/// Where packets are read into, for all sockets: allocated once.
final class PacketSlots {
    fileprivate var octets = [UInt8](repeating: 0, count: Int(EK_VRRP_SLOT * EK_VRRP_SLOTS))
    fileprivate var lengths = [UInt32](repeating: 0, count: Int(EK_VRRP_SLOTS))
    fileprivate var arrivals = [Int64](repeating: 0, count: Int(EK_VRRP_SLOTS))
}

/// A pair of VRRP sockets.
final class AdvertisementSocket {
    /// Packets per `drain`: a flood cannot keep a timer from firing.
    private static let burst = 256

    private let receiver: FileDescriptor
    private let sender: FileDescriptor
    private let isIPv6: Bool
    private let isSigned: Bool
    private let link: Int32
    private let slots: PacketSlots
    private var watch: Watch?

    /// Opens the pair; `arrived` is called when packets wait.
    init(
        _ key: ChannelKey, interface: String?, for routers: VirtualRouterIDs, buffer: Int?, slots: PacketSlots,
        on loop: EventLoop, arrived: @escaping () -> Void
    ) throws(Errno) {
        link = key.link ?? 0
        isIPv6 = key.local.family == .inet6
        isSigned = key.isSigned
        self.slots = slots
        receiver = FileDescriptor(
            owning: try Errno.check(
                ek_vrrp_receiver(interface, link, ek_ip(key.local), key.isSigned ? 1 : 0, ek_vrids(routers)),
                "socket(VRRP receiver)"))
        sender = FileDescriptor(
            owning: try Errno.check(ek_vrrp_sender(interface, link, isIPv6 ? 1 : 0), "socket(VRRP sender)"))
        try setBuffer(buffer)
        watch = try loop.watch(receiver.number, .read) { _ in arrived() }
    }

    /// Receives packets for these routers only from now on.
    func filter(_ routers: VirtualRouterIDs) throws(Errno) {
        try Errno.check(
            ek_vrrp_filter(receiver.number, isIPv6 ? 1 : 0, isSigned ? 1 : 0, ek_vrids(routers)),
            "setsockopt(SO_ATTACH_FILTER)")
    }

    /// 255 routers share a socket, and a packet counts as up to 2304 octets: room for one late turn of all of them, twice over.
    private static let buffer = 1 << 20

    /// Packets may wait in so many octets; nil: our own choice.
    func setBuffer(_ octets: Int?) throws(Errno) {
        try Errno.check(
            ek_vrrp_buffer(receiver.number, Int32(clamping: octets ?? Self.buffer)), "setsockopt(SO_RCVBUF)")
    }

    /// Hands over the packets that wait, as many at a time as one system call reads; the last of those is marked.
    /// - Returns: false when more may wait.
    func drain(_ body: (_ packet: ArraySlice<UInt8>, _ arrived: Instant?, _ isLast: Bool) -> Void) -> Bool {
        var handled = 0
        while handled < Self.burst {
            let count = Int(
                ek_vrrp_receive(
                    receiver.number, isIPv6 ? 1 : 0, &slots.octets, &slots.lengths, &slots.arrivals))
            guard count > 0 else { return true }
            for slot in 0..<count {
                let start = slot * Int(EK_VRRP_SLOT)
                let arrival = slots.arrivals[slot]
                body(
                    slots.octets[start..<start + Int(slots.lengths[slot])],
                    arrival == 0 ? nil : Instant(nanoseconds: arrival), slot == count - 1)
            }
            guard count == Int(EK_VRRP_SLOTS) else { return true }
            handled += count
        }
        return false
    }

    /// Sends a whole IP packet.
    func send(_ packet: [UInt8], to destination: IPAddress) throws(Errno) {
        try Errno.check(
            ek_vrrp_send(sender.number, packet, packet.count, ek_ip(destination), link), "sendto(VRRP advertisement)")
    }
}

extension ek_ip {
    /// An address for the calls of ek_vrrp.h.
    init(_ address: IPAddress) {
        switch address {
        case .v4(let address): self.init(high: 0, low: UInt64(address.rawValue), is_ipv6: 0)
        case .v6(let address): self.init(high: address.high, low: address.low, is_ipv6: 1)
        }
    }
}

extension ek_vrids {
    /// A set for the calls of ek_vrrp.h.
    init(_ routers: VirtualRouterIDs) {
        self.init()
        withUnsafeMutableBytes(of: &words) { words in
            for (index, word) in routers.words.enumerated() {
                words.storeBytes(of: word, toByteOffset: 4 * index, as: UInt32.self)
            }
        }
    }
}

/// The socket for gratuitous ARP, one for all interfaces.
struct FrameSocket: ~Copyable {
    private let descriptor: FileDescriptor

    /// Opens it; needs CAP_NET_RAW.
    init() throws(Errno) {
        descriptor = FileDescriptor(owning: try Errno.check(ek_frame_sender(), "socket(AF_PACKET)"))
    }

    /// Sends whole Ethernet frames of one length, many with a system call. One that cannot be sent is left out and reported.
    func send(_ frames: [UInt8], count: Int, through link: Int32) throws(Errno) {
        try Errno.check(
            ek_frames_send(descriptor.number, link, frames, frames.count / count, UInt32(count)),
            "sendmmsg(gratuitous ARP)")
    }
}
