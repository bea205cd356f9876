// One HTTP request on a connection that exists, and what came of it.
//
// Time limits follow keepalived, which grants connect_timeout to each read and write, not to the whole: as long as something
// arrives the exchange goes on. A server that drips its answer would hold the check for ever, so the whole ends at ten times
// that limit.
import CCrypto
import CCurl
import CLinux
import Configuration
import HealthCheck
import Net
import Platform

/// A request and its answer.
final class HTTPExchange {
    private static let wholeFactor = 10

    private let request: HTTPRequest
    private let probe: HTTPProbe
    private let endpoint: Endpoint
    private let timeout: Duration
    private let loop: EventLoop
    private var stall: LoopTimer?
    private var whole: LoopTimer?
    private var transfer: OpaquePointer?
    private var digest: OpaquePointer?
    private var received = 0
    private var completion: ((ProbeOutcome) -> Void)?
    /// The connection; curl owns it.
    private(set) var socket: Int32 = -1

    init(
        _ request: HTTPRequest, of probe: HTTPProbe, at endpoint: Endpoint, timeout: Duration, on loop: EventLoop,
        completion: @escaping (ProbeOutcome) -> Void
    ) {
        self.request = request
        self.probe = probe
        self.endpoint = endpoint
        self.timeout = timeout
        self.loop = loop
        self.completion = completion
    }

    deinit {
        release()
    }

    /// Prepares the digest if there is one; the reason when libcrypto cannot.
    func prepare() -> String? {
        guard request.digest != nil else { return nil }
        var problem = [CChar](repeating: 0, count: 256)
        digest = ek_md5_new(&problem, problem.count)
        return digest == nil ? text(problem) : nil
    }

    /// Gives the request and the connection to curl; false when memory is short.
    func begin(_ curl: OpaquePointer?, socket: Int32) -> Bool {
        self.socket = socket
        transfer = withRequest { plan in ek_transfer_start(curl, plan) }
        return transfer != nil
    }

    /// Starts the time limits; `timedOut` is called when one of them has passed.
    func limit(_ timedOut: @escaping () -> Void) {
        let stall = loop.timer(timedOut)
        let whole = loop.timer(timedOut)
        stall.arm(after: timeout)
        whole.arm(after: timeout * Self.wholeFactor)
        (self.stall, self.whole) = (stall, whole)
    }

    /// Something came from the server, or could be sent to it.
    func progressed() {
        stall?.arm(after: timeout)
    }

    /// Lets go of everything; nothing is reported after this unless `finish` is called.
    func release() {
        stall?.disarm()
        whole?.disarm()
        if transfer != nil { ek_transfer_free(transfer) }
        if digest != nil { ek_md5_free(digest) }
        (transfer, digest) = (nil, nil)
    }

    /// Reports, once.
    func finish(_ outcome: ProbeOutcome) {
        let report = completion
        completion = nil
        report?(outcome)
    }

    /// What curl's result means for the check.
    func outcome(of result: ek_result) -> ProbeOutcome {
        let text = withUnsafeBytes(of: result.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        switch ek_outcome(rawValue: UInt32(bitPattern: result.outcome)) {
        case EK_ANSWERED, EK_STOPPED:
            guard let status = UInt16(exactly: result.status), status > 0 else { return .failure(.malformed(text)) }
            let truncated = received > HTTPAnswer.limit(for: request)
            return HTTPAnswer(status: status, digest: finishedDigest(), isTruncated: truncated).judged(by: request)
        case EK_BROKEN where result.system_error != 0:
            return .failure(.connection(String(cString: ek_errno_name(result.system_error))))
        case EK_BROKEN: return .failure(.malformed("closed without an answer"))
        case EK_TLS: return .failure(.tls(text))
        case EK_INTERNAL: return .inconclusive(text)
        default: return .failure(.malformed(text))
        }
    }

    private func finishedDigest() -> [UInt8]? {
        guard digest != nil else { return nil }
        var octets = [UInt8](repeating: 0, count: Int(EK_MD5_LENGTH))
        return ek_md5_finish(digest, &octets) == 1 ? octets : nil
    }

    private func take(_ octets: UnsafeRawPointer?, _ count: Int) -> Bool {
        received += count
        if digest != nil { ek_md5_update(digest, octets, count) }
        return received <= HTTPAnswer.limit(for: request)
    }

    private func withRequest<Result>(_ body: (UnsafePointer<ek_request>) -> Result) -> Result {
        let name = probe.tls?.sendsServerName == true ? request.serverName : nil
        let authority = name.map { "\($0):\(endpoint.port)" } ?? "\(endpoint)"
        let url = "\(probe.tls == nil ? "http" : "https")://\(authority)/"
        return url.withCString { url in
            request.path.withCString { path in
                request.host.withCString { host in
                    withOptionalCString(probe.tls?.authorities) { authorities in
                        var plan = ek_request()
                        plan.url = url
                        plan.path = path
                        plan.host = host
                        plan.version = Int32((probe.version == .http11 ? EK_HTTP_1_1 : EK_HTTP_1_0).rawValue)
                        plan.closes = probe.version == .http10 ? 0 : 1
                        plan.verify = probe.tls?.verifies == true ? 1 : 0
                        plan.authorities = authorities
                        plan.socket = socket
                        plan.context = Unmanaged.passUnretained(self).toOpaque()
                        plan.body = { context, octets, count in
                            guard let context else { return 0 }
                            let exchange = Unmanaged<HTTPExchange>.fromOpaque(context).takeUnretainedValue()
                            return exchange.take(octets, count) ? 1 : 0
                        }
                        return body(&plan)
                    }
                }
            }
        }
    }
}
