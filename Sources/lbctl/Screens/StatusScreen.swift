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
            for problem in group.prefix(Self.most) { add(problem, tone) }
            if group.count > Self.most {
                add(Cell("  and \(group.count - Self.most) more: lbctl status --json", .faint))
            }
        }
        if !status.instances.isEmpty {
            heading("ADDRESSES")
            add(holderTable(status.instances), indent: 2)
        }
        if !status.services.isEmpty {
            heading("SERVICES")
            addServices(status.services)
        }
        if let synchronisation = status.synchronisation {
            heading("CONNECTIONS")
            add("  ", synchronisation.cell)
        }
        heading("DAEMONS")
        add(daemonTable(status), indent: 2)
        if status.isDirect {
            add(Cell("  Asked without the bus: alarms and configurations are not shown.", .faint))
        }
    }

    /// More of one kind than this would push the rest off the screen.
    private static let most = 20

    /// Every service, or of too many those that want attention.
    private mutating func addServices(_ services: [IpvsAPI.Service]) {
        guard services.count > Self.most else { return add(lines: serviceLines(services)) }
        let troubled = services.filter(\.wantsAttention).prefix(Self.most)
        if !troubled.isEmpty { add(lines: serviceLines(Array(troubled))) }
        add(
            Cell(
                "  \(troubled.isEmpty ? "" : "and ")\(services.count - troubled.count) more: lbctl service list", .faint
            ))
    }

    private func verdict(_ status: Status, _ problems: [Problem]) -> Cell {
        let summary = [roleSummary(status.instances), serviceSummary(status.services)].compactMap(\.self)
        let text = summary.isEmpty ? withoutSummary(status) : summary.joined(separator: "; ")
        let critical = problems.count { $0.severity == .critical }
        let degraded = problems.count { $0.severity == .degraded }
        if critical > 0 {
            return Cell("\(critical) WRONG\(degraded > 0 ? ", \(degraded) out of order" : ""): \(text)", .bad)
        }
        return degraded > 0 ? Cell("\(degraded) out of order: \(text)", .warning) : Cell("All well: \(text)", .good)
    }

    /// What stands in place of roles and services where there are none, or nobody to ask for them.
    private func withoutSummary(_ status: Status) -> String {
        let silent = [Daemon.vrrpd, .ipvsd].filter { status.presence[$0]?.isPresent != true }.map(\.rawValue)
        guard !silent.isEmpty else { return "nothing is configured" }
        let verb = silent.count == 1 ? "does" : "do"
        return "roles and services are not known, \(silent.joined(separator: " and ")) \(verb) not answer"
    }

    private func roleSummary(_ instances: [VrrpAPI.Instance]) -> String? {
        guard let first = instances.first else { return nil }
        guard instances.count > 1 else { return "\(first.name) is \(first.runtime.state.cell.text)" }
        return "MASTER of \(instances.count { $0.runtime.state == .master }) of \(instances.count) instances"
    }

    private func serviceSummary(_ services: [IpvsAPI.Service]) -> String? {
        let ours = services.filter(\.isLookedAfter)
        guard !ours.isEmpty else { return services.isEmpty ? nil : "no service of its own" }
        let servers = ours.reduce(0) { $0 + $1.members.count }
        let inUse = ours.reduce(0) { $0 + $1.serversInUse }
        return "\(counted(ours.count, "service")), \(inUse) of \(counted(servers, "server")) in use"
    }

    private mutating func add(_ problem: Problem, _ tone: Tone) {
        add("  ", Cell(problem.subject, .strong), ": ", Cell(problem.text, tone))
        if let remedy = problem.remedy { add("    -> ", Cell(remedy), hanging: 7) }
    }

    /// Who holds which addresses, and why.
    private func holderTable(_ instances: [VrrpAPI.Instance]) -> Table {
        var table = Table("INSTANCE", "STATE", "SINCE", "HELD BY", "ADDRESSES", "WHY")
        for instance in instances {
            table.row(
                Cell(instance.name), instance.state, Cell(ago(instance.runtime.since)), Cell(instance.holder),
                Cell(shortened(instance.addresses)), Cell(instance.runtime.reason))
        }
        return table
    }

    private func daemonTable(_ status: Status) -> Table {
        var table = Table("DAEMON", "STATE", "SINCE", .number("PID"), "LOADED", "CONFIGURATION")
        for daemon in Daemon.allCases {
            let configuration = status.configurations[daemon.rawValue]
            let file = configuration.map { "\($0.file) (\($0.digest.prefix(8)))" } ?? ""
            let loaded = configuration.map { ago($0.loaded) } ?? ""
            switch status.presence[daemon] ?? .absent(nil) {
            case .present(_, let pid) where daemon == .checkd && status.checksHang(at: now):
                table.row(
                    Cell(daemon.rawValue), Cell("SILENT", .bad), "", Cell(pid.map(String.init) ?? ""), Cell(loaded),
                    Cell(file))
            case .present(let since, let pid):
                table.row(
                    Cell(daemon.rawValue), Cell(status.isDirect ? "answers" : "attached", .good),
                    Cell(since.map(ago) ?? ""), Cell(pid.map(String.init) ?? ""), Cell(loaded), Cell(file))
            case .silent: table.row(Cell(daemon.rawValue), Cell("SILENT", .bad), "", "", Cell(loaded), Cell(file))
            case .absent:
                let state = status.needs(daemon) ? Cell("MISSING", .bad) : Cell("not needed", .faint)
                table.row(Cell(daemon.rawValue), state, "", "", Cell(loaded), Cell(file))
            }
        }
        return table
    }
}
