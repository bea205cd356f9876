// Whose fault it is, over every code there is: what a server can cause is its failure, what this host causes is inconclusive.
import CCurl
import Configuration
import Glibc
import HealthCheck
import Testing

@testable import checkd

@Suite struct CurlTableTests {
    /// CURLcodes that are about this host or about the request, by their numbers in libcurl-errors(3).
    private static let ours: Set<Int32> = [
        2, 3, 4, 5, 6, 26, 34, 37, 41, 42, 43, 45, 48, 49, 53, 54, 58, 59, 65, 66, 77, 82, 83, 89, 93, 97, 99,
    ]

    private func outcome(
        _ code: Int32, status: Int = 200, heard: Bool = true, complete: Bool = true, errno: Int32 = 0,
        digest: [UInt8]? = nil, request: HTTPRequest = HTTPRequest(path: "/", host: "www")
    ) -> ProbeOutcome {
        var result = ek_result()
        result.code = code
        result.status = status
        result.system_error = errno
        let answer = CurlAnswer(
            result, wasHeard: heard, headersAreComplete: complete, isTruncated: false, digest: digest)
        return answer.judged(by: request)
    }

    private func isInconclusive(_ outcome: ProbeOutcome) -> Bool {
        if case .inconclusive = outcome { true } else { false }
    }

    private func isFailure(_ outcome: ProbeOutcome) -> Bool {
        if case .failure = outcome { true } else { false }
    }

    /// Codes of a libcurl that is newer than the headers too (100 is CURLE_TOO_LARGE).
    private static let all = 0..<(ek_curl_codes() + 10)

    @Test func `a code about this host is never a failure, one that a server can cause is never inconclusive`() {
        for code in Self.all {
            for status in [0, 200, 503] {
                for complete in [false, true] {
                    let outcome = outcome(code, status: status, complete: complete)
                    #expect(isInconclusive(outcome) == Self.ours.contains(code), "code \(code): \(outcome)")
                }
            }
        }
    }

    @Test(arguments: [Int32(58), 77]) func `what curl cannot use of memory is named by its files`(code: Int32) {
        var result = ek_result()
        result.code = code
        let answer = CurlAnswer(
            result, wasHeard: false, headersAreComplete: false, isTruncated: false, digest: nil,
            files: ["/a.pem", "/b.key"])
        #expect(answer.judged(by: HTTPRequest(path: "/", host: "www")) == .inconclusive(.library("/a.pem, /b.key: ")))
    }

    @Test func `before the server was heard nothing but its connection and its handshake speaks against it`() {
        let handshake: Set<Int32> = [35, 60, 80, 90, 91, 98]
        let broken: Set<Int32> = [7, 52, 55, 56]
        let answered: Set<Int32> = [0, 18, 22, 23, 61]
        let notHTTP: Set<Int32> = [8, 16, 28, 33, 47, 63, 92, 95, 96]
        for code in Self.all {
            let blamed = handshake.union(broken).union(answered).union(notHTTP).contains(code)
            #expect(isFailure(outcome(code, status: 0, heard: false, complete: false)) == blamed, "code \(code)")
        }
    }

    @Test func `no answer is good unless its headers came to their end`() {
        for code in Self.all {
            let outcome = outcome(code, complete: false)
            #expect(outcome != .success, "code \(code)")
        }
        #expect(outcome(0, complete: false) == .failure(.malformed("closed inside the headers")))
        #expect(outcome(0) == .success)
        #expect(outcome(61) == .success)
    }

    @Test func `what is too large for curl is the server's`() {
        // A header line over 100 KB is CURLE_OUT_OF_MEMORY in 7.88, more than 300 KB of headers CURLE_RECV_ERROR.
        #expect(isFailure(outcome(27, complete: false)))
        #expect(isFailure(outcome(56, complete: false)))
        #expect(isInconclusive(outcome(27, status: 0, heard: false, complete: false)))
    }

    @Test func `a body that was not handed over has no right digest`() {
        var request = HTTPRequest(path: "/", host: "www")
        request.digest = Array(repeating: 0xAB, count: 16)
        #expect(isFailure(outcome(61, digest: [0xD4, 0x1D], request: request)))
    }

    @Test func `a connection that breaks for want of memory here is inconclusive`() {
        for number in [ENOMEM, ENOBUFS] { #expect(isInconclusive(outcome(56, errno: number))) }
        for number in [ECONNRESET, EPIPE, ETIMEDOUT] { #expect(isFailure(outcome(56, errno: number))) }
    }

    @Test(arguments: [
        ("www.example.com", "www.example.com"), ("www.example.com:7444", "www.example.com"), ("[::1]:443", "[::1]"),
        ("::1", "::1"), ("host:name", "host:name"), ("", ""), (":", ""),
    ])
    func `the name for TLS has no port`(name: String, expected: String) {
        #expect(HTTPExchange.tlsName(name) == expected)
    }
}

@Suite struct SystemFaultTests {
    /// What ICMP and ICMPv6 become (icmp_err_convert in net/ipv4/icmp.c, icmpv6_err_convert in net/ipv6/icmp.c), and what TCP sets.
    private static let fromTheWire: Set<Int32> = [
        ENETUNREACH, EHOSTUNREACH, ENOPROTOOPT, ECONNREFUSED, EMSGSIZE, EOPNOTSUPP, EHOSTDOWN, ENONET, EACCES, EPROTO,
        ECONNRESET, EPIPE, ETIMEDOUT, ECONNABORTED,
    ]

    private func isFailure(_ outcome: ProbeOutcome) -> Bool {
        if case .failure = outcome { true } else { false }
    }

    @Test func `what a server can send back is its failure`() {
        for number in Self.fromTheWire { #expect(isFailure(SystemFault.onTheWire(number)), "\(number)") }
    }

    @Test(arguments: [
        ENOMEM, ENOBUFS, EAGAIN, EADDRINUSE, EADDRNOTAVAIL, EPERM, EACCES, EMFILE, ENFILE, EINVAL, EAFNOSUPPORT, ENODEV,
        ENETDOWN,
    ])
    func `what connect refuses because of this host is inconclusive`(number: Int32) {
        #expect(!isFailure(SystemFault.connecting(number)))
    }

    @Test func `a refused call that involves nobody else is never a failure`() {
        for number in Int32(1)...133 { #expect(!isFailure(SystemFault.here(number))) }
    }

    @Test func `an error is said in words, not by its symbol`() {
        #expect(SystemFault.onTheWire(ECONNREFUSED) == .failure(.connection("connection refused")))
        #expect(SystemFault.connecting(EHOSTUNREACH) == .failure(.connection("no route to host")))
        #expect(SystemFault.here(EMFILE) == .inconclusive(.system("too many open files")))
        for number in Int32(1)...133 {
            for outcome in [SystemFault.here(number), SystemFault.connecting(number), SystemFault.onTheWire(number)] {
                let text =
                    switch outcome {
                    case .success: ""
                    case .failure(let failure): failure.description
                    case .inconclusive(let hindrance): hindrance.description
                    }
                #expect(text.contains { $0.isLowercase }, "\(number): \(text)")
            }
        }
    }

    @Test func `no way to a server is a failure at once and later`() {
        for number in [ECONNREFUSED, ENETUNREACH, EHOSTUNREACH, ETIMEDOUT] {
            #expect(isFailure(SystemFault.connecting(number)) && isFailure(SystemFault.onTheWire(number)))
        }
    }
}
