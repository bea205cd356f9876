// What `lbctl serve` answers at which path. Everything is read; nothing here changes a director.
import Bus
import Glibc
import JSON
import Net
import Platform
import Varlink

/// The pages, on the threads of connections.
final class Site: Sendable {
    private let socket: String
    private let timeout: Duration
    /// What a request has to show; nil: nothing.
    private let token: [UInt8]?
    private let metrics = [SharedAnswer(), SharedAnswer()]
    private let status = SharedAnswer()
    /// What is critical, a line each.
    private let problems = SharedAnswer()
    private let calls = SharedCalls()
    /// Whose turn it is to make a large answer. Health waits for nobody's.
    private let turn = LargeTurn()

    /// Asks the daemons behind this socket.
    init(socket: String, timeout: Duration, token: [UInt8]?) {
        (self.socket, self.timeout, self.token) = (socket, timeout, token)
    }

    /// The answer to a request.
    func answer(_ request: WebRequest) -> WebAnswer {
        let request = request.inOriginForm
        guard request.method == "GET" || request.method == "HEAD" else {
            var answer = WebAnswer(status: 405, "only GET and HEAD: nothing is changed here; 'lbctl' does that")
            answer.headers = [("Allow", "GET, HEAD")]
            return answer
        }
        if let refusal = refusal(of: request) { return refusal }
        do throws(Failure) {
            return try page(request)
        } catch {
            var answer = WebAnswer(status: error.webStatus, error.description)
            if answer.status == 503 { answer.headers = [("Retry-After", "1")] }
            return answer
        }
    }

    /// Who does not show the token is refused. Without one only this host asks, and by its own name: a page of another site that has its name
    /// point here does not.
    private func refusal(of request: WebRequest) -> WebAnswer? {
        if let token {
            if let shown = request.token, Self.areEqual(Array(shown.utf8), token) { return nil }
            var answer = WebAnswer(
                status: 401, "the token of --token-file is wanted, as 'Authorization: Bearer TOKEN' or as the password")
            answer.headers = [("WWW-Authenticate", "Basic realm=\"Evenkeel\", charset=\"UTF-8\"")]
            return answer
        }
        // A browser always says whom it asks; load balancers that ask for /healthz in HTTP/1.0 do not.
        if let host = request.host, !Self.isLocal(host) {
            return WebAnswer(status: 421, "ask for localhost or an address of this host")
        }
        return nil
    }

    /// In a time that does not say where they differ.
    private static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        var difference = left.count == right.count ? UInt8(0) : 1
        for (index, octet) in left.enumerated() where !right.isEmpty {
            difference |= octet ^ right[index % right.count]
        }
        return difference == 0
    }

    /// `localhost` or an address, with or without a port.
    private static func isLocal(_ host: String) -> Bool {
        if host.hasPrefix("[") { return true }
        let name = host.prefix { $0 != ":" }.lowercased()
        return name == "localhost" || name == "localhost." || name.allSatisfy { $0.isNumber || $0 == "." }
    }

    private var link: Link { Link(socket: socket, isDirect: false, timeout: timeout) }

    private func page(_ request: WebRequest) throws(Failure) -> WebAnswer {
        switch request.path {
        case "/": WebAnswer("text/html; charset=utf-8", PackageResources.index_html)
        case "/page.js": WebAnswer("text/javascript; charset=utf-8", PackageResources.page_js)
        case "/page.css": WebAnswer("text/css; charset=utf-8", PackageResources.page_css)
        case "/metrics": try metrics(isOpenMetrics: request.accept.contains("application/openmetrics-text"))
        case "/healthz": try health()
        case "/events": try events(request)
        case "/api", "/api/": WebAnswer("application/json", Self.json(Self.methods))
        case "/api/status": try directorStatus()
        default:
            if request.path.hasPrefix("/api/") {
                try call(String(request.path.dropFirst("/api/".count)), request)
            } else {
                WebAnswer(
                    status: 404, "there are / (the page), /metrics, /healthz, /events, /api and /api/INTERFACE.Method")
            }
        }
    }

    private func metrics(isOpenMetrics: Bool) throws(Failure) -> WebAnswer {
        let text = try metrics[isOpenMetrics ? 1 : 0].value { isSmall throws(Failure) in
            try turn.make(isSmall: isSmall) { () throws(Failure) in
                let facts = try MetricsFacts(from: link, bus: link.busProcess)
                return WebBody(Array(facts.text(at: .now, isOpenMetrics: isOpenMetrics).utf8))
            }
        }
        return WebAnswer(MetricsText.type(isOpenMetrics: isOpenMetrics), text)
    }

    /// What `lbctl status --json` prints.
    private func directorStatus() throws(Failure) -> WebAnswer {
        let text = try status.value { isSmall throws(Failure) in
            try turn.make(isSmall: isSmall) { () throws(Failure) in
                let report = try StatusReport(from: link)
                return WebBody(Self.json(.object(report.wire(report.status.problems(at: .now)))))
            }
        }
        return WebAnswer("application/json", text)
    }

    /// 200 while nothing critical is out of order, else 503 with what is.
    private func health() throws(Failure) -> WebAnswer {
        let lines = try problems.value { _ throws(Failure) in
            try FreshAnswer { () throws(Failure) in
                let status = try StatusReport(from: link, keepsWire: false).status
                let critical = status.problems(at: .now).filter { $0.severity == .critical }
                return WebBody(Array(critical.map { "\($0.subject): \($0.text)" }.joined(separator: "\n").utf8))
            }
        }
        guard lines.octets.count > 0 else { return WebAnswer(status: 200, "ok") }
        return WebAnswer(status: 503, String(decoding: lines.octets, as: UTF8.self))
    }

    private func events(_ request: WebRequest) throws(Failure) -> WebAnswer {
        func all(_ name: String) -> [String]? {
            let values = request.parameters.filter { $0.name == name }.map(\.value)
            return values.isEmpty ? nil : values
        }
        for type in all("type") ?? [] { if let text = EventsCommand.refusal(of: type) { throw .usage(text) } }
        let subscription = BusAPI.Subscribe(
            types: all("type").map { $0.map(EventsCommand.fullType) }, subjects: all("subject"),
            retained: request[parameter: "retained"] == "false" ? false : nil)
        do {
            let feed = try EventFeed(subscription, socket: socket, patience: timeout)
            guard let feed else { return WebAnswer(status: 503, "too many follow already; try again later") }
            return WebAnswer("text/event-stream", feed)
        } catch let error as BusClientError {
            throw link.failure(error, BusAPI.Subscribe.method, nil, timeout)
        } catch {
            throw .usage("\(error)")
        }
    }

    /// A method that readers may call; its parameters are the query's, and every reply is in the answer.
    private func call(_ method: String, _ request: WebRequest) throws(Failure) -> WebAnswer {
        guard let declared = Self.readable[method] else {
            return WebAnswer(
                status: 404, "'\(method)' is none of the methods that may be called here; /api lists them")
        }
        var parameters = JSONObject()
        for (name, value) in request.parameters {
            guard let field = declared.first(where: { $0.name == name }) else {
                throw .usage("\(method) has no parameter '\(name)'")
            }
            parameters[name] = try Self.value(value, of: field)
        }
        let call = VarlinkCall(method: method, parameters: parameters, more: true)
        let body = try calls.value(method, JSONText.line(.object(parameters))) { isSmall throws(Failure) in
            try turn.make(isSmall: isSmall) { () throws(Failure) in
                var replies: [JSONValue] = []
                try link.send(call, to: nil, .everyReply(timeout)) { reply in
                    replies.append(.object(reply))
                    return .more
                }
                return WebBody(Self.json(["replies": .array(replies)]))
            }
        }
        return WebAnswer("application/json", body)
    }

    private static func value(_ text: String, of field: IDLField) throws(Failure) -> JSONValue {
        var type = field.type
        if case .optional(let wrapped) = type { type = wrapped }
        switch type {
        case .int:
            guard let number = Int64(text) else { throw .usage("'\(field.name)' is a number") }
            return .int(number)
        case .bool:
            guard let truth = Bool(text) else { throw .usage("'\(field.name)' is true or false") }
            return .bool(truth)
        default: return .string(text)
        }
    }

    /// The parameters of each method that a reader may call and that answers at once.
    private static let readable: [String: [IDLField]] = {
        var fields: [String: [IDLField]] = [:]
        let interfaces = [
            try? Interfaces.bus(), try? Interfaces.vrrp(), try? Interfaces.ipvs(), try? Interfaces.check(),
        ]
        for interface in interfaces.compactMap(\.self) {
            for member in interface.members {
                let method = "\(interface.name).\(member.name)"
                guard case .method(let input, _) = member.declaration, Interfaces.roles[method] == .reader,
                    !Interfaces.needMore.contains(method)
                else { continue }
                fields[method] = input
            }
        }
        return fields
    }()

    private static let methods: JSONValue = [
        "methods": .array(
            readable.sorted { $0.key < $1.key }.map { method, fields in
                ["method": .string(method), "parameters": .array(fields.map { .string($0.name) })]
            })
    ]

    private static func json(_ value: JSONValue) -> [UInt8] { Array((JSONText.line(value) + "\n").utf8) }
}

extension Failure {
    /// As an HTTP status.
    fileprivate var webStatus: UInt32 {
        switch self {
        case .usage: 400
        case .refused(_, "org.varlink.service.InvalidParameter", _): 400
        case .unknownName, .refused: 404
        case .denied: 403
        case .busUnreachable, .daemonUnreachable, .notAttached, .disconnected, .hostRefused: 503
        case .timedOut: 504
        default: 502
        }
    }
}
