// What services, servers and synchronisation daemons have, in the words of the bus and back. Commands are judged before they come here
// (CommandWords); what a listing says is taken as it is: somebody else may have put it into the kernel.

public import Bus
public import Configuration
public import IPVS
internal import Net

extension SchedulerFlags {
    /// Names as keepalived.conf has them; nil when there are none.
    public var names: [String]? {
        let names = Self.named.filter { contains($0.flag) }.map(\.name)
        return names.isEmpty ? nil : names
    }

    static let named: [(flag: SchedulerFlags, name: String)] = [
        (.flag1, "flag-1"), (.flag2, "flag-2"), (.flag3, "flag-3"),
    ]
}

extension ServiceAttributes {
    /// Those of a service of `family`.
    init(_ settings: IpvsAPI.ServiceSettings, of family: AddressFamily) {
        self.init(scheduler: settings.scheduler)
        for name in settings.schedulerFlags ?? [] {
            flags.formUnion(SchedulerFlags.named.first { $0.name == name }?.flag ?? [])
        }
        if settings.onePacket == true { flags.insert(.onePacket) }
        persistence = settings.persistenceTimeoutSeconds.map {
            Persistence(
                timeout: .seconds(Int64($0)), prefixLength: settings.persistencePrefixLength ?? family.bits,
                engine: settings.persistenceEngine)
        }
    }
}

extension IpvsAPI.ServiceSettings {
    /// For a command or a listing.
    public init(_ attributes: ServiceAttributes) {
        self.init(
            scheduler: attributes.scheduler, schedulerFlags: attributes.flags.names,
            persistenceTimeoutSeconds: attributes.persistence.map { Int($0.timeout.components.seconds) },
            persistencePrefixLength: attributes.persistence?.prefixLength,
            persistenceEngine: attributes.persistence?.engine,
            onePacket: attributes.flags.contains(.onePacket) ? true : nil)
    }
}

extension DestinationAttributes {
    /// nil when the packets are forwarded in a way that only a newer peer knows.
    init?(_ settings: IpvsAPI.ServerSettings) {
        let forwarding: PacketForwarding
        switch settings.forwarding {
        case .nat: forwarding = .method(.masquerade)
        case .dr: forwarding = .method(.directRouting)
        case .tun:
            guard let kind = TunnelKind(settings.tunnel) else { return nil }
            forwarding = .method(.tunnel(kind))
        case .local: forwarding = .local
        case .bypass: forwarding = .bypass
        case .other: return nil
        }
        self.init(
            forwarding: forwarding, weight: Int32(clamping: settings.weight),
            upperThreshold: UInt32(clamping: settings.upperThreshold ?? 0),
            lowerThreshold: UInt32(clamping: settings.lowerThreshold ?? 0))
    }
}

extension IpvsAPI.ServerSettings {
    /// For a command or a listing.
    public init(_ attributes: DestinationAttributes) {
        self.init(
            forwarding: IpvsAPI.Forwarding(attributes.forwarding), tunnel: IpvsAPI.Tunnel(attributes.forwarding),
            weight: Int(attributes.weight), upperThreshold: Int(attributes.upperThreshold),
            lowerThreshold: Int(attributes.lowerThreshold))
    }
}

extension IpvsAPI.Forwarding {
    /// How packets get to a server.
    public init(_ forwarding: PacketForwarding) {
        switch forwarding {
        case .method(.masquerade): self = .nat
        case .method(.directRouting): self = .dr
        case .method(.tunnel): self = .tun
        case .local: self = .local
        case .bypass: self = .bypass
        }
    }
}

extension TunnelKind {
    fileprivate init?(_ tunnel: IpvsAPI.Tunnel?) {
        let checksum: Checksum
        switch tunnel?.checksum {
        case nil, .nocsum: checksum = .none
        case .csum: checksum = .whole
        case .remcsum: checksum = .remote
        case .other: return nil
        }
        switch tunnel?.kind {
        case nil, .ipip: self = .ipip
        case .gue: self = .gue(port: UInt16(clamping: tunnel?.port ?? 0), checksum)
        case .gre: self = .gre(checksum)
        case .other: return nil
        }
    }
}

extension IpvsAPI.Tunnel {
    fileprivate init?(_ forwarding: PacketForwarding) {
        guard case .method(.tunnel(let kind)) = forwarding else { return nil }
        switch kind {
        case .ipip: self.init(kind: .ipip)
        case .gue(let port, let checksum): self.init(kind: .gue, port: Int(port), checksum: .init(checksum))
        case .gre(let checksum): self.init(kind: .gre, checksum: .init(checksum))
        }
    }
}

extension IpvsAPI.TunnelChecksum {
    fileprivate init(_ checksum: TunnelKind.Checksum) {
        switch checksum {
        case .none: self = .nocsum
        case .whole: self = .csum
        case .remote: self = .remcsum
        }
    }
}

extension SyncRole {
    /// nil when only a newer peer knows it.
    init?(_ role: IpvsAPI.SyncRole) {
        switch role {
        case .master: self = .master
        case .backup: self = .backup
        case .other: return nil
        }
    }
}

extension IpvsAPI.SyncRole {
    /// Which of the two.
    public init(_ role: SyncRole) {
        switch role {
        case .master: self = .master
        case .backup: self = .backup
        }
    }
}

extension SyncDaemon {
    /// nil when it is none.
    public init?(_ daemon: IpvsAPI.SyncDaemon) {
        guard let role = SyncRole(daemon.role), let group = IPAddress(daemon.group) else { return nil }
        self.init(
            role: role, interface: daemon.interface, syncID: UInt8(clamping: daemon.syncID), group: group,
            port: UInt16(clamping: daemon.port), timeToLive: UInt8(clamping: daemon.timeToLive),
            maximumLength: daemon.maximumLength.map { UInt16(clamping: $0) })
    }
}

extension IpvsAPI.SyncDaemon {
    /// For a command or a listing.
    public init(_ daemon: SyncDaemon) {
        self.init(
            role: IpvsAPI.SyncRole(daemon.role), interface: daemon.interface, syncID: Int(daemon.syncID),
            group: "\(daemon.group)", port: Int(daemon.port), timeToLive: Int(daemon.timeToLive),
            maximumLength: daemon.maximumLength.map { Int($0) })
    }
}
