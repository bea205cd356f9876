// How a daemon reads its configuration again: one read at a time, the latest request wins, and nothing prepared outlives who asked.
import Configuration
import Foundation
import Glibc
import Platform
import Synchronization
import Testing
import Varlink

@testable import Bus

/// Configurations that are read in a given order, some only when they are let go.
private final class Shelf: Sendable {
    struct State: Sendable {
        var reads = 0
        var concurrent = 0
        var most = 0
        var isHeld: Bool
    }

    let state: Mutex<State>
    private let files: [ConfigurationFile]

    /// `directory` gets one file for each text.
    init(_ texts: [String], in directory: String, held: Bool) throws {
        files = try texts.enumerated().map { index, text in
            let path = "\(directory)/\(index).conf"
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            return try ConfigurationFile(path: path)
        }
        state = Mutex(State(isHeld: held))
    }

    func read() -> Result<ConfigurationFile, ConfigurationRefusal> {
        let index = state.withLock { state in
            state.reads += 1
            state.concurrent += 1
            state.most = max(state.most, state.concurrent)
            return state.reads - 1
        }
        while index == 0, state.withLock({ $0.isHeld }) { usleep(1000) }
        state.withLock { $0.concurrent -= 1 }
        return .success(files[min(index, files.count - 1)])
    }

    func digest(_ index: Int) -> String { files[index].digest }
    func letGo() { state.withLock { $0.isHeld = false } }
    var reads: Int { state.withLock { $0.reads } }
}

@Suite(.timeLimit(.minutes(1))) struct ReloadTests {
    private static let texts = ["! one\n", "! two\n", "! three\n"]

    private final class Daemon: VrrpAPI.Handler {
        let bus: BusProgram
        let service: DaemonService
        let reload: ConfigurationReload<VrrpAPI>
        let shelf: Shelf
        private(set) var adopted: [String] = []

        /// `keeps`: in `bus.directory/kept`.
        init(on loop: EventLoop, held: Bool, keeps: Bool = false) throws {
            bus = try BusProgram()
            let shelf = try Shelf(ReloadTests.texts, in: bus.directory, held: held)
            self.shelf = shelf
            service = DaemonService(
                name: "vrrpd", interface: try Interfaces.vrrp(), options: try bus.options(), loop: loop,
                logger: Logger(level: .error))
            var adopt: (ConfigurationFile) -> Void = { _ in }
            reload = ConfigurationReload(
                VrrpAPI.self, on: service, path: "shelf", loop: loop, reader: { shelf.read() },
                keeper: keeps ? ConfigurationKeeper(directory: bus.directory + "/kept", loop: loop) : nil,
                changes: { _ in [] }, adopt: { adopt($0) })
            adopt = { [unowned self] in adopted.append($0.digest) }
            try service.start(VrrpAPI.dispatch(to: self, reload: reload))
            try loop.run(until: "vrrpd is attached") {
                try bus.client().call(BusAPI.ListServices()).services.map(\.name) == ["vrrpd"]
            }
        }

        // Only reloads are asked for.
        func list(_ call: VrrpAPI.List, _ responder: Responder<VrrpAPI.List>) {}
        func show(_ call: VrrpAPI.Show, _ responder: Responder<VrrpAPI.Show>) {}
        func failover(_ call: VrrpAPI.Failover, _ responder: Responder<VrrpAPI.Failover>) {}
        func resume(_ call: VrrpAPI.Resume, _ responder: Responder<VrrpAPI.Resume>) {}
    }

    @Test func `of several reloads the last that was asked for is in force, and reads do not overlap`() throws {
        let loop = try EventLoop()
        let daemon = try Daemon(on: loop, held: true)
        daemon.reload.reload()
        try loop.run(until: "the first reads") { daemon.shelf.reads == 1 }
        for _ in 0..<5 { daemon.reload.reload() }
        daemon.shelf.letGo()
        try loop.run(until: "both are done") { daemon.adopted.count == 2 }
        for _ in 0..<20 { try loop.turn(timeoutMilliseconds: 5) }
        #expect(daemon.adopted == [daemon.shelf.digest(0), daemon.shelf.digest(1)])
        #expect(daemon.shelf.state.withLock { $0.most } == 1)
    }

    @Test func `a configuration that cannot be kept is an alarm, until it is`() throws {
        let loop = try EventLoop()
        let daemon = try Daemon(on: loop, held: false, keeps: true)
        var alarms: [Alarm?] = []
        daemon.reload.alarmChanged = { alarms.append($0) }
        let obstacle = daemon.bus.directory + "/kept/configuration.good.new"
        try FileSystem.makeDirectory(obstacle, mode: 0o755)
        daemon.reload.reload()
        try loop.run(until: "it cannot be kept") { alarms.last??.message.contains("cannot be kept") == true }
        #expect(alarms.last == daemon.reload.alarm)
        rmdir(obstacle)
        try loop.run(until: "it is kept") { alarms.last == .some(nil) }
        #expect(daemon.reload.alarm == nil)
    }

    @Test(arguments: [false, true])
    func `what was prepared goes when the connection that asked goes`(_ privately: Bool) throws {
        let loop = try EventLoop()
        let daemon = try Daemon(on: loop, held: false)
        let socket = privately ? try daemon.bus.options().privateSocket(of: "vrrpd") : daemon.bus.socket
        let kept = try loop.run { () -> Bool in
            let client = try BusClient(path: socket)
            let digest = try client.call(VrrpAPI.PrepareReload()).digest
            usleep(200_000)
            _ = try client.call(VrrpAPI.CommitReload(digest: digest))
            return true
        }
        #expect(kept)
        #expect(daemon.adopted == [daemon.shelf.digest(0)])
        let error = try loop.run { () -> String? in
            var first: BusClient? = try BusClient(path: socket)
            let digest = try first?.call(VrrpAPI.PrepareReload()).digest ?? ""
            first = nil
            usleep(200_000)
            do throws(BusClientError) {
                _ = try BusClient(path: socket).call(VrrpAPI.CommitReload(digest: digest))
                return nil
            } catch {
                guard case .refused(let reply) = error else { return "\(error)" }
                return reply.error
            }
        }
        #expect(error == "io.evenkeel.Vrrp.NotPrepared")
    }
}
