// A process of the lab in one host's namespace (or in the guest's own), its output in a file, ended by its own pid.
import Glibc
import Net
import Platform

final class Program {
    /// What every process of the lab is started with.
    static let environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"]

    /// Where `swift build` left the daemons.
    static let directory =
        getenv("EVENKEEL_PROGRAMS").map { String(cString: $0) } ?? Guest.repository + "/.build/debug"

    let log: String
    private(set) var exit: ChildExit?
    private var child: ChildProcess?

    /// Starts `arguments` (the program's path first) on one of the cluster's hosts; output is appended to `log`.
    convenience init(_ arguments: [String], on host: Host?, log: String, loop: EventLoop) throws {
        try self.init(arguments, in: host?.rawValue, log: log, loop: loop)
    }

    /// The same in any network namespace that has a name.
    init(_ arguments: [String], in namespace: String?, log: String, loop: EventLoop) throws {
        self.log = log
        // The shell replaces itself, so the pid is the program's; the namespace is inherited.
        let script = #"log=$1; shift; exec "$@" >>"$log" 2>&1"#
        let start = {
            try ChildProcess(
                ["/bin/sh", "-c", script, "lab", log] + arguments, environment: Self.environment, on: loop
            ) { [weak self] in self?.exit = $0 }
        }
        child = try namespace.map { try NetworkNamespace.inside("/run/netns/\($0)", start) } ?? start()
    }

    deinit { if exit == nil { child?.signal(SIGKILL) } }

    func signal(_ number: Int32) { child?.signal(number) }

    /// What it has said so far.
    var output: String {
        let bytes = (try? FileSystem.contents(of: log, limit: 1 << 24)) ?? nil
        return String(decoding: bytes ?? [], as: UTF8.self)
    }
}
