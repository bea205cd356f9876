// ipvsd where the kernel has no IPVS: it says so with the remedy, stays up, answers, remembers what people decide, and stops in order.

import Bus
import Glibc
import IPVS
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
        try StateFile("ipvsd.conf", in: segment.directory).replace(with: Array(text.utf8), durable: false)
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
        #expect(try client.call(IpvsAPI.Drain(server: Self.server)).seq == nil, "there is no bus to number the event")
        first.signal(SIGTERM)
        try segment.eventually("it stops", within: .seconds(5)) { first.exit != nil }
        #expect(first.exit == .exited(0))

        let second = try start()
        client = try self.client(of: second)
        shown = try client.call(IpvsAPI.ShowService(name: "tcp/10.7.7.7:80")).service
        #expect(shown.servers.map(\.runtime.override?.kind) == [.drain])
        #expect(second.exit == nil)
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
