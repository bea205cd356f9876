// A director as a machine of its own, with systemd and Debian's packages but without Evenkeel, on the network of the lab (deploy/lab/machine): for tests
// of what an administrator types.
import Glibc
import Net
import Platform
import Testing

/// The packages that deploy/test made: `first`, and `second`, which is newer. In a machine they are below /packages.
let packages = getenv("EVENKEEL_PACKAGES").map { String(cString: $0) }

final class Machine {
    let host: Host
    private let lab: Lab
    private let program: Program
    private var commands = 0

    /// Boots it. All of it ends when this is released.
    init(_ host: Host, lab: Lab) throws {
        (self.host, self.lab) = (host, lab)
        program = try Program(
            ["/usr/bin/env", "EVENKEEL_PACKAGES=\(packages ?? "")", Self.script, host.rawValue], on: nil,
            log: "\(lab.directory)/machine-\(host)", loop: lab.loop)
        lab.quote(program) { $0.output }
        try lab.eventually("\(host) has booted", within: .seconds(90)) {
            try lab.observe(for: .milliseconds(300))
            return try attempt("systemctl is-active basic.target").exit == .exited(0)
        }
    }

    private static let script = Guest.repository + "/deploy/lab/machine"

    /// Runs a command line as root there, to its end.
    func attempt(_ command: String) throws -> (exit: ChildExit, output: String) {
        commands += 1
        let run = try Program(
            ["/bin/bash", Self.script, host.rawValue, "/bin/bash", "-c", command], on: nil,
            log: "\(lab.directory)/\(host)-\(commands)", loop: lab.loop)
        try lab.eventually("\(host): '\(command)' ends", within: .seconds(180)) { run.exit != nil }
        return (run.exit ?? .exited(-1), run.output)
    }

    /// The same to a successful end; returns what it said.
    @discardableResult
    func run(_ command: String) throws -> String {
        let (exit, output) = try attempt(command)
        guard exit == .exited(0) else { throw LabFailure.command(["\(host)", command], exit, output) }
        return output
    }

    /// Puts a file of the checkout's fixtures in place.
    func install(_ fixture: String, as path: String) throws {
        try run(
            """
            mkdir -p $(dirname \(path)) && cat >\(path) <<'END'
            \(try lab.lines(of: "\(Guest.repository)/Tests/LabTests/Fixtures/\(fixture)").joined(separator: "\n"))
            END
            """)
    }

    /// What systemd knows of a unit.
    func property(_ name: String, of unit: String) throws -> String {
        String(try run("systemctl show --value -p \(name) \(unit)").dropLast())
    }
}
