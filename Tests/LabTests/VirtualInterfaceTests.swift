// `use_ipvlan` and `vrf`, whose modules the host's kernel may not have: elections with keepalived 2.2.7 in both roles with the same words, the
// ipvlan in the kernel and on the wire, crash and return; and an instance that speaks unicast inside a VRF.

import Bus
import Glibc
import Net
import Netlink
import Platform
import Testing
import VRRP

/// Not one of the cluster's: the web servers have that too.
private let address = "192.168.200.250"

private enum Implementation: CaseIterable { case vrrpd, keepalived }

/// Director 1 and director 2, which starts with the lower priority.
private final class Pair {
    let lab: Lab
    private let implementations: [Implementation]
    private let texts: [String]
    private var programs: [Program?] = [nil, nil]
    private let hosts: [Host] = [.director1, .director2]

    init(_ implementations: [Implementation], prepare: (Lab) throws -> Void = { _ in }, _ text: (Int) -> String) throws
    {
        lab = try Lab()
        try prepare(lab)
        self.implementations = implementations
        texts = [0, 1].map(text)
        for number in [0, 1] {
            for name in ["run/private", "state"] {
                try FileSystem.makeDirectory("\(directory(number))/\(name)", mode: 0o755)
            }
            try FileSystem.replace(
                "\(directory(number))/vrrp.conf", with: Array(texts[number].utf8), durable: false)
        }
        lab.quote(self) { pair in
            pair.programs.compactMap { $0.map { String($0.output.suffix(3000)) } }.joined(separator: "\n──\n")
        }
    }

    private func directory(_ number: Int) -> String { "\(lab.directory)/\(number)" }

    func start(_ number: Int) throws {
        let directory = directory(number)
        let arguments =
            switch implementations[number] {
            case .vrrpd:
                [
                    "\(Program.directory)/vrrpd", "--config", "\(directory)/vrrp.conf", "--run-dir", "\(directory)/run",
                    "--state-dir", "\(directory)/state", "--log-level", "debug",
                ]
            case .keepalived:
                [
                    "/usr/sbin/keepalived", "-n", "-l", "-D", "-P", "-f", "\(directory)/vrrp.conf", "-p",
                    "\(directory)/k.pid", "-r", "\(directory)/v.pid",
                ]
            }
        programs[number] = try Program(
            arguments, on: hosts[number], log: "\(directory)/log", loop: lab.loop)
    }

    func end(_ number: Int, _ signal: Int32 = SIGTERM) throws {
        programs[number]?.signal(signal)
        try lab.eventually("it ends", within: .seconds(10)) { self.programs[number]?.exit != nil }
    }

    func show(_ number: Int) -> VrrpAPI.Instance? {
        try? BusClient(path: "\(directory(number))/run/private/vrrpd.sock").call(
            VrrpAPI.Show(name: "VI_1"), timeout: .seconds(5)
        ).instance
    }

    func snapshot(_ number: Int) throws -> RouteSnapshot {
        try hosts[number].inside { try RouteNetlink() }.snapshot()
    }

    /// The interface on which a director has the address.
    func place(_ number: Int) throws -> Link? {
        let snapshot = try snapshot(number)
        let held = snapshot.addresses.first { "\($0.prefix.address)" == address }
        return snapshot.links.first { $0.index == held?.link }
    }

    /// A director's ipvlan of that name, and its addresses.
    func ipvlan(_ number: Int, _ name: String) throws -> (link: Link, own: [String])? {
        let snapshot = try snapshot(number)
        guard let link = snapshot.links.first(where: { $0.name == name }) else { return nil }
        return (link, snapshot.addresses.filter { $0.link == link.index }.map { "\($0.prefix.address)" })
    }

    func holds(_ numbers: [Int]) throws {
        try lab.eventually("\(numbers) hold the address", within: .seconds(30)) {
            try [0, 1].filter { try self.place($0) != nil } == numbers
        }
    }

    /// The client asks for a port where nobody listens, and is told so: somebody answers for the address.
    func isReached() throws {
        let deadline = lab.loop.refreshNow() + .seconds(15)
        while lab.loop.now < deadline {
            let number = try Host.client.inside {
                let number = try TCP.socket()
                _ = TCP.withAddress(address, 9) { connect(number, $0, $1) }
                return number
            }
            let socket = FileDescriptor(owning: number)
            let end = lab.loop.refreshNow() + .seconds(2)
            while lab.loop.now < end {
                var code: Int32 = 0
                var length = socklen_t(MemoryLayout<Int32>.size)
                guard getsockopt(socket.number, SOL_SOCKET, SO_ERROR, &code, &length) == 0, code != ECONNREFUSED else {
                    return
                }
                try lab.loop.turn(timeoutMilliseconds: 5)
            }
        }
        throw LabFailure.timedOut("somebody answers for \(address)", after: .seconds(15), logs: "")
    }
}

@Suite(.serialized, .enabled(if: inTheLab), .timeLimit(.minutes(10)))
struct VirtualInterfaceTests {
    private func ipvlan(_ number: Int, _ words: String = "vlan51 192.168.200.11@/24") -> String {
        """
        vrrp_instance VI_1 {
         state BACKUP
         interface eth0
         virtual_router_id 51
         priority \(number == 0 ? 150 : 100)
         version 3
         advert_int 0.3
         use_ipvlan \(words.replacing("@", with: "\(number)"))
         virtual_ipaddress {
          \(address)/24
         }
        }

        """
    }

    @Test(arguments: [[Implementation.vrrpd, .keepalived], [.keepalived, .vrrpd]])
    private func `directors with ipvlans elect one, who answers for the address`(programs: [Implementation]) throws {
        let pair = try Pair(programs) { ipvlan($0) }
        try pair.start(1)
        try pair.holds([1])
        try pair.isReached()
        try pair.start(0)
        try pair.holds([0])
        #expect(try pair.place(0)?.name == "eth0")
        let (link, own) = try #require(try pair.ipvlan(0, "vlan51"))
        #expect(link.kind == .ipvlan(flags: 0) && link.isUsable)
        #expect(own.contains("192.168.200.110"))
        try pair.isReached()
        if programs[0] == .keepalived {
            let master = pair.show(1)?.runtime.master
            #expect(master == "192.168.200.110")
        }
        try pair.end(0)
        try pair.holds([1])
        try pair.isReached()
        #expect(try !pair.snapshot(0).links.contains { $0.name == "vlan51" })
    }

    @Test func `after a crash it is the same ipvlan; deleted, it is made again; at the end it goes`() throws {
        let pair = try Pair([.vrrpd, .vrrpd]) { ipvlan($0, "192.168.200.11@/24 private") }
        try pair.start(0)
        try pair.holds([0])
        let before = try #require(try pair.ipvlan(0, "vrrp.51")).link
        #expect(before.kind == .ipvlan(flags: 1))
        try pair.end(0, SIGKILL)
        try pair.start(0)
        try pair.lab.eventually("it goes on", within: .seconds(10)) { pair.show(0)?.runtime.state == .master }
        #expect(try pair.ipvlan(0, "vrrp.51")?.link.index == before.index)
        let mastery = try #require(pair.show(0)?.runtime.statistics.becameMaster)
        try pair.lab.run(["/sbin/ip", "link", "delete", "vrrp.51"], on: .director1)
        try pair.lab.eventually("there is another one", within: .seconds(10)) {
            guard let (link, own) = try pair.ipvlan(0, "vrrp.51") else { return false }
            return link.index != before.index && link.isUsable && own.contains("192.168.200.110")
        }
        #expect(pair.show(0)?.runtime.statistics.becameMaster == mastery)
        try pair.end(0)
        #expect(try !pair.snapshot(0).links.contains { $0.name == "vrrp.51" })
    }

    @Test func `IPv6 speaks from the ipvlan's own link-local address`() throws {
        let pair = try Pair([.vrrpd, .vrrpd]) {
            ipvlan($0, "vlan51").replacing("\(address)/24", with: "fe80::51/64\n  2001:db8:77::51/64")
        }
        try pair.start(0)
        try pair.lab.eventually("it is master", within: .seconds(30)) { pair.show(0)?.runtime.state == .master }
        let own = try #require(try pair.ipvlan(0, "vlan51")).own
        try pair.start(1)
        try pair.lab.eventually("the other one hears it from there", within: .seconds(20)) {
            guard let master = pair.show(1)?.runtime.master else { return false }
            return master.hasPrefix("fe80::") && own.contains(master)
        }
    }

    /// keepalived 2.2.7 says "Unknown interface!" to the same file and ends.
    @Test func `a unicast instance of a VRF speaks and hears there`() throws {
        let pair = try Pair(
            [.vrrpd, .vrrpd],
            prepare: { lab in
                for host in [Host.director1, .director2] {
                    let commands = "link add blue type vrf table 10\nlink set blue up\nlink set eth0 master blue"
                    try lab.run(["/bin/bash", "-c", "ip -batch - <<<'\(commands)'"], on: host)
                }
            }
        ) { number in
            """
            vrrp_instance VI_1 {
             state BACKUP
             vrf blue
             virtual_router_id 51
             priority \(number == 0 ? 150 : 100)
             version 3
             advert_int 0.3
             unicast_src_ip 192.168.200.10\(number + 1)
             unicast_peer {
              192.168.200.10\(2 - number)
             }
             virtual_ipaddress {
              \(address)/24 dev eth0
             }
            }

            """
        }
        try pair.start(1)
        try pair.holds([1])
        try pair.start(0)
        try pair.holds([0])
        try pair.isReached()
        try pair.end(0)
        try pair.holds([1])
    }

    @Test func `a macvlan on an interface of a VRF is in the VRF, and moves with it`() throws {
        let pair = try Pair([.vrrpd, .vrrpd]) {
            ipvlan($0).replacing("use_ipvlan vlan51 192.168.200.110/24", with: "use_vmac")
        }
        try pair.lab.run(["/sbin/ip", "link", "add", "blue", "type", "vrf", "table", "10"], on: .director1)
        try pair.lab.run(["/sbin/ip", "link", "set", "blue", "up"], on: .director1)
        try pair.start(0)
        try pair.holds([0])
        #expect(try pair.place(0)?.master == nil)
        try pair.lab.run(["/sbin/ip", "link", "set", "eth0", "master", "blue"], on: .director1)
        try pair.lab.eventually("it is in the VRF", within: .seconds(10)) {
            let blue = try pair.snapshot(0).links.first { $0.kind == .vrf }
            return try pair.place(0).map { $0.master == blue?.index && blue != nil } ?? false
        }
        try pair.isReached()
        try pair.lab.run(["/sbin/ip", "link", "set", "eth0", "nomaster"], on: .director1)
        try pair.lab.eventually("it is out again", within: .seconds(10)) {
            try pair.place(0).map { $0.master == nil } ?? false
        }
    }
}
