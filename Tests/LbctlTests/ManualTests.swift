// The manual pages: everything is in them that --help and the keyword table have, and those who set manuals find nothing to complain of.
import Configuration
import Foundation
import Testing

@testable import lbctl

@Suite struct ManualTests {
    private static let daemons = ["vrrpd", "ipvsd", "checkd", "scriptd", "busd"]

    /// A page as it is installed.
    private static func page(_ name: String) throws -> String {
        switch name {
        case "lbctl": return try ManualPage.lbctl().text
        case "evenkeel.conf": return ManualPage.configuration().text
        default:
            let help = try Program(name, ["--help"]).finish(within: .seconds(10)).output
            return try #require(ManualPage(daemon: name, help: help)).text
        }
    }

    /// As a terminal shows it, 200 columns wide.
    private static func shown(_ page: String) throws -> (text: String, complaints: String) {
        try tool(["groff", "-man", "-ww", "-K", "utf8", "-T", "utf8", "-P", "-cbou", "-rLL=200n"], page)
    }

    private static func tool(_ words: [String], _ input: String) throws -> (text: String, complaints: String) {
        let file = FileManager.default.temporaryDirectory.appending(path: "manual-\(UInt32.random(in: 0 ... .max))")
        try input.write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        let result = try Program.run("/usr/bin/env", words + [file.path])
        return (result.output, result.errors)
    }

    @Test(arguments: ["lbctl", "evenkeel.conf"] + daemons)
    func `no word of a page is wrong to groff or mandoc`(_ name: String) throws {
        let page = try Self.page(name)
        #expect(try Self.shown(page).complaints == "")
        // Pages have no date: they are as old as their program.
        let lint = try Self.tool(["mandoc", "-T", "lint", "-W", "warning"], page)
        let complaints = (lint.text + lint.complaints).split(separator: "\n").filter { !$0.contains("missing date") }
        #expect(complaints == [])
    }

    @Test(arguments: daemons)
    func `a daemon's page has what its help has`(_ name: String) throws {
        let text = try Self.shown(Self.page(name)).text
        for part in [
            "NAME", "\(name) - ", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "--config FILE", "--last-good", "SIGNALS",
            "EXIT STATUS", "EXAMPLE", "evenkeel.conf(5)",
        ] {
            #expect(text.contains(part), "\(part): \(text)")
        }
        #expect(text.contains("--release") == (name == "vrrpd"))
        #expect(ManualPage(daemon: name, help: "nonsense") == nil)
    }

    @Test func `lbctl's page has every command and option`() throws {
        let text = try Self.shown(Self.page("lbctl")).text
        for part in [
            "lbctl - see and steer the daemons", "lbctl vrrp failover NAME", "lbctl server drain SERVER [--all]",
            "lbctl ipvs", "lbctl doctor [--config FILE]", "--socket PATH", "--json", "EXIT STATUS", "ENVIRONMENT",
            "EXAMPLES", "lbctl config check ./left.conf --peer ./right.conf",
        ] {
            #expect(text.contains(part), "\(part)")
        }
        #expect(!text.contains("lbctl manual"))
        // Told once.
        #expect(text.components(separatedBy: "  --socket PATH\n").count == 2)
    }

    @Test func `the page of the configuration has every word of every block`() throws {
        let text = try Self.shown(Self.page("evenkeel.conf")).text
        for entry in KeywordTable.entries {
            #expect(text.contains(entry.syntax), "\(entry.syntax)")
            #expect(text.contains(entry.heading.uppercased()), "\(entry.heading)")
        }
    }
}
