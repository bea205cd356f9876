// One connection on which a daemon publishes. It pulls: the owner of some state says that a subject changed, and the state is asked for
// when there is a connection and room to say it. Nothing is encoded without a bus, nothing is kept here, and changes of one subject fold
// into the latest. After a reconnect every subject is said again, so busd needs no memory of its own.
import DequeModule
import Glibc
public import JSON
import Net
import Platform
import Varlink

/// Publishes events of one source.
public final class EventPublisher {
    /// The key under which busd keeps an event.
    private struct Key: Hashable {
        let type: String
        let subject: String
    }

    /// Where the state of one type's subjects comes from.
    private struct Provider {
        let subjects: () -> [String]
        let state: (String) -> (any JSONCodable)?
    }

    /// Who wants to know the place of an event; asked once.
    private final class Waiter {
        let deadline: Instant
        private var body: ((Int?) -> Void)?

        init(_ deadline: Instant, _ body: @escaping (Int?) -> Void) {
            self.deadline = deadline
            self.body = body
        }

        func answer(_ seq: Int?) {
            body?(seq)
            body = nil
        }
    }

    /// A subject that busd has not been told.
    private struct Unsaid {
        /// When it changed, by the wall clock.
        var changedAt: Int64
        var waiters: [Waiter] = []
    }

    /// What busd has not confirmed yet.
    private struct Batch {
        let sentAt: Instant
        /// One list for each event, in order.
        let waiters: [[Waiter]]
    }

    /// Octets per message and so per turn of the loop: encoding them takes a few milliseconds.
    private static let batchOctets = 256 << 10
    /// The largest event: with the batch before it, it must fit into busd's message limit of 1 MiB.
    private static let eventOctets = 700 << 10
    private static let batchesInFlight = 4
    /// How long `published` waits for a busd that is there and does not answer.
    private static let answerLimit = Duration.seconds(1)
    /// A busd that answers nothing for so long is taken for lost.
    private static let silenceLimit = Duration.seconds(5)

    private let source: String
    private let logger: Logger
    private let loop: EventLoop
    private var connection: BusConnection?
    private var isConnected = false
    private let identity: String
    private var counter = 0
    private var providers: [String: Provider] = [:]
    private var order: Deque<Key> = []
    private var unsaid: [Key: Unsaid] = [:]
    private var inFlight: Deque<Batch> = []
    private var waiters: Deque<Waiter> = []
    private var patience: LoopTimer?
    private var isComplete = false
    private var completeIsSaid = false
    private var sendIsPlanned = false

    init(source: String, socket: String, loop: EventLoop, logger: Logger) {
        self.source = source
        self.logger = logger
        self.loop = loop
        identity = "\(getpid())-\(SystemClock.wallNanoseconds)"
        connection = BusConnection(socket: socket, loop: loop) { [weak self] in self?.handle($0) }
        patience = loop.timer { [weak self] in self?.losePatience() }
    }

    func start() {
        connection?.start()
    }

    /// Says where the state of a type's subjects is: `subjects` lists those that exist, `state` gives the data of one, nil when it is gone.
    public func provide(
        _ type: String, subjects: @escaping () -> [String], state: @escaping (String) -> (any JSONCodable)?
    ) {
        providers[type] = Provider(subjects: subjects, state: state)
    }

    /// The state of a subject changed, or it is gone: said in one of the next turns. `published` gets the event's place in the order of all
    /// events, or nil when busd is away or has not confirmed it within a second; the state is said when busd is back. Without busd
    /// `subject` is not asked for: the names of a whole table are much work.
    public func changed(_ type: String, subject: @autoclosure () -> String, published: ((Int?) -> Void)? = nil) {
        guard isConnected else {
            published?(nil)
            return
        }
        let key = Key(type: type, subject: subject())
        if unsaid[key] == nil {
            unsaid[key] = Unsaid(changedAt: SystemClock.wallNanoseconds)
            order.append(key)
        }
        if let published {
            let waiter = Waiter(loop.now + Self.answerLimit, published)
            unsaid[key]?.waiters.append(waiter)
            waiters.append(waiter)
            keepPatience()
        }
        planSend()
    }

    /// All state is there: what busd still keeps from an earlier life of this daemon is to be forgotten. Call once.
    public func stateIsComplete() {
        isComplete = true
        planSend()
    }

    private func planSend() {
        guard isConnected, !sendIsPlanned else { return }
        sendIsPlanned = true
        loop.soon { [weak self] in
            self?.sendIsPlanned = false
            self?.sendBatch()
        }
    }

    /// One message; what does not fit is said in the next turn.
    private func sendBatch() {
        let says = isComplete && !completeIsSaid
        guard isConnected, inFlight.count < Self.batchesInFlight, !order.isEmpty || says else { return }
        var message = Array(#"{"method":"io.evenkeel.Bus.Publish","parameters":{"events":["#.utf8)
        var batch: [[Waiter]] = []
        while message.count < Self.batchOctets, let key = order.popFirst() {
            guard let change = unsaid.removeValue(forKey: key) else { continue }
            guard let event = event(key, at: change.changedAt) else {
                for waiter in change.waiters { waiter.answer(nil) }
                continue
            }
            if !batch.isEmpty { message.append(UInt8(ascii: ",")) }
            message += event
            batch.append(change.waiters)
        }
        message.append(UInt8(ascii: "]"))
        if says, order.isEmpty {
            completeIsSaid = true
            message += Array(#","completeSource":"\#(source)""#.utf8)
        } else if batch.isEmpty {
            return
        }
        message += Array("}}\0".utf8)
        inFlight.append(Batch(sentAt: loop.now, waiters: batch))
        keepPatience()
        connection?.call(octets: message)
        if !order.isEmpty { planSend() }
    }

    private func event(_ key: Key, at time: Int64) -> [UInt8]? {
        counter += 1
        var event: JSONObject = [
            "specversion": "1.0", "id": .string("\(identity)-\(counter)"), "source": .string(source),
            "type": .string(key.type), "subject": .string(key.subject),
            "time": .string(SystemClock.timestamp(at: time)),
        ]
        if let state = providers[key.type]?.state(key.subject) { event.add("data", state) }
        guard let octets = try? JSONValue.object(event).serialised(), octets.count < Self.eventOctets else {
            logger.error("event \(key.type) of \(key.subject) not published: too large or not expressible in JSON")
            return nil
        }
        return octets
    }

    private func handle(_ event: BusConnection.Event) {
        switch event {
        case .connected:
            isConnected = true
            sayEverything()
        case .reply(let reply):
            guard reply.error == nil else {
                connection?.lose("publishing refused: \(reply.error ?? "")")
                return
            }
            confirm(reply.parameters["seq"]?.int.map { Int($0) })
        case .lost(let reason, let isNews):
            if isNews { logger.warning("events of \(source) wait for the bus: \(reason)") }
            forgetConnection()
        }
    }

    private func sayEverything() {
        let now = SystemClock.wallNanoseconds
        for (type, provider) in providers {
            for subject in provider.subjects() {
                let key = Key(type: type, subject: subject)
                if unsaid.updateValue(Unsaid(changedAt: now), forKey: key) == nil { order.append(key) }
            }
        }
        planSend()
    }

    private func confirm(_ last: Int?) {
        guard let batch = inFlight.popFirst() else { return }
        for (index, waiters) in batch.waiters.enumerated() where !waiters.isEmpty {
            let seq = last.map { $0 - (batch.waiters.count - 1 - index) }  // busd numbers a batch without gaps.
            for waiter in waiters { waiter.answer(seq) }
        }
        keepPatience()
        planSend()
    }

    private func forgetConnection() {
        isConnected = false
        completeIsSaid = false
        let unanswered = waiters
        waiters.removeAll()
        inFlight.removeAll()
        order.removeAll()
        unsaid.removeAll()
        for waiter in unanswered { waiter.answer(nil) }
    }

    // MARK: A busd that does not answer

    private func keepPatience() {
        let ends = [waiters.first?.deadline, inFlight.first.map { $0.sentAt + Self.silenceLimit }].compactMap(\.self)
        if let first = ends.min() { patience?.arm(at: first) }
    }

    private func losePatience() {
        while let waiter = waiters.first, waiter.deadline <= loop.now {
            waiters.removeFirst()
            waiter.answer(nil)
        }
        if let oldest = inFlight.first, oldest.sentAt + Self.silenceLimit <= loop.now {
            connection?.lose("busd has not answered for \(Self.silenceLimit)")
            return
        }
        keepPatience()
    }
}
