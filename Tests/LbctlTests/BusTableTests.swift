// `lbctl ipvs` through the bus: what becomes of a list of commands of which some are refused, and of a listing that comes in parts.

import Configuration
import Glibc
import IPVS
import JSON
import Net
import Platform
import Testing

@testable import lbctl

@Suite struct BusTableTests {
    private let bus = ScriptedDaemons()
    private let service = VirtualServerIdentity.address(.tcp, Endpoint(.v4(IPv4Address(10, 0, 0, 1)), port: 80))

    @Test func `what stands behind a refused command is sent all the same`() throws {
        bus["Ipvs.ChangeTable"] = .replies([
            [
                "done": 1,
                "failure": ["index": 1, "code": 3, "problem": "the configuration says otherwise", "byDaemon": true],
            ]
        ])
        let table = BusTable(bus) { _ in }
        let deletion = TableRequest.command(.change(.deleteService(service)))
        let refusals = try table.execute([deletion, deletion, deletion])
        // The script answers the second list, of one command, in the same way: done is what counts.
        #expect(refusals.first == RefusedRequest(index: 1, code: 3, text: "the configuration says otherwise"))
        #expect(bus.calls.count == 2)
    }

    @Test func `what the kernel refuses is left to ipvsadm's words`() throws {
        bus["Ipvs.ChangeTable"] = .replies([
            ["done": 0, "failure": ["index": 0, "code": 17, "problem": "it exists", "byDaemon": false]]
        ])
        let refusals = try BusTable(bus) { _ in }.execute([.addService(ServiceRule(identity: service))])
        #expect(refusals == [RefusedRequest(index: 0, code: EEXIST)])
    }

    @Test func `a command that ipvsd does not take does not keep the others`() throws {
        bus["Ipvs.ChangeTable"] = .failure(
            .refused(
                method: "io.evenkeel.Ipvs.ChangeTable", error: "org.varlink.service.InvalidParameter",
                parameters: ["parameter": "commands[0].serviceSettings.scheduler"]))
        let refusals = try BusTable(bus) { _ in }.execute([.command(.flush), .command(.flush)])
        #expect(refusals.map(\.index) == [0, 1])
        #expect(refusals.first?.text == "ipvsd does not take this: serviceSettings.scheduler")
    }

    @Test func `what ipvsadm says and ipvsd does not keep is refused here`() throws {
        bus["Ipvs.ChangeTable"] = .replies([["done": 1]])
        let odd = ServiceRule(identity: service, persistenceSeconds: 60, netmask: 0xFF00_FF00)
        let engine = ServiceRule(identity: service, engine: "sip")
        let refusals = try BusTable(bus) { _ in }.execute([
            .command(.flush), .addService(odd), .addService(engine), .command(.flush),
        ])
        #expect(refusals.map(\.index) == [1, 2])
        #expect(bus.calls.count == 2)
    }

    @Test func `services that a flush leaves are said`() throws {
        bus["Ipvs.ChangeTable"] = .replies([["done": 1, "left": 2]])
        var said = ""
        #expect(try BusTable(bus) { said += $0 }.execute([.command(.flush)]) == [])
        #expect(said == "2 services of the configuration stay\n")
    }

    @Test func `what is in force and not kept is said, and is no refusal`() throws {
        bus["Ipvs.ChangeTable"] = .replies([["done": 1, "notKept": "/var/lib/x: No space left on device"]])
        var said = ""
        #expect(try BusTable(bus) { said += $0 }.execute([.command(.flush)]) == [])
        #expect(said.hasPrefix("what was done is in force, but not kept: /var/lib/x: No space left on device; "))
    }

    @Test func `a service that comes in parts is one`() throws {
        func part(_ name: String, _ servers: [String]) -> JSONValue {
            let counters: JSONValue = [
                "connections": 7, "packetsIn": 1, "packetsOut": 2, "bytesIn": 3, "bytesOut": 4,
            ]
            return [
                "name": .string(name), "origin": "hand", "counters": counters,
                "settings": [
                    "scheduler": "sh", "schedulerFlags": ["flag-2"], "persistenceTimeoutSeconds": 60,
                    "persistencePrefixLength": 24,
                ],
                "servers": .array(
                    servers.map {
                        [
                            "name": .string($0), "origin": "hand", "activeConnections": 1, "inactiveConnections": 2,
                            "persistentConnections": 3, "counters": counters,
                            "settings": [
                                "forwarding": "tun", "weight": 5,
                                "tunnel": ["kind": "gue", "port": 6080, "checksum": "csum"],
                            ],
                        ]
                    }),
            ]
        }
        bus["Ipvs.ListTable"] = .replies([
            [
                "version": "1.2.1", "connectionTableSize": 4096,
                "timeouts": ["tcpSeconds": 900, "tcpFinSeconds": 120, "udpSeconds": 300],
                "services": [part("tcp/10.0.0.1:80", ["10.1.0.1:80"])],
            ],
            ["services": [part("tcp/10.0.0.1:80", ["10.1.0.2:80"]), part("fwmark/1/inet", [])]],
        ])
        let whole = try BusTable(bus) { _ in }.table()
        #expect(whole.facts.firstLine == "IP Virtual Server version 1.2.1 (size=4096)\n")
        #expect(
            TableListing(SystemNames(), [.numeric, .tunnels]).rows(whole.services) == """
                TCP  10.0.0.1:80 sh (sh-port) persistent 60 mask 255.255.255.0
                  -> 10.1.0.1:80                  Tunnel  gue:6080:+c   5      1          2         
                  -> 10.1.0.2:80                  Tunnel  gue:6080:+c   5      1          2         
                FWM  1 sh (sh-port) persistent 60 mask 255.255.255.0

                """)
        #expect(try BusTable(bus) { _ in }.facts().timeoutListing == "Timeout (tcp tcpfin udp): 900 120 300\n")
    }

    @Test func `who cannot be asked is said, and what helps`() {
        bus["Ipvs.ListTable"] = .failure(.busUnreachable(socket: "/x", Errno(ENOENT, "connect")))
        let failure = #expect(throws: TableFailure.self) { try BusTable(bus) { _ in }.table() }
        guard case .other(let text, let status)? = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(text.contains("'lbctl ipvs --direct' talks to the kernel without ipvsd"))
        #expect(status == ExitStatus.unreachable.rawValue)
    }
}
