// `vrrp_strict`: what is reset and said, beside what keepalived 2.2.7 resets (its messages are in the comments).
import Net
import Testing

@testable import Configuration

@Suite struct StrictTests {
    private func load(_ lines: String, addresses: String = "10.0.0.1") -> LoadedConfiguration {
        ConfigurationTests.load(
            "global_defs {\nvrrp_strict\n}\nvrrp_instance V {\ninterface eth0\nvirtual_router_id 1\n\(lines)\n"
                + "virtual_ipaddress {\n\(addresses)\n}\n}\n")
    }

    private func instance(_ lines: String, addresses: String = "10.0.0.1") throws -> VRRPInstanceConfiguration {
        try #require(load(lines, addresses: addresses).configuration?.instances.first)
    }

    @Test(arguments: [
        // State MASTER must match being address owner
        ("state MASTER\npriority 100", "priority 255"),
        // Strict mode does not support authentication. Ignoring.
        ("authentication {\nauth_type PASS\nauth_pass x\n}", "no authentication"),
        ("unicast_peer {\n10.0.0.2\n}", "no unicast peers"),
        // preempt_delay is incompatible with strict mode - resetting
        ("preempt_delay 5", "no delay of preemption"),
        // down_timer_adverts is incompatible with strict mode - resetting
        ("down_timer_adverts 5", "after 3 intervals"),
        // Strict mode requires no repeat garps. resetting
        ("garp_lower_prio_repeat 3", "a lower priority is not answered"),
        ("garp_lower_prio_delay 4", "a lower priority is not answered"),
        // Strict mode requires no lower priority advert. resetting
        ("lower_prio_no_advert off", "a lower priority is not answered"),
        // accept mode for VRRP version 2 does not comply with RFC3768 - resetting
        ("version 2\naccept", "version 2 has no accept mode"),
        // xmit_base is incompatible with strict mode - resetting
        ("use_vmac\nvmac_xmit_base", "adverts leave through the VMAC"),
    ])
    func `what the RFCs do not allow is said`(_ lines: String, _ words: String) throws {
        let result = load(lines)
        let found = result.diagnostics.filter { $0.message.hasPrefix("strict mode: ") }
        #expect(found.count == 1 && found.allSatisfy { $0.message.contains(words) && $0.severity == .warning })
        #expect(found.allSatisfy { $0.position.line > 6 })
    }

    @Test func `what the RFCs do not allow is reset`() throws {
        let reset = try instance(
            "state MASTER\npriority 100\nauthentication {\nauth_type PASS\nauth_pass x\n}\npreempt_delay 5\n"
                + "down_timer_adverts 5\ngarp_lower_prio_repeat 3\nlower_prio_no_advert off")
        #expect(reset.initialState == .backup)
        #expect(reset.authentication == .none)
        #expect(reset.preemptDelay == .zero)
        #expect(reset.downTimerAdverts == 3)
        #expect(reset.gratuitousARP.lowerPriorityCount == 0)
        #expect(reset.lowerPriorityNoAdvert)
        #expect(!reset.accept)
        #expect(!reset.ownerIgnoresAdverts)
    }

    @Test func `accept stays where the RFCs know it`() throws {
        #expect(try instance("version 3\naccept").accept)
        #expect(!(try instance("version 3").accept))
        #expect(!(try instance("version 2\naccept").accept))
        let owner = try instance("state MASTER\npriority 255")
        #expect(owner.accept && owner.ownerIgnoresAdverts && owner.initialState == .master)
    }

    @Test func `an address is needed, and over IPv6 a link-local one first`() throws {
        // No VIP specified; at least one is required
        #expect(load("", addresses: "").configuration == nil)
        // the first IPv6 VIP address must be link local
        let words = "the first IPv6 address must be link-local"
        #expect(load("", addresses: "2001:db8::1").diagnostics.contains { $0.message.contains(words) })
        #expect(!load("", addresses: "fe80::1\n2001:db8::1").diagnostics.contains { $0.message.contains(words) })
    }

    @Test func `strict_mode of an instance overrides vrrp_strict`() throws {
        #expect(try instance("strict_mode off\ndown_timer_adverts 5").downTimerAdverts == 5)
        let alone = ConfigurationTests.load(instanceText("strict_mode\ndown_timer_adverts 5"))
        #expect(alone.configuration?.instances.first?.downTimerAdverts == 3)
    }

    @Test func `no_accept is listed as not acted on as long as it is not`() {
        let rule = KeywordTable.entries.first { $0.word == "no_accept" && $0.kind == .instance }
        #expect(load("").inactions.map(\.subject).contains("no_accept") == (rule?.support == .notYet))
    }

    @Test func `unicast_fault_no_peer keeps an instance from multicasting`() throws {
        let peers = "unicast_src_ip 10.0.0.9\nunicast_peer {\n}"
        #expect(try instance(peers).delivery == .multicast(group: AdvertDelivery.defaultGroup(.inet)))
        #expect(
            try instance(peers + "\nunicast_fault_no_peer").delivery == .unicast(peers: [], timeToLive: 255))
        #expect(
            try instance("unicast_fault_no_peer").delivery == .multicast(group: AdvertDelivery.defaultGroup(.inet)))
    }
}
