// HTTP_GET and SSL_GET: a connection, then one request on it, a url per step; over TLS through libcurl.
import Configuration
import HealthCheck
import Platform

/// The urls of a server, over TCP or TLS.
struct HTTPCheck: ProbeKind {
    let probe: HTTPProbe
    let target: CheckTarget
    let network: ProbeNetwork

    var title: String { "\(probe.tls == nil ? "HTTP_GET" : "SSL_GET") \(target.endpoint)" }

    var identity: String {
        var parts = [title] + target.identity
        parts.append("http_protocol \(probe.version.rawValue)")
        if let tls = probe.tls {
            if tls.verifies { parts.append("verify \(tls.authorities ?? "")") }
            if tls.sendsServerName { parts.append("enable_sni") }
            if let identity = tls.identity { parts.append("certificate \(identity.certificate)") }
        }
        parts += probe.urls.map { $0.identity(withServerName: probe.tls?.sendsServerName == true) }
        return parts.joined(separator: " ")
    }

    var fixedConnection: FixedConnection? { target.fixedConnection }
    var rounds: CheckRounds {
        CheckRounds(steps: probe.urls.count, recoversFast: probe.fastRecovery, waitsForRetryWhileDown: true)
    }

    func name(ofStep step: Int) -> String? { probe.urls.indices.contains(step) ? probe.urls[step].path : nil }

    func start(step: Int, for attempt: ProbeAttempt) -> any RunningProbe {
        HTTPRun(self, step: step, attempt)
    }
}

/// One request on its way: first its connection, then its exchange.
private final class HTTPRun: RunningProbe {
    private enum Stage {
        case idle
        /// Its files have not been read yet.
        case waiting(TLSFiles.Waiter)
        case connecting(Connecting)
        case exchanging(PlainHTTPExchange)
        case exchangingByCurl(HTTPExchange, HTTPTransfers)
    }

    private let check: HTTPCheck
    private let step: Int
    private var attempt: ProbeAttempt?
    private var stage = Stage.idle

    init(_ check: HTTPCheck, step: Int, _ attempt: ProbeAttempt) {
        self.check = check
        self.step = step
        self.attempt = attempt
        if let tls = check.probe.tls { waitForFiles(of: tls, attempt) } else { connect() }
    }

    private func waitForFiles(of tls: HTTPProbe.TLS, _ attempt: ProbeAttempt) {
        let files = tls.files
        guard let waiter = check.network.files.wait(for: files, { [weak self] in self?.connect() }) else {
            return connect()
        }
        attempt.listen(orElse: .inconclusive(.library("\(files.joined(separator: ", ")): the disk does not answer")))
        stage = .waiting(waiter)
    }

    private func connect() {
        attempt?.expect(.connect)
        stage = .connecting(
            Connecting(to: check.target, on: check.network.loop) { result in
                switch result {
                case .failed(let outcome): self.attempt?.finish(outcome)
                case .connected(let connection): self.exchange(on: connection)
                }
            })
    }

    private func exchange(on connection: ProbeConnection) {
        guard let attempt else { return }
        attempt.tell("connected")
        guard check.probe.urls.indices.contains(step) else {
            return attempt.finish(.inconclusive(.unknown("the checker has no url \(step + 1)")))
        }
        attempt.expect(.answer)
        attempt.limitWhole()
        do throws(ProbeObstacle) {
            if let tls = check.probe.tls {
                try exchange(check.probe.urls[step], tls, on: connection, attempt)
            } else {
                stage = .exchanging(
                    try PlainHTTPExchange(check.probe.urls[step], check.probe.version, on: connection, for: attempt))
            }
        } catch {
            attempt.finish(.inconclusive(error.hindrance))
        }
    }

    private func exchange(
        _ request: HTTPRequest, _ tls: HTTPProbe.TLS, on connection: ProbeConnection, _ attempt: ProbeAttempt
    ) throws(ProbeObstacle) {
        let files = try TLSContents(tls, check.network.files)
        let transfers = try ProbeObstacle.library { () throws(CurlUnavailable) in try check.network.transfers() }
        let exchange = try HTTPExchange(
            request, of: check.probe, tls, at: check.target.endpoint, files: files, for: attempt)
        guard let socket = connection.release() else { return }
        stage = .exchangingByCurl(exchange, transfers)
        try transfers.start(exchange, on: FileDescriptor(owning: socket))
    }

    func cancel() {
        switch stage {
        case .idle, .waiting: break
        case .connecting(let connecting): connecting.cancel()
        case .exchanging(let exchange): exchange.cancel()
        case .exchangingByCurl(let exchange, let transfers): transfers.end(exchange)
        }
        stage = .idle
        attempt = nil
    }
}

/// The contents of a probe's files.
struct TLSContents {
    let authorities: TLSFileContent?
    /// Of `authorities`.
    let authoritiesPath: String?
    let certificate: TLSFileContent?
    let key: TLSFileContent?

    init(_ tls: HTTPProbe.TLS, _ files: TLSFiles) throws(ProbeObstacle) {
        func content(_ path: String?) throws(ProbeObstacle) -> TLSFileContent? {
            guard let path else { return nil }
            return try files.content(of: path)
        }
        let authorities = try content(tls.verifies ? tls.authorities : nil)
        self.authorities = authorities
        authoritiesPath = try ProbeObstacle.system { () throws(Errno) in try authorities?.path() }
        certificate = try content(tls.identity?.certificate)
        key = try content(tls.identity.map { $0.key ?? $0.certificate })
    }
}

/// This host could not begin a probe.
struct ProbeObstacle: Error {
    let hindrance: ProbeHindrance

    init(_ hindrance: ProbeHindrance) {
        self.hindrance = hindrance
    }

    /// A system call of this host failed.
    static func system<Value>(_ body: () throws(Errno) -> Value) throws(ProbeObstacle) -> Value {
        do throws(Errno) {
            return try body()
        } catch {
            throw ProbeObstacle(.system(Errno.words(for: error.code)))
        }
    }

    /// A library is not usable.
    static func library<Value>(_ body: () throws(CurlUnavailable) -> Value) throws(ProbeObstacle) -> Value {
        do throws(CurlUnavailable) {
            return try body()
        } catch {
            throw ProbeObstacle(.library(error.description))
        }
    }
}

extension HTTPRequest {
    fileprivate func identity(withServerName: Bool) -> String {
        let codes = statusCodes.map { "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",")
        let hash = digest.map { " digest " + $0.map { String($0, radix: 16) }.joined(separator: ":") } ?? ""
        let name = withServerName ? " sni \(serverName ?? "")" : ""
        return "url \(path) host \(host) status_code \(codes)\(hash)\(name)\(regex.map { " \($0.identity)" } ?? "")"
    }
}

extension RegexCheck {
    fileprivate var identity: String {
        let range = "\(minimumOffset)-\(maximumOffset.map(String.init) ?? "")"
        return
            "\(isInverted ? "regex_no_match" : "regex") '\(pattern)' \(options.sorted().joined(separator: ",")) \(range)"
    }
}
