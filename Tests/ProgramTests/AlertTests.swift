// Alerts as people get them: checkd as a process, a mail server that misbehaves in every phase of SMTP, and a webhook. No probe waits for any
// of it.
import Bus
import Glibc
import JSON
import Net
import Platform
import Testing
import Varlink

@Suite(.serialized, .timeLimit(.minutes(3))) struct AlertTests {
    private let room: CheckRoom
    private let mails: MailServer
    private let server: TinyServer

    init() throws {
        room = try CheckRoom()
        mails = try MailServer(on: room.loop)
        server = try TinyServer(.answer([]), on: room.loop)
    }

    private var name: String { "tcp/127.0.0.1:81/127.0.0.1:\(server.port)" }

    private func configuration(_ words: String = "", recipients: [String] = ["ops@example.com"], delay: Double = 0.1)
        -> String
    {
        mailedServer(
            server, mails.port, from: "director@example.com", to: recipients, words, delay: delay)
    }

    private var subject: String {
        "[lb1] Realserver [127.0.0.1]:tcp:\(server.port) of virtual server [127.0.0.1]:tcp:81"
    }

    /// Lets the server fail, and waits until checkd knows.
    private func fail() throws {
        _ = try room.becomes(name, .up)
        server.close()
        _ = try room.becomes(name, .down)
    }

    @Test func `a server that fails and comes back is a mail each, with keepalived's subject, to each recipient`()
        throws
    {
        try room.start(configuration(recipients: ["ops@example.com", "boss@example.com"]))
        try fail()
        try room.eventually("mails") { mails.mails.count == 2 }
        #expect(mails.mails.allSatisfy { $0.subject == subject + " - DOWN" })
        #expect(Set(mails.mails.flatMap(\.recipients)) == ["ops@example.com", "boss@example.com"])
        let mail = try #require(mails.mails.first)
        #expect(mail.sender == "director@example.com")
        #expect(mail.text.contains("\r\n\r\n=> TCP CHECK failed on service <=\r\n"))
        #expect(mail.text.contains("Reason: TCP_CHECK 127.0.0.1:\(server.port): connection refused"))
        #expect(mail.header("From") == "director@example.com")
        #expect(mails.commands.contains("EHLO lb1.example.com"))
        #expect(mail.header("Message-ID").hasPrefix("<evenkeel-mail-"))
        // What was told is not told again by the next process, and what happened without one is.
        try room.end(SIGTERM)
        try server.open()
        try room.restart()
        try room.eventually("the next mails") { mails.mails.count == 4 }
        #expect(mails.mails.suffix(2).allSatisfy { $0.subject == subject + " - UP" })
    }

    /// Whatever the mail server does, and whenever, everything at once: the next probes come in time, and what happened is said.
    @Test func `a mail server that misbehaves delays no probe`() throws {
        let cases = MailServer.Phase.allCases.flatMap { phase in
            [MailServer.Manner.close, .silence, .drip, .reply("451 later")].map { [phase: $0] }
        }
        try room.start(
            configuration(
                "smtp_connect_timeout 1", recipients: cases.indices.map { "ops\($0)@example.com" }, delay: 0.05))
        _ = try room.becomes(name, .up)
        mails.mannersInTurn = cases
        var longest = Duration.zero
        var last = (server.sources.count, room.loop.refreshNow())
        let call = try PendingCall(room.directory + "/run/private/checkd.sock", CheckAPI.TestAlerts(), on: room.loop)
        try room.eventually("the answer", within: .seconds(60)) {
            if server.sources.count != last.0 {
                longest = max(longest, room.loop.now - last.1)
                last = (server.sources.count, room.loop.now)
            }
            return call.reply != nil
        }
        longest = max(longest, room.loop.refreshNow() - last.1)
        #expect(longest < .milliseconds(700))
        let reply: CheckAPI.TestAlerts.Reply = try JSONValue.object(try #require(call.reply).parameters).decode()
        #expect(reply.deliveries.count == cases.count)
        // After the text a mail is taken, whatever becomes of QUIT.
        let misbehaved = reply.deliveries.filter { !$0.delivered }
        #expect(mails.mails.count == 4 && misbehaved.count == cases.count - 4, "\(reply.deliveries)")
        #expect(reply.deliveries.allSatisfy { !$0.answer.isEmpty })
        #expect(misbehaved.count { $0.answer.contains("451 later") } == MailServer.Phase.allCases.count - 1)
    }

    @Test func `one recipient that is refused keeps nobody else from his mail`() throws {
        mails.refused["gone@example.com"] = "550 no such user"
        try room.start(configuration(recipients: ["gone@example.com", "ops@example.com"]))
        try fail()
        try room.eventually("the other's mail") { mails.mails.count == 1 }
        #expect(mails.mails.first?.recipients == ["ops@example.com"])
        try room.eventually("it is said") {
            room.log.contains("mail to gone@example.com was not taken") && room.log.contains("550 no such user")
        }
    }

    @Test func `what nobody took is sent by the next process, and an alarm says so meanwhile`() throws {
        mails.manners[.recipient] = .reply("451 greylisted")
        try room.start(configuration())
        try fail()
        try room.eventually("the alarm stands", within: .seconds(40)) {
            room.log.contains("mail: mail to ops@example.com is not taken: the mail server says to RCPT TO:")
        }
        try room.end(SIGKILL)
        mails.manners = [:]
        try room.restart()
        try room.eventually("the mail comes") { mails.mails.count == 1 }
        #expect(mails.mails.first?.subject == subject + " - DOWN")
    }

    @Test func `a reload that takes mail away says what is not told`() throws {
        mails.manners[.greeting] = .close
        let text = configuration()
        try room.start(text)
        try fail()
        try room.eventually("the mail fails") {
            room.log.contains("was not taken, it is sent again: the mail server closed the connection")
        }
        try room.configure(text.replacing("ops@example.com", with: "boss@example.com"))
        room.checkd?.signal(SIGHUP)
        try room.eventually("it is said") {
            room.log.contains("mail to ops@example.com is not configured any more: 1 changes that waited are not told")
        }
    }

    @Test func `one test at a time`() throws {
        mails.manners[.greeting] = .silence
        try room.start(configuration("smtp_connect_timeout 1"))
        let socket = room.directory + "/run/private/checkd.sock"
        let first = try PendingCall(socket, CheckAPI.TestAlerts(), on: room.loop)
        try room.eventually("it is under way") { mails.connections == 1 }
        let second = try PendingCall(socket, CheckAPI.TestAlerts(), on: room.loop)
        try room.eventually("the second is refused") { second.reply != nil }
        #expect(second.reply?.error == CheckAPI.TestUnderWay.error)
        try room.eventually("the first is answered", within: .seconds(30)) { first.reply != nil }
        #expect(mails.connections == 1)
        #expect(try room.testAlerts().count == 1)
    }

    @Test func `at SIGTERM what waits is sent`() throws {
        try room.start(configuration())
        try fail()
        try room.end(SIGTERM)
        #expect(mails.mails.map(\.subject) == [subject + " - DOWN"])
    }

    @Test func `webhooks get a CloudEvents object`() throws {
        let hook = try TinyServer(.answer(Array("HTTP/1.1 204 No Content\r\n\r\n".utf8)), on: room.loop)
        hook.endsRequest = { $0.last == UInt8(ascii: "}") }
        try room.start(configuration("notify_webhook http://127.0.0.1:\(hook.port)/secret", recipients: []))
        try fail()
        try room.eventually("it is told") { !hook.requests.isEmpty }
        let parts = try #require(hook.requests.first).split(separator: "\r\n\r\n", maxSplits: 1)
        #expect(parts[0].hasPrefix("POST /secret HTTP/1.1\r\n"))
        #expect(parts[0].contains("Content-Type: application/cloudevents+json"))
        let event: BusAPI.Event = try JSONValue(parsing: Array(parts[1].utf8)).decode()
        #expect((event.specversion, event.type, event.subject) == ("1.0", "io.evenkeel.alert", "lb1"))
        let notice: CheckAPI.AlertNotice = try #require(event.data).decode()
        #expect(notice.summary == subject + " - DOWN")
        #expect(notice.changes.map(\.name) == [name])
        #expect(!room.log.contains("/secret"))
    }

    @Test func `a webhook whose trailer does not end is said in plain words`() throws {
        let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: "
        let hook = try TinyServer(.endless(Array(answer.utf8)), on: room.loop)
        hook.endsRequest = { $0.last == UInt8(ascii: "}") }
        try room.start(configuration("notify_webhook http://127.0.0.1:\(hook.port)/", recipients: []))
        let deliveries = try room.testAlerts()
        #expect(deliveries.map(\.answer) == ["a header or a trailer does not end"])
    }

    @Test func `a mail server that hangs keeps no webhook waiting, and secrets of its URL are not shown`() throws {
        let hook = try TinyServer(.answer(Array("HTTP/1.1 204 No Content\r\n\r\n".utf8)), on: room.loop)
        hook.endsRequest = { $0.last == UInt8(ascii: "}") }
        mails.manners[.greeting] = .silence
        let url = "http://user:word@127.0.0.1:\(hook.port)?token=secret"
        try room.start(
            configuration("notify_webhook \(url)", recipients: (1...5).map { "ops\($0)@example.com" }))
        try fail()
        try room.eventually("it is told") { room.log.contains("webhook http://127.0.0.1:\(hook.port) was taken") }
        try room.eventually("four mails are under way") { mails.connections == 4 }
        #expect(!room.log.contains("secret") && !room.log.contains("word@"))
    }

    @Test func `a test says what each server answers`() throws {
        mails.refused["gone@example.com"] = "550 no such user"
        try room.start(configuration(recipients: ["gone@example.com", "ops@example.com"]))
        let deliveries = try room.testAlerts()
        #expect(deliveries.map(\.delivered) == [false, true])
        #expect(deliveries.first?.answer == "the mail server says to RCPT TO:<gone@example.com>: 550 no such user")
        #expect(deliveries.last?.answer == "250 2.0.0 taken")
        #expect(mails.mails.first?.subject == "[lb1] Evenkeel - test of alerts")
    }

    @Test func `a password that others may read is refused`() throws {
        let file = room.directory + "/password"
        try FileSystem.replace(file, with: Array("secret\n".utf8), durable: false)
        chmod(file, 0o644)
        try room.start(configuration("smtp_tls starttls\nsmtp_user lb\nsmtp_password_file \(file)"))
        try fail()
        try room.eventually("it is said") { room.log.contains("smtp_password_file \(file): others may read it") }
        #expect(mails.connections == 0)
    }
}
