// What a person must mend. An alarm is said once when it begins and once when it ends; in between it stands in the event stream.

import Platform

/// The standing alarms of this daemon.
final class Alarms {
    /// A standing alarm.
    struct Alarm: Hashable {
        let message: String
        let remedy: String
    }

    private(set) var standing: [String: Alarm] = [:]
    private let logger: Logger
    /// Called with the key of an alarm that began, changed or (nil) ended.
    var changed: ((String, Alarm?) -> Void)?

    /// No alarms.
    init(logger: Logger) {
        self.logger = logger
    }

    /// Begins, changes or (with nil) ends the alarm `key`.
    func set(_ key: String, _ alarm: Alarm?) {
        guard standing[key] != alarm else { return }
        standing[key] = alarm
        if let alarm {
            logger.error("\(key): \(alarm.message); \(alarm.remedy)")
        } else {
            logger.notice("\(key): mended")
        }
        changed?(key, alarm)
    }
}
