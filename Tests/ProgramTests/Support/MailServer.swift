// A mail server on loopback that does in each phase of SMTP what a test wants. It runs on the test's own loop.
import CLinux
import Glibc
import Platform

/// Listens on a port of its own on 127.0.0.1.
final class MailServer {
    /// What a client has sent when the server is to answer.
    enum Phase: String, CaseIterable {
        case greeting, hello, sender, recipient, data, text, quit
    }

    /// What the server does in a phase.
    enum Manner: Equatable {
        /// Says so, in one line.
        case reply(String)
        /// Closes the connection.
        case close
        /// Says nothing, and keeps the connection.
        case silence
        /// One octet every 200 ms, for ever, and never the end of a line.
        case drip
    }

    /// A mail that was taken.
    struct Mail {
        let sender: String
        let recipients: [String]
        let text: String
        var subject: String { header("Subject") }

        func header(_ name: String) -> String {
            let line = text.split(separator: "\r\n").first { $0.hasPrefix(name + ": ") } ?? ""
            return String(line.dropFirst(name.count + 2))
        }
    }

    private final class Guest {
        let socket: FileDescriptor
        var watch: Watch?
        var timer: LoopTimer?
        var input: [UInt8] = []
        var sender = ""
        var recipients: [String] = []
        var isInText = false
        /// Instead of everybody's.
        var manners: [Phase: Manner]?

        init(_ socket: consuming FileDescriptor) { self.socket = socket }
    }

    let port: UInt16
    /// Phases in which it does not do what is usual.
    var manners: [Phase: Manner] = [:]
    /// The same for the next connections, one each.
    var mannersInTurn: [[Phase: Manner]] = []
    /// Recipients that are refused, with the reply.
    var refused: [String: String] = [:]
    /// What was taken.
    private(set) var mails: [Mail] = []
    /// Every line that clients sent before the text.
    private(set) var commands: [String] = []
    private(set) var connections = 0
    private let loop: EventLoop
    private var listener: FileDescriptor?
    private var watch: Watch?
    private var guests: [ObjectIdentifier: Guest] = [:]

    init(on loop: EventLoop) throws {
        self.loop = loop
        let (number, port) = try TinyServer.bind(to: 0)
        self.port = port
        listener = FileDescriptor(owning: number)
        try Errno.check(Glibc.listen(number, 64), "listen")
        watch = try loop.watch(number, .read) { [weak self] _ in self?.accept(number) }
    }

    private func accept(_ listener: Int32) {
        let number = Glibc.accept(listener, nil, nil)
        guard number >= 0 else { return }
        _ = ek_set_nonblocking(number)
        _ = fcntl(number, F_SETFD, FD_CLOEXEC)
        connections += 1
        let guest = Guest(FileDescriptor(owning: number))
        if !mannersInTurn.isEmpty { guest.manners = mannersInTurn.removeFirst() }
        guests[ObjectIdentifier(guest)] = guest
        guest.watch = try? loop.watch(number, .read) { [weak self, weak guest] _ in
            if let guest { self?.receive(from: guest) }
        }
        answer(guest, .greeting, "220 test ESMTP")
    }

    private func receive(from guest: Guest) {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        let count = (try? chunk.withUnsafeMutableBytes { try guest.socket.read(into: $0) }) ?? 0
        guard count > 0 else { return leave(guest) }
        guest.input += chunk[..<count]
        while let end = guest.input.firstIndex(of: 10) {
            let line = String(decoding: guest.input[..<end].filter { $0 != 13 }, as: UTF8.self)
            if guest.isInText {
                guard let text = takeText(guest) else { return }
                guest.isInText = false
                finish(guest, text)
                continue
            }
            guest.input.removeFirst(end + 1)
            commands.append(line)
            obey(line, of: guest)
        }
    }

    private func takeText(_ guest: Guest) -> String? {
        let text = String(decoding: guest.input, as: UTF8.self)
        guard let end = text.firstRange(of: "\r\n.\r\n") else { return nil }
        guest.input.removeFirst(text[..<end.upperBound].utf8.count)
        return String(text[..<end.lowerBound])
    }

    private func finish(_ guest: Guest, _ text: String) {
        let mail = Mail(sender: guest.sender, recipients: guest.recipients, text: text)
        if (guest.manners ?? manners)[.text] == nil { mails.append(mail) }
        answer(guest, .text, "250 2.0.0 taken")
    }

    private func obey(_ line: String, of guest: Guest) {
        let verb = line.prefix { $0 != " " }.uppercased()
        let address = line.drop { $0 != "<" }.dropFirst().prefix { $0 != ">" }
        switch verb {
        case "EHLO", "HELO": answer(guest, .hello, "250 test")
        case "MAIL":
            (guest.sender, guest.recipients) = (String(address), [])
            answer(guest, .sender, "250 ok")
        case "RCPT":
            if let reply = refused[String(address)] { return say(reply, to: guest) }
            guest.recipients.append(String(address))
            answer(guest, .recipient, "250 ok")
        case "DATA":
            guest.isInText = (guest.manners ?? manners)[.data] == nil
            answer(guest, .data, "354 go on")
        case "QUIT": answer(guest, .quit, "221 bye")
        default: say("502 what?", to: guest)
        }
    }

    private func answer(_ guest: Guest, _ phase: Phase, _ usual: String) {
        switch (guest.manners ?? manners)[phase] ?? .reply(usual) {
        case .reply(let text): say(text, to: guest)
        case .close: leave(guest)
        case .silence: break
        case .drip: drip(to: guest)
        }
    }

    private func say(_ text: String, to guest: Guest) {
        _ = try? Array("\(text)\r\n".utf8).withUnsafeBytes { try guest.socket.write($0) }
    }

    private func drip(to guest: Guest) {
        _ = try? [UInt8(ascii: "2")].withUnsafeBytes { try guest.socket.write($0) }
        guest.timer = loop.timer { [weak self, weak guest] in
            if let guest { self?.drip(to: guest) }
        }
        guest.timer?.arm(after: .milliseconds(200))
    }

    private func leave(_ guest: Guest) {
        guest.watch?.cancel()
        guest.timer?.disarm()
        guests[ObjectIdentifier(guest)] = nil
    }
}
