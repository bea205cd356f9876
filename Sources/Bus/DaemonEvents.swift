// The names of the event types for Swift, and conveniences for what daemons publish about themselves. Their data is declared in the
// interfaces (docs/ARCHITECTURE.md, Events).

/// The types of events of the suite.
public enum EventType {
    /// A virtual router changed; data is `VrrpAPI.Instance`.
    public static let vrrpInstance = "io.evenkeel.vrrp.instance"
    /// A timer of a virtual router fired late; data is `VrrpAPI.LateTimer`, subject is the instance.
    public static let vrrpLate = "io.evenkeel.vrrp.late"
    /// Two masters of one virtual router; data is `VrrpAPI.OtherMaster`, subject is the instance.
    public static let vrrpMasters = "io.evenkeel.vrrp.masters"
    /// A peer's advertisements are dropped; data is `VrrpAPI.DroppedPeer`, subject is the instance.
    public static let vrrpDropped = "io.evenkeel.vrrp.dropped"
    /// A BFD session came up, went down or is not configured any more; data is `VrrpAPI.BFDSession`, subject is its name.
    public static let vrrpSession = "io.evenkeel.vrrp.bfd"
    /// vrrpd's loop runs and has BFD sessions; data is `VrrpAPI.Heartbeat`, subject is `vrrpd`.
    public static let vrrpHeartbeat = "io.evenkeel.vrrp.heartbeat"
    /// The verdict about a real server changed; data is `CheckAPI.ServerHealth`.
    public static let checkServer = "io.evenkeel.check.server"
    /// checkd's loop runs; data is `CheckHeartbeat`, subject is `checkHeartbeatSubject`.
    public static let checkHeartbeat = "io.evenkeel.check.heartbeat"
    /// Of `checkHeartbeat`.
    public static let checkHeartbeatSubject = "checkd"
    /// What webhooks are told; data is `CheckAPI.AlertNotice`. Not on the bus.
    public static let alert = "io.evenkeel.alert"
    /// A virtual service changed; data is `IpvsAPI.ServiceSummary`.
    public static let ipvsService = "io.evenkeel.ipvs.service"
    /// A real server of a virtual service changed; data is `IpvsAPI.Server`.
    public static let ipvsServer = "io.evenkeel.ipvs.server"
    /// Something needs a person; data is `DaemonAlarm`, subject is `DAEMON/KEY`.
    public static let alarm = "io.evenkeel.daemon.alarm"
    /// A daemon loaded its configuration; data is `DaemonConfiguration`, subject is the daemon.
    public static let configuration = "io.evenkeel.daemon.config"
    /// An interface was attached or lost; data is `BusAPI.InterfaceState`, subject is the interface. Published by busd.
    public static let interface = "io.evenkeel.bus.interface"
}

public typealias DaemonAlarm = BusAPI.DaemonAlarm
public typealias DaemonConfiguration = BusAPI.DaemonConfiguration
public typealias CheckHeartbeat = CheckAPI.Heartbeat

extension DaemonAlarm {
    /// A standing alarm.
    public init(message: String, remedy: String) {
        self.init(active: true, message: message, remedy: remedy)
    }
}

extension CheckHeartbeat {
    /// Seconds from one to the next.
    public static let interval = 2

    /// What a sign of life says about the next one, as far as it is believed: 1 to 60 s.
    public static func interval(said seconds: Int) -> Int { min(max(seconds, 1), 60) }
}
