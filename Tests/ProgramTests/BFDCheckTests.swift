// BFD_CHECK with real sessions: vrrpd on host a has one with FRR's bfdd, or with another vrrpd, on host b; checkd hears of it over the bus. What
// the neighbor and the path do takes the server out and brings it back; what vrrpd, busd and this host do moves no verdict.

import Bus
import Glibc
import JSON
import Net
import Platform
import Testing

@Suite(.serialized, .enabled(if: canMakeNetworks), .timeLimit(.minutes(2)))
struct BFDCheckTests {
    let room: CheckRoom
    let segment: Segment
    let tap: EventTap
    let server = realServer(1)

    init() throws {
        room = try CheckRoom(bus: true)
        segment = try Segment(hosts: 2, loop: room.loop)
        tap = try room.listen([
            EventType.checkServer, EventType.alarm, EventType.vrrpSession, EventType.vrrpHeartbeat,
        ])
    }

    func configuration(_ name: String = "web", alpha: Bool = false) -> String {
        """
        bfd_instance \(name) {
         neighbor_ip \(segment.hosts[1].address)
         source_ip \(segment.hosts[0].address)
         min_rx 50
         min_tx 50
         multiplier 3
        }

        """ + virtualServer(["BFD_CHECK {\n name \(name)\n}"], delay: "3600", more: alpha ? "alpha" : "")
    }

    /// vrrpd on host a, with checkd's configuration and bus.
    func startVrrpd() throws -> Program {
        try Program(
            [
                Program.directory + "/vrrpd", "--config", room.directory + "/check.conf", "--run-dir",
                room.directory + "/run", "--state-dir", room.directory + "/vrrpd-state",
            ], on: segment.hosts[0], log: room.directory + "/vrrpd.log", loop: room.loop)
    }

    func end(_ program: Program, _ signal: Int32) throws {
        program.signal(signal)
        try room.eventually("it ends") { program.exit != nil }
    }

    /// The alarm about what cannot be asked from here.
    var alarm: String? { tap.standing(EventType.alarm)["checkd/probing"]?["message"]?.string }

    func sessionBecomes(_ state: String?, _ name: String = "web") throws {
        try room.eventually("the session is \(state ?? "gone")") {
            tap.standing(EventType.vrrpSession)[name]?["state"]?.string == state
        }
    }

    @Test(.enabled(if: hasFRR)) func `the server follows the session with FRR`() throws {
        try room.start(configuration())
        let vrrpd = try startVrrpd()
        defer { vrrpd.signal(SIGKILL) }
        // Never up, and nothing to excuse it any more.
        #expect(
            try room.becomes(server, .down).reason
                == "BFD_CHECK web: session with 10.77.0.2 down, never up yet")
        let frr = try segment.startFRR(on: segment.hosts[1], peer: segment.hosts[0])
        _ = try room.becomes(server, .up)
        frr.signal(SIGSTOP)
        let health = try room.becomes(server, .down)
        #expect(health.reason.hasSuffix("down: control detection time expired"))
        frr.signal(SIGCONT)
        _ = try room.becomes(server, .up)
        try segment.cable(segment.hosts[1], in: false)
        _ = try room.becomes(server, .down)
        try segment.cable(segment.hosts[1], in: true)
        _ = try room.becomes(server, .up)
        let trials = try room.call(CheckAPI.ProbeOnce(server: server)).trials
        #expect(trials.map(\.outcome) == [.success])
        #expect(trials.flatMap(\.notes).map(\.text) == ["session with 10.77.0.2 up"])
        try end(frr, SIGKILL)
        _ = try room.becomes(server, .down)
        let states = ["up", "down", "up", "down", "up", "down", "up", "down"]
        try room.eventually("all of it is heard") { tap.states(of: server) == states }
        #expect(alarm == nil)
        #expect(tap.standing(EventType.vrrpHeartbeat)["vrrpd"]?["intervalSeconds"]?.int == 2)
    }

    @Test(.enabled(if: hasFRR)) func `a vrrpd that is killed, stopped or started says nothing about the server`() throws
    {
        try room.start(configuration())
        try room.eventually("an alarm says that nobody runs the session") { alarm?.contains("vrrpd is away") == true }
        #expect(try room.list()[server]?.verified == false)
        let frr = try segment.startFRR(on: segment.hosts[1], peer: segment.hosts[0])
        defer { frr.signal(SIGKILL) }
        var vrrpd = try startVrrpd()
        defer { vrrpd.signal(SIGKILL) }
        _ = try room.becomes(server, .up)
        try room.eventually("the alarm ends") { alarm == nil }
        // Stopped for longer than FRR waits: it has given the session up.
        vrrpd.signal(SIGSTOP)
        try segment.observe(for: .milliseconds(500))
        vrrpd.signal(SIGCONT)
        try segment.observe(for: .milliseconds(500))
        try sessionBecomes("good")
        try end(vrrpd, SIGKILL)
        try room.eventually("an alarm says that vrrpd is away") { alarm?.contains("vrrpd is away") == true }
        let health = try #require(try room.list()[server])
        #expect(health.state == .up)
        #expect(health.checks.first?.runtime.reason.contains("vrrpd is away") == true)
        vrrpd = try startVrrpd()
        try room.eventually("the alarm ends") { alarm == nil }
        try sessionBecomes("good")
        // Restarted in good time: not even an alarm.
        try end(vrrpd, SIGTERM)
        try sessionBecomes(nil)
        let alarms = tap.events.count { $0["type"]?.string == EventType.alarm }
        vrrpd = try startVrrpd()
        try sessionBecomes("good")
        #expect(tap.events.count { $0["type"]?.string == EventType.alarm } == alarms)
        #expect(tap.states(of: server) == ["up"])
        #expect(try room.list()[server]?.state == .up)
    }

    @Test func `a session that this host cannot run says nothing about the server`() throws {
        let address = segment.hosts[0].address
        try room.start(configuration().replacing("source_ip \(address)", with: "source_ip 10.77.0.77"))
        let vrrpd = try startVrrpd()
        defer { vrrpd.signal(SIGKILL) }
        try room.eventually("an alarm says why") { alarm?.contains("cannot run the session with 10.77.0.2") == true }
        #expect(alarm?.lowercased().contains("cannot assign requested address") == true)
        #expect(try room.list()[server]?.state == .up)
        try segment.ip(["-n", segment.hosts[0].namespace, "addr", "add", "10.77.0.77/24", "dev", "eth0"])
        // Now it can, and nobody answers.
        #expect(try room.becomes(server, .down).reason.hasSuffix("down, never up yet"))
        try room.eventually("the alarm ends") { alarm == nil }
    }

    /// vrrpd on host b with a session of its own with host a, not started.
    func neighbor() throws -> Router {
        try Router(
            .vrrpd, on: segment.hosts[1], of: segment,
            """
            bfd_instance back {
             neighbor_ip \(segment.hosts[0].address)
             min_rx 50
             min_tx 50
             multiplier 3
            }

            """)
    }

    @Test func `two vrrpd, an alpha server, and reloads that rename, remove and add the session`() throws {
        let other = try neighbor()
        try room.start(configuration(alpha: true))
        let vrrpd = try startVrrpd()
        defer { vrrpd.signal(SIGKILL) }
        #expect(try room.list()[server]?.state == .down)
        try other.start()
        _ = try room.becomes(server, .up)
        func reload(_ text: String) throws {
            try room.configure(text)
            for program in [vrrpd, room.checkd] { program?.signal(SIGHUP) }
        }
        let ear = try other.startBus([EventType.vrrpSession])
        try room.eventually("the neighbor's session is up") {
            ear.1.standing(EventType.vrrpSession)["back"]?["state"]?.string == "good"
        }
        try reload(configuration("renamed", alpha: true))
        try sessionBecomes("good", "renamed")
        try sessionBecomes(nil)
        try room.eventually("the check goes over to it") {
            let health = try room.list()[server]
            return health?.verified == true && health?.checks.first?.runtime.lastLine == "session with 10.77.0.2 up"
        }
        #expect(tap.states(of: server) == ["down", "up"])
        #expect(ear.1.states(of: "back") == ["good"], "the neighbor has seen nothing of it")
        try reload(virtualServer([tcpCheck(9)], delay: "3600"))
        try sessionBecomes(nil, "renamed")
        try room.eventually("the neighbor hears that it is gone") { ear.1.states(of: "back").last != "good" }
        try reload(configuration(alpha: true))
        _ = try room.becomes(server, .up)
        try other.end(SIGTERM)
        #expect(try room.becomes(server, .down).reason.hasSuffix("down: neighbor signaled session down"))
        withExtendedLifetime(ear) {}
    }
}
