// Answers over HTTP/1, whole, octet by octet, and cut anywhere.
import HealthCheck
import Testing

@Suite struct HTTPReaderTests {
    /// What came of an answer that arrives in pieces of `size` octets: the last step, the status, and the body.
    private func read(_ answer: String, by size: Int, limit: Int = 1 << 20) -> (HTTPReader.Step, HTTPReader, String) {
        var reader = HTTPReader(limit: limit)
        var body: [UInt8] = []
        var step = HTTPReader.Step.goesOn
        let octets = Array(answer.utf8)
        for start in stride(from: 0, to: octets.count, by: size) where step == .goesOn {
            step = octets[start..<min(start + size, octets.count)].withUnsafeBytes { piece in
                reader.take(piece, header: { _ in }, body: { body += $0 })
            }
        }
        return (step, reader, String(decoding: body, as: UTF8.self))
    }

    private static let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding:  Chunked \r\n\r\n"

    @Test(arguments: [
        ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello, and more", "hello"),
        ("HTTP/1.0 200 OK\nContent-Length: 5\n\nhello", "hello"),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", "ok"),
        (chunked + "5\r\nhello\r\n0\r\n\r\nrest", "5\r\nhello\r\n0\r\n\r\n"),
        (chunked + "5;a=b\nhello\n00\nA: b\n\n", "5;a=b\nhello\n00\nA: b\n\n"),
        // Chunks count, whatever Content-Length says (RFC 9112 §6.3).
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "0\r\n\r\n"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""),
        ("HTTP/1.2 204 No\r\nContent-Length: 9\r\n\r\n", ""),
        // What keepalived does not look at may be anything.
        ("HTTP/1.0 200 OK\r\nno colon\r\n folded\r\nA: \u{0}\r\nContent-Length: 1\r\n\r\nx", "x"),
    ])
    func `an answer that says where it ends is over there, however it is cut`(answer: String, body: String) {
        for size in 1...answer.utf8.count {
            let (step, reader, found) = read(answer, by: size)
            #expect(step == .isOver && found == body, "\(answer.debugDescription) by \(size)")
            #expect(reader.headers.status == (answer.contains("204") ? 204 : 200))
        }
    }

    @Test(arguments: [
        "HTTP/1.0 200 OK\r\n\r\nhello", "HTTP/1.0 200 OK\r\nTransfer-Encoding: foo\r\n\r\nhello",
        "HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\nhello", "HTTP/1.0 200 OK\r\nContent-Length: x\r\n\r\nhello",
    ])
    func `an answer that does not, goes on until the connection is closed`(answer: String) {
        for size in 1...answer.utf8.count {
            let (step, reader, body) = read(answer, by: size)
            #expect(step == .goesOn && reader.isBeingRead && body == "hello" && reader.received == 5)
        }
    }

    @Test(arguments: ["", "HTTP/1.0 200 OK", "HTTP/1.0 200 OK\r\nA: b\r\n", "HTTP/1.1 100 C\r\n\r\n", "HTT"])
    func `headers that are not complete are none`(answer: String) {
        let (step, reader, _) = read(answer, by: 3)
        #expect(step == .goesOn && !reader.isBeingRead && reader.hasBegun == !answer.isEmpty)
    }

    @Test(arguments: [
        "220 mail ESMTP\r\n", "HTTP/1.0 abc OK\r\n\r\n", "HTTP/1.0 99999 OK\r\n", "HTTP/1.0 000 OK\r\n",
        "HTTP/2 200\r\n",
        "HTTP/7.3 200 OK\r\n", "\r\n", "HTTP/1.1 100 C\r\n\r\n220 mail\r\n", "http/1.0 200 OK\r\n", "X",
    ])
    func `what does not begin with a status line is no answer`(answer: String) {
        for size in 1...answer.utf8.count {
            guard case .isMalformed(let text) = read(answer, by: size).0 else {
                Issue.record("\(answer) is taken")
                continue
            }
            #expect(text.hasPrefix("no status line of HTTP/1: '"))
        }
        #expect(read("220 mail\u{7}\r\n", by: 99).0 == .isMalformed("no status line of HTTP/1: '220 mail?'"))
    }

    @Test(arguments: ["fffffffffffffffff\r\n", "-5\r\nhello\r\n", "hello\r\n", "\r\n", "1\r\nxx\r\n"])
    func `chunks that are none are no answer`(body: String) {
        guard case .isMalformed = read(Self.chunked + body, by: 7).0 else {
            Issue.record("\(body) is taken")
            return
        }
    }

    @Test func `nothing is read without end`() {
        let status = "HTTP/1.0 200 OK\r\n"
        let endless = HTTPReader.Step.isMalformed("a header or a trailer does not end")
        let many = String(repeating: "x", count: 110_000)
        #expect(read(status + "A: " + many, by: 4096).0 == endless)
        #expect(read(status + String(repeating: "A: b\r\n", count: 60_000), by: 4096).0 == endless)
        #expect(read(String(repeating: "HTTP/1.1 100 C\r\n\r\n", count: 20_000), by: 4096).0 == endless)
        #expect(read(Self.chunked + "0\r\nA: " + many, by: 4096).0 == endless)
        let (step, reader, _) = read(status + "\r\n" + many, by: 4096, limit: 100_000)
        #expect(step == .isOver && reader.isTruncated)
        #expect(read(Self.chunked + "7fffffffffffffff\r\n" + many, by: 4096, limit: 100_000).1.isTruncated)
        #expect(read(Self.chunked + "5;" + many, by: 4096, limit: 100_000).1.isTruncated)
    }
}
