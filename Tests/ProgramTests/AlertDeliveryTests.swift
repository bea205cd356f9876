// Alerts and SMTP_CHECK with a mail server as people run them, Exim: TLS from the first octet and after STARTTLS, authorities, names, users and
// passwords, and the mail in the box. What a mail server does wrong is AlertTests' subject.
import Bus
import Glibc
import Net
import Platform
import Testing

/// Exim with a box for everybody, on three ports.
private final class Exim {
    /// TLS after STARTTLS, a user by AUTH PLAIN.
    let submission: UInt16
    /// TLS from the first octet, a user by AUTH LOGIN.
    let implicit: UInt16
    /// No TLS, no user.
    let plain: UInt16
    let password = "s3cret, and a long one"
    private let program: Program
    private let box: String
    private let log: String

    init(_ identity: Authority.Identity, in room: CheckRoom) throws {
        (submission, implicit, plain) = try (Loopback.freePort(), Loopback.freePort(), Loopback.freePort())
        (box, log) = (room.directory + "/exim/box", room.directory + "/exim/main.log")
        let owner = try #require(getpwnam("Debian-exim"))
        let directory = room.directory + "/exim"
        try FileSystem.makeDirectory(directory, mode: 0o755)
        // Exim leaves uid 0 before it reads its key and writes its box.
        chmod(room.directory, 0o755)
        for path in [directory, identity.key] { chown(path, owner.pointee.pw_uid, owner.pointee.pw_gid) }
        func on(_ port: UInt16, _ condition: String) -> String {
            "${if and{{eq{$received_port}{\(port)}}\(condition)}}"
        }
        let configuration = """
            primary_hostname = mail.test
            spool_directory = \(directory)/spool
            log_file_path = \(directory)/%s.log
            pid_file_path = \(directory)/pid
            deliver_drop_privilege
            keep_environment =
            rfc1413_hosts =
            local_interfaces = 127.0.0.1
            daemon_smtp_ports = \(submission) : \(implicit) : \(plain)
            tls_on_connect_ports = \(implicit)
            tls_advertise_hosts = ${if eq{$received_port}{\(plain)}{}{*}}
            tls_certificate = \(identity.certificate)
            tls_privatekey = \(identity.key)
            acl_smtp_rcpt = recipient
            begin acl
            recipient:
              accept authenticated = *
              accept condition = ${if eq{$received_port}{\(plain)}}
              deny message = who are you?
            begin routers
            everybody:
              driver = accept
              transport = box
            begin transports
            box:
              driver = appendfile
              file = \(box)
            begin authenticators
            plain:
              driver = plaintext
              public_name = PLAIN
              server_prompts = :
              server_condition = ${if and{{eq{$auth2}{lb}}{eq{$auth3}{\(password)}}}}
              server_set_id = $auth2
              server_advertise_condition = \(on(submission, "{def:tls_in_cipher}"))
            login:
              driver = plaintext
              public_name = LOGIN
              server_prompts = Username:: : Password::
              server_condition = ${if and{{eq{$auth1}{lb}}{eq{$auth2}{\(password)}}}}
              server_set_id = $auth1
              server_advertise_condition = \(on(implicit, "{def:tls_in_cipher}"))

            """
        try FileSystem.replace(directory + "/exim.conf", with: Array(configuration.utf8), durable: false)
        program = try Program(
            ["/usr/sbin/exim4", "-C", directory + "/exim.conf", "-bdf"], on: nil, log: directory + "/output",
            loop: room.loop)
        try room.eventually("Exim listens") {
            if let exit = program.exit { Issue.record("Exim: \(exit)\n\(program.output)") }
            return Loopback.accepts(plain)
        }
    }

    deinit { program.signal(SIGKILL) }

    /// What is in the box. Exim writes a mail in pieces: one counts when it has a line of text below its header.
    var mails: [String] {
        let octets = (try? FileSystem.contents(of: box, limit: 1 << 24)) ?? nil
        return ("\n" + String(decoding: octets ?? [], as: UTF8.self)).components(after: "\nFrom ").filter { mail in
            mail.firstRange(of: "\n\n").map { mail[$0.upperBound...].contains("\n") } ?? false
        }
    }

    /// What it has said of its clients.
    var said: String {
        let octets = (try? FileSystem.contents(of: log, limit: 1 << 24)) ?? nil
        return String(decoding: octets ?? [], as: UTF8.self)
    }
}

extension String {
    /// The parts that follow each `separator`.
    fileprivate func components(after separator: String) -> [String] {
        split(separator: separator, omittingEmptySubsequences: false).dropFirst().map(String.init)
    }
}

@Suite(.serialized, .enabled(if: geteuid() == 0 && access("/usr/sbin/exim4", X_OK) == 0), .timeLimit(.minutes(2)))
struct AlertDeliveryTests {
    private let room: CheckRoom
    private let authority: Authority
    private let exim: Exim
    private let server: TinyServer

    init() throws {
        room = try CheckRoom()
        authority = try Authority(in: room)
        exim = try Exim(try authority.issue("mail", for: ["IP:127.0.0.1", "DNS:mail.test"]), in: room)
        server = try TinyServer(.answer([]), on: room.loop)
        try write("password", exim.password + "\n")
        try write("wrong", "guess\n")
    }

    private func write(_ name: String, _ text: String) throws {
        try FileSystem.replace("\(room.directory)/\(name)", with: Array(text.utf8), durable: false)
        chmod("\(room.directory)/\(name)", 0o600)
    }

    private func configuration(_ port: UInt16, _ words: String, server host: String = "127.0.0.1") -> String {
        mailedServer(server, mail: host, port, from: "\"Load balancer <lb1@example.com>\"", words)
    }

    private var authorities: String { "smtp_tls_ca \(authority.certificate)\n" }
    private func user(_ file: String) -> String { "smtp_user lb\nsmtp_password_file \(room.directory)/\(file)\n" }

    @Test func `what happens arrives in the box, over TLS and with a user, and nowhere else`() throws {
        try room.start(configuration(exim.submission, "smtp_tls starttls\n" + authorities + user("password")))
        let name = "tcp/127.0.0.1:81/127.0.0.1:\(server.port)"
        _ = try room.becomes(name, .up)
        server.close()
        _ = try room.becomes(name, .down)
        try room.eventually("the mail is in the box") { exim.mails.count == 1 }
        let mail = try #require(exim.mails.first)
        let subject = "[lb1] Realserver [127.0.0.1]:tcp:\(server.port) of virtual server [127.0.0.1]:tcp:81 - DOWN"
        // Folded where a line of the header would be too long.
        #expect(mail.replacing("\n ", with: " ").contains("\nSubject: \(subject)\n"), "\(mail)")
        #expect(mail.contains("\nFrom: \"Load balancer\" <lb1@example.com>\n"))
        #expect(mail.contains("\nTo: ops@example.com\n"))
        #expect(mail.contains("\n\n=> TCP CHECK failed on service <=\n"))
        #expect(mail.contains("(helo=lb1.example.com)") && mail.contains("esmtpsa"), "\(mail)")
        #expect(mail.prefix { $0 != "\n" }.hasPrefix("lb1@example.com "))
    }

    @Test func `who is refused, and by whom, is in the answer to a test`() throws {
        let stranger = try Authority("stranger", in: room)
        let (starttls, implicit) = ("smtp_tls starttls\n", "smtp_tls implicit\n")
        let foreign = "smtp_tls_ca \(stranger.certificate)\n"
        let known = authorities + user("password")
        // nil: taken.
        let cases: [(port: UInt16, words: String, host: String, failure: String?)] = [
            (exim.submission, starttls + known, "127.0.0.1", nil), (exim.implicit, implicit + known, "127.0.0.1", nil),
            (exim.submission, starttls + authorities + user("wrong"), "127.0.0.1", "says to AUTH: 535"),
            (exim.implicit, implicit + authorities + user("wrong"), "127.0.0.1", "says to AUTH: 535"),
            (exim.submission, starttls + authorities, "127.0.0.1", "550 who are you?"),
            (exim.submission, starttls + foreign + user("password"), "127.0.0.1", "certificate"),
            (exim.implicit, implicit + foreign + user("password"), "127.0.0.1", "certificate"),
            (exim.submission, starttls + user("password"), "127.0.0.1", "certificate"),
            (exim.submission, starttls + foreign + "smtp_tls_verify off\n" + user("password"), "127.0.0.1", nil),
            (exim.submission, starttls + known, "localhost", "localhost"),
            (exim.submission, starttls + "smtp_tls_ca /nonexistent\n" + user("password"), "127.0.0.1", "/nonexistent"),
            (exim.plain, starttls + known, "127.0.0.1", "STARTTLS"), (exim.plain, implicit + known, "127.0.0.1", ""),
            (exim.plain, "", "127.0.0.1", nil),
        ]
        try room.start(configuration(exim.plain, ""))
        for (port, words, host, failure) in cases {
            let taken = exim.mails.count
            try room.reload(configuration(port, words, server: host))
            let delivery = try #require(try room.testAlerts().first)
            #expect(delivery.delivered == (failure == nil), "\(host) \(port) \(words): \(delivery.answer)")
            if let failure {
                #expect(delivery.answer.contains(failure), "\(host) \(port) \(words): \(delivery.answer)")
            } else {
                #expect(delivery.answer.hasPrefix("250 "), "\(delivery.answer)")
                try room.eventually("it is in the box") { exim.mails.count == taken + 1 }
            }
        }
        #expect(exim.mails.count == cases.count { $0.failure == nil })
        // A secret is neither in a log nor told to a server that was not verified.
        #expect(!room.log.contains(exim.password) && !exim.said.contains(exim.password))
    }

    @Test func `SMTP_CHECK of Exim`() throws {
        func check(_ port: UInt16) -> String {
            "SMTP_CHECK {\n connect_ip 127.0.0.1\n connect_port \(port)\n connect_timeout 0.5\n retry 0\n}"
        }
        try room.start(virtualServer([check(exim.plain), check(exim.submission), check(exim.implicit)], delay: "0.2"))
        _ = try room.becomes(realServer(1), .up)
        _ = try room.becomes(realServer(2), .up)
        #expect(try room.becomes(realServer(3), .down).reason.hasSuffix("timeout (answer)"))
        #expect(exim.said.contains("SMTP") || exim.said.contains("TLS error"))
    }
}
