// What an instance has besides the macvlan that it speaks from: macvlans for addresses on other interfaces (`use_vmac_addr`, `use_vmac` of an
// address), announcements of those (`garp_extra_if`), and `promote_secondaries` on its interface.

import Configuration
import Net
import Netlink
import Testing
import VRRP

@testable import vrrpd

/// The virtual MAC of router 51.
private let mac = MACAddress(rawValue: 0x0000_5E00_0133)

/// An instance on eth0 with one address there and one on eth1, which has the virtual MAC there.
private func elsewhere(_ name: String = "VI_1", router: UInt8 = 51, address: String = "10.1.0.100/24")
    -> VRRPInstanceConfiguration
{
    var block = block(name, router: router)
    block.excludedAddresses = VRRPTests.block(addresses: [address], device: "eth1").virtualAddresses
    block.excludedAddresses[0].virtualMAC = VirtualMACConfiguration(
        name: "vrrp.51", mac: VirtualMACConfiguration.mac(virtualRouterID: 51, .inet))
    return block
}

/// One host with these, eth0 and eth1, as master for ten seconds.
private func master(_ blocks: [VRRPInstanceConfiguration]) -> (SimulatedNetwork, ScriptedHost) {
    let (network, host) = lone(blocks)
    host.set(3, "eth1", segment: 1)
    host.add("10.1.0.1/24", to: 3)
    host.start()
    network.run(.seconds(14))
    return (network, host)
}

extension ScriptedHost {
    fileprivate func link(_ name: String) -> Link? { links.values.first { $0.name == name } }
    fileprivate func shown(_ name: String) -> [String] { link(name).map { shown($0.index) } ?? [] }
    fileprivate var promotes: UInt32? { links[2]?.ipv4?.promotesSecondaries }
}

private func promoting(_ name: String = "VI_1", router: UInt8 = 51) -> VRRPInstanceConfiguration {
    var block = block(name, router: router, addresses: ["10.0.0.\(router)/24"])
    block.promoteSecondaries = true
    return block
}

@Suite struct OtherInterfaceTests {
    @Test
    func `an address on another interface is on a macvlan there, announced with its MAC; adverts stay as they are`()
        throws
    {
        let (network, host) = master([elsewhere()])
        let macvlan = try #require(host.link("vrrp.51"))
        #expect(macvlan.parent == 3 && macvlan.mac == mac && macvlan.isUsable)
        #expect(host.shown("vrrp.51") == ["10.1.0.100/24"])
        #expect(host.shown(2) == ["10.0.0.1/24", "10.0.0.100/24"])
        #expect(host.sentFrom.isEmpty && !host.sent.isEmpty)
        let announced = host.frames.filter { $0.link == 3 }
        #expect(!announced.isEmpty && announced.allSatisfy { MACAddress(octets: $0.bytes[6..<12]) == mac })
        #expect(host.links[2]?.ipv4?.arpIgnore == 0 && host.links[3]?.ipv4?.arpIgnore == 1)
        host.tell { daemon in _ = daemon.director.router(named: "VI_1").map { daemon.stepDown($0) } }
        network.run(.milliseconds(10))
        #expect(host.link("vrrp.51")?.isUp == false)
        #expect(host.shown("vrrp.51") == [])
        host.stop()
        #expect(host.link("vrrp.51") == nil && host.links[3]?.ipv4?.arpIgnore == 0)
    }

    @Test func `two instances share one; it goes with the last`() {
        let (network, host) = master([elsewhere(), elsewhere("VI_2", router: 52, address: "10.1.0.110/24")])
        #expect(host.shown("vrrp.51") == ["10.1.0.100/24", "10.1.0.110/24"])
        host.tell { daemon in _ = daemon.director.router(named: "VI_1").map { daemon.stepDown($0) } }
        network.run(.milliseconds(10))
        #expect(host.shown("vrrp.51") == ["10.1.0.110/24"])
        #expect(host.link("vrrp.51")?.isUp == true)
        host.reload(Configuration(instances: [elsewhere()]))
        network.run(.seconds(1))
        #expect(host.link("vrrp.51")?.isUp == false)
        host.reload(Configuration(instances: [block()]))
        network.run(.seconds(1))
        #expect(host.link("vrrp.51") == nil && host.links[3]?.ipv4?.arpIgnore == 0)
    }

    @Test func `it is put back when somebody deletes it, and a name that is taken is a fault`() throws {
        let (network, host) = master([elsewhere()])
        host.delete(try #require(host.link("vrrp.51")).index)
        network.run(.milliseconds(10))
        #expect(host.shown("vrrp.51") == ["10.1.0.100/24"])
        #expect(host.view()?.machine.statistics.becameMaster == 1)
        host.stop()
        host.set(9, "vrrp.51", segment: 4)
        host.start()
        network.run(.seconds(5))
        #expect(
            host.concerns().faults.map { "\($0)" } == [
                "no interface vrrp.51 can be made: another interface has that name"
            ])
    }

    @Test(arguments: [(true, false), (false, true), (false, false), (true, true)])
    func `garp_extra_if announces on other interfaces once in a while`(
        _ hasMAC: Bool, _ isForAll: Bool
    ) {
        let expected: Set<Int32> = hasMAC || isForAll ? [3] : []
        var block = elsewhere()
        if !hasMAC { block.excludedAddresses[0].virtualMAC = nil }
        block.excludedAddresses.append(block.excludedAddresses[0])
        block.excludedAddresses[1].prefix = prefix("10.1.0.101/24")
        block.gratuitousARP.extraInterval = .seconds(20)
        block.gratuitousARP.extraCoversAll = isForAll
        let (network, host) = master([block])
        host.forget()
        network.run(.seconds(60))
        #expect(Set(host.frames.map(\.link)) == expected)
        #expect(host.frames.count == expected.count * 3, "one frame, whatever the number of addresses")
        host.set(2, "eth0", up: false)
        network.run(.milliseconds(10))
        host.forget()
        network.run(.seconds(60))
        #expect(host.frames.isEmpty)
    }

    @Test func `a reload begins and ends garp_extra_if on a master`() {
        var block = elsewhere()
        let (network, host) = master([block])
        block.gratuitousARP.extraInterval = .seconds(5)
        host.reload(Configuration(instances: [block]))
        host.forget()
        network.run(.seconds(11))
        #expect(host.frames.count == 2)
        block.gratuitousARP.extraInterval = .zero
        host.reload(Configuration(instances: [block]))
        network.run(.seconds(60))
        #expect(host.frames.count == 2)
    }

    @Test func `promote_secondaries is set while an instance wants it, and put back`() {
        let (network, host) = lone([promoting(), promoting("VI_2", router: 52)])
        host.start()
        network.run(.milliseconds(10))
        #expect(host.promotes == 1)
        try? host.apply(.configure(2, "eth0", LinkSettings(ipv4: IPv4Settings(promotesSecondaries: 0))))
        network.run(.milliseconds(1100))
        #expect(host.promotes == 1, "somebody else has taken it back")
        host.reload(Configuration(instances: [promoting(), block("VI_2", router: 52)]))
        network.run(.milliseconds(10))
        #expect(host.promotes == 1)
        host.stop()
        #expect(host.promotes == 0)
    }

    @Test func `promote_secondaries that was set before stays`() {
        let (network, host) = lone([promoting()])
        host.parentSettings.promotesSecondaries = 1
        host.delete(2)
        host.set(2, "eth0")
        host.start()
        network.run(.seconds(1))
        host.stop()
        #expect(host.promotes == 1)
        #expect(host.linkRequests.isEmpty)
    }

    @Test func `promote_secondaries that the kernel refuses is an alarm and no fault`() {
        let (network, host) = lone([promoting()])
        host.refusesLink = { _ in .refused(code: 1, message: "") }
        host.start()
        network.run(.seconds(10))
        #expect(host.state() == .master)
        #expect(host.concerns().promotion != nil)
        #expect((9...11).contains(host.linkRequests.count))
        host.refusesLink = { _ in nil }
        network.run(.seconds(2))
        #expect(host.promotes == 1 && host.concerns().isEmpty)
    }

    @Test func `nftables_priority and nftables_counters are asked for with the rules, and follow a reload`() {
        var refusing = block()
        refusing.accept = false
        let (network, host) = lone([refusing])
        host.configuration.global.dropPriority = -7
        host.configuration.global.countsDrops = true
        host.start()
        network.run(.seconds(5))
        #expect(host.dropRules == DropRules([address("10.0.0.100")], priority: -7, isCounting: true))
        host.reload(Configuration(instances: [refusing]))
        #expect(host.dropRules == DropRules([address("10.0.0.100")]))
        host.reload(Configuration(instances: [block()]))
        network.run(.milliseconds(10))
        #expect(host.dropRules == DropRules())
    }
}
