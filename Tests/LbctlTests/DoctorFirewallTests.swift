// Whether a firewall drops what a director lives by: said where it is certain, silent where a rule that is not understood may let it pass.
import Configuration
import JSON
import Net
import Testing

@testable import lbctl

/// A file that is nowhere.
struct OneFile: FileLoader {
    var text: String
    func read(_ path: String, limit: Int) throws(FileLoaderError) -> [UInt8] { Array(text.utf8) }
    func paths(matching pattern: String) -> [String] { [pattern] }
}

@Suite struct DoctorFirewallTests {
    /// A pair's instance, one masqueraded service, one with direct routing, one by tunnel.
    private func facts(_ tables: [FirewallTable], tracks: Bool = false) throws -> DoctorFacts {
        var facts = DoctorFacts()
        facts.firewall = tables
        facts.ipvsTracks = tracks
        let text = """
            vrrp_instance VI_1 {\n interface eth0\n virtual_router_id 51\n virtual_ipaddress {\n 192.0.2.1/24\n }\n}
            virtual_server 192.0.2.1 80 {\n protocol TCP\n lvs_method NAT\n real_server 10.0.0.1 8080 {\n }\n}
            virtual_server 192.0.2.2 80 {\n protocol TCP\n lvs_method DR\n real_server 10.0.0.2 80 {\n }\n}
            virtual_server 192.0.2.3 53 {\n protocol UDP\n lvs_method TUN\n real_server 10.0.0.3 53 {\n }\n}

            """
        let loaded = Configuration.load(files: OneFile(text: text), path: "f")
        facts.configuration = loaded.configuration
        try #require(!loaded.hasErrors)
        return facts
    }

    private func dropped(_ tables: [FirewallTable], tracks: Bool = false) throws -> [String] {
        try facts(tables, tracks: tracks).firewallFindings().map {
            $0.what.split(separator: " are dropped")[0].description
        }
    }

    private func nft(_ json: String) throws -> [FirewallTable] {
        FirewallTable.nftables(try JSONValue(parsing: Array(#"{"nftables":[\#(json)]}"#.utf8)))
    }

    private func chain(_ hook: String, _ policy: String, _ rules: String...) -> String {
        ([
            #"{"chain":{"family":"inet","table":"f","name":"\#(hook)","type":"filter","hook":"\#(hook)","prio":0,"policy":"\#(policy)"}}"#
        ] + rules.map { #"{"rule":{"family":"inet","table":"f","chain":"\#(hook)","expr":[\#($0)]}}"# }).joined(
            separator: ",")
    }

    private static let established =
        #"{"match":{"op":"in","left":{"ct":{"key":"state"}},"right":["established","related"]}},{"accept":null}"#
    private static let requests = [
        "packets of clients to tcp/192.0.2.1:80", "packets of clients to tcp/192.0.2.2:80",
        "packets of clients to udp/192.0.2.3:53",
    ]

    @Test func `nothing, and what accepts by default, drops nothing`() throws {
        #expect(try dropped([]) == [])
        #expect(try dropped(nft(chain("input", "accept", Self.established))) == [])
    }

    @Test func `a policy that drops: each kind, and what mends it`() throws {
        let loopback = #"{"match":{"op":"==","left":{"meta":{"key":"iifname"}},"right":"lo"}},{"accept":null}"#
        let tables = try nft(chain("input", "drop", loopback, Self.established))
        #expect(try dropped(tables) == ["advertisements of VI_1"] + Self.requests)
        let findings = try facts(tables).firewallFindings()
        #expect(findings.allSatisfy { $0.severity == .willHurt && $0.why != nil })
        #expect(
            findings[0].remedy?.hasPrefix(
                "nft insert rule inet f input meta nfproto ipv4 ip daddr 224.0.0.18 meta l4proto 112 accept;") == true)
        #expect(
            findings[1].remedy?.hasPrefix(
                "nft insert rule inet f input meta nfproto ipv4 ip daddr 192.0.2.1 meta l4proto 6 th dport 80 accept;")
                == true)
    }

    @Test func `rules that let it pass: by protocol, set, port, interface, map`() throws {
        let open = try nft(
            #"{"set":{"family":"inet","table":"f","name":"vips","type":"ipv4_addr","elem":["192.0.2.1",{"prefix":{"addr":"192.0.2.2","len":31}}]}},"#
                + chain(
                    "input", "drop",
                    #"{"match":{"op":"==","left":{"meta":{"key":"l4proto"}},"right":{"set":["vrrp","icmp"]}}},{"accept":null}"#,
                    #"{"match":{"op":"==","left":{"payload":{"protocol":"ip","field":"daddr"}},"right":"@vips"}},{"counter":{}},{"accept":null}"#
                ))
        #expect(try dropped(open) == [])
        let byPort = try nft(
            chain(
                "input", "drop",
                #"{"match":{"op":"==","left":{"payload":{"protocol":"tcp","field":"dport"}},"right":{"set":[22,{"range":[79,90]}]}}},{"accept":null}"#,
                #"{"match":{"op":"==","left":{"meta":{"key":"iifname"}},"right":"eth*"}},{"match":{"op":"==","left":{"payload":{"protocol":"ip","field":"protocol"}},"right":112}},{"accept":null}"#
            ))
        #expect(try dropped(byPort) == [Self.requests[2]])
        let byMap = try nft(
            chain(
                "input", "accept",
                #"{"vmap":{"key":{"ct":{"key":"state"}},"data":{"set":[["established",{"accept":null}],["new",{"drop":null}]]}}}"#
            ))
        #expect(try dropped(byMap) == ["advertisements of VI_1"] + Self.requests)
    }

    @Test func `a rule that is not understood keeps the doctor silent, not the drop before it`() throws {
        let unknown = #"{"xt":{"type":"match","name":"recent"}},{"accept":null}"#
        #expect(try dropped(nft(chain("input", "drop", unknown))) == [])
        let explicit = #"{"match":{"op":"==","left":{"meta":{"key":"l4proto"}},"right":112}},{"drop":null}"#
        #expect(try dropped(nft(chain("input", "accept", explicit, unknown))) == ["advertisements of VI_1"])
        #expect(try dropped(nft(chain("input", "accept", unknown, explicit))) == [], "it may have passed")
        let limited = #"{"limit":{"rate":1,"per":"second"}},{"drop":null}"#
        #expect(try dropped(nft(chain("input", "accept", limited))) == [])
    }

    @Test func `families that the doctor does not read are named, those without rules are not`() throws {
        func below(_ items: String...) throws -> [String] {
            FirewallTable.familiesBelow(
                try JSONValue(parsing: Array(#"{"nftables":[\#(items.joined(separator: ","))]}"#.utf8)))
        }
        func rule(_ family: String) -> String {
            #"{"rule":{"family":"\#(family)","table":"f","chain":"c","expr":[{"drop":null}]}}"#
        }
        #expect(try below() == [])
        #expect(try below(rule("inet"), rule("ip"), rule("ip6")) == [])
        #expect(try below(rule("netdev"), rule("bridge"), rule("arp"), rule("bridge")) == ["arp", "bridge", "netdev"])
        #expect(try below(#"{"table":{"family":"netdev","name":"f"}}"#, rule("inet")) == [], "nothing is dropped there")
        #expect(FirewallTable.familiesBelow([]) == [])
    }

    @Test func `jumps lead on, return leads back`() throws {
        let jump = #"{"jump":{"target":"vrrp"}}"#
        let other = #"{"chain":{"family":"inet","table":"f","name":"vrrp"}}"#
        func rule(_ expression: String) -> String {
            #"{"rule":{"family":"inet","table":"f","chain":"vrrp","expr":[\#(expression)]}}"#
        }
        let all = #"{"accept":null}"#
        #expect(try dropped(nft([other, chain("input", "drop", jump), rule(all)].joined(separator: ","))) == [])
        #expect(
            try dropped(
                nft([other, chain("input", "drop", jump), rule(#"{"return":null}"#), rule(all)].joined(separator: ","))
            )
            .count == 4)
        let loop = try nft([other, chain("input", "drop", jump), rule(jump)].joined(separator: ","))
        #expect(try dropped(loop) == [], "a loop is no certainty, and ends")
    }

    @Test func `on the way out, and the servers' answers`() throws {
        #expect(
            try dropped(nft(chain("output", "drop", Self.established))) == [
                "advertisements of VI_1", "packets to server 10.0.0.1:8080", "packets to server 10.0.0.2:80",
                "packets to server 10.0.0.3:53",
            ], "ICMP is related")
        // The tracking does not know a connection that IPVS masquerades, unless net.ipv4.vs.conntrack is 1.
        let forward = try nft(chain("forward", "drop", Self.established))
        #expect(try dropped(forward) == ["answers of 10.0.0.1:8080"])
        #expect(try dropped(forward, tracks: true) == [])
        let invalid =
            #"{"match":{"op":"in","left":{"ct":{"key":"state"}},"right":"invalid"}},{"drop":null}"#
        #expect(try dropped(nft(chain("forward", "accept", invalid))) == ["answers of 10.0.0.1:8080"])
        let noICMP = #"{"match":{"op":"==","left":{"meta":{"key":"l4proto"}},"right":"icmp"}},{"drop":null}"#
        #expect(try dropped(nft(chain("output", "accept", noICMP))) == ["ICMP errors to clients of udp/192.0.2.3:53"])
    }

    @Test func `iptables`() throws {
        let text = """
            # Generated by iptables-save v1.8.9
            *filter
            :INPUT DROP [0:0]
            :FORWARD ACCEPT [0:0]
            :OUTPUT ACCEPT [0:0]
            :web - [0:0]
            -A INPUT -i lo -j ACCEPT
            -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
            -A INPUT -d 192.0.2.0/255.255.255.0 -p tcp -m comment --comment "the web \\"80\\"" -j web
            -A INPUT ! -i eth0 -p vrrp -j ACCEPT
            -A INPUT -p udp -m udp --dport 53 -m recent --update --seconds 5 -j DROP
            -A web -p tcp -m multiport --dports 22,80:90 -j ACCEPT
            COMMIT

            """
        let tables = FirewallTable.iptables(text, .iptables)
        #expect(try dropped(tables) == ["advertisements of VI_1", Self.requests[2]])
        #expect(
            try facts(tables).firewallFindings()[0].remedy?.hasPrefix(
                "iptables -t filter -I INPUT -d 224.0.0.18 -p 112 -j ACCEPT;") == true)
        let open = text.replacing("! -i eth0", with: "-i eth+")
        #expect(try dropped(FirewallTable.iptables(open, .iptables)) == [Self.requests[2]])
        #expect(try dropped(FirewallTable.iptables(text, .ip6tables)) == [], "the other family's")
    }
}
