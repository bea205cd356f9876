// Files made at random from a grammar of blocks and the keyword cases, some of them broken afterwards, through keepalived 2.2.7 and the reader:
// what keepalived takes without a word loads, what it complains about is never silent. A file in which the two differ is made as small as
// it can be before it is shown. EVENKEEL_GENERATED=N tries N files, EVENKEEL_SEED begins elsewhere.
import Foundation
import Testing

@testable import Configuration

/// SplitMix64.
private struct Dice: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

/// Makes files.
private struct FileMaker {
    let lines: [String: [String]]
    let sound: [String: [String]]
    var dice: Dice

    /// Up to `count` lines of a block, each word once.
    private mutating func some(_ count: Int, of block: String, besides own: Set<String> = []) -> [String] {
        var words = own
        var chosen: [String] = []
        for _ in 0..<Int.random(in: 0...count, using: &dice) {
            // One wrong line, and all that is beside it is compared with nothing.
            let pool = Int.random(in: 0..<40, using: &dice) == 0 ? lines : sound
            guard let line = pool[block]?.randomElement(using: &dice) else { continue }
            if words.insert(String(line.prefix { $0 != " " })).inserted { chosen.append(line) }
        }
        return chosen
    }

    private func block(_ head: String, _ lines: [String]) -> [String] { ["\(head) {"] + lines + ["}"] }

    private mutating func instance(_ number: Int) -> [String] {
        let own: Set<String> = ["interface", "virtual_router_id"]
        var lines = ["interface eth0", "virtual_router_id \(number)"] + some(4, of: "instance", besides: own)
        let address = lines.contains { $0.contains(":") } ? "2001:db8::\(number)" : "192.0.2.\(number)"
        lines += block("virtual_ipaddress", ["\(address)"])
        if Bool.random(using: &dice) { lines += block("virtual_routes", some(2, of: "route")) }
        if Bool.random(using: &dice) { lines += block("virtual_rules", some(2, of: "rule")) }
        return block("vrrp_instance VI_\(number)", lines)
    }

    private mutating func service(_ number: Int) -> [String] {
        let own: Set<String> = ["protocol", "lb_algo", "lb_kind"]
        var lines = ["protocol TCP", "lb_algo sh", "lb_kind NAT"] + some(4, of: "service", besides: own)
        for server in 1...Int.random(in: 1...2, using: &dice) {
            var inner = some(2, of: "server")
            if Bool.random(using: &dice) { inner += block("TCP_CHECK", some(3, of: "check")) }
            if Int.random(in: 0..<3, using: &dice) == 0 {
                inner += block("SSL_GET", block("url", ["path /"] + some(2, of: "url")) + some(2, of: "page"))
            }
            lines += block("real_server 192.0.2.\(100 + server) 80", inner)
        }
        return block("virtual_server 192.0.2.\(number) 80", lines)
    }

    mutating func file() -> [String] {
        var text = block("global_defs", some(4, of: "global"))
        for number in 0..<Int.random(in: 0...2, using: &dice) { text += instance(10 + number) }
        for number in 0..<Int.random(in: 0...2, using: &dice) { text += service(10 + number) }
        return Int.random(in: 0..<3, using: &dice) == 0 ? broken(text) : text
    }

    /// One slip of a person.
    private mutating func broken(_ text: [String]) -> [String] {
        var text = text
        let index = Int.random(in: text.indices, using: &dice)
        switch Int.random(in: 0..<4, using: &dice) {
        case 0: text.remove(at: index)
        case 1: text.insert("}", at: index)
        case 2: text[index] = "x" + text[index]
        default: text[index] += " surplus"
        }
        return text
    }
}

@Suite(.timeLimit(.minutes(10))) struct GeneratedFilesTests {
    private enum Difference: String {
        case refused = "keepalived takes it, the reader refuses it"
        case silent = "keepalived complains, the reader says nothing"
    }

    /// What the reader refuses on purpose though keepalived takes it, by what it says; and why.
    private static let meant: [(message: String, why: String)] = []

    /// What keepalived complains about and the reader need not; and why.
    private static let unsaid: [(message: String, why: String)] = [
        ("no scheduler set, setting default", "the default is keepalived's, and stands in the keyword table"),
        ("no forwarding method set, setting default", "the same"),
    ]

    private func difference(_ lines: [String], at path: String) throws -> Difference? {
        let text = lines.joined(separator: "\n") + "\n"
        let loaded = load(text, options: LoadOptions(configID: "left"))
        let (isTaken, said) = try CorpusTests.verdict(text, at: path)
        if !isTaken {
            let isHarmless = said.allSatisfy { line in Self.unsaid.contains { line.contains($0.message) } }
            return loaded.diagnostics.isEmpty && !isHarmless ? .silent : nil
        }
        let errors = loaded.diagnostics.filter { $0.severity == .error }
        let isMeant =
            !errors.isEmpty
            && errors.allSatisfy { error in
                Self.meant.contains { error.message.contains($0.message) }
            }
        return loaded.hasErrors && !isMeant ? .refused : nil
    }

    /// The smallest file that still differs, by leaving out ever shorter runs of lines.
    private func shrunk(_ lines: [String], _ kind: Difference, at path: String) throws -> [String] {
        var lines = lines
        var length = lines.count / 2
        while length > 0 {
            var start = 0
            while start < lines.count {
                var fewer = lines
                fewer.removeSubrange(start..<min(start + length, lines.count))
                if try difference(fewer, at: path) == kind { lines = fewer } else { start += length }
            }
            length /= 2
        }
        return lines
    }

    @Test func `keepalived and the reader agree about generated files, sound and broken`() throws {
        let environment = ProcessInfo.processInfo.environment
        let count = environment["EVENKEEL_GENERATED"].flatMap { Int($0) } ?? 150
        let seed = environment["EVENKEEL_SEED"].flatMap { UInt64($0) } ?? 1
        let path = NSTemporaryDirectory() + "/evenkeel-generated-\(getpid()).conf"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let lines = try CorpusTests.sharedLines()
        var (found, taken) = (Set<String>(), 0)
        for number in 0..<count {
            var maker = FileMaker(
                lines: lines.all, sound: lines.sound, dice: Dice(state: seed &+ UInt64(number) &* 7919))
            let file = maker.file()
            guard let kind = try difference(file, at: path) else {
                if !load(file.joined(separator: "\n") + "\n").hasErrors { taken += 1 }
                continue
            }
            let small = try shrunk(file, kind, at: path).joined(separator: "\n")
            guard found.insert(small).inserted, found.count <= 20 else { continue }
            Issue.record(
                "seed \(seed), file \(number): \(kind.rawValue)\n\(small)\n\(load(small + "\n").diagnostics.map { $0.rendered() }.joined())"
            )
        }
        // Neither all sound nor all broken, or nothing is compared.
        #expect(taken > count / 4 && taken < count)
    }
}
