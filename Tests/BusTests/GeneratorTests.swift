// The Swift files of Sources/Bus/API are what the generator makes of the interfaces today, and what it cannot make is said
// with the way out.
import Bus
import Generator
import JSON
import Testing
import Varlink

@Suite struct GeneratorTests {
    @Test func `the files in the source tree are current`() throws {
        let generated = try Folder.generated()
        let current = try Folder.current()
        for file in generated {
            #expect(
                current.first { $0.name == file.name }?.text == file.text,
                "Sources/Bus/API/\(file.name) is not what the interfaces make: run `make generate`")
        }
        let surplus = current.map(\.name).filter { name in !generated.contains { $0.name == name } }
        #expect(surplus == [], "no interface asks for these: run `make generate`")
    }

    @Test(arguments: [
        ("method Do() -> ()", "a.b.Do: write \"# Role: reader\" or another role above it"),
        ("# Role: king\nmethod Do() -> ()", "Do: \"Role: king\" names none of reader, daemon, administrator"),
        ("type T (a: (b: int))", "T.a: give the type a name (\"type Name (…)\")"),
        ("type T (a: []?(one, two))", "T.a: give the type a name (\"type Name (…)\")"),
        ("type T (one, other)", "T: \"other\" is what a value from a newer peer is called; choose another name"),
        (
            "type T ()\n# Role: reader\nmethod A() -> (seq: ?int)\n# Role: reader\nmethod B() -> (\n# Else.\nseq: ?int)",
            "the reply \"seq: ?int\" must have the same comment everywhere: it is one Swift type"
        ),
        (
            "error NotPrepared ()",
            "a.b: PrepareReload, CommitReload, AbortReload, ConfigurationRefused, NotPrepared must be declared together, "
                + "and with the same words in every interface"
        ),
    ])
    func `what cannot be generated is said`(_ body: String, _ message: String) throws {
        let interface = try InterfaceDefinition(parsing: "interface a.b\n" + body)
        let error = #expect(throws: GeneratorError.self) { try InterfaceFiles([interface]).files() }
        #expect(error?.description == message)
    }

    @Test func `a word of the language is quoted, a long comment is filled`() throws {
        let words = Array(repeating: "word", count: 40).joined(separator: " ")
        let interface = try InterfaceDefinition(
            parsing: "interface a.b\n# \(words)\n#\n# \(words)\ntype T (default: ?int, map: [string][]T)")
        let text = try #require(try InterfaceFiles([interface]).files().first).text
        #expect(
            text.contains(
                "    public struct T: JSONStructure, Hashable, Sendable {\n        public var `default`: Int?\n"))
        #expect(text.contains("        public init(`default`: Int? = nil, map: [String: [T]]) {\n"))
        #expect(text.contains("            self.default = `default`\n"))
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 120 })
        #expect(text.contains("\n    ///\n"))
    }

    @Test func `no type of its own for an interface of varlink.org, but roles`() throws {
        let interface = try InterfaceDefinition(
            parsing: "interface org.varlink.x\n# What.\n# Needs: more\n# Role: daemon\nmethod Do() -> ()")
        let files = try InterfaceFiles([interface]).files()
        #expect(files.map(\.name) == ["Interfaces+Roles.swift"])
        #expect(files.first?.text.contains("\"org.varlink.x.Do\": .daemon,") == true)
        #expect(files.first?.text.contains("needMore: Set<String> = [\n        \"org.varlink.x.Do\",\n") == true)
    }
}

/// Messages of a peer that is newer than this program.
@Suite struct NewerPeerTests {
    private func instance(state: String, _ more: String = "") throws -> VrrpAPI.Instance {
        let text = """
            {"name":"VI_1","context":{\(more)},"runtime":{"state":"\(state)","since":"","reason":"","effectivePriority":1,
            "steppedDown":false,"faults":[],"heldAddresses":[],"statistics":{"advertisementsSent":0,
            "advertisementsReceived":0,"becameMaster":0,"releasedMaster":0,"priorityZeroSent":0,"priorityZeroReceived":0,
            "discarded":{}}}}
            """
        return try JSONValue(parsing: Array(text.utf8)[...]).decode()
    }

    @Test func `a value that is not known is kept and passed on`() throws {
        let instance = try instance(state: "hibernating")
        #expect(instance.runtime.state == .other("hibernating"))
        #expect(instance.json["runtime"]?["state"] == "hibernating")
        #expect(VrrpAPI.State(rawValue: "master") == .master)
    }

    @Test func `a field that is not known is skipped`() throws {
        #expect(try instance(state: "master", #""color":{"a":[1]},"priority":7"#).context.priority == 7)
    }

    @Test func `a call with a value that is not known is refused before any handler`() throws {
        let definition = try InterfaceDefinition(
            parsing: "interface a.b\ntype Kind (one, two)\nmethod Do(kind: Kind) -> ()")
        let service = VarlinkService(
            info: VarlinkServiceInfo(vendor: "", product: "", version: "", url: ""), interfaces: [definition])
        let reply = service.dispatch(VarlinkCall(method: "a.b.Do", parameters: ["kind": "three"]))
        #expect(reply == .answer(VarlinkServiceError.invalidParameter("kind").reply))
    }
}
