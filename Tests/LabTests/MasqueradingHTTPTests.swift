// The published example of masquerading with weighted round robin and a health path (scenarios/nat-http), its file unchanged: the client is
// behind the director, which the real servers have as their gateway.
import Glibc
import Platform
import Testing

@Suite(.serialized, .enabled(if: inTheLab))
struct MasqueradingHTTPTests {
    private let virtual = "192.168.1.200"
    private let heading = "tcp 192.168.1.200:80 wrr"

    @Test func `requests are spread 3 to 2, and a server whose health path fails leaves`() throws {
        let lab = try Lab()
        try set(.client, ["address add 10.1.0.2/24 dev eth0", "route add default via 10.1.0.1"], in: lab)
        try set(.director1, ["address add 10.1.0.1/24 dev eth0", "address add 192.168.1.10/24 dev eth0"], in: lab)
        for (host, address) in [(Host.web1, "192.168.1.101"), (.web2, "192.168.1.102")] {
            try set(host, ["address add \(address)/24 dev eth0", "route add default via 192.168.1.10"], in: lab)
        }
        let forwarding = ["all.send_redirects=0", "eth0.send_redirects=0"].map { "net.ipv4.conf.\($0)" }
        try lab.run(["/sbin/sysctl", "-qw", "net.ipv4.ip_forward=1"] + forwarding, on: .director1)
        let (web1, web2) = (try WebServer(on: .web1, loop: lab.loop), try WebServer(on: .web2, loop: lab.loop))
        let director = try Director(
            on: .director1,
            configurationAt: Guest.repository
                + "/Tests/ConfigurationTests/Fixtures/scenarios/nat-http/as-published.conf", lab: lab)
        try director.start()
        let both = [heading, "  192.168.1.101:80 Masq 3", "  192.168.1.102:80 Masq 2"]
        try lab.eventually("the table is as published", within: .seconds(10)) { try lab.table(of: .director1) == both }
        // What is sent before is sent again at some time, and would have its turn among the hundred.
        try lab.eventually("the address is there", within: .seconds(15)) {
            try lab.holders(of: virtual) == [.director1]
        }
        let traffic = Traffic(of: virtual, every: .milliseconds(20), loop: lab.loop)
        try lab.eventually("100 requests", within: .seconds(15)) { traffic.requests.count >= 110 }
        // In the order in which they were scheduled.
        let answers = Traffic.answers(Array(traffic.requests.sorted { $0.sent < $1.sent }.prefix(100)))
        #expect(answers.filter { $0 == "web1" }.count == 60, "\(answers)")
        #expect(answers.count == 100, "\(traffic.requests)")

        web1.isHealthy = false
        try lab.eventually("web1 leaves", within: .seconds(20)) {
            try lab.table(of: .director1) == both.filter { !$0.contains("101") }
        }
        let gone = lab.loop.refreshNow()
        try lab.eventually("20 more requests", within: .seconds(5)) { traffic.since(gone).count >= 20 }
        #expect(Set(Traffic.answers(traffic.since(gone))) == ["web2"])
        #expect(Traffic.failures(traffic.since(gone)).isEmpty, "\(traffic.since(gone))")
        withExtendedLifetime(web2) {}
    }

    private func set(_ host: Host, _ lines: [String], in lab: Lab) throws {
        try lab.run(["/bin/bash", "-c", "ip -batch - <<<'\(lines.joined(separator: "\n"))'"], on: host)
    }
}
