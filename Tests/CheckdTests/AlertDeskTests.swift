// Alerts of a checkd whose mail server does not work, in virtual time: what a reload and a test change about that.
import Alerts
import Bus
import Configuration
import HealthCheck
import Net
import Platform
import Testing

@testable import checkd

/// Mail servers by their names; those that are broken refuse.
private final class SimulatedCarrier: AlertCarrier {
    var broken: Set<String> = ["old.example.com"]
    var latency = Duration.milliseconds(10)
    private(set) var attempts: [(at: Instant, server: String)] = []
    private let turns: SimulatedTurns

    init(_ turns: SimulatedTurns) { self.turns = turns }

    func send(_ message: AlertMessage, helo: String, done: @escaping (AlertAnswer) -> Void) {
        guard case .mail(let draft, _) = message, let server = draft.sender.global.mail.server else { return }
        attempts.append((turns.now, server))
        turns.arrive(after: latency) { [weak self] in
            let isBroken = self?.broken.contains(server) == true
            done(AlertAnswer(failure: isBroken ? "\(server) refuses" : nil, words: isBroken ? "" : "250 ok"))
        }
    }
}

@Suite struct AlertDeskTests {
    private let turns: SimulatedTurns
    private let bus: SimulatedBus
    private let network: SimulatedNetwork
    private let carrier: SimulatedCarrier
    private let disk: SimulatedDisk
    private let desk: AlertDesk
    private let daemon: CheckDaemon

    init() {
        let turns = SimulatedTurns()
        let network = SimulatedNetwork(turns, seed: 1)
        let logger = Logger(level: .error)
        (self.turns, self.network) = (turns, network)
        bus = SimulatedBus(turns)
        carrier = SimulatedCarrier(turns)
        disk = SimulatedDisk(turns)
        desk = AlertDesk(
            AlertWorld(
                turns: turns, carrier: carrier, memory: disk, boot: "boot", hostName: "lb1",
                logger: logger, subscribe: { _ in SimulatedDisk(turns) }))
        daemon = CheckDaemon(
            CheckWorld(
                turns: turns, events: bus, alarms: bus, verdicts: SimulatedDisk(turns), boot: "boot",
                limit: ProbeLimit(descriptors: 68), logger: logger, kind: { network.kind(of: $0) }))
        daemon.alerts = desk
    }

    private func configuration(
        _ server: String? = "old.example.com", recipient: String = "ops@example.com"
    ) throws -> Configuration {
        let endpoint = Endpoint(.v4(IPv4Address(192, 0, 2, 1)), port: 80)
        var service = VirtualServerConfiguration(identity: .address(.tcp, endpoint))
        var real = RealServerConfiguration(endpoint: endpoint)
        real.checkers = [
            CheckerConfiguration(probe: .tcp, schedule: CheckSchedule(), target: CheckTarget(endpoint: endpoint))
        ]
        service.realServers = [real]
        var configuration = Configuration()
        configuration.virtualServers = [service]
        configuration.global.mail.server = server
        configuration.global.mail.recipients = [try #require(MailAddress(recipient))]
        return configuration
    }

    /// The server is down, and the mail server has refused several times.
    private func fail() throws {
        daemon.start(try configuration())
        turns.run(for: .seconds(70))
        network.manners[80] = .refuses
        turns.run(for: .seconds(1200))
        #expect(bus.alarms[.mail]?.message.contains("old.example.com refuses") == true)
        #expect(waiting > 0)
    }

    private var channel: AlertChannel? { desk.mail.channels["ops@example.com"] }
    private var waiting: Int { desk.mail.waiting(for: "ops@example.com").all }

    @Test func `another mail server is tried at once, and the alarm forgets the old one's words`() throws {
        try fail()
        let start = turns.now
        daemon.reload(try configuration("new.example.com"))
        turns.run(for: .seconds(1))
        #expect(carrier.attempts.last?.server == "new.example.com")
        #expect((carrier.attempts.last?.at).map { $0 - start < .seconds(1) } == true)
        #expect(waiting == 0)
        #expect(bus.alarms[.mail] == nil)
    }

    /// Every recipient makes a second of work for the disk at most, and so do all together.
    @Test func `a storm with a dead mail server is written once a second`() throws {
        var storm = try configuration()
        storm.global.mail.recipients = (1...20).compactMap { MailAddress("ops\($0)@example.com") }
        for index in storm.virtualServers.indices {
            for server in storm.virtualServers[index].realServers.indices {
                for checker in storm.virtualServers[index].realServers[server].checkers.indices {
                    var schedule = CheckSchedule()
                    (schedule.delayLoop, schedule.warmup, schedule.retry) = (.milliseconds(10), .zero, 0)
                    storm.virtualServers[index].realServers[server].checkers[checker].schedule = schedule
                }
            }
        }
        daemon.start(storm)
        let before = disk.writes
        for index in 0..<600 {
            network.manners[80] = index.isMultiple(of: 2) ? .refuses : .good
            turns.run(for: .milliseconds(250))
        }
        #expect(desk.mail.waiting(for: "ops20@example.com").all > 500)
        #expect(disk.writes - before <= 151)
        let memory = try #require(AlertMemory(parsing: disk.content ?? [], boot: "boot"))
        #expect(memory.mail.changes.count == AlertLog.limit && memory.mail.positions.count == 20)
    }

    @Test func `a reload that leaves mail alone tries nothing`() throws {
        try fail()
        let count = carrier.attempts.count
        daemon.reload(try configuration())
        turns.run(for: .seconds(1))
        #expect(carrier.attempts.count == count)
        #expect(bus.alarms[.mail] != nil)
    }

    @Test func `a test that is taken has what waits sent, and there is one test at a time`() throws {
        try fail()
        carrier.broken = []
        var answers: [CheckAPI.AlertDelivery]?
        desk.test { answers = $0 }
        #expect(desk.isTesting)
        turns.run(for: .seconds(1))
        #expect(answers?.map(\.delivered) == [true])
        #expect(!desk.isTesting)
        #expect(waiting == 0)
        #expect(bus.alarms[.mail] == nil)
    }

    @Test func `a test that is refused changes nothing`() throws {
        try fail()
        let deadline = channel?.deadline
        desk.test { _ in }
        turns.run(for: .seconds(1))
        #expect(channel?.deadline == deadline)
        #expect(!desk.isTesting)
    }

    @Test func `what a reload changes about alerts is listed, with what is not told then`() throws {
        try fail()
        #expect(daemon.changes(to: try configuration()).isEmpty)
        #expect(daemon.changes(to: try configuration("new.example.com")) == ["change the settings of mail"])
        let lost = "stop mail to ops@example.com: \(waiting) changes that wait are not told"
        #expect(daemon.changes(to: try configuration(nil)) == [lost])
        #expect(
            daemon.changes(to: try configuration(recipient: "boss@example.com")) == [
                lost, "start mail to boss@example.com",
            ])
        var other = try configuration()
        other.global.webhooks = ["https://hooks.example.com/secret"]
        other.global.routerID = "lb2"
        #expect(
            daemon.changes(to: other) == ["start webhook https://hooks.example.com", "change router_id in alerts"])
    }
}
