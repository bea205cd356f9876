// Processes and small waits, without an event loop: a benchmark does one thing at a time.
import CLinux
import Glibc
import Platform

/// A process under measurement, in a namespace or not, its output in a file. Ended with its whole group when released.
final class Program {
    let pid: Int32
    private var ended: Int32?

    /// Starts `arguments` (a path first). `ip netns exec` and the shell replace themselves: the pid is the program's own.
    init(_ arguments: [String], namespace: String? = nil, log: String = "/dev/null") throws {
        let prefix = namespace.map { ["ip", "netns", "exec", $0] } ?? []
        let script = "log=$1; shift; exec \"$@\" >>\"$log\" 2>&1"
        let words = ["/bin/sh", "-c", script, "bench", log] + prefix + arguments
        var pointers = words.map { strdup($0) } + [nil]
        var environment = [
            strdup("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"), strdup("LANG=C"), nil,
        ]
        defer { for pointer in pointers + environment { free(pointer) } }
        pid = try Errno.check(ek_spawn(&pointers, &environment, .max, .max), "spawn")
    }

    deinit { end() }

    /// Kills the process and everything in its group at once, as a crash of the machine would, and waits for its end.
    func end() {
        guard ended == nil else { return }
        kill(-pid, SIGKILL)
        kill(pid, SIGKILL)
        wait()
    }

    /// Asks it to stop and waits, for peers that tidy up after themselves.
    func stop() {
        guard ended == nil else { return }
        kill(pid, SIGTERM)
        wait()
    }

    /// Waits for its end: its exit status, or 256 + the signal.
    @discardableResult
    func wait() -> Int32 {
        var status: Int32 = 0
        while ended == nil {
            let result = ek_reap(pid, &status)
            if result == 0 { pause(milliseconds: 0.2) } else { ended = result == 1 ? status : -1 }
        }
        return ended ?? -1
    }

    /// Runs a command to its successful end.
    static func run(_ arguments: [String], namespace: String? = nil) throws {
        let status = try Program(arguments, namespace: namespace, log: "/dev/stderr").wait()
        guard status == 0 else { throw BenchmarkFailure("\(arguments.joined(separator: " ")): status \(status)") }
    }

    /// Runs lines of a shell script, stopping at the first that fails.
    static func script(_ text: String) throws {
        try run(["/bin/bash", "-euc", text])
    }
}

/// Sleeps.
func pause(milliseconds: Double) {
    usleep(UInt32(milliseconds * 1000))
}

/// CLOCK_MONOTONIC in seconds.
var seconds: Double { Double(ek_monotonic_ns()) / 1e9 }

/// Looks every `step` milliseconds until `condition` holds; how long that took, in seconds.
@discardableResult
func eventually(
    _ what: String, within limit: Double, step: Double = 2, _ condition: () throws -> Bool
) throws -> Double {
    let start = seconds
    while !(try condition()) {
        guard seconds - start < limit else { throw BenchmarkFailure("not within \(Series.short(limit)) s: \(what)") }
        pause(milliseconds: step)
    }
    return seconds - start
}

/// A text file, empty when it cannot be read.
func contents(_ path: String) -> String {
    let bytes = (try? FileSystem.contents(of: path, limit: 1 << 28)) ?? nil
    return String(decoding: bytes ?? [], as: UTF8.self)
}
