// `lbctl real-server` on the real servers of the DR cluster: clients reach the director alone and are answered; starting and stopping,
// once, twice, in any order, leave nothing behind.
import Glibc
import Platform
import Testing

@Suite(.serialized, .enabled(if: inTheLab))
final class RealServerTests {
    private let lab: Lab
    private let web: [Host] = [.web1, .web2]
    private let six = "2001:db8::fe"

    /// The cluster without what its script does for real servers.
    init() throws {
        lab = try Lab()
        for host in web {
            try lab.run(["/sbin/ip", "address", "delete", "\(virtualAddress)/32", "dev", "lo"], on: host)
            try set(0, 0, on: host)
            let address = "2001:db8::\(host == .web1 ? 1 : 2)/64"
            try lab.run(["/sbin/ip", "address", "add", address, "dev", "eth0", "nodad"], on: host)
        }
        try lab.run(["/sbin/ip", "address", "add", "2001:db8::c/64", "dev", "eth0", "nodad"], on: .client)
    }

    private func set(_ ignore: Int, _ announce: Int, on host: Host) throws {
        let names = ["lo", "all"]
        try lab.run(
            ["/sbin/sysctl", "-w"] + names.map { "net.ipv4.conf.\($0).arp_ignore=\(ignore)" }
                + names.map { "net.ipv4.conf.\($0).arp_announce=\(announce)" }, on: host)
    }

    @discardableResult
    private func lbctl(_ words: String..., on host: Host, exits status: Int32 = 0) throws -> String {
        let command = ["\(Program.directory)/lbctl", "real-server"] + words
        do {
            let output = try lab.run(command, on: host)
            #expect(status == 0, "\(words): \(output)")
            return output
        } catch LabFailure.command(_, let exit, let output) where exit == .exited(status) {
            return output
        }
    }

    /// Everything on a host that the command may change. Link-local addresses come when they like.
    private func state(of host: Host) throws -> String {
        try lab.run(
            [
                "/bin/sh", "-c",
                """
                ip -o address show lo; ip -4 route show table all | sort
                ip -6 route show dev lo table all | grep -v fe80: | sort
                cd /proc/sys/net/ipv4/conf && grep . */arp_ignore */arp_announce
                """,
            ], on: host)
    }

    @Test func `clients reach the director alone and are answered by the real servers`() throws {
        try lab.run(["/sbin/ip", "address", "add", "\(virtualAddress)/32", "dev", "eth0"], on: .director1)
        try lab.run(["/sbin/ipvsadm", "-A", "-t", "\(virtualAddress):80", "-s", "rr"], on: .director1)
        for host in web {
            try lab.run(
                ["/sbin/ipvsadm", "-a", "-t", "\(virtualAddress):80", "-r", host.address, "-g"], on: .director1)
        }
        let servers = try web.map { try WebServer(on: $0, loop: lab.loop) }
        for host in web { #expect(try lbctl("start", virtualAddress, on: host) == "\(virtualAddress) is served\n") }
        let director = try lab.run(["/sbin/ip", "-o", "link", "show", "eth0"], on: .director1)
        for _ in 0..<3 {
            try lab.run(["/sbin/ip", "neigh", "flush", "dev", "eth0"], on: .client)
            let traffic = Traffic(every: .milliseconds(20), loop: lab.loop)
            try lab.eventually("20 answers", within: .seconds(10)) { traffic.requests.count >= 20 }
            #expect(Traffic.failures(traffic.requests).isEmpty, "\(traffic.requests)")
            #expect(Set(Traffic.answers(traffic.requests)) == ["web1", "web2"])
            let neighbour = try lab.run(["/sbin/ip", "neigh", "show", virtualAddress], on: .client)
            let words = neighbour.split(separator: " ")
            let mac = words.firstIndex(of: "lladdr").map { String(words[$0 + 1]) }
            #expect(director.contains(mac ?? "none"), "\(neighbour) is the director's: \(director)")
        }
        for host in web { #expect(try lbctl("status", on: host) == "\(virtualAddress)  served\n") }
        #expect(servers.count == 2)
    }

    @Test func `starting and stopping leave nothing behind, however often and in which order`() throws {
        let before = try state(of: .web1)
        let orders: [[(String, [String])]] = [
            [("stop", [virtualAddress]), ("start", [virtualAddress, six]), ("stop", [six, virtualAddress])],
            [
                ("start", [virtualAddress]), ("start", [virtualAddress]), ("stop", [virtualAddress]),
                ("stop", [virtualAddress]),
            ],
            [
                ("start", [virtualAddress]), ("start", ["10.9.9.9"]), ("stop", [virtualAddress]), ("start", [six]),
                ("stop", ["10.9.9.9"]), ("stop", [six]),
            ],
        ]
        for order in orders {
            for (verb, addresses) in order {
                try lab.run(["\(Program.directory)/lbctl", "real-server", verb] + addresses, on: .web1)
            }
            #expect(try state(of: .web1) == before)
        }
    }

    @Test func `what was there before stays, and what somebody changed since is theirs`() throws {
        try set(2, 2, on: .web1)
        try lab.run(["/sbin/ip", "address", "add", "\(virtualAddress)/32", "dev", "lo"], on: .web1)
        let before = try state(of: .web1)
        try lbctl("start", virtualAddress, on: .web1)
        let stays = try lbctl("stop", virtualAddress, on: .web1)
        #expect(stays == "\(virtualAddress) stays on lo: it was there before\n")
        #expect(try state(of: .web1) == before)

        try set(0, 0, on: .web2)
        try lbctl("start", virtualAddress, on: .web2)
        try lab.run(["/sbin/sysctl", "-w", "net.ipv4.conf.all.arp_ignore=8"], on: .web2)
        try lab.run(["/sbin/ip", "address", "delete", "\(virtualAddress)/32", "dev", "lo"], on: .web2)
        try lbctl("stop", virtualAddress, on: .web2)
        let after = try state(of: .web2)
        #expect(after.contains("all/arp_ignore:8\n"))
        #expect(after.contains("all/arp_announce:0\n"))
    }

    @Test func `status says what is wrong and what helps`() throws {
        let missing = try lbctl("status", virtualAddress, on: .web1, exits: 1)
        #expect(missing.contains("\(virtualAddress)  not on lo: packets to it are not taken"))
        #expect(missing.contains("ARP requests for it at eth0 are answered"))
        try lbctl("start", virtualAddress, on: .web1)
        try set(0, 2, on: .web1)
        try lab.run(["/sbin/ip", "address", "add", "\(virtualAddress)/32", "dev", "eth0"], on: .web1)
        let wrong = try lbctl("status", on: .web1, exits: 1)
        #expect(wrong.contains("also on eth0: this host answers for it beside the director"))
        #expect(wrong.contains("→ ip address delete \(virtualAddress)/32 dev eth0"))
        #expect(!wrong.contains("not on lo"))
        try lab.run(["/sbin/ip", "address", "delete", "\(virtualAddress)/32", "dev", "eth0"], on: .web1)
        try lbctl("start", virtualAddress, on: .web1)
        #expect(try lbctl("status", "--json", on: .web1).contains(#""served":true"#))
        try lbctl("stop", virtualAddress, on: .web1)
    }

    @Test func `an IPv6 address on lo is taken and not answered for`() throws {
        // Nobody listens: who takes the packet refuses the connection, who is not there does nothing.
        let connect = "timeout 2 bash -c ': </dev/tcp/\(six)/80' 2>&1; true"
        try lbctl("start", six, on: .web1)
        let unanswered = try lab.run(["/bin/bash", "-c", connect], on: .client)
        #expect(!unanswered.contains("refused"), "\(unanswered)")
        // With web1 as the router to it, as a director would hand the frame over.
        try lab.run(["/sbin/ip", "route", "add", "\(six)/128", "via", "2001:db8::1"], on: .client)
        let taken = try lab.run(["/bin/bash", "-c", connect], on: .client)
        #expect(taken.contains("refused"), "\(taken)")
        #expect(
            try lab.run(["/sbin/ip", "-o", "address", "show", "lo"], on: .web1).contains("\(six)/128 scope global"))
        try lbctl("stop", six, on: .web1)
    }

    @Test func `a namespace that has gone says nothing of a later one with its inode number`() throws {
        // The kernel gives the number again when it likes; here the record is put where it would be then.
        let output = try lab.run([
            "/bin/sh", "-ec",
            """
            export lbctl=\(Program.directory)/lbctl old=/run/evenkeel-real-server/old
            unshare --net sh -ec '
                ip link set lo up; sysctl -qw net.ipv4.conf.all.arp_ignore=0; $lbctl real-server start 10.9.9.9
                mv /run/evenkeel-real-server/$(stat -L -c %i /proc/self/ns/net).json $old'
            unshare --net sh -ec '
                ip link set lo up; sysctl -qw net.ipv4.conf.all.arp_ignore=1; ip address add 10.9.9.9/32 dev lo
                mv $old /run/evenkeel-real-server/$(stat -L -c %i /proc/self/ns/net).json
                $lbctl real-server status; $lbctl real-server start 10.9.9.9; $lbctl real-server stop 10.9.9.9
                ip -o address show lo; sysctl net.ipv4.conf.all.arp_ignore'
            """,
        ])
        #expect(output.contains("no virtual address was started here"), "\(output)")
        #expect(output.contains("10.9.9.9 stays on lo: it was there before"), "\(output)")
        #expect(output.contains("inet 10.9.9.9/32"), "\(output)")
        #expect(output.contains("net.ipv4.conf.all.arp_ignore = 1"), "\(output)")
    }

    @Test func `an address that is refused does not keep the others, and leaves nothing behind`() throws {
        let before = try state(of: .web1)
        let off = "net.ipv6.conf.lo.disable_ipv6"
        try lab.run(["/sbin/sysctl", "-w", "\(off)=1"], on: .web1)
        let part = try lbctl("start", virtualAddress, six, "10.9.9.9", on: .web1, exits: 4)
        #expect(part.contains("\(virtualAddress) is served\n"), "\(part)")
        #expect(part.contains("10.9.9.9 is served\n"), "\(part)")
        #expect(part.contains("\(six): IPv6 is switched off on lo: sysctl -w \(off)=0"), "\(part)")
        let nothing = try lbctl("start", six, on: .web1, exits: 1)
        #expect(nothing.contains("IPv6 is switched off on lo"))
        try lbctl("stop", virtualAddress, six, "10.9.9.9", on: .web1)
        try lab.run(["/sbin/sysctl", "-w", "\(off)=0"], on: .web1)

        try lab.run(["/sbin/ip", "link", "set", "lo", "down"], on: .web1)
        let down = try lbctl("start", virtualAddress, on: .web1, exits: 1)
        #expect(down.contains("\(virtualAddress): lo is down: ip link set lo up"), "\(down)")
        try lab.run(["/sbin/ip", "link", "set", "lo", "up"], on: .web1)
        #expect(try lbctl("status", on: .web1).contains("no virtual address was started here"))
        #expect(try settings(state(of: .web1)) == settings(before))
        let state = try state(of: .web1)
        #expect(!state.contains(virtualAddress) && !state.contains(six), "\(state)")
    }

    /// Of a state, the part about ARP.
    private func settings(_ state: String) -> [Substring] {
        state.split(separator: "\n").filter { $0.contains("/arp_") }
    }

    @Test func `start does not say that an address is served of which status says that it is not`() throws {
        try lab.run(["/sbin/ip", "address", "add", "\(virtualAddress)/24", "dev", "lo"], on: .web1)
        let wide = try lbctl("start", virtualAddress, on: .web1, exits: 1)
        #expect(wide.contains("ip address delete \(virtualAddress)/24 dev lo; lbctl real-server start"), "\(wide)")
        try lab.run(["/sbin/ip", "address", "delete", "\(virtualAddress)/24", "dev", "lo"], on: .web1)
        try lab.run(["/sbin/sysctl", "-w", "net.ipv4.conf.eth0.arp_ignore=3"], on: .web1)
        let loud = try lbctl("start", virtualAddress, on: .web1, exits: 4)
        #expect(loud.contains("sysctl -w net.ipv4.conf.eth0.arp_ignore=1"), "\(loud)")
        try lab.run(["/sbin/sysctl", "-w", "net.ipv4.conf.eth0.arp_ignore=1"], on: .web1)
        #expect(try lbctl("start", virtualAddress, on: .web1) == "\(virtualAddress) is served already\n")
        try lbctl("stop", virtualAddress, on: .web1)
    }

    @Test func `a stricter arp_ignore is left alone`() throws {
        for strict in [2, 8] {
            try set(strict, 2, on: .web1)
            try lbctl("start", virtualAddress, on: .web1)
            #expect(try state(of: .web1).contains("all/arp_ignore:\(strict)\n"))
            try lbctl("stop", virtualAddress, on: .web1)
        }
    }

    @Test func `status needs no root, and a damaged record says where it is and what helps`() throws {
        try lbctl("start", virtualAddress, on: .web1)
        let status = ["\(Program.directory)/lbctl", "real-server", "status"]
        let ordinary = ["/usr/bin/setpriv", "--reuid", "65534", "--clear-groups"] + status
        #expect(try lab.run(ordinary, on: .web1) == "\(virtualAddress)  served\n")
        let path = try lab.run(
            ["/bin/sh", "-c", "echo /run/evenkeel-real-server/$(stat -L -c %i /proc/self/ns/net).json"], on: .web1
        ).split(separator: "\n").joined()
        try lab.run(["/bin/sh", "-c", "echo garbage >\(path)"], on: .web1)
        for verb in ["start", "stop"] {
            #expect(try lbctl(verb, virtualAddress, on: .web1, exits: 1).contains(": rm \(path)"))
        }
        let damaged = try lbctl("status", on: .web1, exits: 1)
        #expect(damaged.contains("\(virtualAddress)  served\n"), "\(damaged)")
        #expect(damaged.contains(": rm \(path)"), "\(damaged)")
        #expect(try lbctl("status", virtualAddress, on: .web1) == "\(virtualAddress)  served\n")
        try lab.run(["/bin/rm", path], on: .web1)
        #expect(try lbctl("start", virtualAddress, on: .web1) == "\(virtualAddress) is served already\n")
    }
}
