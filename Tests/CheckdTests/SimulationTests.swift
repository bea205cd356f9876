// checkd's driver in a simulated world: servers that come, go, hang and talk nonsense, a host that cannot ask or stands still, reloads,
// restarts, a state file that is lost, disks that are full or hang. What must hold:
// In half of the runs a second service has the same servers, so that most probes are shared; its address comes and goes (ha_suspend).
//
// - when the disturbances are over, every verdict is the server's real state, within the time that its schedule needs;
// - no trouble of this host ever moves a verdict: a server that was good all the time never goes down, one that was never good never
//   comes up;
// - a verdict is published in the turn in which it was found, whatever the disk does; the disk holds it as soon as it can;
// - alarms stand exactly while there is something to mend.
import Bus
import Configuration
import HealthCheck
import Net
import Platform
import Testing

@testable import checkd

/// One run.
private final class Simulation {
    /// A server of the configuration: what is asked may be edited, who it is may not.
    struct Server {
        let port: UInt16
        var edits: UInt16 = 0
        var steps = 1
        var schedule: CheckSchedule
    }

    let seed: UInt64
    var generator: SeededGenerator
    let turns = SimulatedTurns()
    let network: SimulatedNetwork
    let disk: SimulatedDisk
    var bus: SimulatedBus
    var daemon: CheckDaemon?
    var servers: [Server] = []
    private let hasTwin: Bool
    private var isTwinHere = true
    var alwaysGood: Set<UInt16> = []
    var neverGood: Set<UInt16> = []
    private var lateTurns = 0
    private(set) var faults: [String] = []

    init(seed: UInt64) {
        self.seed = seed
        hasTwin = seed % 2 == 1
        generator = SeededGenerator(seed: seed)
        network = SimulatedNetwork(turns, seed: seed &+ 77)
        disk = SimulatedDisk(turns)
        bus = SimulatedBus(turns)
        for number in 1...UInt16.random(in: 1...4, using: &generator) { add(number) }
        start()
        turns.ended = { [weak self] in self?.checkPublished() }
    }

    private func roll(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }

    private func add(_ port: UInt16) {
        servers.append(Server(port: port, schedule: schedule()))
        network.manners[port] = Manner.allCases.randomElement(using: &generator)
        switch roll(1...4) {
        case 1:
            network.manners[port] = .good
            alwaysGood.insert(port)
        case 2:
            if network.manners[port] == .good { network.manners[port] = .refuses }
            neverGood.insert(port)
        default: break
        }
    }

    private func schedule() -> CheckSchedule {
        var schedule = CheckSchedule()
        schedule.delayLoop = .milliseconds(roll(500...2000))
        schedule.retry = roll(0...2)
        schedule.delayBeforeRetry = .milliseconds(roll(100...1000))
        schedule.warmup = .milliseconds(roll(0...1000))
        schedule.connectTimeout = .milliseconds(roll(200...800))
        schedule.rise = roll(1...2)
        schedule.alpha = roll(0...3) == 0
        return schedule
    }

    private var configuration: Configuration {
        var service = VirtualServerConfiguration(
            identity: .address(.tcp, Endpoint(.v4(IPv4Address(rawValue: 0x0A63_0001)), port: 80)))
        service.realServers = servers.map { server in
            let endpoint = Endpoint(.v4(IPv4Address(rawValue: 0x0A63_0101)), port: server.port)
            var target = CheckTarget(endpoint: endpoint)
            target.firewallMark = UInt32(server.edits)
            var probe = Probe.tcp
            if server.steps > 1 {
                probe = .http(HTTPProbe(urls: (0..<server.steps).map { HTTPRequest(path: "/\($0)", host: "www") }))
            }
            var real = RealServerConfiguration(endpoint: endpoint)
            real.checkers = [CheckerConfiguration(probe: probe, schedule: server.schedule, target: target)]
            return real
        }
        var configuration = Configuration()
        configuration.virtualServers = [service]
        if hasTwin {
            service.identity = .address(.tcp, Endpoint(Self.twin, port: 80))
            service.suspendsWithoutAddress = true
            configuration.virtualServers.append(service)
        }
        return configuration
    }

    private static let twin = IPAddress.v4(IPv4Address(rawValue: 0x0A63_0002))

    private func names(_ port: UInt16) -> [String] {
        (hasTwin ? [1, 2] : [1]).map { "tcp/10.99.0.\($0):80/10.99.1.1:\(port)" }
    }

    private func start() {
        let bus = self.bus
        let daemon = CheckDaemon(
            CheckWorld(
                turns: turns, events: bus, alarms: bus, verdicts: disk, boot: "boot",
                limit: ProbeLimit(descriptors: 68), logger: Logger(level: .error),
                kind: { [network] in network.kind(of: $0) },
                isHere: { [weak self] in $0 != Self.twin || self?.isTwinHere != false }))
        daemon.generator = SeededGenerator(seed: seed)
        bus.published = { [weak self] in self?.judge($0, $1, $2) }
        self.daemon = daemon
        daemon.start(configuration)
    }

    // MARK: Disturbances

    func disturb() {
        switch roll(1...15) {
        case 1...4:
            guard let server = servers.randomElement(using: &generator) else { return }
            change(server.port)
        case 5: network.trouble = .system("too many open files")
        case 6: network.trouble = nil
        case 7: turns.stopProcess(for: .milliseconds(roll(100...4000)))
        // Longer than twice any time limit: a shorter one between two turns cannot be seen from within the machine.
        case 8: turns.stopMachine(for: .milliseconds(roll(1700...4000)))
        case 9: disk.condition = SimulatedDisk.Condition.allCases.randomElement(using: &generator) ?? .good
        case 10...11: edit()
        case 12: restart(losingFile: false)
        case 13: restart(losingFile: true)
        case 14: moveTwin(isHere: !isTwinHere)
        default: break
        }
        turns.run(for: .milliseconds(roll(0...3000)))
    }

    private func moveTwin(isHere: Bool) {
        isTwinHere = isHere
        daemon?.addressesChanged()
    }

    private func change(_ port: UInt16) {
        guard !alwaysGood.contains(port), let manner = Manner.allCases.randomElement(using: &generator) else { return }
        if neverGood.contains(port), manner == .good { return }
        network.manners[port] = manner
    }

    private func edit() {
        if roll(0...3) == 0, servers.count > 1 {
            servers.remove(at: roll(0...servers.count - 1))
        } else if roll(0...3) == 0, let free = (1...8).first(where: { port in !servers.contains { $0.port == port } }) {
            alwaysGood.remove(UInt16(free))
            neverGood.remove(UInt16(free))
            add(UInt16(free))
        } else {
            let index = roll(0...servers.count - 1)
            if roll(0...1) == 0 { servers[index].edits += 1 }
            if roll(0...3) == 0 { servers[index].steps = roll(1...3) }
            servers[index].schedule = schedule()
        }
        daemon?.reload(configuration)
    }

    private func restart(losingFile: Bool) {
        daemon = nil
        disk.processEnded()
        if losingFile {
            let half = disk.content.map { Array($0.dropLast(9)) }
            disk.content = [nil, [], [0x7B], half].randomElement(using: &generator) ?? nil
        }
        bus = SimulatedBus(turns)
        start()
    }

    // MARK: What must hold

    private func judge(_ name: String, _ before: CheckAPI.ServerHealth?, _ after: CheckAPI.ServerHealth?) {
        guard let after, let port = UInt16(name.split(separator: ":").last ?? "") else { return }
        if alwaysGood.contains(port), after.state == .down, after.verified {
            faults.append("\(turns.now): \(name), which was good all the time, is down: \(after.reason)")
        }
        if neverGood.contains(port), after.state == .up, after.verified {
            faults.append("\(turns.now): \(name), which was never good, is up: \(after.reason)")
        }
    }

    /// As long as the slowest schedule can take from any state to the right one.
    private var settling: Duration {
        let longest = servers.map { server in
            let schedule = server.schedule
            let probe = schedule.connectTimeout * 11 + .milliseconds(200)
            let rounds = (schedule.rise + 1) * server.steps + schedule.fall + 3
            return schedule.warmup + (max(schedule.delayLoop, schedule.delayBeforeRetry) + probe) * rounds
        }
        return longest.max() ?? .zero
    }

    /// Publishing waits for nothing: what a turn found is said at its end, or, for what its end found, at the next one's.
    private func checkPublished() {
        let watched = daemon.map { Array($0.byName.values) } ?? []
        let isLate = watched.contains { $0.machine.verdict.rawValue != bus.servers[$0.name]?.state.rawValue }
        lateTurns = isLate ? lateTurns + 1 : 0
        if lateTurns == 2 { faults.append("\(turns.now): a verdict was not published for two turns") }
    }

    /// Ends all disturbances: everything must become right within the time of the schedules, and stay so.
    func settle() {
        network.trouble = nil
        disk.condition = .good
        moveTwin(isHere: true)
        let end = turns.now + settling
        // Probes that were begun before the last disturbance end; the longest drips for ten times 0.8 s.
        turns.run(for: .seconds(9))
        while !complaints.isEmpty, turns.now < end { turns.run(for: .milliseconds(500)) }
        turns.run(for: .seconds(4))
        faults += complaints
    }

    /// What is not as it should be without disturbances.
    private var complaints: [String] {
        var complaints: [String] = []
        for server in servers {
            let expected: CheckAPI.Health = network.manners[server.port]?.isGood == true ? .up : .down
            for name in names(server.port) {
                let health = bus.servers[name]
                if health?.state != expected || health?.verified != true {
                    complaints.append("\(name) is \(health.map { "\($0)" } ?? "unknown") and not \(expected)")
                }
            }
        }
        let names = Set(servers.flatMap { self.names($0.port) })
        if Set(bus.servers.keys) != names { complaints.append("published: \(bus.servers.keys)") }
        // Four descriptors are free for probes.
        let expected: Set<CheckAlarm> = servers.count > 4 ? [.descriptors] : []
        if Set(bus.alarms.keys) != expected { complaints.append("alarms: \(bus.alarms)") }
        if !bus.isComplete { complaints.append("the state was never complete") }
        if turns.now - (bus.beats.last ?? .zero) > .seconds(CheckHeartbeat.interval) {
            complaints.append("no sign of life")
        }
        return complaints + diskComplaints(names)
    }

    private func diskComplaints(_ names: Set<String>) -> [String] {
        guard let saved = try? SavedVerdicts(parsing: disk.content ?? [], boot: "boot") else {
            return ["nothing usable is on the disk"]
        }
        guard Set(saved.servers.keys) == names else { return ["on the disk: \(saved.servers.keys)"] }
        return saved.servers.compactMap { name, entry in
            entry.server.state.rawValue == bus.servers[name]?.state.rawValue
                ? nil : "the disk says \(entry.server.state) of \(name)"
        }
    }

    /// While the host cannot ask, the alarm stands; while the disk is full and something is to be written, so does that one.
    func checkAlarms() {
        network.trouble = .system("too many open files")
        disk.condition = .full
        servers[0].edits += 1
        daemon?.reload(configuration)
        let end = turns.now + settling
        while bus.alarms[.probing] == nil || bus.alarms[.state] == nil, turns.now < end {
            turns.run(for: .milliseconds(500))
        }
        if bus.alarms[.probing] == nil { faults.append("no alarm although nothing can be asked") }
        if bus.alarms[.state] == nil { faults.append("no alarm although nothing can be saved") }
    }
}

@Suite struct SimulationTests {
    private static let perBatch = 500

    @Test(arguments: 0..<20)
    func `after any disturbances every verdict is true, and no trouble of this host ever moved one`(batch: Int) {
        for seed in batch * Self.perBatch..<(batch + 1) * Self.perBatch {
            let simulation = Simulation(seed: UInt64(seed))
            for _ in 0..<12 { simulation.disturb() }
            if seed % 8 == 0 { simulation.checkAlarms() }
            simulation.settle()
            guard simulation.faults.isEmpty else {
                Issue.record("seed \(seed): \(simulation.faults.prefix(5).joined(separator: "\n"))")
                return
            }
        }
    }
}
