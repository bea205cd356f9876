// Runs probes: as many at once as there are descriptors for, a few starts per turn of the loop so that thousands of due
// checks do not hold up the answers, everything else in order of arrival.
import Configuration
import HealthCheck
import Net
import Platform

/// What to probe: one step of one checker.
struct ProbeRequest {
    var probe: Probe
    var step: Int
    var target: CheckTarget
    var timeout: Duration
}

/// A probe that waits or runs. Released or cancelled it reports nothing.
final class RunningProbe {
    fileprivate enum Stage {
        case waiting
        case connecting(Connecting)
        case exchanging(HTTPExchange)
        case over
    }

    fileprivate let request: ProbeRequest
    fileprivate var stage = Stage.waiting
    fileprivate var started = Instant.zero
    fileprivate var completion: (ProbeOutcome, Duration) -> Void
    private unowned let runner: ProbeRunner

    fileprivate init(
        _ request: ProbeRequest, by runner: ProbeRunner, completion: @escaping (ProbeOutcome, Duration) -> Void
    ) {
        self.request = request
        self.runner = runner
        self.completion = completion
    }

    /// The probe is not wanted any more.
    func cancel() {
        runner.cancel(self)
    }
}

/// Starts probes and reports their results.
final class ProbeRunner {
    /// Connections begun in one turn of the loop.
    private static let startsPerTurn = 64

    private let loop: EventLoop
    private var queue: ProbeQueue<RunningProbe>
    private var transfers: HTTPTransfers?
    private var startIsPlanned = false

    /// A runner for at most `limit` probes at once.
    init(limit: Int, on loop: EventLoop) {
        self.loop = loop
        queue = ProbeQueue(limit: limit)
    }

    /// Queues a probe. `completion` is called once, from the loop, with the outcome and the time since its connection was
    /// begun.
    func run(_ request: ProbeRequest, completion: @escaping (ProbeOutcome, Duration) -> Void) -> RunningProbe {
        let probe = RunningProbe(request, by: self, completion: completion)
        queue.add(probe)
        planStart()
        return probe
    }

    private func planStart() {
        guard !startIsPlanned else { return }
        startIsPlanned = true
        loop.soon { [weak self] in
            self?.startIsPlanned = false
            self?.startSome()
        }
    }

    private func startSome() {
        for _ in 0..<Self.startsPerTurn {
            guard let probe = queue.next() else { return }
            guard case .waiting = probe.stage else {
                queue.ended()
                continue
            }
            connect(probe)
        }
        planStart()
    }

    // MARK: One probe

    private func connect(_ probe: RunningProbe) {
        probe.started = loop.refreshNow()
        let connecting = Connecting(to: probe.request.target, timeout: probe.request.timeout, on: loop) {
            [weak self, weak probe] result in
            guard let self, let probe else { return }
            switch consume result {
            case .failed(let outcome): self.finish(probe, outcome)
            case .connected(let socket): self.connected(probe, socket)
            }
        }
        probe.stage = .connecting(connecting)
    }

    private func connected(_ probe: RunningProbe, _ socket: consuming FileDescriptor) {
        switch probe.request.probe {
        case .http(let http):
            exchange(probe, http, socket)
        case .tcp, .smtp, .dns, .ping, .udp, .misc, .file:
            _ = consume socket  // Closes it.
            finish(probe, .success)
        }
    }

    private func exchange(_ probe: RunningProbe, _ http: HTTPProbe, _ socket: consuming FileDescriptor) {
        guard http.urls.indices.contains(probe.request.step) else { return finish(probe, .success) }
        let exchange = HTTPExchange(
            http.urls[probe.request.step], of: http, at: probe.request.target.endpoint, timeout: probe.request.timeout,
            on: loop
        ) { [weak self, weak probe] outcome in
            guard let self, let probe else { return }
            self.finish(probe, outcome)
        }
        do throws(CurlUnavailable) {
            let transfers = try httpTransfers()
            if let problem = exchange.prepare() { return finish(probe, .inconclusive(problem)) }
            guard transfers.start(exchange, on: socket) else { return finish(probe, .inconclusive("ENOMEM")) }
            probe.stage = .exchanging(exchange)
            exchange.limit { [weak self, weak exchange] in
                guard let self, let exchange else { return }
                self.transfers?.end(exchange)
                exchange.finish(.failure(.timeout(.answer)))
            }
        } catch {
            finish(probe, .inconclusive(error.description))
        }
    }

    /// libcurl is loaded when the first HTTP check has a connection.
    private func httpTransfers() throws(CurlUnavailable) -> HTTPTransfers {
        if let transfers { return transfers }
        let transfers = try HTTPTransfers(on: loop)
        self.transfers = transfers
        return transfers
    }

    private func finish(_ probe: RunningProbe, _ outcome: ProbeOutcome) {
        guard stop(probe) else { return }
        let completion = probe.completion
        probe.completion = { _, _ in }
        completion(outcome, loop.refreshNow() - probe.started)
    }

    fileprivate func cancel(_ probe: RunningProbe) {
        _ = stop(probe)
    }

    /// Ends whatever the probe is doing; false when it was over already.
    private func stop(_ probe: RunningProbe) -> Bool {
        switch probe.stage {
        case .over: return false
        case .waiting:
            // Its ticket is dropped when it comes up.
            probe.stage = .over
            return true
        case .connecting(let connecting): connecting.cancel()
        case .exchanging(let exchange): transfers?.end(exchange)
        }
        probe.stage = .over
        queue.ended()
        planStart()
        return true
    }
}
