// Resident memory of all processes of a director on the published dr-cluster configuration, after the start has settled:
// RSS counts what several processes share in each of them, PSS divides it among them, so only PSS may be summed.
import Glibc
import Platform

/// The benchmark. In the lab: keepalived's checker child ends at once where there is no IPVS.
struct Memory {
    let rounds: Int

    init(_ options: Options) {
        rounds = options.rounds ?? 3
    }

    private struct Sizes {
        var rss = 0.0
        var pss = 0.0
    }

    func run() throws {
        try Program.script(
            """
            ip link add eth0 type veth peer name peer0
            ip address add 192.168.200.101/24 dev eth0
            ip link set peer0 up
            ip link set eth0 up
            mkdir -p /run/bench/private /run/bench-state
            """)
        var ours: [String: [Sizes]] = [:]
        var theirs: [Sizes] = []
        for _ in 0..<rounds {
            theirs.append(try keepalived())
            for (name, sizes) in try evenkeel() { ours[name, default: []].append(sizes) }
        }
        func row(_ what: String, _ ours: [Sizes], _ peer: [Sizes]?, _ size: KeyPath<Sizes, Double>, goal: Double?)
            throws
        {
            try Row(
                table: "memory", what: what, unit: "MB", ours: Series(values: ours.map { $0[keyPath: size] }),
                peer: peer.map { Series(values: $0.map { $0[keyPath: size] }) }, moreIsBetter: false, goal: goal
            ).emit()
        }
        try row("PSS, all processes, 8 s after the start", ours["early"] ?? [], theirs, \.pss, goal: 1)
        try row("PSS, all processes, 15 s after the start", ours["total"] ?? [], theirs, \.pss, goal: 1)
        try row("RSS, all processes added up", ours["total"] ?? [], theirs, \.rss, goal: nil)
        for daemon in Self.daemons {
            try row("PSS of \(daemon)", ours[daemon] ?? [], nil, \.pss, goal: nil)
            try row("RSS of \(daemon)", ours[daemon] ?? [], nil, \.rss, goal: nil)
        }
    }

    private static let daemons = ["busd", "vrrpd", "ipvsd", "checkd"]
    private static let configuration = "Tests/LabTests/Fixtures/master.conf"
    /// Before the daemons give pages back for the second time (10 s after their start, `Footprint`).
    private static let early = 8_000.0
    /// After that.
    private static let settling = 15_000.0

    private func keepalived() throws -> Sizes {
        let program = try Program(
            [
                "keepalived", "-n", "-l", "-f", Self.configuration, "-p", "/run/k.pid", "-r", "/run/v.pid", "-c",
                "/run/c.pid",
            ])
        pause(milliseconds: Self.settling)
        var sum = Sizes()
        for file in ["k", "v", "c"] {
            let pid = contents("/run/\(file).pid").prefix { $0.isNumber }
            let sizes = Self.sizes(String(pid))
            guard sizes.pss > 0 else { throw BenchmarkFailure("keepalived's process \(file).pid is not running") }
            sum.rss += sizes.rss
            sum.pss += sizes.pss
        }
        program.stop()
        return sum
    }

    private func evenkeel() throws -> [String: Sizes] {
        let options = ["--config", Self.configuration, "--run-dir", "/run/bench", "--state-dir", "/run/bench-state"]
        let programs = try Self.daemons.map { name in
            (name, try Program(["\(Options.programs)/\(name)"] + options, log: "/run/bench/\(name).log"))
        }
        pause(milliseconds: Self.early)
        var found = ["total": Sizes(), "early": Sizes()]
        for (_, program) in programs {
            let sizes = Self.sizes(String(program.pid))
            found["early"]?.rss += sizes.rss
            found["early"]?.pss += sizes.pss
        }
        pause(milliseconds: Self.settling - Self.early)
        for (name, program) in programs {
            let sizes = Self.sizes(String(program.pid))
            guard sizes.pss > 0 else {
                throw BenchmarkFailure("\(name) is not running:\n\(contents("/run/bench/\(name).log"))")
            }
            found[name] = sizes
            found["total"]?.rss += sizes.rss
            found["total"]?.pss += sizes.pss
        }
        for (_, program) in programs.reversed() { program.stop() }
        return found
    }

    /// From smaps_rollup, in MB of 1024² octets.
    private static func sizes(_ pid: String) -> Sizes {
        var sizes = Sizes()
        for line in contents("/proc/\(pid)/smaps_rollup").split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 3, let kilobytes = Double(words[1]) else { continue }
            if words[0] == "Rss:" { sizes.rss = kilobytes / 1024 }
            if words[0] == "Pss:" { sizes.pss = kilobytes / 1024 }
        }
        return sizes
    }
}
