// Random disturbances through the driver: refusals of any command, answers that are lost, edits and flushes by others, verdicts, decisions,
// commands given by hand, reloads, restarts with and without files, full and hanging disks. Afterwards the kernel must have what is wanted, and on the way no pool with
// a living server may become empty, no stranger's service may be touched, and no decision that was reported done may be lost.

import Bus
import Configuration
import Glibc
import IPVS
import Net
import Netlink
import Platform
import Testing

@testable import ipvsd

@Suite struct SimulationTests {
    @Test(arguments: 0..<100)
    func `the table follows what is wanted through everything`(_ hundred: Int) throws {
        for seed in UInt64(hundred * 100)..<UInt64(hundred * 100 + 100) {
            let simulation = try Simulation(seed)
            try simulation.run()
            if let failure = simulation.failure {
                Issue.record("seed \(seed): \(failure)")
                return
            }
        }
    }
}

private final class Simulation {
    private static let names = ["tcp/192.0.2.1:80", "tcp/192.0.2.2:80", "fwmark/7/inet"]
    private static let sorry = Endpoint(.v4(IPv4Address(10, 0, 0, 6)), port: 80)

    private var random: SplitMix
    private let rig: KeeperRig
    private let identities: [VirtualServerIdentity]
    /// Services that somebody else made under a name that is not ours.
    private var foreign: Set<VirtualServerIdentity> = []
    /// The last decision about a server, and whether it was reported done.
    private var decided: [ServerIdentity: (override: ServerOverride?, isKept: Bool, number: Int)] = [:]
    private var number = 0
    /// What happens was asked for by hand, and is not in `decided` yet.
    private var isByHand = false
    /// What was made by hand when that was last reported done, as long as nothing else was.
    private var madeKept: [VirtualServerIdentity: HandMade]?
    /// Servers that the configuration left out while they were in the table, and when.
    private var departed: [ServerIdentity: Instant] = [:]
    /// checkd's snapshot has not arrived since the restart.
    private var isUnsynced = false
    private var refusedEndpoints: Set<Endpoint> = []
    private var refusedKind = 0
    private(set) var failure: String?

    init(_ seed: UInt64) throws {
        random = SplitMix(state: seed)
        identities = try Self.names.map { try service($0) }
        rig = KeeperRig()
        rig.kernel.executed = { [unowned self] in check($0, $1) }
        rig.kernel.refuses = { [unowned self] in refuses($0) }
    }

    func run() throws {
        rig.configure(try configuration())
        for _ in 0..<Int.random(in: 10...60, using: &random) where failure == nil {
            try disturb()
            switch Int.random(in: 0...5, using: &random) {
            case 0: break
            case 1: rig.turn()
            case 2: rig.pass(.milliseconds(Int.random(in: 1...15_000, using: &random)))
            default: rig.settle()
            }
        }
        calmDown()
        rig.pass(.seconds(25))
        if failure == nil { checkEnd() }
    }

    // MARK: Disturbances

    private func disturb() throws {
        let identity = identities.randomElement(using: &random) ?? identities[0]
        let target = ServerIdentity(identity, endpoint())
        switch Int.random(in: 0...19, using: &random) {
        case 0...4: rig.say(target, isUp: Bool.random(using: &random))
        case 5: rig.say(target, isUp: Bool.random(using: &random), isVerified: false)
        case 6:
            decide(target)
            rig.kernel.busy = Bool.random(using: &random) ? 1 : 0
            // Connections that have ended do not come back to who has weight 0.
            if rig.kernel.busy == 0 { departed = [:] }
        case 7: byHand(target)
        case 8:
            // Who has had their time is to go as soon as the kernel can be asked, however long a later limit is.
            let time = Duration.seconds(Int64(rig.departure?.limit ?? 0))
            departed = departed.filter { rig.now < $0.value + time }
            let limits: [UInt32?] = [nil, 0, 3, 40]
            let limit = limits.randomElement(using: &random) ?? nil
            rig.departure = limit.map { Departure(limit: $0, since: "\(rig.now.nanoseconds)/\(random.next())") }
            configure(try configuration())
        case 9: edit(identity)
        case 10:
            rig.kernel.table.services = rig.kernel.table.services.filter { _ in Bool.random(using: &random) }
            departed = departed.filter { rig.kernel.table.services[$0.key.service] != nil }
        case 11: makeForeign(identity)
        case 12:
            rig.kernel.errors = (0..<Int.random(in: 1...4, using: &random)).map { _ in
                [.overrun, .timedOut, .dumpInterrupted].randomElement(using: &random) ?? .overrun
            }
        case 13: rig.kernel.outage = rig.kernel.outage == nil ? .noFamily("IPVS") : nil
        case 14...15:
            refusedKind = Int.random(in: 0...6, using: &random)
            refusedEndpoints = Bool.random(using: &random) ? [] : [endpoint(), endpoint()]
        case 16...17: restart()
        case 18: rig.decisions.writeError = rig.decisions.writeError == nil ? Errno(ENOSPC, "write") : nil
        default:
            rig.decisions.hangs.toggle()
            rig.standings.hangs.toggle()
        }
    }

    private func calmDown() {
        rig.kernel.outage = nil
        rig.kernel.errors = []
        rig.decisions.hangs = false
        rig.standings.hangs = false
        rig.decisions.writeError = nil
        if Bool.random(using: &random) { refusedKind = 0 }
        sync()
    }

    private func endpoint() -> Endpoint {
        Endpoint(.v4(IPv4Address(10, 0, 0, .random(in: 1...6, using: &random))), port: 80)
    }

    private func configuration() throws -> [VirtualServerConfiguration] {
        try Self.names.filter { _ in Int.random(in: 0...3, using: &random) > 0 }.map { name in
            let weights = (0..<Int.random(in: 1...5, using: &random)).map { _ in Int.random(in: 0...3, using: &random) }
            return try virtualServer(name, weights: weights) {
                $0.quorum = Int.random(in: 1...4, using: &random)
                $0.hysteresis = Int.random(in: 0..<$0.quorum, using: &random)
                if Bool.random(using: &random) {
                    $0.sorryServer = SorryServerConfiguration(
                        endpoint: Bool.random(using: &random) ? Self.sorry : endpoint(), forwarding: .directRouting,
                        inhibits: Int.random(in: 0...3, using: &random) == 0)
                }
                for index in $0.realServers.indices {
                    $0.realServers[index].inhibitOnFailure = Int.random(in: 0...3, using: &random) == 0
                    $0.realServers[index].alpha = Int.random(in: 0...3, using: &random) == 0
                }
                $0.realServers.removeAll { _ in Int.random(in: 0...4, using: &random) == 0 }
            }
        }
    }

    private func configure(_ servers: [VirtualServerConfiguration]) {
        let made = rig.keeper.reconciler.kept.handMade
        noteDeparted(servers)
        rig.configure(servers)
        madeKept = nil
        // What was decided about servers made by hand ends with them.
        for (service, made) in made {
            let configured = servers.first { $0.identity == service }
            if configured == nil, made.attributes != nil { continue }
            for endpoint in made.servers.keys where configured == nil || made.attributes != nil {
                let isConfigured = configured?.realServers.contains { $0.endpoint == endpoint } ?? false
                guard !isConfigured, decided[ServerIdentity(service, endpoint)] != nil else { continue }
                number += 1
                decided[ServerIdentity(service, endpoint)] = (nil, false, number)
            }
        }
        foreign.subtract(servers.map(\.identity))
    }

    /// What the new configuration leaves out of what ipvsd knows to be in the table.
    private func noteDeparted(_ servers: [VirtualServerConfiguration]) {
        let limit = rig.departure?.limit ?? 0
        departed = departed.filter { server, _ in limit > 0 && !isConfigured(server, servers) }
        guard limit > 0, rig.kernel.busy > 0 else { return }
        for (service, standing) in rig.keeper.reconciler.standings {
            for member in standing.pool?.members ?? [] where member.departure == nil {
                let server = ServerIdentity(service, member.configuration.endpoint)
                guard standing.held.entry?.destinations[server.endpoint] != nil, departed[server] == nil,
                    !isConfigured(server, servers)
                else { continue }
                departed[server] = rig.now
            }
        }
    }

    private func isConfigured(_ server: ServerIdentity, _ servers: [VirtualServerConfiguration]) -> Bool {
        let configured = servers.first { $0.identity == server.service }
        return configured?.sorryServer?.endpoint == server.endpoint
            || configured?.realServers.contains { $0.endpoint == server.endpoint } == true
    }

    private func decide(_ target: ServerIdentity) {
        let override = ServerOverride(
            weight: Bool.random(using: &random) ? .random(in: 0...3, using: &random) : nil,
            mode: ServerOverride.Mode.allCases.randomElement(using: &random) ?? .enabled)
        number += 1
        let number = number
        let decision = override.isEmpty ? nil : Decision(override: override, since: "2026", uid: number)
        decided[target] = (decision?.override, false, number)
        rig.keeper.decide(target, decision, at: rig.now) { [unowned self] outcome in
            if outcome == .kept, decided[target]?.number == number { decided[target]?.isKept = true }
        }
    }

    /// What ipvsadm would be asked for: on its own services, on those of others and on configured ones.
    private func byHand(_ target: ServerIdentity) {
        let (service, endpoint) = (target.service, target.endpoint)
        let attributes = routed(.random(in: 0...3, using: &random))
        let commands: [TableCommand] = (0..<Int.random(in: 1...4, using: &random)).map { _ in
            switch Int.random(in: 0...7, using: &random) {
            case 0...1: .change(.addService(service, ServiceAttributes()))
            case 2...3: .change(.addDestination(service, endpoint, attributes))
            case 4: .change(.editDestination(service, endpoint, attributes))
            case 5: .change(.deleteDestination(service, endpoint))
            case 6: .change(.deleteService(service))
            default: Int.random(in: 0...9, using: &random) == 0 ? .flush : .zero(service)
            }
        }
        let strangers = foreign
        foreign = []
        number += 1
        let number = number
        madeKept = nil
        isByHand = true
        rig.byHand(commands) { [unowned self] report, outcome in
            // One that changed nothing that is kept says nothing about the disk.
            guard outcome == .kept, self.number == number, report.isToBeKept else { return }
            madeKept = rig.keeper.reconciler.kept.handMade
        }
        isByHand = false
        // Those that were deleted by hand are nobody's.
        foreign = strangers.filter {
            rig.kernel.table.services[$0] != nil && rig.keeper.reconciler.standings[$0]?.pool == nil
        }
        let decisions = rig.keeper.reconciler.decisions
        for server in Set(decided.keys).union(decisions.keys)
        where decided[server]?.override != decisions[server]?.override {
            decided[server] = (decisions[server]?.override, false, number)
        }
    }

    private func edit(_ identity: VirtualServerIdentity) {
        guard !foreign.contains(identity) else { return }
        // What somebody else deletes and makes anew is nobody's who left.
        defer { departed = departed.filter { $0.key.service != identity } }
        switch Int.random(in: 0...3, using: &random) {
        case 0: rig.kernel.table.services[identity]?.attributes.scheduler = "sh"
        case 1: rig.kernel.table.services[identity]?.destinations[endpoint()] = nil
        default:
            rig.kernel.table.services[identity]?.destinations[endpoint()] = routed(.random(in: 0...9, using: &random))
        }
    }

    /// A drain may be over meanwhile.
    private static func isSame(_ override: ServerOverride?, _ decided: ServerOverride?) -> Bool {
        var override = override
        if override?.mode == .left, decided?.mode == .drained { override?.mode = .drained }
        return override == decided
    }

    private func makeForeign(_ identity: VirtualServerIdentity) {
        guard !rig.servers.contains(where: { $0.identity == identity }), rig.kernel.table.services[identity] == nil,
            rig.keeper.reconciler.standings[identity]?.isOwned != true,
            rig.keeper.reconciler.standings[identity]?.pool == nil
        else { return }
        foreign.insert(identity)
        rig.kernel.table.services[identity] = ServiceEntry(
            attributes: ServiceAttributes(scheduler: "rr"), destinations: [endpoint(): routed(5)])
    }

    private func restart() {
        let lost: ScriptedFile? =
            switch Int.random(in: 0...3, using: &random) {
            case 0: ScriptedFile("standings.state")
            case 1: ScriptedFile("standings.state", Array("evenkeel-standings 1\nboot b1\nservice tcp/19".utf8))
            default: nil
            }
        rig.restart(standings: lost)
        isUnsynced = true
        // Ownership that the file remembers longer than it lasted cannot be told from ours.
        foreign = foreign.filter {
            let standing = rig.keeper.reconciler.standings[$0]
            return standing?.isOwned != true && standing?.pool == nil
        }
        if let madeKept, rig.keeper.decisions.initial.handMade != madeKept {
            fail("made by hand and lost: \(madeKept), kept \(rig.keeper.decisions.initial.handMade)")
        }
        madeKept = nil
        for (server, decision) in decided where decision.isKept {
            let kept = rig.keeper.reconciler.decisions[server]?.override
            if !Self.isSame(kept, decision.override) {
                fail("the decision about \(server) was lost: \(String(describing: kept))")
            }
        }
        for (server, decision) in decided where !decision.isKept {
            let kept = rig.keeper.reconciler.decisions[server]?.override
            decided[server] = (kept, decision.isKept, decision.number)
        }
        if Int.random(in: 0...2, using: &random) > 0 { sync() }
    }

    private func sync() {
        for server in rig.said.keys { rig.sayAgain(server) }
        isUnsynced = false
    }

    // MARK: What must hold

    private func fail(_ text: String) {
        if failure == nil { failure = text }
    }

    private func refuses(_ command: Command) -> Bool {
        switch (refusedKind, command) {
        case (1, .addDestination(_, let endpoint, _)), (1, .editDestination(_, let endpoint, _)):
            refusedEndpoints.contains(endpoint)
        case (2, .addDestination): true
        case (3, .addService), (3, .editService): true
        case (4, .deleteDestination), (4, .deleteService): true
        case (5, .editDestination): true
        case (6, .addDestination(_, Self.sorry, _)): true
        default: false
        }
    }

    private func serves(_ entry: ServiceEntry?) -> Bool {
        entry?.destinations.values.contains { $0.weight > 0 } ?? false
    }

    private func check(_ command: Command, _ before: KernelTable) {
        let service = command.service
        if foreign.contains(service) { return fail("\(command): a stranger's service") }
        checkDeparted(command, before)
        guard !isUnsynced, !isByHand, serves(before.services[service]), !serves(rig.kernel.table.services[service]),
            let configured = rig.servers.first(where: { $0.identity == service })
        else { return }
        for server in configured.realServers {
            let identity = ServerIdentity(service, server.endpoint)
            let override = decided[identity]?.override ?? ServerOverride()
            guard let held = before.services[service]?.destinations[server.endpoint], held.weight > 0,
                rig.said[identity]?.state == .up, rig.said[identity]?.isVerified == true, override.mode == .enabled,
                override.weight ?? Int32(server.weight) > 0
            else { continue }
            fail("\(command) empties \(service) although \(server.endpoint) lives: \(before)")
        }
    }

    /// Nobody who left the configuration with connections loses them before its time.
    private func checkDeparted(_ command: Command, _ before: KernelTable) {
        let gone: (ServerIdentity) -> Bool
        switch command {
        case .deleteDestination(let service, let endpoint): gone = { $0 == ServerIdentity(service, endpoint) }
        case .deleteService(let service): gone = { $0.service == service }
        case .addService, .editService, .addDestination, .editDestination: return
        }
        for (server, since) in departed where gone(server) {
            departed[server] = nil
            // Somebody else may have been faster.
            guard before.services[server.service]?.destinations[server.endpoint] != nil else { continue }
            let end = since + .seconds(Int64(rig.departure?.limit ?? 0))
            let mode = decided[server]?.override?.mode ?? .enabled
            if !isByHand, rig.kernel.busy > 0, rig.now < end, mode == .enabled || mode == .drained {
                fail("\(command) cuts \(server) off before its time")
            }
        }
    }

    private func checkEnd() {
        let keeper = rig.keeper
        if let problem = keeper.kernelHealth.problem { fail(problem.message) }
        if !keeper.reconciler.pending.isEmpty || !keeper.reconciler.unread.isEmpty { fail("something is left to do") }
        for (service, standing) in keeper.reconciler.standings {
            guard standing.refusals.isEmpty else {
                if refusedKind == 0 { fail("\(service): refusals are not forgotten") }
                continue
            }
            if standing.pool == nil {
                if standing.isOwned { fail("\(service) is still ours") }
                continue
            }
            checkSide(standing)
            let expected = wanted(standing).map { withKept($0, standing) }
            if rig.kernel.table.services[service] != expected {
                fail(
                    "\(service) is \(String(describing: rig.kernel.table.services[service])), "
                        + "wanted \(String(describing: expected))")
            }
        }
        for (server, note) in rig.said where note.isVerified {
            guard let member = keeper.reconciler.standings[server.service]?.pool?.member(server.endpoint),
                !member.configuration.checkers.isEmpty
            else {
                continue
            }
            if member.health != (note.state == .up ? .up : .down) {
                fail("\(server) is \(member.health), said \(note)")
            }
        }
        for (server, decision) in decided
        where !Self.isSame(keeper.reconciler.decisions[server]?.override, decision.override) {
            fail("the decision about \(server) is not in force")
        }
        let kept = DecisionText(parsing: String(decoding: rig.decisions.content ?? [], as: UTF8.self))
        if kept.decisions != keeper.reconciler.decisions { fail("decisions on the disk: \(kept)") }
        if kept.handMade != keeper.reconciler.kept.handMade { fail("made by hand, on the disk: \(kept.handMade)") }
        let memory = Memory(parsing: String(decoding: rig.standings.content ?? [], as: UTF8.self), boot: "b1")
        let text = Memory.text(of: keeper.reconciler.standings, boot: "b1")
        if memory != Memory(parsing: text, boot: "b1") { fail("standings on the disk: \(memory)") }
    }

    /// The side of the band agrees with the weights.
    private func checkSide(_ standing: Standing) {
        guard let pool = standing.pool else { return }
        let weight = pool.members.reduce(0) { $0 + (isAlive($1) ? Int($1.servingWeight) : 0) }
        let (quorum, hysteresis) = (pool.configuration.quorum, pool.configuration.hysteresis)
        if weight >= quorum + hysteresis, !pool.hasQuorum { fail("\(standing.identity): \(weight) and no quorum") }
        if weight < max(quorum - hysteresis, 1), pool.hasQuorum { fail("\(standing.identity): \(weight) and a quorum") }
    }

    private func isAlive(_ member: Member) -> Bool {
        guard member.override.mode == .enabled, member.departure == nil else { return false }
        return switch member.health {
        case .up, .unknown(.some(.serving)): true
        case .unknown(nil): !member.configuration.alpha
        case .down, .unknown(.some(.absent)), .unknown(.some(.quiesced)): false
        }
    }

    /// What is wanted, with who serves until a server that waits for a verdict does.
    private func withKept(_ wanted: ServiceEntry, _ standing: Standing) -> ServiceEntry {
        let waits = standing.pool?.members.contains {
            $0.override.mode == .enabled && $0.servingWeight > 0 && $0.health != .up && $0.health != .down
                && $0.departure == nil
        }
        guard !serves(wanted), waits == true else { return wanted }
        var entry = wanted
        for (endpoint, attributes) in rig.kernel.table.services[standing.identity]?.destinations ?? [:]
        where attributes.weight > 0 {
            let override = decided[ServerIdentity(standing.identity, endpoint)]?.override ?? ServerOverride()
            guard override.mode == .enabled, override.weight != 0,
                standing.pool?.member(endpoint)?.health != .down
            else { continue }
            entry.destinations[endpoint] = attributes
        }
        return entry
    }

    /// What the table should have, said once more in other words.
    private func wanted(_ standing: Standing) -> ServiceEntry? {
        guard let pool = standing.pool else { return nil }
        let sorryServes = !pool.hasQuorum && pool.configuration.sorryServer != nil
        // Of one that another process left behind nothing is known but the table.
        var entry = ServiceEntry(
            attributes: standing.isDeparting ? ServiceAttributes(pool.configuration) : ServiceAttributes())
        for member in pool.members {
            let weight: Int32?
            if member.override.mode == .disabled || member.override.mode == .left {
                weight = nil
            } else if member.override.mode == .drained || member.departure != nil {
                weight = 0
            } else if isAlive(member), !sorryServes || member.servingWeight == 0 {
                weight = member.servingWeight
            } else {
                let stays = member.configuration.inhibitOnFailure || member.health == .unknown(adopted: .quiesced)
                weight = stays ? 0 : nil
            }
            entry.destinations[member.configuration.endpoint] = weight.map(routed)
        }
        if let sorry = pool.configuration.sorryServer {
            if sorryServes {
                entry.destinations[sorry.endpoint] = routed(1)
            } else if sorry.inhibits, entry.destinations[sorry.endpoint] == nil {
                entry.destinations[sorry.endpoint] = routed(0)
            }
        }
        return entry
    }
}
