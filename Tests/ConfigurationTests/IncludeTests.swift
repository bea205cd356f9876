// Includes: where files are looked for, what must exist under which variant, and that they end.
import Testing

@testable import Configuration

@Suite struct IncludeTests {
    private let parts = [
        "conf.d/a.conf": "global_defs {\nrouter_id A\n}\n", "conf.d/b.conf": instanceText("priority 7"),
        "conf.d/deep/c.conf": "include ../d.inc\n", "conf.d/deep/../d.inc": "global_defs {\nrouter_id D\n}\n",
        "inside.inc": "priority 9\n",
    ]

    @Test func `a pattern reads every file that matches, in order`() throws {
        let configuration = try #require(load("include conf.d/*.conf\n", parts).configuration)
        #expect(configuration.global.routerID == "A")
        #expect(configuration.instances.map(\.priority) == [7])
    }

    @Test func `braces are alternatives`() {
        #expect(expandBraces("a{b,c{d,e},}f", limit: 100) == ["abf", "acdf", "acef", "af"])
        #expect(expandBraces("a{b", limit: 100) == ["a{b"])
        #expect(load("include conf.d/{a,b}.conf\n", parts).configuration?.instances.count == 1)
    }

    @Test func `paths are relative to the including file`() {
        #expect(load("include conf.d/deep/c.conf\n", parts).configuration?.global.routerID == "D")
    }

    @Test func `an include may stand inside a block`() throws {
        #expect(
            try #require(load(instanceText("include inside.inc"), parts).configuration).instances.first?.priority == 9)
    }

    @Test func `an include may depend on the director and use parameters`() {
        let text = "$DIR=conf.d\n@left include ${DIR}/a.conf\n"
        #expect(load(text, parts, options: LoadOptions(configID: "left")).configuration?.global.routerID == "A")
        #expect(load(text, parts, options: LoadOptions(configID: "right")).configuration?.global.routerID == nil)
    }

    @Test(arguments: [
        ("include none/*.conf", true), ("include none.conf", false), ("includer none/*.conf", true),
        ("includem none/*.conf", false),
        ("includem conf.d/{a,x}.conf", true), ("includew {conf.d,none}/*.conf", false),
        ("includew conf.d/*.conf", true),
        ("includeb conf.d/{a,x}.conf", false), ("include conf.d/{a,x}.conf", true), ("includea conf.d/*.conf", true),
        ("includea none/*.conf", false), ("include", false),
    ])
    func `variants differ in what must be there`(_ line: String, _ isAccepted: Bool) {
        #expect((load(line + "\n", parts).configuration != nil) == isAccepted)
    }

    @Test func `a file that includes itself is said, once`() {
        let loaded = load("include test.conf\n")
        #expect(summary(loaded) == ["1:9 error fileNotFound"])
        #expect(loaded.diagnostics.first?.message.contains("includes itself") == true)
    }

    @Test func `includes end at a depth`() {
        var files: [String: String] = [:]
        for index in 0..<40 { files["f\(index)"] = "include f\(index + 1)\n" }
        let loaded = load("include f0\n", files)
        #expect(loaded.diagnostics.map(\.code) == [.limitExceeded])
    }

    @Test func `a problem in an included file is placed there`() throws {
        let loaded = load("include conf.d/bad.conf\n", ["conf.d/bad.conf": "\n  nonsense\n"])
        let diagnostic = try #require(loaded.diagnostics.first)
        #expect(diagnostic.position.description == "conf.d/bad.conf:2:3")
    }

    @Test func `the digest is of every file that was read`() {
        let one = load("include conf.d/a.conf\n", parts).digest
        var changed = parts
        changed["conf.d/a.conf"] = "global_defs {\nrouter_id B\n}\n"
        #expect(load("include conf.d/a.conf\n", changed).digest != one)
        #expect(load("include conf.d/a.conf\n", parts).digest == one)
    }

    @Test func `a missing main file is an error with its path`() {
        let loaded = Configuration.load(files: MemoryFiles([:]), path: "/etc/none.conf")
        #expect(loaded.configuration == nil)
        #expect(loaded.diagnostics.first?.code == .fileNotFound)
        #expect(loaded.diagnostics.first?.rendered().hasPrefix("/etc/none.conf") == true)
    }
}
