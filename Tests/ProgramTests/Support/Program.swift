// A program under test: one process, in one host's namespace or in this process's own, its log in a file, ended by its own pid.

import Glibc
import Net
import Platform

/// A running program.
final class Program {
    /// What every process is started with.
    static let environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"]

    /// Where the programs are: $EVENKEEL_PROGRAMS, else beside the test bundle.
    static let directory: String = {
        if let given = getenv("EVENKEEL_PROGRAMS") { return String(cString: given) }
        return #filePath.split(separator: "/").dropLast(4).reduce(into: "") { $0 += "/" + $1 } + "/.build/debug"
    }()

    private let log: String
    private(set) var exit: ChildExit?
    private var child: ChildProcess?

    /// Starts `arguments` (the program's path first) on `host`, or (nil) where the tests run; output is appended to `log`, which may also
    /// be a FIFO that somebody has opened.
    init(_ arguments: [String], on host: Host?, log: String, loop: EventLoop) throws {
        self.log = log
        // bash and ip replace themselves, so the pid is the program's.
        let prefix = host.map { "ip netns exec \($0.namespace) " } ?? ""
        let script = "log=$1; shift; exec \(prefix)\"$@\" >>\"$log\" 2>&1"
        child = try ChildProcess(
            ["/bin/bash", "-c", script, "program", log] + arguments, environment: Self.environment, on: loop
        ) { [weak self] in self?.exit = $0 }
    }

    deinit { if exit == nil { child?.signal(SIGKILL) } }

    /// The process.
    var pid: pid_t? { child?.pid }

    /// Signals the program and its children.
    func signal(_ number: Int32) { child?.signal(number) }

    /// What it has said so far.
    var output: String {
        let bytes = (try? FileSystem.contents(of: log, limit: 1 << 24)) ?? nil
        return String(decoding: bytes ?? [], as: UTF8.self)
    }
}
