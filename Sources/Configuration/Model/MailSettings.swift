// Alerts: who gets mail, from whom, and how it reaches the mail server.

/// `notification_email*` and `smtp_*`.
public struct MailSettings: Equatable, Sendable {
    /// `notification_email { … }`; empty = no mail.
    public var recipients: [MailAddress] = []
    /// `notification_email_from`; nil = keepalived@HOST.
    public var from: MailAddress?
    /// `smtp_server ADDR|HOST`; nil = no mail.
    public var server: String?
    /// The port of `smtp_server`.
    public var port: UInt16 = 25
    /// `smtp_helo_name`; nil = the host name.
    public var heloName: String?
    /// `smtp_connect_timeout`: for the connection, and for each answer.
    public var connectTimeout = Duration.seconds(30)
    /// `smtp_tls`.
    public var encryption = MailEncryption.off
    /// `smtp_tls_verify`: the server's certificate must be valid for its name.
    public var verifiesServer = true
    /// `smtp_tls_ca`: a file of authorities; nil = the system's.
    public var authorities: String?
    /// `smtp_user` with `smtp_password_file`; nil = no AUTH.
    public var login: MailLogin?
    /// `smtp_alert_vrrp`, else `smtp_alert`: the default of instances and sync groups; nil = off.
    public var vrrpAlerts: Bool?
    /// `smtp_alert_checker`, else `smtp_alert`: the default of servers; nil = off for virtual, on for real servers.
    public var checkerAlerts: Bool?
    /// `no_email_faults`: no mail for FAULT.
    public var skipsFaults = false
    /// `no_checker_emails`: mail when a real server changes, not when one of its checkers does.
    public var skipsCheckers = false

    /// No mail.
    public init() {}

    /// Who gets mail: nobody where there is no server.
    public var receivers: [MailAddress] { server == nil ? [] : recipients }

    /// There is a server and somebody to write to.
    public var isSent: Bool { !receivers.isEmpty }
}

/// `smtp_tls`.
public enum MailEncryption: String, Equatable, Sendable, CaseIterable {
    case off
    /// TLS begins with STARTTLS, and without it nothing is said.
    case starttls
    /// TLS from the first octet.
    case implicit
}

/// Who checkd is to the mail server.
public struct MailLogin: Equatable, Sendable {
    /// `smtp_user`.
    public var user: String
    /// `smtp_password_file`: read each time that a mail is sent.
    public var passwordFile: String

    /// A user whose password is in a file.
    public init(user: String, passwordFile: String) {
        self.user = user
        self.passwordFile = passwordFile
    }
}

/// An address, perhaps with the name of whom it belongs to. Has no control characters, and the address is ASCII without blanks and brackets: others
/// need mail servers that know RFC 6531.
public struct MailAddress: Hashable, Sendable, CustomStringConvertible {
    /// `director@example.com`.
    public let address: String
    /// `Director of site A`; empty = none.
    public let name: String

    /// `ADDR`, `<ADDR>`, `NAME <ADDR>` or `"NAME" <ADDR>`, where a backslash in quotes stands before a quote or a backslash; nil for anything else.
    public init?(_ text: String) {
        var address = text[...]
        var name = text[..<text.startIndex]
        if text.last == ">", let open = text.lastIndex(of: "<") {
            address = text[text.index(after: open)...].dropLast()
            name = text[..<open]
        }
        while name.last == " " { name.removeLast() }
        let isQuoted = name.count > 1 && name.first == "\"" && name.last == "\""
        if isQuoted { name = name.dropFirst().dropLast() }
        let isPlain = address.unicodeScalars.allSatisfy {
            $0.value > 0x20 && $0.value < 0x7F && !"<>\",;".unicodeScalars.contains($0)
        }
        guard isPlain, !address.isEmpty, address.utf8.count <= 254,
            name.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
        else { return nil }
        self.address = String(address)
        self.name = isQuoted ? Self.unquoted(name) : String(name)
    }

    /// RFC 5322, quoted-pair.
    private static func unquoted(_ text: Substring) -> String {
        var rest = text
        var plain = ""
        while let character = rest.popFirst() { plain.append(character == "\\" ? rest.popFirst() ?? "\\" : character) }
        return plain
    }

    /// `USER@HOST`; of a host whose name is no mail domain, `USER@localhost`.
    public init(_ user: String, at host: String) {
        let isFine = host.unicodeScalars.allSatisfy { scalar in
            scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
                || ".-".unicodeScalars.contains(scalar)
        }
        address = "\(user)@\(isFine && !host.isEmpty ? host : "localhost")"
        name = ""
    }

    public var description: String { name.isEmpty ? address : "\(name) <\(address)>" }
}
