// `use_ipvlan` and `vrf` on a scripted host: the ipvlan is there with its address while the instance is configured, whoever is master, carries
// the sockets, survives a crash, is put back, and goes at the end; the VRF takes the interface's place.

import Configuration
import Net
import Netlink
import Testing
import VRRP

@testable import vrrpd

private func through(_ own: String? = "10.0.0.11/24", mode: IPVLANConfiguration.Mode = .bridge)
    -> VRRPInstanceConfiguration
{
    var block = block()
    block.ipvlan = IPVLANConfiguration(name: "vrrp.51", address: own.map(prefix), mode: mode)
    block.sourceAddress = own.map { prefix($0).address }
    return block
}

extension ScriptedHost {
    fileprivate var ipvlan: Link? { links.values.first { $0.name == "vrrp.51" } }
    fileprivate var own: [String] { ipvlan.map { shown($0.index) } ?? [] }
}

@Suite struct IPVLANTests {
    @Test
    func `a backup has it up with its address; adverts come from there, the virtual address stays on the interface`()
        throws
    {
        let (network, host) = lone([through()])
        host.start()
        network.run(.seconds(1))
        #expect(host.state() == .backup)
        let link = try #require(host.ipvlan)
        #expect(link.isIPVLAN && link.isUsable && link.parent == 2)
        #expect(host.own == ["10.0.0.11/24"])
        #expect(host.links[2]?.ipv4?.arpIgnore == 0)
        network.run(.seconds(5))
        #expect(host.state() == .master)
        #expect(host.shown(2) == ["10.0.0.1/24", "10.0.0.100/24"])
        #expect(host.sent.allSatisfy { $0.source == address("10.0.0.11") } && !host.sent.isEmpty)
        #expect(host.view()?.held.map { "\($0)" } == ["10.0.0.100/24"])
        #expect(host.frames.allSatisfy { $0.link == 2 } && host.frames.count == 5)
        host.stop()
        #expect(host.ipvlan == nil)
        #expect(host.shown(2) == ["10.0.0.1/24"])
    }

    @Test func `a crash leaves it to the next process, with its address; one without the word takes it off`() throws {
        let (network, host) = loneMaster([through()])
        let before = try #require(host.ipvlan)
        host.crash()
        network.run(.seconds(1))
        host.start()
        network.run(.seconds(1))
        #expect(host.state() == .master)
        #expect(host.ipvlan == before && host.own == ["10.0.0.11/24"])
        #expect(host.linkRequests.isEmpty && host.requests.isEmpty)
        host.crash()
        host.configuration = Configuration(instances: [block()])
        host.start()
        network.run(.seconds(1))
        #expect(host.ipvlan == nil)
    }

    @Test func `deleted, it is made again and nobody notices; its address, too`() throws {
        let (network, host) = loneMaster([through()])
        host.delete(try #require(host.ipvlan).index)
        network.run(.milliseconds(10))
        #expect(host.ipvlan?.isUsable == true && host.own == ["10.0.0.11/24"])
        host.remove("10.0.0.11/24", from: try #require(host.ipvlan).index)
        network.run(.seconds(2))
        #expect(host.own == ["10.0.0.11/24"])
        #expect(host.state() == .master && host.view()?.machine.statistics.becameMaster == 1)
        #expect(host.concerns().isEmpty)
    }

    @Test func `a reload brings it in and out, changes its address and its mode, without an election`() {
        let (network, host) = loneMaster([block()])
        host.reload(Configuration(instances: [through()]))
        network.run(.milliseconds(10))
        #expect(host.own == ["10.0.0.11/24"])
        host.reload(Configuration(instances: [through("10.0.0.12/24", mode: .private)]))
        network.run(.milliseconds(10))
        #expect(host.own == ["10.0.0.12/24"] && host.ipvlan?.kind == .ipvlan(flags: 1))
        host.reload(Configuration(instances: [block()]))
        network.run(.milliseconds(10))
        #expect(host.ipvlan == nil && host.state() == .master)
        #expect(host.view()?.machine.statistics.becameMaster == 1)
    }

    @Test func `a kernel without ipvlan is a fault that says so until it has it`() {
        let (network, host) = lone([through()])
        host.refusesLink = {
            if case .create = $0 { .refused(code: 95, message: "the kernel has no module ipvlan") } else { nil }
        }
        host.start()
        network.run(.seconds(10))
        #expect(host.state() == .fault)
        #expect(host.concerns().faults.map { "\($0)" }.first?.contains("no module ipvlan") == true)
        host.refusesLink = { _ in nil }
        network.run(.seconds(6))
        #expect(host.state() == .master)
    }

    @Test func `two directors with ipvlans elect one`() {
        var other = through("10.0.0.12/24")
        other.priority = 150
        let network = hosts([[through()], [other]])
        for host in network.hosts { host.start() }
        network.run(.seconds(10))
        #expect(network.hosts.map { $0.state() } == [.backup, .master])
        network.hosts[1].stop()
        network.run(.seconds(5))
        #expect(network.hosts[0].state() == .master)
    }

    @Test func `a VRF takes the interface's place`() {
        var block = block(interface: nil, device: "eth0")
        block.vrf = "blue"
        block.sourceAddress = address("10.0.0.1")
        block.delivery = .unicast(peers: [UnicastPeer(address("10.0.0.2"))], timeToLive: 255)
        let (network, host) = lone([block])
        host.start()
        network.run(.seconds(5))
        #expect(host.concerns().faults.map { "\($0)" } == ["interface blue does not exist"])
        host.set(9, "blue", segment: 9)
        network.run(.seconds(6))
        #expect(host.state() == .master)
        host.set(9, "blue", segment: 9, up: false)
        network.run(.milliseconds(10))
        #expect(host.state() == .fault)
    }
}
