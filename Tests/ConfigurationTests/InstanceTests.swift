// What an instance becomes: keepalived's defaults and how values settle each other.
import Net
import Testing

@testable import Configuration

@Suite struct InstanceTests {
    @Test func `lvs_sync_daemon_interface is lvs_sync_daemon with the instance, and the first one counts`() {
        let text =
            instanceText("lvs_sync_daemon_interface eth1")
            + instanceText("lvs_sync_daemon_interface eth0", name: "VI_2", id: 52)
        var loaded = load(text)
        #expect(loaded.configuration?.global.syncDaemon?.interface == "eth1")
        #expect(loaded.configuration?.global.syncDaemon?.instance == "VI_1")
        #expect(loaded.configuration?.global.syncDaemon?.syncID == 51)
        #expect(loaded.diagnostics.count { $0.message.contains("lvs_sync_daemon") } == 2)
        loaded = load("global_defs {\nlvs_sync_daemon eth0 VI_2\n}\n" + text)
        #expect(loaded.configuration?.global.syncDaemon?.instance == "VI_2")
    }

    @Test func `global_tracking is sync_group_tracking_weight`() {
        let loaded = load(instanceText("") + "vrrp_sync_group G {\ngroup {\nVI_1\n}\nglobal_tracking\n}\n")
        #expect(loaded.configuration?.syncGroups.map(\.usesTrackingWeights) == [true])
    }

    @Test func `a bare instance has keepalived's defaults`() throws {
        let bare = try instance("")
        var expected = VRRPInstanceConfiguration(name: "VI_1", interface: "eth0", virtualRouterID: 51)
        let address = try #require(IPPrefix("192.0.2.51"))
        expected.virtualAddresses = [AddressLine(address, device: "eth0")]
        #expect(bare == expected)
        #expect(bare.priority == 100)
        #expect(bare.gratuitousARP.delay == .seconds(5))
        #expect(bare.gratuitousARP.count == 5)
        #expect(bare.gratuitousARP.refreshCount == 1)
        #expect(bare.accept)
        #expect(bare.preempt)
    }

    @Test func `state MASTER without a priority owns the addresses`() throws {
        #expect(try instance("state MASTER").priority == 255)
        #expect(try instance("state MASTER\npriority 7").priority == 7)
        #expect(try instance("priority 255").initialState == .master)
    }

    @Test func `nopreempt does not go with state MASTER`() throws {
        #expect(try instance("nopreempt").preempt == false)
        #expect(try instance("nopreempt\nstate MASTER\npriority 9").preempt)
        #expect(try instance("preempt_delay 5").preemptDelay == .seconds(5))
        #expect(try instance("preempt_delay 5\nnopreempt").preemptDelay == .zero)
    }

    @Test(arguments: [
        ("advert_int 3", 3000), ("advert_int 0.3", 1000), ("advert_int 1.6", 2000), ("version 3\nadvert_int 0.3", 300),
        ("version 3\nadvert_int 0.014", 10), ("version 3\nadvert_int 60", 40950), ("version 3\nadvert_int 0.01", 10),
    ])
    func `intervals are what the version can carry`(_ lines: String, _ milliseconds: Int) throws {
        #expect(try instance(lines).advertInterval == .milliseconds(milliseconds))
    }

    @Test func `IPv6 is version 3 to its own group`() throws {
        let text = """
            vrrp_instance V {
                interface eth0
                virtual_router_id 1
                virtual_ipaddress {
                    fe80::1
                    2001:db8::1/64
                }
            }
            """
        let instance = try #require(load(text).configuration?.instances.first)
        #expect(instance.version == .v3)
        #expect(instance.family == .inet6)
        #expect(instance.delivery == .multicast(group: AdvertDelivery.defaultGroup(.inet6)))
        #expect(load(text, options: LoadOptions(isStrict: true)).configuration != nil)
    }

    @Test(arguments: [
        ("interface eth0\nversion 2", "2001:db8::1", "VRRP version 2 has no IPv6"),
        ("interface eth0", "2001:db8::1\n10.0.0.1", "mixes IPv4 and IPv6 addresses"),
        ("interface eth0\nmcast_src_ip 10.0.0.9", "2001:db8::1", "not of the addresses' family"),
        ("unicast_src_ip fe80::1\nunicast_peer {\n2001:db8::7\n}", "2001:db8::1 dev eth0", "without an interface"),
        ("unicast_src_ip 2001:db8::6\nunicast_peer {\nfe80::7\n}", "2001:db8::1 dev eth0", "without an interface"),
    ])
    func `what IPv6 cannot be is an error with its place`(_ lines: String, _ addresses: String, _ words: String) {
        let result = load(
            "vrrp_instance V {\nvirtual_router_id 1\n\(lines)\nvirtual_ipaddress {\n\(addresses)\n}\n}\n")
        #expect(result.configuration == nil)
        #expect(
            result.diagnostics.contains { $0.severity == .error && $0.message.contains(words) && $0.position.line > 1 })
    }

    @Test func `a source that is not link-local is not used for IPv6 multicast`() throws {
        let result = load(
            "vrrp_instance V {\nvirtual_router_id 1\ninterface eth0\nmcast_src_ip 2001:db8::5\nvirtual_ipaddress {\nfe80::1\n}\n}\n"
        )
        #expect(try #require(result.configuration?.instances.first).sourceAddress == nil)
        #expect(result.diagnostics.contains { $0.message.contains("is not link-local") })
    }

    @Test func `global values are inherited, wherever global_defs stands`() throws {
        let globals = """
            global_defs {
                vrrp_version 3
                vrrp_garp_master_delay 2
                vrrp_garp_master_repeat 1
                vrrp_garp_lower_prio_repeat 3
                vrrp_garp_interval 0
                vrrp_gna_interval 0.5
                vrrp_down_timer_adverts 4
                vrrp_mcast_group4 224.0.0.19
                vrrp_skip_check_adv_addr
                v3_checksum_as_v2
            }

            """
        let before = try instance("garp_master_delay 9", globals)
        let after = try #require(load(instanceText("garp_master_delay 9") + globals).configuration?.instances.first)
        #expect(before == after)
        #expect(before.version == .v3)
        #expect(before.gratuitousARP.delay == .seconds(9))
        // keepalived: the answer to a lower priority follows global_defs, not the instance.
        #expect(before.gratuitousARP.lowerPriorityDelay == .seconds(2))
        #expect(before.gratuitousARP.count == 1)
        #expect(before.gratuitousARP.lowerPriorityCount == 3)
        #expect(before.gratuitousARP.interval == .zero)
        #expect(before.gratuitousARP.neighbourInterval == .milliseconds(500))
        #expect(before.downTimerAdverts == 4)
        #expect(before.skipCheckAdvertAddresses)
        #expect(before.checksumWithoutPseudoHeader)
        #expect(before.delivery == .multicast(group: .v4(IPv4Address(224, 0, 0, 19))))
    }

    @Test func `peers make it unicast; the own address is left out`() throws {
        let unicast = try instance(
            """
            unicast_src_ip 192.0.2.2
            unicast_ttl 64
            unicast_peer {
                192.0.2.2
                192.0.2.3 min_ttl 254
                192.0.2.4
            }
            """)
        let peers = [
            UnicastPeer(.v4(IPv4Address(192, 0, 2, 3)), timeToLive: 254...255),
            UnicastPeer(.v4(IPv4Address(192, 0, 2, 4))),
        ]
        #expect(unicast.delivery == .unicast(peers: peers, timeToLive: 64))
        #expect(unicast.checkUnicastSource)
        #expect(unicast.sourceAddress == .v4(IPv4Address(192, 0, 2, 2)))
    }

    @Test func `unicast needs no interface when it has a source address`() {
        let peers = "unicast_peer {\n192.0.2.3\n}\n"
        func text(_ lines: String) -> String {
            "vrrp_instance V {\nvirtual_router_id 51\nvirtual_ipaddress {\n192.0.2.9 dev eth0\n}\n\(lines)}\n"
        }
        #expect(load(text("unicast_src_ip 192.0.2.2\n" + peers)).configuration != nil)
        #expect(load(text(peers)).configuration == nil)
    }

    @Test func `the same virtual router id may serve different unicast peers`() {
        func text(_ name: String, _ source: String) -> String {
            instanceText("unicast_src_ip \(source)\nunicast_peer {\n192.0.2.9\n}", name: name, id: 3)
        }
        #expect(load(text("A", "192.0.2.1") + text("B", "192.0.2.2")).configuration != nil)
        #expect(load(text("A", "192.0.2.1") + text("B", "192.0.2.1")).configuration == nil)
    }

    @Test func `tracked scripts take their own weight unless the line has one`() throws {
        let script = "vrrp_script s {\nscript \"/bin/true -x\"\ninterval 0.5\nweight -20 reverse\nfall 3\n}\n"
        let plain = try instance("track_script {\ns\n}", script)
        #expect(plain.trackedScripts == [TrackedObject("s", weight: -20, isReversed: true)])
        let own = try instance("track_script {\ns weight 5 noreverse\n}", script)
        #expect(own.trackedScripts == [TrackedObject("s", weight: 5)])
        let model = try #require(load(script).configuration?.scripts.first)
        #expect(model.timeout == .milliseconds(500))
        #expect(model.fall == 3)
        #expect(model.rise == 1)
    }

    @Test func `scripts run as script_user unless they say who`() throws {
        let text = """
            vrrp_script a {
                script /bin/true
            }
            vrrp_script b {
                script /bin/true
                user root wheel
            }
            global_defs {
                script_user nobody
            }
            """
        let scripts = try #require(load(text).configuration?.scripts)
        #expect(scripts.map(\.command.user) == [ScriptUser(user: "nobody"), ScriptUser(user: "root", group: "wheel")])
    }

    @Test func `lvs_sync_daemon takes the virtual router id of its instance`() throws {
        let loaded = load("global_defs {\nlvs_sync_daemon eth0 VI_1 ttl 3\n}\n" + instanceText(""))
        let daemon = try #require(loaded.configuration?.global.syncDaemon)
        #expect(daemon.syncID == 51)
        #expect(daemon.timeToLive == 3)
        #expect(load("global_defs {\nlvs_sync_daemon eth0 VI_9\n}\n" + instanceText("")).configuration == nil)
    }
}

@Suite struct GARPGroupTests {
    @Test func `a group has interfaces and limits`() throws {
        let loaded = load(
            "garp_group {\n garp_interval 0.5\n gna_interval 1.5\n interface eth0\n interfaces {\n eth1 eth2\n eth3\n }\n}\n"
        )
        let group = try #require(loaded.configuration?.garpGroups.first)
        #expect(loaded.diagnostics == [])
        #expect(group.interval == .milliseconds(500) && group.neighbourInterval == .milliseconds(1500))
        #expect(group.interfaces == ["eth0", "eth1", "eth2", "eth3"])
    }

    @Test func `what does nothing is said`() {
        let loaded = load("garp_group {\n}\ngarp_group {\n garp_interval 1\n interface eth0\n interface eth0\n}\n")
        #expect(loaded.diagnostics.map(\.code) == [.missingValue, .missingValue, .duplicateKeyword])
        #expect(loaded.configuration?.garpGroups.last?.interfaces == ["eth0"])
    }
}
