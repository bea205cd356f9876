// `use_vmac` on a scripted host: the macvlan is wanted, made, settled, up while master, adopted, put back and taken off, its parent is as it
// was afterwards, and what it sends and hears is right.

import Configuration
import Net
import Netlink
import Testing
import VRRP

@testable import vrrpd

/// The virtual MAC of router 51.
private let mac = MACAddress(rawValue: 0x0000_5E00_0133)

private func virtual(
    _ name: String = "VI_1", router: UInt8 = 51, priority: UInt8 = 100, addresses: [String] = ["10.0.0.100/24"],
    onBase: Bool = false
) -> VRRPInstanceConfiguration {
    var block = block(name, router: router, priority: priority, addresses: addresses)
    block.virtualMAC = VirtualMACConfiguration(
        name: "vrrp.\(router)", mac: VirtualMACConfiguration.mac(virtualRouterID: router, block.family),
        transmitsOnBase: onBase)
    return block
}

extension ScriptedHost {
    fileprivate func link(_ name: String) -> Link? { links.values.first { $0.name == name } }
    fileprivate var parent: IPv4Settings? { links[2]?.ipv4 }
    fileprivate func shown(_ name: String) -> [String] { link(name).map { shown($0.index) } ?? [] }
}

private let untouched = IPv4Settings(arpAnnounce: 0, reversePathFilter: 0, acceptsLocal: 0, promotesSecondaries: 0)
private let apart = IPv4Settings(
    arpIgnore: 1, arpFilter: 1, arpAnnounce: 2, reversePathFilter: 0, acceptsLocal: 0, promotesSecondaries: 0)

@Suite struct VirtualLinkTests {
    @Test func `a backup has the macvlan down, a master up with the addresses, announced with its MAC`() throws {
        let (network, host) = lone([virtual()])
        host.start()
        network.run(.seconds(1))
        let waiting = try #require(host.link("vrrp.51"))
        #expect(!waiting.isUp && waiting.isPrivateMacvlan && waiting.parent == 2 && waiting.mac == mac)
        #expect(
            waiting.ipv4
                == IPv4Settings(
                    arpIgnore: 1, arpFilter: 0, arpAnnounce: 0, reversePathFilter: 0, acceptsLocal: 1,
                    promotesSecondaries: 1))
        #expect(host.parent == apart)
        network.run(.seconds(4))
        #expect(host.state() == .master)
        #expect(host.link("vrrp.51")?.isUsable == true)
        #expect(host.shown("vrrp.51") == ["10.0.0.100/24"])
        #expect(host.shown(2) == ["10.0.0.1/24"])
        #expect(host.frames.count == 5, "one burst, not one more when the macvlan comes up")
        #expect(host.frames.allSatisfy { $0.link == 2 && MACAddress(octets: $0.bytes[6..<12]) == mac })
        #expect(Set(host.sentFrom) == [mac])
        #expect(host.sent.allSatisfy { $0.source == address("10.0.0.1") })
        #expect(host.view()?.held.map { "\($0)" } == ["10.0.0.100/24"])
    }

    @Test func `the end takes the macvlan off and leaves the parent as it was`() {
        let (network, host) = loneMaster([virtual()])
        host.stop()
        #expect(host.link("vrrp.51") == nil)
        #expect(host.parent == untouched)
        network.run(.seconds(1))
    }

    @Test func `the last of several macvlans gives the parent back`() {
        let (network, host) = loneMaster([virtual(), virtual("VI_2", router: 52, addresses: ["10.0.0.110/24"])])
        #expect(host.shown("vrrp.52") == ["10.0.0.110/24"])
        host.reload(Configuration(instances: [virtual()]))
        network.run(.seconds(1))
        #expect(host.link("vrrp.52") == nil)
        #expect(host.parent == apart)
        host.reload(Configuration(instances: []))
        network.run(.seconds(1))
        #expect(host.link("vrrp.51") == nil)
        #expect(host.parent == untouched)
    }

    @Test func `after a crash the next process goes on with the macvlan, and knows how the parent was`() throws {
        let (network, host) = loneMaster([virtual()])
        let before = try #require(host.link("vrrp.51"))
        host.crash()
        network.run(.seconds(1))
        host.start()
        #expect(host.state() == .master)
        network.run(.seconds(1))
        #expect(host.link("vrrp.51") == before)
        #expect(host.linkRequests.isEmpty && host.requests.isEmpty)
        host.stop()
        #expect(host.link("vrrp.51") == nil)
        #expect(host.parent == untouched)
    }

    @Test func `what a crash left is taken down by a backup, and off by a configuration without it`() {
        let (network, host) = loneMaster([virtual()])
        host.crash()
        network.run(.seconds(30))
        host.start()
        network.run(.milliseconds(10))
        #expect(host.link("vrrp.51")?.isUp == false)
        #expect(host.shown("vrrp.51") == [])
        host.crash()
        host.configuration = Configuration(instances: [block()])
        host.start()
        network.run(.milliseconds(10))
        #expect(host.link("vrrp.51") == nil)
        #expect(host.parent == untouched)
    }

    @Test func `a second vrrpd leaves the first one's macvlans alone`() {
        let (network, host) = loneMaster([virtual()])
        host.crash()
        host.isAlone = false
        host.configuration = Configuration(instances: [block(router: 60, addresses: ["10.0.0.120/24"])])
        host.start()
        network.run(.seconds(5))
        #expect(host.link("vrrp.51")?.isUp == true)
        #expect(host.parent == apart)
    }

    @Test func `a reload brings use_vmac in and out without an election`() {
        let (network, host) = loneMaster([block()])
        host.reload(Configuration(instances: [virtual()]))
        network.run(.milliseconds(10))
        #expect(host.shown("vrrp.51") == ["10.0.0.100/24"])
        #expect(host.shown(2) == ["10.0.0.1/24"])
        #expect(host.link("vrrp.51")?.isUp == true)
        host.reload(Configuration(instances: [block()]))
        network.run(.milliseconds(10))
        #expect(host.link("vrrp.51") == nil)
        #expect(host.shown(2) == ["10.0.0.1/24", "10.0.0.100/24"])
        #expect(host.parent == untouched)
        #expect(host.view()?.machine.statistics.becameMaster == 1)
    }

    @Test func `a macvlan that somebody deletes, sets down or changes is put right at once`() throws {
        let (network, host) = loneMaster([virtual()])
        host.delete(try #require(host.link("vrrp.51")).index)
        network.run(.milliseconds(10))
        #expect(host.shown("vrrp.51") == ["10.0.0.100/24"])
        #expect(host.link("vrrp.51")?.isUsable == true)
        try host.apply(.set(#require(host.link("vrrp.51")).index, isUp: false))
        network.run(.milliseconds(10))
        #expect(host.link("vrrp.51")?.isUsable == true)
        try host.apply(
            .configure(2, "eth0", LinkSettings(ipv4: IPv4Settings(arpIgnore: 0, arpFilter: 0))))
        network.run(.milliseconds(10))
        #expect(host.parent == apart)
        #expect(host.state() == .master)
        #expect(host.view()?.machine.statistics.becameMaster == 1)
    }

    @Test func `a parent that is deleted and made again has it again; a renamed one keeps nothing`() {
        let (network, host) = loneMaster([virtual()])
        host.delete(2)
        network.run(.seconds(1))
        #expect(host.state() == .fault)
        host.set(7, "eth0")
        host.add("10.0.0.1/24", to: 7)
        network.run(.seconds(5))
        #expect(host.state() == .master)
        #expect(host.link("vrrp.51")?.parent == 7)
        #expect(host.shown("vrrp.51") == ["10.0.0.100/24"])
        host.set(7, "lan0")
        network.run(.milliseconds(10))
        #expect(host.link("vrrp.51") == nil)
        #expect(host.links[7]?.ipv4 == untouched)
    }

    @Test func `the parent's carrier counts, also where the macvlan is tracked`() {
        var tracking = virtual()
        tracking.trackedInterfaces = [TrackedObject("vrrp.51", weight: 0, isReversed: false)]
        let (network, host) = loneMaster([tracking])
        #expect(host.state() == .master)
        host.set(2, "eth0", up: false)
        network.run(.milliseconds(10))
        #expect(host.state() == .fault)
        host.set(2, "eth0")
        network.run(.seconds(5))
        #expect(host.state() == .master)
    }

    @Test func `a name that another interface has is a fault until it is free`() {
        let (network, host) = lone([virtual()])
        host.set(9, "vrrp.51", segment: 4)
        host.start()
        network.run(.seconds(10))
        #expect(host.state() == .fault)
        #expect(
            host.concerns().faults.map { "\($0)" } == [
                "no interface vrrp.51 can be made: another interface has that name"
            ])
        host.delete(9)
        network.run(.seconds(5))
        #expect(host.state() == .master)
        #expect(host.shown("vrrp.51") == ["10.0.0.100/24"])
    }

    @Test func `a refusal is a fault, and tried again every second`() {
        let (network, host) = lone([virtual()])
        host.refusesLink = { if case .create = $0 { .refused(code: 1, message: "") } else { nil } }
        host.start()
        network.run(.seconds(10))
        #expect(host.state() == .fault)
        #expect((9...11).contains(host.linkRequests.count))
        host.refusesLink = { _ in nil }
        network.run(.seconds(6))
        #expect(host.state() == .master)
        #expect(host.concerns().isEmpty)
    }

    @Test func `masters with the same MAC hear each other through the macvlan`() {
        let network = hosts([[virtual(priority: 150)], [virtual(priority: 100)]])
        for host in network.hosts { host.start() }
        network.run(.seconds(8))
        network.hosts[1].side = 1
        network.run(.seconds(8))
        #expect(network.hosts.map { $0.state() } == [.master, .master])
        network.hosts[1].side = 0
        network.run(.seconds(2))
        #expect(network.hosts.map { $0.state() } == [.master, .backup])
        #expect(network.hosts[1].link("vrrp.51")?.isUp == false)
    }

    @Test func `vmac_xmit_base speaks with the parent's MAC; the addresses keep the virtual one`() {
        let (network, host) = lone([virtual(onBase: true)])
        host.start()
        network.run(.seconds(5))
        #expect(host.sentFrom.isEmpty && !host.sent.isEmpty)
        #expect(host.shown("vrrp.51") == ["10.0.0.100/24"])
        #expect(host.frames.allSatisfy { MACAddress(octets: $0.bytes[6..<12]) == mac })
    }

    @Test func `addresses with a dev stay there; those that name the interface itself do not`() {
        var mixed = virtual(addresses: ["10.0.0.100/24"])
        mixed.excludedAddresses =
            block(addresses: ["10.1.0.100/24"], device: "eth1").virtualAddresses
            + block(addresses: ["10.0.0.101/24"], device: "eth0").virtualAddresses
        let (network, host) = lone([mixed])
        host.set(3, "eth1", segment: 1)
        host.start()
        network.run(.seconds(5))
        #expect(host.shown("vrrp.51") == ["10.0.0.100/24", "10.0.0.101/24"])
        #expect(host.shown(3) == ["10.1.0.100/24"])
    }

    @Test func `an IPv6 macvlan has a link-local address of its own while master, unless one is virtual`() {
        let (network, host) = lone([virtual(addresses: ["2001:db8::100/64"])])
        host.hasIPv6 = true
        host.addLinkLocal(to: 2)
        host.start()
        network.run(.seconds(8))
        #expect(host.state() == .master)
        #expect(host.shown("vrrp.51") == ["2001:db8::100/64", "fe80::200:5eff:fe00:233/64"])
        #expect(host.view()?.held.map { "\($0)" } == ["2001:db8::100/64"])
        #expect(Set(host.sentFrom) == [MACAddress(rawValue: 0x0000_5E00_0233)])
        host.reload(Configuration(instances: [virtual(addresses: ["fe80::100/64", "2001:db8::100/64"])]))
        network.run(.milliseconds(10))
        #expect(Set(host.shown("vrrp.51")) == ["2001:db8::100/64", "fe80::100/64"])
    }

    @Test func `the MTU follows the parent's`() {
        let (network, host) = loneMaster([virtual()])
        host.set(2, "eth0", mtu: 9000)
        network.run(.milliseconds(10))
        #expect(host.link("vrrp.51")?.mtu == 9000)
        host.set(2, "eth0", mtu: 1400)
        network.run(.milliseconds(10))
        #expect(host.link("vrrp.51")?.mtu == 1400)
    }

    @Test func `an advertisement's frame is for its group and has IPv4's header checksum`() {
        var packet: [UInt8] = []
        var frame: [UInt8] = []
        let advertisement = Advertisement(
            version: .v3, virtualRouterID: 51, priority: 100, interval: .seconds(1),
            addresses: [address("10.0.0.100")])
        advertisement.encodePacket(
            into: &packet, from: address("10.0.0.1"), to: address("224.0.0.18"), checksum: .pseudoHeader)
        Advertisement.encodeFrame(into: &frame, packet, from: mac, to: address("224.0.0.18"))
        #expect(frame[..<14] == [1, 0, 0x5E, 0, 0, 18, 0, 0, 0x5E, 0, 1, 0x33, 8, 0])
        var sum = InternetChecksum()
        sum.add(frame[14..<34])
        #expect(sum.value == 0)
        Advertisement.encodeFrame(into: &frame, packet, from: mac, to: address("ff02::12"))
        #expect(frame[..<6] == [0x33, 0x33, 0, 0, 0, 0x12])
    }
}
