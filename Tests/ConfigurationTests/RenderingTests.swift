// What a person sees: the place, the line, the caret under the right characters.
import Testing

@testable import Configuration

@Suite struct RenderingTests {
    @Test func `a diagnostic shows file, line, column, the line, a caret and the remedy`() throws {
        let loaded = load("global_defs {\n\trouter_idd  A\n}\n")
        let diagnostic = try #require(loaded.diagnostics.first)
        #expect(
            diagnostic.rendered() == """
                test.conf:2:2: error: "router_idd" is not a keyword in global_defs
                    2 | \trouter_idd  A
                      | \t^~~~~~~~~~
                      = did you mean router_id?

                """)
    }

    @Test func `wide characters before the caret take two columns`() throws {
        let loaded = load("global_defs { # 使用\nrouter_id \"加权\" 轮询\n}\n")
        let diagnostic = try #require(loaded.diagnostics.first)
        #expect(diagnostic.position.column == 16)
        let lines = diagnostic.rendered().split(separator: "\n")
        #expect(lines[2] == "      |                  ^~~~")
    }

    @Test func `a substituted value points at the parameter`() throws {
        let loaded = load("$P=300\n" + instanceText("priority ${P}"))
        let diagnostic = try #require(loaded.diagnostics.first)
        #expect(diagnostic.code == .outOfRange)
        #expect(diagnostic.rendered().contains("^~~~\n"))
        #expect(diagnostic.source.line.contains("${P}"))
    }

    @Test func `colour is only escapes around the same text`() throws {
        let diagnostic = try #require(load("nonsense\n").diagnostics.first)
        var plain = ""
        var isEscape = false
        for character in diagnostic.rendered(color: true) {
            if character == "\u{1B}" { isEscape = true }
            if !isEscape { plain.append(character) }
            if character == "m" { isEscape = false }
        }
        #expect(diagnostic.rendered(color: true) != diagnostic.rendered())
        #expect(plain == diagnostic.rendered())
    }

    @Test func `a note shows its own line`() throws {
        let loaded = try Fixtures.load("scenarios/warm-standby/as-published.conf")
        let text = loaded.diagnostics.map { $0.rendered() }.joined()
        #expect(
            text.contains("25:1: error: vrrp_instance VI_1 is opened here and not closed before vrrp_instance VI_2"))
        #expect(
            text.contains(
                "51:1: note: vrrp_instance VI_2 cannot be inside vrrp_instance VI_1\n   51 | vrrp_instance VI_2 {"))
    }
}
