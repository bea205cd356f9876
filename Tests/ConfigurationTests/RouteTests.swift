// Lines of routes and rules: nothing acts on them yet, and their mistakes are named all the same, one error for each.
import Testing

@testable import Configuration

@Suite struct RouteTests {
    private func errors(_ block: String, _ line: String) -> [String] {
        load(instanceText("\(block) {\n\(line)\n}")).diagnostics.filter { $0.severity == .error }
            .map { "\($0.position.column) \($0.code.rawValue)" }
    }

    @Test(arguments: [
        "198.51.100.0/24 via 192.0.2.9 dev eth0", "to 198.51.100.0/24 dev eth0", "default via 192.0.2.9",
        "src 192.0.2.1 to 198.51.100.0/24 via 192.0.2.9 dev eth0 table 100", "198.51.100.0/24 gw 192.0.2.9",
        "198.51.100.0/24 via 192.0.2.9 or 192.0.2.8 dev eth0", "blackhole 198.51.100.0/24",
        "198.51.100.0/24 dev eth0 scope link metric 100 mtu lock 1400 tos 0x10 table main",
        "198.51.100.0/24 nexthop via 192.0.2.9 dev eth0 weight 1 nexthop via 192.0.2.8 dev eth0 weight 2",
        "2001:db8::/32 via 2001:db8::1 dev eth0", "10.0.0.0/8 via inet 192.0.2.1 dev eth0 onlink no_track",
        "198.51.100.0/24 dev eth0 rtt 100ms rttvar 1.5s", "198.51.100.0/24 dev eth0 encap mpls 100/200 ttl 5 table 7",
        "198.51.100.0/24 dev eth0 encap ip id 1 dst 192.0.2.8 src 192.0.2.1 tos 4 initcwnd 10",
        "default dev eth0 initcwnd 10 quickack 1 congctl lock cubic features ecn pref low", "2001:db8:: dev eth0",
        "198.51.100.1 dev eth0 ttl-propagate enabled protocol keepalived realms 1/2 expires 60",
    ])
    func `routes that keepalived takes are taken`(_ line: String) {
        #expect(errors("virtual_routes", line) == [])
        #expect(load("static_routes {\n\(line)\n}\n").configuration != nil)
    }

    @Test(arguments: [
        ("0.0.0.0/0 via 192.0.2.999 dev eth0 blah", ["15 badValue", "36 unknownKeyword"]),
        ("300.1.1.1 via nowhere blah", ["1 badValue", "15 badValue", "23 unknownKeyword"]),
        ("192.168.100./24 dev eth0", ["1 badValue"]), ("198.51.100.0/33 dev eth0", ["1 outOfRange"]),
        ("198.51.100.0/24 via 192.0.2.9 dev", ["31 missingValue"]), ("via 192.0.2.9 dev eth0", ["1 missingValue"]),
        ("198.51.100.0/24 dev eth0 scope blah", ["32 badValue"]),
        ("198.51.100.0/24 dev eth0 metric x", ["33 badValue"]),
        ("198.51.100.0/24 198.51.101.0/24 dev eth0", ["17 extraWords"]),
        ("198.51.100.0 255.255.255.0 via 192.0.2.9", ["14 extraWords"]),
        ("10.0.0.0/8 via 2001:db8::1 dev eth0", ["16 contradiction"]), ("nowhere via 192.0.2.9", ["1 unknownKeyword"]),
        ("10.0.0.0/8 dev abcdefghijklmnop", ["16 badValue"]), ("10.0.0.0/8 { }", ["1 unexpectedBrace"]),
        ("10.0.0.0/8 dev eth0 rtt soon", ["25 badValue"]), ("10.0.0.0/8 dev eth0 pref no", ["26 badValue"]),
    ])
    func `mistakes in routes are named where they stand`(_ line: String, _ expected: [String]) {
        #expect(errors("virtual_routes", line) == expected)
    }

    @Test(arguments: [
        "from 192.0.2.0/24 table 100 priority 100", "from all lookup 100 pref 5",
        "to 192.0.2.0/24 table main priority 1",
        "iif eth0 table 100 priority 1", "fwmark 0x10/0xff table 100 priority 1", "l3mdev priority 1",
        "not from 192.0.2.0/24 to 198.51.100.0/24 dsfield 4 table 1 order 1", "from 192.0.2.0/24 blackhole priority 1",
        "from 192.0.2.0/24 goto 100 priority 1", "sport 80-90 dport 443 ip_proto tcp table 100 priority 1",
        "uidrange 0-100 table 100 priority 1", "suppress_prefixlength 0 table main priority 2 no_track",
    ])
    func `rules that keepalived takes are taken`(_ line: String) {
        #expect(errors("virtual_rules", line) == [])
        #expect(load("static_rules {\n\(line)\n}\n").configuration != nil)
    }

    @Test(arguments: [
        ("from 192.0.2.999 table 100 priority 1", ["6 badValue"]),
        ("from 192.0.2.0/24 tabel 100", ["19 unknownKeyword"]),
        ("fwmark x table 100 priority 1", ["8 badValue"]), ("from 192.0.2.0/24 priority 1", ["1 missingValue"]),
        ("192.0.2.0/24 table 100", ["1 unknownKeyword"]), ("sport 90-80 table 100", ["7 badValue"]),
        ("from 192.0.2.0/24 to 2001:db8::/32 table 1", ["22 contradiction"]),
        ("from 192.0.2.0/24 table", ["19 missingValue"]),
    ])
    func `mistakes in rules are named where they stand`(_ line: String, _ expected: [String]) {
        #expect(errors("virtual_rules", line) == expected)
    }

    @Test func `the nearest word is offered, and devices are looked for on the machine`() {
        let loaded = load(instanceText("virtual_rules {\nfrom 192.0.2.0/24 tabel 100\n}"))
        #expect(loaded.diagnostics.contains { $0.remedy == "did you mean table?" })
        let found = load("static_routes {\n10.0.0.0/8 dev eth7\n}\n", machine: SmallMachine()).diagnostics
        #expect(found.contains { $0.code == .machine && $0.message.contains("eth7") })
    }

    /// Words that nothing acts on are checked as far as their kind of value goes.
    @Test(arguments: [
        ("global_defs {\nvrrp_priority 99\n}\n", "outOfRange"),
        ("global_defs {\nstartup_script_timeout soon\n}\n", "badValue"),
        ("global_defs {\nnotify_fifo\n}\n", "missingValue"), ("bfd_instance b {\nneighbor_ip x\n}\n", "badValue"),
        ("interface_up_down_delays {\neth0 many\n}\n", "badValue"),
        ("global_defs {\nstartup_script \"\"\n}\n", "missingValue"),
        ("bfd_instance b {\nneighbor_ip 192.0.2.1\nmax_hops 256\n}\n", "outOfRange"),
        ("bfd_instance b {\nneighbor_ip 192.0.2.1\n}\n" + instanceText("track_bfd {\nb weight 300\n}"), "outOfRange"),
        (instanceText("kernel_rx_buf_size big"), "badValue"),
    ])
    func `values of words that do not act yet are checked`(_ text: String, _ code: String) {
        #expect(load(text).diagnostics.filter { $0.severity == .error }.map(\.code.rawValue) == [code])
    }
}
