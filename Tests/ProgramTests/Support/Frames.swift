// Gratuitous ARP and unsolicited neighbour advertisements as a host on the segment, or the sender itself, sees them.

import Glibc
import Net
import Platform

/// Everything of a host's namespace that announces an address.
final class Frames {
    /// One announcement.
    struct Announcement {
        let at: Instant
        let address: IPAddress
        /// The hardware address that it names (ARP).
        let mac: MACAddress?
        /// The frame's source.
        let source: MACAddress?
        /// The flags of a neighbour advertisement: 0x80 router, 0x40 solicited, 0x20 override.
        let flags: UInt8
    }

    /// An advertisement of VRRP over IPv4.
    struct Spoken {
        let source: MACAddress?
        let address: IPAddress?
        let router: UInt8
    }

    /// Every advertisement so far.
    private(set) var advertisements: [Spoken] = []
    /// Every one so far.
    private(set) var announcements: [Announcement] = []
    private let socket: FileDescriptor
    private var watch: Watch?
    private var buffer = [UInt8](repeating: 0, count: 256)

    /// Listens on every interface of the host.
    init(on host: Host, loop: EventLoop) throws {
        let everything = Int32(UInt16(0x0003).bigEndian)  // ETH_P_ALL
        socket = FileDescriptor(
            owning: try host.inside {
                try Errno.check(
                    Glibc.socket(17, Int32(SOCK_RAW.rawValue | SOCK_NONBLOCK.rawValue), everything), "AF_PACKET")
            })
        watch = try loop.watch(socket.number, .read) { [weak self] _ in self?.receive(at: loop.refreshNow()) }
    }

    /// The announcements of an address since a time.
    func of(_ address: String, since: Instant? = nil) -> [Announcement] {
        announcements.filter { $0.address == IPAddress(address) && $0.at >= since ?? $0.at }
    }

    private func receive(at now: Instant) {
        while true {
            let count = buffer.withUnsafeMutableBytes { recv(socket.number, $0.baseAddress, $0.count, 0) }
            guard count > 0 else { return }
            let frame = buffer[..<count]
            let source = count >= 14 ? MACAddress(octets: frame[6..<12]) : nil
            if count >= 42, frame[12..<14] == [0x08, 0x00], frame[14] == 0x45, frame[23] == 112 {
                advertisements.append(
                    Spoken(source: source, address: IPAddress(octets: frame[26..<30]), router: frame[35]))
            }
            if count >= 42, frame[12..<14] == [0x08, 0x06], frame[28..<32] == frame[38..<42],
                let address = IPAddress(octets: frame[28..<32])
            {
                let mac = MACAddress(octets: frame[22..<28])
                announcements.append(Announcement(at: now, address: address, mac: mac, source: source, flags: 0))
            } else if count >= 78, frame[12..<14] == [0x86, 0xDD], frame[20] == 58, frame[54] == 136,
                let address = IPAddress(octets: frame[62..<78])
            {
                announcements.append(
                    Announcement(at: now, address: address, mac: nil, source: source, flags: frame[58]))
            }
        }
    }
}
