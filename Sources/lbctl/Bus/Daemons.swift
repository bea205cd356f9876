// Calls, seen from a command: parameters out, parameters back, or a Failure. Commands are written against this protocol
// so that tests can script the daemons.
import Bus
import JSON
import Varlink

/// Whether more replies are wanted.
enum Appetite: Sendable {
    case more, enough
}

/// How long a call may wait.
enum Patience: Sendable {
    /// So long for each reply.
    case everyReply(Duration)
    /// So long for the first reply; the next ones come when something happens.
    case firstReply(Duration)
    /// So long until the call has left; replies come when something happens.
    case leaving(Duration)

    /// The limit of what has one.
    var limit: Duration {
        switch self {
        case .everyReply(let limit), .firstReply(let limit), .leaving(let limit): limit
        }
    }
}

/// Something that can be called: the bus, a daemon, or a script in a test.
protocol Daemons: AnyObject {
    /// Makes one call and hands over the parameters of each reply until the last one, or until it is enough.
    ///
    /// - Parameters:
    ///   - daemon: whom to ask when there is no bus to find out; nil is the daemon that serves the call's interface.
    ///   - patience: how long to wait; connecting and sending are part of it.
    func send(
        _ call: VarlinkCall, to daemon: Daemon?, _ patience: Patience,
        _ each: (JSONObject) throws(Failure) -> Appetite
    ) throws(Failure)
    /// How long an ordinary call may take.
    var timeout: Duration { get }
    /// Whether the daemons are asked without the bus.
    var isDirect: Bool { get }
    /// Which director of several this is: NAME of evenkeel@NAME.target.
    var instance: String? { get }
}

/// One reply: as it came, and as its type.
struct Answer<Method: VarlinkMethod> {
    let parameters: JSONObject

    /// The parameters as the interface declares them.
    func decoded() throws(Failure) -> Method.Reply {
        do throws(JSONCodingError) {
            return try JSONValue.object(parameters).decode(Method.Reply.self)
        } catch {
            throw .protocolViolation("\(Method.method): \(error)")
        }
    }
}

extension Daemons {
    /// A call with one reply.
    func call<Method: VarlinkMethod>(_ method: Method, timeout: Duration? = nil) throws(Failure) -> Answer<Method> {
        Answer(parameters: try call(method.call(), timeout: timeout ?? self.timeout))
    }

    /// A call with one reply, as it comes.
    func call(_ call: VarlinkCall, to daemon: Daemon? = nil, timeout: Duration? = nil) throws(Failure) -> JSONObject {
        var answer: JSONObject?
        try send(call, to: daemon, .everyReply(timeout ?? self.timeout)) { parameters in
            answer = parameters
            return .enough
        }
        guard let answer else { throw .protocolViolation("\(call.method): no reply at all") }
        return answer
    }

    /// A call whose answer may come in several replies, all of them.
    func list<Method: VarlinkMethod>(_ method: Method) throws(Failure) -> [Answer<Method>] {
        var answers: [Answer<Method>] = []
        try send(method.call(more: true), to: nil, .everyReply(timeout)) { parameters in
            answers.append(Answer(parameters: parameters))
            return .more
        }
        return answers
    }

    /// The latest events of some types, each as it came and as it was read.
    func latest(_ types: [String]) throws(Failure) -> [(wire: JSONValue, event: BusAPI.Event)] {
        var replies: [Answer<BusAPI.Subscribe>] = []
        try send(BusAPI.Subscribe(types: types).call(more: true), to: nil, .everyReply(timeout)) { parameters in
            guard parameters["snapshotComplete"]?.bool != true else { return .enough }
            replies.append(Answer(parameters: parameters))
            return .more
        }
        var events: [(wire: JSONValue, event: BusAPI.Event)] = []
        for reply in replies {
            guard let event = try reply.decoded().event else { continue }
            events.append((reply.parameters["event"] ?? .null, event))
        }
        return events
    }
}

extension Array {
    /// The elements of every answer to a listing, one after the other.
    func all<Method, Part>(
        _ part: KeyPath<Method.Reply, [Part]>
    ) throws(Failure) -> [Part] where Element == Answer<Method> {
        var all: [Part] = []
        for answer in self { all += try answer.decoded()[keyPath: part] }
        return all
    }
}

extension Failure {
    /// The error of a reply to `method`.
    init(method: String, error: String, parameters: JSONObject) {
        switch error {
        case "org.varlink.service.PermissionDenied": self = .denied(method: method)
        case "org.varlink.service.InterfaceNotFound", BusAPI.ServiceUnavailable.error:
            let interface = VarlinkCall.split(method).map { String($0.interface) } ?? method
            self = .notAttached(interface: parameters["interface"]?.string ?? interface)
        default: self = .refused(method: method, error: error, parameters: parameters)
        }
    }

    /// Where it names a unit, that of a director in a network namespace.
    func inInstance(_ name: String?) -> Failure {
        switch self {
        case .notAttached(let interface, _): .notAttached(interface: interface, instance: name)
        case .timedOut(let method, let limit, let culprit, _):
            .timedOut(method: method, limit, by: culprit, instance: name)
        case .usage, .configuration, .busUnreachable, .daemonUnreachable, .disconnected, .protocolViolation, .denied,
            .refused, .unknownName, .unknownKeyword, .ambiguous, .differentConfigurations, .hostRefused, .notDone,
            .stillDraining, .inPart:
            self
        }
    }
}
