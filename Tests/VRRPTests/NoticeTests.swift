// What is told to the administrator's programs: keepalived's arguments and lines, one program at a time for each subject, in order, the last
// one never lost.

import Configuration
import Net
import Testing

@testable import Scripts
@testable import VRRP
@testable import vrrpd

private func at(_ seconds: Double) -> Instant { .zero + .milliseconds(Int64(seconds * 1000)) }

private func command(_ arguments: String...) -> ScriptCommand { ScriptCommand(arguments: arguments) }

private func notice(_ kind: Notice.Kind, _ name: String = "VI_1") -> Notice {
    Notice(subject: .instance(name), kind: kind, previous: .backup, priority: 100, reason: "a test")
}

private let all: NotifyCommands = {
    var commands = NotifyCommands()
    commands.master = command("/m")
    commands.backup = command("/b")
    commands.fault = command("/f")
    commands.stop = command("/s")
    commands.masterHeardLowerPriority = command("/l")
    commands.any = command("/any", "own")
    return commands
}()

private let done = ScriptReport.ended(.exited(0), lastLine: "")

/// A queue and what it has asked for.
private struct Desk {
    var queue = NoticeQueue<NoticeSubject>()
    var running: [NotifyJob] = []
    var ended: [NotifyJob] = []
    var begun: [String] = []
    /// The runner says of each job at once that it takes it on.
    var accepts = true

    init() { queue.adopt([.instance("VI_1"): all, .instance("VI_2"): all, .group("VI_1"): all]) }

    mutating func add(
        _ kind: Notice.Kind, at time: Double, _ name: String = "VI_1", in lane: String? = nil,
        _ commands: NotifyCommands = all
    ) {
        queue.add(notice(kind, name), commands, in: .group(lane ?? name), at: at(time))
        take(at: time)
    }

    mutating func hear(_ report: ScriptReport, at time: Double) {
        guard !running.isEmpty else { return }
        let job = running.removeFirst()
        queue.heard(report, of: job.number, at: at(time))
        take(at: time)
    }

    /// The runner takes on what it was asked for.
    mutating func accept(at time: Double) {
        for job in running { queue.heard(.accepted, of: job.number, at: at(time)) }
        take(at: time)
    }

    mutating func due(at time: Double) {
        if let deadline = queue.deadline, deadline <= at(time) { queue.due(at: at(time)) }
        take(at: time)
    }

    private mutating func take(at time: Double) {
        for order in queue.take().orders {
            switch order {
            case .start(let job):
                running.append(job)
                if accepts { queue.heard(.accepted, of: job.number, at: at(time)) }
                begun.append(job.command.arguments.joined(separator: " "))
            case .end(let job): ended.append(job)
            }
        }
    }
}

@Suite struct NoticeQueueTests {
    @Test func `the specific program comes first, then the general one with keepalived's arguments`() {
        var desk = Desk()
        desk.add(.master, at: 0)
        #expect(desk.begun == ["/m"])
        #expect(desk.running[0].environment["EVENKEEL_OLD_STATE"] == "BACKUP")
        #expect(desk.running[0].environment["EVENKEEL_STATE"] == "MASTER")
        desk.hear(done, at: 1)
        #expect(desk.begun == ["/m", "/any own INSTANCE VI_1 MASTER 100"])
        desk.hear(done, at: 2)
        #expect(desk.queue.isIdle)
        #expect(desk.queue.deadline == nil)
    }

    @Test func `one at a time for a subject, and subjects do not wait for each other`() {
        var desk = Desk()
        desk.add(.master, at: 0)
        desk.add(.backup, at: 0)
        desk.add(.master, at: 0, "VI_2")
        #expect(desk.begun == ["/m", "/m"])
        #expect(desk.running.map(\.subject) == ["VI_1", "VI_2"])
        desk.hear(done, at: 1)
        desk.hear(done, at: 1)
        #expect(desk.begun[2...] == ["/any own INSTANCE VI_1 MASTER 100", "/any own INSTANCE VI_2 MASTER 100"])
        desk.hear(done, at: 2)
        #expect(desk.begun.last == "/b")
    }

    @Test func `one that hangs has half a minute once a newer state waits`() {
        var desk = Desk()
        desk.add(.backup, at: 0)
        desk.due(at: 500)
        #expect(desk.ended.isEmpty)
        desk.add(.master, at: 500)
        desk.due(at: 529.9)
        #expect(desk.ended.isEmpty)
        desk.due(at: 530)
        #expect(desk.ended.map(\.word) == ["notify_backup"])
        #expect(desk.begun == ["/b"])
        desk.hear(.ended(.signalled(15), lastLine: ""), at: 531)
        desk.hear(done, at: 532)
        #expect(desk.begun == ["/b", "/any own INSTANCE VI_1 BACKUP 100", "/m"])
    }

    @Test func `of many that wait the oldest are left out, never the last, and none changes places`() {
        var desk = Desk()
        for turn in 0..<100 { desk.add(turn % 2 == 0 ? .master : .backup, at: Double(turn) / 10) }
        #expect(desk.begun == ["/m"])
        while !desk.running.isEmpty { desk.hear(done, at: 20) }
        #expect(desk.begun.count <= 2 + NoticeQueue<NoticeSubject>.limit)
        #expect(desk.begun.suffix(2) == ["/b", "/any own INSTANCE VI_1 BACKUP 100"])
        let states = desk.begun.filter { $0.count == 2 }
        #expect(zip(states.dropFirst(), states.dropFirst(2)).allSatisfy { $0 != $1 })
    }

    @Test func `what this host could not run is tried again, in its place`() {
        var desk = Desk()
        desk.add(.master, at: 0)
        desk.add(.backup, at: 0)
        for turn in 0..<5 {
            desk.hear(.notRun("no scriptd"), at: Double(turn))
            #expect(desk.running.isEmpty)
            desk.due(at: Double(turn) + 0.5)
        }
        #expect(desk.queue.hindrance == Hindrance(since: at(0), why: "notify_master of VI_1: no scriptd"))
        #expect(Set(desk.begun) == ["/m"])
        while !desk.running.isEmpty { desk.hear(done, at: 20) }
        #expect(desk.begun.suffix(3).first == "/any own INSTANCE VI_1 MASTER 100")
        #expect(desk.queue.hindrance == nil)
    }

    @Test func `a program that cannot be run is known until it can`() {
        var desk = Desk()
        desk.add(.master, at: 0)
        desk.hear(.ended(.refused("no such file"), lastLine: ""), at: 0)
        #expect(desk.queue.refusals == [.instance("VI_1"): "notify_master: no such file"])
        desk.hear(done, at: 1)
        #expect(desk.queue.refusals.count == 1)
        desk.add(.master, at: 2)
        desk.hear(done, at: 2)
        #expect(desk.queue.refusals.isEmpty)
    }

    @Test func `at stop what waits is left out, and the last words overtake one that hangs`() {
        var desk = Desk()
        desk.add(.backup, at: 0)
        desk.add(.master, at: 0)
        desk.add(.stop, at: 1)
        #expect(desk.begun == ["/b"])
        desk.due(at: 2)
        #expect(desk.begun == ["/b", "/s", "/any own INSTANCE VI_1 STOP 100"])
        for _ in 0..<3 { desk.hear(done, at: 2) }
        #expect(desk.queue.isIdle)
    }

    @Test func `at stop a last word that hangs does not hold up the other one`() {
        var desk = Desk()
        desk.add(.stop, at: 1)
        #expect(desk.begun == ["/s"])
        desk.due(at: 2)
        #expect(desk.begun == ["/s", "/any own INSTANCE VI_1 STOP 100"])
    }

    @Test func `at stop a last word that cannot be begun is tried again, now and then`() {
        var desk = Desk()
        desk.add(.backup, at: 0)
        desk.hear(.notRun("no scriptd"), at: 0)
        desk.add(.stop, at: 0.1)
        for turn in 1...5 {
            while !desk.running.isEmpty { desk.hear(.notRun("no scriptd"), at: Double(turn)) }
            #expect(!desk.queue.isIdle)
            #expect(desk.begun.count <= 2 * turn)
            desk.due(at: Double(turn) + 0.5)
        }
        while !desk.running.isEmpty { desk.hear(done, at: 7) }
        #expect(desk.begun.suffix(2) == ["/s", "/any own INSTANCE VI_1 STOP 100"])
        #expect(desk.queue.isIdle)
    }

    private static let refusal = ScriptReport.ended(.refused("no such file"), lastLine: "")

    @Test func `what is known of a program goes with its word, its command and its subject`() {
        var others = all
        others.master = command("/other")
        var without = all
        without.master = nil
        let edited: [[NoticeSubject: NotifyCommands]] = [
            [:], [.instance("VI_1"): others], [.instance("VI_1"): without],
        ]
        for commands in edited {
            var desk = Desk()
            desk.add(.master, at: 0)
            desk.hear(Self.refusal, at: 0)
            desk.queue.adopt([.instance("VI_1"): all])
            #expect(desk.queue.refusals.count == 1)
            desk.queue.adopt(commands)
            #expect(desk.queue.refusals.isEmpty)
            desk.hear(done, at: 1)
            #expect(desk.queue.isIdle)
        }
    }

    @Test func `a program that a reload took away is not complained of afterwards`() {
        var desk = Desk()
        desk.add(.master, at: 0)
        desk.queue.adopt([NoticeSubject: NotifyCommands]())
        desk.hear(Self.refusal, at: 0)
        #expect(desk.queue.refusals.isEmpty)
    }

    @Test func `a program that runs does not speak for another one, nor an instance for the group of its name`() {
        var desk = Desk()
        desk.add(.master, at: 0)
        desk.hear(Self.refusal, at: 0)
        desk.hear(Self.refusal, at: 0)
        #expect(desk.queue.refusals == [.instance("VI_1"): "notify_master: no such file (and 1 more)"])
        desk.add(.backup, at: 1)
        desk.hear(done, at: 1)
        desk.hear(done, at: 1)
        #expect(desk.queue.refusals == [.instance("VI_1"): "notify_master: no such file"])
        desk.queue.add(
            Notice(subject: .group("VI_1"), kind: .master, previous: .backup, priority: 0, reason: "a test"), all,
            in: .group("another"), at: at(2))
        for order in desk.queue.take().orders {
            if case .start(let job) = order { desk.queue.heard(done, of: job.number, at: at(2)) }
        }
        #expect(desk.queue.refusals.count == 1)
    }

    @Test func `one lane that runs does not hide that another one cannot`() {
        var desk = Desk()
        desk.add(.master, at: 0)
        desk.hear(.notRun("no process"), at: 0)
        desk.add(.master, at: 1, "VI_2")
        desk.hear(done, at: 1)
        desk.hear(done, at: 1)
        #expect(desk.queue.hindrance == Hindrance(since: at(0), why: "notify_master of VI_1: no process"))
    }

    @Test func `one that is not heard of after it was asked to end is said, and nothing is lost`() {
        var desk = Desk()
        desk.add(.backup, at: 0)
        desk.add(.master, at: 10)
        desk.due(at: 40)
        #expect(desk.ended.map(\.word) == ["notify_backup"])
        #expect(desk.queue.hindrance == nil)
        desk.due(at: 44)
        #expect(desk.queue.hindrance?.since == at(40))
        #expect(desk.queue.deadline == nil)
        desk.hear(.notRun("scriptd closed the connection"), at: 100)
        desk.due(at: 101)
        while !desk.running.isEmpty { desk.hear(done, at: 102) }
        #expect(
            desk.begun == [
                "/b", "/b", "/any own INSTANCE VI_1 BACKUP 100", "/m", "/any own INSTANCE VI_1 MASTER 100",
            ])
        #expect(desk.queue.hindrance == nil)
        #expect(desk.queue.isIdle)
    }

    @Test func `one for which nothing waits must be heard of when its time is over, too`() {
        var desk = Desk()
        desk.add(.backup, at: 0)
        desk.due(at: 604)
        desk.due(at: 608)
        #expect(desk.ended.count == 1)
        #expect(desk.queue.hindrance?.since == at(604))
    }

    @Test func `a runner that does not take a program on is known in seconds, and nothing is lost`() {
        var desk = Desk()
        desk.accepts = false
        desk.add(.backup, at: 1)
        desk.due(at: 3.9)
        #expect(desk.queue.hindrance == nil)
        desk.due(at: 4)
        #expect(desk.queue.hindrance == Hindrance(since: at(1), why: "notify_backup of VI_1: scriptd does not answer"))
        desk.add(.master, at: 5)
        desk.due(at: 300)
        #expect(desk.begun == ["/b"] && desk.ended.isEmpty)
        desk.accepts = true
        desk.accept(at: 301)
        #expect(desk.queue.hindrance == nil)
        while !desk.running.isEmpty { desk.hear(done, at: 302) }
        #expect(desk.begun.last == "/any own INSTANCE VI_1 MASTER 100")
        #expect(desk.queue.isIdle)
    }

    @Test func `a runner that takes programs on and cannot run them is known, too`() {
        var desk = Desk()
        desk.add(.backup, at: 0)
        for turn in 0..<8 {
            desk.hear(.notRun("no process"), at: Double(turn) / 2)
            desk.due(at: Double(turn + 1) / 2)
        }
        #expect(desk.queue.hindrance?.since == at(0))
    }

    @Test func `another name is no other lane, and one that moves keeps its order`() {
        var desk = Desk()
        desk.add(.backup, at: 0, "VI_1", in: "lane")
        desk.add(.master, at: 0, "VI_2", in: "lane")
        #expect(desk.begun == ["/b"])
        desk.queue.move(.group("lane"), to: .group("other"))
        desk.add(.fault, at: 0, "VI_2", in: "other")
        #expect(desk.begun == ["/b"])
        while !desk.running.isEmpty {
            desk.hear(done, at: 1)
            #expect(desk.running.count <= 1)
        }
        #expect(desk.begun.last == "/any own INSTANCE VI_2 FAULT 100")
        #expect(desk.queue.isIdle)
    }

    @Test func `what says nothing new waits once`() {
        var desk = Desk()
        desk.add(.master, at: 0)
        for turn in 0..<50 { desk.add(.heardLowerPriority, at: Double(turn)) }
        while !desk.running.isEmpty { desk.hear(done, at: 60) }
        #expect(desk.begun.count { $0 == "/l" } == 1)
        #expect(desk.ended.isEmpty)
    }
}

@Suite struct NoticeTests {
    private func host(_ blocks: [VRRPInstanceConfiguration], groups: [SyncGroupConfiguration] = []) -> (
        SimulatedNetwork, ScriptedHost
    ) {
        let network = SimulatedNetwork()
        let host = ScriptedHost(0, Configuration(instances: blocks, syncGroups: groups), in: network)
        network.hosts = [host]
        host.set(2, "eth0")
        host.add("10.0.0.1/24", to: 2)
        return (network, host)
    }

    /// As seen of keepalived 2.2.7, but for what this one could not see: the end.
    @Test func `lines come in keepalived's order, of members and their group`() {
        let (network, host) = host(
            [
                block("A"), block("B", router: 52, addresses: ["10.0.0.101/24"]),
                block("C", router: 53, addresses: ["10.0.0.102/24"]),
            ], groups: [SyncGroupConfiguration(name: "G", members: ["A", "B"])])
        host.start()
        network.run(.seconds(5))
        host.set(2, "eth0", up: false)
        network.run(.seconds(1))
        host.set(2, "eth0", up: true)
        network.run(.seconds(1))
        host.reload(
            Configuration(
                instances: [block("A"), block("B", router: 52, addresses: ["10.0.0.101/24"])],
                syncGroups: host.configuration.syncGroups))
        host.tell { $0.stop() }
        let lines = host.lines
        #expect(
            lines.prefix(4) == [
                #"GROUP "G" BACKUP 0"#, #"INSTANCE "A" BACKUP 100"#, #"INSTANCE "B" BACKUP 100"#,
                #"INSTANCE "C" BACKUP 100"#,
            ])
        func of(_ word: String) -> [String] { lines.filter { $0.contains(" \(word) ") } }
        #expect(
            of("MASTER").filter { !$0.contains(#""C""#) } == [
                #"INSTANCE "A" MASTER 100"#, #"INSTANCE "B" MASTER 100"#, #"GROUP "G" MASTER 0"#,
            ])
        #expect(
            of("FAULT") == [
                #"INSTANCE "A" FAULT 100"#, #"INSTANCE "B" FAULT 100"#, #"INSTANCE "C" FAULT 100"#,
                #"GROUP "G" FAULT 0"#, #"INSTANCE "C" FAULT 100"#,
            ])
        #expect(lines.suffix(3) == [#"INSTANCE "A" STOP 100"#, #"INSTANCE "B" STOP 100"#, #"GROUP "G" STOP 0"#])
    }

    /// As keepalived 2.2.7 writes them; later a group comes behind its members.
    @Test func `at the start all groups come before all instances, in the order of the file`() {
        let (network, host) = host(
            [
                block("A"), block("C", router: 53, addresses: ["10.0.0.102/24"]),
                block("B", router: 52, addresses: ["10.0.0.101/24"]),
            ],
            groups: [
                SyncGroupConfiguration(name: "H", members: ["B"]), SyncGroupConfiguration(name: "G", members: ["C"]),
            ])
        host.start()
        network.run(.seconds(5))
        #expect(
            host.lines.prefix(5) == [
                #"GROUP "H" BACKUP 0"#, #"GROUP "G" BACKUP 0"#, #"INSTANCE "A" BACKUP 100"#,
                #"INSTANCE "C" BACKUP 100"#, #"INSTANCE "B" BACKUP 100"#,
            ])
        host.tell { $0.stop() }
        #expect(
            host.lines.suffix(5) == [
                #"INSTANCE "A" STOP 100"#, #"INSTANCE "C" STOP 100"#, #"INSTANCE "B" STOP 100"#,
                #"GROUP "H" STOP 0"#, #"GROUP "G" STOP 0"#,
            ])
    }

    @Test func `programs of a virtual router follow each other whatever its name is, and those of a group`() {
        var told = block("A")
        told.notify.any = command("/any")
        var group = SyncGroupConfiguration(name: "G", members: ["A"])
        group.notify.any = command("/group")
        let (network, host) = host([told], groups: [group])
        host.start()
        network.run(.seconds(1))
        #expect(host.jobs.map(\.subject) == ["A", "G"])
        told.name = "Z"
        (group.name, group.members) = ("H", ["Z"])
        host.reload(Configuration(instances: [told], syncGroups: [group]))
        network.run(.seconds(5))
        #expect(host.lines.last == #"GROUP "H" MASTER 0"#)
        #expect(host.jobs.count == 2)
        let first = host.jobs
        for job in first { host.tell { $0.hear(.ended(.exited(0), lastLine: ""), ofJob: job.number) } }
        #expect(Set(host.jobs.dropFirst(2).map(\.subject)) == ["Z", "H"])
        #expect(host.jobs[0].lane == host.jobs.last { $0.subject == "Z" }?.lane)
    }

    @Test func `a name that goes on as another virtual router is told of one state at a time`() {
        var told = block("A")
        told.notify.any = command("/any")
        let (network, host) = host([told])
        host.start()
        network.run(.seconds(5))
        let done = { (number: Int) in host.tell { $0.hear(.ended(.exited(0), lastLine: ""), ofJob: number) } }
        var ended = 0
        while ended < host.jobs.count {
            done(host.jobs[ended].number)
            ended += 1
        }
        told.virtualRouterID = 77
        host.reload(Configuration(instances: [told]))
        network.run(.seconds(1))
        #expect(host.lines.suffix(2) == [#"INSTANCE "A" FAULT 100"#, #"INSTANCE "A" BACKUP 100"#])
        #expect(host.jobs.count == ended + 1, "the first has not ended")
        done(host.jobs[ended].number)
        #expect(host.jobs.count == ended + 2)
        #expect(host.jobs.suffix(2).first?.lane != nil)
    }

    @Test func `a removed instance is DELETED where it says so`() {
        var deleted = block("A")
        deleted.notify.saysDeleted = true
        deleted.notify.any = command("/any")
        let (network, host) = host([deleted, block("B", router: 52, addresses: ["10.0.0.101/24"])])
        host.start()
        network.run(.seconds(1))
        host.reload(Configuration(instances: []))
        #expect(host.lines.suffix(2) == [#"INSTANCE "A" DELETED 100"#, #"INSTANCE "B" FAULT 100"#])
    }

    @Test func `a change of priority is told where it is asked for`() {
        var block = block("A")
        block.notifiesPriorityChanges = true
        block.notify.any = command("/any")
        block.trackedInterfaces = [TrackedObject("eth1", weight: -10)]
        let (network, host) = host([block])
        host.set(3, "eth1", segment: 1)
        host.start()
        network.run(.seconds(5))
        host.set(3, "eth1", segment: 1, up: false)
        network.run(.seconds(1))
        #expect(host.lines.last == #"INSTANCE "A" MASTER_PRIORITY 90"#)
        // In the pipes alone, as in keepalived.
        for number in host.jobs.indices {
            host.tell { $0.hear(.ended(.exited(0), lastLine: ""), ofJob: host.jobs[number].number) }
        }
        #expect(Set(host.jobs.flatMap(\.command.arguments)).isDisjoint(with: ["MASTER_PRIORITY"]))
    }

    @Test func `a group asks for its members' changes of priority`() {
        var group = SyncGroupConfiguration(name: "G", members: ["A"])
        group.notifiesPriorityChanges = true
        group.trackedInterfaces = [TrackedObject("eth1", weight: -10)]
        let (network, host) = host([block("A"), block("B", router: 52)], groups: [group])
        host.set(3, "eth1", segment: 1)
        host.start()
        network.run(.seconds(5))
        host.set(3, "eth1", segment: 1, up: false)
        network.run(.seconds(1))
        #expect(host.lines.last == #"INSTANCE "A" MASTER_PRIORITY 90"#)
    }

    /// keepalived 2.2.7 writes the groups first, too; of instances that are master it says nothing.
    @Test func `a reload writes all states into the pipes where that is asked for, and tells no program`() {
        var told = block("A")
        told.notify.any = command("/any")
        let groups = [SyncGroupConfiguration(name: "G", members: ["A"])]
        let (network, host) = host([told, block("B", router: 52, addresses: ["10.0.0.101/24"])], groups: groups)
        host.start()
        network.run(.seconds(5))
        let before = host.lines
        var configuration = Configuration(instances: host.configuration.instances, syncGroups: groups)
        host.reload(configuration)
        #expect(host.lines == before)
        configuration.global.writesStatesOnReload = true
        let jobs = host.jobs.count
        host.reload(configuration)
        #expect(
            host.lines.dropFirst(before.count) == [
                #"GROUP "G" MASTER 0"#, #"INSTANCE "A" MASTER 100"#, #"INSTANCE "B" MASTER 100"#,
            ])
        #expect(host.jobs.count == jobs)
        network.run(.seconds(5))
        #expect(host.lines.count == before.count + 3)
    }
}

@Suite struct StartupScriptTests {
    private func host(timeout: Duration = .seconds(20)) -> (SimulatedNetwork, ScriptedHost) {
        let network = SimulatedNetwork()
        var configuration = Configuration(instances: [block("VI_1")])
        configuration.global.startupScript = LifeScript(command("/start"), timeout: timeout)
        let host = ScriptedHost(0, configuration, in: network)
        network.hosts = [host]
        host.set(2, "eth0")
        host.add("10.0.0.1/24", to: 2)
        return (network, host)
    }

    @Test(arguments: [ScriptReport.ended(.exited(0), lastLine: ""), .ended(.exited(1), lastLine: ""), .timedOut])
    func `elections begin when the startup script is over, whatever comes of it`(report: ScriptReport) {
        let (network, host) = host()
        host.start()
        network.run(.seconds(10))
        #expect(host.state() == .initialize)
        #expect(host.sent.isEmpty)
        host.tell { _ in host.preparing?(report) }
        #expect(host.state() == .backup)
        network.run(.seconds(5))
        #expect(host.state() == .master)
        #expect(host.remarks.contains(.lifeScript("startup_script", report)))
    }

    @Test func `they wait no longer than its time, also where nothing is heard of it`() {
        let (network, host) = host(timeout: .seconds(7))
        host.start()
        network.run(.seconds(6.9))
        #expect(host.state() == .initialize)
        network.run(.seconds(1.2))
        #expect(host.state() == .backup)
        host.tell { _ in host.preparing?(.ended(.exited(0), lastLine: "")) }
        network.run(.seconds(5))
        #expect(host.state() == .master)
    }

    @Test func `a master that goes on does not wait, and a reload runs nothing`() {
        let (network, host) = host()
        host.start()
        host.tell { _ in host.preparing?(.ended(.exited(0), lastLine: "")) }
        network.run(.seconds(5))
        #expect(host.state() == .master)
        host.crash()
        host.start()
        #expect(host.state() == .master)
        host.tell { _ in host.preparing?(.ended(.exited(0), lastLine: "")) }
        host.reload(host.configuration)
        network.run(.seconds(1))
        #expect(host.state() == .master)
        #expect(host.remarks.count { if case .lifeScript = $0 { true } else { false } } == 2)
    }
}
