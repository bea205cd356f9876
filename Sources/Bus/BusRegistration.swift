// The held Register call: as long as its connection lives, busd routes the interfaces to this daemon.
import JSON
import Platform
import Varlink

final class BusRegistration {
    private var connection: BusConnection?
    private let registration: BusAPI.Register
    private let logger: Logger

    init(_ registration: BusAPI.Register, socket: String, loop: EventLoop, logger: Logger) {
        self.registration = registration
        self.logger = logger
        connection = BusConnection(socket: socket, loop: loop) { [weak self] in self?.handle($0) }
        connection?.start()
    }

    private func handle(_ event: BusConnection.Event) {
        switch event {
        case .connected: register()
        case .reply(let reply) where reply.continues: logger.info("\(registration.name): attached to the bus")
        case .reply(let reply): connection?.lose("registration refused: \(reply.error ?? "ended")")
        case .lost(let reason, let isNews):
            if isNews { logger.warning("\(registration.name): not on the bus, retrying: \(reason)") }
        }
    }

    private func register() {
        do {
            try connection?.call(registration.call(more: true))
        } catch {
            connection?.lose("\(error)")
        }
    }
}
