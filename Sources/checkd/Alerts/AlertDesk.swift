// Has people told of what happens: keeps what is news and who waits for it, has messages carried, keeps all that on the disk, and says when
// nobody takes them. Nothing here is waited for, least of all by a probe.
import Alerts
import Bus
import Configuration
import Net
import Platform

/// What alerts need of the world.
struct AlertWorld {
    let turns: any Turns
    let carrier: any AlertCarrier
    let memory: any VerdictFile
    /// Differs after each boot; empty where the kernel does not tell.
    let boot: String
    let hostName: String
    let logger: Logger
    /// Follows vrrpd and ipvsd until the result is released.
    let subscribe: (@escaping (BusSubscription.Update) -> Void) -> AnyObject
}

/// Mail and webhooks.
final class AlertDesk {
    /// Messages at once, of mail and of webhooks each: a mail server that hangs keeps no webhook waiting.
    private static let atOnce = 4
    /// Attempts that fail in a row until a person is wanted: a mail server may be greylisting.
    private static let patience = 2
    /// How long the end of the process waits for messages.
    private static let farewell = Duration.seconds(3)
    /// Between two writes of what is kept, unless a message was taken: a process that is killed may tell the last second's changes twice.
    private static let writingPause = Duration.seconds(1)

    let world: AlertWorld
    private(set) var sender: AlertSender?
    /// What counts; nil before the first.
    private(set) var configuration: Configuration?
    var mail: AlertStream
    var webhooks: AlertStream
    /// A test is under way: each of its messages has a thread, so there is one at a time.
    var isTesting = false
    private(set) var memory: AlertMemory
    private var handedOver = 0
    private var keptAt: Instant?
    private var keepTimer: (any AlarmClock)?
    /// Somebody is told something, or was in an earlier process. Where nobody ever is, nothing is kept.
    private var isUsed = false
    private var underWay = (mail: 0, webhooks: 0)
    private var timer: (any AlarmClock)?
    private var review: OncePerTurn?
    private var subscription: AnyObject?
    private var ending: (() -> Void)?
    private var endTimer: (any AlarmClock)?
    /// What stands in the way; called when it may have changed.
    var alarmsChanged: () -> Void = {}

    init(_ world: AlertWorld) {
        self.world = world
        let now = SystemClock.wallNanoseconds
        var memory = AlertMemory(boot: world.boot, origin: String(now, radix: 36))
        do throws(Errno) {
            if let octets = try world.memory.read() {
                if let known = AlertMemory(parsing: octets, boot: world.boot) {
                    memory = known
                    isUsed = true
                } else {
                    world.logger.notice("\(world.memory.path) is damaged: what was told before is not known")
                }
            }
        } catch {
            world.logger.notice("what was told before is not known: \(world.memory.path): \(error)")
        }
        self.memory = memory
        mail = AlertStream(memory.mail)
        webhooks = AlertStream(memory.webhooks)
        review = OncePerTurn(world.turns) { [weak self] in self?.turn() }
        timer = world.turns.alarmClock { [weak self] in self?.turn() }
        keepTimer = world.turns.alarmClock { [weak self] in self?.keep() }
        endTimer = world.turns.alarmClock { [weak self] in self?.conclude() }
        world.memory.failureChanged = { [weak self] _ in self?.alarmsChanged() }
    }

    // MARK: What happens

    /// Goes over to a configuration; `servers` are those that are watched already.
    func adopt(_ configuration: Configuration, servers: some Sequence<WatchedServer>) {
        let now = world.turns.refreshNow()
        let isMailOther = sender.map { $0.global.mail != configuration.global.mail } ?? false
        sender = AlertSender(global: configuration.global, hostName: world.hostName)
        self.configuration = configuration
        // What no mail is about need not be compared with what follows: ten thousand servers are megabytes.
        if !configuration.global.mail.isSent { self.configuration?.virtualServers = [] }
        let policies = (mail: AlertPolicy.mail(configuration), webhooks: AlertPolicy.webhooks(configuration))
        isUsed = isUsed || !policies.mail.isEmpty || !policies.webhooks.isEmpty
        let time = SystemClock.timestamp
        let untold = mail.adopt(
            policies.mail, receivers: configuration.global.mail.receivers.map(\.address), of: configuration, time: time,
            at: now)
        if isMailOther { mail.tryAgain(at: now) }
        for (receiver, count) in untold { sayUntold(count, Self.mailName(receiver)) }
        let untoldHooks = webhooks.adopt(
            policies.webhooks, receivers: configuration.global.webhooks, of: configuration, time: time, at: now)
        for (receiver, count) in untoldHooks { sayUntold(count, Self.webhookName(receiver)) }
        for server in servers { see(.server(server.name, server.alertLook)) }
        see(.everyServer)
        let needsBus = policies.mail.needsBus || policies.webhooks.needsBus
        if !needsBus {
            subscription = nil
        } else if subscription == nil {
            subscription = world.subscribe { [weak self] in self?.heard($0) }
        }
        review?.plan()
    }

    private func sayUntold(_ count: Int, _ name: String) {
        world.logger.warning(
            "\(name) is not configured any more: \(count) changes that waited are not told; 'lbctl status' shows how "
                + "things stand")
    }

    /// A receiver takes messages, as a test has found: what it did not take before is sent now.
    func works(_ receiver: String, _ stream: ReferenceWritableKeyPath<AlertDesk, AlertStream>) {
        self[keyPath: stream].tryAgain(receiver, at: world.turns.refreshNow())
        review?.plan()
    }

    /// A server may stand differently.
    func look(at server: WatchedServer) {
        if isUsed { see(.server(server.name, server.alertLook)) }
    }

    private func heard(_ update: BusSubscription.Update) {
        if let sight = AlertFeed.sight(of: update, { world.logger.warning("\($0)") }) { see(sight) }
    }

    private func see(_ sight: AlertSight) {
        guard isUsed else { return }
        let now = world.turns.now
        mail.see(sight, at: now)
        webhooks.see(sight, at: now)
        review?.plan()
    }

    // MARK: Sending

    private func turn() {
        let now = world.turns.refreshNow()
        if let sender {
            while underWay.mail < Self.atOnce, let (receiver, waiting) = mail.take(at: now),
                let address = sender.global.mail.recipients.first(where: { $0.address == receiver })
            {
                let draft = draft(of: waiting, sender, "mail")
                carry(.mail(draft, to: address), \.underWay.mail) { [count = waiting.count] desk, answer in
                    desk.finished(\.mail, receiver, Self.mailName(receiver), count, answer)
                }
            }
            while underWay.webhooks < Self.atOnce, let (receiver, waiting) = webhooks.take(at: now) {
                let draft = draft(of: waiting, sender, "webhook")
                carry(.webhook(draft, url: receiver), \.underWay.webhooks) { [count = waiting.count] desk, answer in
                    desk.finished(\.webhooks, receiver, Self.webhookName(receiver), count, answer)
                }
            }
        }
        let deadline = min(
            underWay.mail < Self.atOnce ? mail.deadline : .distantFuture,
            underWay.webhooks < Self.atOnce ? webhooks.deadline : .distantFuture)
        if deadline == .distantFuture { timer?.disarm() } else { timer?.arm(at: deadline) }
        keep()
        alarmsChanged()
        if ending != nil, underWay == (0, 0), deadline > now { conclude() }
    }

    /// `count` is that of the messages of its kind under way.
    private func carry(
        _ message: AlertMessage, _ count: ReferenceWritableKeyPath<AlertDesk, Int>,
        _ done: @escaping (AlertDesk, AlertAnswer) -> Void
    ) {
        self[keyPath: count] += 1
        world.carrier.send(message, helo: sender?.helo ?? world.hostName) { [weak self] answer in
            guard let self else { return }
            self[keyPath: count] -= 1
            done(self, answer)
            self.review?.plan()
        }
    }

    private func finished(
        _ stream: ReferenceWritableKeyPath<AlertDesk, AlertStream>, _ receiver: String, _ name: String,
        _ count: Int, _ answer: AlertAnswer
    ) {
        if let failure = answer.failure {
            let isGone = self[keyPath: stream].channels[receiver] == nil
            world.logger.warning("\(name) was not taken, it is \(isGone ? "not " : "")sent again: \(failure)")
        } else {
            world.logger.info("\(name) was taken, \(count) changes: \(answer.words)")
        }
        self[keyPath: stream].finished(receiver, answer.failure, at: world.turns.refreshNow())
        if answer.failure == nil { keptAt = nil }
    }

    private func draft(of waiting: AlertChannel.Waiting, _ sender: AlertSender, _ kind: String) -> AlertDraft {
        AlertDraft(
            waiting: waiting, sender: sender, time: SystemClock.timestamp,
            identity: "evenkeel-\(kind)-\(memory.origin)-\(waiting.changes.last?.number ?? 0)")
    }

    /// What is sent to a recipient, for people.
    static func mailName(_ address: String) -> String { "mail to \(address)" }

    /// What is sent to a webhook, for people.
    static func webhookName(_ url: String) -> String { "webhook \(shown(url))" }

    /// URLs of webhooks are secrets: scheme and host alone.
    static func shown(_ url: String) -> String {
        let parts = url.split(separator: "/", maxSplits: 2)
        let authority = parts.dropFirst().first?.prefix { !"?#".contains($0) } ?? ""
        return "\(parts.first ?? "")//\(authority.split(separator: "@").last ?? "")"
    }

    // MARK: What is kept, and what is wrong

    private func keep() {
        let version = mail.version + webhooks.version
        guard isUsed, version != handedOver else { return }
        let now = world.turns.refreshNow()
        if let keptAt, now - keptAt < Self.writingPause { keepTimer?.arm(at: keptAt + Self.writingPause); return }
        (handedOver, keptAt) = (version, now)
        memory.mail = mail.memory
        memory.webhooks = webhooks.memory
        world.memory.write({ [memory] in memory.octets }, done: nil)
    }

    /// What keeps people from being told.
    var alarms: [CheckAlarm: Alarm] {
        var alarms: [CheckAlarm: Alarm] = [:]
        alarms[.mail] = alarm(of: mail, Self.mailName)
        alarms[.webhooks] = alarm(of: webhooks, Self.webhookName)
        return alarms
    }

    private func alarm(of stream: AlertStream, _ name: (String) -> String) -> Alarm? {
        let stuck = stream.channels.filter { $0.value.failures >= Self.patience }.sorted { $0.key < $1.key }
        guard let (receiver, channel) = stuck.first, let failure = channel.failure else { return nil }
        let others = stuck.count > 1 ? " (and \(stuck.count - 1) more)" : ""
        let isLosing = stuck.contains { stream.waiting(for: $0.key).dropped > 0 }
        let lost = isLosing ? "; the oldest changes are only counted by now" : ""
        return Alarm(
            message: "\(name(receiver))\(others) is not taken: \(failure)\(lost)",
            remedy: "what happened is kept and sent again; 'lbctl alert test' tries now; see docs/alerts.md")
    }

    // MARK: The end

    /// The process ends: what waits is sent now if that can be done soon, and kept for the next process otherwise.
    func end(hurries: Bool, _ done: @escaping () -> Void) {
        if hurries {
            mail.hurry()
            webhooks.hurry()
        }
        ending = done
        endTimer?.arm(at: world.turns.refreshNow() + Self.farewell)
        turn()
    }

    private func conclude() {
        keptAt = nil
        keep()
        ending?()
        ending = nil
    }
}
