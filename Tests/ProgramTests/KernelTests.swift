// What others do to the interfaces and addresses of a master, one thing after the other or all at once while it does not run (SIGSTOP stands
// for the pause of a virtual machine and for any busy turn): afterwards it holds what it should, on the interface of that name as it is now.

import Bus
import Glibc
import Net
import Platform
import Testing
import VRRP

@Suite(.serialized, .enabled(if: canMakeNetworks), .timeLimit(.minutes(3)))
struct KernelTests {
    private let own = "10.77.0.1"

    private func text(_ addresses: [String], more: String = "") -> (Host, Host) -> String {
        { Dialect.version3.text(100, on: $0, peer: $1, more: more, addresses: addresses) }
    }

    @Test func `notifications that were lost while the link was down do not leave a fault`() throws {
        let alone = try Alone(
            prepare: { try $0.batch(["link add noise type veth peer name far-noise"], on: $0.hosts[0]) },
            text(["\(virtualAddress)/24"]))
        try alone.becomes(.master)
        try alone.paused {
            try alone.segment.cable(alone.host, in: false)
            try alone.batch(
                (0..<8000).map { "addr add 10.\(100 + $0 / 65536).\($0 / 256 % 256).\($0 % 256)/32 dev noise" })
            try alone.segment.cable(alone.host, in: true)
        }
        // What is newest must win at once and for good.
        try alone.segment.observe(for: .milliseconds(1500))
        try alone.becomes(.master)
        #expect(try alone.router.show().runtime.faults == [])
        try alone.holds(true)
        var seen: Set<[String]> = []
        try alone.segment.observe(for: .milliseconds(300)) {
            seen.insert(try alone.segment.holders(of: virtualAddress))
        }
        #expect(seen == [["a"]])
    }

    @Test func `a hundred routers take 4,096 addresses in one turn, and no notification of that is lost`() throws {
        let alone = try Alone { host, _ in
            (0..<128).map { number in
                let lines = (0..<32).map { "10.78.\(number).\(1 + $0)" }.joined(separator: "\n ")
                return """
                    vrrp_instance VI_\(number) {
                     interface eth0
                     virtual_router_id \(1 + number)
                     version 3
                     advert_int 0.1
                     virtual_ipaddress_excluded {
                     \(lines)
                     }
                     virtual_ipaddress {
                     10.79.0.\(1 + number)
                     }
                    }

                    """
            }.joined() + "vrrp_sync_group ALL {\n group {\n"
                + (0..<128).map { "VI_\($0)\n" }.joined() + "}\n}\n"
        }
        try alone.becomes(.master, "VI_127", within: .seconds(20))
        try alone.holds(true, "10.78.127.32")
        try alone.segment.observe(for: .seconds(2))
        #expect(try alone.router.show("VI_0").runtime.state == .master)
        #expect(!alone.router.log.contains("put back"), "\(alone.router.log)")
        // The last but one field of a line of /proc/net/netlink, per socket.
        let pid = try #require(alone.router.pid)
        let sockets = try FileSystem.contents(of: "/proc/\(pid)/net/netlink", limit: 1 << 20) ?? []
        let drops = String(decoding: sockets, as: UTF8.self).split(separator: "\n").dropFirst().map {
            $0.split(separator: " ").dropLast().last.map(String.init)
        }
        #expect(!drops.isEmpty && drops.allSatisfy { $0 == "0" }, "\(drops)")
        alone.router.signal(SIGTERM)
        try alone.eventually("it lets go of all of them") {
            try alone.router.exit != nil && !alone.segment.holders(of: "10.78.127.32").contains("a")
        }
    }

    @Test(arguments: ["another number", "the same number"])
    func `an interface that was deleted and made again meanwhile has the address, and is listened to`(
        number: String
    ) throws {
        let alone = try Alone(.version3)
        try alone.becomes(.master)
        let frames = try Frames(on: alone.peer, loop: alone.segment.loop)
        // Under the same number the old socket's multicast membership is gone all the same.
        let index = Int(try alone.host.inside { if_nametoindex("eth0") })
        try alone.paused {
            try alone.segment.delete(alone.host)
            try alone.segment.plug(alone.host, index: number == "the same number" ? index : index + 20)
        }
        let since = alone.segment.loop.refreshNow()
        try alone.holds(true, within: .seconds(5))
        try alone.eventually("it advertises", within: .seconds(3)) {
            alone.wire.heard.contains { $0.at > since && $0.priority > 0 && $0.source == alone.host.address }
        }
        try alone.eventually("it is announced", within: .seconds(3)) {
            !frames.of(virtualAddress, since: since).isEmpty
        }
        try alone.eventually("it listens", within: .seconds(3)) {
            try alone.wire.send(alone.packet(priority: 200))
            return try alone.router.show().runtime.state == .backup
        }
    }

    @Test func `an address that cannot be put back is tried again until it can, and announced then`() throws {
        let excluded = "virtual_ipaddress_excluded {\n fd00:77::100/64\n }"
        let alone = try Alone(text(["\(virtualAddress)/24"], more: excluded))
        try alone.becomes(.master)
        let frames = try Frames(on: alone.peer, loop: alone.segment.loop)
        func isHeld() throws -> Bool { try alone.addresses().contains("fd00:77::100/64") }
        try alone.eventually("it is there") { try isHeld() }
        try alone.sysctl("net.ipv6.conf.eth0.disable_ipv6", 1)
        try alone.eventually("it is gone") { try !isHeld() }
        try alone.segment.observe(for: .milliseconds(300))
        #expect(try !alone.router.show().runtime.heldAddresses.contains { $0.contains("fd00:77::100") })
        #expect(try alone.router.show().runtime.state == .master)
        // While it is refused, nobody is told that it is here.
        let refused = alone.segment.loop.refreshNow()
        try alone.ip("addr del \(virtualAddress)/24 dev eth0")
        try alone.eventually("the other one is put back and announced") {
            !frames.of(virtualAddress, since: refused).isEmpty
        }
        #expect(frames.of("fd00:77::100", since: refused).isEmpty)
        let allowed = alone.segment.loop.refreshNow()
        try alone.sysctl("net.ipv6.conf.eth0.disable_ipv6", 0)
        try alone.eventually("it is back", within: .seconds(2)) { try isHeld() }
        try alone.eventually("it is announced", within: .seconds(3)) {
            !frames.of("fd00:77::100", since: allowed).isEmpty
        }
    }

    @Test func `an interface that comes late gets its address and its announcement`() throws {
        let late = ["10.77.1.100/24 dev late0 no_track"]
        let alone = try Alone(text(["\(virtualAddress)/24"] + late, more: "garp_master_delay 1"))
        try alone.becomes(.master)
        // The far end of late0 is on this host too: what is heard there left it.
        let frames = try Frames(on: alone.host, loop: alone.segment.loop)
        // After the second burst, a second after the first, nothing is due any more.
        let start = alone.segment.loop.refreshNow()
        try alone.eventually("both bursts are over", within: .seconds(5)) {
            alone.segment.loop.now - (frames.of(virtualAddress).last?.at ?? start) > .milliseconds(1100)
        }
        func comes(_ address: String, _ device: String) throws {
            let since = alone.segment.loop.refreshNow()
            try alone.batch([
                "link add \(device) type veth peer name far-\(device)", "link set far-\(device) up",
                "link set \(device) up",
            ])
            try alone.holds(true, address, within: .seconds(2))
            try alone.eventually("\(address) is announced", within: .seconds(3)) {
                !frames.of(address, since: since).isEmpty
            }
        }
        try comes("10.77.1.100", "late0")
        // By a reload too.
        try alone.reload(
            text(["\(virtualAddress)/24"] + late + ["10.77.2.100/24 dev late1 no_track"], more: "garp_master_delay 1")(
                alone.host, alone.peer))
        try alone.eventually("it is configured") { try alone.router.show().context.virtualAddresses?.count == 3 }
        try comes("10.77.2.100", "late1")
        #expect(try alone.router.show().runtime.statistics.becameMaster == 1)
    }

    @Test func `a renamed interface keeps nothing, the others are told, and back it has the address again`() throws {
        let alone = try Alone(.version3)
        try alone.becomes(.master)
        // Linux 6.2 and later rename what is up; before, the cable is out for a moment and the last words are lost with it.
        var isLive = true
        func rename(_ old: String, _ new: String) throws {
            do {
                try alone.ip("link set \(old) name \(new)")
            } catch {
                isLive = false
                try alone.paused {
                    try alone.batch(["link set \(old) down", "link set \(old) name \(new)", "link set \(new) up"])
                }
            }
        }
        try rename("eth0", "lan0")
        try alone.holds(false, within: .seconds(2))
        try alone.becomes(.fault)
        #expect(alone.resignations() > 0 || !isLive)
        try rename("lan0", "eth0")
        try alone.holds(true, within: .seconds(5))
        #expect(try alone.router.show().runtime.state == .master)
    }

    @Test func `a master whose own address goes says so before it falls silent`() throws {
        let alone = try Alone(text(["\(virtualAddress)/32"]))
        try alone.becomes(.master)
        try alone.ip("addr del \(own)/24 dev eth0")
        try alone.becomes(.fault)
        try alone.holds(false, within: .seconds(1))
        try alone.eventually("the others are told", within: .seconds(1)) { alone.resignations() > 0 }
        try alone.ip("addr add \(own)/24 dev eth0")
        try alone.holds(true)
    }

    @Test func `a new hardware address is announced`() throws {
        let alone = try Alone(.version3)
        try alone.becomes(.master)
        let frames = try Frames(on: alone.peer, loop: alone.segment.loop)
        try alone.segment.observe(for: .milliseconds(700))
        let mac = MACAddress(rawValue: 0x0200_0000_7777)
        let since = alone.segment.loop.refreshNow()
        try alone.ip("link set eth0 address 02:00:00:00:77:77")
        try alone.eventually("it is announced", within: .seconds(1)) {
            frames.of(virtualAddress, since: since).contains { $0.mac == mac }
        }
        #expect(try alone.router.show().runtime.statistics.becameMaster == 1)
    }

    @Test func `the host's own address does for a source when it is the secondary of a virtual one`() throws {
        let alone = try Alone(.version3)
        try alone.becomes(.master)
        try alone.sysctl("net.ipv4.conf.eth0.promote_secondaries", 1)
        try alone.paused { try alone.batch(["addr del \(own)/24 dev eth0", "addr add \(own)/24 dev eth0"]) }
        let before = alone.wire.heard.count
        try alone.eventually("it goes on") { alone.wire.heard.count > before + 3 }
        #expect(alone.resignations() == 0)
        #expect(try alone.router.show().runtime.statistics.becameMaster == 1)
        try alone.holds(true)
    }

    @Test func `taking off an address that became its subnet's primary leaves the host's own`() throws {
        let alone = try Alone(
            prepare: {
                try $0.ip(["-n", $0.hosts[0].namespace, "addr", "flush", "dev", "eth0"])
            }, text(["\(virtualAddress)/24"], more: "mcast_src_ip \(own)"))
        try alone.sysctl("net.ipv4.conf.eth0.promote_secondaries", 0)
        try alone.eventually("it is master, or waits for its source") {
            (try? alone.router.show().runtime.state) != nil
        }
        try alone.segment.observe(for: .milliseconds(600))
        try alone.ip("addr add \(own)/24 dev eth0")
        try alone.holds(true)
        _ = try alone.router.call(VrrpAPI.Failover(name: "VI_1"))
        try alone.holds(false)
        try alone.holds(true, own, within: .seconds(1))
        try alone.segment.observe(for: .milliseconds(200))
        #expect(try alone.segment.holders(of: own) == ["a"])
    }

    @Test func `an owner leaves every address that was there before it`() throws {
        let alone = try Alone(
            prepare: { try $0.ip(["-n", $0.hosts[0].namespace, "addr", "add", "10.77.0.30/24", "dev", "eth0"]) },
            {
                Dialect.version3.text(
                    255, on: $0, peer: $1, addresses: ["10.77.0.1/24", "10.77.0.30/24", "\(virtualAddress)/24"])
            })
        try alone.becomes(.master)
        try alone.holds(true)
        try alone.router.end(SIGTERM)
        #expect(try alone.segment.holders(of: own) == ["a"])
        #expect(try alone.segment.holders(of: "10.77.0.30") == ["a"])
        #expect(try alone.segment.holders(of: virtualAddress) == [])
    }

    @Test func `one address that somebody takes off is put back without noise about the others`() throws {
        let others = (150..<170).map { "10.77.0.\($0)/24" }
        let alone = try Alone(text(["\(virtualAddress)/24"] + others))
        try alone.becomes(.master)
        let frames = try Frames(on: alone.peer, loop: alone.segment.loop)
        try alone.segment.observe(for: .milliseconds(500))
        let since = alone.segment.loop.refreshNow()
        for _ in 0..<3 {
            try alone.ip("addr del \(virtualAddress)/24 dev eth0")
            try alone.holds(true, within: .seconds(3))
        }
        try alone.eventually("it is announced") { !frames.of(virtualAddress, since: since).isEmpty }
        #expect(frames.of("10.77.0.150", since: since).isEmpty)
        // Whoever does it again and again is not fought without end.
        let fight = alone.segment.loop.refreshNow()
        try alone.segment.observe(for: .milliseconds(800)) {
            guard try alone.segment.holders(of: virtualAddress) == ["a"] else { return }
            try alone.ip("addr del \(virtualAddress)/24 dev eth0")
        }
        #expect(frames.of(virtualAddress, since: fight).count <= 15)
        try alone.holds(true, within: .seconds(4))
    }

    @Test func `an address on a router is announced as a router's`() throws {
        let excluded = "virtual_ipaddress_excluded {\n fd00:77::100/64\n }"
        let alone = try Alone(text(["\(virtualAddress)/24"], more: excluded))
        try alone.sysctl("net.ipv6.conf.all.forwarding", 1)
        let frames = try Frames(on: alone.peer, loop: alone.segment.loop)
        try alone.becomes(.master)
        try alone.eventually("it is announced") { !frames.of("fd00:77::100").isEmpty }
        try alone.wire.send(alone.packet(priority: 200))
        try alone.becomes(.backup)
        let since = alone.segment.loop.refreshNow()
        try alone.becomes(.master)
        try alone.eventually("it is announced again") { !frames.of("fd00:77::100", since: since).isEmpty }
        #expect(frames.of("fd00:77::100", since: since).first?.flags == 0xA0)
    }

    @Test func `more addresses than fit a frame do not silence a router`() throws {
        let addresses = (1...200).map { "10.77.9.\($0)/32" }
        let alone = try Alone(
            prepare: { segment in
                for host in segment.hosts {
                    try segment.ip(["-n", host.namespace, "link", "set", "eth0", "mtu", "576"])
                }
            }, text(["\(virtualAddress)/24"] + addresses))
        try alone.holds(true)
        try alone.eventually("it is heard", within: .seconds(3)) { alone.wire.heard.count > 3 }
        #expect(try alone.segment.holders(of: "10.77.9.200") == ["a"])
    }

    @Test func `200 instances with 20 addresses each lose no notification when they take over`() throws {
        let instances = (1...200).map { id in
            """
            vrrp_instance VI_\(id) {
             interface eth0
             virtual_router_id \(id)
             priority 100
             version 3
             advert_int 0.3
             virtual_ipaddress {
              \((1...20).map { "10.88.\(id).\($0)/32" }.joined(separator: "\n  "))
             }
            }

            """
        }
        let alone = try Alone { _, _ in instances.joined() }
        try alone.holds(true, "10.88.1.1")
        try alone.holds(true, "10.88.200.20", within: .seconds(5))
        let pid = try #require(alone.router.pid)
        let table = try alone.host.inside {
            String(
                decoding: try FileSystem.contents(of: "/proc/thread-self/net/netlink", limit: 1 << 20) ?? [],
                as: UTF8.self)
        }
        // sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode
        let rows = table.split(separator: "\n").dropFirst().map { $0.split(separator: " ") }
        let drops = rows.filter { $0.count > 8 && $0[1] == "0" && UInt32($0[3], radix: 16) != 0 }.map { $0[8] }
        #expect(!drops.isEmpty, "\(pid) has a monitor: \(table)")
        #expect(drops.allSatisfy { $0 == "0" }, "\(table)")
    }
}

extension Alone {
    /// Host a's addresses with their prefix lengths, as `ip` shows them.
    func addresses() throws -> Set<String> {
        let path = segment.directory + "/addresses"
        try segment.run(["/bin/sh", "-c", "/sbin/ip -n \(host.namespace) -o addr show >\(path)"])
        let text = String(decoding: try FileSystem.contents(of: path, limit: 1 << 20) ?? [], as: UTF8.self)
        return Set(
            text.split(separator: "\n").compactMap { $0.split(separator: " ").dropFirst(3).first.map(String.init) })
    }
}
