// What is on the wire: a socket on a host that hears every advertisement of the group, and one that sends anything.

import CLinux
import Glibc
import Net
import Platform
import VRRP

/// Listens to and speaks on the segment as a host of its own.
final class Wire {
    /// An advertisement as heard.
    struct Heard {
        /// When the kernel took it off the interface.
        let at: Instant
        let source: String
        let virtualRouterID: UInt8
        let priority: UInt8
        let checksum: ChecksumForm
        /// The whole packet.
        let packet: [UInt8]
    }

    /// Every advertisement so far.
    private(set) var heard: [Heard] = []
    private let receiver: FileDescriptor
    private let sender: FileDescriptor
    private let group: ek_ip
    private let index: Int32
    private var watch: Watch?
    private var slots = [UInt8](repeating: 0, count: Int(EK_VRRP_SLOT * EK_VRRP_SLOTS))
    private var lengths = [UInt32](repeating: 0, count: Int(EK_VRRP_SLOTS))
    private var arrivals = [Int64](repeating: 0, count: Int(EK_VRRP_SLOTS))

    /// Hears the group of a family on eth0.
    init(on host: Host, loop: EventLoop, family: AddressFamily = .inet) throws {
        let (group4, group6) = (Advertisement.group4, Advertisement.group6)
        let group =
            family == .inet
            ? ek_ip(high: 0, low: UInt64(group4.rawValue), is_ipv6: 0)
            : ek_ip(high: group6.high, low: group6.low, is_ipv6: 1)
        let everybody = ek_vrids(words: (.max, .max, .max, .max, .max, .max, .max, .max))
        let (index, receiving, sending) = try host.inside {
            let index = Int32(if_nametoindex("eth0"))
            return (
                index,
                try Errno.check(ek_vrrp_receiver("eth0", index, group, 0, everybody), "receiver"),
                try Errno.check(ek_vrrp_sender("eth0", index, group.is_ipv6), "sender")
            )
        }
        self.group = group
        self.index = index
        receiver = FileDescriptor(owning: receiving)
        sender = FileDescriptor(owning: sending)
        watch = try loop.watch(receiver.number, .read) { [weak self] _ in self?.receive() }
    }

    /// The last advertisement of a router.
    func last(from host: Host) -> Heard? { heard.last { $0.source == host.address } }

    /// Sends a packet as it is.
    func send(_ packet: [UInt8]) throws(Errno) {
        try Errno.check(ek_vrrp_send(sender.number, packet, packet.count, group, index), "sendto")
    }

    private func receive() {
        while true {
            let count = Int(ek_vrrp_receive(receiver.number, group.is_ipv6, &slots, &lengths, &arrivals))
            guard count > 0 else { return }
            for slot in 0..<count {
                let octets = slots[(slot * Int(EK_VRRP_SLOT))...].prefix(Int(lengths[slot]))
                guard let packet = try? ReceivedAdvertisement(packet: octets) else { continue }
                heard.append(
                    Heard(
                        at: Instant(nanoseconds: arrivals[slot]), source: "\(packet.source)",
                        virtualRouterID: packet.advertisement.virtualRouterID, priority: packet.advertisement.priority,
                        checksum: packet.checksum, packet: Array(octets)))
            }
        }
    }
}
