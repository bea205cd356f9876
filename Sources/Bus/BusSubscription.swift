// A subscription that comes back by itself. After every reconnect it begins again with the kept events, so its owner
// sees either the whole state or nothing: it collects events until `snapshotComplete` and then forgets what was not among
// them.
import JSON
public import Platform
import Varlink

/// Follows events until released.
public final class BusSubscription {
    /// What the owner hears.
    public enum Update {
        /// An event: part of the snapshot before `snapshotComplete`, a change after it. No `data`: the subject is gone.
        case event(BusAPI.Event)
        /// The events since the last `lost` are the whole state.
        case snapshotComplete
        /// The bus is away; what was heard stays the last known state. A snapshot follows when it is back.
        case lost
    }

    private let subscription: BusAPI.Subscribe
    private let handler: (Update) -> Void
    private let logger: Logger
    private var connection: BusConnection?
    private var isFollowing = false

    /// Subscribes as soon as the bus is there.
    public init(
        _ subscription: BusAPI.Subscribe, socket: String, loop: EventLoop, logger: Logger,
        _ handler: @escaping (Update) -> Void
    ) {
        self.subscription = subscription
        self.handler = handler
        self.logger = logger
        connection = BusConnection(socket: socket, loop: loop) { [weak self] in self?.handle($0) }
        connection?.start()
    }

    private func handle(_ event: BusConnection.Event) {
        switch event {
        case .connected:
            do {
                try connection?.call(subscription.call(more: true))
            } catch {
                connection?.lose("\(error)")
            }
        case .reply(let reply):
            guard reply.error == nil, reply.continues else {
                connection?.lose("subscription ended: \(reply.error ?? "no more replies")")
                return
            }
            isFollowing = true
            update(reply.parameters)
        case .lost(let reason, let isNews):
            if isNews { logger.warning("subscription waits for the bus: \(reason)") }
            guard isFollowing else { return }
            isFollowing = false
            handler(.lost)
        }
    }

    private func update(_ parameters: JSONObject) {
        do throws(JSONCodingError) {
            let reply: BusAPI.Subscribe.Reply = try JSONValue.object(parameters).decode()
            if let event = reply.event { handler(.event(event)) }
            if reply.snapshotComplete == true { handler(.snapshotComplete) }
        } catch {
            logger.warning("event not understood, skipped: \(error)")
        }
    }
}
