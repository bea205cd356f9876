// One mistake, one diagnostic: what follows from it is not said again.
import Testing

@testable import Configuration

@Suite struct OneMistakeTests {
    private static func instance(_ lines: String) -> String { "vrrp_instance V {\n\(lines)\n}\n" }
    private static let address = "virtual_ipaddress {\n192.0.2.1\n}\n"

    static let mistakes: [(String, String)] = [
        (instance("interface eth0\nvirtual_router_id ${ID}\n" + address), "undefinedParameter"),
        (instance("interface ${IF}\nvirtual_router_id 51\n" + address), "undefinedParameter"),
        (instance("interface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n${VIP}\n}"), "undefinedParameter"),
        (instance("interface eth0\nvirtual_router_id 51\nstate ${STATE}\n" + address), "undefinedParameter"),
        (instance("interface eth0\nvirtual_router_idd 51\n" + address), "unknownKeyword"),
        (instance("interface eth0\nvirtual_router_id: 51\n" + address), "unknownKeyword"),
        (instance("interface eth0\nvirtual_router_id=51\n" + address), "unknownKeyword"),
        (instance("interfce eth0\nvirtual_router_id 51\n" + address), "unknownKeyword"),
        (instance("interface eth0\nvirtual_router_id 51\nvirtual_ipadress {\n192.0.2.1\n}"), "unknownKeyword"),
        (instance("interface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n192.0.2.300\n}"), "badValue"),
        (instance("interface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n192.0.2.1;\n}"), "badValue"),
        (instance("interface eth0;\nvirtual_router_id 51\n" + address), "badValue"),
        (instance("interface eth0\nvirtual_router_id 51; priority 3\n" + address), "badValue"),
        (instance("interface eth0\nvirtual_router_id = 51\n" + address), "badValue"),
        (
            instance(
                "interface eth0\nvirtual_router_id 51\nunicast_src_ip 192.0.2.9\nunicast_peer { 192.0.2.2, 192.0.2.3 }\n"
                    + address), "badValue"
        ),
        (instance("interface eth0\nvirtual_router_id 51\n" + address + "auth_pas x\n"), "unknownKeyword"),
        (
            instance("interface eth0\nvirtual_router_id 51\n" + address + "auth_pass x!y\n"),
            "misplacedKeyword badCharacter"
        ),
        (serviceText("").replacing("protocol TCP", with: "protocl TCP"), "unknownKeyword"),
        (serviceText("lb_algo = rr"), "badValue"),
        ("vrrp_script s {\nscrpt /bin/true\n}\n", "unknownKeyword"),
        ("vrrp_sync_group G {\nV\n}\n", "unknownKeyword"),
        (serviceText(server: "TCP_CHEK {\nconnect_timeout 3\n}"), "unknownKeyword"),
        (serviceText(server: "HTTP_GET {\nurl {\npaht /\n}\n}"), "unknownKeyword"),
    ]

    @Test(arguments: mistakes)
    func `one mistake is one diagnostic`(_ text: String, _ expected: String) {
        let said = load(text).diagnostics.filter { $0.code != .notActedOn }
        #expect(said.map(\.code.rawValue).joined(separator: " ") == expected, "\(said.map { $0.rendered() }.joined())")
    }

    @Test(arguments: ["router_id A#B", "router_id A!B"])
    func `a comment that begins inside a word is said`(_ line: String) {
        let loaded = load("global_defs {\n\(line)\n}\n")
        #expect(loaded.configuration?.global.routerID == "A")
        #expect(summary(loaded) == ["2:12 warning badCharacter"])
        #expect(load("global_defs { # why\nrouter_id \"A#B\" # x\n}# end\n").diagnostics == [])
    }
}
