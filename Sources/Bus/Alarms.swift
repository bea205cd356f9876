// What a person must mend. Each daemon has one set of standing alarms, keyed as finely as the causes are; an alarm is said once in the
// log when it begins or changes and once when it ends, and stands as a retained event in between.
public import Platform

/// What is wrong, and what to do about it.
public struct Alarm: Hashable, Sendable {
    /// What is wrong, for people.
    public var message: String
    /// What to do about it.
    public var remedy: String

    /// An alarm.
    public init(message: String, remedy: String) {
        self.message = message
        self.remedy = remedy
    }
}

/// The cause of an alarm.
public protocol AlarmKey: Hashable, Sendable {
    /// The event's subject without the daemon: `instance/VI_1`. Different keys have different subjects.
    var subject: String { get }
}

/// The standing alarms of a daemon.
public final class StandingAlarms<Key: AlarmKey> {
    /// What stands now.
    public private(set) var standing: [Key: Alarm] = [:]
    private var keys: [String: Key] = [:]
    private let prefix: String
    private let events: EventPublisher
    private let logger: Logger

    /// No alarms; publishes those that come as `EventType.alarm`.
    public init(daemon: String, events: EventPublisher, logger: Logger) {
        prefix = daemon + "/"
        self.events = events
        self.logger = logger
        events.provide(
            EventType.alarm, subjects: { [weak self] in (self?.keys.keys).map(Array.init) ?? [] },
            state: { [weak self] in self?.event(of: $0) })
    }

    /// Begins, changes or (with nil) ends the alarm `key`. Nothing happens when it is as it was.
    public func set(_ key: Key, _ alarm: Alarm?) {
        guard standing[key] != alarm else { return }
        let before = standing[key]
        standing[key] = alarm
        let subject = prefix + key.subject
        keys[subject] = alarm == nil ? nil : key
        if let alarm {
            logger.error("\(key.subject): \(alarm.message); \(alarm.remedy)")
        } else if let before {
            logger.notice("\(key.subject): over: \(before.message)")
        }
        events.changed(EventType.alarm, subject: subject)
    }

    /// Makes the standing alarms exactly `wanted`: for alarms that are a function of state.
    public func replace(with wanted: [Key: Alarm]) {
        for key in standing.keys where wanted[key] == nil { set(key, nil) }
        for (key, alarm) in wanted { set(key, alarm) }
    }

    private func event(of subject: String) -> DaemonAlarm? {
        keys[subject].flatMap { standing[$0] }.map { DaemonAlarm(message: $0.message, remedy: $0.remedy) }
    }
}
