// What happens in one probe, line by line, for `lbctl check run`: kept within bounds whatever a server sends.

/// The lines so far.
struct ProbeStory {
    private static let mostLines = 100
    private static let longestLine = 200

    private(set) var lines: [(time: Duration, text: String)] = []

    /// A line more, `time` after the probe began. Whatever cannot be printed is shown as a dot.
    mutating func add(_ text: String, after time: Duration) {
        guard lines.count < Self.mostLines else { return }
        let isLast = lines.count == Self.mostLines - 1
        let printed = text.unicodeScalars.prefix(Self.longestLine).map { scalar in
            scalar.value < 0x20 || scalar.value == 0x7F ? "." : String(scalar)
        }
        lines.append((time, isLast ? "and so on" : printed.joined()))
    }
}
