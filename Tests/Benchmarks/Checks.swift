// What checking costs: processor time per 1,000 checks, memory by the number of servers, and the time from a server's answer that makes it
// fail to the weight in the kernel. Beside keepalived in the lab (its checker needs IPVS), and ours alone on this machine (`CheckLoad`).
import Configuration
import Glibc
import IPVS
import Netlink
import Platform

/// The benchmark.
struct Checks {
    let rounds: Int

    init(_ options: Options) {
        rounds = options.rounds ?? 1
    }

    func run() throws {
        try Program.script("mkdir -p /run/bench/private; ip link set lo up; sysctl -qw net.core.somaxconn=4096")
        let target = try CheckTarget()
        var costs: [String: [Int: [Double]]] = [:]
        var resident: [Int: [Int: [Double]]] = [:]
        var delays: [Int: [Double]] = [:]
        for _ in 0..<rounds {
            for (index, checker) in Checker.allCases.enumerated() {
                for kind in [CheckKind.tcp, .http] {
                    let cost = try cost(of: checker, kind, target)
                    costs[kind.name, default: [:]][index, default: []].append(cost.processor)
                    if kind == .tcp { resident[Self.few, default: [:]][index, default: []].append(cost.resident) }
                }
                resident[Self.many, default: [:]][index, default: []].append(try memory(of: checker))
                delays[index, default: []] += try reactions(of: checker, target)
            }
        }
        func row(_ what: String, _ unit: String, _ values: [Int: [Double]]?, atMost: Double? = nil) throws {
            try Row(
                table: "checks", what: what, unit: unit, ours: Series(values: values?[1] ?? []),
                peer: Series(values: values?[0] ?? []), moreIsBetter: false, goal: 1, atMost: atMost
            ).emit()
        }
        for kind in [CheckKind.tcp, .http] {
            try row("processor for 1,000 \(kind.name)s", "s, all processes", costs[kind.name])
        }
        for count in [Self.few, Self.many] {
            try row(
                "\(Series.short(Double(count))) servers", "MB resident, checkd / keepalived's checker", resident[count])
        }
        try row("from the reset that fails a server to its weight 0 in the kernel", "ms", delays, atMost: 5)
    }

    private static let few = 1000
    private static let many = 10_000

    private struct Cost {
        /// Seconds for 1,000 checks.
        var processor: Double
        var resident: Double
    }

    private func cost(of checker: Checker, _ kind: CheckKind, _ target: CheckTarget) throws -> Cost {
        // Fifty a second: an emulated processor has to do the servers' part as well.
        let running = try RunningChecker(checker, configuration: kind.configuration(servers: Self.few, seconds: 20))
        // Every server was checked once.
        try eventually("\(checker) checks", within: 120, step: 500) { running.connections > Self.few }
        pause(milliseconds: 3000)
        let (before, answered) = (running.processorTime, running.connections)
        pause(milliseconds: 20_000)
        let checks = running.connections - answered
        guard checks > Self.few * 3 / 4 else {
            throw BenchmarkFailure("\(checker): \(checks) checks in 20 s\n\(running.log)")
        }
        return Cost(
            processor: (running.processorTime - before) * 1000 / Double(checks),
            resident: Program.residentMemory(running.checker))
    }

    private func memory(of checker: Checker) throws -> Double {
        let running = try RunningChecker(
            checker, configuration: CheckKind.tcp.configuration(servers: Self.many, seconds: 60))
        // Ours give pages back ten seconds after the start; both have checked a part of the servers by then.
        try eventually("\(checker) checks", within: 180, step: 500) { running.connections > Self.many / 4 }
        return Program.residentMemory(running.checker)
    }

    /// A server that resets every connection, five times.
    private func reactions(of checker: Checker, _ target: CheckTarget) throws -> [Double] {
        let running = try RunningChecker(checker, configuration: CheckKind.http.configuration(servers: 1, seconds: 1))
        let kernel = IPVSClient(NetlinkClient(try NetlinkSocket(.generic)))
        guard let service = VirtualServerIdentity("tcp/10.99.0.1:80") else { throw BenchmarkFailure("no service") }
        func weight() throws -> Int32? { try kernel.service(service)?.destinations.first?.attributes.weight }
        return try (0..<5).map { _ in
            do {
                try eventually("\(checker) has the server", within: 30, step: 50) { try weight() == 1 }
                pause(milliseconds: .random(in: 1000...2000))
                try target.resetConnections(true)
                try eventually("\(checker) takes the server out", within: 30, step: 1) { try weight() == 0 }
            } catch {
                throw BenchmarkFailure("\(error)\n\(running.log)")
            }
            let seen = seconds
            // The server writes the time down after the reset.
            pause(milliseconds: 500)
            defer { try? target.resetConnections(false) }
            guard let last = target.resets().last(where: { $0 < seen }) else {
                throw BenchmarkFailure("no reset was noted")
            }
            return (seen - last) * 1000
        }
    }
}

/// What is checked.
enum CheckKind {
    case tcp, http

    var name: String { self == .tcp ? "TCP_CHECK" : "HTTP_GET" }

    /// Servers on 127.0.0.0/8, 250 to a service, each asked every so many seconds.
    func configuration(servers: Int, seconds: Int) -> String {
        let check =
            self == .tcp ? "TCP_CHECK {\n  }" : "HTTP_GET {\n   url {\n    path /\n    status_code 200\n   }\n  }"
        var text = ""
        for number in 0..<servers {
            if number % 250 == 0 {
                text +=
                    (number > 0 ? "}\n" : "")
                    + "virtual_server 10.99.0.\(1 + number / 250) 80 {\n lb_algo wrr\n lb_kind NAT\n"
                text += " protocol TCP\n delay_loop \(seconds)\n retry 1\n delay_before_retry 1\n inhibit_on_failure\n"
            }
            text +=
                " real_server 127.1.\(number / 250).\(1 + number % 250) \(CheckTarget.port) {\n  weight 1\n  \(check)\n }\n"
        }
        return text + "}\n"
    }
}

enum Checker: CaseIterable {
    case keepalived, checkd
}

/// keepalived, or busd, ipvsd and checkd, on a configuration; ended when released.
final class RunningChecker {
    private let programs: [Program]
    private let opens = Program.acceptedConnections()

    init(_ checker: Checker, configuration: String) throws {
        try Program.script(
            "ipvsadm -C; rm -rf /run/bench/state /run/bench/*.pid /run/bench/log; mkdir /run/bench/state")
        try FileSystem.replace("/run/bench/conf", with: Array(configuration.utf8), durable: false)
        switch checker {
        case .keepalived:
            let files = ["-f", "/run/bench/conf", "-p", "/run/bench/k.pid", "-c", "/run/bench/c.pid"]
            programs = [try Program(["/usr/sbin/keepalived", "-C", "-n", "-l", "-G"] + files, log: "/run/bench/log")]
        case .checkd:
            let options = ["--config", "/run/bench/conf", "--run-dir", "/run/bench", "--state-dir", "/run/bench/state"]
            programs = try ["busd", "ipvsd", "checkd"].map {
                try Program(["\(Options.programs)/\($0)"] + options, log: "/run/bench/log")
            }
        }
    }

    deinit { for program in programs.reversed() { program.stop() } }

    var log: String { String(contents("/run/bench/log").suffix(2000)) }
    var processorTime: Double { programs.map(\.processorTime).reduce(0, +) }
    /// The process that checks.
    var checker: Int32 { programs.last?.processes.last ?? 0 }
    /// Connections that servers of this network namespace accepted since the start: checks that got through.
    var connections: Int { Program.acceptedConnections() - opens }
}
