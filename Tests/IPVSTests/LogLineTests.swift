// A line of ipvsd's log is as long for a table of ten thousand servers as for one of ten: names are counted beyond the first few.

import Configuration
import IPVS
import Net
import Testing

@testable import ipvsd

@Suite struct LogLineTests {
    private static let limit = 2048

    private func servers(_ count: Int) throws -> [ServerIdentity] {
        let web = try service("tcp/192.0.2.1:80")
        return (0..<count).map { number in
            let address = IPv4Address(10, UInt8(number >> 16 & 255), UInt8(number >> 8 & 255), UInt8(number & 255))
            return ServerIdentity(web, Endpoint(.v4(address), port: 80))
        }
    }

    @Test(arguments: [1, 20, 21, 11_000])
    func `names are counted beyond the first twenty`(_ count: Int) throws {
        let servers = try servers(count)
        let commands = servers.map { Command.addDestination($0.service, $0.endpoint, routed(1)) }
        let services = servers.map { VirtualServerIdentity.address(.tcp, $0.endpoint) }
        for (line, names) in [
            (KeeperNews.Line.repaired(commands), commands.map(\.description)),
            (.changedByOthers(services), services.map(\.description)),
            (.orphansDropped(servers), servers.map(\.description)),
        ] {
            let text = "\(line)"
            #expect(text.utf8.count < Self.limit)
            #expect(names.prefix(20).allSatisfy { text.contains($0) })
            #expect(text.hasSuffix(count > 20 ? " and \(count - 20) more" : names[count - 1]))
        }
    }

    @Test func `a flush of a large table is one line that names a few of the commands`() throws {
        let services = try (0..<40).map { try virtualServer("tcp/192.0.2.\($0 + 1):80", weights: [1, 1, 1]) }
        let rig = KeeperRig(services)
        rig.pass(.seconds(5))
        _ = rig.takeLines()
        rig.kernel.table = KernelTable()
        rig.pass(.seconds(11))
        let lines = rig.takeLines().map(\.description)
        #expect(lines.contains { $0.hasPrefix("somebody else changed the IPVS table; repaired: ") })
        #expect(lines.allSatisfy { $0.utf8.count < Self.limit }, "\(lines.map(\.utf8.count))")
        #expect(lines.count < 5)
    }
}
