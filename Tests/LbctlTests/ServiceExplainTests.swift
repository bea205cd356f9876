// `lbctl service explain`: the answer in words and as JSON, and what it refuses.
import ArgumentParser
import Bus
import JSON
import Platform
import Testing
import Varlink

@testable import lbctl

@Suite struct ServiceExplainTests {
    private let daemons = ScriptedDaemons()
    private let name = "tcp/10.0.0.9:80"

    init() throws {
        daemons.attach(.ipvsd)
        let counters = IpvsAPI.Counters(connections: 0, packetsIn: 0, packetsOut: 0, bytesIn: 0, bytesOut: 0)
        let servers = [1, 0].enumerated().map { index, weight in
            IpvsAPI.TableServer(
                name: "10.0.0.\(index + 1):80", origin: .hand, settings: .init(forwarding: .dr, weight: weight),
                activeConnections: 4, inactiveConnections: 0, persistentConnections: 0, counters: counters)
        }
        let service = IpvsAPI.TableService(
            name: name, origin: .hand, settings: .init(scheduler: "mh", schedulerFlags: ["flag-1"]),
            counters: counters, servers: servers)
        daemons["Ipvs.ListTable"] = .replies([IpvsAPI.ListTable.Reply(services: [service]).object])
    }

    private func explain(_ client: String, _ lines: [String] = []) throws -> Shown {
        try ServiceCommand.Explain.parse([client, name]).answer(from: daemons) { each in
            for line in lines { each(line) }
            return true
        }
    }

    @Test func `the server, why, and what was taken for granted`() throws {
        let shown = try explain("203.0.113.9")
        let said = try text(shown)
        #expect(said.hasPrefix("10.0.0.1:80\nmh"), "\(said)")
        #expect(said.contains("last weight of 10.0.0.2:80 was 1"))
        #expect(shown.wire.first?["server"] == "10.0.0.1:80")
        #expect(shown.wire.first?["client"] == "203.0.113.9")
        #expect(shown.wire.first?["port"] == nil)
    }

    @Test func `the last weight of a drained server has what its checks add`() throws {
        let server = IpvsAPI.Server(
            name: name + "/10.0.0.2:80", context: .init(weight: 3),
            runtime: IpvsAPI.ServerRuntime(
                health: .up, since: "", reason: "", stale: false, inKernel: true, effectiveWeight: 0, weightChange: 4))
        let service = IpvsAPI.Service(
            name: name, context: IpvsAPI.ServiceContext(),
            runtime: IpvsAPI.ServiceRuntime(
                state: .up, since: "", reason: "", weightUp: 1, onSorryServer: false, inKernel: true),
            servers: [server])
        daemons["Ipvs.ShowService"] = .replies([IpvsAPI.ShowService.Reply(service: service).object])
        let weights = try ServiceCommand.Explain.parse(["203.0.113.9", name]).lastWeights(of: name, daemons)
        #expect(weights.map { "\($0.key) \($0.value)" } == ["10.0.0.2:80 7"])
    }

    @Test func `a connection of a server that is gone is dropped`() throws {
        let shown = try explain(
            "203.0.113.7:51514", ["TCP CB007107 C93A 0A000009 0050 0A000005 0050 ESTABLISHED     898"])
        #expect(
            try text(shown) == """
                10.0.0.5:80
                it has a connection (ESTABLISHED) from 203.0.113.7:51514, for 898 s more
                that server is not in the table any more: its packets are dropped until the connection expires

                """)
        #expect(shown.wire.first?["port"] == 51514)
    }

    @Test(arguments: ["web1", "2001:db8::1", "[2001:db8::1]:80", ""])
    func `what is no client of the service is a mistake`(_ client: String) {
        do {
            _ = try explain(client)
            Issue.record("\(client) is taken")
        } catch {
            #expect((error as? Failure)?.status == .usage)
        }
    }
}
