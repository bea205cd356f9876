// What keeps clients from being served beside the table: said when it is so, and never otherwise.
import Bus
import Configuration
import IPVS
import Net
import Testing
import VRRP

@testable import ipvsd

@Suite struct PitfallTests {
    private let forwarding = Self.host(forwards: [.inet, .inet6])
    private let silent = Self.host()

    /// A host with these addresses on eth0.
    private static func host(forwards families: Set<AddressFamily> = [], _ addresses: [IPAddress] = []) -> HostNetwork {
        var host = HostNetwork()
        host.families = families
        host.interfaces = [HostInterface(name: "lo"), HostInterface(name: "eth0")]
        host.interfaces[0].isLoopback = true
        host.interfaces[1].prefixes = addresses.map(IPPrefix.init(host:))
        return host
    }

    /// A rig with one service of masqueraded servers 10.0.0.1 ….
    private func rig(
        _ name: String = "tcp/192.0.2.1:80", weights: [Int] = [1, 1], method: ForwardingMethod = .masquerade
    ) throws -> KeeperRig {
        KeeperRig([
            try virtualServer(name, weights: weights) {
                for index in $0.realServers.indices { $0.realServers[index].forwarding = method }
            }
        ])
    }

    private func found(
        _ rig: KeeperRig, _ host: HostNetwork?, _ history: TrafficHistory = TrafficHistory(), filtered: UInt64 = 0,
        before: [Pitfall] = []
    ) -> [Pitfall]? {
        Pitfall.found(in: rig.keeper.reconciler.standings.values, before: before) {
            host.map { ($0, Pitfall.Traffic(history, filtered: filtered)) }
        }
    }

    /// Two looks at 10.0.0.1: so many connections, and packets out, in between.
    private func history(_ service: String, connections: UInt64, out: UInt64) throws -> TrafficHistory {
        var history = TrafficHistory()
        for (second, factor) in [(0, 0), (10, 1)] as [(Int64, UInt64)] {
            var snapshot = ServiceSnapshot(
                identity: try IPVSTests.service(service), attributes: ServiceAttributes(scheduler: "rr"))
            var destination = DestinationSnapshot(endpoint: try server(1).endpoint, attributes: routed(1))
            (destination.counters.connections, destination.counters.outPackets) = (connections * factor, out * factor)
            snapshot.destinations = [destination]
            history.note(snapshot, at: .zero + .seconds(second))
        }
        return history
    }

    @Test func `a host that does not forward is said for masqueraded servers, by family`() throws {
        #expect(found(try rig(), silent) == [.noForwarding(.inet, server: try server(1), count: 2)])
        #expect(found(try rig(), Self.host(forwards: [.inet6]))?.count == 1)
        #expect(found(try rig(), Self.host(forwards: [.inet])) == [])
        #expect(found(try rig(), nil) == nil, "who cannot look says nothing new")
    }

    @Test
    func `direct routing and tunnels need no forwarding, nor do servers on this host; without servers it is not asked`()
        throws
    {
        for method in [ForwardingMethod.directRouting, .tunnel(.ipip)] {
            #expect(found(try rig(method: method), silent) == [])
        }
        let none = try rig(weights: [])
        #expect(
            Pitfall.found(in: none.keeper.reconciler.standings.values) {
                Issue.record("asked")
                return nil
            } == [])
        let own = [try server(1).endpoint.address, try server(2).endpoint.address]
        #expect(found(try rig(), Self.host(own)) == [])
        let one = Self.host([try server(1).endpoint.address])
        #expect(found(try rig(), one) == [.noForwarding(.inet, server: try server(2), count: 1)])
    }

    @Test func `a server that gets connections and is never heard is said`() throws {
        let web = "tcp/192.0.2.1:80"
        let silence = [Pitfall.noAnswers(server: try server(1), connections: 5, count: 1, filters: [])]
        #expect(found(try rig(), forwarding, try history(web, connections: 5, out: 0)) == silence)
        #expect(found(try rig(), forwarding, try history(web, connections: 5, out: 1)) == [])
        #expect(found(try rig(), forwarding, try history(web, connections: 2, out: 0)) == [], "clients that broke off")
        #expect(found(try rig(), silent, try history(web, connections: 5, out: 0))?.count == 1, "the cause alone")
        let udp = "udp/192.0.2.1:514"
        #expect(found(try rig(udp), forwarding, try history(udp, connections: 50, out: 0)) == [], "need not answer")
        let routed = try rig(web, method: .directRouting)
        #expect(found(routed, forwarding, try history(web, connections: 50, out: 0)) == [], "does not pass here")
        let down = try rig()
        down.say(try server(1), isUp: false)
        #expect(found(down, forwarding, try history(web, connections: 50, out: 0)) == [], "that is known already")
    }

    @Test func `it is looked at every ten seconds, and what was found stands when nothing can be seen`() throws {
        let rig = try rig()
        var watch = PitfallWatch(startingAt: rig.now)
        var host: HostNetwork? = silent
        var looks = 0
        func look(after time: Duration) {
            rig.now = rig.now + time
            watch.look(at: rig.keeper.reconciler, rig.keeper.history, rig.now) {
                looks += 1
                return host
            }
        }
        look(after: .zero)
        #expect(looks == 0, "the table comes first")
        look(after: .seconds(1))
        #expect(watch.pitfalls.count == 1)
        look(after: .seconds(9))
        #expect(looks == 1)
        host = nil
        look(after: .seconds(1))
        #expect(looks == 2 && watch.pitfalls.count == 1)
        host = forwarding
        look(after: .seconds(10))
        #expect(watch.pitfalls == [])
    }

    @Test func `a strict rp_filter that drops as many packets as there are silent connections is named`() throws {
        let history = try history("tcp/192.0.2.1:80", connections: 5, out: 0)
        var host = forwarding
        host.interfaces[1].reversePathFilter = 1
        func filters(_ host: HostNetwork, dropped: UInt64) throws -> [String]? {
            guard case .noAnswers(_, _, _, let filters) = found(try rig(), host, history, filtered: dropped)?.first
            else {
                return nil
            }
            return filters
        }
        #expect(try filters(host, dropped: 5) == ["eth0"])
        #expect(try filters(host, dropped: 4) == [], "of something else")
        host.interfaces[1].reversePathFilter = 2
        #expect(try filters(host, dropped: 5) == [], "a loose one does not")
    }

    @Test func `what rp_filter dropped is counted over a minute`() throws {
        let rig = try rig()
        let history = try history("tcp/192.0.2.1:80", connections: 5, out: 0)
        var watch = PitfallWatch(startingAt: rig.now)
        rig.now = rig.now + .seconds(1)
        var host = forwarding
        host.interfaces[1].reversePathFilter = 1
        var seen: [Bool] = []
        for total in [7000, 7000, 7100, 7100, 7100, 7100, 7100, 7100, 7100, 7100] as [UInt64] {
            host.filtered = total
            watch.look(at: rig.keeper.reconciler, history, rig.now) { host }
            rig.now = rig.now + .seconds(10)
            guard case .noAnswers(_, _, _, let filters) = watch.pitfalls.first else { continue }
            seen.append(!filters.isEmpty)
        }
        #expect(seen == [false, false, true, true, true, true, true, true, false, false])
    }

    @Test func `a table of connections that is nearly full is said until there is room`() throws {
        let rig = try rig(method: .directRouting)
        func found(_ count: UInt64, before: [Pitfall] = []) -> [Pitfall]? {
            var host = silent
            host.tracking = HostNetwork.Tracking(count: count, limit: 1000)
            return self.found(rig, host, before: before)
        }
        #expect(found(899) == [])
        let full = [Pitfall.trackingNearlyFull(HostNetwork.Tracking(count: 900, limit: 1000))]
        #expect(found(900) == full)
        #expect(found(800, before: full)?.count == 1)
        #expect(found(799, before: full) == [])
    }

    @Test func `a real server that is a director too must keep its neighbours from learning the address`() throws {
        let virtual: IPAddress = .v4(IPv4Address(192, 0, 2, 1))
        let rig = try rig(method: .directRouting)
        var host = Self.host([try server(1).endpoint.address])
        #expect(found(rig, host) == [], "it does not have the address")
        host.interfaces[0].prefixes = [IPPrefix(host: virtual)]
        let both: [Pitfall] = [.answersFor(virtual, interface: "eth0"), .announces(virtual, interface: "eth0")]
        #expect(found(rig, host) == both)
        #expect(found(try self.rig(), host)?.contains(both[0]) == false)
        host.interfaces[1].arp = ARPSettings(ignore: 1, announce: 2)
        #expect(found(rig, host) == [])
        host.interfaces[1].arp = ARPSettings(ignore: 0, announce: 0)
        host.interfaces[1].prefixes.append(IPPrefix(host: virtual))
        #expect(found(rig, host) == [], "it is master, and is to answer")
    }

    @Test func `a command about a VLAN is one that sysctl takes`() {
        let alarm = Pitfall.answersFor(.v4(IPv4Address(192, 0, 2, 1)), interface: "eth0.7").alarm
        #expect(alarm.remedy.contains("'sysctl -w net/ipv4/conf/eth0.7/arp_ignore=1'"))
    }

    @Test func `packets that come through the tunnel to this host must pass rp_filter`() throws {
        let rig = try rig(method: .tunnel(.ipip))
        var host = Self.host([try server(1).endpoint.address])
        host.interfaces[0].prefixes = [IPPrefix(host: .v4(IPv4Address(192, 0, 2, 1)))]
        host.interfaces[1].arp = ARPSettings(ignore: 1, announce: 2)
        var tunnel = HostInterface(name: "tunl0")
        tunnel.answersARP = false
        tunnel.reversePathFilter = 1
        host.interfaces.append(tunnel)
        #expect(found(rig, host) == [.tunnelFiltered(server: try server(1), interface: "tunl0")])
        host.interfaces[2].reversePathFilter = 2
        #expect(found(rig, host) == [])
    }

    @Test(
        arguments: [
            (.tunnel(.ipip), 1320), (.tunnel(.gre(.none)), 1324), (.tunnel(.gre(.whole)), 1328),
            (.tunnel(.gue(port: 6080, .none)), 1332), (.directRouting, 0),
        ] as [(ForwardingMethod, UInt32)])
    func `tunnels over IPv6 need room`(_ method: ForwardingMethod, _ needed: UInt32) throws {
        let far = Endpoint(try #require(IPAddress("fd00::7")), port: 80)
        let rig = KeeperRig([
            try virtualServer("tcp/[fd01::1]:80", weights: [1]) {
                $0.realServers[0].endpoint = far
                $0.realServers[0].forwarding = method
            }
        ])
        var host = silent
        host.interfaces[1].prefixes = [try #require(IPPrefix("fd00::1/64"))]
        host.interfaces[1].mtu = needed == 0 ? 1280 : needed
        #expect(found(rig, host) == [])
        guard needed > 0 else { return }
        host.interfaces[1].mtu = needed - 1
        let narrow = Pitfall.tunnelTooNarrow(
            server: ServerIdentity(try service("tcp/[fd01::1]:80"), far), interface: "eth0", mtu: needed - 1,
            needed: needed)
        #expect(found(rig, host) == [narrow])
        host.interfaces[1].prefixes = [try #require(IPPrefix("fd02::1/64"))]
        #expect(found(rig, host) == [], "it is reached by another way")
    }

    @Test func `settings by which servers of weight 0 get new connections`() throws {
        let rig = KeeperRig([
            try virtualServer(weights: [1, 1]) {
                $0.persistence = Persistence(prefixLength: 32)
                $0.realServers[0].inhibitOnFailure = true
            }
        ])
        var host = silent
        host.settings = [.reuse: 0, .expireConnections: 0, .expireTemplates: 0]
        #expect(found(rig, host) == [])
        rig.say(try server(1), isUp: false)
        rig.settle()
        let reuse = Pitfall.weightIgnored(.reuse, server: try server(1), count: 1)
        let templates = Pitfall.weightIgnored(.expireTemplates, server: try server(1), count: 1)
        #expect(found(rig, host) == [reuse, templates])
        host.settings[.expireConnections] = 1
        #expect(found(rig, host) == [templates])
        host.settings = [.reuse: 1, .expireConnections: 0, .expireTemplates: 1]
        #expect(found(rig, host) == [])
        host.settings = [:]
        #expect(found(rig, host) == [], "nobody knows")
    }

    @Test func `this host can be looked at`() throws {
        let host = try #require(HostNetwork.now())
        #expect(host.addresses.contains(.v4(IPv4Address(127, 0, 0, 1))))
        #expect(host.filtered != nil)
    }

    @Test func `what the kernel says`() throws {
        var kernel = RouteSnapshot()
        kernel.links = [
            VRRP.Link(index: 1, name: "lo", flags: VRRP.Link.up | VRRP.Link.loopback),
            VRRP.Link(
                index: 2, name: "eth0", flags: VRRP.Link.up, mac: MACAddress(octets: [2, 0, 0, 0, 0, 1]), mtu: 1400),
            VRRP.Link(index: 3, name: "eth1", flags: 0, mac: MACAddress(octets: [2, 0, 0, 0, 0, 2])),
        ]
        kernel.links[1].ipv4 = IPv4Settings(arpIgnore: 1, arpFilter: 0, arpAnnounce: 0, reversePathFilter: 1)
        kernel.addresses = [InterfaceAddress(link: 2, prefix: try #require(IPPrefix("10.0.0.9/24")))]
        let files = [
            "/proc/sys/net/ipv4/ip_forward": "0\n", "/proc/sys/net/ipv4/conf/eth0/forwarding": "1\n",
            "/proc/sys/net/ipv4/conf/all/rp_filter": "2\n", "/proc/sys/net/ipv4/conf/all/arp_announce": "2\n",
            "/proc/sys/net/netfilter/nf_conntrack_count": "12\n", "/proc/sys/net/netfilter/nf_conntrack_max": "50\n",
            "/proc/sys/net/ipv4/vs/conn_reuse_mode": "1\n",
            "/proc/thread-self/net/netstat":
                "TcpExt: A IPReversePathFilter B\nTcpExt: 1 77 2\nIpExt: C\nIpExt: 3\n",
        ]
        let host = HostNetwork(kernel) { files[$0] }
        #expect(host.families == [.inet] && host.addresses.count == 1 && host.interfaces.count == 2)
        let eth0 = host.interfaces[1]
        #expect(eth0.arp == ARPSettings(ignore: 1, announce: 2) && eth0.reversePathFilter == 2 && eth0.mtu == 1400)
        #expect(host.tracking == HostNetwork.Tracking(count: 12, limit: 50) && host.filtered == 77)
        #expect(host.settings == [.reuse: 1])
        for text in [
            "", "TcpExt: A\n", "TcpExt: IPReversePathFilter\nTcpExt:\n", "TcpExt: IPReversePathFilter\nTcpExt: x\n",
        ] {
            #expect(HostNetwork.counter("IPReversePathFilter", in: text) == nil)
        }
    }
}
