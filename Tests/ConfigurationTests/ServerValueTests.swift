// Values of real servers and of HTTP checks that would be refused later, by the kernel or by TLS: put right or named here.
import Net
import Testing

@testable import Configuration

@Suite struct ServerValueTests {
    @Test(
        arguments: [
            ("www.example.com", "www.example.com"), ("www.example.com:7444", "www.example.com"),
            ("www.example.com.:443", "www.example.com"), ("192.0.2.7:8443", "192.0.2.7"), ("192.0.2.7", "192.0.2.7"),
            ("[2001:db8::7]:8443", "[2001:db8::7]"), ("2001:db8::7", "[2001:db8::7]"), ("_x.example", "_x.example"),
            ("www.example.com:", nil), ("www example.com", nil), ("", nil), ("a..b", nil), ("-a.b", nil), ("a/b", nil),
            ("a:70000", nil), ("[::g]", nil), ("bücher.example", nil), (String(repeating: "a", count: 64), nil),
            (String(repeating: "a.", count: 127), String(repeating: "a.", count: 126) + "a"),
            (String(repeating: "a.", count: 127) + "aa", nil),
        ] as [(String, String?)])
    func `a server's name for TLS is a host without port`(_ text: String, _ expected: String?) {
        #expect(serverName(in: text) == expected)
    }

    @Test(arguments: ["", "enable_sni"])
    func `the port of a virtualhost stays in the Host header`(_ line: String) throws {
        let check = "SSL_GET {\n\(line)\nverify\nurl {\npath /\nvirtualhost www.example.com:7444\n}\n}"
        let request = try #require(try probe(check)?.urls.first)
        #expect(request.serverName == "www.example.com")
        #expect(request.host == "www.example.com:7444")
    }

    @Test(arguments: [("", false), ("verify", true), ("enable_sni", true), ("sni_name www.example.com", true)])
    func `verify names the server, or another certificate than the one that is asked for could be shown`(
        _ line: String, _ sends: Bool
    ) throws {
        let tls = try #require(try probe("SSL_GET {\n\(line)\nurl {\npath /\nvirtualhost www.example.com\n}\n}")?.tls)
        #expect(tls.sendsServerName == sends)
    }

    @Test func `a configuration says which daemons it needs`() throws {
        func needs(_ text: String) -> [String]? { load(text).configuration?.neededDaemons }
        let instance = "vrrp_instance V {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress {\n192.0.2.9\n}\n}\n"
        let service = "virtual_server 192.0.2.1 80 {\nprotocol TCP\nreal_server 192.0.2.2 80 {\n"
        #expect(needs("") == [])
        #expect(needs(instance) == ["vrrpd"])
        #expect(needs(service + "}\n}\n") == ["ipvsd"])
        #expect(needs(instance + service + "TCP_CHECK {\n}\n}\n}\n") == ["vrrpd", "ipvsd", "checkd"])
    }

    private func probe(_ check: String, _ lines: String = "") throws -> HTTPProbe? {
        guard case .http(let probe) = try service(lines, server: check).realServers.first?.checkers.first?.probe else {
            return nil
        }
        return probe
    }

    @Test(arguments: [
        ("", "enable_sni\nurl {\npath /\nvirtualhost \"my site\"\n}", 10),
        ("", "enable_sni\nvirtualhost \"my site\"\nurl {\npath /\n}", 8),
        ("", "sni_name \"my site\"\nurl {\npath /\n}", 7),
        ("virtualhost \"my site\"", "enable_sni\nurl {\npath /\n}", 4),
    ])
    func `what cannot be a server's name is an error where it stands`(_ lines: String, _ check: String, _ line: Int) {
        let loaded = load(serviceText(lines, server: "SSL_GET {\n\(check)\n}"))
        let errors = loaded.diagnostics.filter { $0.severity == .error }
        #expect(errors.map { "\($0.position.line) \($0.code)" } == ["\(line) badValue"])
        #expect(errors.first?.remedy?.contains("sni_name") == true)
    }

    @Test func `without TLS a virtualhost may be anything`() throws {
        #expect(try probe("HTTP_GET {\nurl {\npath /\nvirtualhost \"my site\"\n}\n}")?.urls.first?.host == "my site")
        #expect(try probe("SSL_GET {\nurl {\npath /\nvirtualhost \"my site\"\n}\n}")?.urls.first?.serverName == nil)
    }

    @Test(arguments: [
        ("lthreshold 10", 0, 0), ("uthreshold 10\nlthreshold 11", 10, 0), ("uthreshold 10\nlthreshold 10", 10, 10),
    ])
    func `a lower threshold that the kernel would refuse is left out`(_ lines: String, _ upper: UInt32, _ lower: UInt32)
        throws
    {
        let server = try #require(try service(server: lines).realServers.first)
        #expect((server.upperThreshold, server.lowerThreshold) == (upper, lower))
        #expect(summary(load(serviceText(server: lines))).count == (lower == 0 ? 1 : 0))
    }

    @Test(arguments: [("NAT", UInt16(81), 0), ("DR", 80, 1), ("TUN", 80, 1)])
    func `a sorry server has the service's port where nothing can change it`(
        _ method: String, _ port: UInt16, _ said: Int
    ) throws {
        let lines = "sorry_server 192.0.2.99 81\nsorry_server_lvs_method \(method)"
        #expect(try service(lines).sorryServer?.endpoint.port == port)
        #expect(summary(load(serviceText(lines))).count == said)
    }

    @Test(arguments: [(1, 0, false), (3, 1, true), (2, 1, false), (2, 2, false), (4, 0, false), (3, 2, true)])
    func `a quorum that is never gained is said`(_ quorum: Int, _ hysteresis: Int, _ isSaid: Bool) {
        let text = serviceText("quorum \(quorum)\nhysteresis \(hysteresis)", server: "weight 3")
        let said = load(text).diagnostics.contains { $0.code == .contradiction && $0.message.contains("it never is") }
        #expect(said == isSaid)
    }

    private func groups(_ second: String) -> LoadedConfiguration {
        func server(_ group: String, _ address: String, _ lines: String) -> String {
            "virtual_server group \(group) {\nprotocol TCP\nlb_algo rr\n\(lines)\nreal_server \(address) 80 {\n}\n}\n"
        }
        return load(
            "virtual_server_group A {\n192.0.2.35 80\n192.0.2.36 80\n}\nvirtual_server_group B {\n192.0.2.35 80\n}\n"
                + server("A", "192.0.2.100", "") + server("B", "192.0.2.101", second))
    }

    @Test func `an address in two groups has the real servers of both`() throws {
        let loaded = groups("")
        let services = try #require(loaded.configuration).virtualServers
        #expect(services.map(\.identity.description) == ["tcp/192.0.2.35:80", "tcp/192.0.2.36:80"])
        #expect(
            services.map { $0.realServers.map(\.endpoint.description) } == [
                ["192.0.2.100:80", "192.0.2.101:80"], ["192.0.2.100:80"],
            ])
        #expect(loaded.diagnostics.map(\.severity) == [.warning])
        #expect(groups("lb_algo wrr").diagnostics.filter { $0.severity == .error }.map(\.code) == [.contradiction])
        #expect(groups("persistence_timeout").diagnostics.map(\.code) == [.contradiction])
    }

    @Test func `an empty group is said`() {
        let text =
            "virtual_server_group A {\n}\nvirtual_server group A {\nprotocol TCP\nreal_server 192.0.2.1 80 {\n}\n}\n"
        #expect(
            load(text).diagnostics.map { $0.severity.rawValue + " " + $0.code.rawValue } == ["warning missingValue"])
    }

    @Test func `the scope of an IPv6 address is its own`() {
        let text = instanceText("virtual_ipaddress_excluded {\nfe80::1/64 dev eth0 scope link\n}")
        #expect(load(text).diagnostics.map(\.code) == [.adjusted])
    }
}
