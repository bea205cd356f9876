// What an instance tracks besides scripts: interfaces, files, processes. How each stands, and what that does to who tracks it (keepalived's
// vrrp_track.c): a fault, or a change of priority. A function of the standing, never a sum that is added to and taken from.

public import Configuration

/// Something that is tracked, by its name in the configuration.
public enum Tracker: Hashable, Comparable, Sendable, CustomStringConvertible {
    case interface(String)
    case file(String)
    case process(String)
    case unit(String)
    case bfd(String)

    /// The keyword that names it.
    public var keyword: String {
        switch self {
        case .interface: "track_interface"
        case .file: "track_file"
        case .process: "track_process"
        case .unit: "track_unit"
        case .bfd: "track_bfd"
        }
    }

    /// Its name alone.
    public var name: String {
        switch self {
        case .interface(let name), .file(let name), .process(let name), .unit(let name), .bfd(let name): name
        }
    }

    /// The interface's name, if it is one.
    var interface: String? { if case .interface(let name) = self { name } else { nil } }

    /// `track_file load`
    public var description: String { "\(keyword) \(name)" }
}

/// How a tracked thing stands.
public enum TrackerStanding: Hashable, Sendable {
    /// Nothing is known of it yet.
    case unknown
    case good
    case failed
    /// What stands in a tracked file.
    case number(Int)
}

/// How a tracked thing stands, and why.
public struct TrackerReport: Hashable, Sendable {
    /// What counts.
    public var standing: TrackerStanding
    /// For people: "2 processes", "no such file".
    public var words: String
    /// Why the last look at it failed; its standing stays as it was. Nil when it did not.
    public var hindrance: String?

    /// A report.
    public init(_ standing: TrackerStanding, _ words: String, hindrance: String? = nil) {
        self.standing = standing
        self.words = words
        self.hindrance = hindrance
    }
}

/// A block of something that is to be watched.
public enum WatchedBlock: Equatable, Sendable {
    case file(TrackFileConfiguration)
    case process(TrackProcessConfiguration)
    case unit(TrackUnitConfiguration)
    case bfd(BFDConfiguration)

    /// What it defines.
    public var tracker: Tracker {
        switch self {
        case .file(let block): .file(block.name)
        case .process(let block): .process(block.name)
        case .unit(let block): .unit(block.name)
        case .bfd(let block): .bfd(block.name)
        }
    }
}

/// What a tracked thing does to who tracks it.
public enum TrackingEffect: Hashable, Sendable {
    case fault
    /// A change of priority; 0 = none.
    case weight(Int)

    /// The change of priority.
    public var weight: Int {
        switch self {
        case .fault: 0
        case .weight(let weight): weight
        }
    }
}

extension TrackedObject {
    /// What a standing does. A positive weight counts while the thing is good, a negative one while it has failed, `reverse` turns the sign;
    /// a file's number is multiplied, and -254 and less is a fault. What nothing is known of counts for nothing, so that nobody takes an
    /// office by it.
    func effect(of standing: TrackerStanding) -> TrackingEffect {
        let sign = isReversed ? -1 : 1
        let isGood: Bool
        switch standing {
        case .number(let number) where weight == 0: return (number != 0) != isReversed ? .fault : .weight(0)
        case .number(let number):
            let (product, overflow) = number.multipliedReportingOverflow(by: weight * sign)
            if overflow { return (number < 0) == (weight * sign < 0) ? .weight(Self.largest) : .fault }
            return product <= -254 ? .fault : .weight(min(product, Self.largest))
        case .unknown: return .weight(0)
        case .good: isGood = true
        case .failed: isGood = false
        }
        guard weight != 0 else { return isGood == isReversed ? .fault : .weight(0) }
        return .weight((weight > 0) == isGood ? weight * sign : 0)
    }

    /// The standing that does least harm.
    var harmless: TrackerStanding { isReversed ? .failed : .good }

    private static let largest = 253

    /// What an instance and its group track of one kind. Where both name a thing the group's weight counts, unless the instance's has none.
    static func merged(_ own: [TrackedObject], with group: [TrackedObject]) -> [TrackedObject] {
        guard !group.isEmpty else { return own }
        let names = Set(own.map(\.name))
        return own.map { line in line.weight == 0 ? line : group.first { $0.name == line.name } ?? line }
            + group.filter { !names.contains($0.name) }
    }
}
