// What a configuration asks for and this version does not do: listed with place and consequence, an error when strict.
import Testing

@testable import Configuration

@Suite struct InactionTests {
    private func inactions(_ text: String) -> [Inaction] { load(text).inactions }

    /// Every row that nothing acts on: wherever it stands it is listed, so that nothing can call such a file good.
    @Test(
        arguments: KeywordTable.entries.filter { $0.support == .notYet && $0.kind != .list }.map {
            "\($0.block) \($0.word)"
        })
    func `every keyword that is not acted on is listed, with a consequence`(_ row: String) throws {
        let entry = try #require(KeywordTable.entries.first { "\($0.block) \($0.word)" == row })
        let (consequence, _) = KeywordTable.consequence(of: entry.word, in: entry.kind)
        #expect(!consequence.isEmpty && !consequence.hasSuffix("."))
        #expect(entry.supportText == "not yet: \(consequence)", "docs/MIGRATION.md says why")
    }

    @Test func `mail and virtual_routes are of different weight`() {
        let text =
            instanceText("smtp_alert\nvirtual_routes {\n192.0.2.0/24 via 10.0.0.1\n}")
        let found = Dictionary(uniqueKeysWithValues: inactions(text).map { ($0.subject, $0.cost) })
        for (word, cost) in [("virtual_routes", Inaction.Cost.protection), ("smtp_alert", .convenience)]
        where KeywordTable.explain(word).contains(where: { $0.support == .notYet }) {
            #expect(found[word] == cost)
        }
    }

    @Test(arguments: ["m16"])
    func `strict refuses what will not act, which else loads`(_ name: String) throws {
        let path = "found/\(name).conf"
        let text = try Fixtures.text(path).replacing("300.1.1.1 via nowhere blah", with: "")
        let files = MemoryFiles([path: text + "\nglobal_defs {\nenable_traps\n}\n"])
        let lenient = Configuration.load(files: files, path: path)
        #expect(lenient.configuration != nil)
        #expect(!lenient.inactions.isEmpty)
        let strict = Configuration.load(files: files, path: path, options: LoadOptions(isStrict: true))
        #expect(strict.configuration == nil)
        #expect(strict.inactions == lenient.inactions)
        #expect(strict.diagnostics.filter { $0.severity == .error }.map(\.code).allSatisfy { $0 == .notActedOn })
    }

    @Test func `what needs no action is not listed`() {
        #expect(inactions("global_defs {\nprocess_names\nlvs_flush\n}\n" + serviceText("nat_mask 255.255.255.0")) == [])
        #expect(inactions(instanceText("")) == [])
        #expect(inactions(instanceText("authentication {\nauth_type AH\nauth_pass x\n}")) == [])
        #expect(load(instanceText("native_ipv6"), options: LoadOptions(isStrict: true)).configuration != nil)
    }

    @Test func `they come in the order of the text, said once however often they stand`() {
        let service = serviceText("snmp_name a")
        let text =
            "global_defs {\nenable_traps\n}\n" + service + service.replacing("192.0.2.1 80", with: "192.0.2.3 80")
        #expect(inactions(text).map { "\($0.subject) \($0.places)" } == ["enable_traps 1", "snmp_name 2"])
    }
}
