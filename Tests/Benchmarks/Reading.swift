// How long a large configuration takes to read, and how much memory: `lbctl config check` beside `keepalived -t`, each as a new process. Needs
// no root: neither touches the machine.
import Glibc
import Platform

/// The benchmark.
struct Reading {
    let rounds: Int

    init(_ options: Options) {
        rounds = options.rounds ?? 11
    }

    /// A file.
    private struct Subject {
        let name: String
        let text: String
    }

    /// By which factor the issue wants it better.
    private static let speed = 3.0
    private static let memory = 2.0

    private static let subjects = [
        Subject(name: "36,000 lines: 1,000 services, 10 servers each", text: services(1000, servers: 10)),
        Subject(name: "30,006 lines: one service, 10,000 servers", text: services(1, servers: 10_000)),
        Subject(name: "12,000 lines: 1,000 routers", text: routers(1000)),
        Subject(name: "6 lines: 10,000 servers by ~SEQ", text: sequence),
    ]

    func run() throws {
        guard let directory = mkdtemp(strdup("/tmp/bench-reading-XXXXXX")).map({ String(cString: $0) }) else {
            throw BenchmarkFailure("mkdtemp: errno \(errno)")
        }
        defer { _ = try? Program.run(["/bin/rm", "-r", directory]) }
        let file = directory + "/keepalived.conf"
        let tools = [["keepalived", "-t", "-f", file], ["\(Options.programs)/lbctl", "config", "check", file]]
        for subject in Self.subjects {
            try FileSystem.replace(file, with: Array(subject.text.utf8), durable: false)
            var times: [[Double]] = [[], []]
            var sizes: [[Double]] = [[], []]
            for _ in 0..<rounds {
                for (index, tool) in tools.enumerated() {
                    let cost = try cost(of: tool, in: directory)
                    times[index].append(cost.seconds * 1000)
                    sizes[index].append(cost.peak)
                }
            }
            try row(subject.name, "ms", goal: Self.speed, times)
            try row("memory, \(subject.name)", "MB", goal: Self.memory, sizes)
        }
    }

    private func row(_ what: String, _ unit: String, goal: Double, _ values: [[Double]]) throws {
        try Row(
            table: "reading", what: what, unit: unit, ours: Series(values: values[1]), peer: Series(values: values[0]),
            moreIsBetter: false, goal: goal
        ).emit()
    }

    /// From a program's start to its end, and the most memory that it had, in MB of 1024² octets. time(1) is there for that: what a process had
    /// before it became the program would count as the program's, and time has nothing.
    private func cost(of tool: [String], in directory: String) throws -> (seconds: Double, peak: Double) {
        let output = directory + "/size"
        let start = seconds
        let program = try Program(["/usr/bin/time", "-o", output, "-f", "%M"] + tool, log: directory + "/log")
        let status = program.wait()
        let passed = seconds - start
        guard status == 0, let kilobytes = Double(contents(output).split(separator: "\n").last ?? "") else {
            throw BenchmarkFailure("\(tool.joined(separator: " ")): status \(status)\n\(contents(directory + "/log"))")
        }
        return (passed, kilobytes / 1024)
    }

    private static func services(_ count: Int, servers: Int) -> String {
        (0..<count).map { service in
            let head = """
                virtual_server 192.168.\(service / 250).\(service % 250 + 1) 80 {
                    delay_loop 6
                    lb_algo rr
                    lb_kind NAT
                    protocol TCP

                """
            let servers = (0..<servers).map { server in
                let number = service * servers + server
                return """
                        real_server 10.\(number / 62_500).\(number / 250 % 250).\(number % 250 + 1) 80 {
                            weight 1
                        }

                    """
            }
            return head + servers.joined() + "}\n"
        }.joined()
    }

    /// On an interface that is here: keepalived leaves others out.
    private static func routers(_ count: Int) -> String {
        let names = contents("/proc/net/dev").split(separator: "\n").dropFirst(2).compactMap {
            $0.split(separator: ":").first.map { String($0.drop { $0 == " " }) }
        }
        let interface = names.first { $0 != "lo" } ?? "lo"
        return (0..<count).map { router in
            """
            vrrp_instance VI_\(router) {
                state BACKUP
                interface \(interface)
                virtual_router_id \(router % 250 + 1)
                priority \(router % 200 + 10)
                advert_int 1
                unicast_peer {
                    10.\(200 + router / 250).\(router % 250).2
                }
                virtual_ipaddress {
                    10.\(router / 250).\(router % 250).1/24
                }
            }

            """
        }.joined()
    }

    private static let sequence = """
        virtual_server 192.168.1.1 80 {
            lb_algo rr
            lb_kind NAT
            protocol TCP
            ~SEQ(i, 0, 39) ~SEQ(j, 1, 250) real_server 10.0.${i}.${j} 80 { }
        }

        """
}
