// `net_namespace` and `net_namespace_ipvs`: programs that are started where the tests run, and work in the networks that their files name.

import Bus
import Glibc
import Net
import Platform
import Testing
import VRRP

@Suite(.serialized, .enabled(if: canMakeNetworks), .timeLimit(.minutes(2)))
struct NamespaceWordTests {
    /// The network namespace of a process, or of the calling thread, as the kernel writes it.
    private static func network(of process: String = "thread-self") -> String {
        var text = [CChar](repeating: 0, count: 64)
        let count = readlink("/proc/\(process)/ns/net", &text, text.count)
        return String(decoding: text.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func value(_ path: String) throws -> String {
        String(decoding: try FileSystem.contents(of: "/proc/sys/net/" + path, limit: 16) ?? [], as: UTF8.self)
    }

    /// As under the units.
    private static let bound = [
        "/usr/bin/setpriv", "--bounding-set=-sys_admin,-sys_ptrace", "--inh-caps=-sys_admin,-sys_ptrace",
    ]

    /// A router of VI_1 that is started outside its host.
    private func outsider(
        _ implementation: Implementation, _ priority: Int, for host: Host, of segment: Segment, peer: Host,
        global: String = "", more: String = ""
    ) throws -> Router {
        let text = Dialect.version3.text(priority, on: host, peer: peer, more: more)
        return try Router(
            implementation, on: host, of: segment, "net_namespace \(host.namespace)\n\(global)\(text)", outside: true)
    }

    @Test(arguments: [(Implementation.vrrpd, Implementation.vrrpd), (.vrrpd, .keepalived), (.keepalived, .vrrpd)])
    func `two routers that are started outside elect in the networks of their files`(
        first: Implementation, second: Implementation
    ) throws {
        let segment = try Segment(hosts: 2)
        let (a, b) = (segment.hosts[0], segment.hosts[1])
        // keepalived makes these and leaves them.
        defer { for host in segment.hosts { rmdir("/run/keepalived/\(host.namespace)") } }
        let high = try outsider(first, 150, for: a, of: segment, peer: b)
        let low = try outsider(second, 100, for: b, of: segment, peer: a)
        func holds(_ names: [String]) throws {
            do {
                try segment.eventually("\(names) hold the address", within: .seconds(20)) {
                    try segment.holders(of: virtualAddress) == names
                }
            } catch {
                Issue.record("\(try segment.holders(of: virtualAddress)) hold it\n\(high.log)\n──\n\(low.log)")
                throw error
            }
        }
        try low.start()
        try holds(["b"])
        try high.start()
        try holds(["a"])
        for router in [high, low] {
            let process = try #require(router.pid)
            #expect(Self.network(of: "\(process)") == (try router.host.inside { Self.network() }))
        }
        try high.end(SIGTERM)
        try holds(["b"])
        try low.end(SIGTERM)
        try holds([])
    }

    @Test func `its scripts run there, and what it sets in proc sys net is set there`() throws {
        let segment = try Segment(hosts: 2)
        let host = segment.hosts[0]
        let inside = try host.inside { Self.network() }
        let scripts = ScriptRoom.directory(of: host)
        defer { try? segment.run(["/bin/rm", "-rf", scripts]) }
        try FileSystem.makeDirectory(scripts, mode: 0o755)
        for (name, text) in [
            ("check", "[ \"$(readlink /proc/self/ns/net)\" = '\(inside)' ]"),
            ("notify", "readlink /proc/self/ns/net >\(scripts)/told"),
        ] {
            try FileSystem.replace("\(scripts)/\(name)", with: Array("#!/bin/sh\n\(text)\n".utf8), durable: false)
            chmod("\(scripts)/\(name)", 0o755)
        }
        let before = try Self.value("ipv4/igmp_link_local_mcast_reports")
        let router = try outsider(
            .vrrpd, 150, for: host, of: segment, peer: segment.hosts[1],
            global: """
                global_defs {
                 script_user root
                 disable_local_igmp
                }
                vrrp_script check {
                 script "\(scripts)/check"
                 interval 1
                }

                """,
            more: "use_vmac\n track_script {\n check\n }\n notify_master \"\(scripts)/notify\"")
        let scriptd = try Program(
            [Program.directory + "/scriptd", "--run-dir", router.directory + "/run"], on: nil,
            log: router.directory + "/scriptd.log", loop: segment.loop)
        defer { scriptd.signal(SIGTERM) }
        try router.start()
        try segment.eventually("it is master and told", within: .seconds(20)) {
            try segment.holders(of: virtualAddress) == ["a"]
                && (try FileSystem.contents(of: scripts + "/told", limit: 64)) == Array((inside + "\n").utf8)
        }
        let there = try host.inside {
            (try Self.value("ipv4/igmp_link_local_mcast_reports"), try Self.value("ipv6/conf/vrrp.51/disable_ipv6"))
        }
        #expect(there == ("0\n", "1\n"))
        #expect(try Self.value("ipv4/igmp_link_local_mcast_reports") == before)
        try router.end(SIGTERM)
    }

    @Test func `a file for another network is refused while it runs, and a restart with it leaves nothing behind`()
        throws
    {
        let segment = try Segment(hosts: 2)
        let (a, b) = (segment.hosts[0], segment.hosts[1])
        let router = try outsider(.vrrpd, 150, for: a, of: segment, peer: b)
        try router.start()
        try segment.eventually("it is master", within: .seconds(10)) {
            try segment.holders(of: virtualAddress) == ["a"]
        }
        for other in ["net_namespace \(b.namespace)\n", "", "net_namespace \(a.namespace)\nnet_namespace_ipvs\n"] {
            try router.configure(other + Dialect.version3.text(90, on: a, peer: b))
            let refused = #expect(throws: BusClientError.self) { try router.call(VrrpAPI.PrepareReload()) }
            #expect("\(try #require(refused))".contains("a daemon that runs stays in its network namespace"))
        }
        router.signal(SIGHUP)
        try segment.eventually("it says so", within: .seconds(5)) {
            router.log.contains("net_namespace_ipvs was absent and is of the host")
        }
        #expect(try router.show().context.priority == 150)
        // As at `systemctl restart`: the next process would not be there to guard the address.
        try router.end(SIGUSR1)
        #expect(try segment.holders(of: virtualAddress) == [])
    }

    @Test func `a network that is deleted and made again under its name ends a vrrpd that is in the old one`()
        throws
    {
        let segment = try Segment(hosts: 2)
        let (a, b) = (segment.hosts[0], segment.hosts[1])
        let name = a.namespace + "-again"
        try segment.run(["/bin/ip", "netns", "add", name])
        defer { try? segment.run(["/bin/ip", "netns", "delete", name]) }
        try segment.run(["/bin/ip", "-n", name, "link", "add", "eth0", "type", "veth", "peer", "name", "other"])
        try segment.run(["/bin/ip", "-n", name, "address", "add", "192.0.2.1/24", "dev", "eth0"])
        for link in ["eth0", "other"] { try segment.run(["/bin/ip", "-n", name, "link", "set", link, "up"]) }
        let text = Dialect.version3.text(150, on: a, peer: b)
        let router = try Router(.vrrpd, on: a, of: segment, "net_namespace \(name)\n" + text, outside: true)
        try router.start()
        try segment.eventually("it is master", within: .seconds(10)) { router.log.contains("master at priority 150") }
        for action in ["delete", "add"] { try segment.run(["/bin/ip", "netns", action, name]) }
        try segment.eventually("it ends", within: .seconds(10)) { router.exit == .exited(1) }
        #expect(router.log.contains("network namespace \(name) was deleted and made again"))
    }

    @Test func `without that network, or the right to go there, it does not start and says what to do`() throws {
        let segment = try Segment(hosts: 2)
        let (a, b) = (segment.hosts[0], segment.hosts[1])
        func said(_ router: Router, through wrapper: [String] = []) throws -> String {
            try router.start(through: wrapper)
            try segment.eventually("it ends", within: .seconds(10)) { router.exit != nil }
            #expect(router.exit == .exited(2), "\(router.log)")
            return router.log
        }
        let text = Dialect.version3.text(150, on: a, peer: b)
        let absent = try Router(
            .vrrpd, on: a, of: segment, "net_namespace \(a.namespace)-no\n" + text, at: "absent", outside: true)
        #expect(try said(absent).contains("make it first: ip netns add \(a.namespace)-no"))
        let outside = try outsider(.vrrpd, 150, for: a, of: segment, peer: b)
        #expect(try said(outside, through: Self.bound).contains("NetworkNamespacePath=/run/netns/\(a.namespace)"))
        // Who is there already needs no right to go.
        let there = try Router(
            .vrrpd, on: a, of: segment, "net_namespace \(a.namespace)\n" + text, at: "there")
        try there.start(through: Self.bound)
        try segment.eventually("it is master", within: .seconds(10)) {
            try segment.holders(of: virtualAddress) == ["a"]
        }
    }

    @Test func `probes are made and programs run in the network of net_namespace, whatever net_namespace_ipvs says`()
        throws
    {
        let segment = try Segment(hosts: 2)
        let (a, b) = (segment.hosts[0], segment.hosts[1])
        let room = try CheckRoom()
        let server = try a.inside { try TinyServer(.answer(Array("HTTP/1.0 200 OK\r\n\r\n".utf8)), on: room.loop) }
        let script = room.directory + "/check"
        let network = try a.inside { Self.network() }
        let body = "#!/bin/sh\n[ \"$(readlink /proc/self/ns/net)\" = '\(network)' ]\n"
        try FileSystem.replace(script, with: Array(body.utf8), durable: false)
        chmod(script, 0o755)
        let url = "url {\n path /\n status_code 200\n }"
        let http = "HTTP_GET {\n connect_ip 127.0.0.1\n connect_port \(server.port)\n \(url)\n }"
        let text = """
            net_namespace \(a.namespace)
            net_namespace_ipvs \(b.namespace)
            global_defs {
             script_user root
            }
            \(virtualServer([tcpCheck(server.port), http, "MISC_CHECK {\n misc_path \"\(script)\"\n }"]))
            """
        try room.configure(text)
        try room.startScriptd()
        try room.restart()
        for number in 1...3 { _ = try room.becomes(realServer(number), .up) }
    }

    /// /proc/1 is not for those who run under the units: what can be seen is that this is not the network of `net_namespace`.
    @Test func `ipvsd that was put into the host's network is believed to be there, one that is in the other is not`()
        throws
    {
        let segment = try Segment(hosts: 1)
        let host = segment.hosts[0]
        let config = segment.directory + "/ipvs.conf"
        try FileSystem.replace(
            config, with: Array("net_namespace \(host.namespace)\nnet_namespace_ipvs\n".utf8), durable: false)
        func start(_ host: Host?, _ name: String) throws -> Program {
            let directory = "\(segment.directory)/\(name)"
            try FileSystem.makeDirectory(directory + "/private", mode: 0o755)
            return try Program(
                Self.bound + [
                    Program.directory + "/ipvsd", "--config", config, "--run-dir", directory, "--state-dir",
                    directory + "-state",
                ], on: host, log: directory + ".log", loop: segment.loop)
        }
        let refused = try start(host, "inside")
        try segment.eventually("it ends", within: .seconds(10)) { refused.exit == .exited(2) }
        #expect(refused.output.contains("NetworkNamespacePath=/proc/1/ns/net"))
        let outside = try start(nil, "outside")
        try segment.eventually("it listens", within: .seconds(10)) {
            (try? UnixSocket.connect(to: segment.directory + "/outside/private/ipvsd.sock").release()).map(close) != nil
        }
        #expect(outside.exit == nil)
    }
}
