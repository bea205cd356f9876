// Waits for drains: asks ipvsd how each stands until it is over, and says meanwhile what is left of it.
import Bus
import Glibc
import Net
import Platform

struct DrainWait {
    /// When to give up; nil: never.
    var limit: Duration?
    var clock: () -> Instant = { SystemClock.now }
    /// Between two looks.
    var pause: () -> Void = { usleep(500_000) }
    /// For the person who waits.
    var say: (String) -> Void = StandardError.say

    /// What a look at a server found.
    private enum Look: Equatable {
        case isOver
        /// What is left of its connections.
        case isOn(String)
    }

    /// Returns when the drains of `names` are over.
    func wait(for names: [String], _ daemons: some Daemons) throws(Failure) {
        let end = limit.map { clock() + $0 }
        var left = names
        var said: [String: String] = [:]
        while true {
            var waiting: [String] = []
            for name in left {
                guard case .isOn(let text) = try look(at: name, daemons) else { continue }
                waiting.append(name)
                if said.updateValue(text, forKey: name) != text { say("\(name): \(text)") }
            }
            left = waiting
            guard !left.isEmpty else { return }
            if let end, clock() >= end { throw .stillDraining(left) }
            pause()
        }
    }

    private func look(at name: String, _ daemons: some Daemons) throws(Failure) -> Look {
        let service: IpvsAPI.Service
        do throws(Failure) {
            service = try daemons.call(IpvsAPI.ShowService(name: try ServerName.parts(name).service)).decoded().service
        } catch {
            // The last server of a service that left the configuration takes it along.
            guard case .refused(_, IpvsAPI.ServiceNotFound.error, _) = error else { throw error }
            return .isOver
        }
        // A server that left the configuration is not there any more when it is drained.
        guard let runtime = service.servers.first(where: { $0.name == name })?.runtime else { return .isOver }
        guard runtime.departure != nil || runtime.override?.kind == .drain else {
            throw .notDone("\(name) is not being drained any more: somebody else decided otherwise meanwhile")
        }
        if runtime.override?.isOver == true { return .isOver }
        guard let active = runtime.activeConnections, let inactive = runtime.inactiveConnections else {
            return .isOn("the kernel does not say how many connections are left")
        }
        let clients = counted(runtime.persistentConnections ?? 0, "persistent client")
        return .isOn("\(counted(active + inactive, "connection")) left (\(active) active), \(clients)")
    }
}
