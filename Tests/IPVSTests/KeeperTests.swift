// The driver over a scripted kernel and disk: drift, surprises and refusals are told apart, each service by itself; what is read and written is
// what has to be; decisions are kept or it is said that they are not.

import Bus
import Configuration
import Glibc
import IPVS
import JSON
import Net
import Netlink
import Platform
import Testing

@testable import ipvsd

@Suite struct KeeperTests {
    private func web() throws -> VirtualServerIdentity { try service("tcp/192.0.2.1:80") }

    private func drifts(_ lines: [KeeperNews.Line]) -> [VirtualServerIdentity] {
        lines.flatMap { line -> [VirtualServerIdentity] in
            switch line {
            case .repaired(let commands): commands.map(\.service)
            case .changedByOthers(let services): services
            case .verdict, .weight, .tableRead, .refused, .drained, .orphansDropped, .timeoutsNotSet: []
            }
        }
    }

    @Test func `drift of one service is reported while another is refused`() throws {
        let bad = try virtualServer("tcp/192.0.2.9:80", weights: [1]) { $0.scheduler = "nonesuch" }
        let kernel = ScriptedKernel()
        kernel.refuses = { if case .addService(bad.identity, _) = $0 { true } else { false } }
        let rig = KeeperRig([try virtualServer(weights: [1, 1]), bad], kernel: kernel)
        rig.pass(.seconds(30))
        #expect(rig.keeper.problem(of: bad.identity) != nil)
        _ = rig.takeLines()
        kernel.table.services[try web()]?.destinations[try server(1).endpoint] = routed(99)
        rig.pass(.seconds(11))
        #expect(drifts(rig.takeLines()) == [try web()])
        #expect(try weights(kernel.table, 1...2) == [1, 1])
    }

    @Test(arguments: [0, 1, 2])
    func `a surprise leads to a look at once, and is no refusal`(_ kind: Int) throws {
        let rig = KeeperRig([try virtualServer(weights: [1, 1]) { $0.realServers[1].inhibitOnFailure = true }])
        _ = rig.takeLines()
        switch kind {
        case 0: rig.kernel.table = KernelTable()
        case 1: rig.kernel.table.services[try web()]?.destinations = [:]
        default: rig.kernel.table.services[try web()]?.destinations[try server(1).endpoint] = nil
        }
        // A deletion (what it asks for is so already) and an edit.
        rig.say(try server(kind == 2 ? 1 : 2), isUp: false)
        rig.settle()
        let expected: [Int32?] = kind == 2 ? [nil, 1] : [1, 0]
        #expect(try weights(rig.kernel.table, 1...2) == expected)
        #expect(rig.keeper.refusals.isEmpty)
        #expect(drifts(rig.takeLines()).contains(try web()))
    }

    @Test func `after a flush the first verdict brings everything back`() throws {
        let other = try virtualServer("tcp/192.0.2.2:80", weights: [1])
        let rig = KeeperRig([try virtualServer(weights: [1, 1]), other])
        rig.pass(.seconds(5))
        rig.kernel.table = KernelTable()
        rig.say(try server(1), isUp: false)
        rig.settle()
        #expect(rig.kernel.table.services.count == 2)
    }

    @Test func `only the service concerned is read after a refusal`() throws {
        let services = try (1...40).map { try virtualServer("tcp/192.0.2.\($0):80", weights: [1]) }
        let kernel = ScriptedKernel()
        let rig = KeeperRig(services, kernel: kernel)
        rig.settle()
        kernel.refuses = { if case .deleteDestination = $0 { true } else { false } }
        let before = kernel.requests
        rig.say(try server(1), isUp: false)
        rig.settle()
        #expect(kernel.requests - before == 2, "the command, and one service")
        rig.pass(.milliseconds(900))
        #expect(kernel.requests - before == 2)
        rig.pass(.seconds(1))
        #expect(kernel.requests - before == 4, "tried again after a second")
    }

    @Test func `answers that were lost are asked for again at once, and only the third time in a row is a problem`()
        throws
    {
        let rig = KeeperRig([try virtualServer(weights: [1, 1])])
        rig.kernel.errors = [.overrun, .timedOut]
        rig.say(try server(1), isUp: false)
        rig.settle()
        #expect(rig.keeper.kernelHealth.problem == nil)
        #expect(try weights(rig.kernel.table, 1...2) == [nil, 1])
        rig.kernel.errors = [.overrun, .overrun, .overrun]
        rig.say(try server(1), isUp: true)
        rig.settle()
        #expect(rig.keeper.kernelHealth.problem != nil)
        rig.pass(.seconds(1))
        #expect(rig.keeper.kernelHealth.problem == nil)
        #expect(try weights(rig.kernel.table, 1...2) == [1, 1])
    }

    @Test func `without the module there is a problem with a remedy, and the table follows when it comes`() throws {
        let kernel = ScriptedKernel()
        kernel.outage = .noFamily("IPVS")
        let rig = KeeperRig([try virtualServer(weights: [1])], kernel: kernel)
        #expect(rig.keeper.kernelHealth.problem?.remedy.contains("modprobe ip_vs") == true)
        let asked = kernel.requests
        rig.pass(.seconds(60))
        #expect(kernel.requests - asked <= 9, "1, 2, 4, 8, 10 … s")
        kernel.outage = nil
        rig.pass(.seconds(10))
        #expect(rig.keeper.kernelHealth.problem == nil)
        #expect(try weights(kernel.table, 1...1) == [1])
    }

    @Test func `nothing is written and nothing is asked of the disk while nothing happens`() throws {
        let rig = KeeperRig([try virtualServer(weights: [1, 1])])
        rig.settle()
        let writes = rig.standings.writes
        rig.pass(.seconds(120))
        #expect(rig.standings.writes == writes)
        #expect(rig.decisions.writes == 0)
        #expect(rig.kernel.commands.count == 3)
    }

    @Test func `a fight with another manager does not become a storm`() throws {
        let rig = KeeperRig([try virtualServer(weights: [1, 1])])
        // A kernel that has the server but does not show it.
        rig.kernel.refuses = { _ in false }
        let shy = ShyKernel()
        let keeper = ServiceKeeper(
            kernel: shy,
            decisions: DecisionKeeper(
                ScriptedFile("d"), old: ScriptedFile("o"), copy: ScriptedFile("c"), intents: ScriptedIntents()),
            memory: StandingKeeper(ScriptedFile("s"), old: ScriptedFile("o"), boot: ""), timeouts: IPVSTimeouts(),
            clock: { .zero })
        keeper.configure([try virtualServer(weights: [1])], timeouts: IPVSTimeouts())
        for _ in 0..<1000 { keeper.turn(at: rig.now) }
        #expect(shy.asked < 20)
        #expect(try keeper.problem(of: web()) != nil)
    }

    @Test func `a list comes from a dump that is at most a second old`() throws {
        let rig = KeeperRig(try (1...7).map { try virtualServer("tcp/192.0.2.\($0):80", weights: [1]) })
        rig.pass(.seconds(2))
        var before = rig.kernel.requests
        var lists = 0
        for _ in 0..<50 { rig.keeper.list(at: rig.now) { if $0?.services.count == 7 { lists += 1 } } }
        rig.settle()
        #expect(lists == 50)
        #expect(rig.kernel.requests - before <= 6)
        before = rig.kernel.requests
        rig.keeper.list(at: rig.now) { if $0?.services.count == 7 { lists += 1 } }
        rig.settle()
        #expect(lists == 51)
        #expect(rig.kernel.requests == before)
        rig.kernel.outage = .noFamily("IPVS")
        rig.now = rig.now + .seconds(2)
        rig.keeper.list(at: rig.now) { if $0 == nil { lists += 1 } }
        rig.settle()
        #expect(lists == 52, "who asks is not kept waiting")
    }

    // MARK: Decisions

    private let drained = Decision(override: ServerOverride(mode: .drained), since: "2026-11-26T00:00:00.000Z", uid: 0)

    @Test func `the table follows a decision at once, the answer waits for the disk`() throws {
        let rig = KeeperRig([try virtualServer(weights: [1, 1])])
        rig.decisions.hangs = true
        var outcome: DecisionOutcome?
        rig.keeper.decide(try server(1), drained, at: rig.now) { outcome = $0 }
        #expect(try weights(rig.kernel.table, 1...2) == [0, 1])
        #expect(outcome == nil)
        rig.decisions.hangs = false
        rig.settle()
        #expect(outcome == .kept)
        rig.restart()
        rig.settle()
        #expect(try weights(rig.kernel.table, 1...2) == [0, 1])
    }

    @Test func `a decision that cannot be kept is not reported as done, nor when it is repeated`() throws {
        let rig = KeeperRig([try virtualServer(weights: [1, 1])])
        rig.decisions.writeError = Errno(ENOSPC, "write")
        for _ in 0..<2 {
            var outcome: DecisionOutcome?
            rig.keeper.decide(try server(1), drained, at: rig.now) { outcome = $0 }
            rig.settle()
            guard case .notKept("decisions.state", let reason) = outcome else {
                Issue.record("\(String(describing: outcome))")
                return
            }
            #expect(reason.contains("No space"))
        }
        #expect(rig.keeper.decisions.trouble != nil)
        rig.decisions.writeError = nil
        rig.settle()
        #expect(rig.keeper.decisions.trouble == nil, "the write was repeated")
        #expect(rig.keeper.decisions.isKept)
    }

    @Test func `a disk that hangs is waited for ten seconds`() throws {
        let rig = KeeperRig([try virtualServer(weights: [1, 1])])
        rig.decisions.hangs = true
        var outcome: DecisionOutcome?
        rig.keeper.decide(try server(1), drained, at: rig.now) { outcome = $0 }
        rig.pass(.seconds(11))
        #expect(outcome == .notKept(path: "decisions.state", "the disk does not answer"))
    }

    @Test func `a damaged file is set aside, what is understood is kept, the alarm stands`() throws {
        let text = DecisionText([try server(1): drained]).text.replacing("end 1", with: "evenkeel")
        let file = ScriptedFile("decisions.state", Array(text.utf8))
        let rig = KeeperRig([try virtualServer(weights: [1, 1])], decisions: file)
        #expect(file.aside == [Array(text.utf8)])
        #expect(rig.keeper.decisions.trouble == .damaged(path: "decisions.state.damaged", understood: 1))
        #expect(try weights(rig.kernel.table, 1...2) == [0, 1])
    }

    /// Taking a decision back is one as well: the file may have it.
    @Test(arguments: [true, false])
    func `a file that cannot be read is never written`(isTakenBack: Bool) throws {
        let file = ScriptedFile("decisions.state", Array("precious".utf8))
        file.readError = Errno(EIO, "read")
        let rig = KeeperRig([try virtualServer(weights: [1, 1])], decisions: file)
        var outcome: DecisionOutcome?
        rig.keeper.decide(try server(1), isTakenBack ? nil : drained, at: rig.now) { outcome = $0 }
        rig.settle()
        #expect(file.content == Array("precious".utf8))
        guard case .notKept = outcome else {
            Issue.record("\(String(describing: outcome))")
            return
        }
        #expect(rig.keeper.decisions.trouble == .unreadable(path: "decisions.state", Errno(EIO, "read")))
    }

    /// Else the table follows what is left: what was made by hand drains away, and disabled servers serve.
    @Test(arguments: [true, false])
    func `what was decided goes on where its file cannot be read at a restart`(isUnreadable: Bool) throws {
        let rig = KeeperRig([try virtualServer(weights: [1, 1])])
        rig.keeper.decide(try server(1), drained, at: rig.now) { _ in }
        let other = try service("tcp/192.0.2.7:80")
        rig.byHand([
            .change(.addService(other, ServiceAttributes(scheduler: "rr"))),
            .change(.addDestination(other, try server(1).endpoint, routed(1))),
            .change(.addDestination(try server(1).service, try server(9).endpoint, routed(1))),
        ])
        rig.pass(.seconds(3))
        let before = rig.kernel.table
        let file = ScriptedFile("decisions.state", isUnreadable ? rig.decisions.content : Array("garbage".utf8))
        if isUnreadable { file.readError = Errno(ELOOP, "open") }
        rig.restart(decisions: file)
        rig.pass(.seconds(15))
        #expect(rig.kernel.table == before)
        #expect(rig.keeper.decisions.trouble != nil && rig.keeper.decisions.isFromCopy)
        #expect(isUnreadable == (file.writes == 0), "a file that cannot be read is left alone, a damaged one made anew")
    }

    /// Nothing is forgotten because a disk was not there, was full, or was put back from a backup.
    @Test(arguments: [true, false])
    func `what was in force goes on where its file is gone or older`(isMissing: Bool) throws {
        let rig = KeeperRig([try virtualServer(weights: [1, 1])])
        rig.keeper.decide(try server(2), drained, at: rig.now) { _ in }
        rig.settle()
        let older = rig.decisions.content
        rig.decisions.writeError = Errno(ENOSPC, "write")
        rig.keeper.decide(try server(1), drained, at: rig.now) { _ in }
        rig.pass(.seconds(3))
        let before = rig.kernel.table
        let file = ScriptedFile("decisions.state", isMissing ? nil : older)
        rig.restart(decisions: file)
        rig.pass(.seconds(15))
        #expect(rig.kernel.table == before)
        let aside = isMissing ? nil : "decisions.state.older"
        #expect(
            rig.keeper.decisions.trouble == .behind(path: "decisions.state", isMissing: isMissing, older: aside))
        #expect(file.older == (isMissing ? nil : older), "a backup that was put back is not lost")
        let kept = DecisionText(parsing: String(decoding: rig.decisions.content ?? [], as: UTF8.self))
        #expect(kept.isWhole && kept.decisions.count == 2)
        rig.restart()
        #expect(rig.keeper.decisions.trouble == nil)
    }

    @Test func `a copy that cannot be written stays the older one, and the file counts`() throws {
        let rig = KeeperRig([try virtualServer(weights: [1, 1])])
        rig.settle()
        let copied = rig.copy.content
        #expect(copied != nil)
        rig.copy.writeError = Errno(ENOSPC, "write")
        rig.keeper.decide(try server(1), drained, at: rig.now) { _ in }
        rig.pass(.seconds(3))
        #expect(rig.copy.content == copied && rig.decisions.content != nil)
        let before = rig.kernel.table
        rig.restart()
        rig.pass(.seconds(15))
        #expect(rig.kernel.table == before && rig.keeper.decisions.trouble == nil)
    }

    @Test func `who decides hears when a restart of ipvsd alone would forget it`() throws {
        let rig = KeeperRig([try virtualServer(weights: [1, 1])])
        rig.settle()
        for file in [rig.copy, rig.decisions] { file.writeError = Errno(ENOSPC, "write") }
        var outcome: DecisionOutcome?
        rig.keeper.decide(try server(1), drained, at: rig.now) { outcome = $0 }
        rig.settle()
        guard case .notKept(_, let reason) = outcome else {
            Issue.record("\(String(describing: outcome))")
            return
        }
        #expect(reason.contains("a restart of ipvsd, which would forget it too: "), "\(reason)")
    }

    @Test func `the highest serial is no trap`() throws {
        let last = DecisionText([try server(2): drained], serial: .max)
        let file = ScriptedFile("decisions.state", Array(last.text.utf8))
        let rig = KeeperRig([try virtualServer(weights: [1, 1])], decisions: file)
        rig.keeper.decide(try server(1), drained, at: rig.now) { _ in }
        rig.settle()
        #expect(DecisionText(parsing: String(decoding: file.content ?? [], as: UTF8.self)).decisions.count == 2)
    }

    @Test func `a netmask that is no prefix is put right, however many bits it has`() throws {
        var configured = try virtualServer(weights: [1])
        configured.persistence = Persistence(prefixLength: 16)
        var snapshot = ServiceSnapshot(identity: try web(), attributes: ServiceAttributes(configured))
        #expect(ServiceEntry(snapshot).attributes == ServiceAttributes(configured))
        snapshot.netmask = 0xFF00_FF00
        #expect(ServiceEntry(snapshot).attributes != ServiceAttributes(configured))
    }

    @Test func `the decisions of 0.1.0 move to their own file`() throws {
        let old = ScriptedFile(
            "ipvsd.state",
            Array(
                """
                evenkeel-ipvs 1
                boot b0
                override tcp/192.0.2.1:80/10.0.0.1:80 disabled since=2026-11-21T15:04:05.678Z uid=7

                """.utf8))
        let rig = KeeperRig([try virtualServer(weights: [1, 1])], old: old)
        #expect(try weights(rig.kernel.table, 1...2) == [nil, 1])
        let kept = DecisionText(parsing: String(decoding: rig.decisions.content ?? [], as: UTF8.self))
        #expect(try kept.isWhole && kept.decisions[server(1)]?.uid == 7)
        rig.restart()
        rig.settle()
        #expect(try weights(rig.kernel.table, 1...2) == [nil, 1])
    }
}

/// A kernel that refuses to add because it has the server, and does not show it.
private final class ShyKernel: IPVSKernel {
    var asked = 0
    private var service: VirtualServerIdentity?

    func apply(_ commands: [Command]) throws(NetlinkError) -> BatchOutcome {
        asked += 1
        return BatchOutcome(
            commands.compactMap { command in
                if case .addService(let name, _) = command { service = name }
                guard case .addDestination = command else { return nil }
                return CommandFailure(command, .refused(code: EEXIST, message: ""))
            })
    }

    func service(_ identity: VirtualServerIdentity) throws(NetlinkError) -> ServiceSnapshot? {
        service.map { ServiceSnapshot(identity: $0, attributes: ServiceAttributes()) }
    }

    func beginSweep() throws(NetlinkError) -> [VirtualServerIdentity] { service.map { [$0] } ?? [] }
    func nextSlice() throws(NetlinkError) -> [ServiceSnapshot] { [] }
    func setTimeouts(_ timeouts: TableTimeouts) throws(NetlinkError) {}
    func attempt(_ commands: [Command]) throws(NetlinkError) -> [NetlinkRefusal] { [] }
    func zero(_ service: VirtualServerIdentity?) throws(NetlinkError) {}
    func flush() throws(NetlinkError) {}
    func serviceNames() throws(NetlinkError) -> [VirtualServerIdentity] { service.map { [$0] } ?? [] }
    func facts() throws(NetlinkError) -> KernelFacts { KernelFacts() }
}

extension KeeperTests {
    @Test func `a server that leaves the configuration and comes back is what checkd said it is`() throws {
        let rig = KeeperRig([try virtualServer(weights: [1, 1])])
        rig.say(try server(2), isUp: false)
        rig.settle()
        rig.configure([try virtualServer(weights: [1])])
        rig.settle()
        rig.kernel.executed = { command, _ in
            if case .addDestination = command { Issue.record("\(command): it is down") }
        }
        rig.configure([try virtualServer(weights: [1, 1])])
        rig.pass(.seconds(20))
        #expect(try weights(rig.kernel.table, 1...2) == [1, nil])
    }

    @Test func `what checkd says of strangers is kept within a bound`() throws {
        let rig = KeeperRig([try virtualServer(weights: [1])])
        let note = HealthNote(state: .down, isVerified: true, since: "", reason: "")
        for number in 0..<UInt32(ServiceKeeper.noteLimit + 10) {
            let address = IPAddress.v4(
                IPv4Address(11, UInt8(number >> 16 & 255), UInt8(number >> 8 & 255), UInt8(number & 255)))
            rig.keeper.heard(ServerIdentity(try web(), Endpoint(address, port: 80)), note)
        }
        #expect(rig.keeper.notes.count == ServiceKeeper.noteLimit)
        rig.say(try server(1), isUp: false)
        rig.settle()
        #expect(try weights(rig.kernel.table, 1...1) == [nil], "a configured server is always heard")
    }
}

@Suite struct LivenessTests {
    private let start = Instant(nanoseconds: 1_000_000_000_000)

    @Test func `three heartbeats that do not come make the verdicts stale, and one that comes revives them`() {
        var liveness = CheckLiveness()
        #expect(!liveness.isLive(at: start))
        liveness.attached(true)
        #expect(liveness.isLive(at: start + .seconds(3600)), "a checkd without heartbeat is taken at its registration")
        liveness.beat(every: .seconds(2), at: start)
        #expect(liveness.isLive(at: start + .seconds(6)))
        #expect(liveness.deadline(after: start) == start + .seconds(7))
        #expect(liveness.deadline(after: start + .seconds(7)) == .distantFuture, "what is stale does not spin")
        #expect(!liveness.isLive(at: start + .seconds(7)))
        liveness.beat(every: .seconds(2), at: start + .seconds(8))
        #expect(liveness.isLive(at: start + .seconds(9)))
        liveness.attached(false)
        #expect(!liveness.isLive(at: start + .seconds(9)))
        #expect(liveness.deadline(after: start) == .distantFuture)
    }

    @Test func `a beat of the snapshot that comes before the registration counts`() {
        var liveness = CheckLiveness()
        liveness.beat(every: .seconds(2), at: start)
        liveness.attached(true)
        #expect(liveness.isLive(at: start) && !liveness.isLive(at: start + .seconds(8)))
    }
}

@Suite struct HealthFeedTests {
    private func event(_ type: String, _ subject: String, _ data: JSONValue?) -> BusSubscription.Update {
        .event(
            BusAPI.Event(
                specversion: "1.0", id: "1", source: "/checkd", type: type, subject: subject,
                time: "2026-11-26T00:00:00.000Z", data: data))
    }

    @Test func `what comes over the bus is decoded, whatever it is`() throws {
        let name = "\(try server(1))"
        let verdict: JSONValue = [
            "server": .string(name), "state": "down", "verified": true, "since": "s", "reason": "r", "checks": [],
        ]
        let note = HealthNote(state: .down, isVerified: true, since: "s", reason: "r")
        #expect(try HealthFeed(event(EventType.checkServer, name, verdict)) == .note(server(1), note))
        #expect(try HealthFeed(event(EventType.checkServer, name, nil)) == .forgotten(server(1)))
        #expect(HealthFeed(event(EventType.checkServer, "nonsense", nil)) == .nothing)
        guard case .notUnderstood = HealthFeed(event(EventType.checkServer, name, ["server": "nonsense"])) else {
            Issue.record("nonsense was understood")
            return
        }
        let beat = HealthFeed(event(EventType.checkHeartbeat, "checkd", ["intervalSeconds": 2]))
        #expect(beat == .beat(every: .seconds(2)))
        #expect(
            HealthFeed(event(EventType.checkHeartbeat, "checkd", ["intervalSeconds": -5])) == .beat(every: .seconds(1)))
        #expect(HealthFeed(.lost) == .attached(false))
    }
}
