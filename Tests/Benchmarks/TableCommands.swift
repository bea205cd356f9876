// The dialect's commands on a table of 11,000 entries: `lbctl ipvs --direct` beside ipvsadm. In the lab.
import Glibc
import IPVS
import Netlink
import Platform

/// The benchmark.
struct TableCommands {
    let rounds: Int

    init(_ options: Options) {
        rounds = options.rounds ?? 2
    }

    private static let size = TableSize(services: 1000, servers: 10)
    /// strace makes an emulated call so slow that a tenth has to do.
    private static let countedSize = TableSize(services: 100, servers: 10)

    /// A command, by ipvsadm's words.
    private struct Subject {
        let name: String
        let words: String
        let goal: Double
        /// Whether the table is full before the command.
        let needsTable: Bool
    }

    private static let subjects = [
        Subject(name: "restore", words: "-R </run/bench/rules", goal: 10, needsTable: false),
        Subject(name: "list", words: "-L -n", goal: 1, needsTable: true),
        Subject(name: "save", words: "-S -n", goal: 1, needsTable: true),
        Subject(name: "clear", words: "-C", goal: 1, needsTable: true),
    ]

    func run() throws {
        try Program.script("mkdir -p /run/bench")
        let tools = ["ipvsadm", "\(Options.programs)/lbctl ipvs --direct"]
        for subject in Self.subjects {
            var times: [[Double]] = [[], []]
            try Self.size.writeRules()
            for _ in 0..<rounds {
                for (index, tool) in tools.enumerated() { times[index].append(try time(tool, subject)) }
            }
            try row(subject, Self.size, "s", goal: subject.goal, ours: times[1], peer: times[0])
            try Self.countedSize.writeRules()
            let calls = try tools.map { tool in
                let network = try FreshNetwork()
                defer { withExtendedLifetime(network) {} }
                try prepare(subject)
                let program = try CountedProgram(Self.shell(tool, subject))
                guard program.wait() == 0 else {
                    throw BenchmarkFailure("\(tool) \(subject.words) failed under strace")
                }
                return try program.calls()
            }
            try row(subject, Self.countedSize, "system calls", goal: 1, ours: [calls[1]], peer: [calls[0]])
        }
    }

    private func row(
        _ subject: Subject, _ size: TableSize, _ unit: String, goal: Double, ours: [Double], peer: [Double]
    ) throws {
        try Row(
            table: "commands", what: "\(subject.name), \(Series.short(Double(Self.entries(of: size)))) entries",
            unit: unit,
            ours: Series(values: ours), peer: Series(values: peer), moreIsBetter: false, goal: goal
        ).emit()
    }

    private static func entries(of size: TableSize) -> Int { size.services * (1 + size.servers) }

    private static func shell(_ tool: String, _ subject: Subject) -> [String] {
        ["/bin/sh", "-c", "exec \(tool) \(subject.words) >/run/bench/output"]
    }

    private func prepare(_ subject: Subject) throws {
        // By ours, which takes an eighth of the time.
        if subject.needsTable { try Program.script("\(Options.programs)/lbctl ipvs --direct -R </run/bench/rules") }
    }

    /// From a command's start to its end.
    private func time(_ tool: String, _ subject: Subject) throws -> Double {
        let network = try FreshNetwork()
        defer { withExtendedLifetime(network) {} }
        try prepare(subject)
        let start = seconds
        try Program.run(Self.shell(tool, subject))
        let passed = seconds - start
        let entries = try IPVSClient(NetlinkClient(NetlinkSocket(.generic))).services().reduce(0) {
            $0 + 1 + $1.destinations.count
        }
        let expected = subject.name == "clear" ? 0 : Self.entries(of: Self.size)
        guard entries == expected else {
            throw BenchmarkFailure("after \(tool) \(subject.words) the table has \(entries) entries, not \(expected)")
        }
        return passed
    }
}
