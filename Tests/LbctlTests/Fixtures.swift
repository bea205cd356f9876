import Bus
// Made-up directors: the data of every screen in these tests. All times are counted back from one moment.
import Foundation
import JSON
import Testing

@testable import lbctl

/// The moment at which the screens are shown.
let now = Timestamp(milliseconds: 1_795_273_445_000)

/// The moment so many seconds before, as the bus writes it.
func before(_ seconds: Int) -> String {
    let second = 60 * 60 * 15 + 4 * 60 + 5 - seconds
    func padded(_ value: Int) -> String { value < 10 ? "0\(value)" : String(value) }
    return "2026-11-21T\(padded(second / 3600)):\(padded(second / 60 % 60)):\(padded(second % 60)).000Z"
}

/// How wide the screens of a test are; nil as for a pipe.
enum ScreenWidth {
    @TaskLocal static var current: Int?
}

/// A screen without colour.
func shown(colour: Bool = false, _ body: (inout Screen) throws -> Void) rethrows -> String {
    var screen = Screen(style: Style(isColoured: colour), now: now, width: ScreenWidth.current)
    try body(&screen)
    return screen.text
}

extension VrrpAPI.Instance {
    static func sample(
        _ name: String = "VI_1", _ state: VrrpAPI.State = .master, reason: String, held: [String]? = nil,
        priority: Int = 100, effective: Int? = nil, master: String? = nil, steppedDown: Bool = false,
        faults: [String] = []
    ) -> Self {
        let addresses = ["192.168.200.254/24"]
        return Self(
            name: name,
            context: .init(
                interface: "eth0", virtualRouterId: 51, version: 2, priority: priority,
                advertisementIntervalMilliseconds: 1000, preempt: true, preemptDelayMilliseconds: 0,
                sourceAddress: "192.168.200.101", virtualAddresses: addresses),
            runtime: .init(
                state: state, since: before(192), reason: reason, effectivePriority: effective ?? priority,
                steppedDown: steppedDown, faults: faults, master: master, masterPriority: master == nil ? nil : 150,
                masterDownIntervalMilliseconds: 3609,
                heldAddresses: held ?? (state == .master ? addresses : []),
                statistics: .init(
                    advertisementsSent: 192, advertisementsReceived: 3, becameMaster: 1, releasedMaster: 0,
                    priorityZeroSent: 0, priorityZeroReceived: 1, discarded: ["checksum": 2, "ttl": 0])))
    }
}

extension IpvsAPI.Server {
    static func sample(
        _ address: String, _ health: IpvsAPI.Health = .up, weight: Int = 1, effective: Int? = nil,
        reason: String = "all checks pass", override: IpvsAPI.Override? = nil, active: Int? = 12,
        service: String = "tcp/192.168.200.254:80", stale: Bool = false
    ) -> Self {
        let taken = override.map { $0.kind == .drain || $0.kind == .disable ? 0 : $0.weight ?? weight }
        let effective = effective ?? (health == .up ? taken ?? weight : 0)
        return Self(
            name: "\(service)/\(address)",
            context: .init(address: String(address.prefix { $0 != ":" }), port: 80, forwarding: .dr, weight: weight),
            runtime: .init(
                health: health, since: before(600), reason: reason, stale: stale, inKernel: health == .up,
                effectiveWeight: effective, override: override, activeConnections: active,
                inactiveConnections: active.map { $0 * 3 }, persistentConnections: nil,
                counters: .init(connections: 4711, packetsIn: 1, packetsOut: 0, bytesIn: 60, bytesOut: 0)))
    }
}

extension IpvsAPI.Service {
    static func sample(
        _ name: String = "tcp/192.168.200.254:80", _ state: IpvsAPI.ServiceState = .up,
        reason: String = "quorum is there",
        servers: [IpvsAPI.Server], sorry: String? = nil, problem: String? = nil, inKernel: Bool = true
    ) -> Self {
        Self(
            name: name,
            context: .init(
                transport: .tcp, address: "192.168.200.254", port: 80, family: .inet, scheduler: "rr", quorum: 1,
                sorryServer: sorry),
            runtime: .init(
                state: state, since: before(7300), reason: reason,
                weightUp: servers.reduce(0) { $0 + $1.runtime.effectiveWeight },
                onSorryServer: sorry != nil && state == .down, inKernel: inKernel, problem: problem,
                counters: .init(connections: 9422, packetsIn: 80_000, packetsOut: 0, bytesIn: 5_000_000, bytesOut: 0))
        )
        .with(servers)
    }

    private init(name: String, context: IpvsAPI.ServiceContext, runtime: IpvsAPI.ServiceRuntime) {
        self.init(name: name, context: context, runtime: runtime, servers: [])
    }

    private func with(_ servers: [IpvsAPI.Server]) -> Self {
        var copy = self
        copy.servers = servers
        return copy
    }
}

extension Status {
    /// Everything attached, nothing wrong.
    static var well: Status {
        var status = Status()
        for (index, daemon) in Daemon.allCases.enumerated() {
            status.presence[daemon] = .present(since: before(10_000), pid: 811 + index)
            status.configurations[daemon.rawValue] = DaemonConfiguration(
                digest: "0a1b2c3d4e5f", file: "/etc/keepalived/keepalived.conf", loaded: before(10_000))
        }
        status.instances = [.sample(reason: "no advert from 192.168.200.102 for 3.609 s")]
        status.services = [.sample(servers: [.sample("192.168.200.103:80"), .sample("192.168.200.104:80", active: 9)])]
        return status
    }

    /// One of each kind of trouble.
    static var troubled: Status {
        var status = well
        status.presence[.checkd] = .absent(nil)
        status.configurations["vrrpd"]?.digest = "ffffffff0000"
        status.instances = [
            .sample(reason: "no advert from 192.168.200.102 for 3.609 s", held: []),
            .sample("VI_2", .fault, reason: "interface eth1 is down", faults: ["interface eth1 is down"]),
            .sample("VI_3", .backup, reason: "Failover was called", master: "192.168.200.102", steppedDown: true),
        ]
        let drained = IpvsAPI.Override(kind: .drain, since: before(300), uid: 0)
        status.services = [
            .sample(servers: [
                .sample("192.168.200.103:80", .down, reason: "connection refused", active: 0, stale: true),
                .sample("192.168.200.104:80", override: drained),
            ]),
            .sample(
                "tcp/192.168.200.254:443", .down, reason: "0 of weight 1 is up",
                servers: [
                    .sample(
                        "192.168.200.103:443", .down, reason: "timeout", active: 0, service: "tcp/192.168.200.254:443")
                ], sorry: "192.168.200.9:80"),
        ]
        status.alarms = [
            Status.Alarm(
                subject: "ipvsd/module", since: before(60),
                alarm: DaemonAlarm(message: "module ip_vs is not loaded", remedy: "modprobe ip_vs"))
        ]
        return status
    }
}

extension CheckAPI.ServerHealth {
    static func sample(_ state: CheckAPI.Health) -> Self {
        let reason = state == .up ? "connected" : "connection refused"
        let server = state == .up ? "192.168.200.103:80" : "192.168.200.104:80"
        let runtime = CheckAPI.CheckRuntime(
            state: state, since: before(600), reason: reason, successes: state == .up ? 100 : 0,
            failures: state == .up ? 0 : 3, lastProbe: before(2), durationMicroseconds: state == .up ? 412 : 1_203_000)
        return Self(
            server: "tcp/192.168.200.254:80/\(server)", state: state, verified: true, since: before(600),
            reason: reason,
            checks: [
                .init(name: "TCP_CHECK 1", context: .init(kind: "TCP_CHECK", target: server), runtime: runtime),
                .init(name: "HTTP_GET 1", context: .init(kind: "HTTP_GET", target: server), runtime: runtime),
            ])
    }

    /// Down for changing too often, though its checks succeed; they are those of another service too.
    static var held: Self {
        var server = Self.sample(.up)
        (server.state, server.since, server.heldSince) = (.down, before(120), before(60))
        server.reason = "held down, more than 5 changes in 600 s (flap_limit); now: the check succeeds"
        for index in server.checks.indices { server.checks[index].runtime.sharedBy = 2 }
        return server
    }

    static var unchecked: Self {
        Self(
            server: "tcp/192.168.200.254:80/192.168.200.105:80", state: .up, verified: false, since: before(600),
            reason: "not checked",
            checks: [])
    }
}

extension CheckAPI.CheckHistory {
    static var sample: Self {
        Self(
            name: "TCP_CHECK 1",
            changes: [
                .init(time: before(3600), state: .up, reason: "succeeds"),
                .init(time: before(600), state: .down, reason: "connection refused"),
            ],
            latency: [
                .init(upToMicroseconds: 250, probes: 0), .init(upToMicroseconds: 500, probes: 1204),
                .init(probes: 2),
            ])
    }
}

extension [CheckAPI.Trial] {
    static var samples: Self {
        [
            CheckAPI.Trial(
                name: "SSL_GET 1", step: "/health", outcome: .success, durationMicroseconds: 8120,
                notes: [
                    .init(microseconds: 310, text: "connected"),
                    .init(microseconds: 8010, text: "< HTTP/1.0 200 OK"),
                    .init(microseconds: 8100, text: "certificate until 2027-01-01T00:00:00.000Z"),
                ]),
            CheckAPI.Trial(
                name: "TCP_CHECK 2", outcome: .failure, reason: "connection refused", durationMicroseconds: 250,
                notes: []),
            CheckAPI.Trial(
                name: "PING_CHECK 3", outcome: .inconclusive, reason: "checkd's group may not send pings",
                durationMicroseconds: 20, notes: []),
        ]
    }
}

extension [BusAPI.Event] {
    /// One of every type, and a removal of each kind.
    static var samples: Self {
        let service = IpvsAPI.Service.sample(servers: [.sample("192.168.200.103:80")])
        let configuration = DaemonConfiguration(digest: "0a1b2c3d4e5f", file: "/etc/k.conf", loaded: before(0))
        return [
            event(EventType.vrrpInstance, "VI_1", VrrpAPI.Instance.sample(reason: "no advert for 3.609 s")),
            event(EventType.vrrpInstance, "VI_1", VrrpAPI.Instance.sample("VI_1", .backup, reason: "higher priority")),
            event(
                EventType.vrrpLate, "VI_1",
                VrrpAPI.LateTimer(
                    instance: "VI_1", at: before(0), latenessMilliseconds: 4321, state: .master, gaveWay: true, count: 2
                )),
            event(
                EventType.vrrpMasters, "VI_1",
                VrrpAPI.OtherMaster(
                    instance: "VI_1", peer: "192.168.200.102", since: before(0), reason: "lowerPriority",
                    detail: "it does not hear this director")),
            event(EventType.vrrpMasters, "VI_1", VrrpAPI.OtherMaster?.none),
            event(
                EventType.vrrpDropped, "VI_1",
                VrrpAPI.DroppedPeer(
                    instance: "VI_1", peer: "192.168.200.102", since: before(0), reason: "authentication",
                    detail: "wrong password", count: 7)),
            event(
                EventType.vrrpSession, "web3",
                VrrpAPI.BFDSession(
                    name: "web3", neighbor: "192.168.200.103", state: .failed, since: before(0),
                    detail: "down: control detection time expired")),
            event(
                EventType.checkServer, "tcp/192.168.200.254:80/192.168.200.104:80", CheckAPI.ServerHealth.sample(.down)),
            event(
                EventType.ipvsService, service.name,
                IpvsAPI.ServiceSummary(name: service.name, context: service.context, runtime: service.runtime)),
            event(EventType.ipvsServer, service.servers[0].name, service.servers[0]),
            event(EventType.alarm, "ipvsd/module", DaemonAlarm(message: "no ip_vs", remedy: "modprobe ip_vs")),
            event(EventType.alarm, "ipvsd/module", DaemonAlarm?.none),
            event(EventType.configuration, "vrrpd", configuration),
            event(EventType.interface, "io.evenkeel.Ipvs", BusAPI.InterfaceState(state: .lost, service: "ipvsd")),
            event(EventType.vrrpInstance, "VI_9", VrrpAPI.Instance?.none),
        ]
    }

    private static func event(_ type: String, _ subject: String, _ data: (some JSONCodable)?) -> BusAPI.Event {
        BusAPI.Event(
            specversion: "1.0", id: "1", source: "/test", type: type, subject: subject, time: before(0),
            data: data?.json)
    }
}

/// A directory for one test's files.
struct ScratchDirectory {
    let path: String

    init() {
        path = FileManager.default.temporaryDirectory.appending(path: "lbctl-\(UUID().uuidString)").path
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    /// Writes a file, in directories that it makes; gives its path.
    func write(_ text: String, _ name: String) throws -> String {
        let path = "\(path)/\(name)"
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }
}

/// The file of a director with one virtual router.
let sampleInstance = """
    vrrp_instance VI_1 {
        interface eth0
        virtual_router_id 51
        advert_int 0.4
        virtual_ipaddress {
            192.0.2.1/24
        }
    }

    """

/// What a command fails with; nil: it does not.
func failure(_ body: () throws -> Void) -> Failure? {
    do {
        try body()
        return nil
    } catch {
        return error as? Failure
    }
}
