// The table in the words of the bus: what lbctl sends, ipvsd understands as it was meant.
import Bus
import Configuration
import IPVS
import IPVSWords
import Net
import Testing

@testable import ipvsd

@Suite struct WordsTests {
    private static let service = VirtualServerIdentity.address(.tcp, Endpoint(.v4(IPv4Address(10, 0, 0, 1)), port: 80))
    private static let mark = VirtualServerIdentity.firewallMark(7, .inet6)
    private static let server = Endpoint(.v4(IPv4Address(10, 1, 0, 1)), port: 80)

    private static func destination(_ method: ForwardingMethod) -> TableCommand {
        let attributes = DestinationAttributes(
            forwarding: .method(method), weight: 5, upperThreshold: 9, lowerThreshold: 4)
        return .change(.addDestination(service, server, attributes))
    }

    private static var rich: ServiceAttributes {
        var attributes = ServiceAttributes(scheduler: "mh")
        attributes.flags = [.flag1, .flag3, .onePacket]
        attributes.persistence = Persistence(timeout: .seconds(60), prefixLength: 64, engine: "sip")
        return attributes
    }

    static let commands: [TableCommand] = [
        .change(.addService(mark, rich)),
        .change(.editService(service, ServiceAttributes(scheduler: "rr"))),
        .change(.deleteService(service)),
        destination(.masquerade),
        destination(.directRouting),
        destination(.tunnel(.ipip)),
        destination(.tunnel(.gue(port: 6080, .remote))),
        destination(.tunnel(.gre(.whole))),
        .change(.editDestination(service, server, DestinationAttributes(forwarding: .method(.masquerade), weight: 0))),
        .change(.deleteDestination(service, server)),
        .flush,
        .zero(nil),
        .zero(mark),
        .setTimeouts(TableTimeouts(tcp: 900, tcpFin: 0, udp: 2_678_400)),
        .synchronise(
            .start(
                SyncDaemon(
                    role: .backup, interface: "eth1", syncID: 4, group: .v4(IPv4Address(224, 0, 0, 81)), port: 8848,
                    timeToLive: 1, maximumLength: 900))),
        .synchronise(.stop(.master)),
    ]

    @Test(arguments: commands) func `a command is understood as it was meant`(_ command: TableCommand) throws {
        #expect(try TableCommand(IpvsAPI.TableCommand(command)) == command)
    }

    @Test func `since when a service of somebody else is up is not said`() {
        var snapshot = ServiceSnapshot(identity: Self.service, attributes: Self.rich)
        let attributes = DestinationAttributes(forwarding: .method(.masquerade))
        snapshot.destinations = [DestinationSnapshot(endpoint: Self.server, attributes: attributes)]
        let foreign = IpvsAPI.Service(foreign: snapshot)
        #expect(foreign.origin == .foreign && foreign.runtime.state == .up && foreign.servers.count == 1)
        #expect(foreign.runtime.since == nil && foreign.servers.allSatisfy { $0.runtime.since == nil })
    }
}
