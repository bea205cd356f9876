// Swift values to JSON and back, and what is said when they do not fit.
import JSON
import Testing

@Suite struct CodingTests {
    struct Inner: Codable, Hashable {
        var port: UInt16
        var weight: Double?
    }

    struct Outer: Codable, Hashable {
        var name: String
        var inner: [Inner]
        var map: [String: Int]
        var free: JSONValue?
        var on: Bool
    }

    @Test func `a value survives a round trip and nil is left out`() throws {
        let value = Outer(
            name: "x", inner: [Inner(port: 80, weight: nil), Inner(port: 81, weight: 0.5)], map: ["a": 1],
            free: ["k": [1, "two", nil]], on: true)
        let json = try JSONValue(encoding: value)
        #expect(
            try json.text()
                == #"{"name":"x","inner":[{"port":80},{"port":81,"weight":0.5}],"map":{"a":1},"free":{"k":[1,"two",null]},"on":true}"#
        )
        #expect(try json.decode(Outer.self) == value)
    }

    @Test func `null and absent are the same to an optional, an integer is a float`() throws {
        let json = try JSONValue(parsing: #"{"port":1,"weight":null}"#.utf8)
        #expect(try json.decode(Inner.self) == Inner(port: 1, weight: nil))
        #expect(try JSONValue(parsing: #"{"port":1,"weight":2}"#.utf8).decode(Inner.self).weight == 2)
    }

    @Test(arguments: [
        (#"{}"#, "name", "missing"),
        (#"{"name":1}"#, "name", "expected string, found int"),
        (#"{"name":"x","inner":{}}"#, "inner", "expected array, found object"),
        (#"{"name":"x","inner":[{"port":1},{"port":65536}]}"#, "inner[1].port", "65536 is outside 0...65535"),
        (#"{"name":"x","inner":[{"port":1.5}]}"#, "inner[0].port", "expected int, found float"),
        (#"{"name":"x","inner":[],"map":{"a":"b"}}"#, "map.a", "expected int, found string"),
        (#"{"name":"x","inner":[],"map":{},"on":"yes"}"#, "on", "expected bool, found string"),
        (#"[]"#, "", "expected object, found array"),
    ])
    func `an error names the place in the words of the wire`(_ text: String, _ path: String, _ problem: String) throws {
        let json = try JSONValue(parsing: text.utf8)
        #expect(throws: JSONCodingError(path: path, problem: problem)) { try json.decode(Outer.self) }
    }

    @Test func `what does not fit is not encoded`() {
        let error = #expect(throws: JSONCodingError.self) { try JSONValue(encoding: ["a": UInt64.max]) }
        #expect(error?.path == "a")
        #expect(throws: JSONCodingError.self) { try JSONValue(encoding: [Double.nan]) }
    }
}
