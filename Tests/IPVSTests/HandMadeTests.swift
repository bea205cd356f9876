// What is asked for by hand: the kernel's answers, what is kept of it, what becomes of it in reloads and restarts, and what the configuration
// does not let it do.

import Bus
import Configuration
import Glibc
import IPVS
import Net
import Netlink
import Platform
import Testing

@testable import ipvsd

@Suite struct HandMadeTests {
    func web() throws -> VirtualServerIdentity { try service("tcp/192.0.2.1:80") }
    func added(_ number: UInt8, _ weight: Int32 = 1) throws -> TableCommand {
        .change(.addDestination(try web(), try server(number).endpoint, routed(weight)))
    }
    func newService() throws -> TableCommand { .change(.addService(try web(), ServiceAttributes())) }

    func run(_ rig: KeeperRig, _ commands: [TableCommand]) throws -> HandReport {
        var report: HandReport?
        rig.byHand(commands) { answer, outcome in
            #expect(outcome == .kept)
            report = answer
        }
        rig.settle()
        return try #require(report)
    }

    @Test func `a service made by hand is repaired, survives a restart and a reboot, and ends when it is deleted`()
        throws
    {
        let rig = KeeperRig()
        let report = try run(rig, [try newService(), try added(1, 3), try added(2)])
        #expect(report.done == 3 && report.failure == nil)
        rig.kernel.table.services[try web()]?.destinations[try server(1).endpoint] = nil
        rig.pass(.seconds(11))
        #expect(try weights(rig.kernel.table, 1...2) == [3, 1])
        rig.restart()
        rig.pass(.seconds(1))
        #expect(try weights(rig.kernel.table, 1...2) == [3, 1])
        rig.kernel.table = KernelTable()
        rig.restart(standings: ScriptedFile("standings.state"))
        rig.pass(.seconds(1))
        #expect(try weights(rig.kernel.table, 1...2) == [3, 1])
        #expect(try run(rig, [.change(.deleteService(try web()))]).failure == nil)
        #expect(rig.kernel.table.services.isEmpty)
        rig.restart()
        rig.pass(.seconds(11))
        #expect(rig.kernel.table.services.isEmpty)
        #expect(rig.keeper.reconciler.standings.isEmpty)
    }

    @Test func `a reload that does not know it leaves it, one that brings it takes it over`() throws {
        let rig = KeeperRig()
        _ = try run(rig, [try newService(), try added(1), try added(9)])
        rig.configure([try virtualServer("tcp/192.0.2.7:80", weights: [1])])
        rig.settle()
        #expect(try weights(rig.kernel.table, 1...1) == [1])
        rig.configure([try virtualServer(weights: [4, 5])])
        rig.settle()
        #expect(try weights(rig.kernel.table, 1...2) == [4, 5])
        #expect(try weights(rig.kernel.table, 9...9) == [nil])
        rig.configure([])
        rig.settle()
        #expect(rig.kernel.table.services.isEmpty)
    }

    @Test func `the errno is the kernel's, and what follows a refusal is not done`() throws {
        let rig = KeeperRig()
        let other = try service("tcp/192.0.2.2:80")
        rig.kernel.refuses = {
            if case .addService(_, let attributes) = $0 { attributes.scheduler == "none" } else { false }
        }
        let report = try run(
            rig,
            [
                try newService(), try added(1), .change(.addService(other, ServiceAttributes(scheduler: "none"))),
                .change(.addDestination(other, try server(1).endpoint, routed(1))), try added(2),
            ])
        #expect(report.done == 2)
        #expect(report.failure?.code == ERANGE)
        #expect(report.failure?.isOurs == false)
        #expect(try weights(rig.kernel.table, 1...2) == [1, nil])
        #expect(rig.kernel.table.services[other] == nil)
        rig.pass(.seconds(11))
        #expect(try weights(rig.kernel.table, 1...2) == [1, nil])
        #expect(try run(rig, [try newService()]).failure?.code == EEXIST)
        #expect(try run(rig, [try added(3), try added(1)]).failure?.code == EEXIST)
        #expect(try run(rig, [.change(.deleteService(other))]).failure?.code == ESRCH)
        #expect(
            try run(rig, [.change(.editDestination(try web(), try server(9).endpoint, routed(1)))]).failure?.code
                == ENOENT)
    }

    @Test func `what the configuration says stays, and a weight becomes a decision`() throws {
        let rig = KeeperRig([try virtualServer(weights: [2, 3]) { $0.realServers[0].upperThreshold = 7 }])
        rig.settle()
        let before = rig.kernel.table
        let (one, two) = (try server(1).endpoint, try server(2).endpoint)
        #expect(try run(rig, [try newService()]).failure?.code == EEXIST)
        #expect(try run(rig, [try added(1)]).failure?.code == EEXIST)
        for command in [
            Command.deleteService(try web()), .editService(try web(), ServiceAttributes(scheduler: "rr")),
            .deleteDestination(try web(), one),
            .editDestination(try web(), one, DestinationAttributes(forwarding: .method(.masquerade))),
        ] {
            let failure = try #require(try run(rig, [.change(command)]).failure)
            #expect(failure.code == EPERM && failure.isOurs)
            #expect(failure.problem.contains("configured in evenkeel.conf"))
        }
        #expect(rig.kernel.table == before)
        #expect(try run(rig, [.change(.editService(try web(), ServiceAttributes()))]).failure == nil)
        #expect(try run(rig, [.change(.editDestination(try web(), one, routed(9)))]).failure == nil)
        #expect(try weights(rig.kernel.table, 1...2) == [9, 3])
        #expect(rig.kernel.table.services[try web()]?.destinations[one]?.upperThreshold == 7)
        #expect(rig.keeper.reconciler.decisions[try server(1)]?.override == ServerOverride(weight: 9))
        rig.restart()
        rig.settle()
        #expect(try weights(rig.kernel.table, 1...2) == [9, 3])
        #expect(try run(rig, [.change(.editDestination(try web(), one, routed(2)))]).failure == nil)
        #expect(rig.keeper.reconciler.decisions.isEmpty)
        rig.keeper.decide(
            try server(2), Decision(override: ServerOverride(mode: .drained), since: "", uid: 0), at: rig.now
        ) { _ in }
        #expect(try run(rig, [.change(.editDestination(try web(), two, routed(5)))]).failure == nil)
        #expect(try weights(rig.kernel.table, 1...2) == [2, 5])
    }

    @Test func `servers can be added to a configured service, and go with it`() throws {
        let rig = KeeperRig([try virtualServer(weights: [1])])
        rig.settle()
        #expect(try run(rig, [try added(7, 4)]).failure == nil)
        rig.restart()
        rig.pass(.seconds(11))
        #expect(try weights(rig.kernel.table, 7...7) == [4])
        rig.configure([try virtualServer(weights: [1, 1])])
        rig.settle()
        #expect(try weights(rig.kernel.table, 7...7) == [4])
        rig.configure([])
        rig.settle()
        #expect(rig.kernel.table.services.isEmpty)
        rig.configure([try virtualServer(weights: [1])])
        rig.settle()
        #expect(try weights(rig.kernel.table, 7...7) == [nil])
        #expect(try run(rig, [try added(7), .change(.deleteDestination(try web(), try server(7).endpoint))]).done == 2)
        rig.pass(.seconds(11))
        #expect(try weights(rig.kernel.table, 7...7) == [nil])
        #expect(rig.keeper.reconciler.kept.handMade.isEmpty)
    }

    @Test func `services of others are changed when asked, and stay others'`() throws {
        let rig = KeeperRig()
        rig.settle()
        rig.kernel.table.services[try web()] = ServiceEntry(attributes: ServiceAttributes(scheduler: "rr"))
        #expect(try run(rig, [try newService()]).failure?.code == EEXIST)
        #expect(try run(rig, [try added(1)]).failure == nil)
        #expect(rig.keeper.reconciler.standings.isEmpty)
        rig.kernel.table.services[try web()]?.destinations = [:]
        rig.pass(.seconds(11))
        #expect(try weights(rig.kernel.table, 1...1) == [nil])
        #expect(try run(rig, [.change(.deleteService(try web()))]).failure == nil)
        #expect(rig.kernel.table.services.isEmpty)
    }

    @Test func `a flush leaves the services of the configuration`() throws {
        let configured = try virtualServer("tcp/192.0.2.7:80", weights: [1])
        let rig = KeeperRig([configured])
        rig.settle()
        let foreign = try service("tcp/192.0.2.9:80")
        rig.kernel.table.services[foreign] = ServiceEntry(attributes: ServiceAttributes())
        _ = try run(
            rig,
            [
                try newService(), try added(1),
                .change(.addDestination(configured.identity, try endpoint("10.0.0.9:80"), routed(1))),
            ])
        let report = try run(rig, [.flush, try newService()])
        #expect(report.failure == nil && report.left == 1)
        #expect(Set(rig.kernel.table.services.keys) == [configured.identity, try web()])
        #expect(rig.kernel.table.services[configured.identity]?.destinations.count == 1)
        #expect(rig.kernel.table.services[try web()]?.destinations.isEmpty == true)
        rig.configure([])
        rig.settle()
        #expect(try run(rig, [.flush]).left == 0)
        #expect(rig.kernel.table.services.isEmpty && rig.keeper.reconciler.standings.isEmpty)
    }

    @Test func `a daemon that stops without an answer has stopped`() throws {
        let kernel = MuteSyncKernel()
        let keeper = SyncKeeper(kernel)
        #expect(keeper.byHand(.stop(.master), file: "f") == nil)
        #expect(keeper.byHand(.stop(.backup), file: "f")?.code == EIO)
    }

    @Test func `a disk that does not take it says so`() throws {
        let rig = KeeperRig()
        rig.decisions.writeError = Errno(ENOSPC, "write")
        var outcomes: [DecisionOutcome] = []
        rig.byHand([try newService()]) { outcomes.append($1) }
        rig.settle()
        #expect(outcomes.count == 1)
        #expect(outcomes.first != .kept)
    }

    @Test(arguments: [
        ServerOverride(mode: .drained), ServerOverride(mode: .disabled), ServerOverride(mode: .left),
        ServerOverride(weight: 7), ServerOverride(weight: 7, mode: .disabled),
    ]) func `an addition ends what was decided about an earlier server of that name`(_ override: ServerOverride) throws
    {
        let rig = KeeperRig([try virtualServer(weights: [1, 1])])
        rig.keeper.decide(try server(2), Decision(override: override, since: "", uid: 0), at: rig.now) { _ in }
        rig.configure([try virtualServer(weights: [1])])
        rig.settle()
        #expect(rig.keeper.reconciler.decisions.count == 1)
        #expect(try run(rig, [try added(2, 3)]).failure == nil)
        rig.pass(.seconds(11))
        #expect(try weights(rig.kernel.table, 1...2) == [1, 3])
        #expect(rig.keeper.reconciler.decisions.isEmpty && rig.keeper.reconciler.draining.isEmpty)
        rig.restart()
        rig.pass(.seconds(11))
        #expect(try weights(rig.kernel.table, 1...2) == [1, 3])
        #expect(rig.keeper.reconciler.decisions.isEmpty)
    }

    @Test func `a decision ends with the server or service made by hand, whatever ends that`() throws {
        let drained = Decision(override: ServerOverride(mode: .drained), since: "", uid: 0)
        for end in 0..<3 {
            let rig = KeeperRig(end == 0 ? [try virtualServer(weights: [1])] : [])
            _ = try run(rig, end == 0 ? [try added(5)] : [try newService(), try added(1), try added(5)])
            rig.keeper.decide(try server(5), drained, at: rig.now) { _ in }
            rig.settle()
            switch end {
            case 0: rig.configure([])
            case 1: rig.configure([try virtualServer(weights: [1])])
            default:
                // Somebody else deletes it, and it is made anew.
                rig.kernel.table = KernelTable()
                #expect(try run(rig, [try newService()]).failure == nil)
            }
            rig.settle()
            #expect(rig.keeper.reconciler.decisions.isEmpty && rig.keeper.reconciler.draining.isEmpty, "\(end)")
            rig.restart()
            #expect(rig.keeper.reconciler.decisions.isEmpty, "\(end)")
        }
        // What the configuration takes over goes on as it was.
        let rig = KeeperRig()
        _ = try run(rig, [try newService(), try added(1), try added(2)])
        rig.keeper.decide(try server(2), drained, at: rig.now) { _ in }
        rig.configure([try virtualServer(weights: [1, 1])])
        rig.settle()
        #expect(try weights(rig.kernel.table, 1...2) == [1, 0])
    }

    @Test func `an edit of a server that is out is noted for when it is back`() throws {
        let rig = KeeperRig([try virtualServer(weights: [1])])
        _ = try run(rig, [try added(5)])
        let disabled = Decision(override: ServerOverride(weight: 9, mode: .disabled), since: "", uid: 0)
        rig.keeper.decide(try server(5), disabled, at: rig.now) { _ in }
        rig.settle()
        #expect(try weights(rig.kernel.table, 5...5) == [nil])
        let edit = TableCommand.change(.editDestination(try web(), try server(5).endpoint, routed(4)))
        let report = try run(rig, [edit])
        #expect(report.done == 1 && report.failure == nil)
        rig.pass(.seconds(11))
        #expect(try weights(rig.kernel.table, 5...5) == [nil])
        rig.restart()
        rig.keeper.decide(try server(5), nil, at: rig.now) { _ in }
        rig.pass(.seconds(11))
        #expect(try weights(rig.kernel.table, 5...5) == [4])
    }

    @Test func `what was made by hand reads back from its text`() throws {
        var made: [VirtualServerIdentity: HandMade] = [:]
        var all = HandMade(
            ServiceAttributes(
                scheduler: "mh", flags: [.flag1, .onePacket],
                persistence: Persistence(timeout: .seconds(77), prefixLength: 24, engine: "sip")))
        let methods: [ForwardingMethod] = [
            .masquerade, .directRouting, .tunnel(.ipip), .tunnel(.gue(port: 6080, .remote)), .tunnel(.gre(.whole)),
        ]
        for (index, method) in methods.enumerated() {
            all.servers[try server(UInt8(index + 1)).endpoint] = DestinationAttributes(
                forwarding: .method(method), weight: Int32(index), upperThreshold: 9, lowerThreshold: 8)
        }
        made[try service("udp/[2001:db8::1]:53")] = all
        made[try service("fwmark/7/inet6")] = HandMade(ServiceAttributes())
        made[try web()] = HandMade(servers: [try server(9).endpoint: routed(2)])
        let decision = Decision(override: ServerOverride(weight: 3), since: "2026", uid: 7)
        let text = DecisionText([try server(1): decision], handMade: made)
        let read = DecisionText(parsing: text.text)
        #expect(read.isWhole)
        #expect(read.handMade == made)
        #expect(read.decisions == text.decisions)
        for cut in 0..<text.text.utf8.count - 1 {
            #expect(!DecisionText(parsing: String(decoding: text.text.utf8.prefix(cut), as: UTF8.self)).isWhole)
        }
    }

    /// Without a configuration, commands given by hand do what ipvsadm's would: same answers, same table.
    @Test(arguments: 0..<20) func `random commands do what the kernel does`(_ block: UInt64) throws {
        let names = [try web(), try service("tcp/192.0.2.2:80")]
        for seed in block * 20..<block * 20 + 20 {
            var random = SplitMix(state: seed)
            let rig = KeeperRig()
            let witness = ScriptedKernel()
            for _ in 0..<12 {
                let commands: [Command] = (0..<Int.random(in: 1...6, using: &random)).map { _ in
                    let service = names[Int.random(in: 0...1, using: &random)]
                    let endpoint = Endpoint(.v4(IPv4Address(10, 0, 0, .random(in: 1...3, using: &random))), port: 80)
                    let attributes = routed(.random(in: 0...3, using: &random))
                    return switch Int.random(in: 0...8, using: &random) {
                    case 0...1: .addService(service, ServiceAttributes())
                    case 2...4: .addDestination(service, endpoint, attributes)
                    case 5: .editDestination(service, endpoint, attributes)
                    case 6: .deleteDestination(service, endpoint)
                    case 7: .editService(service, ServiceAttributes(scheduler: "rr"))
                    default: .deleteService(service)
                    }
                }
                var failure: (index: Int, code: Int32?)?
                for (index, command) in commands.enumerated() where failure == nil {
                    if let refusal = try witness.attempt([command]).first { failure = (index, refusal.error.code) }
                }
                let report = try run(rig, commands.map { .change($0) })
                #expect(report.done == failure?.index ?? commands.count, "seed \(seed)")
                #expect(report.failure?.code == failure?.code, "seed \(seed)")
                if Int.random(in: 0...3, using: &random) == 0 { rig.pass(.seconds(11)) }
                #expect(rig.kernel.table == witness.table, "seed \(seed)")
            }
            rig.restart()
            rig.pass(.seconds(11))
            #expect(rig.kernel.table == witness.table, "seed \(seed)")
        }
    }
}

/// The backup runs, and no command is answered.
private final class MuteSyncKernel: SyncKernel {
    func syncDaemons() throws(NetlinkError) -> [SyncDaemon] {
        guard let group = IPAddress("224.0.0.81") else { return [] }
        return [SyncDaemon(role: .backup, interface: "lo", syncID: 1, group: group, port: 8848, timeToLive: 1)]
    }

    func apply(_ command: SyncCommand) throws(NetlinkError) { throw .timedOut }
}
