// Unicast instances: numbers that two of them may share, addresses that need an interface.
import Net
import Testing

@testable import Configuration

@Suite struct UnicastTests {
    private func unicast(_ name: String, _ peers: String, source: String? = "192.0.2.201", more: String = "") -> String
    {
        let own = source.map { "unicast_src_ip \($0)" } ?? ""
        return instanceText("\(own)\nunicast_peer {\n\(peers)\n}\n\(more)", name: name, id: 51)
    }

    @Test func `two unicast instances share a number when nobody is a peer of both`() throws {
        let loaded = load(unicast("A", "192.0.2.2") + unicast("B", "192.0.2.3\n192.0.2.4"))
        let instances = try #require(loaded.configuration).instances
        #expect(loaded.diagnostics == [])
        // Then only the sender tells whose an advert is.
        #expect(instances.map(\.checkUnicastSource) == [true, true])
        #expect(load(unicast("A", "192.0.2.2")).configuration?.instances.first?.checkUnicastSource == false)
    }

    @Test func `or when they speak from different addresses, or one is multicast`() {
        #expect(load(unicast("A", "192.0.2.2") + unicast("B", "192.0.2.2", source: "192.0.2.202")).configuration != nil)
        #expect(load(unicast("A", "192.0.2.2") + instanceText("", name: "B", id: 51)).configuration != nil)
    }

    @Test(arguments: [("192.0.2.201", "192.0.2.201"), ("192.0.2.201", nil), (nil, nil)] as [(String?, String?)])
    func `a common peer of one source is an error, and the way out is named`(_ first: String?, _ second: String?) throws
    {
        let loaded = load(
            unicast("A", "192.0.2.2\n192.0.2.3", source: first) + unicast("B", "192.0.2.3", source: second))
        let error = try #require(loaded.diagnostics.first)
        #expect(loaded.diagnostics.map(\.code) == [.contradiction])
        #expect(error.remedy?.contains("peers") == true)
    }

    @Test func `an address of a unicast instance without interface needs dev`() throws {
        let text = """
            vrrp_instance V {
                virtual_router_id 51
                unicast_src_ip 192.0.2.201
                unicast_peer {
                    192.0.2.2
                }
                virtual_ipaddress {
                    192.0.2.9 dev eth0
                    192.0.2.10
                    192.0.2.11
                }
                virtual_ipaddress_excluded {
                    192.0.2.12
                }
            }
            """
        let loaded = load(text)
        #expect(summary(loaded) == ["9:9 error missingValue"])
        #expect(loaded.diagnostics.first?.message == "192.0.2.10 has no interface to be on (nor have 2 more)")
        let placed = text.replacing("192.0.2.1", with: "192.0.2.9 dev eth1 #")
        #expect(load(placed).configuration != nil)
    }

    @Test func `a unicast_peer without peers is multicast, and that is said`() throws {
        let loaded = load(instanceText("unicast_peer {\n}"))
        #expect(
            summary(loaded).map { $0.split(separator: " ").suffix(2).joined(separator: " ") } == [
                "warning contradiction"
            ])
        #expect(loaded.configuration?.instances.first?.delivery == .multicast(group: .v4(.init(224, 0, 0, 18))))
    }
}
