// One vrrp_instance with everything that belongs to its machine in the real world: timers, sockets, addresses, the packet buffer, and
// what people want to know about it.

import Configuration
import Net
import Netlink
import Platform
import VRRP

/// An instance of the running configuration.
final class Instance {
    /// What makes it this virtual router: survives a renaming and a restart.
    let identity: String
    /// Its block.
    private(set) var configuration: VRRPInstanceConfiguration
    /// When to announce its addresses.
    var schedule: AnnouncementSchedule
    /// Fires at the machine's deadline.
    let timer: LoopTimer
    /// Fires at the schedule's deadline.
    let announcementTimer: LoopTimer
    /// The sockets; nil while the interface is missing or they cannot be opened.
    var socket: AdvertisementSocket?
    /// Why the sockets cannot be opened.
    var socketFailure: String?
    /// Where advertisements come from.
    var source: IPv4Address?
    /// The kernel was told to hold the addresses.
    var isHolding = false
    /// The kernel refused some of the addresses; tried again until it does not.
    var isIncomplete = false
    /// The last advertisement could not be sent: logged once.
    var sendFailed = false
    /// When the state began, RFC 3339.
    var since = SystemClock.timestamp
    /// Why it began.
    var reason = "not started"
    /// The message, without its priority.
    private var advertisement: Advertisement
    private var packet: [UInt8] = []
    private var frame: [UInt8] = []

    /// An instance that does nothing yet.
    init(_ configuration: VRRPInstanceConfiguration, timer: LoopTimer, announcementTimer: LoopTimer) {
        self.configuration = configuration
        identity = configuration.identity.description
        self.timer = timer
        self.announcementTimer = announcementTimer
        schedule = AnnouncementSchedule(AnnouncementSchedule.Settings(configuration.gratuitousARP))
        advertisement = RouterConfiguration(configuration, isGrouped: false).advertisement(priority: 0)
        packet.reserveCapacity(20 + 16 + 4 * 255)
        frame.reserveCapacity(128)
    }

    /// Its name.
    var name: String { configuration.name }

    /// Takes over new words for the same virtual router.
    func reconfigure(_ configuration: VRRPInstanceConfiguration) {
        self.configuration = configuration
        schedule.settings = AnnouncementSchedule.Settings(configuration.gratuitousARP)
        advertisement = RouterConfiguration(configuration, isGrouped: false).advertisement(priority: 0)
    }

    /// Sends an advertisement to the group or to every peer.
    /// - Returns: what failed first; nil when all of them left.
    func advertise(priority: UInt8) -> Errno? {
        guard let socket, let source else { return nil }
        let form: ChecksumForm = configuration.checksumWithoutPseudoHeader ? .messageOnly : .pseudoHeader
        switch configuration.delivery {
        case .multicast(let group):
            return send(priority, from: source, to: group, form, through: socket)
        case .unicast(let peers, let timeToLive):
            var failure: Errno?
            for peer in peers {
                let result = send(
                    priority, from: source, to: peer.address, form, through: socket, timeToLive: timeToLive)
                failure = failure ?? result
            }
            return failure
        }
    }

    private func send(
        _ priority: UInt8, from source: IPv4Address, to destination: IPAddress, _ form: ChecksumForm,
        through socket: AdvertisementSocket, timeToLive: UInt8 = Advertisement.timeToLive
    ) -> Errno? {
        guard case .v4(let destination) = destination else { return nil }
        advertisement.encodePacket(
            into: &packet, priority: priority, from: source, to: destination, checksum: form, timeToLive: timeToLive)
        do throws(Errno) {
            try socket.send(packet, to: destination)
            return nil
        } catch {
            return error
        }
    }

    /// Sends `count` gratuitous ARPs (or neighbour advertisements) for each address.
    func announce(_ count: Int, in table: LinkTable, through frames: borrowing FrameSocket) -> Errno? {
        var failure: Errno?
        for line in configuration.addresses {
            guard count > 0, let device = line.device, let link = table.link(named: device), link.announces,
                let mac = link.mac
            else { continue }
            Announcement.encode(into: &frame, line.prefix.address, mac: mac)
            for _ in 0..<count {
                do throws(Errno) {
                    try frames.send(frame, through: link.index)
                } catch {
                    failure = failure ?? error
                }
            }
        }
        return failure
    }

    /// The changes that put the addresses where they belong, as far as their interfaces exist.
    func changes(adding: Bool, in table: LinkTable) -> [AddressChange] {
        configuration.addresses.compactMap { line in
            guard let device = line.device, let link = table.link(named: device) else { return nil }
            let address = InterfaceAddress(line, on: link.index)
            return adding ? .add(address) : .delete(address)
        }
    }
}
