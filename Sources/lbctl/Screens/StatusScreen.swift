// The screen for three in the morning. The first line is the verdict; then what is wrong, worst first, each with the next
// step; then who holds the addresses, what serves, and the daemons themselves.
import Bus

extension Screen {
    /// The whole of `lbctl status`.
    mutating func add(_ status: Status) {
        let problems = status.problems(at: now)
        add(verdict(status, problems))
        for (severity, title, tone) in [
            (Problem.Severity.critical, "WRONG NOW", Tone.bad), (.degraded, "OUT OF ORDER", .warning),
            (.byHand, "DECIDED BY HAND", .warning),
        ] {
            let group = problems.filter { $0.severity == severity }
            guard !group.isEmpty else { continue }
            heading(title, tone)
            for problem in group { add(problem, tone) }
        }
        if !status.instances.isEmpty {
            heading("ADDRESSES")
            add(instanceTable(status.instances), indent: 2)
        }
        if !status.services.isEmpty {
            heading("SERVICES")
            add(lines: serviceLines(status.services))
        }
        heading("DAEMONS")
        add(daemonTable(status), indent: 2)
        if status.isDirect {
            add(Cell("  Asked without the bus: alarms and configurations are not shown.", .faint))
        }
    }

    private func verdict(_ status: Status, _ problems: [Problem]) -> Cell {
        let masters = status.instances.count { $0.runtime.state == .master }
        let servers = status.services.flatMap(\.servers)
        let inUse = status.services.reduce(0) { $0 + $1.serversInUse }
        var facts: [String] = []
        if !status.instances.isEmpty {
            facts.append("master of \(masters) of \(counted(status.instances.count, "instance"))")
        }
        if !status.services.isEmpty {
            facts.append(
                "\(counted(status.services.count, "service")), \(inUse) of \(counted(servers.count, "server")) in use")
        }
        if facts.isEmpty { facts.append("nothing is configured") }
        let summary = facts.joined(separator: "; ")
        let critical = problems.count { $0.severity == .critical }
        let degraded = problems.count { $0.severity == .degraded }
        if critical > 0 {
            return Cell("\(critical) WRONG\(degraded > 0 ? ", \(degraded) out of order" : ""): \(summary)", .bad)
        }
        if degraded > 0 { return Cell("\(degraded) out of order: \(summary)", .warning) }
        return Cell("All well: \(summary)", .good)
    }

    private mutating func add(_ problem: Problem, _ tone: Tone) {
        add("  ", Cell(problem.subject, .strong), ": ", Cell(problem.text, tone))
        if let remedy = problem.remedy { add("    -> ", Cell(remedy)) }
    }

    private func daemonTable(_ status: Status) -> Table {
        var table = Table("DAEMON", "STATE", "SINCE", .number("PID"), "CONFIGURATION", "LOADED")
        for daemon in Daemon.allCases {
            let configuration = status.configurations[daemon.rawValue]
            let file = configuration.map { "\($0.file) (\($0.digest.prefix(8)))" } ?? ""
            let loaded = configuration.map { ago($0.loaded) } ?? ""
            switch status.presence[daemon] ?? .absent(nil) {
            case .present(let since, let pid):
                table.row(
                    Cell(daemon.rawValue), Cell(status.isDirect ? "answers" : "attached", .good),
                    Cell(since.map(ago) ?? ""), Cell(pid.map(String.init) ?? ""), Cell(file), Cell(loaded))
            case .absent: table.row(Cell(daemon.rawValue), Cell("MISSING", .bad), "", "", Cell(file), Cell(loaded))
            }
        }
        return table
    }
}
