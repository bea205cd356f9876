// Takes messages to their receivers by libcurl: mail by SMTP, and POSTs. Each has a thread of its own for as long as it takes, since libcurl's
// SMTP waits for the mail server after the text and after QUIT, and names are looked up; the loop waits for none of it.
//
// libcurl is loaded for the first message. The password of smtp_user is read anew for each mail.
import Alerts
import CCurl
import Configuration
import Glibc
import Net
import Platform

/// Messages under way.
final class Postman: AlertCarrier {
    private let loop: EventLoop

    init(on loop: EventLoop) { self.loop = loop }

    func send(_ message: AlertMessage, helo: String, done: @escaping (AlertAnswer) -> Void) {
        var problem = [CChar](repeating: 0, count: 256)
        // Tried again after a failure: a missing library may be installed.
        guard ek_message_prepare(&problem, problem.count) == 1 else {
            return fail("\(CurlUnavailable(problem: text(problem)))", done)
        }
        do throws(Errno) {
            try Background.run(on: loop, { Trip.make(message, helo: helo) }, done: done)
        } catch {
            fail("\(error)", done)
        }
    }

    private func fail(_ problem: String, _ done: @escaping (AlertAnswer) -> Void) {
        loop.soon { done(AlertAnswer(failure: problem, words: "")) }
    }
}

/// A message on its way, on its thread.
private final class Trip {
    private static let webhookPatience = (connect: 10_000, whole: 30_000)
    /// A mail takes no longer than so many times the patience with one answer.
    private static let answers = 10

    private var transcript = SMTPTranscript()

    /// Takes it there and waits for what comes of it.
    static func make(_ message: AlertMessage, helo: String) -> AlertAnswer {
        switch message {
        case .webhook(let draft, let url): return Trip().post(draft.event, to: url)
        case .mail(let draft, let recipient):
            let settings = draft.sender.global.mail
            var password = ""
            if let login = settings.login {
                switch PasswordFile.read(login.passwordFile) {
                case .success(let known): password = known
                case .failure(let problem): return AlertAnswer(failure: problem.description, words: "")
                }
            }
            return Trip().mail(
                draft.mail,
                strings: [
                    url(of: settings, helo: helo), draft.sender.from.address, recipient.address, settings.authorities,
                    settings.login?.user, password,
                ], settings)
        }
    }

    private func post(_ content: [UInt8], to url: String) -> AlertAnswer {
        var plan = ek_message()
        plan.verify = 1
        plan.connect_milliseconds = Self.webhookPatience.connect
        plan.whole_milliseconds = Self.webhookPatience.whole
        let strings = CStringArray([url, "application/cloudevents+json"])
        plan.url = strings[0]
        plan.type = strings[1]
        let (result, text) = withExtendedLifetime(strings) { send(&plan, content) }
        let words = result.status == 0 ? "" : "status \(result.status)"
        if result.code == 0, (200..<300).contains(result.status) { return AlertAnswer(failure: nil, words: words) }
        return AlertAnswer(failure: result.code == 0 ? "the server answers \(words)" : text, words: words)
    }

    private func mail(_ text: MailText, strings texts: [String?], _ settings: MailSettings) -> AlertAnswer {
        let patience = Int(settings.connectTimeout.nanoseconds / 1_000_000)
        var plan = ek_message()
        plan.connect_milliseconds = patience
        plan.answer_milliseconds = patience
        plan.whole_milliseconds = patience * Self.answers
        plan.starttls = settings.encryption == .starttls ? 1 : 0
        plan.verify = settings.verifiesServer ? 1 : 0
        plan.context = Unmanaged.passUnretained(self).toOpaque()
        plan.said = { context, isServer, octets, count in
            guard let context, let octets else { return }
            let text = String(decoding: UnsafeRawBufferPointer(start: octets, count: count), as: UTF8.self)
            let trip = Unmanaged<Trip>.fromOpaque(context).takeUnretainedValue()
            if isServer != 0 { trip.transcript.heard(text) } else { trip.transcript.said(text) }
        }
        let strings = CStringArray(texts)
        plan.url = strings[0]
        plan.from = strings[1]
        plan.to = strings[2]
        plan.authorities = strings[3]
        plan.user = strings[4]
        plan.password = strings[5]
        let (result, problem) = withExtendedLifetime((self, strings)) { send(&plan, text.octets) }
        return AlertAnswer(failure: result.code == 0 ? nil : transcript.failure(problem), words: transcript.reply)
    }

    /// How it ended, and curl's words.
    private func send(_ plan: inout ek_message, _ content: [UInt8]) -> (ek_result, String) {
        var result = ek_result()
        let isMade = content.withUnsafeBytes { octets in
            plan.text = octets.baseAddress?.assumingMemoryBound(to: CChar.self)
            plan.length = octets.count
            return ek_message_send(&plan, &result) == 1
        }
        guard isMade else {
            result.code = -1
            return (result, Errno.words(for: ENOMEM))
        }
        return (result, withUnsafeBytes(of: result.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
    }

    /// `smtp://HOST:PORT/HELO`.
    private static func url(of settings: MailSettings, helo: String) -> String {
        let server = settings.server ?? ""
        let isAddress = server.contains(":") && !server.hasPrefix("[")
        let host = isAddress ? "[\(server.split(separator: "%").joined(separator: "%25"))]" : server
        let name = helo.utf8.map { octet in
            let isPlain = octet < 0x80 && (Unicode.Scalar(octet).properties.isAlphabetic || octet & 0xF0 == 0x30)
            let digits = String(octet, radix: 16, uppercase: true)
            return isPlain || octet == UInt8(ascii: ".") || octet == UInt8(ascii: "-")
                ? String(Unicode.Scalar(octet)) : "%\(digits.count < 2 ? "0" : "")\(digits)"
        }
        return "\(settings.encryption == .implicit ? "smtps" : "smtp")://\(host):\(settings.port)/\(name.joined())"
    }
}

/// `smtp_password_file`.
private enum PasswordFile {
    private static let limit = 4096

    /// What cannot be used of it, and what to do.
    struct Problem: Error, CustomStringConvertible {
        let path: String
        let error: Errno

        var description: String {
            let why =
                error.code == EPERM
                ? "others may read it, or it belongs to somebody else: chown root:evenkeel-private and chmod 640 it"
                : "\(error)"
            return "smtp_password_file \(path): \(why)"
        }
    }

    /// Its first line.
    static func read(_ path: String) -> Result<String, Problem> {
        do throws(Errno) {
            let line = try FileSystem.groupSecret(of: path, limit: limit).prefix { $0 != 10 && $0 != 13 && $0 != 0 }
            return .success(String(decoding: line, as: UTF8.self))
        } catch {
            return .failure(Problem(path: path, error: error))
        }
    }
}
