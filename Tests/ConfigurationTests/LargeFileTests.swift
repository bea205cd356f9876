// Files with tens of thousands of lines of one kind: nothing looks at each line for each other one, and the short ways through the reader say
// what the careful ones say. The limits are generous; what is quadratic takes minutes here.
import Net
import Testing

@testable import Configuration

@Suite(.timeLimit(.minutes(5))) struct LargeFileTests {
    private static func address(_ number: Int) -> String {
        "10.\(number / 62_500).\(number / 250 % 250).\(number % 250 + 1)"
    }

    private static func lines(_ count: Int, _ line: (Int) -> String) -> String {
        (0..<count).map { line($0) + "\n" }.joined()
    }

    private static let service = "protocol TCP\n lb_kind NAT\n"

    /// What there is much of, and the text.
    private static let texts: [(name: String, text: String)] = [
        (
            "marked addresses",
            "global_defs {\n nftables_ipvs\n}\nvirtual_server_group G {\n\(lines(40_000) { "\(address($0)) 80" })}\n"
                + "virtual_server group G {\n\(service)real_server 192.168.1.1 80 {\n}\n}\n"
        ),
        (
            "marked addresses of every port",
            "global_defs {\n nftables_ipvs\n}\nvirtual_server_group G {\n\(lines(20_000) { "\(address($0))" })}\n"
                + "virtual_server group G {\n\(service)real_server 192.168.1.1 80 {\n}\n}\n"
        ),
        (
            "groups",
            lines(5_000) { "virtual_server_group G\($0) {\n\(address($0)) 80\n}" }
                + lines(5_000) { "virtual_server group G\($0) {\n\(service)real_server 192.168.1.1 80 {\n}\n}" }
        ),
        (
            "track files of checks",
            lines(10_000) { "track_file F\($0) {\nfile /f\n}" } + "virtual_server 192.0.2.1 80 {\n\(service)"
                + lines(10_000) { "real_server \(address($0)) 80 {\nFILE_CHECK {\ntrack_file F\($0)\n}\n}" } + "}\n"
        ),
        (
            "routers that track scripts",
            lines(2_000) { "vrrp_script S\($0) {\nscript \"/bin/true\"\n}" }
                + lines(2_000) {
                    instanceText(
                        "track_script {\nS\($0)\n}", name: "V\($0)", id: $0 % 250 + 1, interface: "eth\($0 / 250)")
                }
        ),
        (
            "routers with macvlans of one number",
            lines(2_000) { instanceText("use_vmac", name: "V\($0)", id: 1, interface: "eth\($0)") }
        ),
        (
            "unicast peers",
            instanceText("unicast_src_ip 192.0.2.200\nunicast_peer {\n\(lines(20_000) { address($0) })}")
        ),
    ]

    @Test(arguments: texts.map(\.name))
    func `the time grows with the lines`(_ name: String) throws {
        let text = try #require(Self.texts.first { $0.name == name }?.text)
        let clock = ContinuousClock()
        let start = clock.now
        let loaded = load(text)
        #expect(!loaded.hasErrors, "\(loaded.diagnostics.prefix(2).map { $0.rendered() })")
        #expect(clock.now - start < .seconds(20))
    }

    @Test func `marked ranges overlap where a packet can be of both`() {
        func said(_ lines: String...) -> [String] {
            let group = lines.joined(separator: "\n")
            let text =
                "global_defs {\n nftables_ipvs\n}\nvirtual_server_group G {\n\(group)\n}\n"
                + "virtual_server group G {\n\(Self.service)real_server 192.168.1.1 80 {\n}\n}\n"
            return summary(load(text)).filter { $0.hasSuffix("contradiction") }
        }
        #expect(said("10.0.0.5-9 80", "10.0.0.1-4 80", "10.0.0.10 80", "10.0.0.1-20 81").isEmpty)
        #expect(said("10.0.0.5-9 80", "10.0.0.5-9 80").isEmpty, "the same line twice")
        #expect(said("10.0.0.5-9 80", "10.0.0.9-12 80").count == 1)
        #expect(said("10.0.0.5-9 80", "10.0.0.1-5 80").count == 1)
        #expect(said("10.0.0.5-9 80", "10.0.0.1-20 80").count == 1)
        #expect(said("10.0.0.1-20 80", "10.0.0.5 80").count == 1)
        #expect(said("10.0.0.5 80", "10.0.0.7 81", "10.0.0.1-6").count == 1, "every port")
        #expect(said("10.0.0.1-6", "10.0.0.6 443").count == 1)
        #expect(said("10.0.0.1-6", "10.0.0.7 443", "10.0.0.8").isEmpty)
    }

    /// One line of the block, written so that it takes another way through the reader.
    private static let ways: [(text: String, parameters: String)] = [
        ("weight 7", ""), ("weight\t7   # seven", ""), ("weight 7 ! seven # of them", ""), ("weight \"7\"", ""),
        ("weight $W", "$W=7\n"), ("${K} ${W}", "$K=weight\n$W=7\n"), ("${K}ght ${W}", "$K=wei\n$W=7\n"),
        ("${A}${B}ght $W # $K", "$A=w\n$B=ei\n$W=7\n"), ("$L", "$L=weight $W\n$W=7\n"),
        ("weight \"${W}\"", "$W=7\n"), ("@left weight 7", ""), ("~SEQ(i, 7, 7) weight $i", ""),
        ("~LST({a, b}, {weight, 7}) ${a} ${b}", ""), ("~SEQ(i, 1, 1) ~SEQ(j, 7, 7) ${K} $j", "$K=weight\n"),
        ("$L", "$L= \\\nweight 7\n"), ("$E weight 7", "$E=\n"), ("${E}weight 7${E}", "$E=\n"),
    ]

    @Test(arguments: ways.indices)
    func `every way of writing a line is the same line`(_ index: Int) throws {
        let (line, parameters) = Self.ways[index]
        let loaded = load(parameters + serviceText(server: line), options: LoadOptions(configID: "left"))
        #expect(loaded.diagnostics.map { $0.rendered() } == [])
        #expect(loaded.configuration?.virtualServers.first?.realServers.first?.weight == 7)
    }

    @Test func `what stands behind parameters is placed where it stands`() throws {
        let text = "$A=wei\n$B=ght\n" + serviceText(server: "${A}${B} x $A")
        let loaded = load(text)
        let line = text.split(separator: "\n", omittingEmptySubsequences: false).firstIndex { $0.contains(" x ") } ?? 0
        #expect(loaded.diagnostics.map(\.position.line) == [line + 1, line + 1])
        #expect(loaded.diagnostics.map(\.position.column) == [18, 20])
        #expect(loaded.diagnostics.map(\.source.length) == [1, 2])
    }
}
