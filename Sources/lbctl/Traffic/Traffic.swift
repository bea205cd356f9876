// The traffic of this director between two looks at it: what `lbctl top` shows, the busiest first.
import Bus
import JSON
import Net
import Platform

/// What ipvsd says of services and their counters at one moment.
struct TrafficReading {
    let services: [IpvsAPI.Service]
    /// When the kernel was asked for the counters, by this process's clock.
    let taken: Instant
    /// The answers as they came.
    let wire: [JSONObject]

    /// Asks for all services, or for the one of this full name.
    init(of service: String?, _ daemons: some Daemons, at clock: () -> Instant = { SystemClock.now }) throws(Failure) {
        if let service {
            let answer = try daemons.call(IpvsAPI.ShowService(name: service))
            (services, taken, wire) = ([try answer.decoded().service], clock(), [answer.parameters])
        } else {
            let answers = try daemons.list(IpvsAPI.ListServices())
            services = try answers.all(\.services)
            taken = clock() - .milliseconds(try answers.first?.decoded().countersAgeMilliseconds ?? 0)
            wire = answers.map(\.parameters)
        }
    }
}

/// The last minutes of services and servers, by name.
struct TrafficPast {
    private(set) var samples: [String: [IpvsAPI.TrafficSample]] = [:]
    /// The answers as they came.
    private(set) var wire: [JSONObject] = []

    init() {}

    /// Asks for that of all services, or of the one of this full name.
    init(of service: String?, _ daemons: some Daemons) throws(Failure) {
        let answers = try daemons.list(IpvsAPI.ListTraffic(service: service))
        for history in try answers.all(\.histories) { samples[history.name] = history.samples }
        wire = answers.map(\.parameters)
    }

    /// Packets per second from clients, oldest first.
    func packets(of name: String) -> [Double] {
        samples[name, default: []].map { Double($0.packetsIn) * 1000 / Double(max($0.milliseconds, 1)) }
    }
}

/// What goes through a service or a server now.
struct TrafficLine {
    let name: String
    let state: Cell
    let activeConnections: Int?
    /// nil when the kernel does not have it.
    let rates: TrafficRates?
    /// Answers come back through this host, and are counted.
    let countsAnswers: Bool
    /// Packets per second from clients in the last minutes, oldest first.
    let past: [Double]

    /// Who comes first.
    fileprivate static func isBusier(_ left: TrafficLine, _ right: TrafficLine) -> Bool {
        func rank(_ line: TrafficLine) -> (Double, Double, Int) {
            (line.rates?.packetsIn ?? -1, line.rates?.connections ?? 0, line.activeConnections ?? 0)
        }
        let (first, second) = (rank(left), rank(right))
        return first == second ? left.name < right.name : first > second
    }
}

/// A service with its servers, the busiest first.
struct ServiceTraffic {
    let service: TrafficLine
    let servers: [TrafficLine]
}

extension [ServiceTraffic] {
    /// The busiest first. Rates are those since `earlier`; without it, and of what was not there then, the kernel's estimates.
    init(_ now: TrafficReading, since earlier: TrafficReading?, _ past: TrafficPast) {
        var before: [String: IpvsAPI.Counters] = [:]
        for service in earlier?.services ?? [] {
            before[service.name] = service.runtime.counters
            for server in service.servers { before[server.name] = server.runtime.counters }
        }
        let seconds = earlier.map { (now.taken - $0.taken).seconds } ?? 0
        func rates(_ name: String, _ counters: IpvsAPI.Counters?) -> TrafficRates? {
            counters.map { counters in
                before[name].flatMap { TrafficRates(from: $0, to: counters, seconds: seconds) }
                    ?? TrafficRates(estimatedIn: counters)
            }
        }
        self = now.services.map { service in
            let servers = service.servers.map { server in
                TrafficLine(
                    name: server.address, state: server.state, activeConnections: server.runtime.activeConnections,
                    rates: rates(server.name, server.runtime.counters),
                    countsAnswers: server.context.forwarding == .nat, past: past.packets(of: server.name))
            }
            let active = servers.compactMap(\.activeConnections)
            return ServiceTraffic(
                service: TrafficLine(
                    name: service.name, state: service.state,
                    activeConnections: active.isEmpty ? nil : active.reduce(0, +),
                    rates: rates(service.name, service.runtime.counters),
                    countsAnswers: servers.contains(where: \.countsAnswers), past: past.packets(of: service.name)),
                servers: servers.sorted(by: TrafficLine.isBusier))
        }.sorted { TrafficLine.isBusier($0.service, $1.service) }
    }
}
