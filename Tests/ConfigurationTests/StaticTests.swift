// Static addresses, routes and rules: where they are without `dev`, and who needs them (`track_group`).
import Net
import Testing

@testable import Configuration

@Suite struct StaticTests {
    private func loaded(_ text: String) throws -> Configuration {
        let loaded = load(text + instanceText(""))
        return try #require(loaded.configuration, "\(loaded.diagnostics.map { $0.rendered() })")
    }

    @Test func `default_interface is for static addresses without dev, wherever it stands`() throws {
        let text = "static_ipaddress {\n192.0.2.1/24\n192.0.2.2/24 dev eth9\n}\n"
        #expect(try loaded(text).staticAddresses.map(\.device) == ["eth0", "eth9"])
        let given = try loaded(text + "global_defs {\ndefault_interface lan0\n}\n")
        #expect(given.staticAddresses.map(\.device) == ["lan0", "eth9"])
        #expect(load("global_defs {\ndefault_interface a/b\n}\n").configuration == nil)
    }

    @Test func `track_group names instances; static lines name it`() throws {
        let configuration = try loaded(
            """
            static_ipaddress {
                192.0.2.1/24 dev eth1 track_group G
                192.0.2.2/24 dev eth1
            }
            static_routes {
                198.51.100.0/24 via 192.0.2.9 dev eth1 track_group G
            }
            static_rules {
                from 198.51.100.0/24 table 100 priority 300 track_group G
            }
            track_group G {
                group {
                    VI_1
                }
            }

            """)
        #expect(configuration.trackGroups == [TrackGroupConfiguration(name: "G", members: ["VI_1"])])
        #expect(configuration.staticAddresses.map(\.trackGroup) == ["G", nil])
        #expect(configuration.staticRoutes.map(\.trackGroup) == ["G"])
        #expect(configuration.staticRules.map(\.trackGroup) == ["G"])
    }

    @Test(arguments: [
        ("static_ipaddress {\n192.0.2.1/24 track_group H\n}\n", "error unknownReference"),
        ("track_group G {\ngroup {\nVI_9\n}\n}\n", "error unknownReference"),
        ("track_group G {\n}\n", "error missingKeyword"),
        ("track_group G {\ngroup {\nVI_1\n}\n}\ntrack_group G {\ngroup {\nVI_1\n}\n}\n", "error duplicateName"),
        ("static_ipaddress {\n192.0.2.1/24 use_vmac\n}\n", "warning adjusted"),
    ])
    func `what names nothing, or means nothing, is said`(_ text: String, _ expected: String) {
        let found = load(text + instanceText("")).diagnostics.map { "\($0.severity.rawValue) \($0.code.rawValue)" }
        #expect(found == [expected])
    }

    @Test func `a virtual line needs no group`() {
        let text =
            "track_group G {\ngroup {\nVI_1\n}\n}\n"
            + instanceText("virtual_ipaddress_excluded {\n192.0.2.60 track_group G\n}")
        let loaded = load(text)
        #expect(loaded.configuration?.instances.first?.excludedAddresses.map(\.trackGroup) == [nil])
        #expect(loaded.diagnostics.map(\.code) == [.adjusted])
        #expect(loaded.inactions.isEmpty)
    }
}
