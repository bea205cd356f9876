// `/events`: the bus's events as server-sent events (WHATWG HTML §9.2). Each message is one reply of io.evenkeel.Bus.Subscribe as JSON:
// first the latest event of every subject, then {"snapshotComplete":true,…}, then every change.
import Bus
import JSON
import Platform
import Synchronization
import Varlink

/// A subscription that a browser follows.
final class EventFeed: WebStream {
    /// After so long without an event a comment says that the connection lives.
    private static let pulse = Duration.seconds(5)

    /// A place among those that may follow at once: half of the server's connections.
    private final class Place {
        private static let taken = Mutex(0)

        private init() {}

        /// Counted before there is an object: one that failed to be made would count down nevertheless.
        static func take() -> Place? {
            let isFree = taken.withLock { taken in
                guard taken < WebServer.connections / 2 else { return false }
                taken += 1
                return true
            }
            return isFree ? Place() : nil
        }

        deinit { Self.taken.withLock { $0 -= 1 } }
    }

    private let place: Place
    private let client: BusClient
    private var hasEnded = false

    /// Subscribes. Nil when as many others follow as may.
    init?(_ subscription: BusAPI.Subscribe, socket: String, patience: Duration) throws {
        guard let place = Place.take() else { return nil }
        self.place = place
        client = try BusClient(path: socket, patience: patience)
        try client.begin(subscription.call(more: true))
    }

    func next() -> [UInt8]? {
        guard !hasEnded else { return nil }
        do throws(BusClientError) {
            let reply = try client.reply(within: Self.pulse)
            let place = reply.parameters["event"]?["seq"]?.int ?? reply.parameters["seq"]?.int
            let id = place.map { "id: \($0)\n" } ?? ""
            return Array("\(id)data: \(JSONText.line(.object(reply.parameters)))\n\n".utf8)
        } catch {
            if case .timedOut = error { return Array(": alive\n\n".utf8) }
            // The browser comes again by itself, and begins with the latest of everything.
            hasEnded = true
            return Array("retry: 1000\n: \(error)\n\n".utf8)
        }
    }
}
