// ipvsadm's listings, written: every column and every case of a column, as ipvsadm 1.31 printed them in the lab.

import Configuration
import IPVS
import Net
import Testing

@Suite struct DialectListingTests {
    private func service(_ name: String, _ scheduler: String = "wlc") throws -> ServiceSnapshot {
        ServiceSnapshot(
            identity: try #require(VirtualServerIdentity(name)), attributes: ServiceAttributes(scheduler: scheduler))
    }

    private func server(
        _ endpoint: String, _ forwarding: PacketForwarding = .method(.directRouting), weight: Int32 = 1
    ) throws -> DestinationSnapshot {
        DestinationSnapshot(
            endpoint: try #require(Endpoint(endpoint)),
            attributes: DestinationAttributes(forwarding: forwarding, weight: weight))
    }

    /// A table with one of everything.
    private func table() throws -> [ServiceSnapshot] {
        var web = try service("tcp/10.0.0.9:80")
        web.attributes.persistence = Persistence(timeout: .seconds(360), prefixLength: 24)
        web.netmask = 0xFFFF_00FF
        var first = try server("10.0.0.8:80", .method(.masquerade), weight: 65_536)
        first.activeConnections = 3
        first.inactiveConnections = 17
        first.persistentConnections = 2
        first.attributes.upperThreshold = 1000
        first.attributes.lowerThreshold = 800
        first.counters.connections = 12
        first.counters.inBytes = 51_233
        first.counters.outBytes = 123_456_789
        first.counters.inPacketRate = 20
        first.counters.inByteRate = 2_000_000_000
        web.destinations = [
            first, try server("192.168.0.1:80", .method(.tunnel(.ipip))),
            try server("10.0.0.7:80", .method(.tunnel(.gue(port: 6080, .whole)))),
            try server("10.0.0.6:80", .method(.tunnel(.gre(.none)))), try server("10.0.0.5:80", .local),
        ]
        var six = try service("tcp/[2001:db8::9]:80", "sh")
        six.attributes.flags = [.flag1, .flag2]
        six.destinations = [try server("[2001:db8::a]:80"), try server("[::ffff:10.0.0.1]:80", .method(.masquerade))]
        var mark = try service("fwmark/4294967295/inet6", "rr")
        mark.attributes.persistence = Persistence(timeout: .seconds(50), prefixLength: 64)
        mark.netmask = 64
        var udp = try service("udp/10.0.0.9:53", "rr")
        udp.attributes.flags = [.flag1, .flag3, .onePacket]
        udp.engine = "sip"
        return [udp, six, try service("sctp/10.0.0.9:80"), mark, web]
    }

    private func listing(_ format: ListFormat) throws -> String {
        let listing = TableListing(FewNames(), format)
        return listing.title + listing.rows(try table())
    }

    @Test func `the table by numbers`() throws {
        #expect(
            try listing(.numeric) == """
                Prot LocalAddress:Port Scheduler Flags
                  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
                FWM  -1 IPv6 rr persistent 50 mask 64
                TCP  10.0.0.9:80 wlc persistent 360 mask 255.255.0.255
                  -> 192.168.0.1:80               Tunnel  1      0          0         
                  -> 10.0.0.5:80                  Local   1      0          0         
                  -> 10.0.0.6:80                  Tunnel  1      0          0         
                  -> 10.0.0.7:80                  Tunnel  1      0          0         
                  -> 10.0.0.8:80                  Masq    65536  3          17        
                UDP  10.0.0.9:53 rr (flag-1,flag-3) ops
                SCTP 10.0.0.9:80 wlc
                TCP  [2001:db8::9]:80 sh (sh-fallback,sh-port)
                  -> [::ffff:10.0.0.1]:80         Masq    1      0          0         
                  -> [2001:db8::a]:80             Route   1      0          0         

                """)
    }

    @Test func `the table by names, which are cut`() throws {
        let text = try listing([])
        #expect(text.contains("\nTCP  web1:http wlc persistent 360 mask 255.255.0.255\n"))
        #expect(text.contains("\n  -> a-name-that-is-rather-long.e Masq    65536  3          17        \n"))
        #expect(text.contains("\nTCP  [a-name-that-is-rather-long.in-a-domain.with-many-parts.exa sh ("))
        #expect(text.contains("\nSCTP web1:80 wlc\n"))
    }

    @Test func `statistics and rates, shortened and exact`() throws {
        #expect(
            try listing([.numeric, .stats]).hasPrefix(
                """
                Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes
                  -> RemoteAddress:Port
                FWM  -1 IPv6                             0        0        0        0        0
                """))
        #expect(
            try listing([.numeric, .stats]).contains(
                "  -> 10.0.0.8:80                        12        0        0    51233  123456K\n"))
        #expect(
            try listing([.numeric, .stats, .exact]).contains(
                "  -> 10.0.0.8:80                        12        0        0    51233 123456789\n"))
        #expect(
            try listing([.numeric, .rate]).contains(
                """
                Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   OutBPS
                  -> RemoteAddress:Port
                """))
        #expect(
            try listing([.numeric, .rate]).contains(
                "  -> 10.0.0.8:80                         0       20        0    2000M        0\n"))
    }

    @Test(
        arguments: [
            (0, "        0"), (99_999_999, " 99999999"), (100_000_000, "  100000K"), (999_999_999, "  999999K"),
            (1_000_000_000, "    1000M"), (99_999_999_999, "   99999M"), (100_000_000_000, "     100G"),
            (100_000_000_000_000, "     100T"), (.max, "18446744T"),
        ] as [(UInt64, String)])
    func `large numbers are shortened`(_ number: UInt64, _ text: String) throws {
        var service = try service("tcp/10.0.0.1:80")
        service.counters.connections = number
        let row = TableListing(FewNames(), [.numeric, .stats]).rows([service])
        #expect(row == "TCP  10.0.0.1:80                 \(text)        0        0        0        0\n")
    }

    @Test func `thresholds, persistent connections, tunnels`() throws {
        #expect(
            try listing([.numeric, .thresholds]).contains(
                """
                Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn 
                  -> RemoteAddress:Port
                """))
        #expect(
            try listing([.numeric, .thresholds]).contains(
                "  -> 10.0.0.8:80                  1000       800        3          17        \n"))
        #expect(
            try listing([.numeric, .persistentConnections]).contains(
                "Prot LocalAddress:Port            Weight    PersistConn ActiveConn InActConn \n"))
        #expect(
            try listing([.numeric, .persistentConnections]).contains(
                "  -> 10.0.0.8:80                  65536     2           3          17        \n"))
        let tunnels = try listing([.numeric, .tunnels])
        #expect(
            tunnels.contains("  -> RemoteAddress:Port           Forward TunnelInfo    Weight ActiveConn InActConn\n"))
        #expect(
            tunnels.contains("  -> 10.0.0.6:80                  Tunnel  gre:-c        1      0          0         \n"))
        #expect(
            tunnels.contains("  -> 10.0.0.7:80                  Tunnel  gue:6080:+c   1      0          0         \n"))
        #expect(
            tunnels.contains("  -> 10.0.0.8:80                  Masq    n/a           65536  3          17        \n"))
    }

    @Test func `rules, with the thresholds that ipvsadm forgets`() throws {
        #expect(
            TableListing(FewNames(), .numeric).rules(try table()) == """
                -A -f 4294967295 -6 -s rr -p 50 -M 64
                -A -t 10.0.0.9:80 -s wlc -p 360 -M 255.255.0.255
                -a -t 10.0.0.9:80 -r 192.168.0.1:80 -i -w 1 --tun-type ipip
                -a -t 10.0.0.9:80 -r 10.0.0.5:80 -g -w 1
                -a -t 10.0.0.9:80 -r 10.0.0.6:80 -i -w 1 --tun-type gre --tun-nocsum
                -a -t 10.0.0.9:80 -r 10.0.0.7:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-csum
                -a -t 10.0.0.9:80 -r 10.0.0.8:80 -m -w 65536 -x 1000 -y 800
                -A -u 10.0.0.9:53 -s rr --pe sip -o -b flag-1,flag-3
                -A --sctp-service 10.0.0.9:80 -s wlc
                -A -t [2001:db8::9]:80 -s sh -b sh-fallback,sh-port
                -a -t [2001:db8::9]:80 -r [::ffff:10.0.0.1]:80 -m -w 1
                -a -t [2001:db8::9]:80 -r [2001:db8::a]:80 -g -w 1

                """)
    }

    @Test func `rules are read back as what they were`() throws {
        for line in TableListing(FewNames(), .numeric).rules(try table()).split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            guard case .change = try DialectParser(FewNames()).parse(words) else {
                Issue.record("\(line)")
                continue
            }
        }
    }

    @Test func `connections`() {
        let plain = ConnectionListing(FewNames(), .numeric)
        #expect(
            plain.title + (plain.row("TCP CB007107 C93A 0A000009 0050 C0A80A01 0050 ESTABLISHED     898\n") ?? "")
                == """
                IPVS connection entries
                pro expire state       source             virtual            destination
                TCP 14:58  ESTABLISHED 203.0.113.7:51514  10.0.0.9:80        192.168.10.1:80

                """)
        let engines = ConnectionListing(FewNames(), .persistentConnections)
        #expect(
            engines.title + (engines.row("UDP CB007107 0000 0A000009 0050 C0A80A01 0050 UDP  59 sip abc") ?? "") == """
                IPVS connection entries
                pro expire state       source             virtual            destination        pe name          pe_data
                UDP 00:59  UDP         203.0.113.7:0      web1:80            192.168.10.1:80  sip                abc

                """)
        #expect(
            plain.row("TCP 2001:db8:0:0:0:0:0:7 C93A 2001:db8::1 0050 0A000001 0050 NONE 6000")
                == "TCP 100:00 NONE        [2001:db8::7]:51514 [2001:db8::1]:80   10.0.0.1:80\n")
        #expect(plain.row("TCP x") == nil)
    }

    @Test func `other listings`() throws {
        var facts = KernelFacts()
        (facts.version, facts.connectionTableSize) = (0x01_02_01, 4096)
        (facts.tcpTimeout, facts.tcpFinTimeout, facts.udpTimeout) = (900, 120, 300)
        #expect(facts.firstLine == "IP Virtual Server version 1.2.1 (size=4096)\n")
        #expect(facts.timeoutListing == "Timeout (tcp tcpfin udp): 900 120 300\n")
        let daemon = SyncDaemon(
            role: .backup, interface: "eth0", syncID: 1, group: try #require(IPAddress("ff02::81")), port: 8848,
            timeToLive: 1, maximumLength: 1472)
        #expect(
            daemon.listing
                == "backup sync daemon (mcast=eth0, syncid=1, maxlen=1472, group=ff02::81, port=8848, ttl=1)\n")
    }
}
