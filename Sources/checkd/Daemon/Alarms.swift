// What a person must mend. Said once in the log when it begins and once when it ends; in between it stands as an event.
import Bus
import Platform

/// The standing alarms of checkd.
final class Alarms {
    /// Why an alarm stands.
    enum Key: String, CaseIterable {
        /// Checkers of the configuration that this version does not run, or not whole.
        case unsupportedChecks = "unsupported-checks"
        /// This host could not make some probes.
        case probing
        /// Fewer descriptors than checks.
        case descriptors
        /// The verdicts could not be saved.
        case state
    }

    private var standing: [Key: DaemonAlarm] = [:]
    private let events: EventPublisher
    private let logger: Logger

    init(_ events: EventPublisher, _ logger: Logger) {
        self.events = events
        self.logger = logger
    }

    /// Begins or changes an alarm.
    func raise(_ key: Key, _ message: String, remedy: String) {
        let alarm = DaemonAlarm(message: message, remedy: remedy)
        guard standing[key] != alarm else { return }
        standing[key] = alarm
        logger.warning("\(message); \(remedy)")
        events.publish(EventType.alarm, subject: "checkd/\(key.rawValue)", data: alarm)
    }

    /// Ends an alarm if it stands.
    func clear(_ key: Key) {
        guard let alarm = standing.removeValue(forKey: key) else { return }
        logger.notice("over: \(alarm.message)")
        events.remove(EventType.alarm, subject: "checkd/\(key.rawValue)")
    }
}
