// io.evenkeel.Check: what checkd answers on the bus.
import Bus
import Configuration
import HealthCheck
import Net
import Platform
import Varlink

extension CheckDaemon: CheckAPI.Handler {
    func list(_ call: CheckAPI.List, _ responder: Responder<CheckAPI.List>) {
        responder.reply(list: servers) { CheckAPI.List.Reply(servers: $0.map(\.health)) }
    }

    func run(_ call: CheckAPI.Run, _ responder: Responder<CheckAPI.Run>) {
        guard let server = server(named: call.server) else {
            return responder.fail(CheckAPI.ServerNotFound(name: call.server))
        }
        server.run { [weak self] server in
            guard self?.server(named: server.name) === server else {
                return responder.fail(CheckAPI.ServerNotFound(name: server.name))
            }
            responder.reply(CheckAPI.Run.Reply(health: server.health))
        }
    }

    func showHistory(_ call: CheckAPI.ShowHistory, _ responder: Responder<CheckAPI.ShowHistory>) {
        guard let server = server(named: call.server) else {
            return responder.fail(CheckAPI.ServerNotFound(name: call.server))
        }
        responder.reply(server.history)
    }

    func listLatencies(_ call: CheckAPI.ListLatencies, _ responder: Responder<CheckAPI.ListLatencies>) {
        let limits = LatencyHistogram.bounds.map { Int($0.nanoseconds / 1000) }
        responder.reply(list: servers.filter { !$0.names.isEmpty }) {
            CheckAPI.ListLatencies.Reply(upToMicroseconds: limits, servers: $0.map(\.latencies))
        }
    }

    func probeOnce(_ call: CheckAPI.ProbeOnce, _ responder: Responder<CheckAPI.ProbeOnce>) {
        guard let server = server(named: call.server) else {
            return responder.fail(CheckAPI.ServerNotFound(name: call.server))
        }
        server.attempt { responder.reply(CheckAPI.ProbeOnce.Reply(trials: $0)) }
    }

    func computeDigest(_ call: CheckAPI.ComputeDigest, _ responder: Responder<CheckAPI.ComputeDigest>) {
        guard let target = Endpoint(call.target) else { return responder.fail(.invalidParameter("target")) }
        // They become a line of the request each: what ends a line, or a word, would begin another.
        guard call.path.hasPrefix("/"), call.path.utf8.allSatisfy(HTTPRequest.isPrintable) else {
            return responder.fail(.invalidParameter("path"))
        }
        guard call.virtualhost?.utf8.allSatisfy(HTTPRequest.isPrintable) != false else {
            return responder.fail(.invalidParameter("virtualhost"))
        }
        var request = HTTPRequest(path: call.path, host: call.virtualhost ?? "\(target)")
        request.serverName = call.virtualhost
        request.statusCodes = [100...999]
        // Of no page: what the check then finds wrong is the answer.
        request.digest = []
        var tls = HTTPProbe.TLS()
        tls.sendsServerName = call.virtualhost != nil
        let probe = Probe.http(HTTPProbe(urls: [request], tls: call.tls ? tls : nil))
        let checker = CheckerConfiguration(probe: probe, target: CheckTarget(endpoint: target))
        var attempt: ProbeAttempt?
        attempt = runner.run(world.kind(checker), step: 0, timeout: checker.schedule.connectTimeout) { report in
            switch report.outcome {
            case .failure(.digest(let found, _)): responder.reply(CheckAPI.ComputeDigest.Reply(digest: found))
            case .failure(let failure): responder.fail(CheckAPI.NoPage(reason: "\(failure)"))
            case .inconclusive(let hindrance): responder.fail(CheckAPI.NoPage(reason: "\(hindrance)"))
            case .success: break
            }
            // Held until now by this alone.
            withExtendedLifetime(attempt) { attempt = nil }
        }
    }

    func testAlerts(_ call: CheckAPI.TestAlerts, _ responder: Responder<CheckAPI.TestAlerts>) {
        guard let alerts else { return responder.reply(CheckAPI.TestAlerts.Reply(deliveries: [])) }
        guard !alerts.isTesting else { return responder.fail(CheckAPI.TestUnderWay()) }
        world.logger.notice("a test of alerts, asked by uid \(responder.caller.uid) (pid \(responder.caller.pid))")
        alerts.test { responder.reply(CheckAPI.TestAlerts.Reply(deliveries: $0)) }
    }
}
