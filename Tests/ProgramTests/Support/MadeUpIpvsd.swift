// An ipvsd of a test, on the test's own loop: it tells of services and servers that nobody has, where the kernel has no IPVS.

import Glibc
import JSON
import Net
import Platform
import Varlink

@testable import Bus

/// Answers ListServices and ListTraffic, and publishes what changes.
final class MadeUpIpvsd {
    private(set) var services: [IpvsAPI.Service]
    private let service: DaemonService

    /// Joins the bus of a run directory.
    init(_ services: [IpvsAPI.Service], runDirectory: String, loop: EventLoop) throws {
        self.services = services
        let program = ProgramDescription(name: "ipvsd", summary: "")
        guard
            case .run(let options) = DaemonOptions.parse(
                ["--run-dir", runDirectory], for: program, exists: { _ in false })
        else { throw Errno(EINVAL, "options") }
        service = DaemonService(
            name: "ipvsd", interface: try Interfaces.ipvs(), options: options, loop: loop, logger: Logger(level: .error)
        )
        try service.start { [weak self] call, pending in
            guard let self else { return }
            switch call.method {
            case IpvsAPI.ListServices.method:
                Self.reply(IpvsAPI.ListServices.Reply(services: self.services), to: pending)
            case IpvsAPI.ListTraffic.method:
                Self.reply(IpvsAPI.ListTraffic.Reply(histories: self.services.map(Self.history)), to: pending)
            default: pending.answer(VarlinkServiceError.methodNotImplemented(call.method).reply)
            }
        }
        service.events.provide(
            EventType.ipvsServer, subjects: { [weak self] in self?.servers.map(\.name) ?? [] },
            state: { [weak self] name in self?.servers.first { $0.name == name } })
    }

    private static func reply(_ reply: some JSONStructure, to pending: Bus.PendingCall) {
        pending.answer(VarlinkReply(encoding: reply))
    }

    private var servers: [IpvsAPI.Server] { services.flatMap(\.servers) }

    /// The verdict about a server changes.
    func turn(_ name: String, _ health: IpvsAPI.Health, _ reason: String) {
        for (place, service) in services.enumerated() {
            for index in service.servers.indices where service.servers[index].name == name {
                services[place].servers[index].runtime.health = health
                services[place].servers[index].runtime.since = SystemClock.timestamp
                services[place].servers[index].runtime.reason = reason
                services[place].servers[index].runtime.effectiveWeight =
                    health == .up ? service.servers[index].context.weight ?? 1 : 0
                services[place].servers[index].runtime.counters?.connectionsPerSecond = health == .up ? 210 : 0
                let serving = services[place].servers.filter { $0.runtime.effectiveWeight > 0 }
                services[place].runtime.weightUp = serving.reduce(0) { $0 + $1.runtime.effectiveWeight }
                services[place].runtime.reason =
                    "\(serving.count) of \(service.servers.count) servers serve, weight \(services[place].runtime.weightUp)"
            }
        }
        self.service.events.changed(EventType.ipvsServer, subject: name)
    }

    /// Five minutes of connections that come and go.
    private static func history(of service: IpvsAPI.Service) -> IpvsAPI.TrafficHistory {
        let rate = service.runtime.counters?.connectionsPerSecond ?? 0
        return IpvsAPI.TrafficHistory(
            name: service.name,
            samples: (0..<30).map { index in
                // A slow wave with a quick one on it.
                let connections = rate * (60 + (index * 7 % 30) + (index * index % 13)) / 10
                return IpvsAPI.TrafficSample(
                    endedMillisecondsAgo: (30 - index) * 10_000, milliseconds: 10_000, connections: connections,
                    packetsIn: 0, packetsOut: 0, bytesIn: 0, bytesOut: 0, activeConnections: 0)
            })
    }
}

extension IpvsAPI.Service {
    /// A service with a rate of connections, whose servers have the weights given; `down` are not up.
    static func madeUp(
        _ name: String, perSecond rate: Int, _ servers: [String], down: [String: String] = [:],
        drained: String? = nil
    ) -> Self {
        let then = SystemClock.timestamp(at: SystemClock.wallNanoseconds - 7_800_000_000_000)
        func counters(_ share: Int) -> IpvsAPI.Counters {
            let rate = rate / share
            return IpvsAPI.Counters(
                connections: rate * 7800, packetsIn: rate * 70_000, packetsOut: 0, bytesIn: rate * 7_000_000,
                bytesOut: 0, connectionsPerSecond: rate, packetsInPerSecond: rate * 9, packetsOutPerSecond: 0,
                bytesInPerSecond: rate * 900, bytesOutPerSecond: 0)
        }
        let members = servers.map { address in
            let reason = down[address]
            let isDrained = address == drained
            let isUsed = reason == nil && !isDrained
            return IpvsAPI.Server(
                name: "\(name)/\(address)",
                context: .init(address: address, forwarding: .dr, weight: 100),
                runtime: .init(
                    health: reason == nil ? .up : .down, since: then, reason: reason ?? "all checks succeed",
                    stale: false, inKernel: isUsed || isDrained, effectiveWeight: isUsed ? 100 : 0,
                    override: isDrained ? .init(kind: .drain, since: then, uid: 0) : nil,
                    activeConnections: isUsed ? rate * 2 : isDrained ? 3 : 0,
                    inactiveConnections: isUsed ? rate * 5 : 0,
                    counters: counters(isUsed ? servers.count : 1000)))
        }
        let up = members.count { $0.runtime.effectiveWeight > 0 }
        return Self(
            name: name, context: .init(scheduler: "wlc", quorum: 1),
            runtime: .init(
                state: up > 0 ? .up : .down, since: then,
                reason: "\(up) of \(servers.count) servers serve, weight \(up * 100)", weightUp: up * 100,
                onSorryServer: false, inKernel: true, counters: counters(1)),
            servers: members)
    }
}
