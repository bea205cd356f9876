// The alarms of checkd as a function of its state: looked at once at the end of a turn in which something changed.
import Bus
import HealthCheck
import Platform

/// Why an alarm of checkd stands.
enum CheckAlarm: AlarmKey {
    /// The last good configuration is in force, not the file.
    case configuration
    /// This host could not make some probes.
    case probing
    /// Programs that are out of time do not end.
    case programs
    /// A certificate, key or CA file cannot be used.
    case tlsFiles
    /// Fewer descriptors than checks.
    case descriptors
    /// The verdicts could not be saved.
    case state
    /// Somebody is not reached by mail.
    case mail
    /// A webhook is not reached.
    case webhooks
    /// What was asked of the kernel for the process.
    case process(ProcessAspect)

    var subject: String {
        switch self {
        case .configuration: "configuration"
        case .probing: "probing"
        case .programs: "programs"
        case .tlsFiles: "tls-files"
        case .descriptors: "descriptors"
        case .state: "state"
        case .mail: "mail"
        case .webhooks: "webhooks"
        case .process(let aspect): aspect.rawValue
        }
    }
}

/// Where alarms stand.
protocol AlarmBoard: AnyObject {
    /// The standing alarms become exactly these.
    func replace(with wanted: [CheckAlarm: Alarm])
}

extension StandingAlarms: AlarmBoard where Key == CheckAlarm {}

/// The checkers that cannot be asked from here, and the one among them that the alarm names: the same as long as it is hindered, so that
/// the alarm changes only when there is something new to say.
struct HinderedCheckers {
    private var hindrances: [CheckerKey: ProbeHindrance] = [:]
    private var named: CheckerKey?

    /// A checker cannot be asked (why), or could be again (nil).
    mutating func set(_ checker: CheckerKey, _ hindrance: ProbeHindrance?) {
        hindrances[checker] = hindrance
        if let named, hindrances[named] != nil { return }
        named = hindrances.first?.key
    }

    /// nil when every checker can be asked.
    var alarm: Alarm? {
        guard let named, let hindrance = hindrances[named] else { return nil }
        return Alarm(
            message: "\(named.server): \(named.title) cannot be probed from here: \(hindrance); the last verdict stays",
            remedy: hindrance.remedy
                ?? "see docs/checkd.md, \"Whose fault it is\"; `lbctl check list` names every check concerned")
    }
}

extension CheckAlarm {
    /// The alarm about programs that do not end.
    static func stuck(_ programs: StuckPrograms) -> Alarm {
        let more = programs.count == 1 ? " is" : " and \(programs.count - 1) more are"
        let rest = programs.haveAllPlaces ? "; they have all places, no program of MISC_CHECK runs" : ""
        return Alarm(
            message: "\(programs.first)\(more) out of time and cannot be ended, not even killed\(rest)",
            remedy: "see what the processes wait for (ps -eo pid,stat,wchan:30,args), often a file system that hangs; "
                + "the checks run again when they are gone")
    }

    /// The alarm about a certificate, key or CA file.
    static func unusable(_ file: TLSFileProblem) -> Alarm {
        let rest = file.hasFormer ? "what was read of it before stays in use" : "checks that need it move no verdict"
        return Alarm(
            message: "\(file.path) cannot be used: \(file.reason); \(rest)",
            remedy:
                "put a PEM file there that user evenkeel-checkd may read; it is looked at every 10 s and at a reload")
    }

    /// The alarm about descriptors; nil when there are enough for `checks`.
    static func descriptors(_ limit: ProbeLimit, for checks: Int) -> Alarm? {
        guard limit.isShort(for: checks) else { return nil }
        return Alarm(
            message: "\(checks) checks and only \(limit.descriptors) descriptors: \(limit.probes) probes at once",
            remedy: "raise LimitNOFILE of the unit to \(checks + ProbeLimit.reserve)")
    }

    /// The alarm about verdicts that are not on the disk.
    static func unsaved(_ problem: String) -> Alarm {
        Alarm(
            message: "verdicts are not saved: \(problem)",
            remedy: "make the state directory writable for checkd, or name another with --state-dir")
    }
}
