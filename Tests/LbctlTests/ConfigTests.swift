// `lbctl config show`, `diff` and `check --sarif`: what they print.
import ArgumentParser
import Foundation
import Glibc
import JSON
import Platform
import Testing

@testable import Configuration
@testable import lbctl

@Suite struct ConfigTests {
    private let scratch = ScratchDirectory()

    private func write(_ text: String, _ name: String) throws -> String { try scratch.write(text, name) }

    private func screen(_ shown: Shown, width: Int) throws -> String {
        var screen = Screen(style: Style(isColoured: false), now: .now, width: width)
        try shown.screen(&screen)
        return screen.text
    }

    // MARK: show

    @Test func `show has value, line and default in columns, also at 80`() throws {
        let path = try write(sampleInstance, "a.conf")
        let command = try ConfigCommand.Show.parse([path, "--block", "VI_1"])
        let shown = try command.answer(ConfigCommand.values(of: path).blocks, in: path)
        let text = try screen(shown, width: 80)
        #expect(text.contains("vrrp_instance VI_1  a.conf:1\n"), "\(text)")
        #expect(
            text.split(separator: "\n").contains {
                $0.hasPrefix("  advert_int") && $0.contains("1 s") && $0.hasSuffix("written: 0.4")
            }, "\(text)")
        #expect(
            text.split(separator: "\n").contains {
                $0.hasPrefix("  priority") && $0.contains("100") && $0.contains("default")
            })
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 })
        #expect(!text.contains("debug"))
        let object = try #require(shown.wire.first)
        #expect(object["block"]?.string == "vrrp_instance VI_1")
        let settings = object["settings"]?.array?.compactMap(\.object) ?? []
        #expect(settings.contains { $0["word"]?.string == "virtual_router_id" && $0["origin"]?.string == "\(path):3" })
    }

    @Test func `a block that is not there is refused with those that are`() throws {
        let path = try write(sampleInstance, "a.conf")
        let blocks = try ConfigCommand.values(of: path).blocks
        #expect(throws: Failure.self) { try ConfigCommand.Show.parse(["--block", "VI_2"]).answer(blocks, in: path) }
    }

    // MARK: diff

    @Test func `diff names block, word and effect`() throws {
        let old = try ConfigCommand.values(of: write(sampleInstance, "old.conf"))
        let new = try ConfigCommand.values(
            of: write(sampleInstance.replacing("192.0.2.1/24", with: "192.0.2.1/24\n192.0.2.7"), "new.conf"))
        let shown = ConfigCommand.Diff.shown(old.differences(to: new), "old.conf", "new.conf")
        #expect(
            try screen(shown, width: 80) == """
                new.conf, compared to old.conf:
                ~ vrrp_instance VI_1
                    + virtual_ipaddress 192.0.2.7
                    a master adds and removes these; traffic of the others goes on

                """)
        #expect(shown.wire.first?["change"]?.string == "changed")
        let same = ConfigCommand.Diff.shown(old.differences(to: old), "old.conf", "old.conf")
        #expect(try screen(same, width: 80) == "old.conf says the same as old.conf.\n")
        #expect(same.wire.isEmpty)
    }

    // MARK: SARIF

    /// What SARIF 2.1.0 requires: §3.13 log, §3.14 run, §3.18-19 tool, §3.27 result, §3.28-30 locations and regions.
    @Test func `SARIF has the structure that the standard requires`() throws {
        let path = try write(
            "vrrp_instance V {\nstate MASTRE\ninterface eth0\nvirtual_router_id 51\nvirtual_router_id 52\n}\n",
            "a b.conf")
        let loaded = Configuration.load(files: DiskFiles(), path: path)
        #expect(loaded.diagnostics.count > 1)
        let log = try #require(loaded.sarif.object)
        #expect(log["version"]?.string == "2.1.0")
        #expect(log["$schema"]?.string?.hasPrefix("https://") == true)
        let runs = try #require(log["runs"]?.array)
        #expect(runs.count == 1)
        let run = try #require(runs[0].object)
        let driver = try #require(run["tool"]?.object?["driver"]?.object)
        #expect(driver["name"]?.string?.isEmpty == false)
        let rules = try #require(driver["rules"]?.array).compactMap { $0.object?["id"]?.string }
        #expect(Set(rules).count == rules.count && rules.count == Diagnostic.Code.allCases.count)
        let results = try #require(run["results"]?.array)
        #expect(results.count == loaded.diagnostics.count)
        for (result, diagnostic) in zip(results, loaded.diagnostics) {
            let result = try #require(result.object)
            #expect(["none", "note", "warning", "error"].contains(result["level"]?.string))
            #expect(result["message"]?.object?["text"]?.string?.contains(diagnostic.message) == true)
            guard case .int(let index)? = result["ruleIndex"] else {
                Issue.record("no ruleIndex")
                continue
            }
            #expect(rules[Int(index)] == result["ruleId"]?.string)
            let location = try #require(result["locations"]?.array?.first?.object?["physicalLocation"]?.object)
            let uri = try #require(location["artifactLocation"]?.object?["uri"]?.string)
            #expect(URL(string: uri)?.path == path, "\(uri)")
            let region = try #require(location["region"]?.object)
            guard case .int(let line)? = region["startLine"], case .int(let column)? = region["startColumn"],
                case .int(let end)? = region["endColumn"]
            else {
                Issue.record("no region")
                continue
            }
            #expect(line >= 1 && column >= 1 && end > column)
        }
    }

    @Test func `a file as a whole has no region`() {
        let loaded = Configuration.load(files: DiskFiles(), path: "/does/not/exist.conf")
        let location = loaded.sarif.object?["runs"]?.array?.first?.object?["results"]?.array?.first?.object?[
            "locations"]?
            .array?.first?.object?["physicalLocation"]?.object
        #expect(location?["artifactLocation"] != nil)
        #expect(location?["region"] == nil)
    }
}
