// The published DR cluster in network namespaces, and one event loop that plays its web servers and clients and waits.
//
// A test is synchronous: it starts things, then calls `eventually` or `observe`, which run the loop. So nothing here needs
// a lock, and no wait is a guess: each has a condition and a deadline. The guest pays 35 ms for a fork and 0.1 ms for a
// system call, so states are read from /proc and through sockets, not by running programs.
import CLinux
import Glibc
import Net
import Platform
import Testing

/// True in the guest that deploy/lab/boot starts. Everything in this target needs its kernel and its uid 0.
let inTheLab = getenv("EVENKEEL_LAB") != nil

/// The hosts that deploy/lab/dr-cluster makes.
enum Host: String, CaseIterable {
    case client, director1, director2, web1, web2

    var address: String {
        switch self {
        case .client: "192.168.200.200"
        case .director1: "192.168.200.101"
        case .director2: "192.168.200.102"
        case .web1: "192.168.200.103"
        case .web2: "192.168.200.104"
        }
    }

    /// Does `body` with this thread in the host's network namespace.
    func inside<Result>(_ body: () throws -> Result) throws -> Result {
        try Errno.check(ek_netns_enter("/run/netns/\(rawValue)"), "setns")
        defer { _ = ek_netns_enter("/proc/1/ns/net") }
        return try body()
    }
}

/// What a test of the lab can fail with, besides its expectations.
enum LabFailure: Error, CustomStringConvertible {
    /// The condition did not come true in time.
    case timedOut(String, after: Duration)
    /// A command of the set-up failed.
    case command([String], ChildExit)

    var description: String {
        switch self {
        case .timedOut(let what, let limit): "not within \(limit): \(what)"
        case .command(let arguments, let exit): "\(arguments.joined(separator: " ")): \(exit)"
        }
    }
}

/// The virtual address of both configurations.
let virtualAddress = "192.168.200.254"

/// The cluster's network, and time.
final class Lab {
    let loop: EventLoop
    /// Logs, configurations, sockets and states of this test.
    let directory: String

    /// Builds the network anew.
    init() throws {
        loop = try EventLoop()
        var template = Array("/tmp/lab-XXXXXX".utf8CString)
        directory = String(cString: try #require(mkdtemp(&template)))
        try run(["/bin/bash", Self.repository + "/deploy/lab/dr-cluster", "anew"])
    }

    /// The checkout that this file was compiled from.
    static let repository = #filePath.split(separator: "/").dropLast(4).reduce(into: "") { $0 += "/" + $1 }

    /// Runs a command of the set-up to its successful end.
    func run(_ arguments: [String], on host: Host? = nil) throws {
        var ended: ChildExit?
        let prefix = host.map { ["/sbin/ip", "netns", "exec", $0.rawValue] } ?? []
        let child = try ChildProcess(prefix + arguments, environment: Program.environment, on: loop) { ended = $0 }
        try eventually("\(arguments) ends", within: .seconds(20)) { ended != nil }
        withExtendedLifetime(child) {}
        guard let ended, ended != .exited(0) else { return }
        throw LabFailure.command(arguments, ended)
    }

    /// Runs the loop until `condition` holds, looking every 5 ms. Returns how long that took.
    @discardableResult
    func eventually(_ what: String, within limit: Duration, _ condition: () throws -> Bool) throws -> Duration {
        let start = loop.refreshNow()
        while !(try condition()) {
            guard loop.now - start < limit else { throw LabFailure.timedOut(what, after: limit) }
            try loop.turn(timeoutMilliseconds: 5)
        }
        return loop.refreshNow() - start
    }

    /// Runs the loop for `time`, and has `look` see every moment of it at 5 ms distance.
    func observe(for time: Duration, _ look: () throws -> Void) throws {
        let end = loop.refreshNow() + time
        while loop.now < end {
            try look()
            try loop.turn(timeoutMilliseconds: 5)
        }
    }

    /// Pulls or plugs a host's cable.
    func link(of host: Host, up: Bool) throws {
        try run(["/sbin/ip", "link", "set", "port-\(host.rawValue)", up ? "up" : "down"])
    }

    /// The directors that hold the virtual address: only a local address can be bound.
    func holders() throws -> [Host] {
        try [Host.director1, .director2].filter { host in
            try host.inside {
                let socket = FileDescriptor(owning: try TCP.socket(SOCK_DGRAM))
                return TCP.withAddress(virtualAddress, 0) { bind(socket.number, $0, $1) } == 0
            }
        }
    }

    /// The lines of the host's IPVS table, as `ipvsadm -Ln` orders them but in the kernel's hexadecimal words.
    func table(of host: Host) throws -> [String] {
        let content = try host.inside { try FileSystem.contents(of: "/proc/thread-self/net/ip_vs", limit: 1 << 20) }
        return KernelTable.lines(String(decoding: content ?? [], as: UTF8.self))
    }

    /// How many connections each line of the host's table has scheduled: a line that was removed and added again is at 0.
    func connections(of host: Host) throws -> [String: Int] {
        let file = directory + "/stats"
        try run(["/bin/bash", "-c", "ipvsadm -Ln --stats --exact >\(file)"], on: host)
        let text = String(decoding: try FileSystem.contents(of: file, limit: 1 << 20) ?? [], as: UTF8.self)
        var result: [String: Int] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 7, let count = Int(words[2]) else { continue }
            result["\(words[0]) \(words[1])"] = count
        }
        return result
    }
}
