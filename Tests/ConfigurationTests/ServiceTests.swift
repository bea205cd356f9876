// What virtual servers, real servers and checkers become.
import Net
import Testing

@testable import Configuration

@Suite struct ServiceTests {
    @Test(arguments: [
        ("192.0.2.1 80", "protocol TCP", ["tcp/192.0.2.1:80"]), ("192.0.2.1 53", "", ["udp/192.0.2.1:53"]),
        ("2001:db8::1 80", "protocol SCTP", ["sctp/[2001:db8::1]:80"]), ("fwmark 7", "", ["fwmark/7/inet"]),
        ("fwmark 7", "ip_family inet6", ["fwmark/7/inet6"]), ("192.0.2.1", "protocol tcp", ["tcp/192.0.2.1:0"]),
        ("group G", "protocol TCP", ["tcp/192.0.2.1:80", "tcp/192.0.2.2:80", "tcp/192.0.2.9:443", "fwmark/3/inet"]),
    ])
    func `services have names`(_ head: String, _ line: String, _ expected: [String]) {
        let group = "virtual_server_group G {\n192.0.2.1-2 80\n192.0.2.9 443\nfwmark 3\n}\n"
        let loaded = load("\(group)virtual_server \(head) {\n\(line)\n}\n")
        #expect(loaded.configuration?.virtualServers.map(\.identity.description) == expected)
    }

    @Test func `a misspelt scheduler is keepalived's default, and that is said`() {
        let loaded = load("virtual_server 192.0.2.1 80 {\nprotocol TCP\nlb_algo rrr\n}\n")
        #expect(loaded.configuration?.virtualServers.map(\.scheduler) == ["wlc"])
        #expect(loaded.diagnostics.contains { $0.message.contains("wlc is used") })
    }

    @Test func `a bare service has keepalived's defaults`() throws {
        let bare = try service()
        #expect(bare.scheduler == "wlc")
        #expect(bare.forwarding == .masquerade)
        #expect(bare.quorum == 1)
        #expect(bare.hysteresis == 0)
        #expect(bare.persistence == nil)
        #expect(
            bare.realServers == [RealServerConfiguration(endpoint: Endpoint(.v4(IPv4Address(192, 0, 2, 11)), port: 80))]
        )
    }

    @Test(arguments: [
        ("DR", ForwardingMethod.directRouting), ("NAT", .masquerade), ("TUN", .tunnel(.ipip)),
        ("TUN type gue port 6080 csum", .tunnel(.gue(port: 6080, .whole))), ("TUN type gre", .tunnel(.gre(.none))),
    ])
    func `forwarding methods`(_ text: String, _ expected: ForwardingMethod) throws {
        #expect(try service(kind: text).forwarding == expected)
        #expect(try service(kind: text).realServers.first?.forwarding == expected)
        #expect(
            try service("sorry_server 192.0.2.99 80\nsorry_server_lvs_method DR", kind: text).sorryServer?.forwarding
                == .directRouting)
    }

    @Test func `checks go to the port that is written, also where DR keeps the service's`() throws {
        let text = """
            virtual_server_group G {
                192.0.2.1 80
                192.0.2.1 443
            }
            virtual_server group G {
                protocol TCP
                lb_kind DR
                real_server 192.0.2.11 80 {
                    TCP_CHECK {
                    }
                }
            }
            """
        let services = try #require(load(text).configuration?.virtualServers)
        #expect(services.flatMap(\.realServers).map(\.endpoint.port) == [80, 443])
        #expect(services.flatMap(\.realServers).flatMap(\.checkers).map(\.target.endpoint.port) == [80, 80])
    }

    @Test func `DR and TUN keep the service's port`() throws {
        let text = "virtual_server 192.0.2.1 80 {\nprotocol TCP\nlb_kind DR\nreal_server 192.0.2.2 8080 {\n}\n}\n"
        let loaded = load(text)
        #expect(loaded.configuration?.virtualServers.first?.realServers.first?.endpoint.port == 80)
        #expect(summary(loaded) == ["4:23 warning adjusted"])
        let nat = load(text.replacing("lb_kind DR", with: "lb_kind NAT"))
        #expect(nat.configuration?.virtualServers.first?.realServers.first?.endpoint.port == 8080)
    }

    @Test func `persistence`() throws {
        #expect(try service("persistence_timeout").persistence == Persistence(prefixLength: 32))
        #expect(try service("persistence_timeout 50").persistence?.timeout == .seconds(50))
        #expect(try service("persistence_granularity 255.255.255.0").persistence == Persistence(prefixLength: 24))
        #expect(load(serviceText("persistence_granularity 255.0.255.0")).configuration == nil)
        let anyPort = load("virtual_server 192.0.2.1 {\nprotocol TCP\n}\n")
        #expect(anyPort.configuration?.virtualServers.first?.persistence?.timeout == .seconds(360))
    }

    @Test func `scheduler flags are bits, and must go with the scheduler`() throws {
        #expect(try service("lb_algo sh\nsh-port\nsh-fallback").schedulerFlags == [.flag1, .flag2])
        #expect(try service("lb_algo rr\nsh-port").schedulerFlags == [])
        #expect(try service("ops").schedulerFlags == [])
        let udp = load(serviceText("ops", protocol: "UDP"))
        #expect(udp.configuration?.virtualServers.first?.schedulerFlags == [.onePacket])
    }

    @Test func `a quorum that cannot be reached is lowered`() throws {
        #expect(try service("quorum 9").quorum == 1)
        #expect(try service("quorum 2\nhysteresis 1", server: "weight 5").hysteresis == 1)
        #expect(try service("quorum 3\nhysteresis 3", server: "weight 5").hysteresis == 2)
    }

    @Test func `thresholds, weights and switches of a real server`() throws {
        let server = try #require(
            try service("inhibit_on_failure", server: "weight 0\nuthreshold 10\nlthreshold 5\nsmtp_alert off")
                .realServers.first)
        #expect(server.weight == 0)
        #expect(server.upperThreshold == 10)
        #expect(server.lowerThreshold == 5)
        #expect(server.inhibitOnFailure)
        #expect(!server.mailAlert)
    }

    @Test(arguments: [
        "virtual_server {\n}\n", "virtual_server x 80 {\n}\n", "virtual_server 192.0.2.1 99999 {\n}\n",
        "virtual_server fwmark {\n}\n",
        "virtual_server fwmark 0 {\n}\n", "virtual_server group none {\n}\n", serviceText() + serviceText(),
        serviceText("real_server 192.0.2.11 80 {\n}"), serviceText("real_server 2001:db8::1 80 {\n}"),
        serviceText("protocol ICMP"),
        serviceText("lb_kind nat"), serviceText("lb_kind TUN type gue"), serviceText("ip_family inet6"),
        serviceText(server: "TCP_CHECK {\nconnect_port 0\n}"), serviceText(server: "HTTP_GET {\n}"),
        serviceText(server: "HTTP_GET {\nurl {\n}\n}"), serviceText(server: "MISC_CHECK {\n}"),
        serviceText(server: "FILE_CHECK {\ntrack_file none\n}"),
        serviceText(server: "HTTP_GET {\nurl {\npath /\ndigest 12\n}\n}"),
        serviceText(server: "HTTP_GET {\nurl {\npath /\nstatus_code 99\n}\n}"), serviceText(server: "retry 0"),
        serviceText(server: "weight 4294967296"), serviceText(server: "UDP_CHECK {\npayload 0g\n}"),
    ])
    func `what cannot be meant is refused`(_ text: String) {
        #expect(load(text).configuration == nil)
    }
}

@Suite struct CheckerTests {
    private func checker(_ text: String, service lines: String = "", server: String = "") throws -> CheckerConfiguration
    {
        try #require(try service(lines, server: server + "\n" + text).realServers.first?.checkers.first)
    }

    @Test(arguments: [
        ("TCP_CHECK {\n}", 1, 1.0), ("HTTP_GET {\nurl {\npath /\n}\n}", 1, 3), ("SMTP_CHECK {\n}", 1, 1),
        ("DNS_CHECK {\n}", 3, 60),
        ("PING_CHECK {\n}", 1, 1), ("UDP_CHECK {\n}", 1, 1), ("MISC_CHECK {\nmisc_path /bin/true\n}", 0, 1),
    ])
    func `each checker has its own defaults`(_ text: String, _ retry: Int, _ delay: Double) throws {
        let schedule = try checker(text).schedule
        #expect(schedule.retry == retry)
        #expect(schedule.delayBeforeRetry == .seconds(delay))
        #expect(schedule.connectTimeout == .seconds(5))
        #expect(schedule.delayLoop == .seconds(60))
        #expect(schedule.warmup == .seconds(60))
        #expect(schedule.rise == 1)
    }

    @Test func `values are inherited from the service and the server, wherever they stand`() throws {
        let text = """
            virtual_server 192.0.2.1 80 {
                protocol TCP
                real_server 192.0.2.2 80 {
                    TCP_CHECK {
                    }
                    TCP_CHECK {
                        retry 0
                        delay_loop 2
                    }
                    retry 5
                    alpha
                }
                delay_loop 10
                connect_timeout 2
                retry 4
                warmup 0
            }
            """
        let checkers = try #require(load(text).configuration?.virtualServers.first?.realServers.first?.checkers)
        #expect(checkers.map(\.schedule.retry) == [5, 0])
        #expect(checkers.map(\.schedule.delayLoop) == [.seconds(10), .seconds(2)])
        #expect(checkers.map(\.schedule.connectTimeout) == [.seconds(2), .seconds(2)])
        #expect(checkers.map(\.schedule.warmup) == [.zero, .zero])
        #expect(checkers.map(\.schedule.alpha) == [true, true])
    }

    @Test func `fall and rise count results in a row`() throws {
        let schedule = try checker("TCP_CHECK {\nfall 4\nrise 3\n}").schedule
        #expect(schedule.retry == 3)
        #expect(schedule.fall == 4)
        #expect(schedule.rise == 3)
        #expect(try checker("TCP_CHECK {\nretry 9\nfall 1\n}").schedule.retry == 0)
    }

    @Test func `nb_get_retry is retry in every checker`() throws {
        for kind in [
            "TCP_CHECK {", "SMTP_CHECK {", "HTTP_GET {\nurl {\npath /\n}", "MISC_CHECK {\nmisc_path /bin/true",
        ] {
            #expect(try checker("\(kind)\nnb_get_retry 3\n}").schedule.retry == 3)
        }
    }

    @Test func `a probe may go elsewhere and come from somewhere`() throws {
        let target = try checker(
            "TCP_CHECK {\nconnect_ip 192.0.2.77\nconnect_port 81\nbindto 192.0.2.78\nbind_port 9\nbind_if eth0\nfwmark 3\n}"
        ).target
        #expect(target.endpoint.description == "192.0.2.77:81")
        #expect(target.sourceAddress == IPAddress("192.0.2.78"))
        #expect(target.sourcePort == 9)
        #expect(target.interface == "eth0")
        #expect(target.firewallMark == 3)
    }

    @Test func `the Host header comes from the url, the checker, the server, the service or the address`() throws {
        func host(_ url: String, _ http: String, _ server: String, _ service: String) throws -> String? {
            let text = "HTTP_GET {\nurl {\npath /\n\(url)\n}\n\(http)\n}"
            guard case .http(let probe) = try checker(text, service: service, server: server).probe else { return nil }
            return probe.urls.first?.host
        }
        #expect(try host("virtualhost u", "virtualhost c", "virtualhost r", "virtualhost v") == "u")
        #expect(try host("", "virtualhost c", "virtualhost r", "virtualhost v") == "c")
        #expect(try host("", "", "virtualhost r", "virtualhost v") == "r")
        #expect(try host("", "", "", "virtualhost v") == "v")
        #expect(try host("", "", "", "") == "192.0.2.11:80")
    }

    @Test func `SSL_GET: names, verification, statuses and digests`() throws {
        let text = """
            SSL_GET {
                enable_sni
                verify
                ca /etc/ssl/ca.pem
                url {
                    path /a
                    digest 9B3A0C85A887A256D6939DA88AABD8CD
                    status_code 200 301-399
                    status_code 404
                }
                url {
                    path b
                    digest 00000000000000000000000000000000
                }
            }
            """
        guard case .http(let probe) = try checker(text, service: "virtualhost v", server: "virtualhost r").probe else {
            Issue.record("not HTTP")
            return
        }
        #expect(probe.tls?.sendsServerName == true)
        #expect(probe.tls?.verifies == true)
        #expect(probe.tls?.authorities == "/etc/ssl/ca.pem")
        #expect(probe.urls.map(\.path) == ["/a", "/b"])
        #expect(probe.urls.map(\.serverName) == ["v", "v"])
        #expect(probe.urls[0].digest?.count == 16)
        #expect(probe.urls[0].statusCodes == [200...200, 301...399, 404...404])
        #expect(probe.urls[0].accepts(status: 302))
        #expect(!probe.urls[0].accepts(status: 500))
        #expect(probe.urls[1].statusCodes == [200...299])
    }

    @Test func `old SMTP hosts are one checker each`() throws {
        let text = "SMTP_CHECK {\nconnect_timeout 9\nhost {\nconnect_ip 192.0.2.5\n}\nhost {\nconnect_port 26\n}\n}"
        let checkers = try service(server: text).realServers.first?.checkers ?? []
        #expect(checkers.map(\.target.endpoint.description) == ["192.0.2.5:80", "192.0.2.11:26"])
        #expect(checkers.map(\.schedule.connectTimeout) == [.seconds(9), .seconds(9)])
    }

    @Test func `MISC_CHECK runs as long as the service's delay_loop`() throws {
        guard
            case .misc(let probe) = try checker(
                "MISC_CHECK {\nmisc_path \"/bin/true 'a b' c\"\nmisc_dynamic\nuser nobody\n}", service: "delay_loop 7",
                server: "delay_loop 3"
            ).probe
        else {
            Issue.record("not MISC")
            return
        }
        #expect(probe.command.arguments == ["/bin/true", "a b", "c"])
        #expect(probe.command.user == ScriptUser(user: "nobody"))
        #expect(probe.timeout == .seconds(7))
        #expect(probe.isDynamic)
    }

    @Test func `UDP_CHECK matches replies with wildcards`() throws {
        guard case .udp(let probe) = try checker("UDP_CHECK {\npayload 0a ff 7\nrequire_reply 0axx 4xX5\n}").probe
        else {
            Issue.record("not UDP")
            return
        }
        #expect(probe.payload == [0x0A, 0xFF, 0x07])
        #expect(probe.requiresReply)
        #expect(probe.reply.map(\.value) == [0x0A, 0, 0x40, 0x05])
        #expect(probe.reply.map(\.mask) == [0xFF, 0, 0xF0, 0x0F])
    }
}
