// HTTP for `lbctl serve`, by libmicrohttpd: a thread for each connection, so that whoever asks a daemon that hangs waits alone.
import CMicrohttpd
import Glibc
import Net
import Platform
import Synchronization

/// A request, as far as it matters here.
struct WebRequest: Sendable {
    var method: String
    /// Decoded, without the query.
    var path: String
    /// The parameters of the query, decoded, in their order.
    var parameters: [(name: String, value: String)] = []
    /// `Host`.
    var host: String?
    /// `Accept`.
    var accept = ""
    /// What proves who asks: the token of `Authorization: Bearer`, or the password of `Basic`.
    var token: String?

    /// The last value of a parameter.
    subscript(parameter name: String) -> String? { parameters.last { $0.name == name }?.value }

    /// Where the target is a whole address, as a proxy is asked (RFC 9112 §3.2.2): its host is the one that is meant, whatever `Host` says.
    var inOriginForm: WebRequest {
        guard let scheme = ["http://", "https://"].first(where: { path.lowercased().hasPrefix($0) }) else {
            return self
        }
        let rest = path.dropFirst(scheme.count)
        var request = self
        request.host = String(rest.prefix { $0 != "/" })
        request.path = String(rest.drop { $0 != "/" })
        if request.path.isEmpty { request.path = "/" }
        return request
    }
}

/// What follows in a body without end, made on the connection's thread.
protocol WebStream: AnyObject {
    /// The next octets, waiting for them; nil ends the body. Never none.
    func next() -> [UInt8]?
}

/// The octets of a body, which several connections may be sending. How many octets all bodies have is known: readers that are slow hold them.
final class WebBody: Sendable {
    private static let alive = Atomic(0)
    static var octetsAlive: Int { alive.load(ordering: .relaxed) }

    nonisolated(unsafe) let octets: UnsafeRawBufferPointer

    init(_ octets: [UInt8]) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, octets.count), alignment: 1)
        copy.copyBytes(from: octets)
        self.octets = UnsafeRawBufferPointer(rebasing: copy[..<octets.count])
        Self.alive.add(octets.count, ordering: .relaxed)
    }

    deinit {
        Self.alive.subtract(octets.count, ordering: .relaxed)
        octets.deallocate()
    }
}

/// An answer.
struct WebAnswer {
    enum Body {
        case whole(WebBody)
        case stream(any WebStream)
    }

    var status: UInt32 = 200
    /// The media type of the body.
    var type: String
    var body: Body
    var headers: [(name: String, value: String)] = []

    /// A body of its own type.
    init(status: UInt32 = 200, _ type: String, _ body: WebBody) {
        (self.status, self.type, self.body) = (status, type, .whole(body))
    }

    init(status: UInt32 = 200, _ type: String, _ octets: [UInt8]) {
        self.init(status: status, type, WebBody(octets))
    }

    /// Text for people.
    init(status: UInt32, _ text: String) {
        self.init(status: status, "text/plain; charset=utf-8", Array((text + "\n").utf8))
    }

    /// A body without end.
    init(_ type: String, _ stream: any WebStream) {
        (self.type, body) = (type, .stream(stream))
    }
}

/// The certificate of a server and its key, as PEM.
struct WebCertificate: Sendable {
    var chain: [UInt8]
    var key: [UInt8]
}

/// A server that runs until it is released.
final class WebServer: Sendable {
    /// Connections at most. Half of them may be streams, so that a scrape always finds a place.
    static let connections = 64
    /// For a client that neither sends nor takes anything.
    private static let patienceSeconds: UInt32 = 30
    /// Whatever the page of another site may want with what is here: nothing.
    private static let everywhere = [
        ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
        (
            "Content-Security-Policy",
            "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; img-src data:"
        ),
    ]

    private let answer: @Sendable (WebRequest) -> WebAnswer
    /// Written at the end of `init`, read in `deinit`, and by nobody else.
    private nonisolated(unsafe) var web: OpaquePointer?
    /// Where it listens: the port that the kernel chose, where 0 was asked for.
    let endpoint: Endpoint

    /// Listens. `answer` is called on the threads of connections.
    init(
        at endpoint: Endpoint, _ certificate: WebCertificate?, answer: @escaping @Sendable (WebRequest) -> WebAnswer
    ) throws(Failure) {
        self.answer = answer
        var port: UInt16 = 0
        let socket: Int32
        do throws(Errno) {
            socket = try Errno.check(
                ek_web_listen(endpoint.address.octets, endpoint.address.family == .inet6 ? 1 : 0, endpoint.port, &port),
                "listen")
        } catch {
            throw .hostRefused("cannot listen at \(endpoint): \(error)", remedy: Self.advice(error))
        }
        self.endpoint = Endpoint(endpoint.address, port: port)
        let chain = certificate.map { $0.chain + [0] }
        let key = certificate.map { $0.key + [0] }
        var problem = [CChar](repeating: 0, count: 256)
        let started = chain.pointed { chain in
            key.pointed { key in
                var settings = ek_web_settings(
                    socket: socket, certificate: chain, key: key, connections: UInt32(Self.connections),
                    patience_seconds: Self.patienceSeconds, context: Unmanaged.passUnretained(self).toOpaque(),
                    asked: { context, request in
                        guard let context, let request else { return }
                        Unmanaged<WebServer>.fromOpaque(context).takeUnretainedValue().asked(request)
                    })
                return ek_web_start(&settings, &problem, problem.count)
            }
        }
        guard let started else {
            let why = String(decoding: problem.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            let missing = why.contains("libmicrohttpd.so") ? "apt install libmicrohttpd12" : nil
            throw .hostRefused("no web server: \(why)", remedy: missing)
        }
        web = started
    }

    deinit {
        if let web { ek_web_stop(web) }
    }

    private static func advice(_ error: Errno) -> String? {
        switch error.code {
        case EADDRINUSE: "another program has it: --listen ADDR:PORT chooses another, 'ss -ltnp' shows whose it is"
        case EADDRNOTAVAIL: "no interface of this host has that address"
        case EACCES: "ports below 1024 are root's: choose one above"
        default: nil
        }
    }

    private func asked(_ request: OpaquePointer) {
        let answer = answer(WebRequest(request))
        let headers = Self.everywhere + [("Content-Type", answer.type)] + answer.headers
        let words = CStringArray(headers.flatMap { [$0.0, $0.1] })
        words.withConstant { words in
            switch answer.body {
            case .whole(let body):
                ek_request_answer(
                    request, answer.status, words, body.octets.baseAddress, body.octets.count,
                    { owner in
                        guard let owner else { return }
                        Unmanaged<WebBody>.fromOpaque(owner).release()
                    },
                    Unmanaged.passRetained(body).toOpaque())
            case .stream(let stream):
                let pending = PendingStream(stream)
                ek_request_stream(
                    request, words,
                    { context, buffer, capacity in
                        guard let context, let buffer else { return -1 }
                        return Unmanaged<PendingStream>.fromOpaque(context).takeUnretainedValue()
                            .fill(UnsafeMutableRawBufferPointer(start: buffer, count: capacity))
                    },
                    { context in
                        guard let context else { return }
                        Unmanaged<PendingStream>.fromOpaque(context).release()
                    },
                    Unmanaged.passRetained(pending).toOpaque())
            }
        }
    }
}

/// A stream, and what of it found no room yet.
private final class PendingStream {
    private let stream: any WebStream
    private var rest: ArraySlice<UInt8> = []

    init(_ stream: any WebStream) { self.stream = stream }

    /// How many octets it put there; -1: the body ends.
    func fill(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        if rest.isEmpty {
            guard let next = stream.next(), !next.isEmpty else { return -1 }
            rest = next[...]
        }
        let count = min(rest.count, buffer.count)
        buffer.copyBytes(from: rest.prefix(count))
        rest = rest.dropFirst(count)
        return count
    }
}

extension [UInt8]? {
    /// Where the octets are, for the time of `body`; nil for none.
    fileprivate func pointed<Result>(_ body: (UnsafePointer<CChar>?) -> Result) -> Result {
        guard let self else { return body(nil) }
        return self.withUnsafeBytes { body($0.assumingMemoryBound(to: CChar.self).baseAddress) }
    }
}

extension WebRequest {
    /// Copies what matters out of a request of the library.
    fileprivate init(_ request: OpaquePointer) {
        func header(_ name: String) -> String? { ek_request_header(request, name).map { String(cString: $0) } }
        method = String(cString: ek_request_method(request))
        path = String(cString: ek_request_path(request))
        host = header("Host")
        accept = header("Accept") ?? ""
        let bearer = "Bearer "
        if let words = header("Authorization"), words.lowercased().hasPrefix(bearer.lowercased()) {
            token = String(words.dropFirst(bearer.count))
        } else if let password = ek_request_password(request) {
            token = String(cString: password)
            free(password)
        }
        withUnsafeMutablePointer(to: &parameters) { parameters in
            ek_request_parameters(request, parameters) { context, name, value in
                guard let context, let name, let value else { return }
                context.assumingMemoryBound(to: [(name: String, value: String)].self).pointee
                    .append((String(cString: name), String(cString: value)))
            }
        }
    }
}
