// A busd in a temporary directory, and a vrrpd of this test that serves one made-up instance through it.
import Bus
import Foundation
import Glibc
import Net
import Platform
import Synchronization
import Testing

/// What a test waits for did not happen.
struct Missing: Error, CustomStringConvertible {
    let description: String
}

/// A program that was built beside the test bundle, running.
struct Program {
    /// How it ended and what it said.
    struct Result {
        let status: Int32
        let output: String
        let errors: String
    }

    private let process = Process()
    private let output = Pipe()
    private let errors = Pipe()

    /// Starts it; `environment` is added to this process's without EVENKEEL_BUS.
    init(_ name: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        try self.init(path: Self.path(of: name), arguments, environment)
    }

    private init(path: String, _ arguments: [String], _ environment: [String: String]) throws {
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.filter { $0.key != "EVENKEEL_BUS" }
            .merging(environment) { $1 }
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        // F_SETPIPE_SZ: completions are longer than the 64 KiB that a pipe holds, and nobody reads while `finish(within:)` waits.
        _ = fcntl(output.fileHandleForReading.fileDescriptor, 1031, 1 << 20)
        try process.run()
    }

    /// Runs another program to its end.
    static func run(_ path: String, _ arguments: [String]) throws -> Result {
        try Program(path: path, arguments, [:]).finish()
    }

    /// Waits for its end.
    func finish() -> Result {
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let messages = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return Result(status: process.terminationStatus, output: text, errors: messages)
    }

    /// Waits for its end, but not longer than `limit`: then it is ended, and the test has failed.
    func finish(within limit: Duration) throws -> Result {
        let deadline = SystemClock.now + limit
        while process.isRunning {
            guard SystemClock.now < deadline else {
                kill(process.processIdentifier, SIGKILL)
                throw Missing(description: "it did not end within \(limit)")
            }
            usleep(2000)
        }
        return finish()
    }

    /// Stops its execution, or lets it go on.
    func suspend() { kill(process.processIdentifier, SIGSTOP) }
    func resume() { kill(process.processIdentifier, SIGCONT) }

    /// Ends it.
    func stop() {
        guard process.isRunning else { return }
        process.terminate()
        process.waitUntilExit()
    }

    static func path(of program: String) throws -> String {
        let bundle = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let folder = ProcessInfo.processInfo.environment["EVENKEEL_PROGRAMS"].map { URL(filePath: $0) } ?? bundle
        let path = folder.appending(path: program).path
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw Missing(description: "\(path) is missing: swift build --product \(program)")
        }
        return path
    }
}

/// Tells the daemon's thread when to end.
private final class Ending: Sendable {
    let hasCome = Atomic<Bool>(false)
}

/// A director with an instance VI_1 and nothing else.
final class Director {
    private let directory: String
    private let bus: Program
    private let ending = Ending()

    var socket: String { directory + "/bus.sock" }

    init() throws {
        directory = NSTemporaryDirectory() + "/lbctl-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        bus = try Program("busd", ["--run-dir", directory, "--log-level", "error"])
        try startDaemon()
        try eventually("vrrpd is attached") {
            try BusClient(path: socket).call(BusAPI.ListServices()).services.map(\.name) == ["vrrpd"]
                && BusClient(path: socket).call(BusAPI.GetStatistics()).statistics.kept >= 2
        }
    }

    deinit {
        ending.hasCome.store(true, ordering: .relaxed)
        bus.stop()
        try? FileManager.default.removeItem(atPath: directory)
    }

    func stopBus() { bus.stop() }

    /// Runs `body` while busd does not.
    func withSuspendedBus<Value>(_ body: () throws -> Value) rethrows -> Value {
        bus.suspend()
        defer { bus.resume() }
        return try body()
    }

    /// Runs lbctl against this director.
    func lbctl(_ arguments: String...) throws -> Program.Result {
        try Program("lbctl", arguments, environment: ["EVENKEEL_BUS": socket]).finish(within: .seconds(10))
    }

    func waitForSubscriptions(_ count: Int) throws {
        try eventually("\(count) subscriptions") {
            try BusClient(path: socket).call(BusAPI.GetStatistics()).statistics.subscriptions == count
        }
    }

    /// The daemon runs its loop on a thread of its own until the director goes.
    private func startDaemon() throws {
        let arguments = ["--run-dir", directory, "--state-dir", directory]
        let program = ProgramDescription(name: "vrrpd", summary: "")
        guard case .run(let options) = DaemonOptions.parse(arguments, for: program, exists: { _ in false }) else {
            throw Missing(description: "options are refused")
        }
        let thread = Thread { [ending] in
            do {
                let loop = try EventLoop()
                let daemon = try MadeUpVrrpd(options, loop)
                while !ending.hasCome.load(ordering: .relaxed) { try loop.turn(timeoutMilliseconds: 5) }
                withExtendedLifetime(daemon) {}
            } catch {
                Issue.record(error)
            }
        }
        thread.start()
    }

}

/// A vrrpd of one made-up instance. Failover is never answered.
private final class MadeUpVrrpd: VrrpAPI.Handler, ReloadHandler {
    typealias API = VrrpAPI

    private let service: DaemonService
    private let instance = VrrpAPI.Instance.sample(reason: "no advert from 192.168.200.102 for 3.609 s")
    private var unanswered: [Responder<VrrpAPI.Failover>] = []

    init(_ options: DaemonOptions, _ loop: EventLoop) throws {
        service = DaemonService(
            name: "vrrpd", interface: try Interfaces.vrrp(), options: options, loop: loop, logger: Logger(level: .error)
        )
        try service.start(VrrpAPI.dispatch(to: self, reload: self))
        service.events.provide(
            EventType.vrrpInstance, subjects: { [instance] in [instance.name] }, state: { [instance] _ in instance })
    }

    func list(_ call: VrrpAPI.List, _ responder: Responder<VrrpAPI.List>) {
        responder.reply(.init(instances: [instance]))
    }

    func show(_ call: VrrpAPI.Show, _ responder: Responder<VrrpAPI.Show>) {
        guard call.name == instance.name else { return responder.fail(VrrpAPI.InstanceNotFound(name: call.name)) }
        responder.reply(.init(instance: instance))
    }

    func failover(_ call: VrrpAPI.Failover, _ responder: Responder<VrrpAPI.Failover>) { unanswered.append(responder) }

    func resume(_ call: VrrpAPI.Resume, _ responder: Responder<VrrpAPI.Resume>) { responder.reply(.init()) }

    func prepareReload(_ call: VrrpAPI.PrepareReload, _ responder: Responder<VrrpAPI.PrepareReload>) {
        responder.reply(.init(digest: "d1", changes: ["VI_1: priority 100 -> 150"]))
    }

    func commitReload(_ call: VrrpAPI.CommitReload, _ responder: Responder<VrrpAPI.CommitReload>) {
        responder.fail(VrrpAPI.NotPrepared(digest: call.digest))
    }

    func abortReload(_ call: VrrpAPI.AbortReload, _ responder: Responder<VrrpAPI.AbortReload>) {
        responder.reply(.init())
    }
}

/// Tries again until `condition` holds, for at most ten seconds.
private func eventually(_ what: String, _ condition: () throws -> Bool) throws {
    let deadline = SystemClock.now + .seconds(10)
    while true {
        if (try? condition()) == true { return }
        guard SystemClock.now < deadline else { throw Missing(description: "not within 10 s: \(what)") }
        usleep(2000)
    }
}
