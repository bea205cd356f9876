// One call of scriptd: a connection, the call, what is heard of it. For a program that runs the connection is its life: it ends with it,
// however this process ends, unless the program has a name of its own.

public import Configuration
internal import Glibc
internal import JSON
internal import Net
public import Platform
public import Varlink

/// A call that is under way. Released, its connection closes.
public final class ScriptCall<Method: VarlinkMethod> {
    /// What is heard, all but `more` once and last.
    public enum News {
        /// A reply that others follow.
        case more(Method.Reply)
        /// The last reply.
        case done(Method.Reply)
        /// The configuration asks for what cannot be done.
        case refused(ScriptAPI.Refused)
        /// As many programs of the caller's are there as may be, being ended included.
        case busy(programs: Int)
        /// scriptd could not do it or cannot be reached: nothing else is known.
        case lost(String)
    }

    private let heard: (News) -> Void
    private var client = VarlinkClient()
    private var stream: ByteStream?

    /// Makes the call. `heard` is called on the loop, never before this returns.
    public init(_ call: Method, more: Bool = false, socket: String, loop: EventLoop, _ heard: @escaping (News) -> Void)
    {
        self.heard = heard
        do {
            let stream = try ByteStream(try scriptdConnection(at: socket), on: loop, owner: self)
            stream.send(try client.call(call.call(more: more)))
            self.stream = stream
        } catch {
            loop.soon { [weak self] in self?.heard(.lost("\(socket): \(error)")) }
        }
    }

    private func end(_ news: News) {
        guard let stream else { return }
        stream.close()
        self.stream = nil
        heard(news)
    }

    private func take(_ reply: VarlinkReply) {
        if let error = reply.error {
            if let refused = reply.failure(ScriptAPI.Refused.self) { return end(.refused(refused)) }
            if let busy = reply.failure(ScriptAPI.Busy.self) { return end(.busy(programs: busy.programs)) }
            return end(.lost(reply.failure(ScriptAPI.Unable.self)?.message ?? error))
        }
        do throws(JSONCodingError) {
            let answer: Method.Reply = try JSONValue.object(reply.parameters).decode()
            if reply.continues { heard(.more(answer)) } else { end(.done(answer)) }
        } catch {
            end(.lost("scriptd's answer is not understood: \(error)"))
        }
    }
}

/// Others may make sockets in that directory: what they say of a script counts for nothing.
private func scriptdConnection(at socket: String) throws(Errno) -> FileDescriptor {
    let descriptor = try UnixSocket.connect(to: socket)
    let peer = try PeerCredentials(of: descriptor.number)
    guard peer.uid == 0 || peer.uid == geteuid() else { throw Errno(EPERM, "getsockopt(SO_PEERCRED)") }
    return descriptor
}

extension ScriptCall: ByteStreamOwner {
    public func stream(_ stream: ByteStream, received octets: UnsafeRawBufferPointer) {
        client.receive(octets)
        do throws(VarlinkProtocolError) {
            while self.stream != nil, let reply = try client.nextReply() { take(reply) }
        } catch {
            end(.lost("scriptd broke the protocol: \(error)"))
        }
    }

    public func streamFinished(_ stream: ByteStream) { end(.lost("scriptd closed the connection")) }

    public func streamClosed(_ stream: ByteStream) { end(.lost("scriptd closed the connection")) }

    public func streamDrained(_ stream: ByteStream) {}
}

extension ScriptAPI.Run {
    /// A command of the configuration, under its rules.
    public init(_ command: ScriptCommand, _ rules: ScriptRules, timeout: Duration?) {
        self.init(
            arguments: command.arguments, user: command.user?.user, group: command.user?.group, secure: rules.isSecure,
            environment: [:], timeoutMilliseconds: timeout.map { Int(clamping: $0.nanoseconds / 1_000_000) }, id: nil,
            lane: nil, umask: rules.umask, allGroups: rules.haveAllGroups,
            networkNamespace: rules.networkNamespace?.path)
    }
}
