// The words about alerts: what they are read as, and what does not fit together.
import Testing

@testable import Configuration

@Suite struct MailTests {
    private func global(_ words: String) throws -> GlobalDefinitions {
        let loaded = load("global_defs {\n\(words)\n}\n")
        return try #require(loaded.configuration, "\(loaded.diagnostics)").global
    }

    @Test func `every word`() throws {
        let global = try global(
            """
            notification_email {
             ops@example.com
             boss@example.com
             ops@example.com
            }
            notification_email_from "Load Balancer 1 <lb1@example.com>"
            smtp_server mail.example.com 587
            smtp_helo_name [192.0.2.1]
            smtp_connect_timeout 5
            smtp_tls starttls
            smtp_tls_verify off
            smtp_tls_ca /etc/ca.pem
            smtp_user lb1
            smtp_password_file /etc/evenkeel/mail.password
            no_email_faults
            no_checker_emails
            notify_webhook https://hooks.example.com/a?b=c
            """)
        let mail = global.mail
        #expect(mail.recipients.map(\.address) == ["ops@example.com", "boss@example.com"])
        #expect((mail.from?.name, mail.from?.address) == ("Load Balancer 1", "lb1@example.com"))
        #expect((mail.server, mail.port, mail.heloName) == ("mail.example.com", 587, "[192.0.2.1]"))
        #expect((mail.encryption, mail.verifiesServer, mail.authorities) == (.starttls, false, "/etc/ca.pem"))
        #expect(mail.login == MailLogin(user: "lb1", passwordFile: "/etc/evenkeel/mail.password"))
        #expect(mail.connectTimeout == .seconds(5))
        #expect(mail.skipsFaults && mail.skipsCheckers && mail.isSent)
        #expect(global.webhooks == ["https://hooks.example.com/a?b=c"])
    }

    @Test func `a display name needs no quotes`() throws {
        let from = try global("notification_email_from Load Balancer <lb1@example.com>").mail.from
        #expect((from?.name, from?.address) == ("Load Balancer", "lb1@example.com"))
    }

    @Test(arguments: [
        ("smtp_user a", Diagnostic.Code.contradiction), ("smtp_password_file /x", .contradiction),
        ("smtp_user a\nsmtp_password_file /x", .contradiction), ("smtp_server a/b", .badValue),
        ("smtp_helo_name a\"b", .badValue), ("smtp_tls maybe", .badValue), ("notify_webhook ftp://x", .badValue),
        ("notify_webhook https://", .badValue), ("notification_email {\na<b\n}", .badValue),
        ("notification_email {\nléa@example.com\n}", .badValue), ("notification_email_from x@bücher.de", .badValue),
    ])
    func `what cannot be is refused`(_ words: String, _ code: Diagnostic.Code) {
        let loaded = load("global_defs {\n\(words)\n}\n")
        #expect(loaded.configuration == nil || code == .badValue && loaded.diagnostics.contains { $0.code == code })
        #expect(loaded.diagnostics.contains { $0.severity == .error }, "\(loaded.diagnostics)")
    }

    @Test(arguments: [
        "127.0.0.1:25", "[::1]:25", "[::1]", "192.0.2.300", "127.1", "::1%", "a%41b", "\"a b\"", "\"a\u{1}b\"",
        "\"a\u{85}b\"", "a..b", ".", "mail:25",
    ])
    func `what is no mail server is refused in its place, with what to write`(_ word: String) throws {
        let loaded = load("global_defs {\nsmtp_server \(word)\n}\n")
        let fault = try #require(loaded.diagnostics.first { $0.severity == .error }, "\(loaded.diagnostics)")
        #expect(fault.code == .badValue)
        #expect((fault.source.position.line, fault.source.position.column) == (2, 13))
        #expect(fault.remedy == "write ADDR PORT, e.g. smtp_server 127.0.0.1 25")
    }

    @Test(arguments: ["127.0.0.1", "::1", "fe80::1%eth0", "mail", "mail_1.example.", "1and1.example", "bücher.example"])
    func `what is a mail server is one`(_ word: String) throws {
        #expect(try global("smtp_server \(word) 587").mail.server == word)
    }

    @Test(arguments: [
        "http://:80/", "http://a:0/", "http://a:65536/", "http://a:x", "http://a:+80", "http://u@/", "http://[::1/x",
        "http://::1/", "http://192.0.2.300/", "https://?x", "http://[192.0.2.1]/", "http://a%41/",
    ])
    func `a URL without a host, or with a port that is none, is refused`(_ url: String) {
        let loaded = load("global_defs {\nnotify_webhook \(url)\n}\n")
        #expect(loaded.diagnostics.map(\.code) == [.badValue], "\(loaded.diagnostics)")
    }

    @Test(arguments: [
        "http://a", "http://192.0.2.1:65535/x", "https://u:p%40@hooks.example.com:1?t=a@b:99999", "http://[::1]:80/",
        "http://[fe80::1%25eth0]/x",
    ])
    func `a URL is one`(_ url: String) throws { #expect(try global("notify_webhook \(url)").webhooks == [url]) }

    @Test func `mail without a server is said`() {
        let loaded = load("global_defs {\nnotification_email {\na@b\n}\n}\n")
        #expect(loaded.configuration != nil)
        #expect(loaded.diagnostics.map(\.code) == [.contradiction])
    }

    @Test(arguments: [
        ("", "", ["vrrpd"]), ("smtp_alert", "", ["vrrpd"]),
        ("smtp_alert", "notification_email {\na@b\n}\nsmtp_server 192.0.2.1", ["vrrpd", "checkd"]),
        ("", "notification_email {\na@b\n}\nsmtp_server 192.0.2.1", ["vrrpd"]),
        ("", "notification_email {\na@b\n}\nsmtp_server 192.0.2.1\nsmtp_alert_vrrp", ["vrrpd", "checkd"]),
        ("", "notify_webhook http://192.0.2.1/", ["vrrpd", "checkd"]),
    ])
    func `checkd is needed where somebody is to be told`(_ instance: String, _ global: String, _ needed: [String]) {
        let loaded = load("global_defs {\n\(global)\n}\n" + instanceText(instance))
        #expect(loaded.configuration?.neededDaemons == needed, "\(loaded.diagnostics)")
    }
}
