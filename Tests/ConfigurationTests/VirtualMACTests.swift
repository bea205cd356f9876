// `use_vmac` and `no_accept`: names and hardware addresses that are settled over all instances, and what is refused.
import Net
import Testing

@testable import Configuration

@Suite struct VirtualMACTests {
    private func virtual(_ lines: String) throws -> String {
        let found = try #require(try instance(lines).virtualMAC)
        return "\(found.name) \(found.mac) \(found.transmitsOnBase)"
    }

    @Test(arguments: [
        ("use_vmac", "vrrp.51 00:00:5e:00:01:33 false"), ("use_vmac lan.vip", "lan.vip 00:00:5e:00:01:33 false"),
        ("use_vmac lan 02:00:00:00:00:09", "lan 02:00:00:00:00:09 false"),
        ("use_vmac 02:00:00:00:01", "vrrp.51 02:00:00:00:01:33 false"),
        ("use_vmac netlink_notify_msg", "vrrp.51 00:00:5e:00:01:33 false"),
        ("use_vmac\nvmac_xmit_base", "vrrp.51 00:00:5e:00:01:33 true"),
        ("use_vmac 02:00:00:00:01\nvmac_xmit_base\nstrict_mode", "vrrp.51 00:00:5e:00:01:33 false"),
        ("use_vmac\nunicast_peer {\n192.0.2.9\n}", "vrrp.51 00:00:5e:00:01:33 true"),
    ])
    func `name, hardware address, and who speaks`(_ lines: String, _ expected: String) throws {
        #expect(try virtual(lines) == expected)
    }

    @Test func `one number in both families and on two interfaces has different names`() {
        let six = instanceText("use_vmac", name: "VI_6").replacing("192.0.2.51", with: "2001:db8::1")
        let text =
            "global_defs {\nvmac_prefix v\n}\n" + instanceText("use_vmac") + six
            + instanceText("use_vmac", name: "VI_3", interface: "eth1")
        let found = load(text).configuration?.instances.compactMap(\.virtualMAC)
        #expect(found?.map(\.name) == ["v.51", "v6.51", "v.51.1"])
        #expect(found?.map { "\($0.mac)" } == ["00:00:5e:00:01:33", "00:00:5e:00:02:33", "00:00:5e:00:01:33"])
    }

    @Test func `a name in the file comes before the ones that are made up`() {
        let text = instanceText("use_vmac") + instanceText("use_vmac vrrp.51", name: "VI_2", id: 52)
        #expect(
            load(text).configuration?.instances.compactMap { $0.virtualMAC?.name } == ["vrrp.51.1", "vrrp.51"])
    }

    @Test(arguments: [
        "use_vmac eth0", "use_vmac a:b", "use_vmac 01:00:5e:00:01:33", "use_vmac a-name-of-16-oct",
        "use_vmac ..",
    ])
    func `what cannot be is an error`(_ lines: String) {
        #expect(load(instanceText(lines)).configuration == nil)
    }

    @Test func `without an interface there is nothing for the macvlan to be on`() {
        let text = instanceText("use_vmac\nunicast_src_ip 192.0.2.1\nunicast_peer {\n192.0.2.9\n}", interface: nil)
            .replacing("192.0.2.51\n", with: "192.0.2.51 dev eth0\n")
        #expect(load(text).configuration == nil)
        #expect(load(text.replacing("use_vmac", with: "")).configuration != nil)
    }

    /// The macvlans of an instance's addresses, in the order of the text.
    private func macvlans(_ text: String) -> [String] {
        let instances = load(text).configuration?.instances ?? []
        return instances.flatMap { $0.virtualAddresses + $0.excludedAddresses }.map { line in
            line.virtualMAC.map { "\($0.name) \($0.mac)" } ?? "-"
        }
    }

    private let others = "virtual_ipaddress_excluded {\n192.0.2.60 dev eth1\n192.0.2.61 dev eth1\n2001:db8::1\n}"

    @Test func `use_vmac_addr gives addresses on other interfaces and of the other family a macvlan there`() {
        let four = "00:00:5e:00:01:33"
        #expect(
            macvlans(instanceText("use_vmac_addr\n" + others))
                == ["-", "vrrp.51 " + four, "vrrp.51 " + four, "vrrp6.51 00:00:5e:00:02:33"])
        let both = "global_defs {\nvmac_addr_prefix a\n}\n" + instanceText("use_vmac\nuse_vmac_addr\n" + others)
        #expect(macvlans(both) == ["-", "a.51 " + four, "a.51 " + four, "a6.51 00:00:5e:00:02:33"])
        #expect(macvlans(instanceText(others)) == ["-", "-", "-", "-"])
    }

    @Test func `use_vmac of an address is for that address; where the instance has it there is no other`() {
        let word = others.replacing("192.0.2.60 dev eth1", with: "192.0.2.60 dev eth1 use_vmac")
        #expect(macvlans(instanceText(word)) == ["-", "vrrp.51 00:00:5e:00:01:33", "-", "-"])
        let own = instanceText("use_vmac").replacing("192.0.2.51\n", with: "192.0.2.51 use_vmac\n")
        #expect(macvlans(own) == ["-"])
    }

    @Test func `an instance of the same number on that interface shares its macvlan`() {
        let other = instanceText("use_vmac lan", name: "VI_2", interface: "eth1")
            .replacing("192.0.2.51", with: "192.0.2.52")
        #expect(
            macvlans(other + instanceText("use_vmac_addr\n" + others)).filter { $0.hasPrefix("lan") }.count == 2)
    }

    @Test(arguments: [
        ("use_ipvlan 192.0.2.9/24", "vrrp.51 192.0.2.9/24 bridge"),
        ("use_ipvlan private lan 192.0.2.9/24", "lan 192.0.2.9/24 private"),
        ("use_ipvlan vepa\nmcast_src_ip 192.0.2.8", "vrrp.51 192.0.2.8/32 vepa"),
    ])
    func `use_ipvlan has a name, an address to speak from, and a mode`(_ lines: String, _ expected: String) throws {
        let found = try instance(lines)
        let ipvlan = try #require(found.ipvlan)
        let own = try #require(ipvlan.address)
        #expect("\(ipvlan.name) \(own.address)/\(own.length) \(ipvlan.mode)" == expected)
        #expect(found.sourceAddress == own.address)
    }

    @Test(arguments: [
        "use_ipvlan", "use_ipvlan 2001:db8::1", "use_vmac\nuse_ipvlan 192.0.2.9/24", "use_ipvlan eth0 192.0.2.9/24",
    ])
    func `an ipvlan without an address of the family, or beside a macvlan, is an error`(_ lines: String) {
        #expect(load(instanceText(lines)).configuration == nil)
    }

    @Test func `ipvlans of one interface have one mode`() {
        let text =
            instanceText("use_ipvlan 192.0.2.9/24") + instanceText("use_ipvlan 192.0.2.8/24 vepa", name: "VI_2", id: 52)
        #expect(load(text).configuration == nil)
        #expect(load(text.replacing(" vepa", with: "")).configuration != nil)
    }

    @Test func `vrf is for unicast without an interface`() throws {
        let unicast = "unicast_src_ip 192.0.2.1\nunicast_peer {\n192.0.2.9\n}\nvrf blue"
        let text = instanceText(unicast, interface: nil).replacing("192.0.2.51\n", with: "192.0.2.51 dev eth0\n")
        #expect(load(text).configuration?.instances.first?.vrf == "blue")
        #expect(try instance("vrf blue").vrf == nil)
    }

    @Test(arguments: [
        ("", true), ("no_accept", false), ("strict_mode", false), ("accept", true),
        ("strict_mode\naccept", false), ("strict_mode\nversion 3\naccept", true), ("strict_mode\npriority 255", true),
    ])
    func `strict mode does not accept unless told to`(_ lines: String, _ accepts: Bool) throws {
        #expect(try instance(lines).accept == accepts)
    }

    @Test(arguments: [
        "use_vmac", "no_accept", "use_vmac\nvmac_xmit_base", "use_vmac_addr", "garp_extra_if all 100",
        "promote_secondaries",
    ])
    func `these words act`(_ lines: String) {
        #expect(load(instanceText(lines)).inactions.isEmpty)
    }
}
