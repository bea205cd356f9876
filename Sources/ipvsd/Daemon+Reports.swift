// What ipvsd tells people: log lines and alarms, both made from the service keeper's values.

import Bus
import Configuration
import Glibc
import IPVS
import Net
import Netlink
import Platform
import Scripts

/// What people are told about a service beyond its standing.
struct ServiceRecord {
    /// The side of the quorum that `since` is about.
    var side: QuorumSide?
    /// When the service came to that side.
    var since: String
    /// When it was last put right after somebody else changed the table.
    var repaired: String?
    /// How often that was.
    var repairs = 0

    /// A service that has been like this from the start.
    init(_ started: String) {
        since = started
    }
}

extension KeeperNews.Line: CustomStringConvertible {
    /// Names in one line; the others are counted.
    private static let namesInLog = 20

    /// The line, whose length does not go by the size of the table.
    var description: String {
        switch self {
        case .verdict(let server, let note): "\(server) is \(note.state.rawValue): \(note.reason)"
        case .weight(let server, let before, let now):
            "\(server): its checks change the weight from \(before) to \(now)"
        case .tableRead(let services): "IPVS table read: \(services) services of ours are in it"
        case .repaired(let commands): "somebody else changed the IPVS table; repaired: \(Self.list(commands))"
        case .changedByOthers(let services):
            "somebody else changed the IPVS table, nothing was to be done: \(Self.list(services))"
        case .refused(let service, let text): "\(service) is not as it should be: \(text)"
        case .drained(let servers, let isCut):
            "drained, leaves the table\(isCut ? " because its time is over" : ""): \(Self.list(servers))"
        case .orphansDropped(let servers):
            "too many decisions about servers that are not configured; forgotten: \(Self.list(servers))"
        case .timeoutsNotSet(let error): "lvs_timeouts not set: \(error)"
        }
    }

    private static func list(_ items: [some CustomStringConvertible]) -> String {
        let named = items.prefix(namesInLog).map(\.description).joined(separator: ", ")
        return items.count > namesInLog ? "\(named) and \(items.count - namesInLog) more" : named
    }
}

extension IPVSDaemon {
    func log(_ line: KeeperNews.Line) {
        switch line {
        case .verdict, .weight, .drained: logger.notice("\(line)")
        case .tableRead: logger.info("\(line)")
        case .repaired, .changedByOthers, .orphansDropped, .timeoutsNotSet: logger.warning("\(line)")
        case .refused: logger.error("\(line)")
        }
    }

    /// The alarms that stand, as a function of the keeper's state.
    var standingAlarms: [IPVSAlarm: Alarm] {
        var alarms: [IPVSAlarm: Alarm] = [:]
        alarms[.configuration] = configurationAlarm
        alarms[.kernel] = keeper.kernelHealth.problem.map { Alarm(message: $0.message, remedy: $0.remedy) }
        if let service = keeper.refusals.keys.min(by: { "\($0)" < "\($1)" }) {
            let others = keeper.refusals.count > 1 ? " (and \(keeper.refusals.count - 1) more services)" : ""
            alarms[.refused] = Alarm(
                message: "the kernel refuses \(service)\(others): \(keeper.problem(of: service) ?? "")",
                remedy: "see 'lbctl service list'; retrying")
        }
        alarms[.buffers] = kernel.bufferProblem.map {
            Alarm(
                message: "lvs_netlink_cmd_rcv_bufs: \($0)",
                remedy: "write lvs_netlink_cmd_rcv_bufs_force, or raise net.core.rmem_max")
        }
        // Of several with one name the first is said.
        for pitfall in pitfalls.pitfalls.reversed() { alarms[pitfall.key] = pitfall.alarm }
        alarms[.marks] = marks.problem.map {
            Alarm(
                message:
                    "packets of virtual_server_groups get no mark (nftables_ipvs), so nothing balances them: \($0)",
                remedy: $0.code == EPERM
                    ? "give the process CAP_NET_ADMIN; retrying"
                    : "the kernel needs nf_tables with ranges of concatenations (Linux 5.6): 'modprobe nf_tables'; or leave "
                        + "nftables_ipvs out; retrying")
        }
        alarms[.synchronisation] = sync.problem.map { Alarm(message: $0.message, remedy: $0.remedy) }
        alarms[.state] = stateAlarm
        alarms.merge(tellingAlarms) { first, _ in first }
        return alarms
    }

    private var tellingAlarms: [IPVSAlarm: Alarm] {
        var alarms: [IPVSAlarm: Alarm] = [:]
        if let (subject, why) = teller.refusals.min(by: { "\($0.key)" < "\($1.key)" }) {
            let others = teller.refusals.count > 1 ? " (and of \(teller.refusals.count - 1) more)" : ""
            alarms[.notify] = Alarm(
                message: "\(subject)\(others): \(why)",
                remedy: "mend the program or its line; 'lbctl config check' names each")
        }
        if let hindrance = teller.hindrance, loop.now - hindrance.since >= ScriptReport.patience {
            alarms[.scripts] = Alarm(
                message: "programs are not told: \(hindrance.why)",
                remedy: "see 'systemctl status \(scriptdUnit)'; it is tried again")
        }
        for (path, trouble) in teller.troubles {
            alarms[.pipe(path)] = Alarm(
                message: "\(path): \(trouble)", remedy: "let its reader run, or take it out of the configuration")
        }
        return alarms
    }

    /// Why a subject stands as it does, for its programs.
    func reason(for subject: ServiceSubject) -> String {
        switch subject {
        case .service(let service):
            guard let pool = keeper.reconciler.standings[service]?.pool else { return "" }
            return "weight \(pool.livingWeight), quorum \(pool.configuration.quorum)"
        case .server(let server): return keeper.notes[server]?.reason ?? "not checked"
        }
    }

    func log(_ remark: NoticeRemark<ServiceSubject>) {
        switch remark {
        case .leftOut(let subject, let count):
            logger.warning("\(subject): \(count) programs are not told: too many wait behind one that hangs")
        case .failed(let subject, let word, let outcome, let line):
            logger.warning("\(subject): \(word): \(outcome)\(line.isEmpty ? "" : ": " + line)")
        }
    }

    /// What counts instead of a file that could not be read as a whole.
    private var standIn: String {
        keeper.decisions.isFromCopy
            ? "those that were in force before the restart go on; " : "those that could not be read are not in force; "
    }

    private var stateAlarm: Alarm? {
        switch keeper.decisions.trouble {
        case .unreadable(let path, let error):
            Alarm(
                message: "decisions made by hand cannot be read: \(path): \(error); \(standIn)the file is left alone, "
                    + "new ones are not kept",
                remedy: "make it a plain file that the daemon's user can read, then restart ipvsd")
        case .unwritable(let path, let error):
            Alarm(
                message: "decisions made by hand cannot be kept: \(path): \(error)"
                    + (keeper.decisions.copyTrouble.map { "; \($0)" } ?? ""),
                remedy: "make room or give the daemon's user access to the directory; retrying")
        case .behind(let path, let isMissing, let older):
            Alarm(
                message: "decisions made by hand were \(isMissing ? "gone" : "older than those in force"): \(path); "
                    + "\(standIn)they are written there" + (older.map { ", and the older ones are at \($0)" } ?? ""),
                remedy:
                    "see that the disk is there when ipvsd starts; compare 'lbctl server list' with what you want; the next "
                    + "start of ipvsd ends this alarm")
        case .damaged(let path, let understood):
            Alarm(
                message: "decisions made by hand were damaged: \(understood) could be read; \(standIn)the file is at "
                    + "\(path) now",
                remedy: "compare it with 'lbctl server list', repeat what is missing, then restart ipvsd")
        case nil:
            keeper.memory.failure.map {
                Alarm(
                    message: "what is known of the servers cannot be kept for a restart: \(keeper.memory.path): \($0)",
                    remedy: "make room or give the daemon's user access to the directory; retrying")
            }
        }
    }
}
