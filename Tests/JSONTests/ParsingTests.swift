// Every leniency of json-c that reference/recipes.md §4 lists is closed, and what is JSON survives a round trip.
import JSON
import Testing

@Suite struct ParsingTests {
    @Test(arguments: [
        "null", "true", "false", "0", "-0.5", "9223372036854775807", "-9223372036854775808", "0.1", "1e+300", "5e-324",
        #""""#, #""é €𝄞""#, #""a/b\\c\"d\n""#, "[]", "[1,[2,[3]]]", "{}", #"{"b":1,"a":{"c":[null]}}"#,
        #"{"":""}"#,
    ])
    func `a text that is written the canonical way survives a round trip`(_ text: String) throws {
        #expect(try JSONValue(parsing: text.utf8).text() == text)
    }

    @Test(arguments: [
        ("", JSONSyntaxProblem.expectedValue), ("NaN", .expectedValue), ("Infinity", .expectedValue),
        ("-Infinity", .badNumber), ("nul", .expectedValue), ("TRUE", .expectedValue), ("01", .badNumber),
        ("-", .badNumber), ("1.", .badNumber), (".5", .expectedValue), ("1e", .badNumber), ("+1", .expectedValue),
        ("0x10", .trailingText), ("1 2", .trailingText), ("{} x", .trailingText), ("[1,]", .expectedValue),
        ("[1 2]", .expectedCommaOrEnd), ("{\"a\":1,}", .expectedKey), ("{a:1}", .expectedKey),
        ("{\"a\" 1}", .expectedColon), ("{\"a\"}", .expectedColon), ("['a']", .expectedValue),
        ("/* */ 1", .expectedValue), ("\"a", .unterminatedString), ("\"\u{1}\"", .controlCharacter),
        ("\"\t\"", .controlCharacter), ("\"\\x\"", .badEscape), ("\"\\u12\"", .badEscape), ("\"\\u00g0\"", .badEscape),
        ("\"\\ud800\"", .loneSurrogate), ("\"\\udc00\"", .loneSurrogate), ("\"\\ud800\\u0041\"", .loneSurrogate),
        ("\"\\ud800\\ud800\"", .loneSurrogate), ("[", .expectedValue), ("{", .expectedKey), ("1\u{0}", .trailingText),
    ])
    func `what is not JSON is refused for its reason`(_ text: String, _ problem: JSONSyntaxProblem) {
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: text.utf8) }
        guard case .syntax(let found, _) = error else {
            Issue.record("\(text): \(String(describing: error))")
            return
        }
        #expect(found == problem)
    }

    @Test(arguments: [
        "9223372036854775808", "-9223372036854775809", "18446744073709551616", "1e400", "-1e400", "[1e999999999]",
    ])
    func `a number that would be changed silently is refused`(_ text: String) {
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: text.utf8) }
        guard case .numberOutOfRange = error else {
            Issue.record("\(text): \(String(describing: error))")
            return
        }
    }

    @Test(arguments: [
        (#"{"a":1,"a":2}"#, "a"), (#"{"a":1,"\u0061":2}"#, "a"), (#"{"x":{"k":1,"l":2,"k":3}}"#, "k"),
        (#"{"é":1,"\u00e9":2}"#, "é"),
    ])
    func `a member named twice is refused`(_ text: String, _ key: String) {
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: text.utf8) }
        guard case .duplicateKey(let found, _) = error else {
            Issue.record("\(text): \(String(describing: error))")
            return
        }
        #expect(found == key)
    }

    @Test func `a member named twice among thousands is refused`() throws {
        var members = (0..<5000).map { "\"k\($0)\":\($0)" }
        let unique = "{" + members.joined(separator: ",") + "}"
        #expect(try JSONValue(parsing: unique.utf8)["k4999"] == 4999)
        members.append("\"k17\":0")
        let text = "{" + members.joined(separator: ",") + "}"
        #expect(throws: JSONError.self) { try JSONValue(parsing: text.utf8) }
    }

    @Test func `U+0000 is text in a value and refused in a name`() throws {
        #expect(try JSONValue(parsing: #""a\u0000b""#.utf8).string == "a\0b")
        #expect(throws: JSONError.nulInKey(offset: 2)) { try JSONValue(parsing: #"{"a\u0000b":1}"#.utf8) }
        #expect(throws: JSONError.self) { try JSONValue.object(["a\0b": 1]).serialised() }
    }

    @Test(
        arguments: [
            [0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xC3, 0x22], [0x22, 0xE0, 0x80, 0x80, 0x22],
            [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xF0, 0x80, 0x80, 0x80, 0x22], [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22],
            [0x22, 0xF5, 0x80, 0x80, 0x80, 0x22], [0x22, 0x80, 0x22], [0x22, 0xE2, 0x82, 0x22],
        ] as [[UInt8]])
    func `a string that is not UTF-8 is refused`(_ octets: [UInt8]) {
        #expect(throws: JSONError.notUTF8(offset: 1)) { try JSONValue(parsing: octets) }
    }

    @Test func `every cut of a text is refused, never a trap`() throws {
        let text = Array(#"{"a":[1,-2.5e3,"x\n\u00e9\ud834\udd1e€"],"b":{"c":null,"d":true}}"#.utf8)
        for length in 0..<text.count {
            #expect(throws: JSONError.self) { try JSONValue(parsing: text[..<length]) }
        }
        #expect(try JSONValue(parsing: text)["a"]?.array?.last == "x\né𝄞€")
    }

    @Test func `nesting and size have limits`() throws {
        let limits = JSONLimits(octets: 100, depth: 3)
        #expect(try JSONValue(parsing: "[[[1]]]".utf8, limits: limits).array?.count == 1)
        #expect(throws: JSONError.tooDeep(limit: 3, offset: 3)) { try JSONValue(parsing: "[[[[".utf8, limits: limits) }
        let long = [UInt8](repeating: 0x20, count: 101)
        #expect(throws: JSONError.tooLarge(limit: 100)) { try JSONValue(parsing: long, limits: limits) }
        let deep = [UInt8](repeating: UInt8(ascii: "["), count: 1 << 20)
        #expect(throws: JSONError.self) { try JSONValue(parsing: deep) }
        let atLimit = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
        #expect(throws: Never.self) { try JSONValue(parsing: atLimit.utf8) }
    }

    @Test(arguments: [0.1, 1e16, .leastNonzeroMagnitude, 1.7976931348623157e308, -0.0, 1.0, 123456.789])
    func `a float is written in the shortest form that reads back the same`(_ number: Double) throws {
        let text = try JSONValue.double(number).text()
        #expect(text == number.description)
        #expect(try JSONValue(parsing: text.utf8).double?.bitPattern == number.bitPattern)
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity])
    func `a float that JSON cannot express is not written`(_ number: Double) {
        #expect(throws: JSONError.notFinite) { try JSONValue.array([.double(number)]).serialised() }
    }

    @Test func `control characters are escaped and slashes are not`() throws {
        #expect(try JSONValue.string("a/\u{1}\n\"\\").text() == #""a/\u0001\n\"\\""#)
    }

    @Test func `members keep their order and removal keeps the rest`() throws {
        var object = JSONObject()
        for index in (0..<40).reversed() { object["k\(index)"] = .int(Int64(index)) }
        object["k20"] = nil
        object["k39"] = "first"
        #expect(object.members.first?.value == "first")
        #expect(object["k20"] == nil)
        #expect(object["k0"] == 0)
        #expect(object.members.count == 39)
    }
}
