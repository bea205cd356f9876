// What is told, compared with how things stand: what differs is news, once. States, not edges: what is shown a second time (a bus that is
// back, a new process of checkd) is no news, and what happened while nobody looked is. keepalived's rules of what is told (vrrp_notify.c:
// last_email_state; check_*.c; ipwrapper.c).

public import Configuration

/// What people were told, of one kind of alert.
public struct ToldAlerts: Equatable, Sendable {
    /// By name.
    public var instances: [String: RouterLook.State] = [:]
    /// By name.
    public var groups: [String: RouterLook.State] = [:]
    /// Quorums, by name on the bus.
    public var services: [String: Bool] = [:]
    /// Real servers that are not as they start, by name on the bus.
    public var servers: [String: ToldServer] = [:]
    /// Of the last change.
    public var number = 0

    /// Nothing.
    public init() {}

    /// After a boot the director's own states are told anew, as keepalived tells them when it starts; those of real servers are not.
    public mutating func forgetDirector() { (instances, groups, services) = ([:], [:], [:]) }
}

/// What was told of a real server.
public struct ToldServer: Equatable, Sendable {
    public var isUp: Bool
    /// Identities of its checkers that are down.
    public var failing: Set<String>
    /// It is held down for changing too often: of what its checkers say meanwhile nothing is told.
    public var isHeld = false
}

/// Finds out what is news.
public struct AlertJudge: Sendable {
    /// What was told; outlives the process.
    public private(set) var told: ToldAlerts { didSet { version += 1 } }
    /// Counts changes of `told`.
    public private(set) var version = 0
    private var policy = AlertPolicy()
    /// Instances as they stand.
    private var routers: [String: RouterLook] = [:]
    private var isVrrpThere = true
    /// How things stand is taken for told: a reload has brought the alerts. Of what the bus tells, and of real servers.
    private var isBusSilent = false
    private var areServersSilent = false

    /// Starts from what was told before.
    public init(told: ToldAlerts = ToldAlerts()) { self.told = told }

    /// Goes over to a policy. What left the configuration is news; what is merely not talked about any more is forgotten.
    /// - Parameter isStart: of the process; else a reload has brought it, and how things stand when it brings the first alerts is old news.
    public mutating func adopt(
        _ new: AlertPolicy, of configuration: Configuration, isStart: Bool, time: String
    ) -> [AlertChange] {
        let old = policy
        policy = new
        if old.isEmpty, !isStart { (isBusSilent, areServersSilent) = (true, true) }
        let changes = new.isEmpty ? [] : farewells(from: old, to: configuration, time)
        told.instances = told.instances.filter { new.instances.contains($0.key) }
        told.groups = told.groups.filter { new.groups[$0.key] != nil }
        told.services = told.services.filter { new.services[$0.key] != nil }
        told.servers = told.servers.filter { new.servers[$0.key] != nil }
        routers = routers.filter { new.watchedInstances.contains($0.key) }
        return changes
    }

    private mutating func farewells(
        from old: AlertPolicy, to configuration: Configuration, _ time: String
    ) -> [AlertChange] {
        var changes: [AlertChange] = []
        let instances = Set(configuration.instances.map(\.name))
        for name in told.instances.keys.sorted() where !instances.contains(name) {
            let text = "=> VRRP Deleted at reload <="
            changes.append(change(AlertSubject(.instance, name), "deleted", "Deleted", text, "", time))
        }
        let leaving = old.servers.filter { policy.servers[$0.key] == nil }
        var configured: Set<String> = []
        if !leaving.isEmpty || !old.services.isEmpty {
            for service in configuration.virtualServers {
                configured.insert("\(service.identity)")
                guard !leaving.isEmpty else { continue }
                for server in service.realServers { configured.insert("\(service.identity)/\(server.endpoint)") }
            }
        }
        for (name, server) in leaving.sorted(by: { $0.key < $1.key })
        where !configured.contains(name) && told.servers[name]?.isUp ?? !server.startsDown {
            let subject = AlertSubject(.server, name)
            changes.append(
                change(subject, "deleted", "DOWN", "=> Removing <=", "", time, title: old.title(ofServer: name)))
        }
        for (name, service) in old.services.sorted(by: { $0.key < $1.key })
        where !configured.contains(name) && told.services[name] == true {
            let subject = AlertSubject(.service, name)
            let title = "Virtualserver \(service.title)"
            changes.append(change(subject, "deleted", "DOWN", "=> Removing <=", "", time, title: title))
        }
        return changes
    }

    /// What people are to be told after a look at how something stands.
    public mutating func see(_ sight: AlertSight) -> [AlertChange] {
        switch sight {
        case .instance(let name, let look): return self.look(instance: name, look)
        case .vrrp(let isThere): return vrrp(isThere: isThere)
        case .service(let name, let look): return self.look(service: name, look)
        case .server(let name, let look): return self.look(server: name, look)
        case .everyServer: areServersSilent = false
        case .everythingOnBus: isBusSilent = false
        }
        return []
    }

    // MARK: Virtual routers

    private mutating func look(instance name: String, _ look: RouterLook) -> [AlertChange] {
        guard policy.watchedInstances.contains(name) else { return [] }
        routers[name] = look
        return judge(instance: name)
    }

    /// An instance that had given up before vrrpd went has stopped.
    private mutating func vrrp(isThere: Bool) -> [AlertChange] {
        guard isVrrpThere != isThere else { return [] }
        isVrrpThere = isThere
        let names = routers.keys.filter { routers[$0]?.state == .initialize }.sorted()
        return names.flatMap { judge(instance: $0) }
    }

    private mutating func judge(instance name: String) -> [AlertChange] {
        guard var look = routers[name] else { return [] }
        if look.state == .initialize {
            guard !isVrrpThere else { return [] }
            look.state = .stopped
        }
        var changes: [AlertChange] = []
        if policy.instances.contains(name), isNews(look.state, told.instances[name]) {
            told.instances[name] = look.state
            if !isBusSilent {
                changes.append(
                    change(
                        AlertSubject(.instance, name), look.state.rawValue, look.state.headline, look.state.text,
                        look.reason, look.since))
            }
        }
        for (group, members) in policy.groups where members.contains(name) {
            changes += judge(group: group, members, look)
        }
        return changes
    }

    /// A group is what its members are, once they agree; one in FAULT pulls the others along.
    private mutating func judge(group: String, _ members: [String], _ look: RouterLook) -> [AlertChange] {
        let states = Set(
            members.map { member in
                let state = routers[member]?.state ?? .initialize
                return state == .initialize && !isVrrpThere ? .stopped : state
            })
        guard let state = states.contains(.fault) ? .fault : states.count == 1 ? states.first : nil,
            state != .initialize, isNews(state, told.groups[group])
        else { return [] }
        told.groups[group] = state
        let subject = AlertSubject(.group, group)
        let text = state.groupText
        return isBusSilent ? [] : [change(subject, state.rawValue, state.headline, text, look.reason, look.since)]
    }

    private func isNews(_ state: RouterLook.State, _ before: RouterLook.State?) -> Bool {
        state != before && !(state == .fault && policy.skipsFaults) && !(state == .stopped && before == nil)
    }

    // MARK: Services and servers

    private mutating func look(service name: String, _ look: ServiceLook) -> [AlertChange] {
        guard let service = policy.services[name], told.services[name] != look.hasQuorum else { return [] }
        let before = told.services.updateValue(look.hasQuorum, forKey: name)
        // At the start a lost quorum is told where the sorry server steps in for it, as keepalived does.
        guard !isBusSilent, before != nil || look.hasQuorum || service.hasSorryServer else { return [] }
        let (state, headline) = look.hasQuorum ? ("up", "UP") : ("down", "DOWN")
        return [
            change(
                AlertSubject(.service, name), state, headline, look.text(isFirst: before == nil), look.reason,
                look.since, title: "Virtualserver \(service.title)")
        ]
    }

    private mutating func look(server name: String, _ look: ServerLook) -> [AlertChange] {
        guard let server = policy.servers[name], look.isVerified || areServersSilent else { return [] }
        let start = ToldServer(isUp: !server.startsDown, failing: [])
        let before = told.servers[name] ?? start
        guard !(look.isHeld && before.isHeld) else { return [] }
        let failing = look.checkers.filter { !$0.isUp }
        let now = ToldServer(isUp: look.isUp, failing: Set(failing.map(\.identity)), isHeld: look.isHeld)
        guard now != before else { return [] }
        told.servers[name] = now == start ? nil : now
        // The checkers of one that starts down are down before anybody has asked.
        let hasBegun = server.startsDown && before == start
        let isFirst = hasBegun && !look.isUp
        let isCheckersOnly = now.isUp == before.isUp && now.isHeld == before.isHeld
        guard !areServersSilent, !isFirst, !isCheckersOnly || !policy.skipsCheckers else { return [] }
        let (state, headline) = look.isUp ? ("up", "UP") : ("down", look.isHeld ? "HELD DOWN" : "DOWN")
        return [
            change(
                AlertSubject(.server, name), state, headline, Self.text(of: look, hasBegun ? nil : before), look.reason,
                look.since,
                title: policy.title(ofServer: name))
        ]
    }

    /// `before`: nil where its checkers were down before anybody had asked.
    private static func text(of look: ServerLook, _ before: ToldServer?) -> String {
        if look.isHeld { return "=> Held down: it changes its state too often <=" }
        if before?.isHeld == true { return "=> Held down no longer: it has kept still <=" }
        let turned = look.checkers.filter { $0.isUp == (before?.failing.contains($0.identity) ?? true) }
        return (turned.first { $0.isUp == look.isUp } ?? turned.first)?.text
            ?? "=> CHECK \(look.isUp ? "succeed" : "failed") on service <="
    }

    private mutating func change(
        _ subject: AlertSubject, _ state: String, _ headline: String, _ text: String, _ reason: String,
        _ time: String, title: String? = nil
    ) -> AlertChange {
        told.number += 1
        let title = title ?? (subject.kind == .group ? "VRRP Group " : "VRRP Instance ") + subject.name
        return AlertChange(
            number: told.number, subject, state: state, title: title, headline: headline, text: text, reason: reason,
            time: time)
    }
}

extension RouterLook.State {
    fileprivate var headline: String {
        switch self {
        case .master: "Entering MASTER state"
        case .backup: "Entering BACKUP state"
        case .fault: "Entering FAULT state"
        case .stopped, .initialize: "Stopping"
        }
    }

    fileprivate var text: String {
        switch self {
        case .master: "=> VRRP Instance is now owning VRRP VIPs <="
        case .backup, .fault: "=> VRRP Instance is no longer owning VRRP VIPs <="
        case .stopped, .initialize: "=> VRRP Instance stopping <="
        }
    }

    fileprivate var groupText: String {
        switch self {
        case .master: "=> All VRRP group instances are now in MASTER state <="
        case .backup: "=> All VRRP group instances are now in BACKUP state <="
        case .fault: "=> All VRRP group instances are now in FAULT state <="
        case .stopped, .initialize: "=> All VRRP group instances are now stopping <="
        }
    }
}
