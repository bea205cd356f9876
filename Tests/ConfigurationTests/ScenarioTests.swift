// The published set-ups that users bring, read as they are.
import Net
import Testing

@testable import Configuration

@Suite struct ScenarioTests {
    @Test(arguments: Fixtures.configurations("scenarios").filter { !$0.hasSuffix("warm-standby/as-published.conf") })
    func `every scenario but one is accepted`(_ path: String) throws {
        let loaded = try Fixtures.load(path)
        #expect(loaded.configuration != nil, "\(loaded.diagnostics.map { $0.rendered() }.joined())")
    }

    @Test func `the DR cluster's master is what its author meant`() throws {
        let configuration = try #require(try Fixtures.load("scenarios/dr-cluster/master.conf").configuration)
        let instance = try #require(configuration.instances.first)
        #expect(instance.name == "VI_1")
        #expect(instance.interface == "eth0")
        #expect(instance.virtualRouterID == 51)
        #expect(instance.priority == 100)
        #expect(instance.initialState == .master)
        #expect(instance.version == .v2)
        #expect(instance.advertInterval == .seconds(1))
        #expect(instance.authentication == .password(Array("1111".utf8) + [0, 0, 0, 0]))
        #expect(instance.delivery == .multicast(group: .v4(IPv4Address(224, 0, 0, 18))))
        #expect(instance.virtualAddresses.map(\.prefix.description) == ["192.168.200.254/32"])
        #expect(instance.virtualAddresses.first?.device == "eth0")

        let service = try #require(configuration.virtualServers.first)
        #expect(service.identity.description == "tcp/192.168.200.254:80")
        #expect(service.scheduler == "rr")
        #expect(service.forwarding == .directRouting)
        #expect(service.persistence == nil)
        #expect(service.realServers.map(\.endpoint.description) == ["192.168.200.103:80", "192.168.200.104:80"])
        let checker = try #require(service.realServers.first?.checkers.first)
        #expect(checker.probe == .tcp)
        #expect(checker.target.endpoint.description == "192.168.200.103:80")
        #expect(checker.schedule.connectTimeout == .seconds(10))
        #expect(checker.schedule.retry == 3)
        #expect(checker.schedule.delayBeforeRetry == .seconds(3))
        #expect(checker.schedule.delayLoop == .seconds(6))
        #expect(checker.schedule.warmup == .seconds(6))
        #expect(configuration.global.routerID == "LVS_MASTER")
        #expect(configuration.global.mail.recipients.map(\.address) == ["ops@example.com"])
    }

    @Test func `the two directors differ in state and priority only`() throws {
        let master = try #require(try Fixtures.load("scenarios/dr-cluster/master.conf").configuration)
        var backup = try #require(try Fixtures.load("scenarios/dr-cluster/backup.conf").configuration)
        #expect(backup != master)
        backup.instances[0].initialState = .master
        backup.instances[0].priority = 100
        #expect(backup == master)
    }

    @Test func `timeout, fall and rise mean what the published guide meant`() throws {
        let loaded = try Fixtures.load("scenarios/nat-http/as-published.conf")
        let checker = try #require(loaded.configuration?.virtualServers.first?.realServers.first?.checkers.first)
        #expect(checker.schedule.connectTimeout == .seconds(3))
        #expect(checker.schedule.fall == 2)
        #expect(checker.schedule.rise == 2)
        #expect(checker.schedule.retry == 1)
        #expect(loaded.configuration?.virtualServers.first?.realServers.map(\.weight) == [3, 2])
        guard case .http(let probe) = checker.probe else {
            Issue.record("\(checker.probe) is not HTTP")
            return
        }
        #expect(probe.tls == nil)
        #expect(probe.urls.map(\.path) == ["/health_check"])
        #expect(probe.urls.first?.host == "192.168.1.101:80")
        #expect(probe.urls.first?.statusCodes == [200...299])
        #expect(summary(loaded) == ["28:13 warning deprecated"])
    }

    @Test func `warm-standby as published: the quotes and the open blocks are named`() throws {
        let loaded = try Fixtures.load("scenarios/warm-standby/as-published.conf")
        #expect(loaded.configuration == nil)
        let errors = loaded.diagnostics.filter { $0.severity == .error }
        #expect(
            errors.map { "\($0.position.line):\($0.position.column) \($0.code.rawValue)" } == [
                "20:15 typographicQuote", "21:15 typographicQuote", "22:14 typographicQuote", "25:1 unclosedBlock",
                "51:1 unclosedBlock",
            ])
        #expect(errors[0].message.contains("“"))
        #expect(errors[0].message.contains("U+201C"))
        #expect(errors[0].remedy?.contains("\"") == true)
        #expect(errors[3].message.contains("vrrp_instance VI_1"))
        #expect(errors[3].message.contains("vrrp_instance VI_2"))
        #expect(errors[3].notes.first?.source.position.line == 51)
        #expect(errors[4].message.contains("vrrp_instance VI_2"))
        #expect(summary(loaded).contains("12:30 warning extraWords"))
    }

    @Test func `warm-standby: a group of two nopreempt unicast instances`() throws {
        let loaded = try Fixtures.load("scenarios/warm-standby/first.conf")
        let configuration = try #require(loaded.configuration)
        #expect(configuration.syncGroups.map(\.members) == [["VI_1", "VI_2"]])
        #expect(configuration.syncGroups.first?.notify.master?.arguments == ["/etc/keepalived/notify.sh", "master"])
        #expect(configuration.scripts.first?.command.arguments.count == 5)
        #expect(configuration.scripts.first?.interval == .seconds(2))
        let instance = try #require(configuration.instances.first)
        #expect(!instance.preempt)
        #expect(instance.sourceAddress == IPAddress("20.31.250.10"))
        let peer = try #require(IPAddress("20.31.250.11"))
        #expect(instance.delivery == .unicast(peers: [UnicastPeer(peer)], timeToLive: 255))
        #expect(instance.authentication == .password(Array("33763994".utf8)))
        #expect(instance.trackedScripts == [TrackedObject("monitor_service")])
        #expect(summary(loaded).filter { $0.hasSuffix("adjusted") }.count == 2)
    }

    @Test func `mcast_src_ip is the source of the ha-pair's adverts`() throws {
        let configuration = try #require(try Fixtures.load("scenarios/ha-pair/master.conf").configuration)
        #expect(configuration.instances.first?.sourceAddress == IPAddress("10.9.2.121"))
        #expect(configuration.global.routerID == "1")
    }

    @Test func `what the machine lacks is a warning, and an error when strict`() throws {
        let text = try Fixtures.text("scenarios/warm-standby/first.conf")
        let lenient = load(text, machine: SmallMachine())
        #expect(lenient.configuration != nil)
        let machine = lenient.diagnostics.filter { $0.code == .machine }
        #expect(machine.map(\.position.line) == [12, 20, 28, 55])
        let strict = load(text, machine: SmallMachine(), options: LoadOptions(isStrict: true))
        #expect(strict.configuration == nil)
        #expect(strict.diagnostics.filter { $0.code == .machine }.allSatisfy { $0.severity == .error })
    }
}
