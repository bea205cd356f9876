// The real busd on sockets of its own in a temporary directory, for one test.
import Bus
import Foundation
import Glibc
import Net
import Platform
import Synchronization
import Varlink

/// What a test waits for did not happen.
struct Missing: Error, CustomStringConvertible {
    let description: String
}

/// A running busd. Ended and removed when released.
final class BusProgram {
    let directory: String
    private(set) var process = Process()
    private let hasOwnAccounts: Bool
    private let descriptors: Int?
    private let logLevel: String

    var socket: String { directory + "/bus.sock" }
    /// The daemons' own.
    var privateSocket: String { directory + "/private/bus.sock" }
    var pid: Int32 { process.processIdentifier }
    /// What busd has said.
    var log: String { (try? String(contentsOfFile: directory + "/log", encoding: .utf8)) ?? "" }
    /// The options of a daemon on this bus.
    func options() throws -> DaemonOptions {
        let arguments = ["--run-dir", directory, "--state-dir", directory]
        let program = ProgramDescription(name: "test", summary: "")
        guard case .run(let options) = DaemonOptions.parse(arguments, for: program, exists: { _ in false }) else {
            throw Missing(description: "options are refused")
        }
        return options
    }

    /// `people`: busd knows the users of `Person`. Everybody may then make sockets in its private directory. `descriptors`: how many it may
    /// have open; as many as this process where nothing is said.
    init(people: Bool = false, descriptors: Int? = nil, logLevel: String = "warning") throws {
        self.logLevel = logLevel
        hasOwnAccounts = people
        self.descriptors = descriptors
        directory = NSTemporaryDirectory() + "/bus-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: directory + "/private", withIntermediateDirectories: true)
        if people {
            try Person.writeAccounts(in: directory)
            chmod(directory + "/private", 0o1777)
        }
        try start()
    }

    /// Octets resident.
    func residentOctets() throws -> Int {
        let fields = try String(contentsOfFile: "/proc/\(pid)/statm", encoding: .utf8).split(separator: " ")
        return (Int(fields[1]) ?? 0) * Int(getpagesize())
    }

    deinit {
        kill(SIGKILL)
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// The program built beside the test bundle, or the one in $EVENKEEL_PROGRAMS.
    static func path(of program: String) throws -> String {
        if let other = ProcessInfo.processInfo.environment["EVENKEEL_PROGRAMS"] { return other + "/" + program }
        let bundle = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let path = (bundle as NSString).deletingLastPathComponent + "/" + program
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw Missing(description: "\(path) is missing: swift build --product \(program)")
        }
        return path
    }

    /// Starts busd (again) and waits until it answers.
    func start() throws {
        process = Process()
        let limit = descriptors.map { ["/usr/bin/prlimit", "--nofile=\($0):\($0)"] } ?? []
        let program = limit + [try Self.path(of: "busd"), "--run-dir", directory, "--log-level", logLevel]
        let disguise = """
            mount --bind "$0/passwd" /etc/passwd; mount --bind "$0/group" /etc/group; exec "$@"
            """
        let command =
            hasOwnAccounts ? ["/usr/bin/unshare", "-m", "/bin/sh", "-c", disguise, directory] + program : program
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        _ = FileManager.default.createFile(atPath: directory + "/log", contents: nil)
        process.standardError = FileHandle(forWritingAtPath: directory + "/log")
        try process.run()
        try eventually("busd answers") { (try? BusClient(path: socket)) != nil }
        try eventually("busd answers the daemons") { (try? UnixSocket.connect(to: privateSocket)) != nil }
    }

    /// Sends a signal and waits for the end.
    @discardableResult
    func kill(_ signal: Int32) -> Int32 {
        guard process.isRunning else { return process.terminationStatus }
        Glibc.kill(process.processIdentifier, signal)
        process.waitUntilExit()
        return process.terminationStatus
    }

    func client() throws -> BusClient { try BusClient(path: socket) }

    /// A connected socket for octets of one's own.
    func rawConnection() throws -> RawConnection { try RawConnection(path: socket) }
}

/// Tries again until `condition` holds, for at most ten seconds.
func eventually(_ what: String, _ condition: () throws -> Bool) throws {
    let deadline = SystemClock.now + .seconds(10)
    while try !condition() {
        guard SystemClock.now < deadline else { throw Missing(description: "not within 10 s: \(what)") }
        usleep(2000)
    }
}

/// A blocking socket without any idea of Varlink; reads give up after ten seconds.
final class RawConnection {
    private let descriptor: FileDescriptor
    private var input: [UInt8] = []

    init(path: String) throws {
        descriptor = try UnixSocket.connect(to: path, blocking: true)
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor.number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor.number, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    func send(_ text: String) throws { try send(Array(text.utf8) + [0]) }

    func send(_ octets: [UInt8]) throws {
        var rest = octets[...]
        while !rest.isEmpty {
            let written = try rest.withUnsafeBytes { try descriptor.write($0) }
            rest = rest.dropFirst(written)
        }
    }

    /// Tells the peer that nothing more comes.
    func finish() { shutdown(descriptor.number, Int32(SHUT_WR)) }

    /// The next message; nil at the end of the stream.
    func message() throws -> String? {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            if let end = input.firstIndex(of: 0) {
                defer { input.removeFirst(end + 1) }
                return String(decoding: input[..<end], as: UTF8.self)
            }
            let count: Int
            do { count = try chunk.withUnsafeMutableBytes { try descriptor.read(into: $0) } } catch let error as Errno {
                guard error.code == ECONNRESET else { throw error }
                return nil
            }
            guard count > 0 else { return nil }
            input += chunk[..<count]
        }
    }
}

/// Runs a Python module and returns its output and exit status.
func python(_ arguments: [String]) throws -> (output: String, status: Int32) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3"] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    if output.contains("No module named") {
        throw Missing(
            description: "python3 lacks the varlink package; install it: pip install varlink==31.0.0\n\(output)")
    }
    return (output, process.terminationStatus)
}

extension EventLoop {
    /// Runs `work` on a thread of its own and this loop until it is done.
    func run<Value: Sendable>(during work: @escaping @Sendable () throws -> Value) throws -> Value {
        let outcome = Outcome<Value>()
        let thread = Thread {
            let result = Result { try work() }
            outcome.result.withLock { $0 = result }
        }
        thread.stackSize = 4 << 20
        thread.start()
        let deadline = SystemClock.now + .seconds(60)
        while true {
            if let result = outcome.result.withLock({ $0 }) { return try result.get() }
            guard SystemClock.now < deadline else { throw Missing(description: "the test's thread does not end") }
            try turn(timeoutMilliseconds: 5)
        }
    }

    /// Runs this loop until `condition` holds, for at most ten seconds.
    func run(until what: String, _ condition: () throws -> Bool) throws {
        let deadline = SystemClock.now + .seconds(10)
        while try !condition() {
            guard SystemClock.now < deadline else { throw Missing(description: "not within 10 s: \(what)") }
            try turn(timeoutMilliseconds: 5)
        }
    }
}

private final class Outcome<Value: Sendable>: Sendable {
    let result = Mutex<Result<Value, any Error>?>(nil)
}
