// The keyword table: complete, consistent, and the source of docs/MIGRATION.md.
import Foundation
import Testing

@testable import Configuration

@Suite struct KeywordTableTests {
    @Test func `every keyword that keepalived 2.4 knows is a row`() throws {
        let words = try Fixtures.text("keywords.txt").split(separator: "\n").map(String.init)
        let known = Set(KeywordTable.entries.map(\.word))
        #expect(words.count == 363)
        #expect(words.filter { !known.contains($0) } == [])
    }

    @Test func `a keyword stands once in its block, with a meaning`() {
        var seen: Set<String> = []
        for entry in KeywordTable.entries {
            let isListWord = entry.kind == .list
            #expect(isListWord || seen.insert("\(entry.block) \(entry.word)").inserted, "\(entry.block) \(entry.word)")
            #expect(!entry.meaning.isEmpty && !entry.meaning.hasSuffix("."), "\(entry.word)")
        }
    }

    @Test func `an old spelling points at a keyword of the same block`() {
        for entry in KeywordTable.entries {
            guard case .deprecated(let use) = entry.support else { continue }
            #expect(KeywordTable.entries.contains { $0.block == entry.block && $0.word == use }, "\(entry.word)")
        }
    }

    @Test(arguments: [
        ("vrrp_script", "interval", "1"), ("vrrp_script", "fall", "1"), ("global_defs", "vrrp_garp_master_delay", "5"),
        ("global_defs", "vrrp_garp_master_repeat", "5"), ("global_defs", "smtp_connect_timeout", "30"),
        ("vrrp_instance", "advert_int", "1"), ("virtual_server", "quorum", "1"), ("virtual_server", "delay_loop", "60"),
        ("vrrp_instance", "state", "BACKUP"), ("TCP_CHECK", "rise", "1"), ("UDP_CHECK", "max_reply_length", "255"),
    ])
    func `defaults in the table are those of the drafts`(_ block: String, _ word: String, _ standard: String) throws {
        let entry = try #require(KeywordTable.entries.first { $0.block == block && $0.word == word })
        #expect(entry.standard == standard)
    }

    @Test func `what is not acted on is read all the same, in every block`() {
        #expect(
            load(serviceText("snmp_name x\nsnpm_name x")).diagnostics.map(\.code).contains(
                .unknownKeyword))
        let quiet = load(serviceText("snmp_name x"))
        #expect(quiet.diagnostics.map(\.code) == [.notActedOn])
    }

    @Test func `explain tells block, default and support`() throws {
        let text = try #require(KeywordTable.explain("priority").first).explanation
        #expect(text.contains("vrrp_instance"))
        #expect(text.contains("1…255"))
        #expect(KeywordTable.explain("nb_get_retry").first?.explanation.contains("`retry`") == true)
        #expect(KeywordTable.suggestion(for: "prioritty") == "priority")
    }

    /// `EVENKEEL_REWRITE=1 swift test --filter KeywordTableTests` writes the file.
    @Test func `docs MIGRATION is what the table says`() throws {
        let file = Fixtures.repository.appending(path: "docs/MIGRATION.md")
        let marker =
            "<!-- from here on: the keyword table; EVENKEEL_REWRITE=1 swift test --filter KeywordTableTests -->\n"
        let current = try String(contentsOf: file, encoding: .utf8)
        let head = current.components(separatedBy: marker).first ?? current
        let expected = head + marker + "\n" + KeywordTable.summary() + "\n" + KeywordTable.migrationTable()
        try check(file, expected)
    }

    @Test func `the vim syntax file is what the table says`() throws {
        try check(Fixtures.repository.appending(path: "deploy/vim/syntax/evenkeel.vim"), KeywordTable.vimSyntax())
    }

    private func check(_ file: URL, _ expected: String) throws {
        if ProcessInfo.processInfo.environment["EVENKEEL_REWRITE"] != nil {
            try expected.write(to: file, atomically: true, encoding: .utf8)
        } else {
            let current = try String(contentsOf: file, encoding: .utf8)
            #expect(current == expected, "\(file.path) is stale; EVENKEEL_REWRITE=1 writes it")
        }
    }

    @Test func `at most five words are not yet`() {
        let open = Set(KeywordTable.entries.filter { $0.support == .notYet }.map(\.word))
        #expect(open.count <= 5, "\(open)")
    }
}
