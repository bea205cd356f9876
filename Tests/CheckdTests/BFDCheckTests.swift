// BFD_CHECK: what vrrpd says of a session and what follows for a server, in simulated time; and what follows when nobody says anything.
import Bus
import HealthCheck
import JSON
import Net
import Testing
import VRRP

@testable import checkd

@Suite struct BFDCheckTests {
    private final class Ear {
        var reports: [String: TrackerReport] = [:]
        var subscriptions = 0
        var handler: ((BusSubscription.Update) -> Void)?
    }

    private let turns = SimulatedTurns()
    private let ear = Ear()
    private let news: BFDNews

    init() {
        let ear = ear
        news = BFDNews(
            on: turns,
            subscribe: { handler in
                ear.subscriptions += 1
                ear.handler = handler
                return Ear()
            }, tell: { report, tracker in ear.reports[tracker.name] = report })
    }

    private func hear(_ type: String, _ subject: String, _ data: (some JSONCodable)?) {
        let event = BusAPI.Event(
            specversion: "1.0", id: "1", source: "/vrrpd", type: type, subject: subject, time: "",
            data: data?.json)
        ear.handler?(.event(event))
    }

    private func vrrpd(isThere: Bool) throws {
        hear(
            EventType.interface, VrrpAPI.interface,
            BusAPI.InterfaceState(state: isThere ? .attached : .lost, service: "vrrpd"))
    }

    private func session(
        _ name: String, _ state: VrrpAPI.TrackerState?, _ detail: String = "", hindrance: String? = nil
    ) throws {
        hear(
            EventType.vrrpSession, name,
            state.map {
                VrrpAPI.BFDSession(
                    name: name, neighbor: "192.0.2.3", state: $0, since: "", detail: detail, hindrance: hindrance)
            })
    }

    private func standing(_ name: String = "b") -> TrackerStanding? { ear.reports[name]?.standing }

    @Test func `what vrrpd says counts, and a session that has just begun says nothing`() throws {
        news.watch(["b"])
        try vrrpd(isThere: true)
        try session("b", .unknown, "down, never up yet")
        try session("other", .failed)
        ear.handler?(.snapshotComplete)
        turns.run(for: .seconds(60))
        #expect(ear.reports.isEmpty)
        try session("b", .good, "up")
        #expect(ear.reports == ["b": TrackerReport(.good, "session with 192.0.2.3 up")])
        try session("b", .failed, "down: neighbor signaled session down")
        #expect(ear.reports["b"]?.words == "session with 192.0.2.3 down: neighbor signaled session down")
        #expect(standing() == .failed)
        try session("b", .unknown, "down", hindrance: "bind(BFD): address already in use")
        #expect(standing() == .unknown && ear.reports["b"]?.words.hasSuffix("address already in use") == true)
        try session("b", .failed, "down")
        // A new one of another vrrpd: the last word stands.
        try session("b", .unknown, "down, never up yet")
        turns.run(for: .seconds(60))
        #expect(standing() == .failed)
    }

    @Test func `a vrrpd that goes takes what it said with it, but not at once`() throws {
        news.watch(["b"])
        try vrrpd(isThere: true)
        try session("b", .failed, "down")
        ear.handler?(.snapshotComplete)
        try vrrpd(isThere: false)
        turns.run(for: .milliseconds(2900))
        #expect(standing() == .failed)
        turns.run(for: .milliseconds(200))
        #expect(ear.reports["b"] == TrackerReport(.unknown, "vrrpd is away, which runs the BFD sessions"))
        try vrrpd(isThere: true)
        #expect(standing() == .failed, "what busd still keeps of it")
        // A restart in time is no news.
        try vrrpd(isThere: false)
        try session("b", nil)
        turns.run(for: .seconds(1))
        try vrrpd(isThere: true)
        turns.run(for: .seconds(1))
        try session("b", .good, "up")
        turns.run(for: .seconds(60))
        #expect(standing() == .good)
    }

    @Test func `a vrrpd that hangs is as good as away, until it is heard again`() throws {
        func beat() throws { hear(EventType.vrrpHeartbeat, "vrrpd", VrrpAPI.Heartbeat(intervalSeconds: 2)) }
        news.watch(["b"])
        // As the bus keeps it: of a vrrpd that may hang already.
        try beat()
        try vrrpd(isThere: true)
        try session("b", .good, "up")
        ear.handler?(.snapshotComplete)
        for _ in 0..<30 {
            turns.run(for: .seconds(2))
            try beat()
            #expect(standing() == .good)
        }
        turns.run(for: .milliseconds(8900))
        #expect(standing() == .good)
        turns.run(for: .milliseconds(200))
        #expect(ear.reports["b"] == TrackerReport(.unknown, "vrrpd, which runs the BFD sessions, hangs"))
        try beat()
        #expect(standing() == .good)
        // It has no sessions any more, and says so.
        try session("b", nil)
        hear(EventType.vrrpHeartbeat, "vrrpd", VrrpAPI.Heartbeat?.none)
        turns.run(for: .seconds(4))
        #expect(ear.reports["b"]?.words == "vrrpd has no BFD session b")
    }

    @Test func `a bus that is away says nothing, and what its snapshot leaves out has gone`() throws {
        news.watch(["b"])
        turns.run(for: .milliseconds(3100))
        #expect(ear.reports["b"]?.words.hasPrefix("the bus is away") == true)
        try vrrpd(isThere: true)
        try session("b", .good, "up")
        ear.handler?(.snapshotComplete)
        #expect(standing() == .good)
        ear.handler?(.lost)
        turns.run(for: .milliseconds(2900))
        #expect(standing() == .good)
        try vrrpd(isThere: true)
        ear.handler?(.snapshotComplete)
        turns.run(for: .milliseconds(3100))
        #expect(ear.reports["b"] == TrackerReport(.unknown, "vrrpd has no BFD session b"))
    }

    @Test func `only what checks name is followed, and the bus only while they name something`() throws {
        #expect(ear.subscriptions == 0)
        news.watch(["b"])
        try vrrpd(isThere: true)
        try session("b", .good, "up")
        try session("c", .failed, "down")
        ear.handler?(.snapshotComplete)
        #expect(ear.subscriptions == 1 && standing("c") == nil)
        news.watch(["c"])
        #expect(standing("c") == .failed)
        try session("b", .failed, "down")
        #expect(standing() == .good, "nobody asks any more")
        news.watch([])
        ear.reports = [:]
        turns.run(for: .seconds(60))
        #expect(ear.reports.isEmpty)
        news.watch(["b"])
        #expect(ear.subscriptions == 2 && ear.reports.isEmpty)
    }
}
