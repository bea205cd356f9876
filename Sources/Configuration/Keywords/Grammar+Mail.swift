// Rows of `global_defs` about alerts: mail as keepalived has it, with AUTH and TLS beside it, and webhooks.
import Net

extension Grammars {
    static let globalMail: [Keyword<GlobalDraft>] = [
        .list("notification_email", lines: "ADDR…", .common, "who gets mail") { draft, statement, interpreter in
            for word in interpreter.listLines(statement).joined() {
                guard let address = interpreter.mailAddress(word.text, at: word) else { continue }
                if !draft.model.mail.recipients.contains(address) { draft.model.mail.recipients.append(address) }
            }
        }.repeatable,
        Keyword(
            "notification_email_from", "ADDR|\"NAME <ADDR>\"", standard: "keepalived@HOST", .common, "sender of mail"
        ) { draft, statement, interpreter in
            guard let first = statement.arguments.first else { return interpreter.sayMissing(statement) }
            let text = statement.arguments.map(\.text).joined(separator: " ")
            draft.model.mail.from = interpreter.mailAddress(text, at: first)
        },
        Keyword("smtp_server", "ADDR|HOST [PORT]", standard: "none; port 25", .common, "mail server") {
            draft, statement, interpreter in
            guard let host = statement.arguments.first else { return interpreter.sayMissing(statement) }
            draft.model.mail.server = interpreter.mailServer(host)
            if let port = statement.arguments.dropFirst().first,
                let number = interpreter.integer(port, 1...65535, of: "the port of smtp_server")
            {
                draft.model.mail.port = UInt16(clamping: number)
            }
            interpreter.ignoreExtra(statement.arguments.dropFirst(2), statement)
        },
        Keyword("smtp_helo_name", "NAME", standard: "host name", .common, "name in HELO") {
            draft, statement, interpreter in
            draft.model.mail.heloName = interpreter.single(statement).flatMap { interpreter.heloName($0) }
        },
        .seconds(
            "smtp_connect_timeout", 1...longestTime, \.model.mail.connectTimeout, .common,
            "patience with the mail server: to connect, and for each answer"
        ),
        .choice(
            "smtp_tls", MailEncryption.allCases, \.model.mail.encryption, .rare,
            "TLS to the mail server: none, after STARTTLS, or from the first octet"
        ).addition,
        .boolean(
            "smtp_tls_verify", \.model.mail.verifiesServer, .rare,
            "the mail server's certificate must be valid for its name"
        ).addition,
        .word(
            "smtp_tls_ca", "FILE", \.model.mail.authorities, standard: "the system's", .rare,
            "authorities that the mail server's certificate may come from"
        ).addition,
        .word("smtp_user", "NAME", \.mailUser, .rare, "who checkd is to the mail server (AUTH)").addition,
        .word(
            "smtp_password_file", "FILE", \.passwordFile, .rare,
            "the password of smtp_user; readable by root and the daemons alone"
        ).addition,
        .optionalBoolean(
            "smtp_alert", \.alerts, standard: "instances off, real servers on", .rare,
            "default of every smtp_alert"
        ),
        .optionalBoolean("smtp_alert_vrrp", \.vrrpAlerts, standard: "smtp_alert", .rare, "default for instances"),
        .optionalBoolean("smtp_alert_checker", \.checkerAlerts, standard: "smtp_alert", .rare, "default for servers"),
        .toggle("no_email_faults", \.model.mail.skipsFaults, .rare, "no mail for FAULT"),
        .boolean(
            "no_checker_emails", \.model.mail.skipsCheckers, .rare,
            "mail when a real server changes, not when one of its checkers does"),
        Keyword("notify_webhook", "URL", standard: "none", .rare, "is told of every change as a CloudEvents object") {
            draft, statement, interpreter in
            guard let word = interpreter.single(statement), let url = interpreter.webhook(word) else { return }
            if !draft.model.webhooks.contains(url) { draft.model.webhooks.append(url) }
        }.repeatable.addition,
    ]
}

extension Interpreter {
    fileprivate mutating func mailAddress(_ text: String, at word: Word) -> MailAddress? {
        if let address = MailAddress(text) { return address }
        reporter.error(
            .badValue, at: word, "\(quoted(text)) is no mail address",
            remedy: "write ADDR, or \"NAME <ADDR>\" in quotes; ADDR in ASCII, a domain in its xn-- form")
        return nil
    }

    fileprivate mutating func mailServer(_ word: Word) -> String? {
        if HostWord.isHost(word.text) { return word.text }
        reporter.error(
            .badValue, at: word, "\(quoted(word.text)) is neither an address nor a host name",
            remedy: "write ADDR PORT, e.g. smtp_server 127.0.0.1 25")
        return nil
    }

    /// What may stand in HELO: letters, digits, dots, dashes, and what addresses have.
    fileprivate mutating func heloName(_ word: Word) -> String? {
        let text = word.text
        let isFine = text.unicodeScalars.allSatisfy { HostWord.isOfName($0) || ".:[]".unicodeScalars.contains($0) }
        if isFine, !text.isEmpty, text.utf8.count <= 253 { return text }
        reporter.error(
            .badValue, at: word, "\(quoted(word.text)) is no host name", remedy: "write a name or an address")
        return nil
    }

    fileprivate mutating func webhook(_ word: Word) -> String? {
        let text = word.text
        let isFine = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") }
        let hasHost = ["http://", "https://"].contains {
            text.hasPrefix($0) && HostWord.isAuthority(text.dropFirst($0.count).prefix { !"/?#".contains($0) })
        }
        if isFine, hasHost, text.utf8.count <= 2048 { return text }
        reporter.error(
            .badValue, at: word, "\(quoted(text)) is no URL of a webhook",
            remedy: "write http://HOST/PATH or https://HOST:PORT/PATH; PORT is 1 to 65535, an IPv6 address in brackets")
        return nil
    }

    /// What does not fit together among the words about alerts.
    mutating func checkAlerts<Draft>(_ block: Parsed<Draft>) {
        let mail = global.mail
        if !mail.recipients.isEmpty, mail.server == nil, !block.isWritten("smtp_server") {
            reporter.warning(
                .contradiction, at: block.place(of: "notification_email"),
                "notification_email without smtp_server: no mail is sent", remedy: "add smtp_server ADDR")
        }
        for (word, other) in [("smtp_user", "smtp_password_file"), ("smtp_password_file", "smtp_user")]
        where block.has(word) && !block.isWritten(other) {
            reporter.error(
                .contradiction, at: block.place(of: word), "\(word) needs \(other)", remedy: "write both, or neither")
        }
        if mail.login != nil, mail.encryption == .off, !block.attempted.contains("smtp_tls") {
            reporter.error(
                .contradiction, at: block.place(of: "smtp_user"),
                "without smtp_tls everybody on the way can read the password",
                remedy: "add \"smtp_tls starttls\" or \"smtp_tls implicit\"")
        }
    }
}
