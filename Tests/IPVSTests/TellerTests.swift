// Programs that ipvsd has told: no more than 64 at once, however many servers die together; what was told is kept for the next process.

import Configuration
import IPVS
import Net
import Platform
import Scripts
import Testing

@testable import ipvsd

private final class Runner: JobRunner {
    var heard: ((Int, ScriptReport) -> Void)?
    var jobs: [NotifyJob] = []

    func tell(_ job: NotifyJob, _ rules: ScriptRules) { jobs.append(job) }
    func end(_ job: NotifyJob) {}

    /// All that run end well.
    func finish() {
        let running = jobs
        jobs = []
        for job in running { heard?(job.number, .ended(.exited(0), lastLine: "")) }
    }
}

private final class Pipes: LinePipes {
    var lines: [String] = []
    let troubles: [String: String] = [:]
    let isIdle = true

    func adopt(_ pipes: [NotifyPipeConfiguration], _ rules: ScriptRules) {}
    func write(_ text: String, about subject: String) { lines.append(text) }
}

private final class Store: StateStore {
    let path = "told.state"
    let failure: Errno? = nil
    var failureChanged: ((Errno?) -> Void)?
    var content: [UInt8]?

    init(_ content: [UInt8]? = nil) { self.content = content }

    func read() throws(Errno) -> [UInt8]? { content }
    func setAside() throws(Errno) -> String { path }
    func keepOlder() throws(Errno) -> String { path }

    func write(_ make: @escaping @Sendable () -> [UInt8], done: ((Errno?) -> Void)?) {
        content = make()
        done?(nil)
    }
}

@Suite struct TellerTests {
    private let configuration: Configuration
    private let web: VirtualServerIdentity

    init() throws {
        let address = try #require(IPAddress("192.0.2.1"))
        web = .address(.tcp, Endpoint(address, port: 80))
        var service = VirtualServerConfiguration(identity: web)
        service.quorumDown = ScriptCommand(arguments: ["/quorum-down"])
        service.realServers = (1...200).map { port in
            var server = RealServerConfiguration(endpoint: Endpoint(address, port: UInt16(1000 + port)))
            server.notifyDown = ScriptCommand(arguments: ["/down"])
            server.checkers = [CheckerConfiguration(probe: .tcp, target: CheckTarget(endpoint: server.endpoint))]
            return server
        }
        configuration = Configuration(virtualServers: [service])
    }

    @Test func `of a pool that dies whole every program runs, 64 at a time, and once`() {
        let (runner, pipes, store) = (Runner(), Pipes(), Store())
        let teller = ServiceTeller(runner: runner, pipes: pipes, store: store, boot: "b", clock: { .zero })
        var reconciler = Reconciler()
        reconciler.configure(configuration.virtualServers)
        reconciler.observed(web, nil)
        teller.configure(configuration, at: .zero)
        func look(all: Bool = false, _ news: KeeperNews = KeeperNews()) {
            teller.look(at: reconciler.standings, news, all: all, at: .zero) { _ in "a test" }
            teller.turn(at: .zero)
        }
        look(all: true)
        #expect(pipes.lines == ["VS [192.0.2.1]:tcp:80 UP"])
        #expect(runner.jobs.isEmpty)
        for server in configuration.virtualServers[0].realServers {
            let identity = ServerIdentity(web, server.endpoint)
            reconciler.heard(identity, isUp: false)
            var news = KeeperNews()
            news.services = [web]
            news.servers = [identity]
            look(news)
        }
        #expect(pipes.lines.count == 1 + 200 + 1)
        var programs: [String] = []
        while !runner.jobs.isEmpty {
            #expect(runner.jobs.count <= 64)
            programs += runner.jobs.map(\.command.arguments[0])
            runner.finish()
            teller.turn(at: .zero)
        }
        #expect(programs.count { $0 == "/down" } == 200)
        #expect(programs.count { $0 == "/quorum-down" } == 1)
        #expect(teller.isIdle)

        let next = ServiceTeller(runner: runner, pipes: pipes, store: store, boot: "b", clock: { .zero })
        next.configure(configuration, at: .zero)
        next.look(at: reconciler.standings, KeeperNews(), all: true, at: .zero) { _ in "" }
        next.turn(at: .zero)
        #expect(runner.jobs.isEmpty)
    }

    @Test func `who is told from a reload on hears of what changes then, not of what stood already`() {
        let (runner, pipes) = (Runner(), Pipes())
        let teller = ServiceTeller(runner: runner, pipes: pipes, store: Store(), boot: "b", clock: { .zero })
        var silent = configuration.virtualServers[0]
        silent.quorumDown = nil
        for index in silent.realServers.indices { silent.realServers[index].notifyDown = nil }
        var reconciler = Reconciler()
        func goOver(to service: VirtualServerConfiguration) {
            let configuration = Configuration(virtualServers: [service])
            teller.prepare(for: configuration, reconciler.standings)
            reconciler.configure([service])
            teller.configure(configuration, at: .zero)
            teller.look(at: reconciler.standings, KeeperNews(), all: true, at: .zero) { _ in "a test" }
            teller.turn(at: .zero)
        }
        goOver(to: silent)
        reconciler.observed(web, nil)
        for server in silent.realServers { reconciler.heard(ServerIdentity(web, server.endpoint), isUp: false) }
        goOver(to: configuration.virtualServers[0])
        #expect(pipes.lines == [])
        #expect(runner.jobs.isEmpty)

        let first = ServerIdentity(web, silent.realServers[0].endpoint)
        reconciler.heard(first, isUp: true)
        var news = KeeperNews()
        news.services = [web]
        news.servers = [first]
        teller.look(at: reconciler.standings, news, all: false, at: .zero) { _ in "a test" }
        #expect(pipes.lines.count == 2, "the server and the quorum")
    }
}
