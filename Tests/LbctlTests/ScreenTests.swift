// Every screen against the text in Screens/NAME.txt. With EVENKEEL_RECORD=1 the texts are written anew; read the
// difference before committing it.
import Bus
import Configuration
import Foundation
import JSON
import Testing

@testable import lbctl

/// The screens that are recorded.
enum Recorded: String, CaseIterable {
    case statusTroubled80, statusTroubled40, statusWell, statusBackup, statusTroubled, statusColoured, statusDirect,
        statusEmpty, statusWithoutServices, statusSynchronised
    case vrrpList, vrrpMaster, vrrpSteppedDown
    case serviceList, serviceShow, serverList
    case checkList, checkShow, checkRun, events, explain, top, top80

    var text: String {
        switch self {
        case .statusWell: shown { $0.add(Status.well) }
        case .statusBackup:
            shown { screen in
                var status = Status.well
                status.instances = [
                    .sample(
                        "VI_1", .backup, reason: "advert of priority 150 from 192.168.200.102",
                        master: "192.168.200.102")
                ]
                screen.add(status)
            }
        case .statusTroubled: shown { $0.add(Status.troubled) }
        case .statusTroubled80: ScreenWidth.$current.withValue(80) { shown { $0.add(Status.troubled) } }
        case .statusTroubled40: ScreenWidth.$current.withValue(40) { shown { $0.add(Status.troubled) } }
        case .statusColoured: shown(colour: true) { $0.add(Status.troubled) }.replacing("\u{1B}", with: "ESC")
        case .statusDirect:
            shown { screen in
                var status = Status.well
                status.isDirect = true
                status.configurations = [:]
                status.presence[.checkd] = .absent(
                    "/run/evenkeel/private/checkd.sock: connect: No such file or directory")
                screen.add(status)
            }
        case .statusEmpty:
            shown { screen in
                var status = Status.well
                (status.instances, status.services) = ([], [])
                screen.add(status)
            }
        case .statusWithoutServices:
            shown { screen in
                var status = Status.well
                status.services = []
                status.presence = [.vrrpd: .present(since: before(10_000), pid: 811)]
                status.configurations = status.configurations.filter { $0.key == "vrrpd" }
                status.configurations["vrrpd"]?.needs = ["vrrpd"]
                screen.add(status)
            }
        case .statusSynchronised:
            shown { screen in
                var status = Status.well
                for problem in [nil, "connections are not synchronised: no such interface"] {
                    status.synchronisation = IpvsAPI.Synchronisation(
                        interface: "eth0", instance: "VI_1",
                        daemons: problem == nil
                            ? [
                                IpvsAPI.SyncDaemon(
                                    role: .master, interface: "eth0", syncID: 51, group: "224.0.0.81", port: 8848,
                                    timeToLive: 1)
                            ] : [], problem: problem)
                    screen.add(status)
                }
            }
        case .vrrpList: shown { $0.add($0.instanceTable(Status.troubled.instances)) }
        case .vrrpMaster:
            shown { $0.add(VrrpAPI.Instance.sample(reason: "no advert from 192.168.200.102 for 3.609 s")) }
        case .vrrpSteppedDown:
            shown {
                $0.add(
                    VrrpAPI.Instance.sample(
                        "VI_3", .backup, reason: "Failover was called", priority: 100, effective: 80,
                        master: "192.168.200.102", steppedDown: true))
            }
        case .serviceList: shown { $0.add($0.serviceTable(Status.troubled.services)) }
        case .serviceShow: shown { screen in Status.troubled.services.prefix(1).forEach { screen.add($0) } }
        case .serverList: shown { $0.add($0.serverTable(Status.troubled.services)) }
        case .checkList: shown { $0.add($0.checkTable([.sample(.up), .sample(.down), .held, .unchecked])) }
        case .checkShow:
            shown { screen in
                screen.add(CheckAPI.ServerHealth.sample(.down))
                screen.add(CheckAPI.CheckHistory.sample)
            }
        case .checkRun: shown { screen in for trial in [CheckAPI.Trial].samples { screen.add(trial) } }
        case .events: shown { screen in screen.add(lines: Self.eventLines(screen)) }
        case .top: shown { $0.add(Self.traffic) }
        case .top80: ScreenWidth.$current.withValue(80) { shown { $0.add(Self.traffic, height: 24) } }
        case .explain:
            shown { screen in for entry in KeywordTable.explain("nb_get_retry").prefix(1) { screen.add(entry) } }
        }
    }

    /// A masquerading service beside one of direct routing.
    private static var traffic: [ServiceTraffic] {
        func line(_ name: String, _ packets: Double, nat: Bool, _ state: Cell = Cell("up", .good)) -> TrafficLine {
            var rates = TrafficRates()
            (rates.connections, rates.packetsIn, rates.packetsOut) = (packets / 10, packets, packets * 0.8)
            (rates.bytesIn, rates.bytesOut) = (packets * 90, packets * 4000)
            let past = (0..<30).map { packets * Double($0 % 7) / 6 }
            return TrafficLine(
                name: name, state: state, activeConnections: Int(packets), rates: rates, countsAnswers: nat, past: past)
        }
        return [
            ServiceTraffic(
                service: line("tcp/192.168.200.254:80", 14_200, nat: true),
                servers: [
                    line("192.168.200.103:80", 14_195, nat: true), line("192.168.200.104:80", 5.4, nat: true),
                    line("192.168.200.105:80", 0, nat: true, Cell("DOWN", .bad)),
                ]),
            ServiceTraffic(
                service: line("tcp/[2001:db8::254]:443", 12, nat: false),
                servers: [line("[2001:db8::103]:443", 12, nat: false)]),
        ]
    }

    /// One line per kind of event; the clock shows the local time, so it is cut off.
    private static func eventLines(_ screen: Screen) -> [String] {
        [BusAPI.Event].samples.map { String(screen.line($0).drop { $0 != " " }) }
    }
}

@Suite struct ScreenTests {
    @Test func `a checkd that hangs is a problem, and not when nobody can hear it`() {
        var status = Status.well
        let now = Timestamp(before(0))
        #expect(now.map { status.problems(at: $0).isEmpty } == true)
        status.services = [.sample(servers: [.sample("192.168.200.103:80", stale: true)])]
        #expect(now.map { status.problems(at: $0).map(\.remedy) } == ["systemctl restart evenkeel-checkd"])
        status.instance = "blue"
        #expect(now.map { status.problems(at: $0).map(\.remedy) } == ["systemctl restart evenkeel-checkd@blue"])
        status.isDirect = true
        #expect(now.map { status.problems(at: $0).isEmpty } == true)
    }

    @Test func `a checkd whose heartbeat has stopped is silent, whether or not anything is checked`() throws {
        var status = Status.well
        let now = try #require(Timestamp(before(0)))
        func rows(_ seconds: Int) throws -> String? {
            status.heartbeat = (try #require(Timestamp(before(seconds))), 2)
            return shown { $0.add(status) }.split(separator: "\n").first { $0.hasPrefix("  checkd ") }.map(String.init)
        }
        #expect(try rows(6)?.contains("attached") == true && status.problems(at: now).isEmpty)
        #expect(try rows(8)?.contains("SILENT") == true && status.problems(at: now).count == 1)
        status.isDirect = true
        #expect(status.problems(at: now).isEmpty)
    }

    @Test func `a daemon that is missing is a problem as soon as one configuration needs it`() {
        var status = Status.well
        let now = Timestamp(before(0))
        status.presence = [.vrrpd: .present(since: before(10_000), pid: 811)]
        for daemon in status.configurations.keys { status.configurations[daemon]?.needs = ["vrrpd"] }
        #expect(now.map { status.problems(at: $0).isEmpty } == true)
        status.configurations["ipvsd"]?.needs = ["vrrpd", "ipvsd"]
        #expect(now.map { status.problems(at: $0).map(\.subject) } == ["ipvsd"])
        // One that is too old to say, or none at all: nobody knows.
        status.configurations["ipvsd"]?.needs = nil
        #expect(now.map { status.problems(at: $0).map(\.subject) } == ["ipvsd", "checkd"])
        status.configurations = [:]
        #expect(now.map { status.problems(at: $0).map(\.subject) } == ["ipvsd", "checkd"])
    }

    @Test(arguments: Recorded.allCases)
    func `a screen looks as recorded`(_ screen: Recorded) throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "Screens/\(screen.rawValue).txt")
        if ProcessInfo.processInfo.environment["EVENKEEL_RECORD"] == "1" {
            try screen.text.write(to: file, atomically: true, encoding: .utf8)
        }
        #expect(try screen.text == String(contentsOf: file, encoding: .utf8))
    }

    @Test func `the verdict names the worst`() {
        func first(_ status: Status) -> String { String(shown { $0.add(status) }.prefix { $0 != "\n" }) }
        var status = Status.well
        #expect(first(status) == "All well: VI_1 is MASTER; 1 service, 2 of 2 servers in use")
        status.services[0].servers[0] = .sample("192.168.200.103:80", .down, reason: "timeout")
        #expect(first(status) == "1 out of order: VI_1 is MASTER; 1 service, 1 of 2 servers in use")
        status.services[0].servers[1] = .sample("192.168.200.104:80", .down, reason: "timeout")
        #expect(first(status) == "1 WRONG, 2 out of order: VI_1 is MASTER; 1 service, 0 of 2 servers in use")
    }

    @Test func `a service of somebody else is no problem, and one made by hand may still be without servers`() {
        var status = Status.well
        var service = IpvsAPI.Service.sample("tcp/192.0.2.7:80", .down, reason: "made by somebody else", servers: [])
        service.origin = .foreign
        service.runtime.since = nil
        var taken = IpvsAPI.Service.sample("tcp/192.0.2.8:80", servers: [.sample("192.0.2.2:80", .down)])
        taken.origin = .foreign
        taken.servers[0].origin = .foreign
        taken.runtime.since = nil
        taken.servers[0].runtime.since = nil
        status.services = [service, taken]
        #expect(status.problems(at: now) == [])
        let text = shown {
            $0.add(status)
            $0.add($0.serviceTable(status.services))
            $0.add(service)
        }
        #expect(text.contains("  tcp/192.0.2.7:80  foreign, 0 of 0 servers in use"))
        #expect(text.contains("tcp/192.0.2.7:80: foreign: made by somebody else\n"))
        let lines = text.split(separator: "\n").filter { $0.contains("192.0.2.") }
        #expect(!lines.contains { $0.contains("DOWN") || $0.contains(" ago") || $0.contains(" for ") }, "\(text)")

        service.origin = .hand
        status.services = [service]
        #expect(status.problems(at: now).map(\.severity) == [.degraded])
        #expect(status.problems(at: now).first?.remedy == "lbctl server add tcp/192.0.2.7:80/ADDR:PORT")
        service.origin = .configuration
        status.services = [service]
        #expect(status.problems(at: now).map(\.severity) == [.critical])
    }

    @Test func `a thousand services do not push the verdict off the screen`() {
        var status = Status.well
        status.services = (0..<1000).map { number in
            .sample(
                "tcp/192.0.2.1:\(number)",
                servers: [.sample("192.168.200.103:80"), .sample("192.168.200.104:80", number < 100 ? .down : .up)])
        }
        let text = shown { $0.add(status) }
        #expect(text.count { $0 == "\n" } < 120)
        #expect(text.contains("  and 80 more: lbctl status --json\n"))
        #expect(text.contains("  and 980 more: lbctl service list\n"))
    }

    @Test(
        arguments: [
            (.up, nil, "up"), (.up, .weight, "up"), (.up, .drain, "draining"), (.up, .disable, "disabled"),
            (.down, nil, "DOWN"), (.down, .drain, "DOWN, drained"), (.down, .disable, "DOWN, disabled"),
            (.unknown, nil, "unknown"), (.unknown, .drain, "drained"),
        ] as [(IpvsAPI.Health, IpvsAPI.OverrideKind?, String)])
    func `a decision by hand does not hide that a server is down`(
        _ health: IpvsAPI.Health, _ kind: IpvsAPI.OverrideKind?, _ word: String
    ) {
        let override = kind.map { IpvsAPI.Override(kind: $0, weight: 3, since: before(1), uid: 0) }
        #expect(IpvsAPI.Server.sample("192.0.2.2:80", health, override: override).state.text == word)
    }

    @Test func `a drain that is over is drained, and no more draining, on every screen`() {
        var override = IpvsAPI.Override(kind: .drain, since: before(300), uid: 0)
        for isOver in [nil, false, true] {
            override.isOver = isOver
            let server = IpvsAPI.Server.sample("192.0.2.2:80", override: override)
            #expect(server.state.text == (isOver == true ? "drained" : "draining"))
            let service = IpvsAPI.Service.sample(servers: [server])
            let text = shown { screen in
                screen.add(service)
                screen.add(screen.serverTable([service]))
            }
            #expect(text.contains("draining") == (isOver != true), "\(text)")
        }
    }

    @Test func `what an alarm says is not said again for each service`() {
        var status = Status.troubled
        status.services[0].runtime.problem = "module ip_vs is not loaded; modprobe ip_vs"
        let texts = status.problems(at: now).map(\.text)
        #expect(texts.count { $0.contains("ip_vs") } == 1)
    }

    @Test func `an event of a type from the future is shown with its data`() {
        let event = BusAPI.Event(
            specversion: "1.0", id: "1", source: "/newd", type: "org.example.new", subject: "s", time: "soon",
            data: ["a": 1])
        #expect(shown { _ in }.isEmpty)
        let screen = Screen(style: Style(isColoured: false), now: now)
        #expect(screen.line(event) == #"soon  org.example.new  s  {"a":1}"#)
    }
}
