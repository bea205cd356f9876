// FRR's vrrpd as the other director, in both roles and both families: it holds the addresses on macvlans of its own and sends with the
// pseudo-header in the checksum. Roles are seen on the wire: who advertises is master.

import Bus
import CLinux
import Glibc
import Net
import Platform
import Testing
import VRRP

private let isInstalled = access("/usr/lib/frr/vrrpd", X_OK) == 0

/// Advertisements of one family as the client hears them.
private final class Listener {
    private(set) var heard: [ReceivedAdvertisement] = []
    private let socket: FileDescriptor
    private let isIPv6: Int32
    private var watch: Watch?
    private var slots = [UInt8](repeating: 0, count: Int(EK_VRRP_SLOT * EK_VRRP_SLOTS))
    private var lengths = [UInt32](repeating: 0, count: Int(EK_VRRP_SLOTS))
    private var arrivals = [Int64](repeating: 0, count: Int(EK_VRRP_SLOTS))

    init(_ family: AddressFamily, loop: EventLoop) throws {
        let (group4, group6) = (Advertisement.group4, Advertisement.group6)
        let group =
            family == .inet
            ? ek_ip(high: 0, low: UInt64(group4.rawValue), is_ipv6: 0)
            : ek_ip(high: group6.high, low: group6.low, is_ipv6: 1)
        isIPv6 = group.is_ipv6
        let everybody = ek_vrids(words: (.max, .max, .max, .max, .max, .max, .max, .max))
        socket = FileDescriptor(
            owning: try Host.client.inside {
                try Errno.check(
                    ek_vrrp_receiver("eth0", Int32(if_nametoindex("eth0")), group, 0, everybody), "receiver")
            })
        watch = try loop.watch(socket.number, .read) { [weak self] _ in self?.receive() }
    }

    func forget() { heard = [] }

    private func receive() {
        let count = Int(ek_vrrp_receive(socket.number, isIPv6, &slots, &lengths, &arrivals))
        for slot in 0..<max(0, count) {
            let octets = slots[(slot * Int(EK_VRRP_SLOT))...].prefix(Int(lengths[slot]))
            if let packet = try? ReceivedAdvertisement(packet: octets) { heard.append(packet) }
        }
    }
}

/// FRR on director 1, vrrpd on director 2.
private final class Pair {
    let lab: Lab
    let four: Listener
    let six: Listener
    private var frr: [Program] = []
    private var ours: Program?
    /// FRR drops root's rights and cannot enter the test's own directory.
    private let directory: String

    /// The instances: both families, or IPv4 alone in version 2.
    private let names: [String]

    init(frr priority: Int, ours own: Int, version: Int = 3) throws {
        names = version == 2 ? ["VI_4"] : ["VI_4", "VI_6"]
        lab = try Lab()
        four = try Listener(.inet, loop: lab.loop)
        six = try Listener(.inet6, loop: lab.loop)
        directory = "/tmp/frr-" + lab.directory.suffix(6)
        try FileSystem.makeDirectory(directory, mode: 0o777)
        chmod(directory, 0o777)
        try FileSystem.makeDirectory(lab.directory + "/run/private", mode: 0o755)
        try FileSystem.makeDirectory(lab.directory + "/state", mode: 0o755)
        let macvlans = """
            link add vrrp4-51 link eth0 type macvlan mode bridge
            link set vrrp4-51 address 00:00:5e:00:01:33
            address add 192.168.200.254/24 dev vrrp4-51
            link set vrrp4-51 up
            link add vrrp6-51 link eth0 type macvlan mode bridge
            link set vrrp6-51 address 00:00:5e:00:02:33
            address add 2001:db8:77::100/64 dev vrrp6-51 nodad
            link set vrrp6-51 up
            """
        try lab.run(["/bin/bash", "-c", "ip -batch - <<<'\(macvlans)'"], on: .director1)
        let text = """
            interface eth0
             vrrp 51 version \(version)
             vrrp 51 priority \(priority)
             vrrp 51 advertisement-interval \(version == 2 ? 1000 : 300)
             vrrp 51 ip 192.168.200.254
            \(version == 2 ? "" : " vrrp 51 ipv6 2001:db8:77::100")

            """
        try write(text, to: directory + "/vrrpd.conf")
        try write("", to: directory + "/zebra.conf")
        let block = """
            vrrp_instance VI_@ {
             interface eth0
             virtual_router_id 51
             priority \(own)
             version \(version)
             advert_int \(version == 2 ? "1" : "0.3")
             virtual_ipaddress {
              ADDRESS
             }
            }

            """
        try write(
            block.replacing("@", with: "4").replacing("ADDRESS", with: "192.168.200.254/24")
                + (version == 2
                    ? "" : block.replacing("@", with: "6").replacing("ADDRESS", with: "2001:db8:77::100/64")),
            to: lab.directory + "/vrrp.conf")
        lab.quote(self) { $0.logs }
    }

    private func write(_ text: String, to path: String) throws {
        try FileSystem.replace(path, with: Array(text.utf8), durable: false)
        chmod(path, 0o644)
    }

    var logs: String {
        (frr + [ours].compactMap(\.self)).map { String($0.output.suffix(2500)) }.joined(separator: "\n──\n")
    }

    func startFRR() throws {
        for name in ["zebra", "vrrpd"] {
            let program = try Program(
                [
                    "/usr/lib/frr/\(name)", "-f", "\(directory)/\(name).conf", "-i",
                    "\(directory)/\(name).pid", "-z", "\(directory)/zserv.api", "--vty_socket", directory, "-P", "0",
                    "--log", "stdout",
                ], on: .director1, log: "\(directory)/\(name).log", loop: lab.loop)
            frr.append(program)
            guard name == "zebra" else { continue }
            let path = "\(directory)/zserv.api"
            try lab.eventually("zebra listens", within: .seconds(20)) { access(path, F_OK) == 0 }
        }
    }

    func killFRR() throws {
        for program in frr { program.signal(SIGKILL) }
        try lab.eventually("FRR is gone", within: .seconds(10)) { self.frr.allSatisfy { $0.exit != nil } }
        frr = []
        unlink("\(directory)/zserv.api")
    }

    func startOurs() throws {
        ours = try Program(
            [
                Program.directory + "/vrrpd", "--config", lab.directory + "/vrrp.conf", "--run-dir",
                lab.directory + "/run", "--state-dir", lab.directory + "/state", "--log-level", "debug",
            ], on: .director2, log: lab.directory + "/vrrpd.log", loop: lab.loop)
    }

    func endOurs(_ signal: Int32) throws {
        ours?.signal(signal)
        try lab.eventually("vrrpd is gone", within: .seconds(10)) { self.ours?.exit != nil }
    }

    func show(_ name: String) -> VrrpAPI.Instance? {
        try? BusClient(path: lab.directory + "/run/private/vrrpd.sock").call(
            VrrpAPI.Show(name: name), timeout: .seconds(5)
        ).instance
    }

    func becomes(_ state: VrrpAPI.State) throws {
        for name in names {
            try lab.eventually("\(name) is \(state)", within: .seconds(30)) { show(name)?.runtime.state == state }
        }
    }

    /// Waits until these advertise and nobody else, for a second: who yields may say one word more, and the guest is slow.
    func settles(on speakers: [Set<Int>]) throws {
        try lab.eventually("\(speakers) advertise, and nobody else", within: .seconds(30)) {
            try self.speakers() == speakers
        }
    }

    /// Who advertises in each family for a second; a value for each sender: 1 = FRR, 2 = ours.
    func speakers() throws -> [Set<Int>] {
        four.forget()
        six.forget()
        // Long enough for two advertisements of version 2.
        try lab.observe(for: names.count == 1 ? .milliseconds(2200) : .seconds(1))
        let inet = Set(four.heard.map { "\($0.source)" == Host.director2.address ? 2 : 1 })
        guard names.count == 2 else { return [inet] }
        let own = try #require(show("VI_6")?.context.sourceAddress ?? "")
        return [
            inet,
            Set(six.heard.map { "\($0.source)" == own ? 2 : 1 }),
        ]
    }
}

@Suite(.serialized, .enabled(if: inTheLab && isInstalled))
struct FRRTests {
    @Test func `FRR is master, dies, is replaced, and has its addresses back when it returns`() throws {
        let pair = try Pair(frr: 150, ours: 100)
        try pair.startFRR()
        try pair.startOurs()
        try pair.becomes(.backup)
        try pair.lab.eventually("both are heard", within: .seconds(20)) {
            pair.show("VI_4")?.runtime.master == Host.director1.address && pair.show("VI_6")?.runtime.master != nil
        }
        try pair.settles(on: [[1], [1]])
        for (name, checksum) in [("VI_4", VrrpAPI.Checksum.pseudoHeader), ("VI_6", nil)]
            as [(String, VrrpAPI.Checksum?)]
        {
            let runtime = try #require(pair.show(name)).runtime
            #expect(runtime.statistics.discarded.isEmpty, "\(runtime.statistics)")
            let peer = try #require(runtime.peers?.first)
            #expect(peer.version == 3 && peer.priority == 150 && peer.advertisementIntervalMilliseconds == 300)
            #expect(peer.checksum == checksum)
        }
        for packet in pair.four.heard + pair.six.heard {
            #expect(packet.timeToLive == 255)
            #expect(packet.checksum == .pseudoHeader)
        }
        try pair.killFRR()
        try pair.becomes(.master)
        try pair.settles(on: [[2], [2]])
        try pair.startFRR()
        try pair.becomes(.backup)
        try pair.settles(on: [[1], [1]])
    }

    @Test func `FRR is the backup: it is silent while vrrpd speaks, and takes over when it gives up or dies`() throws {
        let pair = try Pair(frr: 100, ours: 150)
        try pair.startOurs()
        try pair.becomes(.master)
        try pair.startFRR()
        // FRR begins as backup; where it did not understand us it would be master after 1.1 s.
        try pair.lab.observe(for: .seconds(4))
        try pair.settles(on: [[2], [2]])
        for name in ["VI_4", "VI_6"] { #expect(pair.show(name)?.runtime.statistics.discarded.isEmpty == true) }
        for signal in [SIGTERM, SIGKILL] {
            try pair.endOurs(signal)
            pair.four.forget()
            pair.six.forget()
            try pair.lab.eventually("FRR advertises in both families", within: .seconds(20)) {
                pair.four.heard.contains { $0.advertisement.priority == 100 }
                    && pair.six.heard.contains { $0.advertisement.priority == 100 }
            }
            try pair.startOurs()
            try pair.becomes(.master)
            try pair.settles(on: [[2], [2]])
        }
    }

    @Test func `version 2: both roles, and who returns has its address back`() throws {
        let pair = try Pair(frr: 150, ours: 100, version: 2)
        try pair.startFRR()
        try pair.startOurs()
        try pair.settles(on: [[1]])
        let runtime = try #require(pair.show("VI_4")).runtime
        #expect(runtime.state == .backup && runtime.statistics.discarded.isEmpty, "\(runtime.statistics)")
        #expect(runtime.peers?.first?.version == 2 && runtime.peers?.first?.priority == 150)
        try pair.killFRR()
        try pair.becomes(.master)
        try pair.settles(on: [[2]])
        try pair.startFRR()
        try pair.becomes(.backup)
        try pair.settles(on: [[1]])
        try pair.killFRR()
        try pair.endOurs(SIGTERM)

        let other = try Pair(frr: 100, ours: 150, version: 2)
        try other.startOurs()
        try other.becomes(.master)
        try other.startFRR()
        // Where FRR did not understand us it would be master after 3.7 s.
        try other.lab.observe(for: .seconds(6))
        try other.settles(on: [[2]])
        try other.endOurs(SIGTERM)
        other.four.forget()
        try other.lab.eventually("FRR advertises", within: .seconds(20)) {
            other.four.heard.contains { $0.advertisement.priority == 100 && $0.advertisement.version == .v2 }
        }
        try other.startOurs()
        try other.becomes(.master)
        try other.settles(on: [[2]])
    }
}
