// The kernel's synchronisation daemons over generic netlink (linux/ip_vs.h, IPVS_CMD_*_DAEMON). Group and TTL need kernel 4.3.

internal import CNlGenl
internal import Configuration
internal import Glibc
public import IPVS
internal import Net

extension IPVSClient {
    /// Those that run.
    public func syncDaemons() throws(NetlinkError) -> [SyncDaemon] {
        try request { (encoder) throws(NetlinkError) in
            var daemons: [SyncDaemon] = []
            try client.query(encoder.message(IPVS_CMD_GET_DAEMON, flags: NLM_F_DUMP)) { reply in
                guard let nest = reply.attributes(after: 4).first(where: { $0.type == IPVS_CMD_ATTR_DAEMON }) else {
                    return
                }
                if let daemon = SyncDaemon(nest.nested) { daemons.append(daemon) }
            }
            return daemons
        }
    }

    /// Starts or stops one. EEXIST: there is one of that role; ESRCH: there is none; ENODEV: there is no such interface.
    ///
    /// The kernel stops a daemon whose thread never ran yet without an answer: netlink has none for EINTR, which is what comes of it. So the
    /// list says whether it stopped.
    public func apply(_ command: SyncCommand) throws(NetlinkError) {
        do {
            try request { (encoder) throws(NetlinkError) in try client.run(encoder.message(command)) }
        } catch .timedOut {
            guard case .stop(let role) = command, try !syncDaemons().contains(where: { $0.role == role }) else {
                throw .timedOut
            }
        }
    }
}

extension IPVSEncoder {
    func message(_ command: SyncCommand) -> NetlinkMessage {
        switch command {
        case .start(let daemon):
            var message = message(IPVS_CMD_NEW_DAEMON)
            message.nest(IPVS_CMD_ATTR_DAEMON) { nest in
                nest.put(IPVS_DAEMON_ATTR_STATE, daemon.role.rawValue)
                nest.put(IPVS_DAEMON_ATTR_MCAST_IFN, daemon.interface)
                nest.put(IPVS_DAEMON_ATTR_SYNC_ID, UInt32(daemon.syncID))
                if let length = daemon.maximumLength { nest.put(IPVS_DAEMON_ATTR_SYNC_MAXLEN, length) }
                switch daemon.group {
                case .v4: nest.put(IPVS_DAEMON_ATTR_MCAST_GROUP, octets: daemon.group.octets)
                case .v6: nest.put(IPVS_DAEMON_ATTR_MCAST_GROUP6, octets: daemon.group.octets)
                }
                nest.put(IPVS_DAEMON_ATTR_MCAST_PORT, daemon.port)
                nest.put(IPVS_DAEMON_ATTR_MCAST_TTL, daemon.timeToLive)
            }
            return message
        case .stop(let role):
            var message = message(IPVS_CMD_DEL_DAEMON)
            message.nest(IPVS_CMD_ATTR_DAEMON) { $0.put(IPVS_DAEMON_ATTR_STATE, role.rawValue) }
            return message
        }
    }
}

extension SyncDaemon {
    /// A daemon from its nest; nil without what makes it one.
    fileprivate init?(_ attributes: NetlinkAttributes) {
        var role: SyncRole?
        var interface: String?
        var syncID: UInt32 = 0
        var group = IPAddress.v4(IPv4Address(224, 0, 0, 81))
        var port: UInt16 = 8848
        var timeToLive: UInt8 = 1
        var length: UInt16?
        for attribute in attributes {
            switch attribute.type {
            case IPVS_DAEMON_ATTR_STATE: role = attribute.number().flatMap(SyncRole.init)
            case IPVS_DAEMON_ATTR_MCAST_IFN: interface = attribute.string
            case IPVS_DAEMON_ATTR_SYNC_ID: syncID = attribute.number() ?? 0
            case IPVS_DAEMON_ATTR_SYNC_MAXLEN: length = attribute.number()
            case IPVS_DAEMON_ATTR_MCAST_GROUP, IPVS_DAEMON_ATTR_MCAST_GROUP6:
                group = IPAddress(octets: Array(attribute.bytes)) ?? group
            case IPVS_DAEMON_ATTR_MCAST_PORT: port = attribute.number() ?? port
            case IPVS_DAEMON_ATTR_MCAST_TTL: timeToLive = attribute.number() ?? timeToLive
            default: continue
            }
        }
        guard let role, let interface else { return nil }
        self.init(
            role: role, interface: interface, syncID: UInt8(clamping: syncID), group: group, port: port,
            timeToLive: timeToLive, maximumLength: length)
    }
}
