// Has the administrator's programs and pipes told about services and servers: quorum_up, quorum_down, notify_up, notify_down,
// lvs_notify_fifo and notify_fifo. Nothing here is waited for: the table comes first, and what has been told goes to the disk by itself.

import Configuration
import IPVS
import Net
import Platform
import Scripts

/// Runs programs that are told something.
protocol JobRunner: AnyObject {
    /// Something is known of a job, by its number.
    var heard: ((Int, ScriptReport) -> Void)? { get set }
    /// Begins it.
    func tell(_ job: NotifyJob, _ rules: ScriptRules)
    /// Ends it.
    func end(_ job: NotifyJob)
}

/// Writes lines into pipes.
protocol LinePipes: AnyObject {
    /// Goes over to these pipes.
    func adopt(_ pipes: [NotifyPipeConfiguration], _ rules: ScriptRules)
    /// Writes a line about a subject.
    func write(_ text: String, about subject: String)
    /// What is wrong with which pipe.
    var troubles: [String: String] { get }
    /// Nothing waits to be written.
    var isIdle: Bool { get }
}

final class ServiceTeller {
    /// Programs at once: of a pool that dies whole many would otherwise be begun together.
    private static let atOnce = 64

    private let runner: any JobRunner
    private let pipes: any LinePipes
    private let store: any StateStore
    private let boot: String
    private let clock: () -> Instant
    private var notices: ServiceNotices
    private var queue = NoticeQueue<ServiceSubject>(atOnce: atOnce)
    private var rules = ScriptRules()
    /// Somebody is told something.
    private var isInUse = false
    private var handedOver = 0
    private var isWriting = false
    private var remarks: [NoticeRemark<ServiceSubject>] = []
    /// Called when something is to be done.
    var changed: (() -> Void)?

    init(
        runner: any JobRunner, pipes: any LinePipes, store: any StateStore, boot: String,
        clock: @escaping () -> Instant
    ) {
        self.runner = runner
        self.pipes = pipes
        self.store = store
        self.boot = boot
        self.clock = clock
        let octets = (try? store.read()) ?? nil
        notices = ServiceNotices(
            remembered: ToldMemory.told(in: String(decoding: octets ?? [], as: UTF8.self), boot: boot))
        runner.heard = { [weak self] number, report in
            guard let self else { return }
            queue.heard(report, of: number, at: self.clock())
            changed?()
        }
    }

    /// When `turn` has something to do.
    var deadline: Instant { queue.deadline ?? .distantFuture }

    /// Everybody has been told, or cannot be.
    var isIdle: Bool { queue.isIdle && pipes.isIdle }

    /// Programs that cannot be run, by whom they would be told about.
    var refusals: [ServiceSubject: String] { queue.refusals }

    /// Why programs are not told now.
    var hindrance: Hindrance? { queue.hindrance }

    /// What is wrong with which pipe.
    var troubles: [String: String] { pipes.troubles }

    /// For the log, since it was last asked.
    func takeRemarks() -> [NoticeRemark<ServiceSubject>] {
        defer { remarks = [] }
        return remarks
    }

    /// Before a configuration is gone over to: what stands until then is no news for those who are told from now on. Where nobody is told
    /// anything, nothing is compared meanwhile.
    func prepare(for configuration: Configuration, _ standings: [VirtualServerIdentity: Standing]) {
        guard !isInUse, !configuration.servicePipes.isEmpty || !Self.programs(of: configuration).isEmpty else { return }
        for standing in standings.values { _ = notices.look(at: standing) }
    }

    /// Goes over to a configuration.
    func configure(_ configuration: Configuration, at now: Instant) {
        rules = configuration.global.scriptRules
        pipes.adopt(configuration.servicePipes, rules)
        let programs = Self.programs(of: configuration)
        isInUse = !configuration.servicePipes.isEmpty || !programs.isEmpty
        tell(notices.configure(configuration), at: now) { _ in "left the configuration" }
        queue.adopt(programs)
    }

    private static func programs(of configuration: Configuration) -> [ServiceSubject: [ToldProgram]] {
        var programs: [ServiceSubject: [ToldProgram]] = [:]
        for service in configuration.virtualServers {
            let own = [
                service.quorumUp.map { ToldProgram("quorum_up", $0) },
                service.quorumDown.map { ToldProgram("quorum_down", $0) },
            ].compactMap(\.self)
            if !own.isEmpty { programs[.service(service.identity)] = own }
            for server in service.realServers where server.notifyUp != nil || server.notifyDown != nil {
                programs[.server(ServerIdentity(service.identity, server.endpoint))] = [
                    server.notifyUp.map { ToldProgram("notify_up", $0) },
                    server.notifyDown.map { ToldProgram("notify_down", $0) },
                ].compactMap(\.self)
            }
        }
        return programs
    }

    /// Compares services with what was told. `all`: everything; else only what is said to be new.
    func look(
        at standings: [VirtualServerIdentity: Standing], _ news: KeeperNews, all: Bool, at now: Instant,
        reason: (ServiceSubject) -> String
    ) {
        guard isInUse else { return }
        let whole = all || news.everything ? Set(standings.keys) : notices.unseen
        for service in whole {
            if let standing = standings[service] { tell(notices.look(at: standing), at: now, reason) }
        }
        var servers = Dictionary(news.services.map { ($0, Set<Endpoint>()) }) { first, _ in first }
        for server in news.servers { servers[server.service, default: []].insert(server.endpoint) }
        for (service, endpoints) in servers where !whole.contains(service) {
            if let standing = standings[service] { tell(notices.look(at: standing, endpoints), at: now, reason) }
        }
    }

    /// Does what is due, has begun what is to begin, and has the disk told what was told.
    func turn(at now: Instant) {
        if deadline <= now { queue.due(at: now) }
        let (orders, remarks) = queue.take()
        self.remarks += remarks
        for order in orders {
            switch order {
            case .start(let job): runner.tell(job, rules)
            case .end(let job): runner.end(job)
            }
        }
        write()
    }

    /// The process ends for good: services with `omega` are told to be down. What waits is begun within a second.
    func end(at now: Instant) {
        tell(notices.end(), at: now, isLast: true) { _ in "ipvsd is stopped" }
        turn(at: now)
    }

    private func tell(
        _ notices: [ServiceNotice], at now: Instant, isLast: Bool = false, _ reason: (ServiceSubject) -> String
    ) {
        // Where there are no pipes and a notice has no program, nobody hears it.
        for notice in notices where isInUse || notice.program != nil {
            pipes.write(notice.line, about: "\(notice.subject)")
            queue.add(
                ToldEvent(
                    notice.subject, kind: notice.isUp ? "UP" : "DOWN", isLast: isLast,
                    programs: [notice.program].compactMap(\.self),
                    environment: notice.environment(reason: reason(notice.subject))),
                in: Self.lane(of: notice.subject), at: now)
        }
    }

    /// Programs of one server follow each other, and those of one quorum.
    private static func lane(of subject: ServiceSubject) -> String {
        switch subject {
        case .service: "service \(subject)"
        case .server: "server \(subject)"
        }
    }

    /// One write at a time, which takes what is the latest then. Where nobody is told anything nothing is kept.
    private func write() {
        guard isInUse, !isWriting, notices.version != handedOver else { return }
        handedOver = notices.version
        isWriting = true
        let told = notices.told
        store.write({ [boot] in Array(ToldMemory.text(of: told, boot: boot).utf8) }) { [weak self] _ in
            self?.isWriting = false
            self?.write()
        }
    }
}
