// When the addresses are announced: a burst at once, a second one after `garp_master_delay` for switches that were still learning, then
// every `garp_master_refresh`.

public import Net

/// The schedule of one router; it runs while the router is master.
public struct AnnouncementSchedule: Sendable {
    /// One kind of burst.
    public struct Parameters: Hashable, Sendable {
        /// Frames per address in a burst; 0 = none.
        public var count: Int
        /// From the first burst to the second; zero = no second burst.
        public var delay: Duration

        /// A burst of `count`, repeated once after `delay`.
        public init(count: Int = 5, delay: Duration = .seconds(5)) {
            self.count = count
            self.delay = delay
        }
    }

    /// keepalived's `garp_*`: 5 frames, again after 5 s, no refresh unless given.
    public struct Settings: Hashable, Sendable {
        /// After becoming master: `garp_master_repeat`, `garp_master_delay`.
        public var becameMaster = Parameters()
        /// After a lower advertisement was heard: `garp_lower_prio_repeat`, `garp_lower_prio_delay`.
        public var lowerPriority = Parameters()
        /// `garp_master_refresh`; zero = never.
        public var refresh = Duration.zero
        /// `garp_master_refresh_repeat`.
        public var refreshCount = 1
        /// `garp_extra_if`: for what is on other interfaces than the router's; zero = never.
        public var extra = Duration.zero

        /// The defaults.
        public init() {}
    }

    /// What is configured.
    public private(set) var settings: Settings
    private var secondBurst: (at: Instant, count: Int)?
    private var refreshAt: Instant?
    private var extraAt: Instant?

    /// A schedule that has not been started.
    public init(_ settings: Settings = Settings()) {
        self.settings = settings
    }

    /// Takes over other settings. A refresh that was not asked for before begins; one that is not asked for any more ends.
    public mutating func adopt(_ settings: Settings, isMaster: Bool, at now: Instant) {
        guard settings != self.settings else { return }
        self.settings = settings
        guard isMaster else { return }
        let next = settings.refresh > .zero ? now + settings.refresh : nil
        refreshAt = next.map { next in refreshAt.map { min($0, next) } ?? next }
        let extra = settings.extra > .zero ? now + settings.extra : nil
        extraAt = extra.map { next in extraAt.map { min($0, next) } ?? next }
    }

    /// The second burst is still to come.
    var awaitsSecondBurst: Bool { secondBurst != nil }

    /// When to call `due`; nil when nothing is left to send.
    public var deadline: Instant? {
        var first = secondBurst?.at
        if let refreshAt { first = first.map { min($0, refreshAt) } ?? refreshAt }
        if let extraAt { first = first.map { min($0, extraAt) } ?? extraAt }
        return first
    }

    /// Starts the schedule.
    /// - Returns: how many frames of each address to send now.
    public mutating func start(_ occasion: Occasion, at now: Instant) -> Int {
        let parameters = occasion == .becameMaster ? settings.becameMaster : settings.lowerPriority
        if parameters.count > 0, parameters.delay > .zero {
            secondBurst = (now + parameters.delay, parameters.count)
        }
        if occasion == .becameMaster, settings.refresh > .zero {
            refreshAt = now + parameters.delay + settings.refresh
        }
        if occasion == .becameMaster, settings.extra > .zero { extraAt = now + settings.extra }
        return parameters.count
    }

    /// The deadline has come.
    /// - Returns: how many frames of each address to send now.
    public mutating func due(at now: Instant) -> Int {
        var count = 0
        if let burst = secondBurst, burst.at <= now {
            count = burst.count
            secondBurst = nil
        }
        if let due = refreshAt, due <= now {
            count = max(count, settings.refreshCount)
            refreshAt = settings.refresh > .zero ? now + settings.refresh : nil
        }
        return count
    }

    /// The deadline has come.
    /// - Returns: true when what is on other interfaces is to be announced once.
    public mutating func extraIsDue(at now: Instant) -> Bool {
        guard let due = extraAt, due <= now else { return false }
        extraAt = settings.extra > .zero ? now + settings.extra : nil
        return true
    }

    /// The router is not master any more.
    public mutating func stop() {
        secondBurst = nil
        refreshAt = nil
        extraAt = nil
    }
}
