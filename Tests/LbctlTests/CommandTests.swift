// What commands ask the daemons and print, with scripted daemons in place of real ones.
import ArgumentParser
import Bus
import Configuration
import JSON
import Platform
import Testing
import Varlink

@testable import lbctl

@Suite struct CommandTests {
    private let daemons = ScriptedDaemons()

    init() throws {
        daemons.attach(.vrrpd, .ipvsd, .checkd)
        daemons["Vrrp.List"] = .replies([VrrpAPI.List.Reply(instances: Status.well.instances).object]
        )
        let services = Status.troubled.services
        daemons["Ipvs.ListServices"] = .replies([
            IpvsAPI.ListServices.Reply(services: Array(services.prefix(1))).object,
            IpvsAPI.ListServices.Reply(services: Array(services.dropFirst())).object,
        ])
        daemons["Bus.Subscribe"] = .replies([["snapshotComplete": true, "seq": 7], ["event": [:]]])
        for name in ["SetWeight", "Drain", "Disable", "Enable", "Reset"] {
            daemons["Ipvs.\(name)"] = .replies([["seq": 9]])
        }
    }

    @Test func `a list that came in several replies is one table, and one JSON object each`() throws {
        let answer = try ServiceCommand.List.parse([]).answer(from: daemons)
        #expect(answer.wire.count == 2)
        #expect(try text(answer).split(separator: "\n").count == 3)
    }

    @Test(arguments: [
        ("tcp/192.168.200.254:80/192.168.200.104:80", "tcp/192.168.200.254:80/192.168.200.104:80"),
        ("192.168.200.104:80", "tcp/192.168.200.254:80/192.168.200.104:80"),
        ("192.168.200.104", "tcp/192.168.200.254:80/192.168.200.104:80"),
        ("192.168.200.103:443", "tcp/192.168.200.254:443/192.168.200.103:443"),
    ])
    func `a server may be named in short where only one fits`(_ typed: String, _ full: String) throws {
        let answer = try ServerCommand.Drain.parse([typed]).answer(from: daemons)
        #expect(daemons.calls.last == #"Ipvs.Drain {"server":"\#(full)"}"#)
        #expect(try text(answer) == "\(full) is draining.\n")
        #expect(wire(answer) == [#"{"seq":9}"#])
    }

    @Test func `a short name that fits several is refused until --all says so`() throws {
        let refused = failure { _ = try ServerCommand.Drain.parse(["192.168.200.103"]).answer(from: daemons) }
        #expect(refused?.status == .failed)
        #expect(refused?.description.hasSuffix("name one of them in full, or say --all for every one") == true)
        _ = try ServerCommand.Drain.parse(["192.168.200.103", "--all"]).answer(from: daemons)
        #expect(daemons.calls.count { $0.hasPrefix("Ipvs.Drain") } == 2)
    }

    @Test func `a server of somebody else's service that has the same address is not meant, not even by --all`() throws
    {
        var foreign = IpvsAPI.Service.sample(
            "tcp/192.0.2.99:80",
            servers: [.sample("192.168.200.104:80", service: "tcp/192.0.2.99:80")])
        foreign.origin = .foreign
        foreign.servers[0].origin = .foreign
        // One that somebody has put into a service of ours is not ours either.
        var mixed = Status.troubled.services[1]
        mixed.servers.append(.sample("192.168.200.104:443", service: mixed.name))
        mixed.servers[1].origin = .foreign
        daemons["Ipvs.ListServices"] = .replies([
            IpvsAPI.ListServices.Reply(services: [foreign, Status.troubled.services[0], mixed]).object
        ])
        let ours = "tcp/192.168.200.254:80/192.168.200.104:80"
        for words in [["192.168.200.104"], ["192.168.200.104:80"], ["192.168.200.104", "--all"]] {
            _ = try ServerCommand.Drain.parse(words).answer(from: daemons)
            #expect(daemons.calls.last == #"Ipvs.Drain {"server":"\#(ours)"}"#)
        }
        #expect(daemons.calls.count { $0.hasPrefix("Ipvs.Drain") } == 3)
        let refused = failure { _ = try ServerCommand.Drain.parse(["192.168.200.107", "--all"]).answer(from: daemons) }
        #expect(refused?.description.contains("192.0.2.99") == false, "names of others are no help")
    }

    @Test func `services and servers are made by hand, and an edit keeps what was not said`() throws {
        daemons["Ipvs.ChangeTable"] = .replies([["done": 1]])
        let settings = IpvsAPI.ServerSettings(forwarding: .dr, weight: 2, upperThreshold: 7)
        let server = IpvsAPI.TableServer(
            name: "10.0.0.5:80", origin: .hand, settings: settings, activeConnections: 0, inactiveConnections: 0,
            persistentConnections: 0,
            counters: .init(connections: 0, packetsIn: 0, packetsOut: 0, bytesIn: 0, bytesOut: 0))
        let service = IpvsAPI.TableService(
            name: "tcp/192.0.2.1:80", origin: .hand, settings: .init(scheduler: "rr", persistenceTimeoutSeconds: 60),
            counters: server.counters, servers: [server])
        daemons["Ipvs.ListTable"] = .replies([IpvsAPI.ListTable.Reply(services: [service]).object])
        let name = "tcp/192.0.2.1:80"
        let added = try ServiceCommand.Add.parse([name, "-s", "sh", "-b", "sh-port"]).answer(from: daemons)
        #expect(try text(added) == "\(name) is there.\n")
        #expect(
            daemons.calls.last
                == #"Ipvs.ChangeTable {"commands":[{"action":"addService","service":"tcp/192.0.2.1:80","#
                + #""serviceSettings":{"scheduler":"sh","schedulerFlags":["flag-2"]}}]}"#)
        _ = try ServiceCommand.Edit.parse([name, "--scheduler", "wrr"]).answer(from: daemons)
        #expect(daemons.calls.last?.contains(#"{"scheduler":"wrr","persistenceTimeoutSeconds":60}"#) == true)
        _ = try ServerCommand.Edit.parse(["\(name)/10.0.0.5:80", "-w", "9"]).answer(from: daemons)
        #expect(
            daemons.calls.last?.contains(#""serverSettings":{"forwarding":"dr","weight":9,"upperThreshold":7}"#) == true
        )
        _ = try ServerCommand.Add.parse(["\(name)/10.0.0.6:80", "--tunnel", "gue", "--tunnel-port", "6080"])
            .answer(from: daemons)
        #expect(
            daemons.calls.last?.contains(#""forwarding":"tun","tunnel":{"kind":"gue","port":6080},"weight":1"#) == true)
        daemons["Ipvs.ChangeTable"] = .replies([
            ["done": 0, "failure": ["index": 0, "code": 1, "problem": "it is configured in F", "byDaemon": true]]
        ])
        let refused = failure { _ = try ServiceCommand.Delete.parse([name]).answer(from: daemons) }
        #expect(refused?.description == "it is configured in F" && refused?.status == .failed)
        daemons["Ipvs.ChangeTable"] = .replies([["done": 1, "notKept": "F: no space"]])
        let unkept = failure { _ = try ServiceCommand.Add.parse([name]).answer(from: daemons) }
        #expect(unkept?.status == .failed)
        #expect(unkept?.description.hasPrefix("\(name) is there: in force, but not kept: F: no space; ") == true)
        #expect(failure { _ = try ServiceCommand.Add.parse(["192.0.2.1:80"]).answer(from: daemons) }?.status == .usage)
    }

    @Test(arguments: [
        "--tunnel gue", "--method tun --tunnel-port 6080", "--tunnel ipip --tunnel-port 6080",
        "--tunnel gre --tunnel-port 6080", "--method tun --tunnel-checksum csum",
        "--tunnel ipip --tunnel-checksum csum", "--tunnel gre --tunnel-checksum remcsum", "--method dr --tunnel ipip",
    ])
    func `words about a tunnel that would do nothing are refused`(_ words: String) {
        let name = "tcp/192.0.2.1:80/10.0.0.6:80"
        let error = #expect(throws: (any Error).self) {
            try ServerCommand.Add.parse([name] + words.split(separator: " ").map(String.init))
        }
        let text = error.map { ServerCommand.Add.message(for: $0) } ?? ""
        #expect(text.contains("--tunnel") || text.contains("gre has no remcsum"), "\(text)")
    }

    @Test(arguments: [
        ("tcp/192.0.2.1:80/10.0.0.6:8080", "nat", "tcp/192.0.2.1:80/10.0.0.6:8080"),
        ("tcp/192.0.2.1:80/10.0.0.6:8080", "dr", "tcp/192.0.2.1:80/10.0.0.6:80"),
        ("tcp/[2001:DB8::1]:80/[2001:db8:0::6]:8080", "tun", "tcp/[2001:db8::1]:80/[2001:db8::6]:80"),
        ("fwmark/7/inet/10.0.0.6:8080", "dr", "fwmark/7/inet/10.0.0.6:8080"),
    ])
    func `a server that was added is called as the kernel has it`(_ typed: String, _ method: String, _ name: String)
        throws
    {
        daemons["Ipvs.ChangeTable"] = .replies([["done": 1]])
        let added = try ServerCommand.Add.parse([typed, "--method", method]).answer(from: daemons)
        #expect(try text(added) == "\(name) is there.\n")
    }

    @Test func `a decision about a server that leaves is told as one for later`() {
        let server = "tcp/192.168.200.254:80/192.168.200.104:80"
        daemons["Ipvs.Enable"] = .failure(
            .refused(
                method: "io.evenkeel.Ipvs.Enable", error: "io.evenkeel.Ipvs.Leaving",
                parameters: ["server": .string(server), "file": "/etc/keepalived/keepalived.conf"]))
        let refused = failure { _ = try ServerCommand.Enable.parse([server]).answer(from: daemons) }
        #expect(
            refused?.description
                == "\(server): kept for when it is back; it has left /etc/keepalived/keepalived.conf and drains at weight 0: "
                + "put it into that file again and run 'lbctl reload'")
    }

    @Test func `an unknown server is answered with the ones there are`() {
        let refused = failure { _ = try ServerCommand.Reset.parse(["10.0.0.1"]).answer(from: daemons) }
        #expect(
            refused?.description
                == "no real server is called '10.0.0.1'; there are tcp/192.168.200.254:80/192.168.200.103:80, "
                + "tcp/192.168.200.254:80/192.168.200.104:80, tcp/192.168.200.254:443/192.168.200.103:443")
    }

    @Test func `status asks everybody and takes the missing ones as part of the picture`() throws {
        daemons.attach(.vrrpd, .ipvsd)
        daemons["Ipvs.ListServices"] = .failure(.timedOut(method: "x", .seconds(5), by: .daemon(.ipvsd)))
        let report = try StatusReport(from: daemons)
        #expect(report.status.presence[.vrrpd]?.isPresent == true)
        #expect(report.status.presence[.ipvsd] == .silent("no answer within 5 s"))
        #expect(report.status.presence[.checkd] == nil)
        #expect(report.status.instances == Status.well.instances)
        #expect(report.wire([]).members.map(\.key) == ["problems", "daemons", "instances", "services", "events"])
    }

    @Test func `status says that the file would be refused now, unless it is the one that is loaded`() throws {
        let text = "vrrp_instance {\n}\n"
        let digest = Configuration.load(files: OneFile(text: text), path: "/etc/k.conf").digest
        func problems(_ text: String, loaded: String) throws -> [Problem] {
            daemons["Bus.Subscribe"] = .replies([
                [
                    "event": [
                        "id": "1", "source": "vrrpd", "type": "io.evenkeel.daemon.config", "subject": "vrrpd",
                        "time": "2026-11-21T12:00:00.000Z", "specversion": "1.0", "seq": 1,
                        "data": [
                            "digest": .string(loaded), "file": "/etc/k.conf", "loaded": "2026-11-21T12:00:00.000Z",
                        ],
                    ]
                ], ["snapshotComplete": true],
            ])
            var report = try StatusReport(from: daemons)
            report.examineFiles(OneFile(text: text))
            return report.status.problems(at: now).filter { $0.subject == "configuration" }
        }
        let found = try problems(text, loaded: "another")
        #expect(found.map(\.severity) == [.degraded] && found[0].text.contains("/etc/k.conf:1:"), "\(found)")
        #expect(found.first?.remedy == "lbctl config check /etc/k.conf")
        #expect(try problems(text, loaded: digest) == [])
        #expect(try problems(sampleInstance, loaded: "another") == [], "it is only not loaded yet")
    }

    @Test func `status without the bus asks the daemons themselves, and fails when none is there`() throws {
        let direct = ScriptedDaemons(isDirect: true)
        direct["Vrrp.List"] = daemons["Vrrp.List"]
        #expect(try StatusReport(from: direct).status.presence.values.count { $0.isPresent } == 1)
        direct["Vrrp.List"] = nil
        #expect(failure { _ = try StatusReport(from: direct) }?.status == .unreachable)
    }

    @Test(arguments: [
        ("vrrp.instance", "io.evenkeel.vrrp.instance"), ("vrrp*", "io.evenkeel.vrrp*"),
        ("check.server", "io.evenkeel.check.server"),
        ("io.evenkeel.vrrp.instance", "io.evenkeel.vrrp.instance"), ("org.example.x", "org.example.x"), ("*", "*"),
    ])
    func `types of events may be shortened`(_ typed: String, _ full: String) {
        #expect(EventsCommand.fullType(typed) == full)
    }

    @Test func `events stop after the count, which counts events and not the end of the snapshot`() throws {
        let event: JSONObject = ["event": [BusAPI.Event].samples[0].json]
        daemons["Bus.Subscribe"] = .replies([event, ["snapshotComplete": true, "seq": 1], event, event])
        var lines: [String] = []
        var notes: [String] = []
        try EventsCommand.parse(["--count", "2", "--json", "--type", "vrrp.instance", "--subject", "VI_1"])
            .follow(daemons, print: { lines.append($0) }, note: { notes.append($0) })
        #expect(lines == [event, ["snapshotComplete": true, "seq": 1], event].map { JSONText.line(.object($0)) })
        #expect(notes == [])
        #expect(
            daemons.calls == [#"Bus.Subscribe {"types":["io.evenkeel.vrrp.instance"],"subjects":["VI_1"]}"#])
    }

    @Test
    func `signs of life are left out of the events, unless their type is asked for, and whoever takes JSON is told`()
        throws
    {
        func event(_ type: String) -> JSONObject {
            [
                "event": [
                    "type": .string(type), "subject": "x", "time": "t", "id": "1", "source": "/", "specversion": "1.0",
                ]
            ]
        }
        let (change, mark) = (event("io.evenkeel.vrrp.instance"), ["snapshotComplete": true, "seq": 1] as JSONObject)
        daemons["Bus.Subscribe"] = .replies([
            event("io.evenkeel.check.heartbeat"), mark, event("io.evenkeel.vrrp.heartbeat"), change, change,
        ])
        func heard(_ words: String...) throws -> (lines: [String], notes: [String]) {
            var (lines, notes): ([String], [String]) = ([], [])
            try EventsCommand.parse(["--json", "--changes"] + words)
                .follow(daemons, print: { lines.append($0) }, note: { notes.append($0) })
            return (lines, notes)
        }
        let without = try heard("--count", "2")
        #expect(without.lines == [mark, change, change].map { JSONText.line(.object($0)) })
        #expect(
            without.notes == ["signs of life (check.heartbeat, vrrp.heartbeat) are left out; --type '*' has them"])
        let all = try heard("--count", "4", "--type", "*")
        #expect(all.lines.count == 5 && all.notes == [])
        var notes: [String] = []
        try EventsCommand.parse(["--count", "2"]).follow(daemons, print: { _ in }, note: { notes.append($0) })
        #expect(!notes.contains { $0.contains("signs of life") }, "who reads lines is spared it")
    }

    @Test(arguments: ["Show", "io.evenkeel", "", ".List", "io.evenkeel.Vrrp."])
    func `call wants an interface and a method`(_ name: String) throws {
        let command = try CallCommand.parse([name])
        #expect(failure { try command.call(daemons) { _ in } }?.status == .usage)
    }

    @Test(arguments: ["[1]", "{", "{\"a\":1,\"a\":2}", "nul"])
    func `call refuses parameters that are not a JSON object`(_ parameters: String) throws {
        let command = try CallCommand.parse(["io.evenkeel.Vrrp.List", parameters])
        #expect(failure { try command.call(daemons) { _ in } }?.status == .usage)
    }

    @Test(
        arguments: [
            (Failure.usage("x"), 2), (.busUnreachable(socket: "/x", Errno(2, "connect")), 3),
            (.daemonUnreachable(.vrrpd, socket: "/x", Errno(13, "connect")), 3),
            (.notAttached(interface: "io.evenkeel.Vrrp"), 3), (.notAttached(interface: "NOPE"), 1),
            (.timedOut(method: "m", .seconds(5), by: .busd), 3), (.disconnected(method: "m", by: .busd), 3),
            (.protocolViolation("x"), 1),
            (.denied(method: "m"), 1), (.refused(method: "a.b.C", error: "a.b.Odd", parameters: [:]), 1),
            (.refused(method: "a.b.C", error: "io.evenkeel.Vrrp.ConfigurationRefused", parameters: [:]), 2),
            (.configuration(file: "f", errors: 1, warnings: 0), 2),
            (.inPart(done: ["a"], undone: ["b"], remedy: "r"), 4),
        ] as [(Failure, Int32)])
    func `failures have the exit status scripts rely on, and say something`(_ failure: Failure, _ status: Int32) {
        #expect(failure.status.rawValue == status)
        #expect(!failure.description.isEmpty)
    }

    @Test func `hints name the units of the director that was asked`() {
        func hint(_ socket: String, _ error: BusClientError) -> String {
            let link = Link(socket: socket, isDirect: false, timeout: .seconds(1))
            return link.failure(error, "io.evenkeel.Ipvs.ListServices", nil, .seconds(1)).description
        }
        let absent = BusClientError.refused(
            VarlinkReply(BusAPI.ServiceUnavailable(interface: "io.evenkeel.Ipvs")))
        let one = "/run/evenkeel/bus.sock"
        let blue = "/run/evenkeel@blue/bus.sock"
        #expect(hint(one, absent).hasSuffix("is evenkeel-ipvsd running? 'systemctl status evenkeel-ipvsd'"))
        #expect(hint(blue, absent).hasSuffix("is evenkeel-ipvsd@blue running? 'systemctl status evenkeel-ipvsd@blue'"))
        for (socket, unit) in [(one, "evenkeel-busd"), (blue, "evenkeel-busd@blue")] {
            #expect(hint(socket, .timedOut(after: .seconds(1))).contains("'systemctl status \(unit)' says more"))
            #expect(
                hint(socket, .unreachable(path: socket, Errno(2, "connect"))).contains("'systemctl start \(unit)'"))
        }
        let direct = Link(socket: blue, isDirect: true, timeout: .seconds(1))
        #expect(
            direct.failure(.timedOut(after: .seconds(1)), "io.evenkeel.Vrrp.List", .vrrpd, .seconds(1)).description
                .contains("'systemctl status evenkeel-vrrpd@blue' says more"))
    }

    @Test func `an unreachable bus is told with the next step`() {
        let failure = Failure.busUnreachable(socket: "/run/evenkeel/bus.sock", Errno(2, "connect"))
        #expect(
            failure.description
                == "busd is not reachable at /run/evenkeel/bus.sock (connect: No such file or directory): is evenkeel-busd "
                + "running? 'systemctl start evenkeel-busd'; --direct asks the daemons without it, --socket names another"
        )
    }
}
