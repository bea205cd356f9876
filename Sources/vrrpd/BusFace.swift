// vrrpd on the bus: io.evenkeel.Vrrp, and events about instances, alarms and the configuration. Nothing here is on the way of an
// election: events are made at the end of a turn, and without busd the daemon goes on.

import Bus
import Configuration
import Net
import Platform
import VRRP

/// Answers calls and publishes events for a daemon.
final class BusFace {
    private let daemon: Daemon
    private let service: DaemonService
    private let logger: Logger
    /// Goes over to new configurations.
    let reload: ConfigurationReload<VrrpAPI>
    private var waiting: [String: [(Int?) -> Void]] = [:]

    /// A face that is not shown yet.
    init(_ daemon: Daemon, options: DaemonOptions, loop: EventLoop, logger: Logger) throws {
        self.daemon = daemon
        self.logger = logger
        service = DaemonService(
            name: "vrrpd", interface: try Interfaces.vrrp(), options: options, loop: loop, logger: logger)
        reload = ConfigurationReload(
            VrrpAPI.self, on: service, path: options.config, loop: loop,
            changes: { [daemon] in daemon.changes(to: $0) },
            adopt: { [daemon] in daemon.reload($0.configuration) })
        answerQuestions()
        answerOperators()
        daemon.publish = { [weak self] in self?.publish($0) }
        daemon.withdraw = { [weak self] in self?.service.events.remove(EventType.vrrpInstance, subject: $0) }
        daemon.alarms.changed = { [weak self] in self?.publish($0, $1) }
    }

    /// Listens on the private socket. EADDRINUSE: another vrrpd has this run directory.
    func start() throws(Errno) {
        for (key, alarm) in daemon.alarms.standing { publish(key, alarm) }
        try service.start()
    }

    /// Everything has been published once.
    func stateIsComplete(_ loaded: ConfigurationFile) {
        for instance in daemon.instances { publish(instance) }
        reload.publish(loaded)
        service.events.stateIsComplete()
    }

    private func answerQuestions() {
        service.handle(VrrpAPI.List.self) { [daemon] _, responder in
            responder.reply(list: daemon.instances.map(daemon.description)) { VrrpAPI.List.Reply(instances: $0) }
        }
        service.handle(VrrpAPI.Show.self) { [daemon] call, responder in
            guard let instance = daemon.instance(named: call.name) else {
                return responder.fail(VrrpAPI.InstanceNotFound(name: call.name))
            }
            responder.reply(VrrpAPI.Show.Reply(instance: daemon.description(of: instance)))
        }
    }

    private func answerOperators() {
        service.handle(VrrpAPI.Failover.self) { [weak self, daemon] call, responder in
            guard daemon.instance(named: call.name) != nil else {
                return responder.fail(VrrpAPI.InstanceNotFound(name: call.name))
            }
            guard daemon.stepDown(call.name) else { return responder.reply(ChangeReply()) }
            self?.log(call.name, "steps down", responder.caller)
            self?.whenPublished(call.name) { responder.reply(ChangeReply(seq: $0)) }
        }
        service.handle(VrrpAPI.Resume.self) { [weak self, daemon] call, responder in
            guard daemon.instance(named: call.name) != nil else {
                return responder.fail(VrrpAPI.InstanceNotFound(name: call.name))
            }
            guard daemon.resume(call.name) else { return responder.reply(ChangeReply()) }
            self?.log(call.name, "takes part again", responder.caller)
            self?.whenPublished(call.name) { responder.reply(ChangeReply(seq: $0)) }
        }
    }

    private func log(_ name: String, _ what: String, _ caller: Caller) {
        logger.notice("\(name): \(what), asked by uid \(caller.uid) (pid \(caller.pid))")
    }

    /// Calls `body` with the place of the instance's next event, which is on its way.
    private func whenPublished(_ name: String, _ body: @escaping (Int?) -> Void) {
        waiting[name, default: []].append(body)
    }

    private func publish(_ instance: Instance) {
        let waiting = self.waiting.removeValue(forKey: instance.name) ?? []
        service.events.publish(
            EventType.vrrpInstance, subject: instance.name, data: daemon.description(of: instance)
        ) { seq in
            for body in waiting { body(seq) }
        }
    }

    private func publish(_ key: String, _ alarm: Alarms.Alarm?) {
        let subject = "vrrpd/\(key)"
        guard let alarm else { return service.events.remove(EventType.alarm, subject: subject) }
        service.events.publish(
            EventType.alarm, subject: subject, data: DaemonAlarm(message: alarm.message, remedy: alarm.remedy))
    }
}
