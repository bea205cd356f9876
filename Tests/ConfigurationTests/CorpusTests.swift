// keepalived 2.2.7 beside the reader, over every fixture and over small files for one keyword each (Fixtures/keyword-cases.txt):
// what keepalived takes without a word loads, what it complains about is never silent. Where the two are meant to differ
// Fixtures/differences.txt says so and why; a difference that is gone fails too.
import Foundation
import Testing

@testable import Configuration

@Suite struct CorpusTests {
    /// A file to ask both about.
    struct Case: Sendable {
        var name: String
        var text: String
    }

    /// What is wrong with a case: nil when the two agree.
    private enum Difference: String {
        case refused = "keepalived takes it, the reader refuses it"
        case silent = "keepalived complains, the reader says nothing"
    }

    /// The lines of a table without comments.
    static func lines(_ file: String) throws -> [Substring] {
        try Fixtures.text(file).split(separator: "\n").filter { !$0.hasPrefix("#") }
    }

    private static func text(_ block: Substring, _ line: String) -> String {
        func instance(_ lines: String, interface: String = "interface eth0", id: String = "virtual_router_id 51")
            -> String
        {
            let own = lines.hasPrefix("interface") ? "" : interface
            let number = lines.hasPrefix("virtual_router_id") ? "" : id
            return "vrrp_instance V {\n\(own)\n\(number)\nvirtual_ipaddress {\n192.0.2.1\n}\n\(lines)\n}\n"
        }
        func service(_ lines: String, _ server: String = "") -> String {
            let kinds = [("lb_algo", "sh"), ("lb_kind", "NAT"), ("protocol", "TCP")]
            let head = kinds.filter { !lines.hasPrefix($0.0) }.map { "\($0.0) \($0.1)" }.joined(separator: "\n")
            return "virtual_server 192.0.2.1 80 {\n\(head)\n\(lines)\nreal_server 192.0.2.2 80 {\n\(server)\n}\n}\n"
        }
        return switch block {
        case "global": "global_defs {\n\(line)\n}\n" + instance("priority 100")
        case "instance": instance(line)
        case "service": service(line)
        case "server": service("", line)
        case "check": service("", "TCP_CHECK {\n\(line)\n}")
        case "page": service("", "SSL_GET {\nurl {\npath /\n}\n\(line)\n}")
        case "url": service("", "HTTP_GET {\nurl {\npath /\n\(line)\n}\n}")
        case "route": instance("virtual_routes {\n\(line)\n}")
        case "rule": instance("virtual_rules {\n\(line)\n}")
        case "address": instance("virtual_ipaddress {\n\(line)\n}")
        default: instance("virtual_ipaddress_excluded {\n\(line)\n}")
        }
    }

    /// `block words :: values`: every word with every value, and without one when there are words only for switches.
    private static func keywordCases() throws -> [Case] {
        try lines("keyword-cases.txt").flatMap { line -> [Case] in
            let parts = line.components(separatedBy: "::")
            let head = parts[0].split(separator: " ", maxSplits: 1)
            let values = parts[1].split(separator: " ").map(String.init)
            let isSwitch = values == ["off", "junk"]
            return head[1].split(separator: "|").flatMap { word in
                ((isSwitch || values.isEmpty ? [""] : []) + values).map { value in
                    let line = [word.trimmingCharacters(in: .whitespaces), value].filter { !$0.isEmpty }
                        .joined(separator: " ")
                    return Case(name: "\(head[0]) \(line)", text: text(head[0], line))
                }
            }
        }
    }

    private static func fixtures() throws -> [Case] {
        try Fixtures.configurations("").filter { !$0.hasSuffix("self.conf") }.map {
            Case(name: $0, text: try Fixtures.text($0))
        }
    }

    /// The samples that come with Debian's keepalived; none where documentation is not installed.
    private static func samples() throws -> [Case] {
        let folder = URL(filePath: "/usr/share/doc/keepalived/samples")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return try names.filter { $0.hasPrefix("keepalived.conf.") && !$0.hasSuffix(".gz") }.sorted().map {
            Case(name: "samples/\($0)", text: try String(contentsOf: folder.appending(path: $0), encoding: .utf8))
        }
    }

    /// False when keepalived has something to say, script security aside (status 6).
    private static func isTaken(_ text: String, at path: String) throws -> Bool {
        try verdict(text, at: path).isTaken
    }

    /// The same, with what it says.
    static func verdict(_ text: String, at path: String) throws -> (isTaken: Bool, said: [Substring]) {
        // Interfaces are the machine's; with this word keepalived waits for those that are missing.
        try ("global_defs {\ndynamic_interfaces\n}\n" + text).write(
            toFile: path, atomically: false, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(filePath: "/usr/sbin/keepalived")
        process.arguments = ["-t", "-i", "left", "-f", path]
        let pipe = Pipe()
        process.standardError = pipe
        process.standardOutput = pipe
        try process.run()
        let said = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let isTaken = process.terminationReason == .exit && [0, 6].contains(process.terminationStatus)
        return (isTaken, said.split(whereSeparator: \.isNewline))
    }

    /// The lines of the keyword cases by block, without those that are meant to differ; `sound` ones have no error by themselves.
    static func sharedLines() throws -> (all: [String: [String]], sound: [String: [String]]) {
        let meant = Set(try lines("differences.txt").map { $0.components(separatedBy: " -- ")[0] })
        let cases = try keywordCases().filter { !meant.contains($0.name) }
        func byBlock(_ cases: [Case]) -> [String: [String]] {
            Dictionary(grouping: cases.map(\.name)) { String($0.prefix { $0 != " " }) }
                .mapValues { $0.map { String($0.drop { $0 != " " }.dropFirst()) } }
        }
        return (byBlock(cases), byBlock(cases.filter { !load($0.text).hasErrors }))
    }

    @Test func `keepalived and the reader agree but for what is meant`() throws {
        let path = NSTemporaryDirectory() + "/evenkeel-corpus-\(getpid()).conf"
        defer { try? FileManager.default.removeItem(atPath: path) }
        var meant: [String: String] = [:]
        for line in try Self.lines("differences.txt") {
            let parts = line.components(separatedBy: " -- ")
            meant[parts[0]] = parts.dropFirst().first ?? ""
        }
        let samples = try Self.samples()
        if samples.isEmpty { meant = meant.filter { !$0.key.hasPrefix("samples/") } }
        let cases = try Self.fixtures() + samples + Self.keywordCases()
        #expect(cases.count > 200)
        for item in cases {
            let loaded = load(item.text, options: LoadOptions(configID: "left"))
            let isTaken = try Self.isTaken(item.text, at: path)
            let difference: Difference? =
                isTaken && loaded.hasErrors ? .refused : !isTaken && loaded.diagnostics.isEmpty ? .silent : nil
            if let reason = meant.removeValue(forKey: item.name) {
                #expect(
                    difference != nil,
                    "\(item.name): no difference any more; take it out of differences.txt (\(reason))")
            } else if let difference {
                Issue.record(
                    "\(item.name): \(difference.rawValue)\n\(loaded.diagnostics.map { $0.rendered() }.joined())")
            }
        }
        #expect(meant.isEmpty, "differences.txt names cases that are not there: \(meant.keys.sorted())")
    }
}
