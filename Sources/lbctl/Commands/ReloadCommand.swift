// `lbctl reload`: all daemons read the configuration, and only when all of them could, and read the same bytes, do they
// act on it.
import ArgumentParser
import Bus
import JSON
import Varlink

struct ReloadCommand: BusCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Load the configuration in all daemons, or in none.",
        discussion: """
            Every attached daemon reads and checks its file; their digests are compared; then all act on the difference to \
            what runs, or all forget it. Connections, addresses and verdicts that do not change are not touched. A \
            configuration with errors changes nothing (exit status 2); a daemon lost half-way leaves it done in part (4).

            Real servers that the new configuration does not have drain: no new connections, and they leave when the running \
            ones have ended, after 300 s at the latest (lvs_drain_removed in global_defs). --cut has them leave at once, also \
            those of earlier reloads.

            --rollback puts the files back as they were with the last good configuration (the one in force where the files say \
            something else, else the one before it; it says which) and loads them; what stood in their place is kept beside them \
            as .FILE.rolled-back. Where they cannot be loaded the files become what they were. One that is killed half-way is gone \
            on with by the next. With --before it goes to the one before in any case. With --dry-run it says where it would go, and \
            which files those are. What is kept and is not what the daemons run is not taken for it.

            Examples:
              lbctl reload --dry-run        what would change
              lbctl reload
              lbctl reload --cut            connections to removed servers are cut off
              lbctl reload --rollback       back to the last good configuration
              lbctl reload --rollback --before
            """)

    @Flag(name: .long, help: "Only show what would change.")
    var dryRun = false
    @Flag(name: .long, help: "Cut off the connections of removed servers.")
    var cut = false
    @Flag(name: .long, help: "Put back the files of the last good configuration, and load them.")
    var rollback = false
    @Flag(name: .long, help: "With --rollback: the one before the configuration in force, whatever the files say.")
    var before = false
    @OptionGroup var kept: KeptOptions
    @OptionGroup var bus: BusOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if before, !rollback { throw ValidationError("--before says where --rollback goes: give both.") }
        if cut, dryRun { throw ValidationError("--cut does something, --dry-run does nothing: choose one.") }
    }

    func answer(from daemons: some Daemons) throws(Failure) -> Shown {
        let attached = try Self.attached(daemons)
        let instance = bus.instanceOptions.instance
        guard rollback else {
            let shown = try load(in: attached, daemons, nil)
            // Where a rollback that ended half-way was on its way to counts no more.
            if !dryRun { try? kept.locked(instance) { () throws(Failure) in kept.pair(of: instance).forgetRollback() } }
            return shown
        }
        let loaded = try LoadedDigests(of: attached, daemons)
        let destination: Rollback.Destination? = before ? .before : nil
        if dryRun { return try Rollback(kept.pair(of: instance, loaded), to: destination, loaded).shown }
        return try kept.locked(instance) { () throws(Failure) in
            var signals = HeldSignals()
            defer {
                if signals.release() {
                    StandardError.say("a rollback is not left half done: the signal was held off until it was over")
                }
            }
            var rollback = try Rollback(kept.pair(of: instance, loaded), to: destination, loaded)
            try rollback.carryOut()
            return try load(in: attached, daemons, rollback)
        }
    }

    /// Loads what the files say. What was restored for it is undone where that fails.
    private func load(
        in attached: [Daemon], _ daemons: some Daemons, _ restored: Rollback?
    ) throws(Failure) -> Shown {
        let plans: [Plan]
        do throws(Failure) {
            plans = try Self.prepare(attached, daemons)
            if let restored, let plan = plans.first, plan.digest != restored.digest {
                Self.abort(plans.map(\.daemon), daemons)
                throw .notDone(
                    "the daemons read something else (\(plan.digest.prefix(8))) than what was put back "
                        + "(\(restored.digest.prefix(8))): do they read other files (--config), or was one just being written?"
                )
            }
            if dryRun {
                Self.abort(plans.map(\.daemon), daemons)
            } else {
                try Self.commit(plans, daemons)
            }
        } catch {
            // What is loaded in part is completed by the next reload of the same files.
            if case .inPart = error { throw error }
            if var restored { StandardError.say("the rollback is undone: \(restored.undone())") }
            throw error
        }
        restored?.close()
        let isCutting = cut && plans.contains { $0.daemon == .ipvsd }
        let cut = isCutting ? try daemons.call(IpvsAPI.CutDepartures()).decoded().servers : nil
        let committed = !dryRun
        var wire = Self.wire(plans, committed: committed, cut)
        for member in restored?.wire.members ?? [] { wire[member.key] = member.value }
        return Shown(wire: [wire]) { screen in
            restored?.show(on: &screen)
            screen.add(plans, committed: committed)
            if let cut { screen.add("\(counted(cut, "removed server")) cut off.") }
        }
    }

    /// What one daemon would change.
    struct Plan {
        let daemon: Daemon
        let digest: String
        let changes: [String]
    }

    /// The daemons to ask: those on the bus, or without it those that answer.
    private static func attached(_ caller: some Daemons) throws(Failure) -> [Daemon] {
        guard !caller.isDirect else { return try answering(caller) }
        let services = try caller.call(BusAPI.ListServices()).decoded().services
        let interfaces = Set(services.flatMap(\.interfaces))
        let attached = Daemon.allCases.filter { interfaces.contains($0.interface) }
        guard !attached.isEmpty else { throw .notAttached(interface: Daemon.vrrpd.interface) }
        return attached
    }

    private static func answering(_ caller: some Daemons) throws(Failure) -> [Daemon] {
        var answering: [Daemon] = []
        var absence: Failure?
        for daemon in Daemon.allCases {
            do throws(Failure) {
                _ = try caller.service("GetInfo", [:], of: daemon)
                answering.append(daemon)
            } catch {
                guard case .daemonUnreachable(_, _, let errno) = error, errno.reason == .absent else { throw error }
                absence = error
            }
        }
        if answering.isEmpty, let absence { throw absence }
        return answering
    }

    /// Asks every daemon to read the configuration. When one cannot, or reads something else, all forget it.
    private static func prepare(_ daemons: [Daemon], _ caller: some Daemons) throws(Failure) -> [Plan] {
        var plans: [Plan] = []
        for daemon in daemons {
            do throws(Failure) {
                let reply = try call("PrepareReload", of: daemon, [:], caller)
                guard let digest = reply["digest"]?.string, let changes = reply["changes"]?.array else {
                    throw .protocolViolation("\(daemon.interface).PrepareReload without digest or changes")
                }
                plans.append(Plan(daemon: daemon, digest: digest, changes: changes.compactMap(\.string)))
            } catch {
                abort(plans.map(\.daemon) + [daemon], caller)
                throw error
            }
        }
        guard Set(plans.map(\.digest)).count == 1 else {
            abort(plans.map(\.daemon), caller)
            throw .differentConfigurations(plans.map { "\($0.daemon.rawValue) \($0.digest.prefix(8))" })
        }
        return plans
    }

    private static func commit(_ plans: [Plan], _ caller: some Daemons) throws(Failure) {
        var done: [String] = []
        var undone: [(name: String, why: Failure)] = []
        for plan in plans {
            do throws(Failure) {
                _ = try call("CommitReload", of: plan.daemon, ["digest": .string(plan.digest)], caller)
                done.append(plan.daemon.rawValue)
            } catch {
                undone.append((plan.daemon.rawValue, error))
            }
        }
        guard let first = undone.first else { return }
        guard !done.isEmpty else { throw first.why }
        throw .inPart(
            done: done, undone: undone.map { "\($0.name) (\($0.why))" },
            remedy: "run 'lbctl reload' again; a daemon that is started again reads the new configuration by itself")
    }

    /// Best effort: a daemon that is gone has nothing prepared.
    private static func abort(_ daemons: [Daemon], _ caller: some Daemons) {
        for daemon in daemons { _ = try? call("AbortReload", of: daemon, [:], caller) }
    }

    private static func call(
        _ member: String, of daemon: Daemon, _ parameters: JSONObject, _ caller: some Daemons
    ) throws(Failure) -> JSONObject {
        try caller.call(VarlinkCall(method: "\(daemon.interface).\(member)", parameters: parameters))
    }

    private static func wire(_ plans: [Plan], committed: Bool, _ cut: Int?) -> JSONObject {
        var wire: JSONObject = [
            "committed": .bool(committed), "digest": .string(plans.first?.digest ?? ""),
            "daemons": .array(
                plans.map { plan in
                    [
                        "name": .string(plan.daemon.rawValue), "digest": .string(plan.digest),
                        "changes": .array(plan.changes.map { .string($0) }),
                    ]
                }),
        ]
        if let cut { wire["cut"] = .int(Int64(cut)) }
        return wire
    }
}

extension Screen {
    /// What each daemon changes.
    fileprivate mutating func add(_ plans: [ReloadCommand.Plan], committed: Bool) {
        for plan in plans {
            let changes = plan.changes.isEmpty ? "nothing changes" : counted(plan.changes.count, "change")
            add(Cell(plan.daemon.rawValue, .strong), Cell(": \(changes)"))
            for change in plan.changes { add("  ", Cell(change)) }
        }
        let names = plans.map(\.daemon.rawValue).joined(separator: ", ")
        let digest = plans.first?.digest.prefix(8) ?? ""
        add(
            committed
                ? Cell("Loaded in \(names) (\(digest)).", .good) : Cell("Not loaded: a dry run (\(digest)).", .faint))
        let missing = Daemon.allCases.filter { daemon in !plans.contains { $0.daemon == daemon } }
        if !missing.isEmpty {
            add(
                Cell(
                    "Not there: \(missing.map(\.rawValue).joined(separator: ", ")); reads it when it starts.", .warning)
            )
        }
    }
}
