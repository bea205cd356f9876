// What an instance tracks, scripts and all else, as one: whether it adds to the priority what it might.
import Bus

/// A script, an interface, a file, a process, a unit or a BFD session that an instance tracks.
struct Tracked {
    /// `track_script`
    var keyword: String
    var name: String
    /// When the present state began; nil = not known.
    var since: String?
    /// What is so, for people.
    var detail: String
    /// It adds less to the priority than it might, or is a fault.
    var isBad: Bool
    /// Being bad is a fault.
    var isFault: Bool
    /// `has failed`; of what is bad otherwise `costs priority` or `is a fault`.
    var verb: String
    /// ` (weight -20)`, ` (weight 1: -30)`, or nothing without a weight.
    var weightText: String

    fileprivate init(_ script: VrrpAPI.TrackedScript) {
        (keyword, name, since) = ("track_script", script.name, script.since)
        detail = [script.lastResult, script.lastLine].compactMap(\.self).joined(separator: ": ")
        weightText = Self.text(of: script.weight, isReversed: script.reverse)
        isFault = script.weight == 0
        verb = Self.verb(hasFailed: script.state == .failed, isFault)
        switch script.state {
        case .good: isBad = script.reverse
        case .failed: isBad = !script.reverse
        case .unknown, .other: isBad = false
        }
    }

    fileprivate init(_ tracker: VrrpAPI.Tracker) {
        (keyword, name, since) = ("track_\(tracker.kind.rawValue)", tracker.name, tracker.since)
        detail = tracker.detail
        weightText = Self.text(of: tracker.weight, isReversed: tracker.reverse, effect: tracker.effect)
        isFault = tracker.weight == 0 || tracker.fault
        verb = Self.verb(hasFailed: tracker.state == .failed, isFault)
        switch tracker.state {
        case .good: isBad = tracker.reverse
        case .failed: isBad = !tracker.reverse
        // A file's number has no best.
        case .number: isBad = tracker.effect < 0 || tracker.fault
        case .unknown, .other: isBad = false
        }
    }

    private static func verb(hasFailed: Bool, _ isFault: Bool) -> String {
        hasFailed ? "has failed" : isFault ? "is a fault" : "costs priority"
    }

    /// ` (weight -10 reverse: 0)`, or nothing without a weight.
    static func text(of weight: Int, isReversed: Bool, effect: Int? = nil) -> String {
        guard weight != 0 else { return "" }
        return " (weight \(weight)\(isReversed ? " reverse" : "")\(effect.map { ": \($0)" } ?? ""))"
    }
}

extension VrrpAPI.InstanceRuntime {
    /// Everything that the instance or its sync group tracks.
    var tracked: [Tracked] { (scripts ?? []).map(Tracked.init) + (trackers ?? []).map(Tracked.init) }
}
