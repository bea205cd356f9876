// Taking over a configuration, some servers a turn: with 10,000 of them a turn stays short, and probes and calls go on in between. A newer
// configuration takes the place of one that is half taken over; what is there by then is what it is compared with.
import Configuration
import Net

/// A configuration on its way in.
struct Adoption {
    /// Names and configurations that are still to come.
    fileprivate var rest: AnyIterator<(name: String, server: RealServerConfiguration, home: IPAddress?)>
    /// What the configuration has so far, in its order.
    fileprivate var order: [WatchedServer] = []
    /// What is to go when all else is there.
    fileprivate var leaving: [String]?
    fileprivate let isFirst: Bool
}

extension CheckDaemon {
    private static let serversPerTurn = 200

    /// Begins with the first servers at once; what is left follows in the next turns.
    func adopt(_ configuration: Configuration) {
        let isRunning = adoption != nil
        let isFirst = servers.isEmpty && byName.isEmpty || adoption?.isFirst == true
        adoption = Adoption(rest: Self.realServers(of: configuration).makeIterator(), isFirst: isFirst)
        if !isRunning { adoptSome() }
    }

    private func adoptSome() {
        guard var adoption else { return }
        var budget = Self.serversPerTurn
        while budget > 0, adoption.leaving == nil {
            guard let (name, wanted, home) = adoption.rest.next() else {
                let staying = Set(adoption.order.map(\.name))
                adoption.leaving = byName.keys.filter { !staying.contains($0) }
                break
            }
            if let known = byName[name], !known.differs(from: wanted) {
                known.adopt(wanted, home: home)
                adoption.order.append(known)
            } else {
                adoption.order.append(watch(name, wanted, home: home))
            }
            budget -= 1
        }
        while budget > 0, let name = adoption.leaving?.popLast() {
            forget(name)
            budget -= 1
        }
        if adoption.leaving?.isEmpty == true {
            self.adoption = nil
            adopted(adoption.order, isFirst: adoption.isFirst)
        } else {
            self.adoption = adoption
            world.turns.soon { [weak self] in self?.adoptSome() }
        }
    }

    /// What a reload would do, for people.
    func changes(to configuration: Configuration) -> [String] {
        let wanted = Array(Self.realServers(of: configuration))
        let names = Set(wanted.map(\.name))
        var lines = servers.filter { !names.contains($0.name) }.map { "stop checking \($0.name)" }
        for (name, server, home) in wanted {
            if let known = byName[name] {
                if known.differs(from: server) { lines.append("change the checks of \(name)") }
                if known.flapLimit != server.flapLimit { lines.append("flap_limit of \(name): change") }
                if known.home != home { lines.append("ha_suspend of \(name): change") }
            } else {
                lines.append("start checking \(name)")
            }
        }
        return lines + (alerts?.changes(to: configuration) ?? [])
    }

    private static func realServers(
        of configuration: Configuration
    ) -> AnySequence<(name: String, server: RealServerConfiguration, home: IPAddress?)> {
        AnySequence(
            configuration.virtualServers.lazy.flatMap { service in
                service.realServers.lazy.map {
                    (name: "\(service.identity)/\($0.endpoint)", server: $0, home: service.suspendingAddress)
                }
            })
    }
}
