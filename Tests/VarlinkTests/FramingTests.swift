// However a stream is cut into pieces, the same messages come out.
import JSON
import Testing
import Varlink

/// Feeds `stream` to `framer` in pieces and returns the messages.
func messages(of stream: [UInt8], pieces size: Int, limit: Int = 64) throws -> [[UInt8]] {
    var framer = VarlinkFramer(limit: limit)
    var found: [[UInt8]] = []
    var position = 0
    while position < stream.count {
        let end = min(position + size, stream.count)
        stream[position..<end].withUnsafeBytes { framer.append($0) }
        position = end
        while let message = try framer.next() { found.append(Array(message)) }
    }
    return found
}

/// Messages with their NULs.
func framed(_ texts: [String]) -> [UInt8] {
    texts.reduce(into: []) { $0 += Array($1.utf8) + [0] }
}

@Suite struct FramingTests {
    static let texts = [
        "{}", "", "a message of some length, longer than a word", "x", "1234567", "12345678", "123456789",
    ]

    @Test(arguments: 1...40)
    func `pieces of any size give the same messages`(_ size: Int) throws {
        let stream = framed(Self.texts)
        #expect(try messages(of: stream, pieces: size) == Self.texts.map { Array($0.utf8) })
    }

    @Test func `the end of a message is found at every position`() throws {
        for length in 0..<40 {
            let stream = [UInt8](repeating: 0x80, count: length) + [0] + [UInt8](repeating: 1, count: 40 - length) + [0]
            #expect(try messages(of: stream, pieces: stream.count).map(\.count) == [length, 40 - length])
        }
    }

    @Test(arguments: [1, 7, 64, 200])
    func `a message over the limit is refused, complete or not`(_ size: Int) {
        #expect(throws: VarlinkProtocolError.messageTooLong(limit: 64)) {
            try messages(of: [UInt8](repeating: 1, count: 65), pieces: size)
        }
        #expect(throws: VarlinkProtocolError.messageTooLong(limit: 64)) {
            try messages(of: [UInt8](repeating: 1, count: 65) + [0], pieces: size)
        }
        #expect(throws: Never.self) { try messages(of: [UInt8](repeating: 1, count: 64) + [0], pieces: size) }
    }

    @Test func `what is left over is counted`() throws {
        var framer = VarlinkFramer()
        ([1, 2, 0, 3] as [UInt8]).withUnsafeBytes { framer.append($0) }
        #expect(try framer.next() == [1, 2])
        #expect(framer.pending == 1)
    }
}

@Suite struct MessageTests {
    @Test func `a call is written with what it says and no more`() throws {
        let call = VarlinkCall(method: "a.b.C", parameters: ["x": 1], more: true)
        #expect(try call.encoded() == Array(#"{"method":"a.b.C","parameters":{"x":1},"more":true}"#.utf8) + [0])
        #expect(try VarlinkCall(parsing: call.encoded().dropLast()) == call)
    }

    @Test(arguments: [
        #"{"method":"a.b.C"}"#, #"{"method":"a.b.C","parameters":null}"#,
        #"{"method":"a.b.C","parameters":{},"more":false,"oneway":null,"upgrade":false}"#,
        #" { "m\u0065thod" : "a.b.C" } "#,
    ])
    func `ways to write the same call`(_ text: String) throws {
        #expect(try VarlinkCall(parsing: Array(text.utf8)[...]) == VarlinkCall(method: "a.b.C"))
    }

    @Test(arguments: [
        ("[]", VarlinkProtocolError.notAnObject), ("{}", .noMethod), (#"{"method":"x"}"#, .noMethod),
        (#"{"method":".x"}"#, .noMethod), (#"{"method":"a."}"#, .noMethod), (#"{"method":1}"#, .badMember("method")),
        (#"{"method":"a.B","parameters":[]}"#, .badMember("parameters")),
        (#"{"method":"a.B","more":1}"#, .badMember("more")),
        (#"{"method":"a.B","more":true,"oneway":true}"#, .onewayAndMore),
        (#"{"method":"a.B","extra":{}}"#, .unknownMember("extra")),
        (#"{"method":"a.B","io.example.x":1}"#, .badMember("io.example.x")),
        (#"{"method":"a.B","method":"a.C"}"#, .json(.duplicateKey("method", offset: 17))),
    ])
    func `what is not a call is refused for its reason`(_ text: String, _ error: VarlinkProtocolError) {
        #expect(throws: error) { try VarlinkCall(parsing: Array(text.utf8)[...]) }
    }

    @Test func `a reverse-domain object travels with a call`() throws {
        let text = #"{"method":"a.B","io.example.caller":{"uid":0}}"#
        #expect(try VarlinkCall(parsing: Array(text.utf8)[...]).extensions == ["io.example.caller": ["uid": 0]])
    }

    @Test func `a reply always carries parameters`() throws {
        #expect(try VarlinkReply().encoded() == Array(#"{"parameters":{}}"#.utf8) + [0])
        let error = VarlinkReply(error: "a.b.E", ["x": 1])
        #expect(try VarlinkReply(parsing: error.encoded().dropLast()) == error)
        #expect(throws: VarlinkProtocolError.errorAndContinues) {
            try VarlinkReply(parsing: Array(#"{"error":"a.b.E","continues":true}"#.utf8)[...])
        }
    }
}
