// `notify_fifo` and `vrrp_notify_fifo`: every notice as a line in a pipe, and the program that reads it. scriptd makes, opens and writes the
// pipes: they are the administrator's files, and this service sees few of those. Lines leave in the order of the events; what nobody reads is
// dropped, and said.

import Bus
import Configuration
import DequeModule
import Net
import Platform
import VRRP

/// The pipes of a configuration.
final class NotifyPipes: NoticePipes {
    private let socket: String
    private let loop: EventLoop
    private var pipes: [NotifyPipe] = []
    /// Called when `troubles` is different.
    var troubleChanged: (() -> Void)?

    /// No pipes.
    init(socket: String, on loop: EventLoop) {
        self.socket = socket
        self.loop = loop
    }

    /// Everything has been written, or cannot be.
    var isIdle: Bool { pipes.allSatisfy(\.isIdle) }

    /// What is wrong with which pipe.
    private(set) var troubles: [String: String] = [:]

    private func look() {
        let troubles = pipes.compactMap { pipe in pipe.trouble.map { (pipe.configuration.path, $0) } }
        self.troubles = Dictionary(troubles) { first, _ in first }
        troubleChanged?()
    }

    func adopt(_ configurations: [NotifyPipeConfiguration], isSecure: Bool) {
        pipes = configurations.map { configuration in
            if let kept = pipes.first(where: { $0.configuration == configuration && $0.isSecure == isSecure }) {
                return kept
            }
            let pipe = NotifyPipe(configuration, isSecure: isSecure, socket: socket, on: loop)
            pipe.troubleChanged = { [weak self] in self?.look() }
            return pipe
        }
        look()
    }

    func write(_ notices: [Notice]) {
        for pipe in pipes { for notice in notices { pipe.write(notice.line + "\n") } }
    }
}

/// One pipe.
private final class NotifyPipe {
    /// Lines that wait for scriptd at most.
    private static let limit = 1000
    private static let retry = Duration.milliseconds(500)
    /// Before a reader that has ended is started again.
    private static let pause = Duration.seconds(1)

    let configuration: NotifyPipeConfiguration
    let isSecure: Bool
    private let socket: String
    private let loop: EventLoop
    private var lines: Deque<String> = []
    private var call: ScriptCall<ScriptAPI.Write>?
    private var reader: ScriptCall<ScriptAPI.Run>?
    private var writeTimer: LoopTimer?
    private var readerTimer: LoopTimer?
    var troubleChanged: (() -> Void)?
    /// Why the last line was not written.
    private var writing: String? { didSet { if oldValue != writing { troubleChanged?() } } }
    /// Why what is to read the lines does not run.
    private var reading: String? { didSet { if oldValue != reading { troubleChanged?() } } }

    /// What is wrong.
    var trouble: String? { writing ?? reading }

    var isIdle: Bool { lines.isEmpty || writing != nil }

    init(_ configuration: NotifyPipeConfiguration, isSecure: Bool, socket: String, on loop: EventLoop) {
        self.configuration = configuration
        self.isSecure = isSecure
        self.socket = socket
        self.loop = loop
        writeTimer = loop.timer { [weak self] in self?.writeNext() }
        guard configuration.script != nil else { return }
        let timer = loop.timer { [weak self] in self?.startReader() }
        // The pipe must be there first; an empty line makes it.
        lines.append("")
        writeNext()
        timer.arm(after: .milliseconds(20))
        readerTimer = timer
    }

    func write(_ line: String) {
        if lines.count >= Self.limit { lines.remove(at: min(1, lines.count - 1)) }
        lines.append(line)
        writeNext()
    }

    /// One at a time, so that they keep their order.
    private func writeNext() {
        guard call == nil, let line = lines.first else { return }
        let write = ScriptAPI.Write(
            path: configuration.path, user: configuration.user?.user, group: configuration.user?.group, line: line)
        call = ScriptCall(write, socket: socket, loop: loop) { [weak self] in self?.heard($0) }
    }

    private func heard(_ news: ScriptCall<ScriptAPI.Write>.News) {
        let over = call
        call = nil
        switch news {
        case .more: break
        case .done(let reply):
            lines.removeFirst()
            writing = reply.written ? nil : "nobody reads it: lines are dropped"
            writeNext()
        case .refused(let refused):
            lines.removeFirst()
            writing = refused.message
            writeNext()
        case .lost(let why):
            writing = why
            writeTimer?.arm(after: Self.retry)
        }
        withExtendedLifetime(over) {}
    }

    private func startReader() {
        guard var command = configuration.script else { return }
        command.arguments.append(configuration.path)
        let run = ScriptAPI.Run(
            arguments: command.arguments, user: command.user?.user, group: command.user?.group, secure: isSecure,
            environment: [:], timeoutMilliseconds: nil, id: nil)
        reader = ScriptCall(run, socket: socket, loop: loop) { [weak self] news in
            guard let self else { return }
            let over = reader
            reader = nil
            if case .refused(let refused) = news { reading = refused.message } else { reading = nil }
            readerTimer?.arm(after: Self.pause)
            withExtendedLifetime(over) {}
        }
    }
}
