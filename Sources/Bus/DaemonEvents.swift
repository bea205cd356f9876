// Events that every daemon publishes about itself, and the names of all event types (docs/ARCHITECTURE.md, Events).

/// The types of events of the suite.
public enum EventType {
    /// A virtual router changed; data is `VrrpAPI.Instance`.
    public static let vrrpInstance = "io.evenkeel.vrrp.instance"
    /// The verdict about a real server changed; data is `CheckAPI.ServerHealth`.
    public static let checkServer = "io.evenkeel.check.server"
    /// checkd's loop runs; data is `CheckHeartbeat`, subject is `checkHeartbeatSubject`.
    public static let checkHeartbeat = "io.evenkeel.check.heartbeat"
    /// Of `checkHeartbeat`.
    public static let checkHeartbeatSubject = "checkd"
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

/// Data of `EventType.alarm`. An alarm that is over is published once more without data.
public struct DaemonAlarm: Codable, Hashable, Sendable {
    /// Always true while the alarm stands.
    public var active: Bool
    /// What is wrong, for people.
    public var message: String
    /// What to do about it.
    public var remedy: String

    /// A standing alarm.
    public init(message: String, remedy: String) {
        active = true
        self.message = message
        self.remedy = remedy
    }
}

/// Data of `EventType.checkHeartbeat`. A checkd that has not said it for some intervals hangs, whatever its connection says.
public struct CheckHeartbeat: Codable, Hashable, Sendable {
    /// Seconds from one to the next.
    public static let interval = 2
    /// Seconds until the next.
    public var intervalSeconds: Int

    /// A sign of life.
    public init(intervalSeconds: Int) {
        self.intervalSeconds = intervalSeconds
    }
}

/// Data of `EventType.configuration`.
public struct DaemonConfiguration: Codable, Hashable, Sendable {
    /// Digest of the text that is in force.
    public var digest: String
    /// The file it came from.
    public var file: String
    /// When it was loaded: RFC 3339, UTC.
    public var loaded: String

    /// A loaded configuration.
    public init(digest: String, file: String, loaded: String) {
        self.digest = digest
        self.file = file
        self.loaded = loaded
    }
}
