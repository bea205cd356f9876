// HTTP_GET and SSL_GET: a connection, then one request on it through libcurl, a url per step.
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
        case exchanging(HTTPExchange, HTTPTransfers)
    }

    private let check: HTTPCheck
    private let step: Int
    private weak var attempt: ProbeAttempt?
    private var stage = Stage.idle

    init(_ check: HTTPCheck, step: Int, _ attempt: ProbeAttempt) {
        self.check = check
        self.step = step
        self.attempt = attempt
        let files = check.probe.tls?.files ?? []
        if let waiter = check.network.files.wait(for: files, { [weak self] in self?.connect() }) {
            attempt.listen(
                orElse: .inconclusive(.library("\(files.joined(separator: ", ")): the disk does not answer")))
            stage = .waiting(waiter)
        } else {
            connect()
        }
    }

    private func connect() {
        attempt?.expect(.connect)
        stage = .connecting(
            Connecting(to: check.target, on: check.network.loop) { [weak self] result in
                switch consume result {
                case .failed(let outcome): self?.attempt?.finish(outcome)
                case .connected(let socket): self?.exchange(on: socket)
                }
            })
    }

    private func exchange(on socket: consuming FileDescriptor) {
        guard let attempt else { return }
        attempt.tell("connected")
        guard check.probe.urls.indices.contains(step) else {
            return attempt.finish(.inconclusive(.unknown("the checker has no url \(step + 1)")))
        }
        let request = check.probe.urls[step]
        do throws(ProbeObstacle) {
            let files = try TLSContents(check.probe.tls, check.network.files)
            let transfers = try ProbeObstacle.library { () throws(CurlUnavailable) in try check.network.transfers() }
            let exchange = try HTTPExchange(
                request, of: check.probe, at: check.target.endpoint, files: files, for: attempt)
            attempt.expect(.answer)
            attempt.limitWhole()
            stage = .exchanging(exchange, transfers)
            try transfers.start(exchange, on: socket)
        } catch {
            attempt.finish(.inconclusive(error.hindrance))
        }
    }

    func cancel() {
        switch stage {
        case .idle, .waiting: break
        case .connecting(let connecting): connecting.cancel()
        case .exchanging(let exchange, let transfers): transfers.end(exchange)
        }
        stage = .idle
    }

    deinit { cancel() }
}

/// The contents of a probe's files.
struct TLSContents {
    let authorities: TLSFileContent?
    /// Of `authorities`.
    let authoritiesPath: String?
    let certificate: TLSFileContent?
    let key: TLSFileContent?

    init(_ tls: HTTPProbe.TLS?, _ files: TLSFiles) throws(ProbeObstacle) {
        func content(_ path: String?) throws(ProbeObstacle) -> TLSFileContent? {
            guard let path else { return nil }
            return try files.content(of: path)
        }
        let authorities = try content(tls?.verifies == true ? tls?.authorities : nil)
        self.authorities = authorities
        authoritiesPath = try ProbeObstacle.system { () throws(Errno) in try authorities?.path() }
        certificate = try content(tls?.identity?.certificate)
        key = try content(tls?.identity.map { $0.key ?? $0.certificate })
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
