// The dialog of SMTP_CHECK, without I/O: greeting 220, HELO, 250, QUIT, and a line of any kind (keepalived check_smtp.c). A reply of several
// lines (RFC 5321 §4.2.1) is read whole; keepalived takes its first line, `220-…`, for a failure.

/// One conversation with a mail server.
public struct SMTPDialog: Sendable {
    /// What follows from what was heard.
    public enum Step: Hashable, Sendable {
        /// The reply is not whole yet.
        case wait
        /// Send this, then wait for its reply.
        case send([UInt8])
        /// The check is over.
        case over(ProbeOutcome)
    }

    /// The longest reply that is read, in octets.
    public static let longestReply = 1 << 16

    private enum Stage: String {
        case greeting
        case hello = "HELO"
        case quit = "QUIT"
    }

    private let hello: [UInt8]
    private var stage = Stage.greeting
    /// Of the line that is not whole yet.
    private var line: [UInt8] = []
    private var received = 0

    /// A dialog on a new connection; `name` is told with HELO.
    public init(name: String) {
        hello = Array("HELO \(name)\r\n".utf8)
    }

    /// The server said something. What follows a whole reply in the same octets is not heard: nothing was asked yet.
    public mutating func heard(_ octets: some Sequence<UInt8>) -> Step {
        for octet in octets {
            received += 1
            guard received <= Self.longestReply else {
                return .over(.failure(.malformed("\(stage.rawValue) reply longer than \(Self.longestReply) octets")))
            }
            guard octet == UInt8(ascii: "\n") else {
                line.append(octet)
                continue
            }
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            let isLast = stage == .quit || line.count < 4 || line[3] != UInt8(ascii: "-") || code == nil
            if isLast { return replied() }
            line.removeAll(keepingCapacity: true)
        }
        return .wait
    }

    /// The server ended the connection.
    public var closed: ProbeOutcome {
        .failure(.malformed("closed before the \(stage.rawValue) reply"))
    }

    /// The number at the beginning of the line: three digits, then nothing, a blank, or the hyphen of a line that is not the last.
    private var code: Int? {
        let digits = line.prefix(3)
        let isCode = digits.count == 3 && digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard isCode, line.count == 3 || " -".utf8.contains(line[3]) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    private mutating func replied() -> Step {
        defer {
            line.removeAll(keepingCapacity: true)
            received = 0
        }
        switch stage {
        case .greeting:
            guard code == 220 else { return refused }
            stage = .hello
            return .send(hello)
        case .hello:
            guard code == 250 else { return refused }
            stage = .quit
            return .send(Array("QUIT\r\n".utf8))
        case .quit: return .over(.success)
        }
    }

    private var refused: Step {
        // For people: whatever else a server sends is not printed.
        let text = line.prefix(80).map { (0x20...0x7E).contains($0) ? Character(Unicode.Scalar($0)) : "?" }
        return .over(.failure(.answer("\(stage.rawValue) reply: \(String(text))")))
    }
}
