// Health checks: every check of every server.
import Bus

extension Screen {
    /// `lbctl check list`: the servers in order, a row per check.
    func checkTable(_ servers: [CheckAPI.ServerHealth]) -> Table {
        var table = Table("SERVER", "STATE", "SINCE", "CHECK", "TARGET", "LAST PROBE", .number("TOOK"), "WHY")
        for server in servers {
            if server.checks.isEmpty {
                table.row(
                    Cell(server.server), server.state.cell, Cell(ago(server.since)), "", "", "", "", Cell(server.words)
                )
            }
            for (index, check) in server.checks.enumerated() {
                let runtime = check.runtime
                table.row(
                    Cell(index == 0 ? server.server : ""), runtime.state.cell, Cell(ago(runtime.since)),
                    Cell(check.name),
                    Cell(check.context.target ?? ""), Cell(runtime.lastProbe.map(ago) ?? "never"),
                    Cell(runtime.durationMicroseconds.map(Self.milliseconds) ?? ""), Cell(runtime.reason))
            }
        }
        return table
    }

    /// `lbctl check run`.
    mutating func add(_ health: CheckAPI.ServerHealth) {
        add(Cell(health.server, .strong), ": ", health.state.cell, Cell(", \(ago(health.since)): \(health.words)"))
        add(checkTable([health]), indent: 2)
    }

    /// Microseconds as `0.412 ms`, `1203 ms`.
    private static func milliseconds(_ microseconds: Int) -> String {
        microseconds >= 10_000 ? "\(microseconds / 1000) ms" : "\((Double(microseconds) / 1000).formatted) ms"
    }
}
