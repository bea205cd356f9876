// A kernel table of 1,000 services with 10 servers each: from the daemon's start on a configuration, and from saved rules.
// In the lab, whose system calls cost 70 times those of a real kernel: only the ratios mean something elsewhere.
import Configuration
import Glibc
import IPVS
import Net
import Netlink
import Platform

/// The benchmark.
struct Table {
    private static let services = 1000
    private static let servers = 10
    private let rounds: Int

    init(_ options: Options) {
        rounds = options.rounds ?? 3
    }

    func run() throws {
        try Program.script("mkdir -p /run/bench/private /run/bench-state")
        try configuration()
        try rules()
        var figures: [String: [Double]] = [:]
        let ours = [
            "--config", "/run/bench/conf", "--run-dir", "/run/bench", "--state-dir", "/run/bench-state",
        ]
        let theirs = ["-C", "-n", "-l", "-f", "/run/bench/conf", "-p", "/run/k.pid", "-c", "/run/c.pid"]
        for _ in 0..<rounds {
            figures["keepalived", default: []].append(try started(["/usr/sbin/keepalived"] + theirs))
            figures["ipvsd", default: []].append(try started(["\(Options.programs)/ipvsd"] + ours))
            figures["ipvsadm", default: []].append(
                try ended(["/bin/sh", "-c", "exec ipvsadm --restore </run/bench/rules"]))
            figures["restore", default: []].append(
                try ended([CommandLine.arguments[0], "restore", "/run/bench/rules"]))
        }
        func row(_ what: String, _ ours: String, _ peer: String, goal: Double) throws {
            try Row(
                table: "table", what: what, unit: "s", ours: Series(values: figures[ours] ?? []),
                peer: Series(values: figures[peer] ?? []), moreIsBetter: false, goal: goal
            ).emit()
        }
        try row("start of ipvsd / keepalived to the full table", "ipvsd", "keepalived", goal: 10)
        try row("saved rules, our writer / ipvsadm --restore", "restore", "ipvsadm", goal: 50)
    }

    /// From the start of a daemon to the full table. To count the table takes the guest 0.1 s: that is done only when the
    /// last service of the configuration is complete, which is asked for every 10 ms.
    private func started(_ arguments: [String]) throws -> Double {
        try empty()
        let kernel = IPVSClient(NetlinkClient(try NetlinkSocket(.generic)))
        guard let last = VirtualServerIdentity("tcp/\(Self.address(1, Self.services - 1)):80") else { return .nan }
        let start = seconds
        let program = try Program(arguments, log: "/run/bench/log")
        while try kernel.service(last)?.destinations.count ?? 0 < Self.servers
            || servers() < Self.services * Self.servers
        {
            let passed = seconds - start
            guard passed < 120 else {
                throw BenchmarkFailure("\(arguments[0]): no full table after 120 s\n\(contents("/run/bench/log"))")
            }
            pause(milliseconds: 10)
        }
        let passed = seconds - start
        program.end()
        return passed
    }

    /// From the start of a command to its end, which must leave the full table.
    private func ended(_ arguments: [String]) throws -> Double {
        try empty()
        let start = seconds
        try Program.run(arguments)
        let passed = seconds - start
        guard servers() == Self.services * Self.servers else {
            throw BenchmarkFailure("\(arguments[0]) left \(servers()) servers in the table")
        }
        return passed
    }

    private func empty() throws {
        try Program.script("ipvsadm --clear; rm -rf /run/bench-state /run/k.pid /run/c.pid; mkdir /run/bench-state")
    }

    /// Real servers in the kernel's table.
    private func servers() -> Int {
        contents("/proc/net/ip_vs").split(separator: "\n").count { $0.hasPrefix("  -> ") } - 1
    }

    private static func address(_ network: Int, _ number: Int) -> String {
        "10.\(network).\(number / 250).\(number % 250 + 1)"
    }

    private func configuration() throws {
        var text = ""
        for service in 0..<Self.services {
            text +=
                "virtual_server \(Self.address(1, service)) 80 {\n    lb_algo rr\n    lb_kind DR\n    protocol TCP\n"
            for server in 0..<Self.servers {
                let address = Self.address(2 + server, service)
                text += "    real_server \(address) 80 {\n        weight 1\n    }\n"
            }
            text += "}\n"
        }
        try FileSystem.replace("/run/bench/conf", with: Array(text.utf8), durable: false)
    }

    private func rules() throws {
        var text = ""
        for service in 0..<Self.services {
            text += "-A -t \(Self.address(1, service)):80 -s rr\n"
            for server in 0..<Self.servers {
                text += "-a -t \(Self.address(1, service)):80 -r \(Self.address(2 + server, service)):80 -g -w 1\n"
            }
        }
        try FileSystem.replace("/run/bench/rules", with: Array(text.utf8), durable: false)
    }

    /// What `ipvsadm --restore` does, with our encoder and batches: the rules that `rules` writes, no others.
    static func restore(from path: String) throws {
        var commands: [Command] = []
        var service: VirtualServerIdentity?
        for line in contents(path).split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count >= 5 else { throw BenchmarkFailure("cannot read \(line)") }
            // A service's rules follow its own: its name is read once.
            if words[0] == "-A" { service = VirtualServerIdentity("tcp/" + words[2]) }
            guard let service else { throw BenchmarkFailure("cannot read \(line)") }
            if words[0] == "-A" {
                commands.append(.addService(service, ServiceAttributes(scheduler: String(words[4]))))
            } else if let endpoint = Endpoint(String(words[4])) {
                let attributes = DestinationAttributes(forwarding: .method(.directRouting))
                commands.append(.addDestination(service, endpoint, attributes))
            }
        }
        let outcome = try IPVSClient(NetlinkClient(NetlinkSocket(.generic))).apply(commands)
        let failures = outcome.refusals + outcome.surprises
        if let first = failures.first { throw BenchmarkFailure("\(failures.count) commands failed: \(first)") }
    }
}
