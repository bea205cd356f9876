// `lbctl config show`, `diff` and `check --sarif`, and `lbctl reload --rollback`: what they print and write.
import ArgumentParser
import Foundation
import Glibc
import JSON
import Platform
import Testing

@testable import Configuration
@testable import lbctl

@Suite struct ConfigTests {
    private let directory: String

    init() throws {
        let template = FileManager.default.temporaryDirectory.appending(path: "lbctl-config-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: template, withIntermediateDirectories: true)
        directory = template.path
    }

    private static let sample = """
        vrrp_instance VI_1 {
            interface eth0
            virtual_router_id 51
            advert_int 0.4
            virtual_ipaddress {
                192.0.2.1/24
            }
        }

        """

    private func write(_ text: String, _ name: String) throws -> String {
        let path = "\(directory)/\(name)"
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    private func content(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

    private func screen(_ shown: Shown, width: Int) throws -> String {
        var screen = Screen(style: Style(isColoured: false), now: .now, width: width)
        try shown.screen(&screen)
        return screen.text
    }

    // MARK: show

    @Test func `show has value, line and default in columns, also at 80`() throws {
        let path = try write(Self.sample, "a.conf")
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
        let path = try write(Self.sample, "a.conf")
        let blocks = try ConfigCommand.values(of: path).blocks
        #expect(throws: Failure.self) { try ConfigCommand.Show.parse(["--block", "VI_2"]).answer(blocks, in: path) }
    }

    // MARK: diff

    @Test func `diff names block, word and effect`() throws {
        let old = try ConfigCommand.values(of: write(Self.sample, "old.conf"))
        let new = try ConfigCommand.values(
            of: write(Self.sample.replacing("192.0.2.1/24", with: "192.0.2.1/24\n192.0.2.7"), "new.conf"))
        let shown = ConfigCommand.Diff.shown(old.differences(to: new), "old.conf", "new.conf")
        #expect(
            try screen(shown, width: 80) == """
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

    // MARK: Rollback

    /// Keeps two configurations as vrrpd would; gives the state directory.
    private func kept() throws -> KeptOptions {
        let kept = KeptConfigurations(directory: "\(directory)/state")
        for priority in ["priority 50", "priority 60"] {
            let path = try write("include \(directory)/conf.d/*.conf\n", "main.conf")
            _ = try write(Self.sample.replacing("advert_int 0.4", with: priority), "conf.d/vi.conf")
            try kept.keep(try #require(ConfigurationFile(path: path).bundle))
        }
        return try KeptOptions.parse(["--state-dir", "\(directory)/state"])
    }

    @Test func `a rollback goes to the configuration in force where the files differ, else to the one before`() throws {
        let options = try kept()
        let file = "\(directory)/conf.d/vi.conf"
        // As in force: back to the one before.
        var rollback = try Rollback(options.configurations(of: nil))
        #expect(rollback.replaced == [file])
        try rollback.carryOut()
        #expect(content(file)?.contains("priority 50") == true)
        #expect(content("\(directory)/conf.d/.vi.conf.rolled-back")?.contains("priority 60") == true)
        // Broken since: back to the one in force, and what came since moves away.
        try "vrrp_instance {".write(toFile: file, atomically: true, encoding: .utf8)
        let newcomer = try write("! new\n", "conf.d/zz.conf")
        rollback = try Rollback(options.configurations(of: nil))
        #expect(rollback.replaced == [file])
        #expect(rollback.moved == [newcomer])
        try rollback.carryOut()
        #expect(content(file)?.contains("priority 60") == true)
        #expect(content(newcomer) == nil)
        #expect(content("\(directory)/conf.d/.zz.conf.rolled-back") == "! new\n")
    }

    @Test func `copies of a rollback are no part of the configuration, and a link stays one`() throws {
        let kept = KeptConfigurations(directory: "\(directory)/state")
        let path = try write("include \(directory)/conf.d/*\n", "main.conf")
        for priority in ["priority 50", "priority 60"] {
            _ = try write(Self.sample.replacing("advert_int 0.4", with: priority), "elsewhere/vi.conf")
            if priority == "priority 50" {
                try FileSystem.makeDirectory("\(directory)/conf.d", mode: 0o755)
                #expect(symlink("../elsewhere/vi.conf", "\(directory)/conf.d/vi.conf") == 0)
            }
            try kept.keep(try #require(ConfigurationFile(path: path).bundle))
        }
        _ = try write("! new\n", "elsewhere/zz")
        let newcomer = "\(directory)/conf.d/zz"
        #expect(symlink("../elsewhere/zz", newcomer) == 0)
        var rollback = try Rollback(KeptOptions.parse(["--state-dir", "\(directory)/state"]).configurations(of: nil))
        #expect(rollback.moved == [newcomer])
        try rollback.carryOut()
        #expect(content(newcomer) == nil)
        #expect(content("\(directory)/conf.d/.zz.rolled-back") == "! new\n", "a link is moved itself")
        rollback = try Rollback(KeptOptions.parse(["--state-dir", "\(directory)/state"]).configurations(of: nil))
        try rollback.carryOut()
        #expect(content("\(directory)/elsewhere/vi.conf")?.contains("priority 50") == true)
        var status = stat()
        #expect(lstat("\(directory)/conf.d/vi.conf", &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
        _ = try ConfigurationFile(path: path)
    }

    @Test func `a rollback that cannot be loaded leaves the files as they were`() throws {
        _ = try kept()
        let file = "\(directory)/conf.d/vi.conf"
        let newcomer = try write("! new\n", "conf.d/zz.conf")
        let before = content(file)
        let command = try ReloadCommand.parse(["--rollback", "--state-dir", "\(directory)/state"])
        let daemons = ScriptedDaemons()
        daemons.attach(.vrrpd)
        #expect(throws: Failure.self) { try command.answer(from: daemons) }
        #expect(content(file) == before)
        #expect(content(newcomer) == "! new\n")
    }

    @Test func `a rollback keeps owner and mode, and with --dry-run nothing is written`() throws {
        let options = try kept()
        let file = "\(directory)/conf.d/vi.conf"
        #expect(chmod(file, 0o640) == 0)
        let before = content(file)
        let command = try ReloadCommand.parse(["--rollback", "--dry-run", "--state-dir", "\(directory)/state"])
        let daemons = ScriptedDaemons()
        daemons.attach(.vrrpd)
        let answer = try command.answer(from: daemons)
        #expect(try text(answer).contains("Would put back: \(file)"))
        #expect(content(file) == before)
        #expect(daemons.calls.allSatisfy { !$0.contains("Reload") })
        var rollback = try Rollback(options.configurations(of: nil))
        try rollback.carryOut()
        var status = stat()
        #expect(stat(file, &status) == 0 && status.st_mode & 0o7777 == 0o640)
    }

    @Test func `without anything kept a rollback says so`() throws {
        let options = try KeptOptions.parse(["--state-dir", "\(directory)/nothing"])
        #expect(throws: Failure.self) { try options.configurations(of: nil) }
    }
}
