// What a command line of ipvsadm asks for, as values. A service is closer to the kernel than a configuration's: a mask that is no prefix and an
// engine without persistence are what ipvsadm can say and a configuration cannot.

public import Configuration
public import Net

/// The transport protocol of a service with an address.
public typealias IPTransport = VirtualServerIdentity.TransportProtocol

/// A service as `ipvsadm -A` and `-E` describe it: the whole of what the kernel is told.
public struct ServiceRule: Equatable, Sendable {
    /// What it is.
    public var identity: VirtualServerIdentity
    /// The scheduler's name, at most 15 octets.
    public var scheduler: String
    /// Scheduler flags and one-packet scheduling.
    public var flags: SchedulerFlags
    /// Seconds; nil = no persistence.
    public var persistenceSeconds: UInt32?
    /// IPVS_SVC_ATTR_NETMASK as a number: an IPv4 mask, which need not be a prefix, or an IPv6 prefix length.
    public var netmask: UInt32
    /// The persistence engine, at most 16 octets; a service without persistence can have one too.
    public var engine: String?

    /// A service.
    public init(
        identity: VirtualServerIdentity, scheduler: String = "wlc", flags: SchedulerFlags = [],
        persistenceSeconds: UInt32? = nil, netmask: UInt32? = nil, engine: String? = nil
    ) {
        self.identity = identity
        self.scheduler = scheduler
        self.flags = flags
        self.persistenceSeconds = persistenceSeconds
        self.netmask = netmask ?? identity.family.hostNetmask
        self.engine = engine
    }
}

extension ServiceRule {
    /// A service as a configuration has it.
    public init(_ identity: VirtualServerIdentity, _ attributes: ServiceAttributes) {
        let persistence = attributes.persistence
        let family = identity.family
        self.init(
            identity: identity, scheduler: attributes.scheduler, flags: attributes.flags,
            persistenceSeconds: persistence.map { UInt32(clamping: $0.timeout.components.seconds) },
            netmask: family.netmask(persistence?.prefixLength ?? family.bits), engine: persistence?.engine)
    }
}

extension AddressFamily {
    /// The netmask, as the kernel counts it, by which every client is one of its own.
    public var hostNetmask: UInt32 { netmask(bits) }

    /// The netmask of a prefix, as the kernel counts it: a mask for IPv4, the length for IPv6.
    public func netmask(_ prefixLength: Int) -> UInt32 {
        let length = min(max(prefixLength, 0), bits)
        return switch self {
        case .inet: UInt32.max << UInt32(32 - length)
        case .inet6: UInt32(length)
        }
    }
}

/// A change of the kernel's table, or of what belongs to it, as ipvsadm makes it.
public enum TableRequest: Equatable, Sendable {
    /// `-A`.
    case addService(ServiceRule)
    /// `-E`.
    case editService(ServiceRule)
    /// Any other, which a configuration could lead to as well.
    case command(TableCommand)
}

/// What `-L` shows.
public enum Listing: Equatable, Sendable {
    /// All services.
    case table
    /// One service, without the line about the version.
    case service(VirtualServerIdentity)
    /// `-c`: connections.
    case connections
    /// `--timeout`.
    case timeouts
    /// `--daemon`.
    case daemons
}

/// How `-L` and `-S` show it.
public struct ListFormat: OptionSet, Hashable, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }
    /// `-n`: addresses and ports as numbers.
    public static let numeric = ListFormat(rawValue: 1)
    /// `--stats`.
    public static let stats = ListFormat(rawValue: 2)
    /// `--rate`.
    public static let rate = ListFormat(rawValue: 4)
    /// `--thresholds`.
    public static let thresholds = ListFormat(rawValue: 8)
    /// `--persistent-conn`.
    public static let persistentConnections = ListFormat(rawValue: 16)
    /// `--nosort`: in the kernel's order.
    public static let noSort = ListFormat(rawValue: 32)
    /// `--exact`: numbers in full.
    public static let exact = ListFormat(rawValue: 64)
    /// `--tun-info`.
    public static let tunnels = ListFormat(rawValue: 128)
}

/// One command line.
public enum DialectCommand: Equatable, Sendable {
    case change(TableRequest)
    case list(Listing, ListFormat)
    /// `-S`; only `.numeric` matters.
    case save(ListFormat)
    /// `-R`.
    case restore
    case help, version
}

/// Why a command line is not carried out.
public enum DialectError: Error, Equatable, Sendable {
    /// It makes no sense, and this is what ipvsadm says of it: exit status 2, whatever else was to be restored.
    case usage(String)
    /// Its first option is no command: exit status 255, whatever else was to be restored.
    case tryHelp
    /// popt could not read it: exit status 255, but a restore goes on with the next line.
    case options(String)
}
