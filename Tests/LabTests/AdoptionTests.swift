// What is in the kernel's table when ipvsd comes: its own services are adopted as they are, with their counters; what is not
// in its configuration and was never its own is left alone.
import Net
import Platform
import Testing

@Suite(.serialized, .enabled(if: inTheLab))
struct AdoptionTests {
    private let full = [
        "tcp 192.168.200.254:80 rr", "  192.168.200.103:80 Route 1", "  192.168.200.104:80 Route 1",
    ]
    private let foreign = ["tcp 10.9.8.7:99 wlc", "  10.9.8.6:99 Masq 5"]

    @Test func `a table made by hand is adopted with its counters, and foreign services stay`() throws {
        let lab = try Lab()
        let web1 = try WebServer(on: .web1, loop: lab.loop)
        let web2 = try WebServer(on: .web2, loop: lab.loop)
        defer { withExtendedLifetime((web1, web2)) {} }
        let rules = """
            -A -t 192.168.200.254:80 -s rr
            -a -t 192.168.200.254:80 -r 192.168.200.103:80 -g -w 1
            -a -t 192.168.200.254:80 -r 192.168.200.104:80 -g -w 5
            -A -t 10.9.8.7:99 -s wlc
            -a -t 10.9.8.7:99 -r 10.9.8.6:99 -m -w 5
            """
        try lab.run(["/bin/bash", "-c", "ipvsadm -R <<<'\(rules)'"], on: .director1)
        try lab.run(["/sbin/ip", "address", "add", "\(virtualAddress)/32", "dev", "eth0"], on: .director1)
        let before = Traffic(every: .milliseconds(10), loop: lab.loop)
        try lab.eventually("50 requests over the table made by hand", within: .seconds(5)) {
            before.requests.count >= 50
        }
        before.pause()
        #expect(Traffic.failures(before.requests).isEmpty)
        let service = "TCP 192.168.200.254:80"
        try lab.eventually("the kernel has summed its counters (every 2 s)", within: .seconds(5)) {
            try lab.connections(of: .director1)[service] == before.requests.count
        }
        let connections = try lab.connections(of: .director1)

        let director = try Director(on: .director1, configuration: "master.conf", lab: lab)
        try director.start()
        let found = Set(try lab.table(of: .director1))
        let wanted = Set(full + foreign)
        try lab.eventually("web2 has the weight of the configuration", within: .seconds(10)) {
            try lab.table(of: .director1).contains("  192.168.200.104:80 Route 1")
        }
        var seen: Set<Set<String>> = []
        try lab.observe(for: .seconds(6)) { seen.insert(Set(try lab.table(of: .director1))) }
        #expect(seen == [wanted], "\(director.logs)")
        #expect(found.symmetricDifference(wanted).count == 2, "one line differed: \(found)")
        #expect(try lab.connections(of: .director1) == connections, "no counter went back")

        for daemon in Daemon.allCases { try director.kill(daemon) }
        #expect(Set(try lab.table(of: .director1)) == wanted)
    }
}
