// One director: the four daemons on one host with their own run and state directories, each startable and killable alone.
// The same cluster can be run by keepalived, to see that the lab and the peer behave as the tests assume.
import Glibc
import Net
import Platform

/// The four daemons.
enum Daemon: String, CaseIterable {
    case busd, vrrpd, ipvsd, checkd
}

final class Director {
    let host: Host
    let lab: Lab
    let configuration: String
    /// It is started in the guest's own network, and goes where `net_namespace` says.
    private let isOutside: Bool
    private var running: [String: Program] = [:]

    /// A director that reads Fixtures/`configuration`, nothing started yet.
    convenience init(on host: Host, configuration: String, lab: Lab) throws {
        try self.init(
            on: host, configurationAt: Lab.repository + "/Tests/LabTests/Fixtures/\(configuration)", lab: lab)
    }

    /// A director that reads the file at a path, nothing started yet.
    init(on host: Host, configurationAt path: String, lab: Lab, outside isOutside: Bool = false) throws {
        self.isOutside = isOutside
        self.host = host
        self.lab = lab
        configuration = path
        for name in ["run/private", "state"] {
            try FileSystem.makeDirectory("\(directory)/\(name)", mode: 0o755)
        }
        lab.quote(self) { $0.logs }
    }

    /// Its run and state directories and its logs.
    var directory: String { "\(lab.directory)/\(host.rawValue)" }

    /// Starts all four, the bus first.
    func start() throws {
        for daemon in Daemon.allCases { try start(daemon) }
    }

    func start(_ daemon: Daemon) throws {
        try start(
            daemon.rawValue,
            [
                "\(Program.directory)/\(daemon)", "--config", configuration, "--run-dir", "\(directory)/run",
                "--state-dir", "\(directory)/state", "--log-level", "debug",
            ])
    }

    func startKeepalived() throws {
        try start(
            "keepalived",
            [
                "/usr/sbin/keepalived", "-n", "-l", "-D", "-f", configuration, "-p", "\(directory)/k.pid", "-r",
                "\(directory)/v.pid", "-c", "\(directory)/c.pid",
            ])
    }

    private func start(_ name: String, _ arguments: [String]) throws {
        running[name] = try Program(
            arguments, on: isOutside ? nil : host, log: "\(directory)/\(name).log", loop: lab.loop)
    }

    /// Ends one at once, as a crash would, and waits until it is gone.
    func kill(_ daemon: Daemon) throws { try kill(daemon.rawValue) }

    /// Ends one as systemd would, and waits until it is gone.
    func end(_ daemon: Daemon) throws { try end(daemon.rawValue) }

    func end(_ name: String) throws {
        running[name]?.signal(SIGTERM)
        try lab.eventually("\(name) ends", within: .seconds(10)) { running[name]?.exit != nil }
        running[name] = nil
    }

    /// Has a daemon read its configuration again.
    func reload(_ daemon: Daemon) { running[daemon.rawValue]?.signal(SIGHUP) }

    func kill(_ name: String) throws {
        guard let program = running[name] else { return }
        program.signal(SIGKILL)
        try lab.eventually("\(name) is gone", within: .seconds(5)) { program.exit != nil }
        running[name] = nil
    }

    /// How much a running daemon has said: it grows as soon as a new process is up.
    func wordiness(of daemon: Daemon) -> Int { output(of: daemon).utf8.count }

    /// What a running daemon has said.
    func output(of daemon: Daemon) -> String { running[daemon.rawValue]?.output ?? "" }

    /// The last lines of every log, for the message of a failed expectation.
    var logs: String {
        running.sorted { $0.key < $1.key }.map { name, program in
            let lines = program.output.split(separator: "\n").suffix(25)
            return "── \(host.rawValue) \(name)\n" + lines.joined(separator: "\n")
        }.joined(separator: "\n")
    }
}
