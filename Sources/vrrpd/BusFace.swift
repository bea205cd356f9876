// vrrpd on the bus: io.evenkeel.Vrrp, and events about instances, alarms and the configuration. Nothing here is on the way of an
// election: what happened is said at the end of a turn, and without busd the daemon goes on.

import Bus
import Configuration
import Net
import Platform
import Scripts
import VRRP

/// Answers calls, publishes events and writes the log of a daemon.
final class BusFace {
    private let daemon: Daemon
    private let service: DaemonService
    private let logger: Logger
    private let steppedDownFile: LedgerFile
    private let runDirectory: String
    private let scriptdUnit: String
    let alarms: StandingAlarms<VrrpAlarm>
    /// Goes over to new configurations.
    let reload: ConfigurationReload<VrrpAPI>
    /// Routers with something for a person to mend, and its alarms.
    private var concerned: [RouterID: [VrrpAlarm: Alarm]] = [:]
    private let incidents: Incidents
    /// Alarms that are not about a router.
    private var machine: [VrrpAlarm: Alarm] = [:]

    /// A face that is not shown yet.
    init(
        _ daemon: Daemon, steppedDown file: LedgerFile, options: DaemonOptions, running global: GlobalDefinitions,
        loop: EventLoop, logger: Logger,
        adopt: @escaping (Configuration) -> Void
    ) throws {
        self.daemon = daemon
        self.logger = logger
        steppedDownFile = file
        runDirectory = options.runDirectory
        scriptdUnit = options.unit(of: "scriptd")
        service = DaemonService(
            name: "vrrpd", interface: try Interfaces.vrrp(), options: options, loop: loop, logger: logger)
        alarms = StandingAlarms(daemon: "vrrpd", events: service.events, logger: logger)
        reload = ConfigurationReload(
            VrrpAPI.self, on: service, path: options.config, running: global, loop: loop,
            changes: { [daemon] in daemon.director.changes(to: $0) },
            adopt: { adopt($0.configuration) })
        service.events.provide(
            EventType.vrrpInstance,
            subjects: { [daemon] in daemon.director.order.compactMap { daemon.director.name(of: $0) } },
            state: { [daemon] name in daemon.director.router(named: name).flatMap { daemon.description(of: $0) } })
        incidents = Incidents(of: daemon, on: service.events)
        file.failureChanged = { [weak self] in self?.steppedDownIsSaved($0) }
        daemon.observer = self
    }

    /// BFD sessions are events of their own: checks look at them, too. While there are some, those who do hear that this loop runs.
    func publish(_ sessions: BFDSessions) {
        service.events.provide(
            EventType.vrrpHeartbeat, subjects: { [unowned sessions] in sessions.names.isEmpty ? [] : ["vrrpd"] },
            state: { [unowned sessions] _ in
                sessions.names.isEmpty ? nil : VrrpAPI.Heartbeat(intervalSeconds: CheckHeartbeat.interval)
            })
        sessions.beat = { [weak self] in self?.service.events.changed(EventType.vrrpHeartbeat, subject: "vrrpd") }
        service.events.provide(
            EventType.vrrpSession, subjects: { [unowned sessions] in sessions.names },
            state: { [unowned sessions] in sessions.description(of: $0) })
        sessions.changed = { [weak self] in self?.service.events.changed(EventType.vrrpSession, subject: $0) }
    }

    /// Listens on the private socket.
    func start() throws(Errno) {
        try service.start(VrrpAPI.dispatch(to: self, reload: reload))
    }

    /// Everything has been published once.
    func stateIsComplete(_ loaded: ConfigurationFile) {
        reload.alarmChanged = { [weak self] in self?.set(.configuration, $0) }
        reload.publish(loaded)
        service.events.stateIsComplete()
    }

    /// Sets or ends an alarm that is not about a router.
    func set(_ key: VrrpAlarm, _ alarm: Alarm?) {
        machine[key] = alarm
        showAlarms()
    }

    // MARK: Alarms

    private func showAlarms() {
        var wanted = machine
        for alarms in concerned.values { wanted.merge(alarms) { first, _ in first } }
        alarms.replace(with: wanted)
    }

    private func steppedDownIsSaved(_ failure: Errno?) {
        set(
            .steppedDown,
            failure.map {
                Alarm(
                    message: "\(steppedDownFile.path): \($0)",
                    remedy: "a restart would forget who stepped down; make the directory writable")
            })
    }
}

extension BusFace: VrrpAPI.Handler {
    func list(_ call: VrrpAPI.List, _ responder: Responder<VrrpAPI.List>) {
        responder.reply(list: daemon.director.order) { [daemon] part in
            VrrpAPI.List.Reply(instances: part.compactMap { daemon.description(of: $0) })
        }
    }

    func show(_ call: VrrpAPI.Show, _ responder: Responder<VrrpAPI.Show>) {
        guard let instance = daemon.director.router(named: call.name).flatMap({ daemon.description(of: $0) }) else {
            return responder.fail(VrrpAPI.InstanceNotFound(name: call.name))
        }
        responder.reply(VrrpAPI.Show.Reply(instance: instance))
    }

    func failover(_ call: VrrpAPI.Failover, _ responder: Responder<VrrpAPI.Failover>) {
        guard let id = daemon.director.router(named: call.name) else {
            return responder.fail(VrrpAPI.InstanceNotFound(name: call.name))
        }
        guard daemon.stepDown(id) else { return responder.reply(ChangeReply()) }
        log(call.name, "steps down", responder.caller)
        whenPublished(call.name) { responder.reply(ChangeReply(seq: $0)) }
    }

    func resume(_ call: VrrpAPI.Resume, _ responder: Responder<VrrpAPI.Resume>) {
        guard let id = daemon.director.router(named: call.name) else {
            return responder.fail(VrrpAPI.InstanceNotFound(name: call.name))
        }
        guard daemon.resume(id) else { return responder.reply(ChangeReply()) }
        log(call.name, "takes part again", responder.caller)
        whenPublished(call.name) { responder.reply(ChangeReply(seq: $0)) }
    }

    private func log(_ name: String, _ what: String, _ caller: Caller) {
        logger.notice("\(name): \(what), asked by uid \(caller.uid) (pid \(caller.pid))")
    }

    /// Calls `body` with the place of the instance's next event.
    private func whenPublished(_ name: String, _ body: @escaping (Int?) -> Void) {
        service.events.changed(EventType.vrrpInstance, subject: name, published: body)
    }
}

extension BusFace: DaemonObserver {
    func happened(_ remark: Remark) {
        func name(_ id: RouterID) -> String { daemon.standings[id]?.name ?? "a removed instance" }
        switch remark {
        case .transition(let id, let transition, let priority):
            logger.notice(
                "\(name(id)): \(transition.to) at priority \(priority) (was \(transition.from)): \(transition.cause)")
        case .refused(let id, let error, let source):
            logger.warning("\(name(id)): advertisement from \(source.map { "\($0)" } ?? "unknown"): \(error)")
        case .foreign(let identifier, let source):
            logger.debug("advertisement of virtual router \(identifier) from \(source): not ours")
        case .takenOff(let id, let prefix):
            logger.warning("\(name(id)): somebody else took off \(prefix); it is put back")
        case .leftBehind(let id, let prefixes):
            let list = prefixes.map { "\($0)" }.joined(separator: ", ")
            logger.notice("\(name(id)): left behind by an earlier process and taken off: \(list)")
        case .routingTakenOff(let id, let what):
            logger.warning("\(name(id)): somebody else took off \(what); it is put back")
        case .routingLeftBehind(let id, let names):
            logger.notice(
                "\(name(id)): left behind by an earlier process and taken off: \(names.joined(separator: ", "))")
        case .notifyFailed(let subject, let word, let outcome, let line):
            logger.warning("\(subject): \(word): \(outcome)\(line.isEmpty ? "" : ": " + line)")
        case .lifeScript(let word, .ended(.exited(0), _)): logger.notice("\(word) is done")
        case .lifeScript(let word, let report): logger.error("\(word): \(report.words)")
        case .noticesLeftOut(let subject, let count):
            logger.warning("\(subject): \(count) programs are not told: too many wait behind one that hangs")
        case .sending(let id, let failure?):
            logger.warning("\(name(id)): \(failure)")
        case .script(let name, let isGood, let outcome, let line):
            let text = "track_script \(name) \(isGood ? "succeeds" : "has failed"): \(outcome)"
            logger.notice(line.isEmpty || isGood ? text : text + ": " + line)
        case .tracker(let tracker, let report):
            logger.notice("\(tracker): \(report.words)")
        case .late(let id, let late):
            logger.warning("\(name(id)): \(late)")
            incidents.note(late, of: id)
        case .sending(let id, nil):
            logger.notice("\(name(id)): advertisements are sent again")
        }
    }

    func changed(_ routers: Set<RouterID>) {
        for id in routers {
            let before = daemon.standings[id]?.name
            let after = daemon.director.name(of: id)
            for name in Set([before, after].compactMap(\.self)) {
                service.events.changed(EventType.vrrpInstance, subject: name)
            }
            concerned[id] = after.map { daemon.director.concerns(of: id, at: daemon.now).alarms(of: $0) }
            if concerned[id]?.isEmpty == true { concerned[id] = nil }
            incidents.changed(id, name: after)
        }
        let strays = daemon.director.strayTroubles(at: daemon.now)
        machine[.leftovers] = strays.first?.alarm(others: strays.count - 1)
        let strayRouting = daemon.director.strayRoutingTroubles(at: daemon.now)
        machine[.hostRouting] = strayRouting.first?.alarm(others: strayRouting.count - 1)
        showAlarms()
    }

    func steppedDown(_ identities: Set<String>) {
        let text = identities.sorted().map { $0 + "\n" }.joined()
        steppedDownFile.write { Array(text.utf8) }
    }

    func troubled(_ trouble: Trouble) {
        machine[.table] = trouble.table.map {
            Alarm(
                message: "interfaces and addresses cannot be read: \($0)",
                remedy: "it is tried again every second; until then changes of interfaces may go unnoticed")
        }
        machine[.rules] = trouble.rules.map {
            Alarm(
                message: "packets to addresses with no_accept are not dropped: \($0)",
                remedy: "it is tried again every second; the kernel needs nf_tables, and vrrpd CAP_NET_ADMIN")
        }
        machine[.heartbeat] = trouble.notes.map {
            Alarm(
                message: "the heartbeat file in \(runDirectory)/vrrpd: \($0)",
                remedy: "a restart will be a failover; make that a directory that only root can write, with room")
        }
        machine[.scripts] = trouble.scripts.map {
            Alarm(
                message: "scripts are not run: \($0)",
                remedy: "what they said last stands, whatever happens; systemctl status \(scriptdUnit)")
        }
        for key in machine.keys {
            switch key {
            case .notify, .pipe: machine[key] = nil
            default: break
            }
        }
        for (subject, words) in trouble.notify {
            machine[.notify(subject)] = Alarm(
                message: words, remedy: "it is tried again at the next change; mend the file or the configuration")
        }
        for (path, words) in trouble.pipes {
            machine[.pipe(path)] = Alarm(
                message: "\(path): \(words)",
                remedy: "it is tried again; mend what reads it, or take the word out of the configuration")
        }
        machine[.gratuitousARP] = trouble.frames.map {
            Alarm(message: "gratuitous ARP: \($0)", remedy: "give vrrpd CAP_NET_RAW; look at the interface's queue")
        }
        showAlarms()
    }
}
