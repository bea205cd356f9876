// What a reload takes out of the configuration: it drains, gives its place to others before it loses it, and is back at once when the
// configuration has it again; a restart changes nothing of that.

import Bus
import Configuration
import Glibc
import IPVS
import Net
import Platform
import Testing

@testable import ipvsd

@Suite struct DepartureTests {
    private let web = VirtualServerIdentity("tcp/192.0.2.1:80")

    /// Two busy servers, of which a reload takes out the second.
    private func departing(limit: UInt32 = 300) throws -> KeeperRig {
        let rig = KeeperRig([try virtualServer(weights: [1, 2])])
        rig.say(try server(2), isUp: true)
        rig.departure = Departure(limit: limit, since: "2026-11-26T16:00:00.000Z")
        rig.configure([try virtualServer(weights: [1])])
        rig.settle()
        return rig
    }

    private func deletions(_ rig: KeeperRig) -> [Command] {
        rig.kernel.commands.filter {
            switch $0 {
            case .deleteDestination, .deleteService: true
            case .addService, .editService, .addDestination, .editDestination: false
            }
        }
    }

    @Test func `a removed server's connections go on until none is left`() throws {
        let rig = try departing()
        rig.pass(.seconds(60))
        #expect(try weights(rig.kernel.table, 1...2) == [1, 0])
        rig.kernel.busy = 0
        rig.pass(.seconds(2))
        #expect(try weights(rig.kernel.table, 1...2) == [1, nil])
        #expect(rig.takeLines().contains(.drained([try server(2)], isCut: false)))
        let requests = rig.kernel.requests
        rig.pass(.seconds(60))
        #expect(rig.kernel.requests - requests <= 6 * 4, "sweeps alone")
    }

    @Test func `what is left is cut off when the time is over, and at once without any`() throws {
        let rig = try departing(limit: 30)
        rig.pass(.seconds(28))
        #expect(try weights(rig.kernel.table, 1...2) == [1, 0])
        rig.pass(.seconds(4))
        #expect(try weights(rig.kernel.table, 1...2) == [1, nil])
        #expect(rig.takeLines().contains(.drained([try server(2)], isCut: true)))
        #expect(try weights(departing(limit: 0).kernel.table, 1...2) == [1, nil])
    }

    @Test func `another limit is the limit of those that leave already`() throws {
        let rig = try departing()
        rig.pass(.seconds(20))
        rig.departure = Departure(limit: 30, since: "2026")
        rig.configure([try virtualServer(weights: [1])])
        rig.pass(.seconds(5))
        #expect(try weights(rig.kernel.table, 1...2) == [1, 0])
        rig.pass(.seconds(8))
        #expect(try weights(rig.kernel.table, 1...2) == [1, nil])
        let other = try departing()
        other.departure = Departure(limit: 0, since: "2026")
        other.configure([try virtualServer(weights: [1])])
        other.settle()
        #expect(try weights(other.kernel.table, 1...2) == [1, nil])
    }

    @Test func `who was drained for long before has the whole time`() throws {
        let rig = KeeperRig([try virtualServer(weights: [1, 2])])
        let drained = Decision(override: ServerOverride(mode: .drained), since: "2026", uid: 0)
        rig.keeper.decide(try server(2), drained, at: rig.now) { _ in }
        rig.pass(.seconds(3600))
        rig.departure = Departure(limit: 30, since: "2026")
        rig.configure([try virtualServer(weights: [1])])
        rig.pass(.seconds(28))
        #expect(try weights(rig.kernel.table, 1...2) == [1, 0])
        rig.pass(.seconds(4))
        #expect(try weights(rig.kernel.table, 1...2) == [1, nil])
    }

    @Test func `who is back takes the old place, without having been away`() throws {
        let rig = try departing()
        rig.pass(.seconds(5))
        rig.configure([try virtualServer(weights: [1, 2]) { $0.realServers[1].alpha = true }])
        rig.pass(.seconds(600))
        #expect(try weights(rig.kernel.table, 1...2) == [1, 2], "it is known to be up")
        #expect(deletions(rig).isEmpty)
    }

    @Test func `a restart goes on with it, and begins the time anew`() throws {
        let rig = try departing(limit: 30)
        rig.pass(.seconds(20))
        rig.restart()
        rig.pass(.seconds(25))
        #expect(try weights(rig.kernel.table, 1...2) == [1, 0])
        #expect(rig.keeper.reconciler.departing == [try server(2)])
        rig.pass(.seconds(10))
        #expect(try weights(rig.kernel.table, 1...2) == [1, nil])
    }

    @Test func `what left the configuration while ipvsd was away drains as well`() throws {
        let rig = KeeperRig([try virtualServer(weights: [1, 2]), try virtualServer("tcp/192.0.2.2:80", weights: [1])])
        rig.departure = Departure(limit: 300, since: "2026")
        rig.servers = [try virtualServer(weights: [1])]
        rig.restart()
        rig.pass(.seconds(60))
        #expect(try weights(rig.kernel.table, 1...2) == [1, 0])
        #expect(rig.kernel.table.services[try service("tcp/192.0.2.2:80")]?.destinations.values.map(\.weight) == [0])
        rig.kernel.busy = 0
        rig.pass(.seconds(2))
        #expect(rig.kernel.table.services.count == 1)
        #expect(try weights(rig.kernel.table, 1...2) == [1, nil])
    }

    @Test func `a removed service goes with its last connection, and is back whole before that`() throws {
        let rig = KeeperRig([try virtualServer(weights: [1, 2])])
        let before = rig.kernel.table
        rig.departure = Departure(limit: 300, since: "2026")
        rig.configure([])
        rig.pass(.seconds(60))
        #expect(try weights(rig.kernel.table, 1...2) == [0, 0])
        #expect(rig.keeper.reconciler.standings.values.map(\.isDeparting) == [true])
        rig.configure([try virtualServer(weights: [1, 2])])
        rig.settle()
        #expect(rig.kernel.table == before)
        #expect(deletions(rig).isEmpty)
        rig.configure([])
        rig.kernel.busy = 0
        rig.pass(.seconds(2))
        #expect(rig.kernel.table.services.isEmpty)
        #expect(rig.keeper.reconciler.standings.isEmpty)
    }

    @Test func `a service without servers goes at once`() throws {
        let rig = KeeperRig([try virtualServer(weights: [])])
        rig.departure = Departure(limit: 300, since: "2026")
        rig.configure([])
        rig.settle()
        #expect(rig.kernel.table.services.isEmpty)
    }

    @Test func `replacements serve before those they replace stop`() throws {
        let rig = KeeperRig([try virtualServer(weights: [1, 1])])
        rig.departure = Departure(limit: 30, since: "2026")
        var wasEmpty = false
        rig.kernel.executed = { [rig] _, _ in
            let serving = rig.kernel.table.services.values.first?.destinations.values.contains { $0.weight > 0 }
            wasEmpty = wasEmpty || serving != true
        }
        rig.kernel.refuses = { if case .addDestination = $0 { true } else { false } }
        let replaced = try virtualServer(weights: [1, 1, 1, 1]) {
            $0.realServers.removeFirst(2)
            $0.realServers[1].alpha = true
        }
        rig.configure([replaced])
        rig.pass(.seconds(60))
        #expect(try weights(rig.kernel.table, 1...4) == [1, 1, nil, nil], "the kernel refuses the new ones")
        rig.kernel.refuses = { _ in false }
        rig.pass(.seconds(15))
        #expect(try weights(rig.kernel.table, 1...4) == [0, 0, 1, nil])
        rig.pass(.seconds(31))
        #expect(try weights(rig.kernel.table, 1...4) == [nil, nil, 1, nil])
        #expect(!wasEmpty)
    }

    @Test func `who waits for a verdict lets those that leave serve on`() throws {
        let rig = KeeperRig([try virtualServer(weights: [1])])
        rig.departure = Departure(limit: 30, since: "2026")
        rig.configure([
            try virtualServer(weights: [1, 1]) {
                $0.realServers.removeFirst()
                $0.realServers[0].alpha = true
            }
        ])
        rig.pass(.seconds(60))
        #expect(try weights(rig.kernel.table, 1...2) == [1, nil])
        rig.say(try server(2), isUp: true)
        rig.settle()
        #expect(try weights(rig.kernel.table, 1...2) == [0, 1])
    }

    @Test func `a person's commands about it are carried out, and it is not put back`() throws {
        let rig = try departing()
        rig.byHand([.change(.deleteDestination(try server(2).service, try server(2).endpoint))])
        rig.pass(.seconds(30))
        #expect(try weights(rig.kernel.table, 1...2) == [1, nil])
        #expect(rig.keeper.reconciler.departing.isEmpty)
        rig.configure([])
        rig.settle()
        rig.byHand([.flush])
        rig.pass(.seconds(30))
        #expect(rig.kernel.table.services.isEmpty)
        let disabled = try departing()
        let override = ServerOverride(mode: .disabled)
        disabled.keeper.decide(
            try server(2), Decision(override: override, since: "2026", uid: 0), at: disabled.now
        ) { _ in }
        disabled.settle()
        #expect(try weights(disabled.kernel.table, 1...2) == [1, nil])
        #expect(disabled.keeper.reconciler.departing.isEmpty)
    }

    @Test func `an edit of what leaves would be put back: it is refused with a remedy`() throws {
        let rig = try departing()
        let (web, leaving) = (try server(2).service, try server(2).endpoint)
        func refusal(_ command: Command) throws -> HandFailure {
            var report: HandReport?
            rig.byHand([.change(command)]) { answer, _ in report = answer }
            rig.pass(.seconds(11))
            let answer = try #require(report)
            return try #require(answer.failure, "\(command)")
        }
        let edit = try refusal(.editDestination(web, leaving, routed(5)))
        #expect(edit.isOurs && edit.problem.contains("lbctl reload"), "\(edit.problem)")
        #expect(edit.problem.contains("'lbctl server delete \(try server(2))'"), "\(edit.problem)")
        #expect(try weights(rig.kernel.table, 1...2) == [1, 0])
        // The service itself.
        rig.configure([])
        rig.settle()
        let before = rig.kernel.table
        let added = Command.addDestination(web, try server(9).endpoint, routed(1))
        for command in [
            added, .editService(web, ServiceAttributes(scheduler: "wrr")), .addService(web, ServiceAttributes()),
        ] {
            let refused = try refusal(command)
            #expect(
                refused.isOurs && refused.code == EPERM,
                "ipvsadm -A would say that it exists, and how it goes away nobody")
            #expect(refused.problem.contains("'lbctl service delete \(web)'"), "\(refused.problem)")
        }
        #expect(rig.kernel.table == before)
        rig.byHand([.change(.deleteService(web)), .change(.addService(web, ServiceAttributes())), .change(added)])
        rig.pass(.seconds(11))
        #expect(try weights(rig.kernel.table, 8...9) == [nil, 1], "then it can be made by hand")
    }

    @Test func `what is decided about a server that leaves is kept for when it is back`() throws {
        let rig = try departing()
        func decide(_ override: ServerOverride) throws -> Bool {
            let (other, leaving) = (try server(1), try server(2))
            let decision = Decision(override: override, since: "2026", uid: 0)
            rig.keeper.decide(leaving, decision, at: rig.now) { _ in }
            rig.settle()
            #expect(try weights(rig.kernel.table, 1...2) == [1, 0])
            let standing = try #require(rig.keeper.reconciler.standings[leaving.service])
            #expect(!standing.waitsForReturn(other.endpoint))
            return standing.waitsForReturn(leaving.endpoint)
        }
        #expect(try !decide(ServerOverride(mode: .drained)), "that is what it does")
        #expect(try decide(ServerOverride()))
        #expect(try decide(ServerOverride(weight: 7)))
        rig.configure([try virtualServer(weights: [1, 2])])
        rig.settle()
        #expect(try weights(rig.kernel.table, 1...2) == [1, 7])
    }

    @Test func `all that leave can be cut off together`() throws {
        let rig = try departing()
        #expect(rig.keeper.cutDepartures() == 1)
        rig.settle()
        #expect(try weights(rig.kernel.table, 1...2) == [1, nil])
        #expect(rig.keeper.cutDepartures() == 0)
    }

    @Test func `programs hear of a removed server once, at the reload`() throws {
        let rig = KeeperRig([try virtualServer(weights: [1, 2])])
        var notices = ServiceNotices()
        let standing = { [web] in try #require(web.flatMap { rig.keeper.reconciler.standings[$0] }) }
        var configuration = Configuration()
        configuration.virtualServers = rig.servers
        _ = notices.configure(configuration)
        rig.say(try server(2), isUp: true)
        rig.settle()
        _ = notices.look(at: try standing())
        rig.departure = Departure(limit: 300, since: "2026")
        rig.configure([try virtualServer(weights: [1])])
        rig.settle()
        configuration.virtualServers = rig.servers
        #expect(notices.configure(configuration).map(\.isUp) == [false])
        #expect(notices.look(at: try standing()).isEmpty)
    }

    @Test func `the next process takes it for a new one when it is back after its drain`() throws {
        let rig = try departing()
        rig.pass(.seconds(3))
        let text = String(decoding: rig.standings.content ?? [], as: UTF8.self)
        #expect(text.contains("10.0.0.1:80") && !text.contains("10.0.0.2:80"))
    }

    @Test func `a dry run says that it drains`() throws {
        let rig = KeeperRig([try virtualServer(weights: [1, 2])])
        let departure = Departure(limit: 300, since: "2026")
        let changes = rig.keeper.reconciler.changes(to: [try virtualServer(weights: [1])], departure: departure)
        #expect(changes.map(\.description) == ["edit \(try server(2)) weight 0"])
    }
}
