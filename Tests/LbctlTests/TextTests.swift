// Ages, times, columns and colours as people read them.
import JSON
import Testing

@testable import lbctl

@Suite struct TextTests {
    @Test(arguments: [
        (0.2, "just now"), (1, "1 s ago"), (119, "119 s ago"), (120, "2 min ago"), (7199, "119 min ago"),
        (7200, "2 h ago"), (172_799, "47 h ago"), (172_800, "2 days ago"), (-30, "just now"), (1e300, "ages ago"),
    ])
    func `ages have one unit`(_ seconds: Double, _ expected: String) {
        #expect(Timestamp(seconds: now.seconds - seconds).ago(from: now) == expected)
    }

    @Test(arguments: [
        ("2026-11-21T15:04:05Z", 1_795_273_445.0), ("2026-11-21T15:04:05.250Z", 1_795_273_445.25),
        ("1970-01-01T00:00:00.000Z", 0), ("2026-11-21T15:04:05+01:00", nil), ("2026-11-21 15:04:05Z", nil), ("", nil),
        ("2026-11-21T15:04:05.xZ", nil), ("20é6-11-21T15:04:05Z", nil),
    ])
    func `times are read as the bus writes them and nothing else is`(_ text: String, _ expected: Double?) {
        #expect(Timestamp(text)?.seconds == expected)
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
        #expect(table.lines(Style(isColoured: false)) == lines)
    }

    @Test func `colour does not move columns`() {
        var table = Table("A", "B")
        table.row(Cell("down", .bad), "b")
        let lines = table.lines(Style(isColoured: true), indent: 1)
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
