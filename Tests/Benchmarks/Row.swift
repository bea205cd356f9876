// One line of the tables: ours beside the peer's, the ratio, and the goal. Rows travel as JSON, one a line.
import Glibc
import JSON
import Platform

/// The figures of several rounds.
struct Series {
    var values: [Double]

    var median: Double {
        let sorted = values.sorted()
        guard let middle = sorted.indices.dropFirst(sorted.count / 2).first else { return .nan }
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    /// `median (least…most, n=rounds)`
    var text: String {
        guard let least = values.min(), let most = values.max() else { return "–" }
        return "\(Self.short(median)) (\(Self.short(least))…\(Self.short(most)), n=\(values.count))"
    }

    /// Three significant digits, thousands grouped.
    static func short(_ value: Double) -> String {
        guard value.isFinite else { return "–" }
        let size = abs(value)
        let decimals = size >= 100 || size == 0 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let number = (value * scale).rounded() / scale
        guard decimals == 0 else { return String(number.description.prefix(while: { $0 != "e" })) }
        var digits = String(Int(abs(number)))
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return (value < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
    }
}

/// A comparison.
struct Row {
    /// The table it belongs to: the subcommand's name.
    var table: String
    /// What was measured.
    var what: String
    /// Of both figures.
    var unit: String
    var ours: Series
    /// Nil where the peer has nothing to compare.
    var peer: Series?
    /// Whether a larger figure is the better one.
    var moreIsBetter: Bool
    /// By which factor ours should be better; 1: not worse. Nil: no goal.
    var goal: Double?
    /// What ours may be at most, whatever the peer's is; goes before `goal`.
    var atMost: Double?

    /// By which factor ours is better; below 1 it is worse. Nil where a factor means nothing.
    var factor: Double? {
        guard let peer, ours.median > 0, peer.median > 0 else { return nil }
        return moreIsBetter ? ours.median / peer.median : peer.median / ours.median
    }

    /// The goal and whether it was reached.
    var verdict: String {
        if let atMost { return "at most \(Series.short(atMost)): \(ours.median <= atMost ? "met" : "**missed**")" }
        guard let goal, let peer else { return "–" }
        let wanted = goal == 1 ? "not worse" : "\(Series.short(goal)) times"
        let better = moreIsBetter ? ours.median >= goal * peer.median : goal * ours.median <= peer.median
        return "\(wanted): \(better ? "met" : "**missed**")"
    }

    /// One line of JSON on standard output, and one for the person who waits on standard error.
    func emit() throws {
        let text = try json.serialised()
        Console.write(String(decoding: text, as: UTF8.self) + "\n", to: STDOUT_FILENO)
        let against = peer.map { " against \($0.text)" } ?? ""
        Console.write("   \(what): \(ours.text)\(against) \(unit)\n", to: STDERR_FILENO)
    }
}

// MARK: As JSON

extension Series: JSONStructure {
    init(members: inout JSONMembers) throws(JSONCodingError) {
        values = try members.required("values")
    }

    var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("values", values)
        return object
    }
}

extension Row: JSONStructure {
    init(members: inout JSONMembers) throws(JSONCodingError) {
        table = try members.required("table")
        what = try members.required("what")
        unit = try members.required("unit")
        ours = try members.required("ours")
        peer = try members.optional("peer")
        moreIsBetter = try members.required("moreIsBetter")
        goal = try members.optional("goal")
        atMost = try members.optional("atMost")
    }

    var object: JSONObject {
        var object = JSONObject(capacity: 8)
        object.add("table", table)
        object.add("what", what)
        object.add("unit", unit)
        object.add("ours", ours)
        object.add("peer", peer)
        object.add("moreIsBetter", moreIsBetter)
        object.add("goal", goal)
        object.add("atMost", atMost)
        return object
    }
}
