// What a reload would change about alerts, for people: who begins or ceases to be told, what he is then not told, and what mail is about.
import Alerts
import Configuration

extension AlertDesk {
    /// One line each.
    func changes(to new: Configuration) -> [String] {
        guard let old = configuration else { return [] }
        let receivers = (mail: new.global.mail.receivers.map(\.address), webhooks: new.global.webhooks)
        var lines = changes(of: mail, to: receivers.mail, Self.mailName)
        lines += changes(of: webhooks, to: receivers.webhooks, Self.webhookName)
        lines += AlertPolicy.mailChanges(from: old, to: new)
        if old.global.routerID != new.global.routerID, !receivers.mail.isEmpty || !receivers.webhooks.isEmpty {
            lines.append("change router_id in alerts")
        }
        return lines
    }

    private func changes(of stream: AlertStream, to receivers: [String], _ name: (String) -> String) -> [String] {
        var lines: [String] = []
        for receiver in stream.channels.keys.sorted() where !receivers.contains(receiver) {
            let waiting = stream.waiting(for: receiver).all
            lines.append("stop \(name(receiver))" + (waiting > 0 ? ": \(waiting) changes that wait are not told" : ""))
        }
        lines += receivers.filter { stream.channels[$0] == nil }.map { "start \(name($0))" }
        return lines
    }
}
