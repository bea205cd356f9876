// What reads .varlink files: comments, types, errors with their place, limits.
import JSON
import Testing
import Varlink

@Suite struct InterfaceDefinitionTests {
    static let text = """
        # About the interface,
        # in two lines.
        interface io.example.test-1

        # A type.
        type Thing (
            # The name.
            name: string,
            size: ?[]int, kind: (small, large), extra: ?object, marks: [string]?Thing
        )
        type Colour (red, green)
        # Not documentation of what follows.

        method Do(thing: Thing, f: float) -> (colour: ?Colour, ok: bool)
        method Nothing() -> ()
        error Broken (why: string)
        """

    @Test func `a definition is read with its comments`() throws {
        let definition = try InterfaceDefinition(parsing: Self.text)
        #expect(definition.name == "io.example.test-1")
        #expect(definition.documentation == "About the interface,\nin two lines.")
        #expect(definition.members.map(\.name) == ["Thing", "Colour", "Do", "Nothing", "Broken"])
        #expect(definition["Thing"]?.documentation == "A type.")
        #expect(definition["Do"]?.documentation == "")
        #expect(definition["Colour"]?.declaration == .type(.enumeration(["red", "green"])))
        guard case .type(.structure(let fields)) = definition["Thing"]?.declaration else {
            Issue.record("not a struct")
            return
        }
        #expect(fields.map(\.name) == ["name", "size", "kind", "extra", "marks"])
        #expect(fields[0].documentation == "The name.")
        #expect(fields[1].type == .optional(.array(.int)))
        #expect(fields[4].type == .map(.optional(.named("Thing"))))
    }

    @Test func `the definition of org.varlink.service is one`() throws {
        #expect(try InterfaceDefinition(parsing: VarlinkService.description).members.count == 8)
    }

    @Test(arguments: [
        ("", "1:1: expected 'interface'"), ("interface x\nmethod A()->()", "1:12: \"x\" is not an interface name"),
        ("interface a.b", "1:14: expected 'type', 'method' or 'error'"),
        ("interface a.b\nmethod a() -> ()", "2:9: \"a\" is not a name: A-Z first, then letters and digits"),
        ("interface a.b\nmethod A() ()", "2:12: expected '->'"),
        ("interface a.b\ntype A (x: ??int)", "2:14: '?' twice"), ("interface a.b\ntype A (x: B)", "2:12: no such type"),
        ("interface a.b\ntype A (x, y: int)", "2:18: expected ':'"),
        ("interface a.b\ntype A (x: int, x: int)", "2:18: \"x\" is declared twice"),
        ("interface a.b\ntype A ()\nerror A ()", "3:11: \"A\" is declared twice"),
        ("interface a.b\ntype A (x_: int)", "2:11: \"x_\" is not a field name"),
        ("interface a.b\ntype A int", "2:8: expected '('"),
        ("interface a.b\nmethod A(x) -> ()", "2:12: expected fields with types"),
        ("interface a.b\ntype A (x: int", "2:15: expected ')'"),
    ])
    func `what is not a definition is refused with its place`(_ text: String, _ description: String) {
        let error = #expect(throws: IDLError.self) { try InterfaceDefinition(parsing: text) }
        #expect(error?.description == description)
    }

    @Test func `nesting has a limit`() {
        let text = "interface a.b\ntype A (x: " + String(repeating: "[]", count: 100_000) + "int)"
        #expect(throws: IDLError.self) { try InterfaceDefinition(parsing: text) }
        let structs = "interface a.b\ntype A " + String(repeating: "(x: ", count: 100_000)
        #expect(throws: IDLError.self) { try InterfaceDefinition(parsing: structs) }
    }

    @Test(arguments: [
        ("org.varlink.service", true), ("a.b", true), ("a.1", true), ("a-b.c--d", true), ("a", false), ("1.a", false),
        ("a.", false), (".a", false), ("a..b", false), ("a.b-", false), ("a.-b", false), ("a_b.c", false),
    ])
    func `interface names`(_ name: String, _ isValid: Bool) {
        #expect(IDLNames.isInterface(name) == isValid)
    }

    @Test(
        arguments: [
            (#"{"thing":{"name":"x","kind":"small","marks":{}},"f":1}"#, nil),
            (
                #"{"thing":{"name":"x","kind":"small","marks":{"m":{"name":"y","kind":"large","marks":{}},"n":null}},"f":1.5}"#,
                nil
            ),
            (#"{"thing":{"name":"x","kind":"huge","marks":{}},"f":1}"#, "thing.kind"),
            (#"{"thing":{"name":"x","kind":"small","marks":{}}}"#, "f"),
            (#"{"thing":{"name":"x","kind":"small","marks":{},"size":[1,"2"]},"f":1}"#, "thing.size[1]"),
            (#"{"thing":{"name":"x","kind":"small","marks":{"m":{}}},"f":1}"#, "thing.marks.m.name"),
            (#"{"thing":{"name":"x","kind":"small","marks":{}},"f":1,"typo":2}"#, "typo"),
            (#"{"thing":{"name":1,"kind":"small","marks":{}},"f":1}"#, "thing.name"),
        ] as [(String, String?)])
    func `parameters are checked against their declaration`(_ text: String, _ misfit: String?) throws {
        let definition = try InterfaceDefinition(parsing: Self.text)
        guard case .method(let input, _) = definition["Do"]?.declaration else { return }
        let parameters = try #require(try JSONValue(parsing: text.utf8).object)
        var path: String?
        do { try definition.check(parameters, against: input) } catch { path = error.path }
        #expect(path == misfit)
    }
}
