// Swift values to JSON and back, and what is said when they do not fit.
import JSON
import Testing

@Suite struct CodingTests {
    struct Inner: JSONStructure, Hashable {
        var port: Int
        var weight: Double?

        init(port: Int, weight: Double?) { (self.port, self.weight) = (port, weight) }

        init(members: inout JSONMembers) throws(JSONCodingError) {
            port = try members.required("port")
            weight = try members.optional("weight")
        }

        var object: JSONObject {
            var object = JSONObject()
            object.add("port", port)
            object.add("weight", weight)
            return object
        }
    }

    struct Outer: Hashable {
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
        let json = value.json
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
        (#"{"name":"x","inner":[{"port":1},{"port":null}]}"#, "inner[1].port", "expected int, found null"),
        (#"{"name":"x","inner":[{"port":1},3]}"#, "inner[1]", "expected object, found int"),
        (#"{"name":"x","inner":[{"port":1.5}]}"#, "inner[0].port", "expected int, found float"),
        (#"{"name":"x","inner":[],"map":{"a":"b"}}"#, "map.a", "expected int, found string"),
        (#"{"name":"x","inner":[],"map":{},"on":"yes"}"#, "on", "expected bool, found string"),
        (#"[]"#, "", "expected object, found array"),
    ])
    func `an error names the place in the words of the wire`(_ text: String, _ path: String, _ problem: String) throws {
        let json = try JSONValue(parsing: text.utf8)
        #expect(throws: JSONCodingError(path: path, problem: problem)) { try json.decode(Outer.self) }
    }

    @Test func `members may come in any order, and those that nobody knows are passed over`() throws {
        let json = try JSONValue(parsing: #"{"new":[{}],"weight":1.5,"other":null,"port":7}"#.utf8)
        #expect(try json.decode(Inner.self) == Inner(port: 7, weight: 1.5))
    }

    @Test func `what JSON cannot express is not written`() {
        #expect(throws: JSONError.notFinite) { try [Double.nan].json.serialised() }
    }
}

extension CodingTests.Outer: JSONStructure {
    init(members: inout JSONMembers) throws(JSONCodingError) {
        name = try members.required("name")
        inner = try members.required("inner")
        map = try members.required("map")
        free = try members.optional("free")
        on = try members.required("on")
    }

    var object: JSONObject {
        var object = JSONObject(capacity: 5)
        object.add("name", name)
        object.add("inner", inner)
        object.add("map", map)
        object.add("free", free)
        object.add("on", on)
        return object
    }
}
