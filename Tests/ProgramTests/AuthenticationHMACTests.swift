// `auth_hmac` between two vrrpd in network namespaces (no Debian release has a keepalived that knows it), with packets that were captured,
// changed, or made with another key; and `old_unicast_checksum` with keepalived 2.2.7, in both roles.

import Bus
import Glibc
import Net
import Platform
import Testing
import VRRP

@Suite(.serialized, .enabled(if: canMakeNetworks), .timeLimit(.minutes(5)))
struct AuthenticationHMACProgramTests {
    private func text(_ priority: Int, keys: String, unicast: (own: String, peer: String)? = nil, version: Int = 3)
        -> String
    {
        let peers = unicast.map { "unicast_src_ip \($0.own)\n unicast_peer {\n \($0.peer)\n }" } ?? ""
        return """
            vrrp_instance VI_1 {
             state BACKUP
             interface eth0
             virtual_router_id 51
             version \(version)
             priority \(priority)
             advert_int 1
             \(peers)
             auth_hmac {
              \(keys)
             }
             virtual_ipaddress {
              10.77.0.100/24
             }
            }

            """
    }

    private let first = "key 1 hex:" + String(repeating: "a1", count: 32)
    private let second = "key 2 hex:" + String(repeating: "b2", count: 48)

    /// Host a, and nobody else, has the address all the time.
    private func staysMaster(_ segment: Segment, for time: Duration) throws {
        var seen: Set<[String]> = []
        try segment.observe(for: time) { seen.insert(try segment.holders(of: virtualAddress)) }
        #expect(seen == [["a"]])
    }

    private func discarded(_ router: Router) throws -> [String: Int] { try router.show().runtime.statistics.discarded }

    @Test(arguments: [false, true], [2, 3])
    func `two of ours elect one, hand over, and each hears what the other signs`(isUnicast: Bool, version: Int) throws {
        let segment = try Segment(hosts: 2)
        let (a, b) = (segment.hosts[0], segment.hosts[1])
        let keys = first + "\nactive_key 1"
        let routers = [
            try Router(
                .vrrpd, on: a, of: segment,
                text(150, keys: keys, unicast: isUnicast ? (a.address, b.address) : nil, version: version)),
            try Router(
                .vrrpd, on: b, of: segment,
                text(100, keys: keys, unicast: isUnicast ? (b.address, a.address) : nil, version: version)),
        ]
        func holds(_ names: [String]) throws {
            try segment.eventually("\(names) hold it", within: .seconds(20)) {
                try segment.holders(of: virtualAddress) == names
            }
        }
        try routers[1].start()
        try holds(["b"])
        try routers[0].start()
        try holds(["a"])
        try segment.eventually("b hears a", within: .seconds(10)) {
            try routers[1].show().runtime.statistics.advertisementsReceived > 2
        }
        try routers[0].end(SIGTERM)
        try holds(["b"])
        try routers[0].start()
        try holds(["a"])
        for router in routers { #expect(try discarded(router) == [:]) }
    }

    @Test func `a backup that did not run for long hears the fresh ones behind hundreds that are out of time`() throws {
        let segment = try Segment(hosts: 2)
        func text(_ priority: Int) -> String {
            (1...100).map { number in
                """
                vrrp_instance VI_\(number) {
                 interface eth0
                 virtual_router_id \(number)
                 version 3
                 priority \(priority)
                 advert_int 1
                 auth_hmac {
                  \(first)
                  active_key 1
                 }
                 virtual_ipaddress {
                  10.77.0.\(100 + number)/24
                 }
                }

                """
            }.joined()
        }
        let (a, b) = (segment.hosts[0], segment.hosts[1])
        let wire = try Wire(on: a, loop: segment.loop)
        let master = try Router(.vrrpd, on: a, of: segment, text(150))
        let backup = try Router(.vrrpd, on: b, of: segment, text(100))
        try master.start()
        try segment.eventually("a is master", within: .seconds(20)) {
            (try? master.show("VI_100").runtime.state) == .master
        }
        try backup.start()
        try segment.eventually("b hears it", within: .seconds(10)) {
            (try? backup.show("VI_100").runtime.master) == a.address
        }
        backup.signal(SIGSTOP)
        // 1,300 advertisements; those of the last five seconds count.
        try segment.observe(for: .seconds(13))
        backup.signal(SIGCONT)
        try segment.observe(for: .seconds(3))
        #expect(!wire.heard.contains { $0.source == b.address }, "\(backup.log.suffix(3000))")
        let counts = try backup.show("VI_100").runtime.statistics
        #expect(counts.discarded.values.reduce(0, +) > 5, "some were out of time: \(counts.discarded)")
    }

    @Test func `over IPv6 the kernel's checksum counts the trailer, and an election is as any other`() throws {
        func text6(_ priority: Int, _ mode: String) -> String {
            """
            vrrp_instance VI_6 {
             state BACKUP
             interface eth0
             virtual_router_id 51
             priority \(priority)
             advert_int 0.5
             auth_hmac {
              \(first)
              active_key 1
              mode \(mode)
             }
             virtual_ipaddress {
              fe80::5100/64
              2001:db8:77::100/64
             }
            }

            """
        }
        let segment = try Segment(hosts: 3)
        for host in segment.hosts { _ = try segment.linkLocal(of: host) }
        let wire = try Wire(on: segment.hosts[2], loop: segment.loop, family: .inet6)
        let a = try Router(.vrrpd, on: segment.hosts[0], of: segment, text6(150, "enforce"))
        let b = try Router(.vrrpd, on: segment.hosts[1], of: segment, text6(100, "enforce"))
        func holds(_ names: [String]) throws {
            try segment.eventually("\(names) hold it", within: .seconds(20)) {
                try segment.holders(of: "2001:db8:77::100") == names
            }
        }
        try b.start()
        try holds(["b"])
        try a.start()
        try holds(["a"])
        try segment.eventually("b hears a", within: .seconds(10)) {
            try b.show("VI_6").runtime.statistics.advertisementsReceived > 2
        }
        #expect(try b.show("VI_6").runtime.statistics.discarded == [:])
        #expect(wire.heard.last?.packet.count == 40 + 8 + 32 + 28)
        // A host that does not sign is not heard where that is enforced, and is where it is not.
        try a.configure(text6(150, "receive-only"))
        a.signal(SIGHUP)
        try segment.eventually("b drops what is not signed", within: .seconds(10)) {
            try b.show("VI_6").runtime.statistics.discarded["unsigned"] ?? 0 > 0
        }
        try b.configure(text6(100, "permissive"))
        b.signal(SIGHUP)
        // b may have been master, and signed, until it took the reload.
        try segment.eventually("a is heard, unsigned", within: .seconds(10)) {
            try segment.holders(of: "2001:db8:77::100") == ["a"] && wire.heard.last?.packet.count == 40 + 8 + 32
        }
    }

    @Test func `keys change without a lost master; captured, changed and foreign packets count for nothing`() throws {
        let segment = try Segment(hosts: 3)
        let keyFile = segment.directory + "/key"
        try FileSystem.replace(keyFile, with: Array("hex:\(String(repeating: "b2", count: 48))\n".utf8), durable: false)
        chmod(keyFile, 0o600)
        func configuration(_ priority: Int, _ keys: String) -> String { text(priority, keys: keys) }
        let a = try Router(.vrrpd, on: segment.hosts[0], of: segment, configuration(150, first + "\nactive_key 1"))
        let b = try Router(.vrrpd, on: segment.hosts[1], of: segment, configuration(100, first + "\nactive_key 1"))
        let wire = try Wire(on: segment.hosts[2], loop: segment.loop)
        try a.start()
        try segment.eventually("a is master", within: .seconds(20)) {
            try segment.holders(of: virtualAddress) == ["a"]
        }
        try b.start()
        try segment.eventually("b hears a", within: .seconds(10)) {
            (try? b.show())?.runtime.statistics.advertisementsReceived ?? 0 > 0
        }
        let captured = try #require(wire.last(from: segment.hosts[0])?.packet)
        #expect(captured.count == 20 + 12 + 28)
        for keys in [
            "\(first)\nkey 2 file:\(keyFile)\nactive_key 1", "\(first)\nkey 2 file:\(keyFile)\nactive_key 2",
            "key 2 file:\(keyFile)\nactive_key 2",
        ] {
            for (router, priority) in [(a, 150), (b, 100)] {
                try router.configure(configuration(priority, keys))
                router.signal(SIGHUP)
                try staysMaster(segment, for: .seconds(2))
            }
        }
        #expect(try discarded(b) == [:], "\(b.log.suffix(2000))")
        #expect(wire.last(from: segment.hosts[0])?.packet[33] == 2)

        // Somebody on the segment sends again what was captured, changes it, and signs with a key of his own.
        let fresh = try #require(wire.last(from: segment.hosts[0])?.packet)
        try wire.send(fresh)
        try segment.eventually("a repeated one is a replay", within: .seconds(5)) {
            try discarded(b)["replay"] ?? 0 >= 1
        }
        var changed = try #require(wire.last(from: segment.hosts[0])?.packet)
        changed[22] = 0
        changed[26] &+= 150
        try wire.send(changed)
        try segment.eventually("a changed one is not believed", within: .seconds(5)) {
            let counts = try discarded(b)
            return (counts["wrongHMAC"] ?? 0) + (counts["checksum"] ?? 0) >= 1
        }
        try wire.send(captured)
        try segment.eventually("one of a key that is gone, or of long ago", within: .seconds(5)) {
            let counts = try discarded(b)
            return (counts["unknownKey"] ?? 0) + (counts["stale"] ?? 0) >= 1
        }
        var plain: [UInt8] = []
        Advertisement(
            version: .v3, virtualRouterID: 51, priority: 0, interval: .seconds(1),
            addresses: [.v4(IPv4Address(10, 77, 0, 100))]
        ).encodePacket(
            into: &plain, from: .v4(IPv4Address(10, 77, 0, 1)), to: .v4(Advertisement.group4), checksum: .pseudoHeader)
        try wire.send(plain)
        try segment.eventually("one without a signature", within: .seconds(5)) {
            try discarded(b)["unsigned"] ?? 0 >= 1
        }
        try staysMaster(segment, for: .seconds(4))
        for router in [a, b] {
            for secret in ["a1a1a1", "b2b2b2"] { #expect(!router.log.contains(secret)) }
            #expect(!"\(try router.show())".contains("b2b2b2"))
        }

        // A file that others may read is refused, and what runs goes on.
        chmod(keyFile, 0o644)
        b.signal(SIGHUP)
        try segment.eventually("the reload is refused", within: .seconds(5)) { b.log.contains("others may read it") }
        try staysMaster(segment, for: .seconds(4))
    }

    private func unicast(_ priority: Int, _ own: String, _ peer: String, _ word: String) -> String {
        """
        vrrp_instance VI_1 {
         state BACKUP
         interface eth0
         virtual_router_id 51
         version 3
         priority \(priority)
         advert_int 1
         unicast_src_ip \(own)
         unicast_peer {
          \(peer)
         }
         \(word)
         virtual_ipaddress {
          10.77.0.100/24
         }
        }

        """
    }

    @Test(arguments: [0, 1], [("old_unicast_checksum", ""), ("", "old_unicast_checksum")])
    func `old_unicast_checksum with keepalived, in both roles`(
        pair: Int, words: (keepalived: String, ours: String)
    ) throws {
        let programs: [Implementation] = pair == 0 ? [.vrrpd, .keepalived] : [.keepalived, .vrrpd]
        let segment = try Segment(hosts: 2)
        let (a, b) = (segment.hosts[0], segment.hosts[1])
        func word(_ program: Implementation) -> String { program == .vrrpd ? words.ours : words.keepalived }
        let first = try Router(
            programs[0], on: a, of: segment, unicast(150, a.address, b.address, word(programs[0])))
        let second = try Router(
            programs[1], on: b, of: segment, unicast(100, b.address, a.address, word(programs[1])))
        func holds(_ names: [String]) throws {
            try segment.eventually("\(names) hold it", within: .seconds(20)) {
                try segment.holders(of: virtualAddress) == names
            }
        }
        try second.start()
        try holds(["b"])
        try first.start()
        try holds(["a"])
        try staysMaster(segment, for: .seconds(5))
        let ours = programs[0] == .vrrpd ? first : second
        #expect(try ours.show().runtime.statistics.discarded["checksum"] ?? 0 == 0)
        try first.end(SIGTERM)
        try holds(["b"])
    }

    @Test func `never: what keepalived sends in the old form is dropped and said`() throws {
        let segment = try Segment(hosts: 2)
        let (a, b) = (segment.hosts[0], segment.hosts[1])
        let old = try Router(
            .keepalived, on: a, of: segment, unicast(150, a.address, b.address, "old_unicast_checksum"))
        let ours = try Router(
            .vrrpd, on: b, of: segment, unicast(100, b.address, a.address, "old_unicast_checksum never"))
        try old.start()
        try ours.start()
        // One: what comes from here keeps keepalived 2.2.7, which drops it, from its next advertisement.
        try segment.eventually("it is counted", within: .seconds(20)) {
            (try? ours.show())?.runtime.statistics.discarded["checksum"] ?? 0 >= 1
        }
        #expect(ours.log.contains("old_unicast_checksum never"))
    }
}
