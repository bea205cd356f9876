// One connection on which a daemon publishes. The latest event of each subject is kept here and said again after every
// reconnect, so busd needs no memory of its own. While busd is slow or away changes are folded together per subject:
// the memory used is bounded by the number of subjects, and what arrives is always the latest state.
import DequeModule
import Glibc
import JSON
import Platform
import Varlink

/// Publishes events of one source.
public final class EventPublisher {
    /// The key under which busd keeps an event.
    private struct Key: Hashable {
        let type: String
        let subject: String
    }

    private static let batchOctets = 256 << 10
    private static let batchesInFlight = 4

    private let source: String
    private let logger: Logger
    private let loop: EventLoop
    private var connection: BusConnection?
    private var isConnected = false
    private let identity: String
    private var counter = 0
    /// The latest event of each subject as JSON; a removal is kept until busd has confirmed it.
    private var latest: [Key: (event: [UInt8], isRemoval: Bool)] = [:]
    /// Subjects that busd has not been told, in order, and who waits for each.
    private var unsaid: Deque<Key> = []
    private var waiting: [Key: [(Int?) -> Void]] = [:]
    /// What each batch that busd has not answered contained.
    private var inFlight: Deque<[(key: Key, waiting: [(Int?) -> Void])]> = []
    private var isComplete = false
    private var completeIsSaid = false
    private var sendIsPlanned = false

    init(source: String, socket: String, loop: EventLoop, logger: Logger) {
        self.source = source
        self.logger = logger
        self.loop = loop
        identity = "\(getpid())-\(SystemClock.wallNanoseconds)"
        connection = BusConnection(socket: socket, loop: loop) { [weak self] in self?.handle($0) }
    }

    func start() {
        connection?.start()
    }

    /// Publishes the state of a subject after an event. `published` gets its place in the order of all events, or nil
    /// when busd is away; the state is said when it is back.
    public func publish(
        _ type: String, subject: String, data: some Encodable, published: @escaping (Int?) -> Void = { _ in }
    ) {
        do throws(JSONCodingError) {
            say(type, subject, try JSONValue(encoding: data), published)
        } catch {
            logger.error("event \(type) of \(subject) not published: \(error)")
            published(nil)
        }
    }

    /// Publishes that a subject is gone; busd forgets it. A subject never published is not mentioned.
    public func remove(_ type: String, subject: String, published: @escaping (Int?) -> Void = { _ in }) {
        guard latest[Key(type: type, subject: subject)]?.isRemoval == false else { return published(nil) }
        say(type, subject, nil, published)
    }

    /// Everything there is to say has been published once: what busd still keeps from an earlier life of this daemon is
    /// to be forgotten. Call once, when the daemon's state is whole.
    public func stateIsComplete() {
        isComplete = true
        planSend()
    }

    private func say(_ type: String, _ subject: String, _ data: JSONValue?, _ published: @escaping (Int?) -> Void) {
        counter += 1
        var event: JSONObject = [
            "specversion": "1.0", "id": .string("\(identity)-\(counter)"), "source": .string(source),
            "type": .string(type), "subject": .string(subject), "time": .string(SystemClock.timestamp),
        ]
        event["data"] = data
        guard let octets = try? JSONValue.object(event).serialised(), octets.count < Self.batchOctets * 3 else {
            logger.error("event \(type) of \(subject) not published: too large or not expressible in JSON")
            return published(nil)
        }
        let key = Key(type: type, subject: subject)
        latest[key] = (octets, data == nil)
        guard isConnected else { return published(nil) }
        if waiting[key] == nil { unsaid.append(key) }
        waiting[key, default: []].append(published)
        planSend()
    }

    private func planSend() {
        guard isConnected, !sendIsPlanned else { return }
        sendIsPlanned = true
        loop.soon { [weak self] in
            self?.sendIsPlanned = false
            self?.sendBatches()
        }
    }

    private func sendBatches() {
        while isConnected, inFlight.count < Self.batchesInFlight {
            let says = isComplete && !completeIsSaid
            guard !unsaid.isEmpty || says else { return }
            var message = Array(#"{"method":"io.evenkeel.Bus.Publish","parameters":{"events":["#.utf8)
            var batch: [(key: Key, waiting: [(Int?) -> Void])] = []
            while let key = unsaid.first, let event = latest[key]?.event,
                batch.isEmpty || message.count + event.count < Self.batchOctets
            {
                if !batch.isEmpty { message.append(UInt8(ascii: ",")) }
                message += event
                batch.append((key, waiting.removeValue(forKey: key) ?? []))
                unsaid.removeFirst()
            }
            message.append(UInt8(ascii: "]"))
            if says, unsaid.isEmpty {
                completeIsSaid = true
                message += Array(#","completeSource":"\#(source)""#.utf8)
            }
            message += Array("}}\0".utf8)
            inFlight.append(batch)
            connection?.call(octets: message)
        }
    }

    private func handle(_ event: BusConnection.Event) {
        switch event {
        case .connected:
            isConnected = true
            unsaid = Deque(latest.keys)
            waiting = Dictionary(uniqueKeysWithValues: latest.keys.map { ($0, []) })
            sendBatches()
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

    private func confirm(_ last: Int?) {
        guard let batch = inFlight.popFirst() else { return }
        for (index, (key, waiting)) in batch.enumerated() {
            if self.waiting[key] == nil, latest[key]?.isRemoval == true { latest[key] = nil }
            let seq = last.map { $0 - (batch.count - 1 - index) }  // busd numbers a batch without gaps.
            for published in waiting { published(seq) }
        }
        planSend()
    }

    private func forgetConnection() {
        isConnected = false
        completeIsSaid = false
        let unanswered = inFlight.flatMap { $0.flatMap(\.waiting) } + unsaid.flatMap { waiting[$0] ?? [] }
        inFlight.removeAll()
        unsaid.removeAll()
        waiting.removeAll()
        for published in unanswered { published(nil) }
    }
}
