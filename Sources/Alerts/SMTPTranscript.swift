// What was said between us and a mail server, as far as people need it to see why a mail was not taken: the last command, never its secret,
// and the last reply.

/// What was said in a dialog that goes on.
public struct SMTPTranscript: Equatable, Sendable {
    private static let verbs: Set = ["EHLO", "HELO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"]
    /// Octets of a reply that are kept.
    private static let longest = 200

    /// The last command before QUIT; nil while the greeting is awaited.
    public private(set) var command: String?
    /// The last reply before QUIT, all lines in one.
    public private(set) var reply = ""
    private var isOver = false
    /// The reply goes on: its last line has not come.
    private var isReplying = false

    /// Nothing was said yet.
    public init() {}

    /// Lines of ours.
    public mutating func said(_ text: String) {
        isReplying = false
        let line = text.prefix { $0 != "\r" && $0 != "\n" && $0 != "\r\n" }
        let verb = line.prefix { $0 != " " }.uppercased()
        if verb == "QUIT" { isOver = true }
        guard !isOver else { return }
        // The rest of AUTH is a secret.
        guard Self.verbs.contains(verb) else { return }
        command = verb == "MAIL" || verb == "RCPT" ? String(line.prefix(Self.longest)) : verb
        reply = ""
    }

    /// A line of the server's.
    public mutating func heard(_ text: String) {
        guard !isOver else { return }
        if !isReplying {
            // The second reply to DATA is to what came after the first.
            if command == "DATA", !reply.isEmpty { command = "the text" }
            reply = ""
        }
        let words = text.unicodeScalars.map { $0.value >= 0x20 && $0.value != 0x7F ? Character($0) : " " }
        let line = String(words).split(separator: " ").joined(separator: " ")
        isReplying = line.dropFirst(3).first == "-"
        reply = String((reply.isEmpty ? line : "\(reply) \(line)").prefix(Self.longest))
    }

    /// Why the mail was not taken; `problem` is what ended the dialog.
    public func failure(_ problem: String) -> String {
        let code = reply.prefix(3)
        if code.first == "4" || code.first == "5" {
            return "the mail server says to \(command ?? "the connection"): \(reply)"
        }
        let problem = inPlainWords(problem)
        guard let command else { return problem }
        return "\(problem), after \(command)"
    }

    /// What libcurl says of a connection that ends, or of lines without end, is of no help to anybody.
    private func inPlainWords(_ problem: String) -> String {
        if problem.hasPrefix("response reading failed") { return "the mail server closed the connection" }
        guard problem.hasPrefix("Too large response headers") else { return problem }
        return "the mail server's \(command == nil ? "greeting" : "answer") does not end"
    }
}
