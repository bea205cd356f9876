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
    /// Its contribution is less than its best, and it is no fault, which is said elsewhere.
    var costsPriority: Bool
    /// `has failed`, or for a reversed one that has not, `costs priority`.
    var verb: String
    /// ` (weight -20)`, ` (weight 1: -30)`, or nothing without a weight.
    var weightText: String

    fileprivate init(_ script: VrrpAPI.TrackedScript) {
        (keyword, name, since) = ("track_script", script.name, script.since)
        detail = [script.lastResult, script.lastLine].compactMap(\.self).joined(separator: ": ")
        verb = script.state == .failed ? "has failed" : "costs priority"
        weightText = Self.text(of: script.weight, isReversed: script.reverse)
        switch script.state {
        case .good: costsPriority = script.weight != 0 && script.reverse
        case .failed: costsPriority = script.weight != 0 && !script.reverse
        case .unknown, .other: costsPriority = false
        }
    }

    fileprivate init(_ tracker: VrrpAPI.Tracker) {
        (keyword, name, since) = ("track_\(tracker.kind.rawValue)", tracker.name, tracker.since)
        detail = tracker.detail
        verb = tracker.state == .failed ? "has failed" : "costs priority"
        weightText = Self.text(of: tracker.weight, isReversed: tracker.reverse, effect: tracker.effect)
        switch tracker.state {
        case .good: costsPriority = tracker.weight != 0 && tracker.reverse
        case .failed: costsPriority = tracker.weight != 0 && !tracker.reverse
        // A file's number has no best.
        case .number: costsPriority = tracker.effect < 0
        case .unknown, .other: costsPriority = false
        }
        if tracker.fault { costsPriority = false }
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
