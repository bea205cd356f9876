// What people read, and what it is on the wire.
import Configuration
import Testing

@testable import Alerts

@Suite struct LetterTests {
    private func waiting(_ changes: [AlertChange], dropped: Int = 0) -> AlertChannel.Waiting {
        var waiting = AlertChannel.Waiting()
        (waiting.changes, waiting.dropped) = (changes, dropped)
        return waiting
    }

    private func mail(_ letter: AlertLetter, from: String = "lb@example.com", to: [String] = ["a@b.c"]) throws -> String
    {
        let text = MailText(
            letter, from: try #require(MailAddress(from)), to: try to.map { try #require(MailAddress($0)) },
            time: "2026-11-26T19:05:04.678Z", identity: "evenkeel-mail-x-7", host: "lb1.example.com")
        return String(decoding: text.octets, as: UTF8.self)
    }

    @Test func `one change has keepalived's subject and text`() {
        let letter = AlertLetter(waiting([makeChange(1, "[192.0.2.10]:tcp:80", "DOWN")]), router: "lb1")
        #expect(letter.subject == "[lb1] Realserver [192.0.2.10]:tcp:80 - DOWN")
        #expect(letter.lines.first == "=> text <=")
        #expect(letter.lines.contains("Reason: connection refused"))
    }

    @Test func `many changes are summed up by how things stand at last, and all are listed`() {
        let changes =
            (0..<500).map { makeChange($0, "s\($0)", "DOWN") }
            + [makeChange(500, "s0", "UP"), makeChange(501, "VI_1", "Entering MASTER state", .instance)]
        let letter = AlertLetter(waiting(changes), router: "lb1")
        #expect(letter.subject.hasPrefix("[lb1] 502 changes: 499 real servers DOWN, Realserver s0 - UP, "))
        #expect(letter.lines.count { $0.hasPrefix("Realserver s") && $0.hasSuffix(" - DOWN") } == 500)
        let late = AlertLetter(waiting(changes, dropped: 1234), router: "")
        #expect(late.subject.hasPrefix("1736 changes: "))
        #expect(late.lines.contains { $0.hasPrefix("1234 earlier changes are not listed") })
        #expect(late.subject.count <= 200)
    }

    @Test func `header and body are what RFC 5322 wants`() throws {
        let text = try mail(AlertLetter(waiting([makeChange(1, "x", "UP")]), router: "lb1"), to: ["a@b.c", "d@e.f"])
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
        #expect(lines.contains("Date: Thu, 26 Nov 2026 19:05:04 +0000"))
        #expect(lines.contains("From: lb@example.com"))
        #expect(lines.contains("To: a@b.c,"))
        #expect(lines.contains("Message-ID: <evenkeel-mail-x-7@lb1.example.com>"))
        #expect(!text.replacing("\r\n", with: "").contains { $0 == "\r" || $0 == "\n" })
        #expect(try #require(lines.firstIndex(of: "")) < lines.count - 3)
    }

    @Test(arguments: [
        ("2024-02-29T23:59:59Z", "Thu, 29 Feb 2024 23:59:59 +0000"),
        ("2000-01-01T00:00:00.000Z", "Sat, 01 Jan 2000 00:00:00 +0000"),
        ("2026-12-31T12:00:00Z", "Thu, 31 Dec 2026 12:00:00 +0000"), ("", "Thu, 01 Jan 1970 00:00:00 +0000"),
    ])
    func `dates`(_ time: String, _ expected: String) {
        #expect(MailText.date(time) == expected)
    }

    @Test func `nothing that a name or a reason says ends a header or begins another`() throws {
        let evil = "x\r\nBcc: victim@example.com\n\u{2028}\u{0}\u{1B}[31m"
        let change = AlertChange(
            number: 1, AlertSubject(.instance, evil), state: evil, title: evil, headline: evil, text: evil,
            reason: evil,
            time: evil)
        let text = try mail(AlertLetter(waiting([change]), router: "lb1"))
        #expect(!text.contains("\nBcc:"))
        #expect(!text.unicodeScalars.contains { $0.value == 0 || $0.value == 0x1B })
        for bad in [
            "a@b\r\nBcc: c@d", "a b@c", "<a@b", "a@b>", "", "a,b@c", "N\u{7} <a@b>", "léa@b", "N <a@bücher.de>",
        ] {
            #expect(MailAddress(bad) == nil, "\(bad)")
        }
    }

    @Test(arguments: [
        ("a@b", "a@b", ""), ("<a@b>", "a@b", ""), ("Ops Team <a@b>", "a@b", "Ops Team"),
        ("\"Ops, Team\" <a@b>", "a@b", "Ops, Team"), ("root", "root", ""),
        (#""The \"Ops\" of \\x" <a@b>"#, "a@b", #"The "Ops" of \x"#), (#""A <a@b>"#, "a@b", #""A"#),
        (#""A\" <a@b>"#, "a@b", #"A\"#),
    ])
    func `addresses with and without a name`(_ text: String, _ address: String, _ name: String) throws {
        let parsed = try #require(MailAddress(text))
        #expect((parsed.address, parsed.name) == (address, name))
    }

    @Test func `what is not ASCII is an encoded word in a header, and base64 in the body`() throws {
        let change = makeChange(1, "Büro", "DOWN")
        let text = try mail(AlertLetter(waiting([change]), router: "lb1"), from: "Léa <lb@example.com>")
        #expect(text.utf8.allSatisfy { $0 < 0x80 })
        #expect(text.contains("From: =?utf-8?B?TMOpYQ==?= <lb@example.com>\r\n"))
        #expect(text.contains("Subject: =?utf-8?B?"))
        #expect(text.split(separator: "\r\n").allSatisfy { $0.utf8.count <= 78 })
        let plain = try mail(AlertLetter(waiting([makeChange(1, "x", "UP")]), router: "r"), from: "Ops Team <o@x.y>")
        #expect(plain.contains("From: \"Ops Team\" <o@x.y>\r\n"))
    }

    @Test(arguments: [(#"The "Ops""#, #"The \"Ops\""#), (#"a\b"#, #"a\\b"#), ("\"", "\\\"")])
    func `quotes in a name are quoted`(_ name: String, _ quoted: String) throws {
        let letter = AlertLetter(waiting([makeChange(1, "x", "UP")]), router: "r")
        #expect(try mail(letter, from: "\(name) <o@x.y>").contains("From: \"\(quoted)\" <o@x.y>\r\n"))
        #expect(MailAddress("\"\(quoted)\" <o@x.y>") == MailAddress("\(name) <o@x.y>"))
    }

    @Test(arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")])
    func `base64 as RFC 4648 has it`(_ text: String, _ expected: String) {
        #expect(Base64.text(of: text.utf8) == expected)
    }

    @Test func `a dialog tells the command and the reply, never a secret`() {
        var dialog = SMTPTranscript()
        #expect(dialog.failure("connection refused") == "connection refused")
        let (closed, endless) = ("response reading failed (errno: 115)", "Too large response headers: 307215 > 307200")
        #expect(dialog.failure(closed) == "the mail server closed the connection")
        #expect(dialog.failure(endless) == "the mail server's greeting does not end")
        dialog.heard("220 mail\r\n")
        dialog.said("EHLO lb1\r\n")
        dialog.heard("250-mail\r\n")
        dialog.heard("250 AUTH PLAIN\r\n")
        #expect(dialog.reply == "250-mail 250 AUTH PLAIN")
        dialog.said("AUTH PLAIN AGEAc2VjcmV0\r\n")
        dialog.said("c2VjcmV0\r\n")
        dialog.heard("535 no\r\n")
        #expect(dialog.failure("Login denied") == "the mail server says to AUTH: 535 no")
        dialog.said("MAIL FROM:<a@b>\r\n")
        #expect(dialog.failure("Timeout was reached") == "Timeout was reached, after MAIL FROM:<a@b>")
        #expect(dialog.failure(closed) == "the mail server closed the connection, after MAIL FROM:<a@b>")
        #expect(dialog.failure(endless) == "the mail server's answer does not end, after MAIL FROM:<a@b>")
        dialog.said("QUIT\r\n")
        dialog.heard("221 bye\u{7}\r\n")
        #expect(dialog.failure("closed") == "closed, after MAIL FROM:<a@b>")
    }
}
