// A letter as a mail on the wire (RFC 5322, MIME): lines ended by CRLF, plain ASCII throughout. What is not ASCII is base64, in headers as
// encoded words (RFC 2047). Nothing that a letter says can end a header.

public import Configuration

/// A mail.
public struct MailText: Equatable, Sendable {
    /// Header and body, for DATA; dots at the beginning of lines are not doubled.
    public let octets: [UInt8]

    /// - Parameters:
    ///   - time: RFC 3339, UTC.
    ///   - identity: unlike any other mail's, and the same when the mail is sent again; letters, digits, dots and dashes.
    ///   - host: this host's name.
    public init(
        _ letter: AlertLetter, from: MailAddress, to: [MailAddress], time: String, identity: String, host: String
    ) {
        let isPlain = letter.lines.allSatisfy { $0.utf8.allSatisfy { $0 < 0x80 } }
        var lines = [
            "Date: \(Self.date(time))",
            "From: \(Self.header(from))",
            "Subject: \(Self.words(letter.subject))",
            "To: \(to.map(Self.header).joined(separator: ",\r\n "))",
            "Message-ID: <\(Self.atom(identity))@\(Self.atom(host))>",
            "X-Mailer: Evenkeel",
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=\(isPlain ? "us-ascii" : "utf-8")",
            "Content-Transfer-Encoding: \(isPlain ? "7bit" : "base64")",
            "",
        ]
        if isPlain {
            lines += letter.lines
        } else {
            let text = Base64.text(of: letter.lines.joined(separator: "\r\n").utf8)
            lines += text.chunks(of: 76)
        }
        octets = Array((lines.joined(separator: "\r\n") + "\r\n").utf8)
    }

    private static func header(_ address: MailAddress) -> String {
        guard !address.name.isEmpty else { return address.address }
        guard address.name.utf8.allSatisfy({ $0 < 0x80 }) else { return "\(words(address.name)) <\(address.address)>" }
        let quoted = address.name.reduce(into: "") { text, character in
            if character == "\"" || character == "\\" { text.append("\\") }
            text.append(character)
        }
        return "\"\(quoted)\" <\(address.address)>"
    }

    /// Text of a header: as it is, or as encoded words of at most 75 characters.
    private static func words(_ text: String) -> String {
        guard !text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else { return text }
        var parts: [String] = [""]
        for character in text {
            if (parts.last?.utf8.count ?? 0) + character.utf8.count > 42 { parts.append("") }
            parts[parts.count - 1].append(character)
        }
        return parts.map { "=?utf-8?B?\(Base64.text(of: $0.utf8))?=" }.joined(separator: "\r\n ")
    }

    private static func atom(_ text: String) -> String {
        let fine = text.unicodeScalars.map { scalar in
            let isFine = scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
            return isFine || scalar == "." || scalar == "-" ? Character(scalar) : "-"
        }
        return fine.isEmpty ? "localhost" : String(fine)
    }

    /// `2026-11-21T15:04:05.678Z` as `Sat, 21 Nov 2026 15:04:05 +0000`.
    static func date(_ time: String) -> String {
        let numbers = time.split { !("0"..."9").contains($0) }.compactMap { Int($0) }
        guard numbers.count >= 6, (1...12).contains(numbers[1]), (1...31).contains(numbers[2]) else {
            return "Thu, 01 Jan 1970 00:00:00 +0000"
        }
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        // Sakamoto's method.
        let offsets = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4]
        let year = numbers[1] < 3 ? numbers[0] - 1 : numbers[0]
        let day = (year + year / 4 - year / 100 + year / 400 + offsets[numbers[1] - 1] + numbers[2]) % 7
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let clock = numbers[3...5].map(two).joined(separator: ":")
        return "\(days[day]), \(two(numbers[2])) \(months[numbers[1] - 1]) \(numbers[0]) \(clock) +0000"
    }
}

/// RFC 4648.
enum Base64 {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")

    static func text(of octets: some Collection<UInt8>) -> String {
        var text = ""
        var rest = Array(octets)[...]
        while !rest.isEmpty {
            let part = rest.prefix(3)
            rest = rest.dropFirst(3)
            let bits = part.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - part.count))
            for index in 0..<4 {
                text.append(index <= part.count ? digits[bits >> (18 - 6 * index) & 63] : "=")
            }
        }
        return text
    }
}

extension String {
    fileprivate func chunks(of length: Int) -> [String] {
        var chunks: [String] = []
        var rest = self[...]
        while !rest.isEmpty {
            chunks.append(String(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return chunks
    }
}
