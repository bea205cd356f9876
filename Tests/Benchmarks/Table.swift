// Daemons and the kernel's table: from their start to the full table, a reload that changes one weight, their stop. In the lab.
import Configuration
import Glibc
import IPVS
import Netlink
import Platform

/// The benchmark.
struct Table {
    let rounds: Int

    init(_ options: Options) {
        rounds = options.rounds ?? 3
    }

    func run() throws {
        try Program.script("rm -rf /run/bench; mkdir -p /run/bench/private /run/bench/state")
        let many = TableSize(services: 1000, servers: 10)
        try measure(many, rounds)
        let calls = try Daemon.allCases.map { try systemCalls(of: $0, many) }
        try Row(
            table: "table", what: "\(many): start to the full table", unit: "system calls",
            ours: Series(values: [calls[1]]), peer: Series(values: [calls[0]]), moreIsBetter: false, goal: 1
        ).emit()
        // Once: the kernel looks through a service's servers for each that is added, which takes most of the time of both.
        try measure(TableSize(services: 1, servers: 10_000), 1)
    }

    private func measure(_ size: TableSize, _ rounds: Int) throws {
        var seen: [Daemon: [Figures]] = [:]
        for _ in 0..<rounds {
            for daemon in Daemon.allCases { seen[daemon, default: []].append(try life(of: daemon, size)) }
        }
        func row(_ what: String, _ unit: String, goal: Double, _ value: KeyPath<Figures, Double>) throws {
            func series(_ daemon: Daemon) -> Series { Series(values: (seen[daemon] ?? []).map { $0[keyPath: value] }) }
            try Row(
                table: "table", what: "\(size): \(what)", unit: unit, ours: series(.ipvsd), peer: series(.keepalived),
                moreIsBetter: false, goal: goal
            ).emit()
        }
        try row("start to the full table", "s", goal: 3, \.start)
        try row("processor meanwhile", "s", goal: 3, \.startProcessor)
        try row("reload with one changed weight, until the kernel has it", "s", goal: 1, \.reload)
        try row("processor of that reload", "s", goal: 1, \.reloadProcessor)
        try row("stop with `lvs_flush_on_stop`", "s", goal: 1, \.stop)
    }

    private enum Daemon: CaseIterable {
        case keepalived, ipvsd

        /// With its options.
        var command: [String] {
            switch self {
            case .keepalived:
                [
                    "/usr/sbin/keepalived", "-C", "-n", "-l", "-G", "-f", "/run/bench/conf", "-p", "/run/bench/k.pid",
                    "-c",
                    "/run/bench/c.pid",
                ]
            case .ipvsd:
                [
                    "\(Options.programs)/ipvsd", "--config", "/run/bench/conf", "--run-dir", "/run/bench",
                    "--state-dir",
                    "/run/bench/state",
                ]
            }
        }
    }

    /// All in seconds; "processor" is the time of all threads of all of a program's processes.
    private struct Figures {
        var start = 0.0
        var startProcessor = 0.0
        var reload = 0.0
        var reloadProcessor = 0.0
        var stop = 0.0
    }

    private func life(of daemon: Daemon, _ size: TableSize) throws -> Figures {
        let network = try FreshNetwork()
        defer { withExtendedLifetime(network) {} }
        try prepare(size)
        let watch = try KernelWatch(size)
        var figures = Figures()
        let begin = seconds
        let program = try Program(daemon.command, log: "/run/bench/log")
        try filled(by: daemon, watch)
        figures.start = seconds - begin
        figures.startProcessor = program.processorTime
        // Whatever follows the start (statistics, a first comparison) is not the reload's.
        pause(milliseconds: 3000)

        let before = program.processorTime
        try size.write(lastWeight: 2)
        let reload = seconds
        kill(program.pid, SIGHUP)
        try eventually("\(daemon) sets the weight", within: 60, step: watch.step) { try watch.lastWeight() == 2 }
        figures.reload = seconds - reload
        // What the daemon does after the kernel has the weight belongs to the reload too.
        pause(milliseconds: 2000)
        figures.reloadProcessor = program.processorTime - before

        let stop = seconds
        program.stop()
        figures.stop = seconds - stop
        guard contents("/proc/net/ip_vs").split(separator: "\n").count == 3 else {
            throw BenchmarkFailure("\(daemon) left a table behind:\n\(contents("/run/bench/log"))")
        }
        return figures
    }

    private func filled(by daemon: Daemon, _ watch: KernelWatch) throws {
        do {
            try eventually("\(daemon) fills the table", within: 240, step: watch.step) { try watch.isFull() }
        } catch {
            throw BenchmarkFailure("\(error)\n\(contents("/run/bench/log"))")
        }
    }

    /// Counted in a run of its own, which takes longer for the counting.
    private func systemCalls(of daemon: Daemon, _ size: TableSize) throws -> Double {
        let network = try FreshNetwork()
        defer { withExtendedLifetime(network) {} }
        try prepare(size)
        let watch = try KernelWatch(size)
        let program = try CountedProgram(daemon.command)
        try filled(by: daemon, watch)
        return try program.calls()
    }

    private func prepare(_ size: TableSize) throws {
        try Program.script("rm -rf /run/bench/state /run/bench/*.pid /run/bench/log; mkdir /run/bench/state")
        try size.write(lastWeight: 1)
    }
}

/// A configuration of so many services with so many servers each.
struct TableSize: CustomStringConvertible {
    let services: Int
    let servers: Int

    var description: String { "\(services) × \(servers)" }

    static func address(_ network: Int, _ number: Int) -> String {
        "10.\(network + number / 62_500).\(number / 250 % 250).\(number % 250 + 1)"
    }

    /// The last service's name.
    var last: VirtualServerIdentity? { VirtualServerIdentity("tcp/\(Self.address(1, services - 1)):80") }

    /// To /run/bench/conf. The last server of the last service has the weight that is asked for, all others 1.
    func write(lastWeight: Int) throws {
        var text = "global_defs {\n    lvs_flush_on_stop\n}\n"
        for service in 0..<services {
            text +=
                "virtual_server \(Self.address(1, service)) 80 {\n    lb_algo wrr\n    lb_kind DR\n    protocol TCP\n"
            for server in 0..<servers {
                let isLast = service == services - 1 && server == servers - 1
                text += "    real_server \(Self.address(2, service * servers + server)) 80 {\n"
                text += "        weight \(isLast ? lastWeight : 1)\n    }\n"
            }
            text += "}\n"
        }
        try FileSystem.replace("/run/bench/conf", with: Array(text.utf8), durable: false)
    }

    /// The same table as `ipvsadm --save -n` writes it, to /run/bench/rules.
    func writeRules() throws {
        var text = ""
        for service in 0..<services {
            text += "-A -t \(Self.address(1, service)):80 -s wrr\n"
            for server in 0..<servers {
                let address = Self.address(2, service * servers + server)
                text += "-a -t \(Self.address(1, service)):80 -r \(address):80 -g -w 1\n"
            }
        }
        try FileSystem.replace("/run/bench/rules", with: Array(text.utf8), durable: false)
    }
}

/// Looks at the kernel's table without being most of the load: at one service, at all only when that one is complete.
struct KernelWatch {
    private let kernel: IPVSClient
    private let size: TableSize
    private let last: VirtualServerIdentity

    init(_ size: TableSize) throws {
        guard let last = size.last else { throw BenchmarkFailure("no service") }
        kernel = IPVSClient(NetlinkClient(try NetlinkSocket(.generic)))
        self.size = size
        self.last = last
    }

    /// Milliseconds between two looks: many servers take long to read.
    var step: Double { size.servers > 1000 ? 100 : 20 }

    func isFull() throws -> Bool {
        guard try kernel.service(last)?.destinations.count == size.servers else { return false }
        return try size.services == 1
            || kernel.services().reduce(0) { $0 + $1.destinations.count } == size.services * size.servers
    }

    /// Of the last service's last server.
    func lastWeight() throws -> Int32? {
        let address = TableSize.address(2, size.services * size.servers - 1) + ":80"
        return try kernel.service(last)?.destinations.first { "\($0.endpoint)" == address }?.attributes.weight
    }
}
