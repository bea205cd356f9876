// ipvsd where the kernel has no IPVS: it says so with the remedy, stays up, answers, remembers what people decide, and stops in order.

import Bus
import Glibc
import IPVS
import Net
import Netlink
import Platform
import Testing

/// True where the kernel cannot be made to have IPVS by asking for it.
private let lacksIPVS: Bool = {
    do throws(NetlinkError) {
        _ = try IPVSClient(NetlinkClient(try NetlinkSocket(.generic))).services()
        return false
    } catch {
        return error == .noFamily("IPVS")
    }
}()

@Suite(.serialized, .enabled(if: canMakeNetworks && lacksIPVS), .timeLimit(.minutes(2)))
struct WithoutIPVSTests {
    private static let server = "tcp/10.7.7.7:80/10.7.0.1:80"
    private static let configuration = """
        virtual_server 10.7.7.7 80 {
            protocol TCP
            lvs_method NAT
            real_server 10.7.0.1 80 {
                weight 3
            }
        }

        """

    private let segment: Segment
    private var path: String { segment.directory + "/ipvsd.conf" }
    private var socket: String { segment.directory + "/run/private/ipvsd.sock" }

    init() throws {
        segment = try Segment(hosts: 1)
        try FileSystem.makeDirectory(segment.directory + "/run/private", mode: 0o755)
        try write(Self.configuration)
    }

    private func write(_ text: String) throws {
        try FileSystem.replace(segment.directory + "/ipvsd.conf", with: Array(text.utf8), durable: false)
    }

    private func start() throws -> Program {
        try Program(
            [
                Program.directory + "/ipvsd", "--config", path, "--run-dir", segment.directory + "/run", "--state-dir",
                segment.directory + "/state",
            ],
            on: segment.hosts[0], log: segment.directory + "/log", loop: segment.loop)
    }

    private func client(of program: Program) throws -> BusClient {
        var client: BusClient?
        try segment.eventually("ipvsd answers", within: .seconds(10)) {
            client = try? BusClient(path: socket)
            return client != nil
        }
        return try #require(client)
    }

    @Test func `it names the remedy, stays up, answers and remembers`() throws {
        let first = try start()
        try segment.eventually("the remedy is named", within: .seconds(10)) { first.output.contains("modprobe ip_vs") }
        var client = try client(of: first)
        var shown = try client.call(IpvsAPI.ShowService(name: "tcp/10.7.7.7:80")).service
        #expect(shown.runtime.problem?.contains("modprobe ip_vs") == true)
        #expect(!shown.runtime.inKernel)
        try drain(client)
        first.signal(SIGTERM)
        try segment.eventually("it stops", within: .seconds(5)) { first.exit != nil }
        #expect(first.exit == .exited(0))

        let second = try start()
        client = try self.client(of: second)
        shown = try client.call(IpvsAPI.ShowService(name: "tcp/10.7.7.7:80")).service
        #expect(shown.servers.map(\.runtime.override?.kind) == [.drain])
        #expect(second.exit == nil)
    }

    /// What is decided is kept and waits for the kernel, which is what the answer says.
    private func drain(_ client: BusClient) throws {
        let refusal = #expect(throws: BusClientError.self) {
            try client.call(IpvsAPI.Drain(server: Self.server), timeout: .seconds(10))
        }
        let text = "\(String(describing: refusal))"
        #expect(text.contains("NotTaken") && text.contains("modprobe ip_vs"), "\(text)")
    }

    @Test func `masqueraded servers behind a host that does not forward are an alarm`() throws {
        func forward(_ value: Int) throws {
            let command = "ip netns exec \(segment.hosts[0].namespace) sysctl -qw net.ipv4.ip_forward=\(value)"
            try segment.run(["/bin/bash", "-c", command])
        }
        try forward(0)
        let program = try start()
        try segment.eventually("it is said", within: .seconds(10)) {
            program.output.contains("this host forwards no IPv4 packets")
        }
        #expect(program.output.contains("sysctl -w net.ipv4.ip_forward=1"))
        try forward(1)
        try segment.eventually("it is over", within: .seconds(20)) { program.output.contains("forwarding/ipv4: over") }
    }

    @Test func `a decision that cannot be kept is not answered as done`() throws {
        // What stands where the next content of the file is to be written.
        for name in ["decisions.state.new", "ipvsd.state.new"] {
            try FileSystem.makeDirectory(segment.directory + "/state/" + name + "/full", mode: 0o755)
        }
        let program = try start()
        let client = try client(of: program)
        let refusal = #expect(throws: BusClientError.self) { try client.call(IpvsAPI.Drain(server: Self.server)) }
        #expect("\(String(describing: refusal))".contains("decisions.state"))
        #expect(throws: BusClientError.self, "nor when it is said again") {
            try client.call(IpvsAPI.Drain(server: Self.server))
        }
        try segment.eventually("there is an alarm", within: .seconds(5)) {
            program.output.contains("decisions made by hand cannot be kept")
        }
    }

    @Test func `a busd that hangs does not keep the answer to a decision`() throws {
        // It listens at both of its doors, and never answers.
        let doors = try ["/run/bus.sock", "/run/private/bus.sock"].map {
            try UnixSocket.listen(at: segment.directory + $0, mode: 0o666).release()
        }
        defer { for door in doors { close(door) } }
        let program = try start()
        let client = try client(of: program)
        let start = SystemClock.now
        try drain(client)
        #expect(SystemClock.now - start < .seconds(5))
    }

    @Test func `decisions of 0.1.0 are in force, and a file that is not understood is set aside`() throws {
        let directory = segment.directory + "/state"
        try FileSystem.makeDirectory(directory, mode: 0o755)
        let old =
            "evenkeel-ipvs 1\nboot x\noverride \(Self.server) drained weight=5 since=2026-11-21T15:04:05.678Z uid=7\n"
        try FileSystem.replace(directory + "/ipvsd.state", with: Array(old.utf8), durable: false)
        let first = try start()
        var override = try client(of: first).call(IpvsAPI.ShowService(name: "tcp/10.7.7.7:80")).service.servers[0]
            .runtime.override
        #expect(override?.kind == .drain && override?.weight == 5 && override?.uid == 7)
        let kept = directory + "/decisions.state"
        try segment.eventually("they have a file of their own", within: .seconds(5)) {
            try FileSystem.contents(of: kept, limit: 1 << 20) != nil
        }
        first.signal(SIGTERM)
        try segment.eventually("it stops", within: .seconds(5)) { first.exit != nil }
        let cut = try #require(try FileSystem.contents(of: kept, limit: 1 << 20)).dropLast(4)
        try FileSystem.replace(kept, with: Array(cut), durable: false)
        let second = try start()
        override = try client(of: second).call(IpvsAPI.ShowService(name: "tcp/10.7.7.7:80")).service.servers[0]
            .runtime.override
        #expect(override?.kind == .drain, "what is understood is in force")
        #expect(second.output.contains("decisions.state.damaged-"))
    }

    /// busd, once it listens.
    private func startBus() throws -> (bus: Program, socket: String) {
        let bus = try Program(
            [
                Program.directory + "/busd", "--run-dir", segment.directory + "/run", "--state-dir",
                segment.directory + "/state",
            ],
            on: segment.hosts[0], log: segment.directory + "/busd.log", loop: segment.loop)
        let socket = segment.directory + "/run/bus.sock"
        try segment.eventually("busd listens", within: .seconds(10)) { (try? BusClient(path: socket)) != nil }
        return (bus, socket)
    }

    @Test func `a service of 2,500 servers is on the bus, each server by itself`() throws {
        let (bus, socket) = try startBus()
        let servers = (0..<2500).map { "real_server 10.1.\($0 / 250).\($0 % 250 + 1) 80 {\n weight 1\n }\n" }
        try write("virtual_server 10.7.7.7 80 {\n protocol TCP\n lvs_method NAT\n \(servers.joined())}\n")
        let program = try start()
        try segment.eventually("all of it is there", within: .seconds(30)) {
            var found: [String: Int] = [:]
            let types = [EventType.ipvsService, EventType.ipvsServer]
            try BusClient(path: socket).stream(BusAPI.Subscribe(types: types), timeout: .seconds(10)) { reply in
                if let event = reply.event { found[event.type, default: 0] += 1 }
                return reply.snapshotComplete != true
            }
            return found == [EventType.ipvsService: 1, EventType.ipvsServer: 2500]
        }
        withExtendedLifetime((bus, program)) {}
    }

    @Test func `a checkd that hangs makes its verdicts stale, until it goes on`() throws {
        let (bus, socket) = try startBus()
        try write(Self.configuration.replacing("weight 3", with: "weight 3\n TCP_CHECK {\n }"))
        let program = try start()
        let checkd = try Program(
            [
                Program.directory + "/checkd", "--config", path, "--run-dir", segment.directory + "/run", "--state-dir",
                segment.directory + "/checkd",
            ], on: segment.hosts[0], log: segment.directory + "/checkd.log", loop: segment.loop)
        let isStale = {
            let service = try BusClient(path: socket).call(IpvsAPI.ShowService(name: "tcp/10.7.7.7:80")).service
            return service.servers[0].runtime.stale
        }
        try segment.eventually("somebody checks", within: .seconds(15)) { (try? isStale()) == false }
        /// The row about checkd in `lbctl status`, and how it ended.
        func status(_ options: String...) throws -> (row: String, problems: String) {
            let log = segment.directory + "/status"
            unlink(log)
            let lbctl = try Program(
                [Program.directory + "/lbctl", "status", "--socket", socket, "--timeout", "2"] + options,
                on: segment.hosts[0], log: log, loop: segment.loop)
            try segment.eventually("lbctl ends", within: .seconds(20)) { lbctl.exit != nil }
            let lines = lbctl.output.split(separator: "\n")
            return (
                lines.last { $0.hasPrefix("  checkd ") }.map(String.init) ?? "",
                lines.filter { $0.hasPrefix("  checkd: ") }.joined(separator: "\n")
            )
        }
        #expect(try status().row.contains(" attached "))
        checkd.signal(SIGSTOP)
        // At once, where it is asked itself; by its heartbeat, where the bus is asked.
        let direct = try status("--direct")
        #expect(direct.row.hasSuffix(" SILENT") && direct.problems.contains("no answer within 2 s"), "\(direct)")
        try segment.eventually("the verdicts are stale", within: .seconds(15)) { try isStale() }
        let hanging = try status()
        #expect(hanging.row.contains(" SILENT ") && hanging.problems.contains("gives no sign of life"), "\(hanging)")
        checkd.signal(SIGCONT)
        try segment.eventually("they are looked after again", within: .seconds(15)) { try !isStale() }
        #expect(try status().row.contains(" attached "))
        withExtendedLifetime((bus, program)) {}
    }

    @Test func `a service with a sorry server alone is up, as it is configured`() throws {
        try write(
            """
            virtual_server 10.7.7.7 80 {
                protocol TCP
                lvs_method NAT
                sorry_server 10.7.0.9 80
            }
            virtual_server 10.7.7.8 80 {
                protocol TCP
                lvs_method NAT
                sorry_server 10.7.0.9 80
                alpha
                real_server 10.7.0.1 80 {
                    TCP_CHECK {
                    }
                }
            }

            """)
        let program = try start()
        let services = try client(of: program).call(IpvsAPI.ListServices()).services
        let states = Dictionary(uniqueKeysWithValues: services.map { ($0.name, $0.runtime) })
        #expect(states["tcp/10.7.7.7:80"]?.state == .up && states["tcp/10.7.7.7:80"]?.onSorryServer == true)
        #expect(states["tcp/10.7.7.7:80"]?.reason == "no real server is configured; the sorry server serves")
        #expect(states["tcp/10.7.7.8:80"]?.state == .down, "\(states)")
        // A restart is no change of theirs, and of a server that nobody checks nobody knows since when it is up.
        #expect(services.flatMap(\.servers).allSatisfy { $0.runtime.since == nil }, "\(services)")
        program.signal(SIGTERM)
        try segment.eventually("it stops", within: .seconds(10)) { program.exit != nil }
        let second = try start()
        for service in try client(of: second).call(IpvsAPI.ListServices()).services {
            #expect(service.runtime.since == states[service.name]?.since, "\(service.name)")
        }
        withExtendedLifetime(second) {}
    }

    @Test func `a bad configuration is refused at a reload and at the start`() throws {
        let program = try start()
        let client = try client(of: program)
        try write("virtual_server 10.7.7.7 80 {\n    lvs_skhed rr\n}\n")
        program.signal(SIGHUP)
        try segment.eventually("the reload is refused", within: .seconds(5)) {
            program.output.contains("configuration refused") && program.output.contains("ipvsd.conf:2:5")
        }
        #expect(try client.call(IpvsAPI.ListServices()).services.map(\.name) == ["tcp/10.7.7.7:80"])
        let other = try start()
        try segment.eventually("it exits", within: .seconds(5)) { other.exit != nil }
        #expect(other.exit == .exited(2))
        try write(Self.configuration.replacing("weight 3", with: "weight 4"))
        program.signal(SIGHUP)
        try segment.eventually("the reload is in force", within: .seconds(5)) {
            try client.call(IpvsAPI.ShowService(name: "tcp/10.7.7.7:80")).service.servers.first?.context.weight == 4
        }
    }
}
