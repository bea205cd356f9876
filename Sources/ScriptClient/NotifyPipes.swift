// `notify_fifo`, `vrrp_notify_fifo` and `lvs_notify_fifo`: every notice as a line in a pipe. scriptd makes, opens and writes the pipes: they are the
// administrator's files, and this service sees few of those. Lines leave in the order of the events. What finds no room waits, so that a reader
// that comes back hears the last state of each; of very many that wait those go whose subject has said something newer.

internal import Bus
public import Configuration
internal import DequeModule
internal import Net
public import Platform
internal import Scripts

/// A line for the pipes.
public struct PipeLine: Hashable, Sendable {
    /// Whom it is about: of very many lines that wait, those go whose subject has said something newer.
    public let subject: String
    /// Without its end.
    public let text: String

    /// A line about a subject.
    public init(about subject: String, _ text: String) {
        self.subject = subject
        self.text = text
    }
}

/// The pipes of a configuration.
public final class NotifyPipes {
    private let scriptd: ScriptdAddress
    private let loop: EventLoop
    private var pipes: [NotifyPipe] = []
    /// Called when `troubles` is different.
    public var troubleChanged: (() -> Void)?

    /// No pipes.
    public init(_ scriptd: ScriptdAddress, on loop: EventLoop) {
        self.scriptd = scriptd
        self.loop = loop
    }

    /// Everything has been written, or cannot be.
    public var isIdle: Bool { pipes.allSatisfy(\.isIdle) }

    /// What is wrong with which pipe.
    public private(set) var troubles: [String: String] = [:]

    private func look() {
        let troubles = pipes.compactMap { pipe in pipe.trouble.map { (pipe.path, $0) } }
        self.troubles = Dictionary(troubles) { first, _ in first }
        troubleChanged?()
    }

    /// Goes over to these pipes. Readers run under the rules.
    public func adopt(_ configurations: [NotifyPipeConfiguration], _ rules: ScriptRules) {
        var kept = pipes
        pipes = configurations.enumerated().map { number, configuration in
            let pipe: NotifyPipe
            if let same = kept.firstIndex(where: { $0.path == configuration.path && $0.user == configuration.user }) {
                pipe = kept.remove(at: same)
            } else {
                pipe = NotifyPipe(at: configuration.path, of: configuration.user, scriptd: scriptd, on: loop)
                pipe.troubleChanged = { [weak self] in self?.look() }
            }
            pipe.adopt(configuration.script, lane: "reader \(number) of \(configuration.path)", rules)
            return pipe
        }
        look()
    }

    /// Writes lines into every pipe.
    public func write(_ lines: [PipeLine]) {
        for pipe in pipes { for line in lines { pipe.write(line) } }
    }
}

/// One pipe.
private final class NotifyPipe {
    /// Lines that wait at most.
    private static let limit = 1000
    private static let retry = Duration.milliseconds(500)
    private static let silence = "scriptd does not answer"

    let path: String
    let user: ScriptUser?
    private let scriptd: ScriptdAddress
    private let loop: EventLoop
    private var lines: Deque<PipeLine> = []
    private var call: ScriptCall<ScriptAPI.Write>?
    private var writeTimer: LoopTimer?
    /// Lasts as long as scriptd holds the pipe open.
    private var holding: ScriptCall<ScriptAPI.Hold>?
    private var isHeld = false
    private var holdTimer: LoopTimer?
    private var reader: NotifyReader?
    var troubleChanged: (() -> Void)?
    /// Why the first line that waits was not written.
    private var writing: String? { didSet { if oldValue != writing { troubleChanged?() } } }
    /// Why the pipe is not open.
    private var opening: String? { didSet { if oldValue != opening { troubleChanged?() } } }

    /// What is wrong.
    var trouble: String? { writing ?? opening ?? reader?.trouble }

    var isIdle: Bool { lines.isEmpty || writing != nil }

    init(at path: String, of user: ScriptUser?, scriptd: ScriptdAddress, on loop: EventLoop) {
        self.path = path
        self.user = user
        self.scriptd = scriptd
        self.loop = loop
        writeTimer = loop.timer { [weak self] in
            guard let self else { return }
            if call == nil { writeNext() } else { writing = Self.silence }
        }
        holdTimer = loop.timer { [weak self] in
            guard let self else { return }
            if holding == nil { hold() } else { opening = Self.silence }
        }
        hold()
    }

    /// Goes over to this reader.
    func adopt(_ script: ScriptCommand?, lane: String, _ rules: ScriptRules) {
        guard script != reader?.command || script != nil && rules != reader?.rules else { return }
        reader = script.map {
            NotifyReader($0, of: path, lane: lane, rules, scriptd: scriptd, on: loop)
        }
        reader?.troubleChanged = { [weak self] in self?.troubleChanged?() }
        if isHeld { reader?.start() }
    }

    // MARK: The pipe is there, and open

    /// A reader must not take the end of a scriptd for the end of all lines: as soon as the next one is there it has the pipe open, also when
    /// there is nothing to write.
    private func hold() {
        holdTimer?.arm(after: ScriptReport.patience)
        let call = ScriptAPI.Hold(path: path, user: user?.user, group: user?.group)
        holding = ScriptCall(call, more: true, socket: scriptd.socket, loop: loop) { [weak self] in self?.heard($0) }
    }

    private func heard(_ news: ScriptCall<ScriptAPI.Hold>.News) {
        if case .more = news {
            isHeld = true
            opening = nil
            holdTimer?.disarm()
            reader?.start()
            return
        }
        let over = holding
        holding = nil
        isHeld = false
        switch news {
        case .more, .done, .busy, .lost: break
        case .refused(let refused): opening = refused.message
        }
        holdTimer?.arm(after: Self.retry)
        withExtendedLifetime(over) {}
    }

    // MARK: Lines

    func write(_ line: PipeLine) {
        if lines.count >= Self.limit { leaveOneOut() }
        lines.append(line)
        writeNext()
    }

    /// The oldest whose subject has said something newer; never one that is being written.
    private func leaveOneOut() {
        var later: Set<String> = []
        var victim = call == nil ? 0 : 1
        for index in lines.indices.reversed() where !later.insert(lines[index].subject).inserted {
            if index > 0 || call == nil { victim = index }
        }
        lines.remove(at: victim)
    }

    /// One at a time, so that they keep their order.
    private func writeNext() {
        guard call == nil, let line = lines.first else { return }
        writeTimer?.arm(after: ScriptReport.patience)
        let write = ScriptAPI.Write(path: path, user: user?.user, group: user?.group, line: line.text + "\n")
        call = ScriptCall(write, socket: scriptd.socket, loop: loop) { [weak self] in self?.heard($0) }
    }

    private func heard(_ news: ScriptCall<ScriptAPI.Write>.News) {
        let over = call
        call = nil
        switch news {
        case .more, .busy: break
        case .done(let reply) where reply.written:
            lines.removeFirst()
            writing = nil
            writeTimer?.disarm()
            writeNext()
        case .done: wait("nobody reads it: lines wait")
        case .refused(let refused): wait(refused.message)
        case .lost(let why): wait(why)
        }
        withExtendedLifetime(over) {}
    }

    /// The line is written when it can be.
    private func wait(_ why: String) {
        writing = why
        writeTimer?.arm(after: Self.retry)
    }
}
