// include_check and random_seed: words that count while the lines below them are read.
import Testing

@testable import Configuration

@Suite struct ReadingWordTests {
    private func errors(_ words: String, _ include: String) -> [String] {
        load("global_defs {\n\(words)\n}\n\(include)\n", ["there.conf": "! nothing\n"]).diagnostics
            .filter { $0.code == .fileNotFound && $0.severity == .error }.map(\.message)
    }

    @Test(arguments: [
        ("", "include none*.conf", 0), ("include_check", "include none*.conf", 2),
        ("include_check match", "include none*.conf", 1),
        ("include_check wildcard_match", "include none*.conf", 1), ("include_check readable", "include none*.conf", 0),
        ("include_check brace_match", "include {there,gone}.conf", 1),
        ("include_check match", "include {there,gone}.conf", 0),
        ("include_check\ninclude_check -match -wildcard_match", "include none*.conf", 0),
        ("include_check readable\ninclude_check +match", "include none*.conf", 1),
    ])
    func `include_check is what every include below it is held to`(_ words: String, _ include: String, _ count: Int) {
        #expect(errors(words, include).count == count, "\(errors(words, include))")
    }

    @Test func `an include above it is not touched, and a wrong option is said`() {
        #expect(load("include none*.conf\nglobal_defs {\ninclude_check\n}\n").configuration != nil)
        let wrong = load("global_defs {\ninclude_check readible\n}\n")
        #expect(wrong.diagnostics.map(\.code) == [.badValue])
    }

    @Test func `random_seed gives the same numbers whatever else is in the file`() {
        func priority(_ seed: Int, _ remark: String) -> UInt8? {
            load("! \(remark)\nglobal_defs {\nrandom_seed \(seed)\n}\n" + instanceText("priority ${_RANDOM 1 250}"))
                .configuration?.instances.first?.priority
        }
        #expect(priority(7, "one") == priority(7, "another one"))
        #expect(Set((1...20).map { priority($0, "") }).count > 5)
        #expect(load("global_defs {\nrandom_seed x\n}\n").hasErrors)
    }

    @Test(arguments: [
        ("@lb1 priority 150\n@lb2 priority 100", nil, true), ("@lb1 priority 150\n@lb2 priority 100", "lb2", false),
        ("@left priority 150\n@lb2 priority 100", nil, false), ("@^lb1 priority 90\n@lb1 priority 100", nil, false),
        ("priority 100", nil, false), ("@lb1 priority 150\n@lb2 priority 100", "lb3", true),
    ])
    func `a file whose @NAME lines are all for others says so`(_ lines: String, _ id: String?, _ isSaid: Bool) throws {
        let loaded = load(instanceText(lines), machine: SmallMachine(), options: LoadOptions(configID: id))
        #expect(summary(loaded) == (isSaid ? ["7:5 warning unused"] : []))
        #expect(loaded.diagnostics.allSatisfy { $0.message.contains("\"\(id ?? "left")\"") })
    }

    @Test func `who reads @NAME lines is part of what was read`() {
        let text = instanceText("@lb1 priority 150\n@lb2 priority 100")
        let digests = ["lb1", "lb2"].map { load(text, options: LoadOptions(configID: $0)).digest }
        #expect(digests[0] != digests[1])
        #expect(load(instanceText(""), options: LoadOptions(configID: "lb1")).digest == load(instanceText("")).digest)
    }
}
