// SMTP_CHECK, DNS_CHECK, UDP_CHECK and PING_CHECK against servers that answer well, badly, slowly, for ever and not at all.
import Bus
import Glibc
import Net
import Platform
import Testing

private func check(_ kind: String, _ port: UInt16, _ words: String = "", timeout: String, ipv6: Bool = false) -> String
{
    """
    \(kind) {
     connect_ip \(ipv6 ? "::1" : "127.0.0.1")
     connect_port \(port)
     connect_timeout \(timeout)
     retry 0
     \(words)
    }
    """
}

/// What a mail server does and what checkd shall make of it.
struct SMTPCase: Sendable, CustomStringConvertible {
    let description: String
    let timeout: String
    /// The reason; nil = up.
    let failure: String?
    let steps: [ScriptedServer.Step]

    init(_ description: String, timeout: String = "2", failure: String? = nil, _ steps: ScriptedServer.Step...) {
        (self.description, self.timeout, self.failure, self.steps) = (description, timeout, failure, steps)
    }

    private static let slowly = Duration.milliseconds(100)

    static let all: [SMTPCase] = [
        SMTPCase("as it should be", .say("220 a\r\n"), .hear, .say("250 b\r\n"), .hear, .say("221 c\r\n"), .close),
        SMTPCase(
            "replies of several lines", .say("220-a\r\n220 b\r\n"), .hear, .say("250-b\r\n250 c\r\n"), .hear,
            .say("221 c\r\n")),
        SMTPCase(
            "octet by octet", .drip("220 a\r\n", every: slowly), .hear, .drip("250 b\r\n", every: slowly), .hear,
            .drip("221\r\n", every: slowly)),
        SMTPCase("no thanks", failure: "greeting reply: 554 no", .say("554 no\r\n"), .hear),
        SMTPCase("busy", failure: "greeting reply: 421 later", .say("421 later\r\n"), .close),
        SMTPCase("HELO refused", failure: "HELO reply: 501 who?", .say("220 a\r\n"), .hear, .say("501 who?\r\n")),
        SMTPCase("not SMTP", failure: "greeting reply: SSH-2.0-OpenSSH_9.2", .say("SSH-2.0-OpenSSH_9.2\r\n")),
        SMTPCase("closed at once", failure: "bad answer: closed before the greeting reply", .close),
        SMTPCase(
            "closed inside the greeting", failure: "bad answer: closed before the greeting reply", .say("220 a"), .close
        ),
        SMTPCase(
            "closed at HELO", failure: "bad answer: closed before the HELO reply", .say("220 a\r\n"), .hear, .close),
        SMTPCase(
            "closed at QUIT", failure: "bad answer: closed before the QUIT reply", .say("220 a\r\n"), .hear,
            .say("250 b\r\n"), .hear, .close),
        SMTPCase("reset at HELO", failure: "connection reset by peer", .say("220 a\r\n"), .hear, .reset),
        SMTPCase("accepted and silent", timeout: "0.5", failure: "timeout (answer)", .hear),
        SMTPCase("no end of the line", timeout: "0.5", failure: "timeout (answer)", .say("220 a"), .hear),
        SMTPCase("silent at HELO", timeout: "0.5", failure: "timeout (answer)", .say("220 a\r\n")),
        SMTPCase(
            "silent at QUIT", timeout: "0.5", failure: "timeout (answer)", .say("220 a\r\n"), .hear, .say("250 b\r\n")),
        SMTPCase(
            "all replies before they are asked for", timeout: "0.5", failure: "timeout (answer)",
            .say("220 a\r\n250 b\r\n221 c\r\n")),
        SMTPCase(
            "a drip without end", timeout: "0.3", failure: "timeout (answer)",
            .drip(String(repeating: "2", count: 1000), every: slowly)),
        SMTPCase(
            "a HELO reply that drips without end", timeout: "0.3", failure: "timeout (answer)", .say("220 a\r\n"),
            .hear,
            .drip(String(repeating: "250-b\r\n", count: 100), every: slowly)),
        SMTPCase(
            "a greeting of lines without end", failure: "bad answer: greeting reply longer than 65536 octets",
            .say(String(repeating: "220-a\r\n", count: 10_000))),
        SMTPCase(
            "octets that are no text", failure: "greeting reply: ?220 ??", .say("\0220 \u{E4}\r\n")),
        SMTPCase("four digits", failure: "greeting reply: 2200 a", .say("2200 a\r\n")),
        SMTPCase("reset at once", failure: "connection reset by peer", .reset),
        SMTPCase(
            "closed inside the HELO reply", failure: "bad answer: closed before the HELO reply", .say("220 a\r\n"),
            .hear,
            .say("250-b\r\n250"), .close),
        SMTPCase(
            "TLS from the first octet", failure: "greeting reply: ??????(", .say("\u{15}\u{3}\u{3}\0\u{2}\u{2}\u{28}\n")
        ),
        SMTPCase("a banner without end", failure: "bad answer: greeting reply longer than 65536 octets", .flood),
    ]
}

@Suite(.serialized, .timeLimit(.minutes(3)))
struct CheckDialogTests {
    @Test func `mail servers get the verdict they deserve`() throws {
        let room = try CheckRoom()
        let cases = SMTPCase.all
        let servers = try cases.map { try ScriptedServer($0.steps, on: room.loop) }
        let ipv6 = try ScriptedServer(cases[0].steps, on: room.loop, ipv6: true)
        let checks = zip(cases, servers).map { check("SMTP_CHECK", $1.port, "helo_name lb.test", timeout: $0.timeout) }
        try room.start(
            virtualServer(checks + [check("SMTP_CHECK", ipv6.port, timeout: "2", ipv6: true)], delay: "0.3"))
        for (index, item) in cases.enumerated() {
            let health = try room.becomes(realServer(index + 1), item.failure == nil ? .up : .down)
            guard let failure = item.failure else { continue }
            #expect(health.reason == "SMTP_CHECK 127.0.0.1:\(servers[index].port): \(failure)", "\(item)")
        }
        _ = try room.becomes(realServer(cases.count + 1), .up)
        #expect(servers[0].lines.prefix(2) == ["HELO lb.test", "QUIT"])
        #expect(ipv6.lines.prefix(2) == ["HELO smtpchecker.keepalived.org", "QUIT"])
    }

    @Test func `name servers get the verdict they deserve`() throws {
        let room = try CheckRoom()
        func answer(_ question: [UInt8], code: UInt8 = 0, id: UInt8 = 0, flags: UInt8 = 0x81) -> [UInt8] {
            [question[0] ^ id, question[1], flags, 0x80 | code] + question[4...]
        }
        let cases: [(what: String, timeout: String, failure: String?, answer: ([UInt8]) -> [[UInt8]])] = [
            ("an answer", "2", nil, { [answer($0)] }),
            ("an answer after garbage", "2", nil, { [[], [1, 2, 3], answer($0, id: 1), $0, answer($0)] }),
            ("no such name", "2", "NXDOMAIN", { [answer($0, code: 3)] }),
            ("refused", "2", "REFUSED", { [answer($0, code: 5)] }),
            ("silence", "0.5", "timeout (answer)", { _ in [] }),
            ("another id", "0.5", "timeout (answer)", { [answer($0, id: 1)] }),
            ("a cut header", "0.5", "timeout (answer)", { [Array(answer($0).prefix(11))] }),
            ("the question itself", "0.5", "timeout (answer)", { [$0] }),
            ("an answer in 60,000 octets", "2", nil, { [answer($0) + [UInt8](repeating: 7, count: 60_000)] }),
            ("garbage in 60,000 octets", "0.5", "timeout (answer)", { _ in [[UInt8](repeating: 0xFF, count: 60_000)] }),
            ("a flood of garbage", "0.5", "timeout (answer)", { _ in Array(repeating: [7, 7, 7], count: 200) }),
        ]
        let servers = try cases.map { try DatagramServer(on: room.loop, answer: $0.answer) }
        let ipv6 = try DatagramServer(on: room.loop, ipv6: true) { [answer($0)] }
        let words = "type aaaa\n name www.example.com"
        let closed = try Loopback.freePort(SOCK_DGRAM)
        try room.start(
            virtualServer(
                zip(cases, servers).map { check("DNS_CHECK", $1.port, words, timeout: $0.timeout) } + [
                    check("DNS_CHECK", ipv6.port, timeout: "2", ipv6: true),
                    check("DNS_CHECK", closed, timeout: "9"),
                ], delay: "0.3"))
        for (index, item) in cases.enumerated() {
            let health = try room.becomes(realServer(index + 1), item.failure == nil ? .up : .down)
            guard let failure = item.failure else { continue }
            #expect(health.reason == "DNS_CHECK 127.0.0.1:\(servers[index].port): \(failure)", "\(item.what)")
        }
        _ = try room.becomes(realServer(cases.count + 1), .up)
        #expect(try room.becomes(realServer(cases.count + 2), .down).reason.hasSuffix("connection refused"))
        let question = try #require(servers[0].heard.first)
        let name = Array("\u{3}www\u{7}example\u{3}com\u{0}".utf8)
        #expect(Array(question.dropFirst(12)) == name + [0, 28, 0, 1])
        #expect(
            Set(servers[0].heard.map { $0.prefix(2) }).count == servers[0].heard.count, "an id of its own each time")
    }

    /// What is no answer does not begin the wait anew: a drip of it would hold the check for ever.
    @Test func `datagrams that drip without end lengthen no wait`() throws {
        let room = try CheckRoom()
        let server = try DatagramServer(on: room.loop) { [$0] }
        server.repeats = .milliseconds(100)
        try room.start(
            virtualServer(
                [check("DNS_CHECK", server.port, "type a\n name www.example.com", timeout: "0.5")], delay: "9"))
        let health = try room.becomes(realServer(1), .down)
        #expect(health.reason.hasSuffix("timeout (answer)"))
        #expect((500_000..<900_000).contains(health.checks[0].runtime.durationMicroseconds ?? 0))
    }

    @Test func `UDP services get the verdict they deserve`() throws {
        let room = try CheckRoom()
        let wants = "require_reply 0a xx 4x\n min_reply_length 3\n max_reply_length 5"
        let cases: [(what: String, words: String, failure: String?, answer: [[UInt8]])] = [
            ("silence", "", nil, []),
            (
                "a reply that nobody asked for",
                wants.replacing("require_reply", with: "payload").replacing("xx 4x", with: "01"), nil, [[1]]
            ),
            ("silence where a reply is wanted", "require_reply", "timeout (answer)", []),
            ("any reply", "require_reply", nil, [[]]),
            ("the reply", wants, nil, [[0x0A, 0x99, 0x4F]]),
            ("another reply", wants, "a reply that begins otherwise", [[0x0A, 0x99, 0x5F]]),
            ("a short one", wants, "a reply of 2 octets, not 3", [[0x0A, 0x99]]),
            ("a long one", wants, "a reply of more than 5 octets", [[0x0A, 0x99, 0x4F, 1, 2, 3]]),
        ]
        let servers = try cases.map { item in try DatagramServer(on: room.loop) { _ in item.answer } }
        let closed = try Loopback.freePort(SOCK_DGRAM)
        let ipv6 = try DatagramServer(on: room.loop, ipv6: true) { [$0] }
        try room.start(
            virtualServer(
                zip(cases, servers).map { check("UDP_CHECK", $1.port, $0.words, timeout: "0.5") } + [
                    check("UDP_CHECK", closed, timeout: "0.5"),
                    check("UDP_CHECK", ipv6.port, "payload 01 02\n require_reply 01 02", timeout: "2", ipv6: true),
                ], delay: "0.3"))
        for (index, item) in cases.enumerated() {
            let health = try room.becomes(realServer(index + 1), item.failure == nil ? .up : .down)
            guard let failure = item.failure else { continue }
            #expect(health.reason == "UDP_CHECK 127.0.0.1:\(servers[index].port): \(failure)", "\(item.what)")
        }
        #expect(try room.becomes(realServer(cases.count + 1), .down).reason.hasSuffix("connection refused"))
        _ = try room.becomes(realServer(cases.count + 2), .up)
        #expect(servers[0].heard.first == Array("keepalived check - keepalived ch".utf8))
        #expect(ipv6.heard.first == [1, 2])
    }
}
