// The text that Prometheus reads: OpenMetrics 1.0 where it is asked for, else the older text format 0.0.4. They differ in the name of a
// counter's family and in the last line.

/// A text of metrics as it grows.
struct MetricsText {
    enum Kind: String {
        case gauge, counter, histogram
    }

    /// Labels of a sample, in their order.
    typealias Labels = KeyValuePairs<String, String>

    private(set) var text = ""
    private let isOpenMetrics: Bool

    /// Nothing yet.
    init(isOpenMetrics: Bool) { self.isOpenMetrics = isOpenMetrics }

    /// Its media type.
    static func type(isOpenMetrics: Bool) -> String {
        isOpenMetrics
            ? "application/openmetrics-text; version=1.0.0; charset=utf-8" : "text/plain; version=0.0.4; charset=utf-8"
    }

    /// The last line.
    mutating func end() { if isOpenMetrics { text += "# EOF\n" } }

    /// A family with its samples; nothing when it has none. `name` of a counter is without `_total`.
    mutating func family(
        _ name: String, as kind: Kind = .gauge, _ help: String, _ samples: [(labels: Labels, value: Double)]
    ) {
        guard !samples.isEmpty else { return }
        let sample = kind == .counter ? name + "_total" : name
        begin(isOpenMetrics ? name : sample, kind, help)
        for (labels, value) in samples { add(sample, labels, value) }
    }

    /// A family `evenkeel_NAME` with a value of each subject; nil leaves one out.
    mutating func add<Subject>(
        _ name: String, as kind: Kind = .gauge, _ help: String, of subjects: [(labels: Labels, subject: Subject)],
        _ value: (Subject) -> Double?
    ) {
        family(
            "evenkeel_\(name)", as: kind, help,
            subjects.compactMap { labels, subject in value(subject).map { (labels, $0) } })
    }

    /// A family of histograms: each with how many were above the limit before and not above this one, in the order of the limits, the last
    /// one without.
    mutating func histograms(
        _ name: String, _ help: String, _ samples: [(labels: Labels, buckets: [(limit: Double?, count: Int)])]
    ) {
        guard !samples.isEmpty else { return }
        begin(name, .histogram, help)
        for (labels, buckets) in samples {
            var sum = 0
            for bucket in buckets {
                sum += bucket.count
                if let limit = bucket.limit { add(name + "_bucket", labels, Double(sum), ("le", Self.number(limit))) }
            }
            add(name + "_bucket", labels, Double(sum), ("le", "+Inf"))
            add(name + "_count", labels, Double(sum))
        }
    }

    private mutating func begin(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    private mutating func add(_ name: String, _ labels: Labels, _ value: Double, _ last: (String, String)? = nil) {
        text += name
        let all = labels.map { ($0.key, $0.value) } + (last.map { [$0] } ?? [])
        if !all.isEmpty {
            text += "{" + all.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",") + "}"
        }
        text += " \(Self.number(value))\n"
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
    }

    private static func escaped(_ value: String) -> String {
        var text = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
