// In which order and how fast addresses are announced: rounds, `vrrp_garp_interval`, `garp_group`.

import Configuration
import Net
import Testing

@testable import VRRP
@testable import vrrpd

@Suite struct AnnouncementRoundTests {
    /// A host of two interfaces and one instance on each, of two addresses.
    private func host(_ configure: (inout Configuration) -> Void) -> (SimulatedNetwork, ScriptedHost) {
        var configuration = Configuration(instances: [
            block("A", router: 1, interface: "eth0", addresses: ["10.0.0.100/24", "10.0.0.101/24"]),
            block("B", router: 2, interface: "eth1", addresses: ["10.1.0.100/24", "10.1.0.101/24"]),
        ])
        configure(&configuration)
        let network = SimulatedNetwork()
        let host = ScriptedHost(0, configuration, in: network)
        network.hosts = [host]
        for (index, name, own) in [(2, "eth0", "10.0.0.1/24"), (3, "eth1", "10.1.0.1/24")] as [(Int32, String, String)]
        {
            host.set(index, name)
            host.add(own, to: index)
        }
        host.start()
        return (network, host)
    }

    /// The last octet of every address announced on an interface, in order.
    private func announced(_ host: ScriptedHost, on link: Int32) -> [UInt8] {
        host.frames.filter { $0.link == link }.map { $0.bytes[31] }
    }

    @Test func `every address is announced once before one is repeated`() {
        let (network, host) = host { _ in }
        network.run(.milliseconds(3700))
        #expect(announced(host, on: 2) == [100, 101, 100, 101, 100, 101, 100, 101, 100, 101])
    }

    @Test func `an interval holds the announcements of each interface apart, in rounds`() {
        let (network, host) = host {
            $0.global.gratuitousARP.interval = .milliseconds(100)
        }
        network.run(.milliseconds(3650))
        #expect(announced(host, on: 2) == [100])
        #expect(announced(host, on: 3) == [100])
        network.run(.milliseconds(950))
        #expect(announced(host, on: 2) == [100, 101, 100, 101, 100, 101, 100, 101, 100, 101])
    }

    @Test func `a group shares its interval, and has its own`() {
        let (network, host) = host {
            $0.global.gratuitousARP.interval = .milliseconds(1)
            var group = GARPGroupConfiguration()
            group.interval = .milliseconds(200)
            group.interfaces = ["eth0", "eth1"]
            $0.garpGroups = [group]
        }
        network.run(.milliseconds(3650))
        #expect(host.frames.count == 1)
        network.run(.seconds(1))
        #expect(host.frames.count == 6)
        #expect(announced(host, on: 2).count == 4)
    }

    @Test func `what waits is forgotten with the mastership`() {
        let (network, host) = host { $0.global.gratuitousARP.interval = .seconds(1) }
        network.run(.seconds(4))
        host.forget()
        host.set(2, "eth0", up: false)
        network.run(.seconds(8))
        #expect(announced(host, on: 2) == [])
        #expect(announced(host, on: 3).count == 8)
    }

    @Test func `a pacer that lost its limit lets everything go`() {
        var pacer = AnnouncementPacer()
        var configuration = Configuration()
        configuration.global.gratuitousARP.interval = .seconds(10)
        pacer.adopt(configuration)
        let keys = ["10.0.0.1", "10.0.0.2"].compactMap { IPAddress($0) }.map {
            AddressKey(link: 2, address: $0, length: 24)
        }
        for key in keys { pacer.add(key, on: "eth0", count: 2, at: .zero + .seconds(100)) }
        #expect(pacer.due(at: .zero + .seconds(100)) == [keys[0]])
        #expect(pacer.deadline == .zero + .seconds(110))
        pacer.adopt(Configuration())
        #expect(pacer.due(at: .zero + .seconds(101)) == [keys[1], keys[0], keys[1]])
        #expect(pacer.deadline == nil)
    }
}
