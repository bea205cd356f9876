// What a command shows, built line by line before anything is printed. The same data gives the same screen: the clock
// and the terminal with its width are arguments.

/// A text answer in the making.
struct Screen {
    let style: Style
    let now: Timestamp
    /// Characters in a line of the terminal; nil when the text goes somewhere else.
    let width: Int?
    private(set) var lines: [String] = []

    init(style: Style, now: Timestamp, width: Int? = nil) {
        self.style = style
        self.now = now
        self.width = width
    }

    /// For this terminal, at this moment.
    static func current() -> Screen { Screen(style: .detect(), now: .now, width: Terminal.width()) }

    /// The text, ending in a newline unless empty.
    var text: String { lines.isEmpty ? "" : lines.joined(separator: "\n") + "\n" }

    /// A line made of pieces; where it goes on below, `hanging` blanks stand before it.
    mutating func add(_ pieces: Cell..., hanging: Int? = nil) {
        lines += Wrap.lines(pieces, style, width: width, hanging: hanging)
    }

    /// A heading, after an empty line unless it is the first.
    mutating func heading(_ text: String, _ tone: Tone = .strong) {
        if !lines.isEmpty { lines.append("") }
        add(Cell(text, tone))
    }

    mutating func add(_ table: Table, indent: Int = 0) {
        lines += table.lines(style, indent: indent, width: width).all
    }

    mutating func add(_ facts: Facts, indent: Int = 0) {
        lines += facts.lines(style, indent: indent, width: width)
    }

    /// Lines that are complete already.
    mutating func add(lines finished: some Sequence<String>) {
        lines += finished
    }

    /// `3 min ago`, or the text as it came when it is not a time.
    func ago(_ time: String) -> String { Timestamp(time)?.ago(from: now) ?? time }

    /// `for 3 min`, or nothing when the text is not a time.
    func duration(_ time: String) -> String { Timestamp(time).map { " for \($0.age(at: now))" } ?? "" }
}
