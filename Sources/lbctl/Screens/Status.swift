// What `lbctl status` knows: the state of the director as its daemons told it, and what is wrong in it. Building the
// list of problems is apart from showing it, so that `status` cannot forget one that a table would hide.
import Bus
import JSON
import Platform

/// A director at one moment.
struct Status {
    /// Whether a daemon can be asked.
    enum Presence: Equatable {
        /// Attached to the bus, or answering directly.
        case present(since: String?, pid: Int?)
        /// There, and without an answer in time.
        case silent(String)
        /// Not there, and why as far as it is known.
        case absent(String?)

        var isPresent: Bool {
            switch self {
            case .present: true
            case .silent, .absent: false
            }
        }
    }

    /// A standing alarm of a daemon.
    struct Alarm: Equatable {
        /// `DAEMON/KEY`.
        var subject: String
        var since: String
        var alarm: DaemonAlarm
    }

    var presence: [Daemon: Presence] = [:]
    var instances: [VrrpAPI.Instance] = []
    var services: [IpvsAPI.Service] = []
    var synchronisation: IpvsAPI.Synchronisation?
    var alarms: [Alarm] = []
    var configurations: [String: DaemonConfiguration] = [:]
    /// Why a file that a daemon has read would be refused now, by path.
    var refusedFiles: [String: String] = [:]
    /// When checkd's loop said last that it runs, and how often it does; nil = not known.
    var heartbeat: (at: Timestamp, seconds: Int)?
    /// The bus was not asked: alarms and configurations are not known.
    var isDirect = false
    /// Which director of several this is.
    var instance: String?
}

/// Something that wants a person.
struct Problem: Equatable {
    /// What has to be seen first.
    enum Severity: Int, Comparable, CaseIterable {
        /// Clients are or may be affected.
        case critical
        /// Something is out of order and covered for now.
        case degraded
        /// Somebody decided so by hand.
        case byHand

        static func < (left: Severity, right: Severity) -> Bool { left.rawValue < right.rawValue }
    }

    var severity: Severity
    /// What it is about.
    var subject: String
    /// What is wrong, since when, and why.
    var text: String
    /// What to do next.
    var remedy: String?
}

extension Status {
    /// False when every daemon says that its configuration gives this one nothing to do.
    func needs(_ daemon: Daemon) -> Bool {
        configurations.isEmpty
            || configurations.values.contains { $0.needs?.contains(daemon.rawValue) ?? true }
    }

    /// Everything that is out of order, the worst first.
    func problems(at now: Timestamp) -> [Problem] {
        let all =
            alarms.map(problem) + Daemon.allCases.compactMap(problem) + instances.flatMap { problems($0, now) }
            + services.flatMap { problems($0, now) } + configurationProblems()
            + [silentChecks(at: now)].compactMap(\.self)
        return all.enumerated().sorted { ($0.element.severity, $0.offset) < ($1.element.severity, $1.offset) }
            .map(\.element)
    }

    private func unit(of daemon: Daemon) -> String { UnitName.unit(of: daemon.rawValue, in: instance) }

    private func problem(_ alarm: Alarm) -> Problem {
        Problem(
            severity: .critical, subject: alarm.subject, text: alarm.alarm.message,
            remedy: alarm.alarm.remedy.isEmpty ? nil : alarm.alarm.remedy)
    }

    private func problem(_ daemon: Daemon) -> Problem? {
        let why: String
        switch presence[daemon] ?? .absent(nil) {
        case .present: return nil
        case .silent(let text): why = text
        case .absent(let text):
            guard needs(daemon) else { return nil }
            why = text ?? "not attached to the bus"
        }
        let text = "\(why); \(daemon.absence)"
        return Problem(
            severity: .critical, subject: daemon.rawValue, text: text,
            remedy: "systemctl status \(unit(of: daemon))")
    }

    /// Heartbeats that may be missed, as by ipvsd.
    private static let missedBeats = 3

    /// checkd is attached and hangs: its heartbeat has stopped, or ipvsd does not hear it. Without busd nobody does, so that says nothing.
    func checksHang(at now: Timestamp) -> Bool {
        guard !isDirect, case .present? = presence[.checkd] else { return false }
        let isLate = heartbeat.map {
            now.milliseconds - $0.at.milliseconds > Int64($0.seconds * Self.missedBeats) * 1000 + 1000
        }
        return isLate == true || services.contains { $0.servers.contains(where: \.runtime.stale) }
    }

    private func silentChecks(at now: Timestamp) -> Problem? {
        guard checksHang(at: now) else { return nil }
        return Problem(
            severity: .critical, subject: Daemon.checkd.rawValue,
            text: "gives no sign of life; the last verdicts stay in force, and a server that fails now stays in use",
            remedy: "systemctl restart \(unit(of: .checkd))")
    }

    private func problems(_ instance: VrrpAPI.Instance, _ now: Timestamp) -> [Problem] {
        let runtime = instance.runtime
        var problems: [Problem] = []
        let why = runtime.faults.isEmpty ? runtime.reason : runtime.faults.joined(separator: "; ")
        if runtime.state == .fault, !isInAlarms(why) {
            problems.append(
                Problem(
                    severity: .critical, subject: instance.name, text: "in fault\(since(runtime.since, now)): \(why)"))
        }
        // Faults are told with the state.
        problems += runtime.tracked.filter { $0.isBad && !($0.isFault && runtime.state == .fault) }.map { thing in
            Problem(
                severity: .degraded, subject: instance.name,
                text: "\(thing.keyword) \(thing.name) \(thing.verb)\(since(thing.since, now))\(thing.weightText)"
                    + (thing.detail.isEmpty ? "" : ": \(thing.detail)"))
        }
        let missing = instance.missingAddresses
        if runtime.state == .master, !missing.isEmpty {
            problems.append(
                Problem(
                    severity: .critical, subject: instance.name,
                    text: "master, but not on the interface: \(missing.joined(separator: ", "))",
                    remedy: "journalctl -u \(unit(of: .vrrpd))"))
        }
        if runtime.steppedDown { problems.append(steppedDown(instance, now)) }
        return problems
    }

    /// What a person decided; and whether anybody has taken the addresses since.
    private func steppedDown(_ instance: VrrpAPI.Instance, _ now: Timestamp) -> Problem {
        let runtime = instance.runtime
        let remedy = "lbctl vrrp resume \(instance.name)"
        switch runtime.state {
        case .master:
            return Problem(
                severity: .byHand, subject: instance.name,
                text:
                    "stepped down by hand, and master all the same\(since(runtime.since, now)): no other director is; "
                    + "with priority \(runtime.effectivePriority) it gives way to any",
                remedy: remedy)
        case .backup where runtime.master == nil:
            return Problem(
                severity: .degraded, subject: instance.name,
                text:
                    "stepped down\(decided(runtime.since, nil, now)), and no other director was heard as master since: "
                    + "nobody holds the addresses, as far as is known here",
                remedy: remedy)
        default:
            return Problem(
                severity: .byHand, subject: instance.name,
                text: "stepped down\(decided(runtime.since, nil, now)); takes no part in the election", remedy: remedy)
        }
    }

    private func problems(_ service: IpvsAPI.Service, _ now: Timestamp) -> [Problem] {
        guard service.isLookedAfter else { return [] }
        var problems: [Problem] = []
        let runtime = service.runtime
        if let problem = runtime.problem, !isInAlarms(problem) {
            problems.append(Problem(severity: .critical, subject: service.name, text: problem))
        }
        if runtime.state == .down, service.origin == .hand, service.servers.isEmpty {
            // Whoever makes it has still to add them; before, nobody was served either.
            problems.append(
                Problem(
                    severity: .degraded, subject: service.name, text: "made by hand, has no server yet",
                    remedy: "lbctl server add \(service.name)/ADDR:PORT"))
        } else if runtime.state == .down {
            let cover = runtime.onSorryServer ? "; the sorry server \(service.context.sorryServer ?? "") serves" : ""
            problems.append(
                Problem(
                    severity: .critical, subject: service.name,
                    text: "down\(since(runtime.since, now)): \(runtime.reason)\(cover)"))
        }
        if runtime.state == .up, runtime.inKernel, service.serversInUse == 0, !service.members.isEmpty {
            problems.append(
                Problem(severity: .critical, subject: service.name, text: "up, but no real server takes connections"))
        }
        for server in service.members {
            if server.runtime.health == .down {
                problems.append(
                    Problem(
                        severity: .degraded, subject: service.name,
                        text: "server \(server.address) is down\(since(server.runtime.since, now)): "
                            + server.runtime.reason))
            }
            if let override = server.runtime.override {
                problems.append(
                    Problem(
                        severity: .byHand, subject: service.name,
                        text: "server \(server.address) was \(override.participle)"
                            + decided(override.since, override.uid, now),
                        remedy: "lbctl server reset \(server.name)"))
            }
        }
        return problems
    }

    /// Whether an alarm says it already, with a remedy.
    private func isInAlarms(_ text: String) -> Bool {
        alarms.contains { text.contains($0.alarm.message) || $0.alarm.message.contains(text) }
    }

    private func configurationProblems() -> [Problem] { refusals + disagreements }

    private var refusals: [Problem] {
        // A daemon that has met it says so itself.
        guard !alarms.contains(where: { $0.subject.hasSuffix("/configuration") }) else { return [] }
        return refusedFiles.sorted { $0.key < $1.key }.map { file, why in
            Problem(
                severity: .degraded, subject: "configuration",
                text: "\(file) is not what is loaded, and would be refused by a reload and at a start: \(why)",
                remedy: "lbctl config check \(file.shellWord)")
        }
    }

    private var disagreements: [Problem] {
        guard Set(configurations.values.map(\.digest)).count > 1 else { return [] }
        let byDigest = Dictionary(grouping: configurations.sorted { $0.key < $1.key }, by: \.value.digest)
        let groups = byDigest.values.map { $0.map(\.key).joined(separator: " and ") }.sorted()
        return [
            Problem(
                severity: .degraded, subject: "configuration",
                text: "the daemons run different ones: " + groups.joined(separator: " against "),
                remedy: "lbctl reload")
        ]
    }

    /// ` for 3 min`, or nothing when the text is not a time.
    private func since(_ time: String?, _ now: Timestamp) -> String {
        time.flatMap { Timestamp($0) }.map { " for \($0.age(at: now))" } ?? ""
    }

    /// ` 3 min ago by uid 0`, as far as it is known.
    private func decided(_ time: String, _ uid: Int?, _ now: Timestamp) -> String {
        (Timestamp(time).map { " \($0.ago(from: now))" } ?? "") + (uid.map { " by uid \($0)" } ?? " by hand")
    }
}
