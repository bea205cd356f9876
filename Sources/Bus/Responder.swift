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

    /// The caller has closed its connection, whether or not this process has heard of it.
    public var callerHasGone: Bool { pending.connection?.peerHasGone ?? true }

    /// The caller's connection, as something to compare; nil when it is gone.
    public var connection: ObjectIdentifier? { pending.connection.map { ObjectIdentifier($0) } }

    /// The last reply.
    public func reply(_ reply: Method.Reply) {
        pending.answer(VarlinkReply(encoding: reply))
    }

    /// One of several replies. Only for callers that `wantsMore`; `reply` ends them.
    public func send(_ reply: Method.Reply) {
        pending.answer(VarlinkReply(encoding: reply, continues: true))
    }

    /// An error instead of a reply.
    public func fail(_ failure: some VarlinkFailure) {
        pending.answer(VarlinkReply(failure))
    }

    /// An error of org.varlink.service instead of a reply.
    public func fail(_ error: VarlinkServiceError) {
        pending.answer(error.reply)
    }

    /// A list as the last reply, made in parts as the connection's turns come. A caller that `wantsMore` gets each part as a reply,
    /// others one reply at the end, or the error TooLarge. `make` builds the reply of a part.
    public func reply<Element>(list: [Element], _ make: @escaping ([Element]) -> Method.Reply) {
        guard list.count > 1 else { return reply(make(list)) }
        var rest = list[...]
        // Enough to see how long an element is.
        var size = 16
        var whole = VarlinkListReply()
        pending.goOn(with: { [pending, wantsMore] in
            let part = Array(rest.prefix(size))
            let isLast = part.count == rest.count
            let reply = VarlinkReply(encoding: make(part), continues: wantsMore && !isLast)
            guard let octets = wantsMore ? pending.answerIfItFits(reply) : pending.add(reply, to: &whole, isLast) else {
                guard wantsMore, part.count > 1 else {
                    pending.answer(pending.tooLarge)
                    return 0
                }
                size = part.count / 2
                return ServiceLimits.listPart
            }
            rest = rest.dropFirst(part.count)
            size = max(1, part.count * ServiceLimits.listPart / max(octets, 1))
            return octets
        })
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
    /// Makes the next part of a long answer, and gives its octets.
    private var nextPart: (() -> Int)?
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

    /// Adds a part to a list, and answers with the whole when it was the last.
    /// - Returns: octets of the part; nil when the list is too long for a message.
    func add(_ part: VarlinkReply, to list: inout VarlinkListReply, _ isLast: Bool) -> Int? {
        guard part.error == nil else {
            answer(part)
            return 0
        }
        let before = list.count
        do throws(JSONError) { try list.append(part) } catch { return nil }
        guard list.count < VarlinkFramer.messageLimit else { return nil }
        if isLast {
            isAnswered = true
            guard connection == nil || connection?.answer(list) != nil else {
                isAnswered = false
                return nil
            }
            letGo()
        }
        return list.count - before
    }

    // MARK: A long answer

    /// More of the answer can be sent at once.
    var hasMore: Bool { nextPart != nil }

    /// Answers part by part: now, and whenever it is the connection's turn again.
    func goOn(with part: @escaping () -> Int) {
        nextPart = part
        itself = self
        _ = part()
        connection?.standInLine()
    }

    /// Octets of the part that was made.
    func goOn() -> Int { nextPart?() ?? 0 }

    private func letGo() {
        nextPart = nil
        itself = nil
    }

    func abandon() {
        isAnswered = true
        letGo()
    }
}
