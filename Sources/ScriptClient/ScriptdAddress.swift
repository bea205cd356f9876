// How a daemon asks scriptd for programs, and what it hears of them, in the words of what decides.

public import Bus
public import Scripts

/// How scriptd is called.
public final class ScriptdAddress {
    /// Its socket.
    public let socket: String
    /// Tells this process's programs from those of another one.
    public let caller: String
    /// The part of it before the slash.
    let daemon: String
    private var lastName = 0

    /// `caller` is the daemon's name, a slash, and what tells this process from others.
    public init(socket: String, caller: String) {
        self.socket = socket
        self.caller = caller
        daemon = String(caller.prefix { $0 != "/" })
    }

    /// Never the same.
    public func newName() -> String {
        lastName += 1
        return "\(caller)/\(lastName)"
    }
}

extension ScriptReport {
    /// What scriptd says, in the words of what decides.
    public init(_ news: ScriptCall<ScriptAPI.Run>.News) {
        switch news {
        case .more(let reply): self = reply.outcome == .accepted ? .accepted : .timedOut
        case .refused(let refused): self = .ended(.refused(refused.message), lastLine: "")
        case .busy(let count): self = .notRun("\(count) programs are running or being ended")
        case .lost(let why): self = .notRun(why)
        case .done(let reply):
            switch (reply.outcome, reply.status, reply.signal) {
            case (.exited, let status?, _): self = .ended(.exited(status), lastLine: reply.lastLine)
            case (.signalled, _, let signal?): self = .ended(.signalled(signal), lastLine: reply.lastLine)
            case (.timedOut, _, _): self = .ended(.timedOut, lastLine: reply.lastLine)
            case (.exited, nil, _), (.signalled, _, nil), (.accepted, _, _), (.other, _, _):
                self = .notRun("scriptd's answer is not understood")
            }
        }
    }
}
