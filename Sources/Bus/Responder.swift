// The answer to one call, which a handler may give at once or keep for later.
import JSON
public import Varlink

/// Answers one call of a method. Letting go of it without an answer answers with an error.
public final class Responder<Method: VarlinkMethod> {
    private let pending: PendingCall

    init(_ pending: PendingCall) {
        self.pending = pending
    }

    /// Who called.
    public var caller: Caller { pending.caller }
    /// The caller takes several replies.
    public var wantsMore: Bool { pending.wantsMore }

    /// Calls `body` once when the caller's connection has ended. One body per name and connection: a later one replaces
    /// it.
    public func whenConnectionEnds(_ name: String, _ body: @escaping () -> Void) {
        pending.connection?.whenEnded[name] = body
    }

    /// The caller's connection, as something to compare; nil when it is gone.
    public var connection: ObjectIdentifier? { pending.connection.map { ObjectIdentifier($0) } }

    /// The last reply.
    public func reply(_ reply: Method.Reply) {
        pending.answer(encoded(reply, false))
    }

    /// One of several replies. Only for callers that `wantsMore`; `reply` ends them.
    public func send(_ reply: Method.Reply) {
        pending.answer(encoded(reply, true))
    }

    /// An error instead of a reply.
    public func fail(_ failure: some VarlinkFailure) {
        pending.answer(VarlinkReply(failure))
    }

    /// An error of org.varlink.service instead of a reply.
    public func fail(_ error: VarlinkServiceError) {
        pending.answer(error.reply)
    }

    /// A list as the last reply. To a caller that `wantsMore` it is sent in parts, each when the connection's turn
    /// comes; to others in one reply, or as the error TooLarge. `make` builds the reply of a part.
    public func reply<Element>(list: [Element], _ make: @escaping ([Element]) -> Method.Reply) {
        guard wantsMore, list.count > 1 else {
            guard isFarTooLong(list, make) else { return reply(make(list)) }
            return pending.answer(pending.tooLarge)
        }
        var rest = list[...]
        var size = Self.firstPart
        pending.goOn(with: { [pending, encoded] in
            let part = Array(rest.prefix(size))
            let isLast = part.count == rest.count
            guard let octets = pending.answerIfItFits(encoded(make(part), !isLast)) else {
                guard part.count > 1 else { return pending.answer(pending.tooLarge) }
                size = part.count / 2
                return
            }
            rest = rest.dropFirst(part.count)
            size = max(1, part.count * ServiceLimits.listPart / max(octets, 1))
        })
    }

    /// Elements of the first part of a list: enough to see how long one is.
    private static var firstPart: Int { 16 }

    /// Whether the beginning of a list shows that the whole does not fit into one message by far: finding out exactly
    /// would take longer than a turn may.
    private func isFarTooLong<Element>(_ list: [Element], _ make: ([Element]) -> Method.Reply) -> Bool {
        guard list.count > 4 * Self.firstPart else { return false }
        let sample = encoded(make(Array(list.prefix(Self.firstPart))), false)
        let octets = (try? sample.encoded())?.count ?? 0
        return octets / Self.firstPart * list.count > 2 * VarlinkFramer.messageLimit
    }

    private func encoded(_ reply: Method.Reply, _ continues: Bool) -> VarlinkReply {
        do throws(JSONCodingError) {
            return try VarlinkReply(encoding: reply, continues: continues)
        } catch {
            return VarlinkReply(error: pending.error("NotRepresentable"), ["problem": .string(error.description)])
        }
    }
}

/// Gives a call to the one who answers it: made by the generated `dispatch` of an interface.
public typealias Dispatch = (VarlinkCall, PendingCall) -> Void

/// A call that waits for its answer, without the method's types.
public final class PendingCall {
    let caller: Caller
    let wantsMore: Bool
    private let interface: String
    private(set) weak var connection: ServiceConnection?
    private var isAnswered = false
    /// Sends the next part of a long answer.
    private var nextPart: (() -> Void)?
    /// The call itself, while a long answer is under way and nobody else holds it.
    private var itself: PendingCall?

    init(_ call: VarlinkCall, _ caller: Caller, _ connection: ServiceConnection) {
        self.caller = caller
        wantsMore = call.more
        interface = VarlinkCall.split(call.method).map { String($0.interface) } ?? ""
        self.connection = connection
    }

    deinit {
        if !isAnswered { answer(VarlinkReply(BusAPI.ServiceUnavailable(interface: interface))) }
    }

    /// Gives the call to `body` with its parameters as the method's type.
    func hand<Method: VarlinkMethod>(_ call: VarlinkCall, to body: (Method, Responder<Method>) -> Void) {
        do throws(JSONCodingError) {
            body(try JSONValue.object(call.parameters).decode(), Responder(self))
        } catch {
            answer(VarlinkServiceError.invalidParameter(error.path).reply)
        }
    }

    func error(_ name: String) -> String { "\(interface).\(name)" }
    var tooLarge: VarlinkReply { VarlinkReply(error: error("TooLarge")) }

    func answer(_ reply: VarlinkReply) {
        guard !isAnswered else { return }
        if answerIfItFits(reply) == nil { _ = answerIfItFits(tooLarge) }
    }

    /// Octets of the reply; nil when it is too long for a message, and nothing was sent.
    func answerIfItFits(_ reply: VarlinkReply) -> Int? {
        guard !isAnswered else { return 0 }
        guard let connection else {
            isAnswered = !reply.continues
            return 0
        }
        // Set before the connection goes on to its next call.
        isAnswered = !reply.continues
        guard let octets = connection.answer(reply) else {
            isAnswered = false
            return nil
        }
        if isAnswered { letGo() }
        return octets
    }

    // MARK: A long answer

    /// More of the answer can be sent at once.
    var hasMore: Bool { nextPart != nil }

    /// Answers part by part: now, and whenever it is the connection's turn again.
    func goOn(with part: @escaping () -> Void) {
        nextPart = part
        itself = self
        part()
        connection?.standInLine()
    }

    func goOn() { nextPart?() }

    private func letGo() {
        nextPart = nil
        itself = nil
    }

    func abandon() {
        isAnswered = true
        letGo()
    }
}
