// `lbctl status`: asks every daemon that is there, and shows what is wrong first.
import ArgumentParser
import Bus
import Configuration
import Glibc
import JSON
import Platform
import Varlink

struct StatusCommand: BusCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Who holds the addresses, what serves, what is sick, since when and why.",
        discussion: """
            The first line is the verdict; problems follow, the worst first, each with the next step.

            Examples:
              lbctl status
              lbctl status --direct         when busd is gone, as root
              lbctl status --json | jq -r '.problems[].text'
            """)

    @OptionGroup var bus: BusOptions
    @OptionGroup var output: OutputOptions

    func answer(from daemons: some Daemons) throws(Failure) -> Shown {
        var report = try StatusReport(from: daemons)
        // Others may not read all of it, and would take that for an error.
        if geteuid() == 0 { report.examineFiles() }
        let problems = report.status.problems(at: .now)
        return Shown(wire: [report.wire(problems)]) { screen in screen.add(report.status) }
    }
}

/// The answers that make up the status, typed and as they came.
struct StatusReport {
    private(set) var status = Status()
    private var daemons: [JSONValue] = []
    private var instances: [JSONValue] = []
    private var services: [JSONValue] = []
    private var events: [JSONValue] = []

    /// Asks all daemons. One that does not answer is part of the picture; a bus that does not is a failure.
    /// - Parameter keepsWire: the services as they came are wanted too; of ten thousand servers they take 50 MB.
    init(from caller: some Daemons, keepsWire: Bool = true) throws(Failure) {
        (status.isDirect, status.instance) = (caller.isDirect, caller.instance)
        if caller.isDirect {
            for daemon in Daemon.allCases { status.presence[daemon] = .present(since: nil, pid: nil) }
        } else {
            try askBus(caller)
        }
        var firstFailure: Failure?
        let routers = try ask(.vrrpd, &firstFailure) { () throws(Failure) in try caller.list(VrrpAPI.List()) } ?? []
        status.instances = try routers.all(\.instances)
        instances = routers.flatMap { $0.parameters["instances"]?.array ?? [] }
        try askTable(caller, keepsWire, &firstFailure)
        if caller.isDirect {
            _ = try ask(.checkd, &firstFailure) { () throws(Failure) in try caller.list(CheckAPI.List()) }
            if let firstFailure, !status.presence.values.contains(where: \.isPresent) { throw firstFailure }
        }
    }

    /// Looks whether the files that the daemons have read would be taken again.
    mutating func examineFiles(_ files: some FileLoader = DiskFiles()) {
        for loaded in status.configurations.values where status.refusedFiles[loaded.file] == nil {
            let read = Configuration.load(
                files: files, path: loaded.file, machine: ThisMachine(isExamined: false))
            guard read.digest != loaded.digest, let error = read.diagnostics.first(where: { $0.severity == .error })
            else { continue }
            status.refusedFiles[loaded.file] = "\(error.position): \(error.message)"
        }
    }

    /// What --json prints.
    func wire(_ problems: [Problem]) -> JSONObject {
        [
            "problems": .array(problems.map { .object($0.wire) }), "daemons": .array(daemons),
            "instances": .array(instances), "services": .array(services), "events": .array(events),
        ]
    }

    private mutating func askBus(_ caller: some Daemons) throws(Failure) {
        let attached = try caller.call(BusAPI.ListServices())
        daemons = attached.parameters["services"]?.array ?? []
        for service in try attached.decoded().services {
            guard let daemon = Daemon.allCases.first(where: { service.interfaces.contains($0.interface) }) else {
                continue
            }
            status.presence[daemon] = .present(since: service.since, pid: service.pid)
        }
        for (wire, event) in try caller.latest([EventType.alarm, EventType.configuration, EventType.checkHeartbeat]) {
            if event.type != EventType.checkHeartbeat { events.append(wire) }
            add(event)
        }
    }

    private mutating func add(_ event: BusAPI.Event) {
        guard let data = event.data else { return }
        if event.type == EventType.alarm, let alarm = try? data.decode(DaemonAlarm.self), alarm.active {
            status.alarms.append(Status.Alarm(subject: event.subject, since: event.time, alarm: alarm))
        } else if event.type == EventType.configuration, let loaded = try? data.decode(DaemonConfiguration.self) {
            status.configurations[event.subject] = loaded
        } else if event.type == EventType.checkHeartbeat, let beat = try? data.decode(CheckHeartbeat.self) {
            status.heartbeat = Timestamp(event.time).map { ($0, CheckHeartbeat.interval(said: beat.intervalSeconds)) }
        }
    }

    /// Each reply is let go of when it has been read.
    private mutating func askTable(
        _ caller: some Daemons, _ keepsWire: Bool, _ firstFailure: inout Failure?
    ) throws(Failure) {
        let table = try ask(.ipvsd, &firstFailure) { () throws(Failure) in
            var table: (services: [IpvsAPI.Service], wire: [JSONValue], synchronisation: IpvsAPI.Synchronisation?)
            table = ([], [], nil)
            let call = IpvsAPI.ListServices().call(more: true)
            try caller.send(call, to: nil, .everyReply(caller.timeout)) { parameters throws(Failure) in
                let reply = try Answer<IpvsAPI.ListServices>(parameters: parameters).decoded()
                table.services += reply.services
                table.synchronisation = table.synchronisation ?? reply.synchronisation
                if keepsWire { table.wire += parameters["services"]?.array ?? [] }
                return .more
            }
            return table
        }
        guard let table else { return }
        (status.services, services, status.synchronisation) = table
    }

    /// Runs `question` when the daemon is there; notes that it is not when it does not answer.
    private mutating func ask<Value>(
        _ daemon: Daemon, _ firstFailure: inout Failure?, _ question: () throws(Failure) -> Value
    ) throws(Failure) -> Value? {
        guard status.presence[daemon]?.isPresent == true else { return nil }
        do throws(Failure) {
            return try question()
        } catch {
            firstFailure = firstFailure ?? error
            status.presence[daemon] = try Self.absence(error)
            return nil
        }
    }

    /// Why a daemon did not answer; other failures are the command's own.
    private static func absence(_ failure: Failure) throws(Failure) -> Status.Presence {
        switch failure {
        case .daemonUnreachable(_, let socket, let errno): .absent("\(socket): \(errno)")
        case .notAttached, .disconnected: .absent("went away while it was asked")
        case .timedOut(_, let limit, _, _): .silent("no answer within \(limit.seconds.formatted) s")
        case .usage, .configuration, .busUnreachable, .protocolViolation, .denied, .refused, .unknownName,
            .unknownKeyword, .ambiguous, .hostRefused, .differentConfigurations, .notDone, .stillDraining, .inPart:
            throw failure
        }
    }
}

extension Problem {
    /// As JSON.
    var wire: JSONObject {
        var object: JSONObject = [
            "severity": .string(severity.name), "subject": .string(subject), "text": .string(text),
        ]
        if let remedy { object["remedy"] = .string(remedy) }
        return object
    }
}

extension Problem.Severity {
    /// In JSON and metrics.
    var name: String {
        switch self {
        case .critical: "critical"
        case .degraded: "degraded"
        case .byHand: "byHand"
        }
    }
}
