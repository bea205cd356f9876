// A VRRP router under test: vrrpd or keepalived with one configuration on one host.

import Bus
import Glibc
import JSON
import Net
import Platform
import Varlink

/// Which program holds the elections.
enum Implementation: String, CaseIterable, CustomStringConvertible {
    case vrrpd, keepalived
    var description: String { rawValue }
}

/// A router that can be started, killed and asked.
final class Router {
    let host: Host
    private let segment: Segment
    private let implementation: Implementation
    /// It is started where the tests run and goes to its host by itself: `net_namespace`.
    private let isOutside: Bool
    /// Holds its configuration, run/, state/ and log.
    let directory: String
    private var program: Program?

    /// A router with a configuration, not started; its files are in the directory `name`, the host's where none is given.
    init(
        _ implementation: Implementation, on host: Host, of segment: Segment, _ configuration: String,
        at name: String? = nil, outside isOutside: Bool = false
    ) throws {
        self.isOutside = isOutside
        self.host = host
        self.segment = segment
        self.implementation = implementation
        directory = "\(segment.directory)/\(name ?? host.name)"
        try FileSystem.makeDirectory(directory + "/run/private", mode: 0o755)
        try FileSystem.makeDirectory(directory + "/state", mode: 0o755)
        try configure(configuration)
    }

    /// Replaces the configuration file.
    func configure(_ text: String) throws {
        try FileSystem.replace(directory + "/vrrp.conf", with: Array(text.utf8), durable: false)
    }

    /// Starts the program, through another one that becomes it; what it says goes to `log`, its own file where none is given.
    func start(log: String? = nil, through wrapper: [String] = []) throws {
        let config = directory + "/vrrp.conf"
        let arguments =
            switch implementation {
            case .vrrpd:
                [
                    Program.directory + "/vrrpd", "--config", config, "--run-dir", directory + "/run", "--state-dir",
                    directory + "/state", "--log-level", "debug",
                ]
            case .keepalived:
                [
                    "/usr/sbin/keepalived", "-n", "-l", "-D", "-P", "-f", config, "-p", directory + "/k.pid", "-r",
                    directory + "/v.pid",
                ]
            }
        program = try Program(
            wrapper + arguments, on: isOutside ? nil : host, log: log ?? directory + "/log", loop: segment.loop)
    }

    /// Ends it with a signal to its process group and waits until it is gone.
    func end(_ signal: Int32) throws {
        guard let program else { return }
        program.signal(signal)
        try segment.eventually("\(implementation) ends", within: .seconds(5)) { program.exit != nil }
    }

    /// Kills it as a crash would, keepalived's child together with its parent. keepalived takes an unreaped zombie of that child for
    /// a running daemon, so its files go too.
    func crash() throws {
        try end(SIGKILL)
        for name in ["k.pid", "v.pid"] { unlink("\(directory)/\(name)") }
    }

    /// Sends a signal without waiting.
    func signal(_ number: Int32) { program?.signal(number) }

    /// Its process.
    var pid: pid_t? { program?.pid }

    /// How it ended; nil while it runs.
    var exit: ChildExit? { program?.exit }

    /// What it has said so far.
    var log: String { program?.output ?? "" }

    /// vrrpd's view of an instance, asked on its private socket.
    func show(_ name: String = "VI_1") throws -> VrrpAPI.Instance {
        try call(VrrpAPI.Show(name: name)).instance
    }

    /// Calls vrrpd on its private socket.
    func call<Method: VarlinkMethod>(_ method: Method) throws -> Method.Reply {
        try BusClient(path: directory + "/run/private/vrrpd.sock").call(method, timeout: .seconds(5))
    }

    /// busd on its run directory, before it is started, and an ear for events.
    func startBus(_ types: [String]) throws -> (Program, EventTap) {
        let busd = try Program(
            [Program.directory + "/busd", "--run-dir", directory + "/run", "--state-dir", directory + "/state"],
            on: nil, log: directory + "/busd.log", loop: segment.loop)
        let path = directory + "/run/bus.sock"
        try segment.eventually("busd listens", within: .seconds(10)) {
            (try? UnixSocket.connect(to: path).release()).map(close) != nil
        }
        return (busd, try EventTap(path, types, on: segment.loop))
    }
}

extension EventTap {
    /// The data of the events of a type that stand, by subject.
    func standing(_ type: String) -> [String: JSONValue] {
        var standing: [String: JSONValue] = [:]
        for event in events where event["type"]?.string == type {
            if let subject = event["subject"]?.string { standing[subject] = event["data"] }
        }
        return standing
    }
}
