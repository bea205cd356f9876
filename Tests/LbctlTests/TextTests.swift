// Ages, times, columns and colours as people read them.
import JSON
import Testing

@testable import lbctl

@Suite struct TextTests {
    @Test(arguments: [
        (0.2, "just now"), (1, "1 s ago"), (119, "119 s ago"), (120, "2 min ago"), (7199, "119 min ago"),
        (7200, "2 h ago"), (172_799, "47 h ago"), (172_800, "2 days ago"), (-30, "just now"), (-1e12, "just now"),
    ])
    func `ages have one unit`(_ seconds: Double, _ expected: String) {
        #expect(Timestamp(milliseconds: now.milliseconds - Int64(seconds * 1000)).ago(from: now) == expected)
    }

    @Test(arguments: [
        ("2026-11-21T15:04:05Z", 1_795_273_445.0), ("2026-11-21T15:04:05.250Z", 1_795_273_445.25),
        ("1970-01-01T00:00:00.000Z", 0), ("2026-11-21T15:04:05+01:00", nil), ("2026-11-21 15:04:05Z", nil), ("", nil),
        ("2026-11-21T15:04:05.xZ", nil), ("20é6-11-21T15:04:05Z", nil), ("2026-13-21T15:04:05Z", nil),
        ("2026-11-21T25:04:05Z", nil), ("+026-11-21T15:04:05Z", nil), ("2026-11-21T15:04:05.Z", nil),
        ("2026-11-21T15:04:05.6069Z", 1_795_273_445.606),
    ])
    func `times are read as the bus writes them and nothing else is`(_ text: String, _ expected: Double?) {
        #expect(Timestamp(text)?.milliseconds == expected.map { Int64(($0 * 1000).rounded()) })
    }

    @Test func `every millisecond is shown as it came`() {
        for thousandth in 0..<1000 {
            let fraction = String(String(1000 + thousandth).dropFirst())
            #expect(
                Timestamp("2026-11-21T15:04:05.\(fraction)Z")?.clock(at: now).hasSuffix("04:05.\(fraction)") == true)
        }
    }

    @Test func `a time of another day has its date`() throws {
        let yesterday = try #require(Timestamp("2026-11-20T15:04:05.678Z"))
        #expect(yesterday.clock(at: now).hasPrefix("2026-11-2"))
        #expect(yesterday.clock(at: now).count == "2026-11-20 15:04:05.678".count)
        #expect(yesterday.clock(at: yesterday).count == "15:04:05.678".count)
        #expect(Timestamp("1969-12-31T23:59:59.999Z")?.clock(at: now).hasSuffix("59:59.999") == true)
    }

    @Test func `a long line is broken at blanks, and nothing is lost`() {
        let pieces: [Cell] = ["  ", Cell("subject", .strong), ": ", Cell("one two  three four five", .bad)]
        let style = Style(isColoured: false)
        #expect(Wrap.lines(pieces, style, width: nil) == ["  subject: one two  three four five"])
        #expect(Wrap.lines(pieces, style, width: 20) == ["  subject: one two", "    three four five"])
        #expect(
            Wrap.lines(pieces, style, width: 8) == [
                "  subject:", "    one", "    two", "    three", "    four", "    five",
            ])
        let coloured = Wrap.lines(pieces, Style(isColoured: true), width: 20)
        #expect(
            coloured == [
                "  \u{1B}[1msubject\u{1B}[0m: \u{1B}[1;31mone two\u{1B}[0m", "    \u{1B}[1;31mthree four five\u{1B}[0m",
            ])
    }

    @Test func `a table that is too wide puts its last column where there is room`() {
        var table = Table("NAME", .number("N"), "WHY")
        table.row("first", Cell(5), "because of something that takes many words")
        table.row("second", Cell(50), "")
        func lines(_ width: Int) -> [String] { table.lines(Style(isColoured: false), indent: 2, width: width).all }
        #expect(
            lines(80) == [
                "  NAME     N  WHY", "  first    5  because of something that takes many words", "  second  50",
            ])
        #expect(
            lines(44) == [
                "  NAME     N  WHY", "  first    5  because of something that", "              takes many words",
                "  second  50",
            ])
        #expect(
            lines(30) == [
                "  NAME     N", "  first    5", "      because of something", "      that takes many words",
                "  second  50",
            ])
        #expect(
            lines(10) == [
                "  first  5", "    WHY", "    because", "    of", "    something", "    that", "    takes", "    many",
                "    words",
                "  second", "    50",
            ])
    }

    /// Events are lines to be searched and are never broken.
    @Test(arguments: Recorded.allCases.filter { $0 != .events && $0 != .statusColoured }, [20, 40, 60, 80, 100])
    func `no screen is wider than the terminal but by a single word`(_ screen: Recorded, _ width: Int) {
        let text = ScreenWidth.$current.withValue(width) { screen.text }
        for line in text.split(separator: "\n") where line.count > width && !screen.rawValue.contains(/[0-9]/) {
            #expect(!line.drop { $0 == " " }.contains(" "), "\(line.count) characters: \(line)")
        }
    }

    @Test func `columns line up, empty ones are left out, and no line ends in spaces`() {
        var table = Table("NAME", .number("N"), "UNUSED", "WHY")
        table.row("a", Cell(5), "", "short")
        table.row("longer", Cell(1234), "", "")
        table.row("é", "", "", Cell("x", .bad))
        let lines = [
            "NAME       N  WHY",
            "a          5  short",
            "longer  1234",
            "é             x",
        ]
        #expect(table.lines(Style(isColoured: false)).all == lines)
    }

    @Test func `colour does not move columns`() {
        var table = Table("A", "B")
        table.row(Cell("down", .bad), "b")
        let lines = table.lines(Style(isColoured: true), indent: 1).all
        #expect(lines[1] == " \u{1B}[1;31mdown\u{1B}[0m  b")
    }

    @Test(arguments: [
        (true, [:], true), (false, [:], false), (true, ["NO_COLOR": "1"], false), (true, ["NO_COLOR": ""], true),
        (true, ["TERM": "dumb"], false),
    ])
    func `there is colour on a terminal unless NO_COLOR says no`(
        _ isTerminal: Bool, _ environment: [String: String], _ expected: Bool
    ) {
        #expect(Style.detect(isTerminal: isTerminal, environment: { environment[$0] }).isColoured == expected)
    }

    @Test func `what came from elsewhere cannot control the terminal`() {
        #expect(Cell("a\u{1B}[2Jb\n\u{9B}1mc\u{7F}").text == "a\u{FFFD}[2Jb\u{FFFD}\u{FFFD}1mc\u{FFFD}")
        #expect(Cell("日本 é 🚀").text == "日本 é 🚀")
    }

    @Test func `a page that did not come is told with its reason`() {
        let text = Refusal.text("io.evenkeel.Check.ComputeDigest", "io.evenkeel.Check.NoPage", ["reason": "status 500"])
        #expect(text == "no page came: status 500")
    }

    @Test func `a test of alerts that is under way is said, with what to do`() {
        let text = Refusal.text("io.evenkeel.Check.TestAlerts", "io.evenkeel.Check.TestUnderWay", [:])
        #expect(text.hasPrefix("another test of alerts is under way: wait until"))
    }

    @Test func `JSON is indented in the order of the wire`() {
        let value: JSONValue = ["b": [1, ["x": nil]], "a": [:], "c": [], "d": "q\"é"]
        let text = """
            {
              "b": [
                1,
                {
                  "x": null
                }
              ],
              "a": {},
              "c": [],
              "d": "q\\"é"
            }
            """
        #expect(JSONText.indented(value) == text)
        #expect(JSONText.line(value) == #"{"b":[1,{"x":null}],"a":{},"c":[],"d":"q\"é"}"#)
    }
}
