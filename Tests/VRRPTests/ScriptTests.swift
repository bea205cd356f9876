// Tracked scripts in virtual time: when they run, what their runs say (keepalived's counter), and what that does to routers.

import Configuration
import Net
import Scripts
import Testing

@testable import VRRP

private func block(
    rise: Int = 1, fall: Int = 1, interval: Duration = .seconds(1), timeout: Duration? = nil, startsFailed: Bool = false
) -> TrackScriptConfiguration {
    var block = TrackScriptConfiguration(name: "check", command: ScriptCommand(arguments: ["/bin/check"]))
    (block.rise, block.fall, block.interval, block.timeout) = (rise, fall, interval, timeout ?? interval)
    block.startsFailed = startsFailed
    return block
}

private func at(_ seconds: Double) -> Instant { .zero + .milliseconds(Int64(seconds * 1000)) }

private func ended(_ status: Int, _ line: String = "") -> ScriptReport { .ended(.exited(status), lastLine: line) }

extension ScriptMonitor {
    /// Lets runs end with these statuses, one after the other, and gives the verdict after each.
    fileprivate mutating func verdicts(_ statuses: [Int]) -> [Verdict] {
        statuses.map { status in
            let start = deadline
            #expect(due(at: start) == .start)
            heard(ended(status), at: start + .milliseconds(10))
            return verdict
        }
    }
}

@Suite struct ScriptMonitorTests {
    @Test func `the first run decides, whatever rise and fall say`() {
        for status in [0, 1] {
            var monitor = ScriptMonitor(block(rise: 3, fall: 3), at: .zero)
            #expect(monitor.verdict == .unknown)
            #expect(monitor.verdicts([status]) == [status == 0 ? .good : .failed])
        }
    }

    @Test func `rise successes and fall failures in a row are needed after that`() {
        var monitor = ScriptMonitor(block(rise: 2, fall: 3), at: .zero)
        #expect(monitor.verdicts([0, 1, 1, 0, 1, 1, 1]) == [.good, .good, .good, .good, .good, .good, .failed])
        #expect(monitor.verdicts([0, 1, 0, 0, 1]) == [.failed, .failed, .failed, .good, .good])
    }

    @Test func `init_fail needs rise successes before it is good`() {
        var monitor = ScriptMonitor(block(rise: 2, startsFailed: true), at: .zero)
        #expect(monitor.verdict == .failed)
        #expect(monitor.verdicts([0, 0]) == [.failed, .good])
    }

    @Test func `a run that is still there at its next beat is not started twice`() {
        var monitor = ScriptMonitor(block(interval: .seconds(1), timeout: .seconds(5)), at: .zero)
        #expect(monitor.due(at: at(0)) == .start)
        #expect(monitor.due(at: at(1)) == nil)
        monitor.heard(ended(0), at: at(2.4))
        #expect(monitor.deadline == at(3))
        #expect(monitor.due(at: at(3)) == .start)
        monitor.heard(ended(0), at: at(3.1))
        #expect(monitor.deadline == at(4))
    }

    @Test func `a timeout counts at once, and the next run waits until the process is gone`() {
        var monitor = ScriptMonitor(block(), at: .zero)
        #expect(monitor.verdicts([0]) == [.good])
        #expect(monitor.due(at: at(1)) == .start)
        monitor.heard(.timedOut, at: at(2))
        #expect(monitor.verdict == .failed)
        #expect(monitor.outcome == .timedOut)
        #expect(monitor.isRunning)
        #expect(monitor.due(at: at(3)) == nil)
        monitor.heard(ended(0, "late"), at: at(3.5))
        #expect(monitor.verdict == .failed)
        #expect(monitor.outcome == .timedOut)
        #expect(monitor.deadline == at(4))
    }

    @Test func `one that cannot be ended fails again and again, and no second one is begun beside it`() {
        var monitor = ScriptMonitor(block(fall: 3), at: .zero)
        #expect(monitor.verdicts([0]) == [.good])
        #expect(monitor.due(at: at(1)) == .start)
        monitor.heard(.accepted, at: at(1))
        monitor.heard(.timedOut, at: at(2))
        #expect(monitor.verdict == .good)
        var verdicts: [ScriptMonitor.Verdict] = []
        for _ in 0..<50 {
            #expect(monitor.due(at: monitor.deadline) == .remain)
            verdicts.append(monitor.verdict)
        }
        #expect(verdicts.prefix(2) == [.good, .failed])
        #expect(monitor.hindrance?.why.contains("does not end") == true)
        let late = monitor.deadline
        monitor.heard(ended(0), at: late)
        #expect(monitor.hindrance == nil)
        #expect(monitor.verdict == .failed)
        #expect(monitor.due(at: monitor.deadline) == .start)
    }

    @Test func `a pause of this host is no failure of a script that is being ended`() {
        var monitor = ScriptMonitor(block(fall: 2), at: .zero)
        #expect(monitor.verdicts([0]) == [.good])
        #expect(monitor.due(at: at(1)) == .start)
        monitor.heard(.accepted, at: at(1))
        monitor.heard(.timedOut, at: at(2))
        #expect(monitor.due(at: monitor.deadline + .seconds(60)) == nil)
        #expect(monitor.verdict == .good && monitor.hindrance == nil)
        // It is still there: that counts.
        #expect(monitor.due(at: monitor.deadline) == .remain)
        #expect(monitor.verdict == .failed)
    }

    @Test func `what this host could not run says nothing about the script`() {
        var monitor = ScriptMonitor(block(interval: .seconds(10)), at: .zero)
        #expect(monitor.verdicts([0]) == [.good])
        for time in [10, 10.5, 11.0] as [Double] {
            #expect(monitor.due(at: at(time)) == .start)
            monitor.heard(.notRun("no runner"), at: at(time))
            #expect(monitor.verdict == .good)
            #expect(monitor.hindrance == Hindrance(since: at(10), why: "no runner"))
        }
        #expect(monitor.verdicts([0]) == [.good])
        #expect(monitor.hindrance == nil)
    }

    @Test func `a runner that never answers is given up after the timeout and a grace`() {
        var monitor = ScriptMonitor(block(timeout: .seconds(2)), at: .zero)
        #expect(monitor.due(at: at(0)) == .start)
        monitor.heard(.accepted, at: at(0))
        // Twice: after a pause of the host scriptd gives lost time back.
        #expect(monitor.due(at: at(7.9)) == nil)
        #expect(monitor.due(at: at(8)) == .abandon)
        #expect(monitor.verdict == .unknown)
        #expect(monitor.hindrance != nil)
        #expect(monitor.due(at: at(8.5)) == .start)
    }

    @Test func `a runner that does not take a run on is known in seconds, however long the run may be`() {
        var monitor = ScriptMonitor(block(interval: .seconds(600)), at: .zero)
        #expect(monitor.due(at: at(0)) == .start)
        #expect(monitor.due(at: at(2.9)) == nil)
        #expect(monitor.due(at: at(3)) == .abandon)
        #expect(monitor.hindrance == Hindrance(since: at(0), why: "scriptd does not answer"))
        #expect(monitor.due(at: at(3.5)) == .start)
        monitor.heard(.accepted, at: at(3.6))
        #expect(monitor.due(at: at(600)) == nil)
        monitor.heard(ended(0), at: at(602))
        #expect(monitor.verdict == .good && monitor.hindrance == nil)
    }

    @Test func `one that cannot be run has failed, also where reverse would make it well`() {
        var monitor = ScriptMonitor(block(), at: .zero)
        #expect(monitor.due(at: at(0)) == .start)
        monitor.heard(.ended(.refused("no such file"), lastLine: ""), at: at(0))
        #expect(monitor.verdict == .failed)
        #expect(monitor.isRefused)
    }

    @Test func `an edited block keeps the standing, and a shorter interval counts at once`() {
        var monitor = ScriptMonitor(block(interval: .seconds(60)), at: .zero)
        #expect(monitor.verdicts([0]) == [.good])
        monitor.adopt(block(fall: 3, interval: .seconds(1)))
        #expect(monitor.deadline == at(1))
        #expect(monitor.verdicts([1, 1, 1]) == [.good, .good, .failed])
    }
}

@Suite struct ReloadedMonitorTests {
    @Test func `reloads do not begin to count anew`() {
        var monitor = ScriptMonitor(block(rise: 3, fall: 3), at: .zero)
        #expect(monitor.verdicts([0]) == [.good])
        for verdict in [ScriptMonitor.Verdict.good, .good, .failed, .failed, .failed, .good] {
            monitor.adopt(block(rise: 3, fall: 3))
            #expect(monitor.verdicts([monitor.verdict == .good ? 1 : 0]) == [verdict])
        }
    }

    @Test func `a lower fall does not fail by itself what has succeeded last`() {
        var monitor = ScriptMonitor(block(fall: 5), at: .zero)
        #expect(monitor.verdicts([0, 1, 1, 1]) == [.good, .good, .good, .good])
        monitor.adopt(block(fall: 2))
        #expect(monitor.verdict == .good)
        #expect(monitor.verdicts([1]) == [.failed])
    }
}

// MARK: Routers

private let eth0 = Link(index: 2, name: "eth0", flags: 0x1043, mac: MACAddress(rawValue: 0x0200_0000_0001), mtu: 1500)

/// A director with eth0 that is driven by hand.
private struct Desk {
    var director = Director()
    var now = Instant.zero
    var runs: [ScriptRun] = []
    var abandoned: [ScriptRun] = []
    var sends: [UInt8] = []
    var configuration: Configuration

    init(_ instances: [VRRPInstanceConfiguration], _ scripts: [TrackScriptConfiguration], groups: [[String]] = []) {
        configuration = Configuration(
            scripts: scripts, instances: instances,
            syncGroups: groups.map { SyncGroupConfiguration(name: "G", members: $0) })
        var snapshot = RouteSnapshot()
        snapshot.links = [eth0]
        snapshot.addresses = [IPPrefix("10.0.0.1/24")].compactMap(\.self).map { InterfaceAddress(link: 2, prefix: $0) }
        handle(.snapshot(snapshot, then: []))
        handle(.configuration(configuration))
    }

    mutating func handle(_ event: Event) {
        let effects = director.handle(event, at: now)
        sends += effects.sends.map(\.advertisement.priority)
        for order in effects.scripts {
            switch order {
            case .start(let run, _): runs.append(run)
            case .abandon(let run): abandoned.append(run)
            }
        }
        if effects.isUnfinished { handle(.sent) }
        if !effects.changes.isEmpty { handle(.changed(effects.changes, refused: [:])) }
    }

    /// Time passes; runs that began are left to the test.
    mutating func pass(_ duration: Duration) {
        let end = now + duration
        while let next = director.deadline, next <= end {
            now = max(now, next)
            handle(.timer)
            if director.deadline == next { break }
        }
        now = end
    }

    /// Ends all runs with a status.
    mutating func answer(_ status: Int) { report(.ended(.exited(status), lastLine: "")) }

    mutating func report(_ report: ScriptReport) {
        let open = runs
        runs = []
        for run in open { handle(.script(run, report)) }
    }

    func state(_ name: String = "VI_1") -> StateName? {
        director.router(named: name).flatMap { director.view(of: $0) }?.machine.state.name
    }

    func priority(_ name: String = "VI_1") -> UInt8? {
        director.router(named: name).flatMap { director.view(of: $0) }?.machine.priority
    }
}

private func instance(
    _ name: String = "VI_1", number: UInt8 = 51, tracking tracked: [TrackedObject]
) -> VRRPInstanceConfiguration {
    var instance = VRRPInstanceConfiguration(name: name, interface: "eth0", virtualRouterID: number)
    instance.version = .v3
    instance.trackedScripts = tracked
    instance.virtualAddresses = [IPPrefix("10.0.0.\(number)/24")].compactMap(\.self).map {
        AddressLine($0, device: "eth0")
    }
    return instance
}

@Suite struct TrackedScriptTests {
    @Test func `a router waits for the first run of its scripts, and takes nothing before`() {
        var desk = Desk([instance(tracking: [TrackedObject("check")])], [block()])
        desk.handle(.start([:], uptime: .zero))
        desk.pass(.zero)
        #expect(desk.runs.count == 1)
        desk.pass(.milliseconds(900))
        #expect(desk.state() == .initialize)
        desk.answer(0)
        #expect(desk.state() == .backup)
        desk.pass(.seconds(4))
        desk.answer(0)
        #expect(desk.state() == .master)
    }

    @Test func `a failure without weight is FAULT, and the master says so with priority 0`() {
        var desk = Desk([instance(tracking: [TrackedObject("check")])], [block()])
        desk.handle(.start([:], uptime: .zero))
        desk.pass(.zero)
        desk.answer(0)
        desk.pass(.seconds(5))
        #expect(desk.state() == .master)
        desk.answer(1)
        #expect(desk.state() == .fault)
        #expect(desk.sends.last == 0)
        desk.pass(.seconds(1))
        desk.answer(0)
        #expect(desk.state() == .backup)
    }

    @Test func `a script that cannot be ended leads to FAULT although no run of it ends any more`() {
        var desk = Desk([instance(tracking: [TrackedObject("check")])], [block(fall: 2)])
        desk.handle(.start([:], uptime: .zero))
        desk.pass(.zero)
        desk.answer(0)
        desk.pass(.seconds(5))
        desk.report(.timedOut)
        #expect(desk.state() == .master)
        desk.abandoned = []
        for _ in 0..<20 { desk.pass(.milliseconds(500)) }
        #expect(desk.state() == .fault)
        #expect(desk.runs.isEmpty && desk.abandoned.isEmpty)
    }

    @Test(arguments: [(20, false, 120, 100), (-20, false, 100, 80), (20, true, 80, 100), (-20, true, 100, 120)])
    func `a weight counts as keepalived counts it`(weight: Int, isReversed: Bool, good: UInt8, failed: UInt8) {
        let tracked = TrackedObject("check", weight: weight, isReversed: isReversed)
        var desk = Desk([instance(tracking: [tracked])], [block()])
        desk.handle(.start([:], uptime: .zero))
        desk.pass(.zero)
        desk.answer(0)
        #expect(desk.priority() == good)
        desk.pass(.seconds(1))
        desk.answer(1)
        #expect(desk.priority() == failed)
        #expect(desk.state() == .backup)
    }

    @Test func `weights add up, faults are counted by script`() {
        var second = block()
        second.name = "other"
        var desk = Desk(
            [instance(tracking: [TrackedObject("check", weight: -30), TrackedObject("other", weight: -30)])],
            [block(), second])
        desk.handle(.start([:], uptime: .zero))
        desk.pass(.zero)
        desk.answer(1)
        #expect(desk.priority() == 40)
        desk.configuration.instances[0].trackedScripts = [TrackedObject("check"), TrackedObject("other")]
        desk.handle(.configuration(desk.configuration))
        #expect(desk.state() == .fault)
        desk.pass(.seconds(1))
        desk.handle(.script(desk.runs.removeFirst(), ended(0)))
        #expect(desk.state() == .fault)
        desk.answer(0)
        #expect(desk.state() == .backup)
    }

    @Test func `members of a group wait for each other's scripts`() {
        var desk = Desk(
            [
                instance("VI_1", number: 51, tracking: []),
                instance("VI_2", number: 52, tracking: [TrackedObject("check")]),
            ], [block()],
            groups: [["VI_1", "VI_2"]])
        desk.handle(.start([:], uptime: .zero))
        desk.pass(.milliseconds(500))
        #expect(desk.state("VI_1") == .initialize)
        desk.answer(0)
        desk.pass(.seconds(4))
        desk.answer(0)
        #expect(desk.state("VI_1") == .master)
        #expect(desk.state("VI_2") == .master)
        desk.pass(.seconds(1))
        desk.answer(1)
        #expect(desk.state("VI_1") == .fault)
    }

    @Test func `a master that comes back goes on before its scripts have run`() {
        var desk = Desk([instance(tracking: [TrackedObject("check", weight: 20)])], [block()])
        let identity = desk.configuration.instances[0].identity.description
        desk.handle(.start([identity: Predecessor(silence: .milliseconds(100))], uptime: .zero))
        #expect(desk.state() == .master)
        #expect(desk.priority() == 120)
        desk.pass(.zero)
        desk.answer(1)
        #expect(desk.priority() == 100)
    }

    @Test func `a reload keeps the results of a program that stays, and ends the run of one that goes`() {
        var desk = Desk([instance(tracking: [TrackedObject("check")])], [block()])
        desk.handle(.start([:], uptime: .zero))
        desk.pass(.zero)
        desk.answer(0)
        desk.pass(.seconds(5))
        #expect(desk.state() == .master)
        desk.answer(0)
        desk.pass(.seconds(1))
        desk.abandoned = []
        desk.configuration.scripts[0].fall = 2
        desk.handle(.configuration(desk.configuration))
        #expect(desk.state() == .master)
        #expect(desk.abandoned.isEmpty)
        let old = desk.runs
        desk.configuration.scripts[0].command.arguments = ["/bin/other"]
        desk.handle(.configuration(desk.configuration))
        #expect(desk.abandoned == old)
        #expect(desk.state() == .master)
        desk.handle(.script(old[0], ended(1)))
        #expect(desk.state() == .master)
    }

    /// A master or backup without scripts that a reload gives some; no run of theirs ends.
    private func reloaded(tracking tracked: [TrackedObject]) -> Desk {
        var desk = Desk([instance(tracking: [])], [])
        desk.handle(.start([:], uptime: .zero))
        desk.pass(.seconds(5))
        desk.configuration.instances[0].trackedScripts = tracked
        desk.configuration.scripts = [block()]
        desk.handle(.configuration(desk.configuration))
        desk.pass(.zero)
        desk.report(.notRun("no runner"))
        return desk
    }

    @Test(arguments: [(20, false), (-20, false), (20, true), (-20, true), (0, false), (0, true)])
    func `a script that has never run adds nothing and is no fault`(weight: Int, isReversed: Bool) {
        let desk = reloaded(tracking: [TrackedObject("check", weight: weight, isReversed: isReversed)])
        #expect(desk.priority() == 100)
        #expect(desk.state() == .master)
    }

    /// How a reload changes the script that is tracked: another name, another command, both.
    @Test(arguments: [("other", "/bin/check"), ("check", "/bin/other"), ("other", "/bin/other")])
    func `a fault ends when a run says so, not by a reload`(name: String, command: String) {
        var desk = Desk([instance(tracking: [TrackedObject("check")])], [block()])
        desk.handle(.start([:], uptime: .zero))
        desk.pass(.zero)
        desk.answer(1)
        #expect(desk.state() == .fault)
        desk.configuration.scripts[0].name = name
        desk.configuration.scripts[0].command.arguments = [command]
        desk.configuration.instances[0].trackedScripts = [TrackedObject(name)]
        desk.handle(.configuration(desk.configuration))
        for _ in 0..<10 {
            desk.pass(.seconds(1))
            desk.report(.notRun("no runner"))
            #expect(desk.state() == .fault)
        }
        desk.pass(.seconds(1))
        desk.answer(0)
        #expect(desk.state() == .backup)
    }

    @Test(arguments: [("other", "/bin/check"), ("check", "/bin/other")], [(0, UInt8(120)), (1, 100)])
    func `a weight stays over a reload until the next run says otherwise`(
        edit: (name: String, command: String), run: (status: Int, priority: UInt8)
    ) {
        var desk = Desk([instance(tracking: [TrackedObject("check", weight: 20)])], [block()])
        desk.handle(.start([:], uptime: .zero))
        desk.pass(.zero)
        desk.answer(run.status)
        #expect(desk.priority() == run.priority)
        desk.configuration.scripts[0].name = edit.name
        desk.configuration.scripts[0].command.arguments = [edit.command]
        desk.configuration.instances[0].trackedScripts = [TrackedObject(edit.name, weight: 20)]
        desk.handle(.configuration(desk.configuration))
        #expect(desk.priority() == run.priority)
        desk.pass(.seconds(1))
        desk.answer(1 - run.status)
        #expect(desk.priority() == 220 - run.priority)
    }

    @Test func `scripts that change names keep each its own standing`() {
        var second = block()
        (second.name, second.command.arguments) = ("second", ["/bin/second"])
        var desk = Desk([instance(tracking: [TrackedObject("check", weight: 20)])], [block()])
        desk.configuration.scripts = [block(), second]
        desk.configuration.instances[0].trackedScripts.append(TrackedObject("second", weight: 50))
        desk.handle(.configuration(desk.configuration))
        desk.handle(.start([:], uptime: .zero))
        desk.pass(.zero)
        for run in desk.runs { desk.handle(.script(run, ended(run.script == "second" ? 1 : 0))) }
        #expect(desk.priority() == 120)
        desk.configuration.scripts[0].name = "second"
        desk.configuration.scripts[1].name = "check"
        desk.handle(.configuration(desk.configuration))
        #expect(desk.priority() == 150)
    }

    @Test func `a runner that is away moves nothing`() {
        var desk = Desk([instance(tracking: [TrackedObject("check")])], [block()])
        desk.handle(.start([:], uptime: .zero))
        desk.pass(.zero)
        desk.answer(0)
        for _ in 0..<20 {
            desk.pass(.seconds(1))
            desk.report(.notRun("no runner"))
        }
        #expect(desk.state() == .master)
        #expect(desk.director.scriptHindrance?.why == "track_script check: no runner")
        desk.pass(.seconds(1))
        desk.answer(0)
        #expect(desk.director.scriptHindrance == nil)
    }

    /// A router that starts while scriptd is away.
    private func started(tracking tracked: TrackedObject, for duration: Int) -> Desk {
        var desk = Desk([instance(tracking: [tracked])], [block()])
        desk.handle(.start([:], uptime: .zero))
        for _ in 0..<duration {
            desk.pass(.seconds(1))
            desk.report(.notRun("no runner"))
        }
        return desk
    }

    @Test(arguments: [true, false])
    func `a router that starts without scriptd waits ten seconds, then its script has failed`(answers: Bool) {
        var desk = started(tracking: TrackedObject("check"), for: 9)
        #expect(desk.state() == .initialize)
        for _ in 0..<4 {
            desk.pass(.seconds(1))
            if answers { desk.report(.notRun("no runner")) }
        }
        #expect(desk.state() == .fault)
        #expect(desk.director.scriptHindrance != nil)
        desk.pass(.seconds(60))
        desk.answer(0)
        #expect(desk.state() == .backup)
    }

    @Test(arguments: [(20, false, 100), (-20, false, 80), (20, true, 80), (-20, true, 100)])
    func `a script that could not be run at the start never speaks for the router`(
        weight: Int, isReversed: Bool, priority: UInt8
    ) {
        var desk = started(tracking: TrackedObject("check", weight: weight, isReversed: isReversed), for: 12)
        #expect(desk.priority() == priority)
        #expect(desk.state() == .backup)
        desk.pass(.seconds(5))
        #expect(desk.state() == .master)
    }

    @Test func `members of a group wait together, and not for ever`() {
        var desk = Desk(
            [
                instance("VI_1", number: 51, tracking: []),
                instance("VI_2", number: 52, tracking: [TrackedObject("check")]),
            ], [block()], groups: [["VI_1", "VI_2"]])
        desk.handle(.start([:], uptime: .zero))
        for _ in 0..<12 {
            desk.pass(.seconds(1))
            desk.report(.notRun("no runner"))
        }
        #expect(desk.state("VI_1") == .fault)
        #expect(desk.state("VI_2") == .fault)
        desk.pass(.seconds(1))
        desk.answer(0)
        #expect(desk.state("VI_1") == .backup)
    }

    @Test func `a master that a reload gives a script while scriptd is away stays master`() {
        var desk = reloaded(tracking: [TrackedObject("check")])
        for _ in 0..<30 {
            desk.pass(.seconds(1))
            desk.report(.notRun("no runner"))
        }
        #expect(desk.state() == .master)
    }

    @Test func `one that cannot be begun is known although others run, and since when`() {
        var second = block()
        second.name = "other"
        var desk = Desk(
            [instance(tracking: [TrackedObject("check", weight: 1), TrackedObject("other", weight: 1)])],
            [block(), second])
        desk.handle(.start([:], uptime: .zero))
        desk.pass(.zero)
        for _ in 0..<10 {
            let open = desk.runs.sorted { $0.script < $1.script }
            desk.runs = []
            for run in open { desk.handle(.script(run, run.script == "check" ? .notRun("no process") : ended(0))) }
            #expect(desk.director.scriptHindrance == Hindrance(since: .zero, why: "track_script check: no process"))
            desk.pass(.seconds(1))
        }
        desk.configuration.scripts = [second]
        desk.configuration.instances[0].trackedScripts = [TrackedObject("other", weight: 1)]
        desk.handle(.configuration(desk.configuration))
        #expect(desk.director.scriptHindrance == nil)
    }

    @Test func `two hundred scripts do not begin in one turn`() {
        let scripts = (0..<200).map { number in
            var script = block()
            script.name = "check\(number)"
            return script
        }
        var desk = Desk([instance(tracking: scripts.map { TrackedObject($0.name, weight: 1) })], scripts)
        desk.handle(.start([:], uptime: .zero))
        desk.handle(.timer)
        #expect(desk.runs.count == 8)
        desk.pass(.zero)
        #expect(desk.runs.count <= 16)
        while let next = desk.director.deadline, next <= desk.now { desk.handle(.timer) }
        #expect(desk.runs.count == 200)
    }
}
