// nftables_ipvs: what a virtual_server_group becomes with it.
import Net
import Testing

@testable import Configuration

@Suite struct GroupMarkTests {
    private static let groups = """
        virtual_server_group A {
            192.0.2.1-3 80
            192.0.2.9
        }
        virtual_server_group B {
            192.0.2.1 443
            2001:db8::1-3 443
        }
        virtual_server_group C {
            192.0.2.7 80
            fwmark 5
        }

        """

    private func load(_ defs: String, _ heads: [String], groups: String = Self.groups) -> LoadedConfiguration {
        let servers = heads.map { "virtual_server \($0)\nreal_server 192.0.2.99 80 {\n}\n}\n" }.joined()
        return ConfigurationTests.load("global_defs {\n\(defs)\n}\n\(groups)\(servers)")
    }

    private func names(_ loaded: LoadedConfiguration) -> [String]? {
        loaded.configuration?.virtualServers.map(\.identity.description)
    }

    private static let heads = [
        "group A {\nprotocol TCP", "group A {\nprotocol UDP", "group B {\nprotocol TCP\nlvs_method TUN",
        "group C {\nprotocol TCP",
    ]

    @Test func `each group and protocol has a mark, in the order of the file; a group with marks stays as it is`()
        throws
    {
        let loaded = load("nftables_ipvs", Self.heads)
        #expect(
            names(loaded) == [
                "fwmark/1000/inet", "fwmark/1001/inet", "fwmark/1002/inet", "fwmark/1002/inet6", "tcp/192.0.2.7:80",
                "fwmark/5/inet",
            ])
        let servers = try #require(loaded.configuration?.virtualServers)
        let first = try #require(servers.first?.marked)
        #expect(first.transport == .tcp && first.ranges.map(\.addresses.count) == [3, 1])
        #expect(first.ranges.map(\.port) == [80, 0])
        #expect(servers[2].marked?.ranges.map(\.port) == [443] && servers[3].marked?.ranges.first?.addresses.count == 3)
        #expect(servers.map(\.group) == ["A", "A", "B", "B", "C", "C"])
        #expect(servers[4].marked == nil && servers[5].marked == nil)
    }

    @Test func `the words`() {
        let loaded = load("nftables_ipvs mine\nnftables_ipvs_priority -7\nnftables_ipvs_start_fwmark 77", Self.heads)
        #expect(names(loaded)?.first == "fwmark/77/inet")
        #expect(loaded.configuration?.global.groupMarkTable == "mine")
        #expect(loaded.configuration?.global.groupMarkPriority == -7)
        #expect(
            names(load("nftables_ipvs_start_fwmark 77", Self.heads))?.first == "tcp/192.0.2.1:80",
            "not without the first")
        for word in [
            "nftables_ipvs_start_fwmark 0", "nftables_ipvs_start_fwmark 4294967296", "nftables_ipvs_priority x",
        ] {
            #expect(load(word, []).configuration == nil, "\(word)")
        }
        #expect(load("nftables_ipvs \(String(repeating: "x", count: 256))", []).configuration == nil)
    }

    @Test func `marks that others use, and those beyond the last, are refused`() {
        #expect(load("nftables_ipvs", ["fwmark 1000 {"] + Self.heads).configuration == nil)
        let late = load("nftables_ipvs\nnftables_ipvs_start_fwmark 4294967295", Self.heads)
        #expect(late.configuration == nil)
    }

    @Test func `a packet has one mark`() {
        let twice = "virtual_server_group D {\n192.0.2.2 80\n}\n"
        #expect(
            load("nftables_ipvs", Self.heads + ["group D {\nprotocol TCP"], groups: Self.groups + twice).configuration
                == nil)
        #expect(
            load("nftables_ipvs", Self.heads + ["group D {\nprotocol SCTP"], groups: Self.groups + twice).configuration
                != nil)
        let anyPort = "virtual_server_group D {\n192.0.2.9 80\n}\n"
        #expect(
            load("nftables_ipvs", Self.heads + ["group D {\nprotocol TCP"], groups: Self.groups + anyPort).configuration
                == nil)
        let same = "virtual_server_group D {\n192.0.2.30 80\n192.0.2.30 80\n}\n"
        #expect(
            load("nftables_ipvs", ["group D {\nprotocol TCP"], groups: same).configuration != nil, "the same line twice"
        )
    }
}
