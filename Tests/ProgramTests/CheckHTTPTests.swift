// HTTP_GET against servers that answer well, badly, slowly, for ever and not at all, and against keepalived's own genhash.
import Bus
import Glibc
import Net
import Platform
import Testing

func httpCheck(_ port: UInt16, _ words: String, kind: String = "HTTP_GET", timeout: String = "0.5") -> String {
    """
    \(kind) {
     connect_ip 127.0.0.1
     connect_port \(port)
     connect_timeout \(timeout)
     retry 0
     \(words)
    }
    """
}

/// What a server does and what checkd shall make of it.
struct HTTPCase: Sendable, CustomStringConvertible {
    let description: String
    let words: String
    /// The reason; nil = up.
    let failure: String?
    let timeout: String
    let manner: TinyServer.Manner

    init(
        _ description: String, asking words: String = "", timeout: String = "0.5", failure: String? = nil,
        _ manner: TinyServer.Manner
    ) {
        self.description = description
        self.words = "url {\n path /\n \(words)\n }"
        self.failure = failure
        self.timeout = timeout
        self.manner = manner
    }

    private static func answer(_ text: String) -> TinyServer.Manner { .answer(Array(text.utf8)) }
    static let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    private static let ones = String(repeating: "1\r\nx\r\n", count: 100_000)
    private static let digest = "digest b1946ac92492d2347c6235b4d2611184"

    static let all: [HTTPCase] = [
        HTTPCase("200", answer("HTTP/1.0 200 OK\r\n\r\nhello\n")),
        HTTPCase("204 without a body", answer("HTTP/1.1 204 No Content\r\n\r\n")),
        HTTPCase("a status line without a reason", answer("HTTP/1.1 200\r\nConnection: close\r\n\r\n")),
        HTTPCase("503", failure: "status 503", answer("HTTP/1.0 503 no\r\n\r\n")),
        HTTPCase("a redirect is not followed", failure: "status 302", answer("HTTP/1.0 302 x\r\nLocation: /y\r\n\r\n")),
        HTTPCase(
            "a status that is asked for", asking: "status_code 200 301-303",
            answer("HTTP/1.0 302 x\r\nLocation: /y\r\n\r\n")),
        HTTPCase("the right digest", asking: digest, answer("HTTP/1.0 200 OK\r\n\r\nhello\n")),
        HTTPCase(
            "the digest of what Content-Length says", asking: digest,
            .answerAndStay(Array("HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n".utf8))),
        HTTPCase(
            "the wrong digest", asking: digest,
            failure: "digest 5d41402abc4b2a76b9719d911017c592, expected b1946ac92492d2347c6235b4d2611184",
            answer("HTTP/1.0 200 OK\r\n\r\nhello")),
        HTTPCase(
            "closed inside the headers", failure: "bad answer: closed inside the headers",
            answer("HTTP/1.0 200 OK\r\nA: b\r\n")),
        HTTPCase(
            "closed inside a header", failure: "bad answer: closed inside the headers",
            answer("HTTP/1.0 200 OK\r\nA: b")),
        HTTPCase(
            "closed after the status line", failure: "bad answer: closed inside the headers",
            answer("HTTP/1.0 200 OK\r\n")),
        HTTPCase("100, then 200", answer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nhello\n")),
        HTTPCase("100, then 503", failure: "status 503", answer("HTTP/1.1 100 C\r\n\r\nHTTP/1.1 503 no\r\n\r\n")),
        HTTPCase("a length below zero", answer("HTTP/1.0 200 OK\r\nContent-Length: -1\r\n\r\nhello\n")),
        HTTPCase("a length that is no number", answer("HTTP/1.0 200 OK\r\nContent-Length: abc\r\n\r\nhello\n")),
        HTTPCase("a header without a colon", answer("HTTP/1.0 200 OK\r\nno colon\r\n\r\n")),
        HTTPCase("a header that begins with a blank", answer("HTTP/1.0 200 OK\r\n folded\r\n\r\n")),
        HTTPCase("a NUL in a header", answer("HTTP/1.0 200 OK\r\nA: \u{0}\r\n\r\n")),
        HTTPCase("HTTP/1.2", answer("HTTP/1.2 200 OK\r\n\r\n")),
        HTTPCase("a shorter body than promised", answer("HTTP/1.0 200 OK\r\nContent-Length: 99\r\n\r\nhello\n")),
        HTTPCase("an unknown encoding", answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: foo\r\n\r\nhello\n")),
        HTTPCase(
            "a body of no length, and the connection stays",
            .answerAndStay(Array("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".utf8))),
        HTTPCase(
            "the last chunk, and the connection stays",
            .answerAndStay(
                Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello\n\r\n0\r\n\r\n".utf8))),
        HTTPCase(
            "the digest of what Content-Length says of a longer body", asking: digest,
            answer("HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\nand more")),
        HTTPCase(
            "an answer without reading the request", timeout: "2",
            .answerUnread(Array("HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n".utf8))),
        HTTPCase("closed without an answer", failure: "bad answer: closed without an answer", answer("")),
        HTTPCase("reset", failure: "connection reset by peer", .reset),
        HTTPCase("accepted and silent", failure: "timeout (answer)", .stall),
        HTTPCase(
            "headers that do not end", failure: "timeout (answer)",
            .answerAndStay(Array("HTTP/1.0 200 OK\r\nX: 1\r\n".utf8))),
        HTTPCase(
            "a body that does not end and stops", failure: "timeout (answer)",
            .answerAndStay(Array("HTTP/1.0 200 OK\r\n\r\nhello".utf8))),
        HTTPCase(
            "a drip within the limit of each read",
            .drip(Array("HTTP/1.0 200 OK\r\n\r\n".utf8), every: .milliseconds(50))),
        HTTPCase(
            "a drip without end", failure: "timeout (answer)",
            .drip(
                Array("HTTP/1.0 200 OK\r\n\r\n".utf8) + [UInt8](repeating: 0x78, count: 1000),
                every: .milliseconds(100))),
        HTTPCase("a regex that is there", asking: "regex ^hel+o$", answer("HTTP/1.0 200 OK\r\n\r\nhello\n")),
        HTTPCase(
            "a regex that is not there", asking: "regex \"good bye\"", failure: "the body does not match regex",
            answer("HTTP/1.0 200 OK\r\n\r\nhello\n")),
        HTTPCase(
            "a regex that must not be there", asking: "regex ERROR\n regex_no_match\n regex_options caseless",
            failure: "the body matches regex", answer("HTTP/1.0 200 OK\r\n\r\nan error\n")),
        HTTPCase(
            "the status counts before the regex", asking: "regex hello", failure: "status 503",
            answer("HTTP/1.0 503 no\r\n\r\nhello\n")),
        HTTPCase(
            "digest and regex", asking: digest + "\n regex world", failure: "the body does not match regex",
            answer("HTTP/1.0 200 OK\r\n\r\nhello\n")),
        HTTPCase(
            "a regex before and behind its offsets", asking: "regex l\n regex_min_offset 2\n regex_max_offset 2",
            answer("HTTP/1.0 200 OK\r\n\r\nhello\n")),
        HTTPCase(
            "a regex octet by octet", asking: "regex hello", timeout: "2",
            .drip(Array("HTTP/1.0 200 OK\r\n\r\nhello\n".utf8), every: .milliseconds(20))),
        HTTPCase(
            "a regex that takes for ever", asking: "regex (a+)+$", timeout: "5",
            failure: "regex takes too many steps on this body",
            answer("HTTP/1.0 200 OK\r\n\r\n" + String(repeating: "a", count: 40) + "b")),
        HTTPCase(
            "headers that drip without end", timeout: "0.2", failure: "timeout (answer)",
            .drip(
                Array("HTTP/1.0 200 OK\r\nX: ".utf8) + [UInt8](repeating: 0x78, count: 1000), every: .milliseconds(50))),
        HTTPCase(
            "chunks that drip without end", timeout: "0.2", failure: "timeout (answer)",
            .drip(
                Array(chunked.utf8) + Array(String(repeating: "1\r\nx\r\n", count: 200).utf8), every: .milliseconds(50))
        ),
        HTTPCase("a hundred thousand chunks", timeout: "5", answer(chunked + ones + "0\r\n\r\n")),
        HTTPCase(
            "a chunk that is longer than all memory", timeout: "5",
            .endless(Array((chunked + "7fffffffffffffff\r\n").utf8))),
        // What stands beside the octets of a chunk counts as body: it has an end, too.
        HTTPCase("words beside a chunk that do not end", timeout: "5", .endless(Array((chunked + "5;").utf8))),
        HTTPCase("closed inside a chunk", asking: "regex hello", answer(chunked + "ff\r\nhello\n")),
        HTTPCase("an endless body with a good status", timeout: "5", .endless(Array("HTTP/1.0 200 OK\r\n\r\n".utf8))),
        HTTPCase(
            "an endless body with a digest", asking: digest, timeout: "5", failure: "body longer than 16777216 octets",
            .endless(Array("HTTP/1.0 200 OK\r\n\r\n".utf8))),
    ]

    /// Answers that are not HTTP.
    static let garbage: [String] = [
        "\u{0}\u{1}\u{2}\u{3}\r\n\r\n", "220 mail ESMTP\r\n", "HTTP/1.0 abc OK\r\n\r\n", "HTTP/1.0 99999 OK\r\n\r\n",
        "HTTP/7.3 200 OK\r\n\r\n", "<html>hello</html>", String(repeating: "x", count: 200_000),
        // Too large is the server's doing, not a want of memory here.
        "HTTP/1.0 200 OK\r\nA: " + String(repeating: "x", count: 200_000) + "\r\n\r\n",
        "HTTP/1.0 200 OK\r\n" + String(repeating: "A: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n", count: 10_000) + "\r\n",
        String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 40_000),
        chunked + "fffffffffffffffff\r\n", chunked + "-5\r\nhello\r\n", chunked + "hello\r\n",
    ]
}

@Suite(.serialized, .timeLimit(.minutes(3)))
struct CheckHTTPTests {
    @Test func `answers get the verdict they deserve`() throws {
        let room = try CheckRoom()
        let cases = HTTPCase.all
        let servers = try cases.map { try TinyServer($0.manner, on: room.loop) }
        try room.start(
            virtualServer(zip(cases, servers).map { httpCheck($1.port, $0.words, timeout: $0.timeout) }, delay: "0.3"))
        for (index, item) in cases.enumerated() {
            let health = try room.becomes(realServer(index + 1), item.failure == nil ? .up : .down)
            guard let failure = item.failure else { continue }
            #expect(health.reason == "HTTP_GET 127.0.0.1:\(servers[index].port): \(failure)", "\(item)")
        }
    }

    @Test func `what is not HTTP is a bad answer`() throws {
        let room = try CheckRoom()
        let servers = try HTTPCase.garbage.map { try TinyServer(.answer(Array($0.utf8)), on: room.loop) }
        try room.start(virtualServer(servers.map { httpCheck($0.port, "url {\n path /\n }") }))
        for index in servers.indices {
            let health = try room.becomes(realServer(index + 1), .down)
            #expect(health.reason.contains("bad answer: "), "\(HTTPCase.garbage[index].prefix(20)): \(health.reason)")
        }
    }

    @Test(arguments: ["HTTP/1.0 200 OK\r\nX: ", HTTPCase.chunked + "0\r\nA: "])
    func `headers and trailers without end are a bad answer at once`(beginning: String) throws {
        let room = try CheckRoom()
        let server = try TinyServer(.endless(Array(beginning.utf8)), on: room.loop)
        try room.start(virtualServer([httpCheck(server.port, "url {\n path /\n }", timeout: "60")]))
        let reason = try room.becomes(realServer(1), .down).reason
        #expect(reason.contains("bad answer: ") && !reason.contains("memory"))
    }

    @Test(arguments: [
        ("", "GET /a?b=c%20d HTTP/1.0", "127.0.0.1:PORT", false),
        ("http_protocol 1.0C", "GET /a?b=c%20d HTTP/1.0", "127.0.0.1:PORT", true),
        ("http_protocol 1.1\n virtualhost www.example.com", "GET /a?b=c%20d HTTP/1.1", "www.example.com", true),
    ])
    func `the request has keepalived's lines and no others`(words: String, line: String, host: String, closes: Bool)
        throws
    {
        let room = try CheckRoom()
        let server = try TinyServer(.answer(Array("HTTP/1.0 200 OK\r\n\r\n".utf8)), on: room.loop)
        try room.start(virtualServer([httpCheck(server.port, words + "\n url {\n path /a?b=c%20d\n }")]))
        _ = try room.becomes(realServer(1), .up)
        let lines = try #require(server.requests.first).split(separator: "\r\n").map(String.init)
        let address = host.replacing("PORT", with: "\(server.port)")
        let closing = closes ? ["Connection: close"] : []
        #expect(lines == [line, "User-Agent: KeepAliveClient"] + closing + ["Host: \(address)"])
    }

    @Test(.enabled(if: access("/usr/bin/genhash", X_OK) == 0))
    func `genhash's digest of a page is ours and asks with our request`() throws {
        let room = try CheckRoom()
        let body = (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
        let page = Array("HTTP/1.0 200 OK\r\nContent-Type: image/png\r\n\r\n".utf8) + body
        let server = try TinyServer(.answer(page), on: room.loop)
        let genhash = try Program(
            ["/usr/bin/genhash", "-s", "127.0.0.1", "-p", "\(server.port)", "-u", "/page"], on: nil,
            log: room.directory + "/genhash", loop: room.loop)
        try room.eventually("genhash ends") { genhash.exit != nil }
        let digest = try #require(
            genhash.output.split(whereSeparator: { " =\n".contains($0) }).map(String.init).last { $0.count == 32 })
        try room.start(virtualServer([httpCheck(server.port, "url {\n path /page\n digest \(digest)\n }")]))
        _ = try room.becomes(realServer(1), .up)
        let requests = server.requests.map { $0.split(separator: "\r\n").filter { !$0.hasPrefix("Host:") } }
        #expect(requests.first == requests.last && requests.count >= 2)
    }
}
