// What events mean for alerts: as ipvsd publishes them, not as they might be.
import Alerts
import Bus
import JSON
import Testing

@testable import checkd

@Suite struct AlertFeedTests {
    private func sight(_ origin: IpvsAPI.Origin?, isLeaving: Bool? = nil) throws -> AlertSight? {
        let name = "tcp/192.0.2.1:80"
        let summary = IpvsAPI.ServiceSummary(
            name: name, context: IpvsAPI.ServiceContext(quorum: 2, hysteresis: 1),
            runtime: IpvsAPI.ServiceRuntime(
                state: .down, since: "then", reason: "why", weightUp: 1, onSorryServer: false, inKernel: true,
                isLeaving: isLeaving), origin: origin)
        let event = BusAPI.Event(
            specversion: "1.0", id: "1", source: "/ipvsd", type: EventType.ipvsService, subject: name, time: "now",
            data: summary.json)
        return AlertFeed.sight(of: .event(event)) { Issue.record("\($0)") }
    }

    @Test(arguments: [nil, IpvsAPI.Origin.configuration])
    func `a quorum of the configuration is told of`(_ origin: IpvsAPI.Origin?) throws {
        let look = ServiceLook(hasQuorum: false, quorum: 2, hysteresis: 1, weightUp: 1, reason: "why", since: "then")
        #expect(try sight(origin) == .service("tcp/192.0.2.1:80", look))
        #expect(try sight(origin, isLeaving: true) == nil)
    }

    @Test(arguments: [IpvsAPI.Origin.hand, .foreign])
    func `a quorum of nobody's is not`(_ origin: IpvsAPI.Origin) throws { #expect(try sight(origin) == nil) }
}
