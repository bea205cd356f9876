// One HTTP request over TLS on a connection that exists, and what came of it. libcurl speaks HTTP and TLS; where the headers and the body end
// is watched here, because keepalived and curl differ about it.
import CCurl
import Configuration
import HealthCheck
import Net
import Platform

/// A request and its answer.
final class HTTPExchange {
    private let request: HTTPRequest
    private let probe: HTTPProbe
    private let tls: HTTPProbe.TLS
    private let endpoint: Endpoint
    private weak var attempt: ProbeAttempt?
    private var transfer: OpaquePointer?
    private let content: HTTPBody
    private let files: TLSContents
    private var headers = HTTPHeaders()
    private var received = 0
    private var wasHeard = false
    /// The connection; curl owns it.
    private(set) var socket: Int32 = -1

    /// A request that `begin` sends; its result goes to `attempt`. Throws when this host cannot judge its body.
    init(
        _ request: HTTPRequest, of probe: HTTPProbe, _ tls: HTTPProbe.TLS, at endpoint: Endpoint, files: TLSContents,
        for attempt: ProbeAttempt
    ) throws(ProbeObstacle) {
        self.request = request
        self.probe = probe
        self.tls = tls
        self.endpoint = endpoint
        self.files = files
        self.attempt = attempt
        content = try HTTPBody(for: request)
    }

    deinit {
        release()
    }

    fileprivate static func from(_ context: UnsafeMutableRawPointer) -> HTTPExchange {
        Unmanaged<HTTPExchange>.fromOpaque(context).takeUnretainedValue()
    }

    /// Gives the request and the connection to curl; false when memory is short.
    func begin(_ curl: OpaquePointer?, socket: Int32) -> Bool {
        self.socket = socket
        transfer = withRequest { plan in ek_transfer_start(curl, plan) }
        return transfer != nil
    }

    /// Something came from the server (`heard`), or could be sent to it.
    func progressed(heard: Bool) {
        if heard { wasHeard = true }
        attempt?.progressed()
    }

    /// Lets go of curl's part; nothing is reported by this.
    func release() {
        if transfer != nil { ek_transfer_free(transfer) }
        transfer = nil
    }

    /// Reports.
    func finish(_ outcome: ProbeOutcome) {
        attempt?.finish(outcome)
    }

    /// What curl's result means for the check.
    func outcome(of result: ek_result) -> ProbeOutcome {
        if result.certificate_end != 0 {
            attempt?.certificateEnd = result.certificate_end
            attempt?.tell("certificate until \(SystemClock.timestamp(at: result.certificate_end * 1_000_000_000))")
        }
        attempt?.tell("\(received) octets of body")
        let answer = CurlAnswer(
            result, wasHeard: wasHeard, headersAreComplete: headers.areComplete,
            isTruncated: received > HTTPAnswer.limit(for: request), digest: content.finishedDigest(),
            pattern: content.finishedPattern(), files: tls.files)
        return answer.judged(by: request)
    }

    // MARK: What curl hands over

    private func take(header line: UnsafeRawBufferPointer) -> Bool {
        headers.take(line: line)
        attempt?.tell(line)
        return !headers.endTheAnswer
    }

    private func take(body octets: UnsafeRawBufferPointer) -> Bool {
        let part = octets.prefix(headers.bodyLength.map { max(0, $0 - received) } ?? octets.count)
        received += part.count
        content.take(UnsafeRawBufferPointer(rebasing: part))
        if let length = headers.bodyLength, received >= length { return false }
        return received <= HTTPAnswer.limit(for: request)
    }

    // MARK: The request

    /// The name that TLS sends and verifies. A Host header may carry a port, which is no part of it.
    static func tlsName(_ name: String) -> String {
        guard let colon = name.lastIndex(of: ":"), name.firstIndex(of: ":") == colon || name.contains("]:") else {
            return name
        }
        let port = name[name.index(after: colon)...]
        return port.allSatisfy(\.isNumber) ? String(name[..<colon]) : name
    }

    private func withRequest<Result>(_ body: (UnsafePointer<ek_request>) -> Result) -> Result {
        let name = tls.sendsServerName ? request.serverName.map(Self.tlsName) : nil
        let authority = name.map { "\($0):\(endpoint.port)" } ?? "\(endpoint)"
        let texts = CStringArray([
            "https://\(authority)/", request.path, request.host, tls.identity?.password, files.authoritiesPath,
        ])
        return withExtendedLifetime(texts) {
            var plan = ek_request()
            plan.url = texts[0]
            plan.path = texts[1]
            plan.host = texts[2]
            plan.authorities = texts[4]
            plan.certificate = files.certificate?.blob ?? ek_blob()
            plan.key = files.key?.blob ?? ek_blob()
            plan.password = texts[3]
            plan.version = Int32((probe.version == .http11 ? EK_HTTP_1_1 : EK_HTTP_1_0).rawValue)
            plan.closes = probe.version == .http10 ? 0 : 1
            plan.verify = tls.verifies ? 1 : 0
            plan.socket = socket
            plan.context = Unmanaged.passUnretained(self).toOpaque()
            plan.header = { context, octets, count in
                guard let context else { return 0 }
                let octets = UnsafeRawBufferPointer(start: octets, count: count)
                return HTTPExchange.from(context).take(header: octets) ? 1 : 0
            }
            plan.body = { context, octets, count in
                guard let context else { return 0 }
                let octets = UnsafeRawBufferPointer(start: octets, count: count)
                return HTTPExchange.from(context).take(body: octets) ? 1 : 0
            }
            return body(&plan)
        }
    }
}
