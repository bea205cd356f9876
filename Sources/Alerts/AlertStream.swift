// One kind of alerts, mail or webhooks: what is news, and where each receiver is in it, so that one who takes nothing holds up nobody else.

public import Configuration
public import Net

/// What is told, and who waits for it.
public struct AlertStream: Sendable {
    /// What outlives the process.
    public struct Memory: Equatable, Sendable {
        public var told = ToldAlerts()
        /// What somebody waits for, once for all.
        public var changes: [AlertChange] = []
        /// Up to where receivers have been told who wait for more.
        public var positions: [String: Int] = [:]

        /// Nothing.
        public init() {}
    }

    private var judge: AlertJudge
    /// By receiver.
    public private(set) var channels: [String: AlertChannel] = [:]
    private var remembered: [String: Int]
    private var log: AlertLog
    private var isStart = true
    private var handledCount = 0

    /// Starts from what an earlier process kept.
    public init(_ memory: Memory = Memory()) {
        var told = memory.told
        if !(0...1 << 53).contains(told.number) { told.number = 0 }
        judge = AlertJudge(told: told)
        log = AlertLog(memory.changes, end: told.number)
        remembered = memory.positions.mapValues { max(0, min($0, told.number)) }
    }

    /// What is kept may have changed when this has.
    public var version: Int { judge.version + handledCount }

    /// What is to be kept.
    public var memory: Memory {
        var memory = Memory()
        memory.told = judge.told
        memory.changes = log.changes
        memory.positions = channels.mapValues(\.position).filter { $0.value < log.end }
        return memory
    }

    /// How many changes wait for a receiver, and how many of them are only counted.
    public func waiting(for receiver: String) -> (all: Int, dropped: Int) {
        log.count(after: channels[receiver]?.position ?? log.end)
    }

    /// Goes over to a configuration. Whoever is no receiver any more is told nothing more.
    /// - Returns: how many changes nobody tells them now.
    public mutating func adopt(
        _ policy: AlertPolicy, receivers: [String], of configuration: Configuration, time: String, at now: Instant
    ) -> [String: Int] {
        let positions = channels.mapValues(\.position).merging(remembered) { current, _ in current }
        let waited = positions.mapValues { log.count(after: $0).all }.filter { $0.value > 0 }
        var kept: [String: AlertChannel] = [:]
        for receiver in receivers {
            kept[receiver] =
                channels[receiver] ?? AlertChannel(at: remembered[receiver] ?? log.end, in: log, at: now)
        }
        channels = kept
        remembered = [:]
        add(judge.adopt(policy, of: configuration, isStart: isStart, time: time), at: now)
        forget()
        isStart = false
        handledCount += 1
        return waited.filter { kept[$0.key] == nil }
    }

    /// Takes note of how something stands.
    public mutating func see(_ sight: AlertSight, at now: Instant) {
        add(judge.see(sight), at: now)
    }

    private mutating func add(_ changes: [AlertChange], at now: Instant) {
        for change in changes {
            log.add(change)
            for receiver in channels.keys { channels[receiver]?.add(change, at: now) }
        }
        if channels.isEmpty { forget() }
    }

    /// What everybody has taken is kept no longer.
    private mutating func forget() {
        log.forget(through: channels.values.map(\.position).min() ?? log.end)
    }

    // MARK: Sending

    /// When something is to be sent.
    public var deadline: Instant { channels.values.map(\.deadline).min() ?? .distantFuture }

    /// The next receiver, in no order, with what is to be sent; nil when nobody is due.
    public mutating func take(at now: Instant) -> (receiver: String, waiting: AlertChannel.Waiting)? {
        for receiver in channels.keys {
            if let waiting = channels[receiver]?.take(from: log, at: now) { return (receiver, waiting) }
        }
        return nil
    }

    /// What was sent to a receiver was taken (nil), or why not.
    public mutating func finished(_ receiver: String, _ failure: String?, at now: Instant) {
        channels[receiver]?.finished(failure, in: log, at: now)
        forget()
        handledCount += 1
    }

    /// What stood in the way of a receiver's messages, or of everybody's (nil), may be gone: what was not taken is sent at once.
    public mutating func tryAgain(_ receiver: String? = nil, at now: Instant) {
        for known in channels.keys where receiver == nil || known == receiver { channels[known]?.tryAgain(at: now) }
    }

    /// Sends what waits as soon as possible.
    public mutating func hurry() {
        for receiver in channels.keys { channels[receiver]?.hurry() }
    }
}
