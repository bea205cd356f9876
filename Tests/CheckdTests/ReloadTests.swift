// What a reload does to servers that leave the configuration and come back, or whose question is edited and edited back.
import Bus
import Configuration
import HealthCheck
import Net
import Platform
import Testing

@testable import checkd

@Suite struct ReloadTests {
    private let turns: SimulatedTurns
    private let bus: SimulatedBus
    private let daemon: CheckDaemon
    private let name = "tcp/10.99.0.1:80/10.99.1.1:80"

    init() {
        let turns = SimulatedTurns()
        let network = SimulatedNetwork(turns, seed: 1)
        self.turns = turns
        bus = SimulatedBus(turns)
        daemon = CheckDaemon(
            CheckWorld(
                turns: turns, events: bus, alarms: bus, verdicts: SimulatedDisk(turns), boot: "boot",
                limit: ProbeLimit(descriptors: 68), logger: Logger(level: .error),
                kind: { network.kind(of: $0) }))
    }

    /// One service with its server, or without any.
    private func configuration(isThere: Bool = true, isAlpha: Bool = true, mark: UInt32 = 0) -> Configuration {
        let address = IPAddress.v4(IPv4Address(rawValue: 0x0A63_0001))
        var service = VirtualServerConfiguration(identity: .address(.tcp, Endpoint(address, port: 80)))
        let endpoint = Endpoint(.v4(IPv4Address(rawValue: 0x0A63_0101)), port: 80)
        var target = CheckTarget(endpoint: endpoint)
        target.firewallMark = mark
        var schedule = CheckSchedule()
        schedule.alpha = isAlpha
        var server = RealServerConfiguration(endpoint: endpoint)
        server.checkers = [CheckerConfiguration(probe: .tcp, schedule: schedule, target: target)]
        service.realServers = isThere ? [server] : []
        var configuration = Configuration()
        configuration.virtualServers = [service]
        return configuration
    }

    private func reload(_ configuration: Configuration) {
        daemon.reload(configuration)
        turns.run(for: .zero)
    }

    @Test(arguments: [true, false])
    func `a server that comes back is a new one`(isAlpha: Bool) throws {
        daemon.start(configuration(isAlpha: isAlpha))
        turns.run(for: .seconds(70))
        #expect(bus.servers[name]?.state == .up)
        #expect(bus.servers[name]?.verified == true)
        reload(configuration(isThere: false))
        #expect(bus.servers[name] == nil)
        reload(configuration(isAlpha: isAlpha))
        #expect(bus.servers[name]?.state == (isAlpha ? .down : .up))
        #expect(bus.servers[name]?.verified == false)
        turns.run(for: .seconds(70))
        #expect(bus.servers[name]?.state == .up)
    }

    @Test func `an alpha server whose question is edited and edited back stays up`() {
        daemon.start(configuration())
        turns.run(for: .seconds(70))
        for mark: UInt32 in [1, 0] {
            reload(configuration(mark: mark))
            #expect(bus.servers[name]?.state == .up)
        }
    }

    @Test func `what a check said before its question was edited is told once, however often that happens`() throws {
        daemon.start(configuration())
        turns.run(for: .seconds(70))
        for mark: UInt32 in 1...50 { reload(configuration(mark: mark)) }
        let reason = try #require(daemon.byName[name]?.records.first?.reason)
        #expect(reason == "not checked yet; before its configuration changed: succeeds")
    }
}
