// A message to one receiver, made from what waits for him.
import Alerts
import Bus
import Configuration
import JSON

/// Something that a carrier takes to somebody.
enum AlertMessage: Sendable {
    /// To one recipient; the header names all.
    case mail(from: MailAddress, to: MailAddress, MailText, MailSettings)
    /// To a URL: a CloudEvents object.
    case webhook(url: String, content: [UInt8])
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
struct AlertSender {
    let global: GlobalDefinitions
    let hostName: String

    /// router_id.
    var router: String { global.routerID ?? hostName }
    /// What we call ourselves to the mail server.
    var helo: String { global.mail.heloName ?? hostName }
    private var from: MailAddress { global.mail.from ?? MailAddress("keepalived", at: hostName) }

    /// A mail to one of the recipients.
    func mail(
        _ waiting: AlertChannel.Waiting, to recipient: MailAddress, time: String, identity: String
    ) -> AlertMessage {
        let text = MailText(
            AlertLetter(waiting, router: router), from: from, to: global.mail.recipients, time: time,
            identity: identity, host: hostName)
        return .mail(from: from, to: recipient, text, global.mail)
    }

    /// A POST.
    func webhook(_ waiting: AlertChannel.Waiting, to url: String, time: String, identity: String) -> AlertMessage {
        let letter = AlertLetter(waiting, router: router)
        let notice = CheckAPI.AlertNotice(
            summary: letter.subject, text: letter.lines.joined(separator: "\n"),
            changes: waiting.changes.map { CheckAPI.AlertChange($0) }, dropped: waiting.dropped)
        let event = BusAPI.Event(
            specversion: "1.0", id: identity, source: "/checkd", type: EventType.alert, subject: router, time: time,
            data: try? JSONValue(encoding: notice))
        return .webhook(url: url, content: (try? JSONValue(encoding: event).serialised()) ?? [])
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
