// `real_server`: its port under the forwarding method, thresholds, checkers.
import Net

extension Interpreter {
    mutating func resolveRealServers(
        _ service: Parsed<VirtualServerDraft>, _ identity: VirtualServerIdentity, _ configuration: Configuration
    ) -> [RealServerConfiguration] {
        var taken: [Endpoint: Statement] = [:]
        taken.reserveCapacity(service.draft.realServers.count)
        var servers: [RealServerConfiguration] = []
        servers.reserveCapacity(service.draft.realServers.count)
        for parsed in service.draft.realServers {
            guard let word = parsed.opener.arguments.first else {
                reporter.error(
                    .missingValue, at: parsed.opener.keyword, "real_server needs an address",
                    remedy: "write real_server 192.0.2.10 80 {")
                continue
            }
            ignoreExtra(parsed.opener.arguments.dropFirst(2), parsed.opener)
            guard let endpoint = endpoint(parsed.opener.arguments, of: "real_server") else { continue }
            let server = resolveRealServer(parsed, endpoint, identity, configuration)
            if let other = taken[server.endpoint] {
                reporter.error(
                    .duplicateName, at: word, "there is a real_server \(server.endpoint) already",
                    remedy: "remove one of them; weight gives a server a larger share",
                    notes: [(other.arguments.first ?? other.keyword, "the other one")])
                continue
            }
            taken[server.endpoint] = parsed.opener
            sayFamily(word, endpoint.address, server.forwarding, identity)
            servers.append(server)
        }
        return servers
    }

    private mutating func resolveRealServer(
        _ parsed: Parsed<RealServerDraft>, _ endpoint: Endpoint, _ identity: VirtualServerIdentity,
        _ configuration: Configuration
    ) -> RealServerConfiguration {
        var server = RealServerConfiguration(endpoint: resolvePort(parsed, endpoint, identity))
        server.weight = parsed.draft.weight
        server.forwarding = parsed.draft.forwarding
        server.inhibitOnFailure = parsed.draft.inhibitOnFailure
        server.upperThreshold = parsed.draft.upperThreshold
        server.lowerThreshold = parsed.draft.lowerThreshold
        server.notifyUp = parsed.draft.notifyUp
        server.notifyDown = parsed.draft.notifyDown
        server.mailAlert = parsed.draft.mailAlert ?? global.mail.checkerAlerts ?? true
        server.flapLimit = parsed.draft.check.flapLimit
        if server.lowerThreshold > server.upperThreshold {
            reporter.warning(
                .contradiction, at: parsed.place(of: "lthreshold"),
                "lthreshold is above uthreshold; it is left out, so three quarters of uthreshold count",
                remedy: "write an uthreshold that is not below it, or remove it")
            server.lowerThreshold = 0
        }
        // Checks go to the port that is written, also where DR uses the service's (so does keepalived): behind a group of
        // ports there is often one that answers.
        var target = server.endpoint
        if endpoint.port != 0 { target.port = endpoint.port }
        server.checkers = parsed.draft.checkers.flatMap { resolveChecker($0, target, configuration) }
        // A checker may say otherwise than its server.
        server.alpha =
            server.checkers.isEmpty ? parsed.draft.check.alpha : server.checkers.contains(where: \.schedule.alpha)
        sayRepeatedSessions(parsed.draft.checkers)
        settle(parsed) { draft in
            (draft.lowerThreshold, draft.mailAlert) = (server.lowerThreshold, server.mailAlert)
        }
        return server
    }

    private mutating func sayRepeatedSessions(_ checkers: [Parsed<CheckerDraft>]) {
        var taken: [String: Word] = [:]
        for word in checkers.compactMap(\.draft.bfdSession) {
            guard let other = taken.updateValue(word, forKey: word.text) else { continue }
            reporter.error(
                .duplicateName, at: word, "a BFD_CHECK of this server looks at \(word.text) already",
                remedy: "remove one of them", notes: [(other, "the other one")])
        }
    }

    private mutating func resolvePort(
        _ parsed: Parsed<RealServerDraft>, _ endpoint: Endpoint, _ identity: VirtualServerIdentity
    ) -> Endpoint {
        let word = parsed.opener.arguments.dropFirst().first ?? parsed.opener.keyword
        return resolvePort(endpoint, parsed.draft.forwarding, identity, at: word, "checks go to \(endpoint.port)")
    }

    /// DR and TUN cannot change the port; NAT can. `elsewhere`: what the written port is still good for.
    mutating func resolvePort(
        _ endpoint: Endpoint, _ forwarding: ForwardingMethod, _ identity: VirtualServerIdentity, at word: Word,
        _ elsewhere: @autoclosure () -> String? = nil
    ) -> Endpoint {
        var endpoint = endpoint
        switch forwarding {
        case .masquerade:
            if endpoint.port == 0 { endpoint.port = identity.port }
        case .directRouting, .tunnel:
            if endpoint.port != identity.port, endpoint.port != 0, case .address = identity {
                let rest = elsewhere().map { ", \($0)" } ?? ""
                reporter.warning(
                    .adjusted, at: word, "DR and TUN cannot change the port; \(identity.port) is used\(rest)",
                    remedy: "write the port of the virtual_server, or use lb_kind NAT")
            }
            endpoint.port = identity.port
        }
        return endpoint
    }
}
