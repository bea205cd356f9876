// The lab guest as a test sees it: one event loop that plays servers and clients and does all waiting.
//
// A test is synchronous: it starts things, then calls `eventually` or `observe`, which run the loop. So nothing here needs
// a lock, and no wait is a guess: each has a condition and a deadline. The guest pays 35 ms for a fork and 0.1 ms for a
// system call.
import Glibc
import Net
import Platform
import Testing

/// How deploy/lab/boot started this guest, if it did: everything in this target needs its kernel and its uid 0.
private let kind = getenv("EVENKEEL_LAB").map { String(cString: $0) }
/// In the bare guest, where the test is alone.
let inTheLab = kind == "bare"
/// The same with Debian's ordinary kernel, which has what user-mode Linux has not (`deploy/lab/boot --emulated`).
let inEmulatedLab = inTheLab && getenv("EVENKEEL_LAB_EMULATED") != nil
/// In the guest that runs systemd with Evenkeel installed.
let underSystemd = kind == "systemd"

/// What a test of the lab can fail with, besides its expectations.
enum LabFailure: Error, CustomStringConvertible {
    /// The condition did not come true in time.
    case timedOut(String, after: Duration, logs: String)
    /// A command of the set-up failed, and what it said.
    case command([String], ChildExit, String)

    var description: String {
        switch self {
        case .timedOut(let what, let limit, let logs): "not within \(limit): \(what)\n\(logs)"
        case .command(let arguments, let exit, let output): "\(arguments.joined(separator: " ")): \(exit)\n\(output)"
        }
    }
}

class Guest {
    let loop: EventLoop
    /// Logs, configurations, sockets and states of this test.
    let directory: String
    /// Who can say what the programs of this test have said, for the message of a wait in vain. They are not held: a program ends with
    /// its test.
    private var speakers: [() -> String?] = []
    private var commands = 0

    init() throws {
        loop = try EventLoop()
        var template = Array("/tmp/lab-XXXXXX".utf8CString)
        directory = String(cString: try #require(mkdtemp(&template)))
    }

    /// The checkout that this file was compiled from.
    static let repository = #filePath.split(separator: "/").dropLast(4).reduce(into: "") { $0 += "/" + $1 }

    /// The lines of a file of the checkout.
    func lines(of path: String) throws -> [String] {
        String(decoding: try FileSystem.contents(of: path, limit: 1 << 20) ?? [], as: UTF8.self)
            .split(separator: "\n").map(String.init)
    }

    /// Has `logs` of `speaker` in the message of every wait in vain.
    func quote<Speaker: AnyObject>(_ speaker: Speaker, _ logs: @escaping (Speaker) -> String) {
        speakers.append { [weak speaker] in speaker.map(logs) }
    }

    /// Runs a command to its successful end and returns what it said.
    @discardableResult
    func run(_ arguments: [String], on host: Host? = nil) throws -> String {
        commands += 1
        let program = try Program(arguments, on: host, log: "\(directory)/command-\(commands)", loop: loop)
        try eventually("\(arguments) ends", within: .seconds(20)) { program.exit != nil }
        guard let exit = program.exit, exit != .exited(0) else { return program.output }
        throw LabFailure.command(arguments, exit, program.output)
    }

    /// Runs the loop until `condition` holds, looking every 5 ms. Returns how long that took.
    @discardableResult
    func eventually(_ what: String, within limit: Duration, _ condition: () throws -> Bool) throws -> Duration {
        let start = loop.refreshNow()
        while !(try condition()) {
            guard loop.now - start < limit else {
                let logs = speakers.compactMap { $0() }.joined(separator: "\n")
                throw LabFailure.timedOut(what, after: limit, logs: logs)
            }
            try loop.turn(timeoutMilliseconds: 5)
        }
        return loop.refreshNow() - start
    }

    /// Runs the loop for `time`, and has `look` see every moment of it at 5 ms distance.
    func observe(for time: Duration, _ look: () throws -> Void = {}) throws {
        let end = loop.refreshNow() + time
        while loop.now < end {
            try look()
            try loop.turn(timeoutMilliseconds: 5)
        }
    }
}
