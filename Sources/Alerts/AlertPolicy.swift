// What of a configuration people are told about: by mail what smtp_alert says, by webhooks everything.

public import Configuration
internal import IPVS

/// Who is talked about in one kind of alert.
public struct AlertPolicy: Equatable, Sendable {
    /// A virtual service.
    struct Service: Equatable, Sendable {
        let title: String
        /// Told at the start although its quorum is lost.
        let hasSorryServer: Bool
    }

    /// A real server.
    struct Server: Equatable, Sendable {
        /// What it is taken for before anybody has been told: `alpha`.
        let startsDown: Bool
    }

    var instances: Set<String> = []
    /// Groups with their members.
    var groups: [String: [String]] = [:]
    /// By name on the bus.
    var services: [String: Service] = [:]
    /// By name on the bus.
    var servers: [String: Server] = [:]
    /// keepalived's names of the services of `servers`.
    var serviceNames: [String: String] = [:]
    /// FAULT is not told.
    var skipsFaults = false
    /// Changes of single checkers are not told.
    var skipsCheckers = false

    /// Nobody is talked about.
    public init() {}

    /// What mail is sent about; nothing where no mail is sent.
    public static func mail(_ configuration: Configuration) -> AlertPolicy {
        guard configuration.global.mail.isSent else { return AlertPolicy() }
        var policy = AlertPolicy(configuration) { $0 }
        policy.skipsFaults = configuration.global.mail.skipsFaults
        policy.skipsCheckers = configuration.global.mail.skipsCheckers
        return policy
    }

    /// What webhooks are told of; nothing where there are none.
    public static func webhooks(_ configuration: Configuration) -> AlertPolicy {
        configuration.global.webhooks.isEmpty ? AlertPolicy() : AlertPolicy(configuration) { _ in true }
    }

    /// Of a virtual_server_group one address speaks for all, as in keepalived.
    init(_ configuration: Configuration, _ isWanted: (Bool) -> Bool) {
        instances = Set(configuration.instances.filter { isWanted($0.mailAlert) }.map(\.name))
        for group in configuration.syncGroups where isWanted(group.mailAlert) { groups[group.name] = group.members }
        var spoken: Set<String> = []
        for service in configuration.virtualServers {
            if let group = service.groupName, !spoken.insert(group).inserted { continue }
            let name = "\(service.identity)"
            if isWanted(service.mailAlert) {
                services[name] = Service(title: service.pipeName, hasSorryServer: service.sorryServer != nil)
            }
            for server in service.realServers where isWanted(server.mailAlert) {
                let startsDown = server.alpha && !server.checkers.isEmpty
                servers["\(name)/\(server.endpoint)"] = Server(startsDown: startsDown)
                serviceNames[name] = service.pipeName
            }
        }
    }

    /// Nobody is talked about.
    public var isEmpty: Bool { instances.isEmpty && groups.isEmpty && services.isEmpty && servers.isEmpty }

    /// Somebody is talked about whom vrrpd or ipvsd tells of.
    public var needsBus: Bool { !(instances.isEmpty && groups.isEmpty && services.isEmpty) }

    /// Instances whose state matters.
    var watchedInstances: Set<String> { groups.values.reduce(into: instances) { $0.formUnion($1) } }

    /// `Realserver [192.0.2.10]:tcp:80 of virtual server [192.0.2.1]:tcp:80`.
    func title(ofServer name: String) -> String {
        guard let server = ServerIdentity(name) else { return "Realserver \(name)" }
        let service = serviceNames["\(server.service)"] ?? server.service.pipeName
        return "Realserver \(server.service.pipeName(of: server.endpoint)) of virtual server \(service)"
    }
}
