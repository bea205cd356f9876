// What is told about services and servers: at the start, on verdicts, by a reload, at the end, and not twice after a restart.

import Configuration
import Net
import Scripts
import Testing

@testable import IPVS

private func place(_ text: String) -> Endpoint { Endpoint(text) ?? Endpoint(.v4(IPv4Address(0, 0, 0, 0)), port: 0) }

private let one = place("192.0.2.10:80")
private let two = place("192.0.2.11:80")
private let web = VirtualServerIdentity.address(.tcp, place("192.0.2.1:80"))

private func checker() -> CheckerConfiguration {
    CheckerConfiguration(probe: .tcp, target: CheckTarget(endpoint: one))
}

private func service(
    _ servers: [Endpoint] = [one, two], sorry: Bool = false, alpha: Bool = false, omega: Bool = false
) -> VirtualServerConfiguration {
    var service = VirtualServerConfiguration(identity: web)
    service.quorum = 2
    service.omega = omega
    service.quorumUp = ScriptCommand(arguments: ["/quorum-up"])
    service.quorumDown = ScriptCommand(arguments: ["/quorum-down"])
    service.realServers = servers.map {
        var server = RealServerConfiguration(endpoint: $0)
        server.alpha = alpha
        server.checkers = [checker()]
        server.notifyUp = ScriptCommand(arguments: ["/up"])
        server.notifyDown = ScriptCommand(arguments: ["/down"])
        return server
    }
    if sorry {
        service.sorryServer = SorryServerConfiguration(endpoint: place("192.0.2.99:80"), forwarding: .masquerade)
    }
    return service
}

/// A judge, and what was told.
private struct Desk {
    var reconciler = Reconciler()
    var notices: ServiceNotices
    var lines: [String] = []
    var programs: [String] = []

    init(_ services: [VirtualServerConfiguration], initNotifies: Bool = false, told: String = "") {
        notices = ServiceNotices(remembered: ToldMemory.told(in: told, boot: "b"))
        configure(services, initNotifies: initNotifies)
    }

    mutating func configure(_ services: [VirtualServerConfiguration], initNotifies: Bool = false) {
        var global = GlobalDefinitions()
        global.notifyRealServersAtStart = initNotifies
        reconciler.configure(services)
        for service in reconciler.unread { reconciler.observed(service, nil) }
        take(notices.configure(Configuration(global: global, virtualServers: services)))
        look()
    }

    mutating func hear(_ server: Endpoint, isUp: Bool, isVerified: Bool = true) {
        reconciler.heard(ServerIdentity(web, server), isUp: isUp, isVerified: isVerified)
        guard let standing = reconciler.standings[web] else { return }
        take(notices.look(at: standing, [server]))
    }

    mutating func look() {
        for standing in reconciler.standings.values { take(notices.look(at: standing)) }
    }

    mutating func end() { take(notices.end()) }

    private mutating func take(_ notices: [ServiceNotice]) {
        lines += notices.map(\.line)
        programs += notices.compactMap { $0.program?.command.arguments[0] }
    }

    mutating func said() -> [String] {
        defer { (lines, programs) = ([], []) }
        return lines
    }
}

private let vsUp = "VS [192.0.2.1]:tcp:80 UP"
private let vsDown = "VS [192.0.2.1]:tcp:80 DOWN"
private func rs(_ number: Int, _ state: String) -> String {
    "RS [192.0.2.\(number)]:tcp:80 [192.0.2.1]:tcp:80 \(state)"
}

@Suite struct ServiceNoticeTests {
    @Test func `at the start a quorum is told, servers only with rs_init_notifies`() {
        var desk = Desk([service()])
        #expect(desk.programs == ["/quorum-up"])
        #expect(desk.said() == [vsUp])
        var loud = Desk([service()], initNotifies: true)
        #expect(loud.programs == ["/up", "/up", "/quorum-up"])
        #expect(loud.said() == [rs(10, "UP"), rs(11, "UP"), vsUp])
        // The verdict that confirms it is no news.
        loud.hear(one, isUp: true)
        #expect(loud.said().isEmpty)
    }

    @Test func `under alpha nothing is told before the first verdicts, but a lost quorum with a sorry server`() {
        var quiet = Desk([service(alpha: true)])
        #expect(quiet.said().isEmpty)
        // checkd says what it takes them for until it knows.
        quiet.hear(one, isUp: false, isVerified: false)
        quiet.hear(two, isUp: false, isVerified: false)
        #expect(quiet.said().isEmpty)
        quiet.hear(one, isUp: true)
        quiet.hear(two, isUp: false)
        #expect(quiet.said() == [rs(10, "UP"), rs(11, "DOWN")])
        quiet.hear(two, isUp: true)
        #expect(quiet.said() == [rs(11, "UP"), vsUp])
        var sorry = Desk([service(sorry: true, alpha: true)])
        #expect(sorry.programs == ["/quorum-down"])
        #expect(sorry.said() == [vsDown])
    }

    @Test func `each change is told once, the server first`() {
        var desk = Desk([service()])
        _ = desk.said()
        desk.hear(one, isUp: false)
        desk.hear(one, isUp: false)
        desk.look()
        #expect(desk.programs == ["/down", "/quorum-down"])
        #expect(desk.said() == [rs(10, "DOWN"), vsDown])
        desk.hear(one, isUp: true)
        #expect(desk.said() == [rs(10, "UP"), vsUp])
    }

    @Test func `people's decisions are none of a server's programs' business, and change the quorum`() {
        var desk = Desk([service()])
        _ = desk.said()
        desk.reconciler.decide(
            ServerIdentity(web, one), Decision(override: ServerOverride(mode: .disabled), since: "", uid: 0))
        desk.look()
        #expect(desk.said() == [vsDown])
    }

    @Test func `what a reload takes away is told to be down, what it brings is not told`() {
        var desk = Desk([service()])
        _ = desk.said()
        let third = place("192.0.2.12:80")
        desk.configure([service([one, third])])
        #expect(desk.said() == [rs(11, "DOWN")])
        desk.configure([])
        #expect(desk.said() == [rs(10, "DOWN"), rs(12, "DOWN"), vsDown])
        #expect(desk.notices.told.isEmpty)
    }

    @Test func `at the end only services with omega are told, and a later start tells them again`() {
        var plain = Desk([service()])
        _ = plain.said()
        plain.end()
        #expect(plain.said().isEmpty)
        var omega = Desk([service(omega: true)])
        _ = omega.said()
        omega.end()
        #expect(omega.said() == [rs(10, "DOWN"), rs(11, "DOWN"), vsDown])
        var next = Desk([service(omega: true)], told: ToldMemory.text(of: omega.notices.told, boot: "b"))
        #expect(next.said() == [vsUp])
    }

    @Test func `after a restart only what has changed meanwhile is told`() {
        var desk = Desk([service()])
        desk.hear(one, isUp: false)
        let memory = ToldMemory.text(of: desk.notices.told, boot: "b")
        var next = Desk([service()], told: memory)
        _ = next.said()
        next.hear(one, isUp: false)
        next.hear(two, isUp: true)
        #expect(!next.said().contains(rs(10, "DOWN")))
        next.hear(one, isUp: true)
        next.hear(one, isUp: false)
        #expect(next.said().filter { $0 == rs(10, "DOWN") }.count == 1)
    }

    @Test func `another boot, or damage, tells as a first start does`() {
        let desk = Desk([service()])
        let text = ToldMemory.text(of: desk.notices.told, boot: "b")
        #expect(ToldMemory.told(in: text, boot: "b") == desk.notices.told)
        #expect(ToldMemory.told(in: text, boot: "c").isEmpty)
        #expect(ToldMemory.told(in: text, boot: "").isEmpty)
        for length in stride(from: 0, to: text.count, by: 3) {
            _ = ToldMemory.told(in: String(text.prefix(length)), boot: "b")
        }
    }

    @Test func `a group is one service`() {
        var first = service()
        first.group = "G"
        first.groupTransport = .tcp
        var second = first
        second.identity = .address(.tcp, place("192.0.2.2:80"))
        var mark = first
        mark.identity = .firewallMark(7, .inet)
        var udp = first
        udp.identity = .address(.udp, place("192.0.2.1:80"))
        udp.groupTransport = .udp
        var desk = Desk([first, second, mark, udp])
        #expect(desk.said() == ["VS [G]:0 UP", "VS [G]:0 UP"])
    }

    @Test func `a group whose addresses change places, come or go is the same service`() {
        let addresses = ["192.0.2.1:80", "192.0.2.2:80", "192.0.2.3:80"].map { address in
            var service = service()
            service.identity = .address(.tcp, place(address))
            service.group = "G"
            return service
        }
        var desk = Desk([addresses[0], addresses[1]])
        #expect(desk.said() == ["VS [G]:0 UP"])
        for order in [[1, 0], [1], [1, 2], [2, 1], [0, 1, 2]] {
            desk.configure(order.map { addresses[$0] })
            #expect(desk.said() == [], "\(order)")
        }
        desk.configure([])
        #expect(desk.said().last == "VS [G]:0 DOWN")
    }

    @Test func `a service is not told about before the table was read`() {
        var notices = ServiceNotices()
        var reconciler = Reconciler()
        reconciler.configure([service()])
        _ = notices.configure(Configuration(virtualServers: [service()]))
        #expect(reconciler.standings[web].map { notices.look(at: $0) } == [])
        #expect(notices.unseen == [web])
        reconciler.observed(web, nil)
        #expect(reconciler.standings[web].map { notices.look(at: $0).map(\.line) } == [vsUp])
        #expect(notices.unseen.isEmpty)
    }
}
