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
        let at: Instant
        let source: String
        let virtualRouterID: UInt8
        let priority: UInt8
        let checksum: ChecksumForm
    }

    /// Every advertisement so far.
    private(set) var heard: [Heard] = []
    private let receiver: FileDescriptor
    private let sender: FileDescriptor
    private var watch: Watch?
    private var buffer = [UInt8](repeating: 0, count: 2048)

    init(on host: Host, loop: EventLoop) throws {
        let (receiving, sending) = try host.inside {
            let index = Int32(if_nametoindex("eth0"))
            return (
                try Errno.check(ek_vrrp_receiver("eth0", index, Advertisement.group4.rawValue), "receiver"),
                try Errno.check(ek_vrrp_sender("eth0", index), "sender")
            )
        }
        receiver = FileDescriptor(owning: receiving)
        sender = FileDescriptor(owning: sending)
        watch = try loop.watch(receiver.number, .read) { [weak self] _ in self?.receive(at: loop.refreshNow()) }
    }

    /// The last advertisement of a router.
    func last(from host: Host) -> Heard? { heard.last { $0.source == host.address } }

    /// Sends a packet as it is.
    func send(_ packet: [UInt8]) throws(Errno) {
        try Errno.check(ek_vrrp_send(sender.number, packet, packet.count, Advertisement.group4.rawValue), "sendto")
    }

    private func receive(at now: Instant) {
        while true {
            let count = buffer.withUnsafeMutableBytes {
                ek_vrrp_receive(receiver.number, $0.baseAddress, $0.count)
            }
            guard count > 0 else { return }
            guard let packet = try? ReceivedAdvertisement(packet: buffer[..<count]) else { continue }
            heard.append(
                Heard(
                    at: now, source: "\(packet.source)", virtualRouterID: packet.advertisement.virtualRouterID,
                    priority: packet.advertisement.priority, checksum: packet.checksum))
        }
    }
}
