// What a running program has cost so far: processor time and memory out of /proc, system calls counted by strace.
import CLinux
import Glibc
import Platform

extension Program {
    /// Seconds of processor, to the nanosecond, that all threads of this process and of its children have used; without children that have ended.
    var processorTime: Double { processes.map(Self.processorTime).reduce(0, +) }

    /// This process and its children.
    var processes: [Int32] {
        let children = contents("/proc/\(pid)/task/\(pid)/children").split(separator: " ").compactMap { Int32($0) }
        return [pid] + children
    }

    /// Of one process: /proc/PID/task/TID/schedstat counts a thread, stat only ticks.
    static func processorTime(_ process: Int32) -> Double {
        guard let directory = opendir("/proc/\(process)/task") else { return .nan }
        defer { closedir(directory) }
        var sum = 0.0
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { $0.prefix { $0 != 0 }.map(\.self) }
            guard let thread = Int32(String(decoding: name, as: UTF8.self)) else { continue }
            let words = contents("/proc/\(process)/task/\(thread)/schedstat").split(separator: " ")
            sum += (words.first.flatMap { Double($0) } ?? 0) / 1e9
        }
        return sum
    }

    /// VmRSS in MB of 1024² octets.
    static func residentMemory(_ process: Int32) -> Double {
        let line = contents("/proc/\(process)/status").split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return (line?.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? .nan) / 1024
    }

    /// Connections that the servers of a process's network namespace accepted since it was made.
    static func acceptedConnections(inNetworkOf process: String = "self") -> Int {
        let lines = contents("/proc/\(process)/net/snmp").split(separator: "\n").filter { $0.hasPrefix("Tcp:") }
        let words = lines.map { $0.split(separator: " ") }
        guard words.count == 2, let column = words[0].firstIndex(of: "PassiveOpens") else { return 0 }
        return Int(words[1][column]) ?? 0
    }
}

/// A program whose system calls, with its children's, are counted.
struct CountedProgram {
    private let program: Program
    private static let table = "/run/bench/strace"

    init(_ arguments: [String]) throws {
        unlink(Self.table)
        // -I 2: a signal to strace ends it, also when it started the program.
        program = try Program(
            ["/usr/bin/strace", "-I", "2", "-f", "-c", "-o", Self.table] + arguments, log: "/run/bench/log")
    }

    /// Waits for the program's end: its exit status.
    func wait() -> Int32 { program.wait() }

    /// Ends the program, if it runs, and counts.
    func calls() throws -> Double {
        program.stop()
        kill(-program.pid, SIGKILL)
        let total = contents(Self.table).split(separator: "\n").last { $0.hasSuffix("total") }
        let words = total?.split(separator: " ") ?? []
        guard words.count >= 4, let calls = Double(words[3]) else {
            throw BenchmarkFailure("strace counted nothing:\n\(contents(Self.table))\(contents("/run/bench/log"))")
        }
        return calls
    }
}

/// A network namespace without anything in it, entered by this thread and what it starts until it is released. The kernel keeps servers that
/// were removed from a table for two minutes and looks through them for each one that is added: a table that was emptied is no empty table.
final class FreshNetwork {
    private let previous: Int32
    private static let name = "bn-fresh"

    init() throws {
        // Without loopback there is no route to any server.
        try Program.script("ip netns add \(Self.name); ip -n \(Self.name) link set lo up")
        previous = try Errno.check(ek_netns_enter("/run/netns/" + Self.name), "setns")
    }

    deinit {
        ek_netns_leave(previous)
        try? Program.script("ip netns delete \(Self.name)")
    }
}
