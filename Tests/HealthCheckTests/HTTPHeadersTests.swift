// Header lines one by one, as curl hands them over.
import HealthCheck
import Testing

@Suite struct HTTPHeadersTests {
    private func read(_ lines: String...) -> HTTPHeaders {
        var headers = HTTPHeaders()
        for line in lines { Array(line.utf8).withUnsafeBytes { headers.take(line: $0) } }
        return headers
    }

    @Test func `headers are complete with the empty line only`() {
        #expect(!read().areComplete)
        #expect(!read("HTTP/1.0 200 OK\r\n", "A: b\r\n").areComplete)
        #expect(!read("HTTP/1.0 200 OK\r\n", "A: b").areComplete)
        #expect(read("HTTP/1.0 200 OK\r\n", "A: b\r\n", "\r\n").areComplete)
        #expect(read("HTTP/1.0 200 OK\n", "\n").areComplete)
    }

    @Test func `after an interim answer the next block counts`() {
        #expect(!read("HTTP/1.1 100 Continue\r\n", "\r\n", "HTTP/1.1 200 OK\r\n").areComplete)
        #expect(read("HTTP/1.1 100 Continue\r\n", "Content-Length: 0\r\n", "\r\n").bodyLength == nil)
        let both = read("HTTP/1.1 100 C\r\n", "\r\n", "HTTP/1.1 200 OK\r\n", "Content-Length: 3\r\n", "\r\n")
        #expect(both.bodyLength == 3)
    }

    @Test(arguments: [
        ("Content-Length: 6\r\n", 6), ("content-LENGTH:6\n", 6), ("Content-Length:  6 \t\r\n", 6),
        ("Content-Length: 0\r\n", 0), ("Content-Length: -1\r\n", nil), ("Content-Length: abc\r\n", nil),
        ("Content-Length: 6x\r\n", nil), ("Content-Length:\r\n", nil), ("Content-Length", nil),
        ("Content-Length: 99999999999999999999999\r\n", nil), ("X-Content-Length: 6\r\n", nil), ("", nil),
        ("\u{FFFD}\u{0}", nil),
    ])
    func `the length of the body is what Content-Length says when that is a number`(line: String, length: Int?) {
        #expect(read("HTTP/1.1 200 OK\r\n", line, "\r\n").bodyLength == length)
    }

    @Test func `the first Content-Length counts, trailers say nothing`() {
        #expect(read("HTTP/1.1 200 OK\r\n", "Content-Length: 6\r\n", "Content-Length: 9\r\n", "\r\n").bodyLength == 6)
        #expect(read("HTTP/1.1 200 OK\r\n", "\r\n", "Content-Length: 9\r\n", "\r\n").bodyLength == nil)
    }

    @Test func `nothing follows headers that say so`() {
        #expect(read("HTTP/1.1 200 OK\r\n", "Content-Length: 0\r\n", "\r\n").endTheAnswer)
        #expect(!read("HTTP/1.1 200 OK\r\n", "Content-Length: 0\r\n").endTheAnswer)
        #expect(!read("HTTP/1.1 200 OK\r\n", "\r\n").endTheAnswer)
    }
}
