// A daemon for tests: io.evenkeel.Vrrp served by `DaemonService` with made-up instances.
import Bus
import Platform

/// Serves io.evenkeel.Vrrp on a bus.
final class TestService {
    let service: DaemonService
    private var instances: [String: VrrpAPI.Instance] = [:]
    private let listed: Int
    /// Who made the last call.
    var lastCaller: Caller?
    /// Failover calls that have not been answered.
    var kept: [Responder<VrrpAPI.Failover>] = []
    /// Names that Show was called with.
    var shown: [String] = []
    /// Connections that prepared a reload and have ended.
    var preparedEnded = 0
    /// Show calls for "VI_wait", which are not answered.
    var waiting: [Responder<VrrpAPI.Show>] = []

    init(_ bus: BusProgram, on loop: EventLoop, instances: Int = 2) throws {
        listed = instances
        service = DaemonService(
            name: "vrrpd", interface: try Interfaces.vrrp(), options: try bus.options(), loop: loop,
            logger: Logger(level: .error))
        service.events.provide(
            EventType.vrrpInstance, subjects: { [weak self] in (self?.instances.keys).map(Array.init) ?? [] },
            state: { [weak self] in self?.instances[$0] })
        try service.start(VrrpAPI.dispatch(to: self, reload: self))
        try loop.run(until: "vrrpd is attached") {
            try bus.client().call(BusAPI.ListServices()).services.map(\.name) == ["vrrpd"]
        }
    }

    func publish(_ name: String, _ priority: Int = 100, published: ((Int?) -> Void)? = nil) {
        instances[name] = Self.instance(name, priority)
        service.events.changed(EventType.vrrpInstance, subject: name, published: published)
    }

    func remove(_ name: String) {
        instances[name] = nil
        service.events.changed(EventType.vrrpInstance, subject: name)
    }

    static func instance(_ name: String, _ priority: Int = 100) -> VrrpAPI.Instance {
        VrrpAPI.Instance(
            name: name, context: .init(interface: "eth0", virtualRouterId: 51),
            runtime: .init(
                state: .master, since: SystemClock.timestamp, reason: "test", effectivePriority: priority,
                steppedDown: false, faults: [], heldAddresses: ["192.0.2.1/32"],
                statistics: .init(
                    advertisementsSent: 1, advertisementsReceived: 2, becameMaster: 3, releasedMaster: 4,
                    priorityZeroSent: 5, priorityZeroReceived: 6, discarded: ["checksum": 7])))
    }
}

extension TestService: VrrpAPI.Handler {
    func list(_ call: VrrpAPI.List, _ responder: Responder<VrrpAPI.List>) {
        responder.reply(list: (0..<listed).map { Self.instance("VI_\($0)") }) { .init(instances: $0) }
    }

    func show(_ call: VrrpAPI.Show, _ responder: Responder<VrrpAPI.Show>) {
        lastCaller = responder.caller
        shown.append(call.name)
        if call.name == "VI_wait" {
            waiting.append(responder)
            return
        }
        guard call.name.hasPrefix("VI_") else {
            return responder.fail(VrrpAPI.InstanceNotFound(name: call.name))
        }
        responder.reply(.init(instance: Self.instance(call.name)))
    }

    func failover(_ call: VrrpAPI.Failover, _ responder: Responder<VrrpAPI.Failover>) { kept.append(responder) }

    func resume(_ call: VrrpAPI.Resume, _ responder: Responder<VrrpAPI.Resume>) {
        publish(call.name) { responder.reply(.init(seq: $0)) }
    }
}

extension TestService: ReloadHandler {
    typealias API = VrrpAPI

    func prepareReload(_ call: VrrpAPI.PrepareReload, _ responder: Responder<VrrpAPI.PrepareReload>) {
        responder.whenConnectionEnds("reload") { [weak self] in self?.preparedEnded += 1 }
        responder.fail(VrrpAPI.ConfigurationRefused(diagnostics: ["there is no file"]))
    }

    func commitReload(_ call: VrrpAPI.CommitReload, _ responder: Responder<VrrpAPI.CommitReload>) {
        responder.fail(VrrpAPI.NotPrepared(digest: call.digest))
    }

    func abortReload(_ call: VrrpAPI.AbortReload, _ responder: Responder<VrrpAPI.AbortReload>) {
        responder.reply(.init())
    }
}
