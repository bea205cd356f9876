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
            if let held = server.heldSince {
                let end = server.heldUntil.map { "; ends at \($0) if nothing changes" } ?? ""
                table.row(
                    Cell(server.server), server.state.cell, Cell(ago(held)), "flap_limit", "", "", "",
                    Cell(server.words + end))
            }
            for (index, check) in server.checks.enumerated() {
                let runtime = check.runtime
                table.row(
                    Cell(index == 0 && server.heldSince == nil ? server.server : ""), runtime.state.cell,
                    Cell(ago(runtime.since)),
                    Cell(check.name),
                    Cell(check.context.target ?? ""), Cell(runtime.lastProbe.map(ago) ?? "never"),
                    Cell(runtime.durationMicroseconds.map(Self.milliseconds) ?? ""),
                    Cell(runtime.words + (runtime.weightChange.map { ", adds \($0) to the weight" } ?? "")))
            }
        }
        return table
    }

    /// `lbctl check show`, its beginning.
    mutating func add(_ health: CheckAPI.ServerHealth) {
        add(Cell(health.server, .strong), ": ", health.state.cell, Cell(", \(ago(health.since)): \(health.words)"))
        add(checkTable([health]), indent: 2)
    }

    /// `lbctl check show`: the past of a check.
    mutating func add(_ history: CheckAPI.CheckHistory) {
        heading(history.name)
        var changes = Table("SINCE", "STATE", "WHY")
        for change in history.changes.reversed() {
            changes.row(Cell(ago(change.time)), change.state.cell, Cell(change.reason))
        }
        if history.changes.isEmpty {
            add("  no change since checkd watches the server")
        } else {
            add(changes, indent: 2)
        }
        var latency = Table(.number("UP TO"), .number("PROBES"))
        for bucket in history.latency where bucket.probes > 0 {
            latency.row(Cell(bucket.upToMicroseconds.map(Self.milliseconds) ?? "longer"), Cell("\(bucket.probes)"))
        }
        if history.latency.contains(where: { $0.probes > 0 }) { add(latency, indent: 2) }
    }

    /// `lbctl check run`: one probe.
    mutating func add(_ trial: CheckAPI.Trial) {
        let what = trial.step.map { "\(trial.name) \($0)" } ?? trial.name
        let verdict =
            switch trial.outcome {
            case .success: Cell("success", .good)
            case .failure: Cell("failure", .bad)
            case .inconclusive: Cell("inconclusive", .warning)
            case .other(let word): Cell(word)
            }
        let reason = trial.reason.map { ": \($0)" } ?? ""
        add(
            Cell(what, .strong), ": ", verdict, Cell(" after \(Self.milliseconds(trial.durationMicroseconds))\(reason)")
        )
        var notes = Table(.number("AFTER"), "WHAT")
        for note in trial.notes { notes.row(Cell(Self.milliseconds(note.microseconds)), Cell(note.text)) }
        if !trial.notes.isEmpty { add(notes, indent: 2) }
    }

    /// Microseconds as `0.412 ms`, `1203 ms`.
    private static func milliseconds(_ microseconds: Int) -> String {
        microseconds >= 10_000 ? "\(microseconds / 1000) ms" : "\((Double(microseconds) / 1000).formatted) ms"
    }
}

extension CheckAPI.CheckRuntime {
    /// The reason, what there is to know about the certificate, and for how many servers one probe is made.
    fileprivate var words: String {
        var words = reason
        if let days = certificateDays { words += days < 0 ? "; certificate expired" : "; certificate for \(days) days" }
        if let sharedBy { words += "; one probe for \(sharedBy) servers" }
        return words
    }
}
