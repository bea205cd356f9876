// PING_CHECK in a network of its own, whose net.ipv4.ping_group_range decides whether it can be done at all.
import Bus
import Glibc
import JSON
import Net
import Platform
import Testing

@Suite(.serialized, .timeLimit(.minutes(1)))
struct CheckPingTests {
    /// Starts checkd in a new network namespace with loopback and these groups.
    private func start(_ room: CheckRoom, groups: String, _ addresses: [String]) throws {
        let checks = addresses.map {
            "PING_CHECK {\n connect_ip \($0)\n connect_timeout 0.5\n retry 0\n}"
        }
        try room.configure(virtualServer(checks, delay: "0.2"))
        let script = """
            ip link set lo up && ip route add 192.0.2.8 dev lo && ip route add unreachable 192.0.2.9
            echo '\(groups)' >/proc/sys/net/ipv4/ping_group_range && exec "$@"
            """
        try room.restart(["/usr/bin/unshare", "--net", "--", "/bin/sh", "-ec", script, "sh"])
    }

    @Test func `an echo that comes back is up, over IPv4 and IPv6`() throws {
        let room = try CheckRoom()
        try start(room, groups: "0 0", ["127.0.0.7", "::1", "192.0.2.8", "192.0.2.9", "2001:db8::1"])
        _ = try room.becomes(realServer(1), .up)
        _ = try room.becomes(realServer(2), .up)
        #expect(try room.becomes(realServer(3), .down).reason == "PING_CHECK 192.0.2.8: timeout (answer)")
        #expect(try room.becomes(realServer(4), .down).reason == "PING_CHECK 192.0.2.9: no route to host")
        #expect(try room.becomes(realServer(5), .down).reason == "PING_CHECK 2001:db8::1: network is unreachable")
    }

    @Test func `a group that may not ping is an alarm with its remedy and no failure`() throws {
        let room = try CheckRoom(bus: true)
        let tap = try room.listen(["io.evenkeel.daemon.alarm"])
        try start(room, groups: "1 0", ["127.0.0.1"])
        try room.eventually("the alarm is raised") { tap.events.contains { $0["subject"]?.string == "checkd/probing" } }
        let alarm = tap.events.first { $0["subject"]?.string == "checkd/probing" }
        #expect(alarm?["data"]?["remedy"]?.string?.contains("net.ipv4.ping_group_range") == true)
        let health = try #require(try room.list()[realServer(1)])
        #expect(health.state == .up && !health.verified)
    }

    @Test func `what is not the echo that was asked for is none`() throws {
        let room = try CheckRoom()
        let segment = try Segment(hosts: 2, loop: room.loop)
        let (director, target) = (segment.hosts[0], segment.hosts[1])
        func changed(_ reply: [UInt8], at index: Int) -> [UInt8] {
            var reply = reply
            reply[index] ^= 1
            return reply
        }
        let answers: [(isEcho: Bool, answer: ([UInt8]) -> [[UInt8]])] = [
            (true, { [$0] }), (false, { _ in [] }),
            // Another identifier, another number, another content.
            (false, { [changed($0, at: 5)] }), (false, { [changed($0, at: 7)] }), (false, { [changed($0, at: 100)] }),
            (false, { [Array($0.prefix(20))] }), (false, { [Array($0.prefix(8))] }), (false, { [$0 + [1]] }),
            // Another code; the request itself.
            (false, { [changed($0, at: 1)] }), (false, { [[8] + $0[1...]] }),
            (
                true,
                {
                    [Array($0.prefix(20)), changed($0, at: 7)] + Array(repeating: [3, 3, 0, 0, 0, 0, 0, 0], count: 50)
                        + [$0]
                }
            ),
        ]
        let addresses = answers.indices.map { "10.77.0.\(11 + $0)" }
        try segment.batch(addresses.map { "addr add \($0)/24 dev eth0" }, on: target)
        for (host, word) in [
            (target, "net.ipv4.icmp_echo_ignore_all=1"), (director, "net.ipv4.ping_group_range=0 0"),
        ] {
            try segment.ip(["netns", "exec", host.namespace, "/sbin/sysctl", "-qw", word])
        }
        let responders = try zip(addresses, answers).map {
            try EchoResponder($0, on: target, loop: room.loop, answer: $1.answer)
        }
        let checks = addresses.map { "PING_CHECK {\n connect_ip \($0)\n connect_timeout 0.5\n retry 0\n}" }
        try room.configure(virtualServer(checks, delay: "0.2"))
        try room.restart(["/sbin/ip", "netns", "exec", director.namespace])
        for (index, item) in answers.enumerated() {
            let health = try room.becomes(realServer(index + 1), item.isEcho ? .up : .down)
            if !item.isEcho { #expect(health.reason == "PING_CHECK \(addresses[index]): timeout (answer)") }
        }
        withExtendedLifetime(responders) {}
    }
}
