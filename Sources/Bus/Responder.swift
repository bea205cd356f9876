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
    /// The caller is still there and waits.
    public var isOpen: Bool { pending.isOpen }

    /// Calls `body` if the caller goes away before the last reply.
    public func whenAbandoned(_ body: @escaping () -> Void) { pending.abandoned = body }

    /// The last reply.
    public func reply(_ reply: Method.Reply) {
        pending.answer(encoded(reply, continues: false))
    }

    /// One of several replies. Only for callers that `wantsMore`; `reply` ends them.
    public func send(_ reply: Method.Reply) {
        pending.answer(encoded(reply, continues: true))
    }

    /// An error instead of a reply.
    public func fail(_ failure: some VarlinkFailure) {
        pending.answer(VarlinkReply(failure))
    }

    /// An error of org.varlink.service instead of a reply.
    public func fail(_ error: VarlinkServiceError) {
        pending.answer(error.reply)
    }

    /// A list as the last reply, in as many replies as it takes to stay under the message limit when the caller
    /// `wantsMore`. `make` builds the reply of a part.
    public func reply<Element>(list: [Element], _ make: ([Element]) -> Method.Reply) {
        guard wantsMore else { return reply(make(list)) }
        var rest = list[...]
        var size = list.count
        while true {
            let part = Array(rest.prefix(size))
            let isLast = part.count == rest.count
            let reply = encoded(make(part), continues: !isLast)
            if part.count > 1, !PendingCall.fits(reply) {
                size = part.count / 2
                continue
            }
            pending.answer(reply)
            guard !isLast, isOpen else { return }
            rest = rest.dropFirst(part.count)
        }
    }

    private func encoded(_ reply: Method.Reply, continues: Bool) -> VarlinkReply {
        do throws(JSONCodingError) {
            return try VarlinkReply(encoding: reply, continues: continues)
        } catch {
            return VarlinkReply(error: pending.error("NotRepresentable"), ["problem": .string(error.description)])
        }
    }
}

/// A call that waits for its answer, without the method's types.
final class PendingCall {
    let caller: Caller
    let wantsMore: Bool
    var abandoned: (() -> Void)?
    private let interface: String
    private weak var connection: ServiceConnection?
    private var isAnswered = false

    init(_ call: VarlinkCall, _ caller: Caller, _ connection: ServiceConnection) {
        self.caller = caller
        wantsMore = call.more
        interface = VarlinkCall.split(call.method).map { String($0.interface) } ?? ""
        self.connection = connection
    }

    deinit {
        if !isAnswered { answer(VarlinkReply(BusAPI.ServiceUnavailable(interface: interface))) }
    }

    var isOpen: Bool { !isAnswered && connection?.isOpen == true }

    func error(_ name: String) -> String { "\(interface).\(name)" }

    /// Whether a reply is within the message limit.
    static func fits(_ reply: VarlinkReply) -> Bool {
        ((try? reply.encoded())?.count ?? 0) <= VarlinkFramer.messageLimit
    }

    func answer(_ reply: VarlinkReply) {
        guard !isAnswered else { return }
        isAnswered = !reply.continues
        connection?.answer(reply, tooLarge: VarlinkReply(error: error("TooLarge")))
    }

    func abandon() {
        isAnswered = true
        abandoned?()
    }
}
