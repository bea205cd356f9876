// The defaults of every block beside keepalived's: the data that a running keepalived dumps of a bare configuration, line by line, against what
// `lbctl config show` says counts. Fixtures/defaults/dump.txt says which line is which word, and why where the two differ.
import Glibc
import JSON
import Net
import Platform
import Testing

/// A line of dump.txt.
private struct Expectation {
    enum Meaning {
        case same(word: String)
        case different(word: String)
        case exactly(word: String, value: String)
        case nothing
    }

    /// A label or a whole line of the dump, or what stands for several.
    let line: String
    let meaning: Meaning

    init?(_ text: Substring) {
        if let mark = text.firstRange(of: " => ") {
            line = String(text[..<mark.lowerBound])
            let words = text[mark.upperBound...].split(separator: " ", maxSplits: 1).map(String.init)
            guard words.count == 2 else { return nil }
            meaning = .exactly(word: words[0], value: words[1])
        } else if let mark = text.firstRange(of: " :: ") {
            line = String(text[..<mark.lowerBound])
            let rest = text[mark.upperBound...]
            let word = String(rest.prefix { $0 != " " })
            meaning =
                rest.hasPrefix("- ") ? .nothing : rest.contains(" ≠ ") ? .different(word: word) : .same(word: word)
        } else {
            return nil
        }
    }
}

@Suite(.serialized, .enabled(if: inTheLab), .timeLimit(.minutes(3)))
final class DefaultsTests {
    private let guest: Guest
    private let fixtures = Guest.repository + "/Tests/LabTests/Fixtures/defaults/"

    init() throws { guest = try Guest() }

    private func text(_ path: String) throws -> String {
        String(decoding: try FileSystem.contents(of: path, limit: 1 << 20) ?? [], as: UTF8.self)
    }

    /// What all processes of a keepalived dump together.
    private func dump(of configuration: String) throws -> String {
        try guest.run(
            [
                "/bin/bash", "-euc",
                "ip link add eth0 type veth peer name eth9; ip link set eth0 up; ip link set eth9 up; "
                    + "ip address add 10.78.0.1/24 dev eth0; echo 1 >/run/defaults-file",
            ])
        let pids = ["k", "v", "c", "b"].map { "\(guest.directory)/\($0).pid" }
        let dumps = ["", "_check", "_bfd"].map { "/tmp/keepalived\($0).data" }
        for path in dumps { unlink(path) }
        let keepalived = try Program(
            [
                "/usr/sbin/keepalived", "-n", "-l", "-f", configuration, "-p", pids[0], "-r", pids[1], "-c", pids[2],
                "-b",
                pids[3],
            ], in: nil, log: guest.directory + "/log", loop: guest.loop)
        guest.quote(keepalived) { $0.output }
        try guest.eventually("keepalived runs", within: .seconds(60)) {
            pids.allSatisfy { access($0, F_OK) == 0 } && keepalived.output.contains("entering FAULT state")
        }
        keepalived.signal(SIGUSR1)
        // A process writes its file at once.
        try guest.eventually("it has dumped", within: .seconds(60)) {
            try dumps.allSatisfy { !(try text($0)).isEmpty }
        }
        try guest.observe(for: .milliseconds(500))
        let result = try dumps.map { try text($0) }.joined(separator: "\n")
        keepalived.signal(SIGTERM)
        try guest.eventually("keepalived ends", within: .seconds(30)) { keepalived.exit != nil }
        return result
    }

    /// The lines of each section, the first of its name; a checker's by its kind.
    private static func sections(of dump: String) -> [String: [String]] {
        var sections: [(name: String, lines: [String])] = []
        for line in dump.split(separator: "\n").map(String.init) {
            let words = line.drop { $0 == " " }
            if words.hasPrefix("------<") {
                sections.append((String(words.dropFirst(8).prefix { $0 != ">" }.dropLast()), []))
            } else if words.contains("]:tcp:80 -> [") {
                sections.append(("checker", []))
            } else if !sections.isEmpty {
                if words.hasPrefix("Keepalive method = ") {
                    sections[sections.count - 1].name = String(words.dropFirst(19).prefix { $0 != "," })
                }
                sections[sections.count - 1].lines.append(String(words))
            }
        }
        return Dictionary(sections.map { ($0.name, $0.lines) }, uniquingKeysWith: { first, _ in first })
    }

    /// Label and value pairs of a dump's line: several may stand on one, some have no value.
    private static func pairs(_ line: String) -> [(label: String, value: String)] {
        guard line.contains(" = ") else { return [(line, "")] }
        return line.split(separator: ", ").map { part in
            guard let mark = part.firstRange(of: " = ") else { return (String(part), "") }
            return (String(part[..<mark.lowerBound]), String(part[mark.upperBound...]))
        }
    }

    /// keepalived's value in our words: switches as on and off, times in seconds without needless zeros.
    private static func ours(_ value: String) -> String {
        switch value.lowercased() {
        case "no", "false", "disabled", "off", "unset": return "off"
        case "yes", "true", "enabled", "on", "set": return "on"
        default: break
        }
        let words = value.split(separator: " ")
        if words.count == 2, let number = Double(words[0]) {
            if words[1] == "sec" { return short(number) }
            if words[1] == "us" || words[1] == "usecs" { return short(number / 1_000_000) }
        }
        let digits = value.hasSuffix("s") ? value.dropLast() : value[...]
        return digits.contains(".") ? Double(digits).map(short) ?? value : value
    }

    private static func short(_ number: Double) -> String {
        number == number.rounded() ? String(Int(number)) : String(number)
    }

    /// Our values: the first block of each kind, its words with what counts.
    private func values(of configuration: String) throws -> [String: [String: String]] {
        let said = try guest.run([Program.directory + "/lbctl", "config", "show", "--all", "--json", configuration])
        var blocks: [String: [String: String]] = [:]
        for line in said.split(separator: "\n") where line.hasPrefix("{") {
            let block = try #require(try JSONValue(parsing: Array(line.utf8)).object)
            let kind = try #require(block["kind"]?.string)
            guard blocks[kind] == nil else { continue }
            blocks[kind] = [:]
            for setting in block["settings"]?.array ?? [] {
                guard let word = setting["word"]?.string, let value = setting["value"]?.string else { continue }
                blocks[kind]?[word] = value
            }
        }
        for (word, value) in blocks["top level"] ?? [:] { blocks["global_defs"]?[word] = value }
        return blocks
    }

    @Test func `the defaults of every block are keepalived's, but for differences that are meant`() throws {
        let configuration = fixtures + "bare.conf"
        let sections = Self.sections(of: try dump(of: configuration))
        let values = try values(of: configuration)
        var compared = 0
        for chapter in try text(fixtures + "dump.txt").split(separator: "\n== ").dropFirst() {
            let lines = chapter.split(separator: "\n")
            let title = lines[0].components(" == ")
            let expectations = lines.dropFirst().compactMap { Expectation($0) }
            #expect(expectations.count == lines.count - 1, "a line of \(title[0]) in dump.txt makes no sense")
            let said = try #require(sections[title[0]], "keepalived dumped no \(title[0])")
            let own = try #require(values[title[1]], "there is no block \(title[1])")
            compared += compare(title[0], said, own, expectations)
        }
        #expect(compared > 150)
    }

    /// Gives how many lines were compared with a word of ours.
    private func compare(
        _ section: String, _ said: [String], _ own: [String: String], _ expectations: [Expectation]
    ) -> Int {
        let known = Dictionary(expectations.map { ($0.line, $0.meaning) }, uniquingKeysWith: { first, _ in first })
        var compared = 0
        for line in said where !line.isEmpty {
            let whole = [(label: line, value: "")]
            for (label, value) in known[line] != nil ? whole : Self.pairs(line) {
                guard let meaning = known[label] ?? known[label.prefix { $0 != " " } + " …"] ?? known["*"] else {
                    Issue.record("\(section): dump.txt does not know \(line)")
                    continue
                }
                compared += 1
                switch meaning {
                case .nothing: compared -= 1
                case .exactly(let word, let expected):
                    #expect(own[word] == expected, "\(section), \(word): keepalived says \(line)")
                case .same(let word):
                    #expect(own[word] == Self.ours(value), "\(section), \(word): keepalived says \(line)")
                case .different(let word):
                    #expect(own[word] != nil, "\(section): there is no word \(word)")
                    #expect(own[word] != Self.ours(value), "\(section), \(word) no longer differs: \(line)")
                }
            }
        }
        return compared
    }
}

extension Substring {
    fileprivate func components(_ mark: String) -> [String] {
        guard let place = firstRange(of: mark) else { return [String(self), ""] }
        return [String(self[..<place.lowerBound]), String(self[place.upperBound...])]
    }
}
