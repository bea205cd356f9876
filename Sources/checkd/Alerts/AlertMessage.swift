// A message to one receiver, made from what waits for him.
import Alerts
import Bus
import Configuration
import JSON

/// Something that a carrier takes to somebody.
enum AlertMessage: Sendable {
    /// To one recipient; the header names all.
    case mail(AlertDraft, to: MailAddress)
    /// To a URL: a CloudEvents object.
    case webhook(AlertDraft, url: String)
}

/// How a message ended.
struct AlertAnswer: Sendable {
    /// Why it was not taken; nil: it was.
    var failure: String?
    /// What the server said.
    var words: String
}

/// Takes messages to their receivers.
protocol AlertCarrier: AnyObject {
    /// Takes a message away; `done` is called once, later.
    func send(_ message: AlertMessage, helo: String, done: @escaping (AlertAnswer) -> Void)
}

/// Whom messages come from.
struct AlertSender: Sendable {
    let global: GlobalDefinitions
    let hostName: String

    /// router_id.
    var router: String { global.routerID ?? hostName }
    /// What we call ourselves to the mail server.
    var helo: String { global.mail.heloName ?? hostName }
    var from: MailAddress { global.mail.from ?? MailAddress("keepalived", at: hostName) }
}

/// What a message is made of. It is put into words by whoever carries it, on his thread: a list of hundreds of changes takes its time.
struct AlertDraft: Sendable {
    let waiting: AlertChannel.Waiting
    let sender: AlertSender
    let time: String
    /// The same while the same waits.
    let identity: String

    /// As a mail.
    var mail: MailText {
        MailText(
            AlertLetter(waiting, router: sender.router), from: sender.from, to: sender.global.mail.recipients,
            time: time, identity: identity, host: sender.hostName)
    }

    /// As the content of a POST.
    var event: [UInt8] {
        let letter = AlertLetter(waiting, router: sender.router)
        let notice = CheckAPI.AlertNotice(
            summary: letter.subject, text: letter.lines.joined(separator: "\n"),
            changes: waiting.changes.map { CheckAPI.AlertChange($0) }, dropped: waiting.dropped)
        let event = BusAPI.Event(
            specversion: "1.0", id: identity, source: "/checkd", type: EventType.alert, subject: sender.router,
            time: time, data: notice.json)
        return (try? event.json.serialised()) ?? []
    }
}

extension CheckAPI.AlertChange {
    fileprivate init(_ change: AlertChange) {
        self.init(
            kind: CheckAPI.AlertKind(change.subject.kind), name: change.subject.name, state: change.state,
            line: change.line, text: change.text, reason: change.reason, time: change.time)
    }
}

extension CheckAPI.AlertKind {
    fileprivate init(_ kind: AlertSubject.Kind) {
        switch kind {
        case .instance: self = .instance
        case .group: self = .group
        case .service: self = .service
        case .server: self = .server
        }
    }
}
