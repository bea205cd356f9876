// `notify_fifo_script`: the program that reads a pipe, in scriptd. It ends with this process, and when the configuration names another; the
// next one begins when it has gone. One that ends by itself is begun again: after a second, and more slowly each time while it does not last.

internal import Bus
internal import Configuration
internal import Net
internal import Platform
internal import Scripts

/// What reads a pipe.
final class NotifyReader {
    /// One that has run for so long works.
    private static let probation = Duration.seconds(10)
    private static let shortestPause = Duration.seconds(1)

    /// The program, the path behind its arguments.
    let command: ScriptCommand
    let rules: ScriptRules
    private let path: String
    private let lane: String
    private let scriptd: ScriptdAddress
    private let loop: EventLoop
    private var call: ScriptCall<ScriptAPI.Run>?
    private var timer: LoopTimer?
    private var began = Instant.zero
    private var pace = RetryPace(first: shortestPause)
    private var hasBegun = false
    private var isAccepted = false
    var troubleChanged: (() -> Void)?
    /// Why it does not run, or not for long.
    private(set) var trouble: String? { didSet { if oldValue != trouble { troubleChanged?() } } }

    /// Does not run yet.
    init(
        _ command: ScriptCommand, of path: String, lane: String, _ rules: ScriptRules, scriptd: ScriptdAddress,
        on loop: EventLoop
    ) {
        self.command = command
        self.rules = rules
        self.path = path
        self.lane = lane
        self.scriptd = scriptd
        self.loop = loop
        timer = loop.timer { [weak self] in self?.timerFired() }
    }

    /// Begins it, unless it runs. Does no harm when it is called again.
    func start() {
        if !hasBegun { begin() }
    }

    private func timerFired() {
        guard call != nil else { return begin() }
        if isAccepted {
            pace.reset()
            trouble = nil
        } else {
            trouble = "scriptd does not answer"
        }
    }

    private func begin() {
        hasBegun = true
        var run = ScriptAPI.Run(command, rules, timeout: nil)
        run.arguments.append(path)
        run.lane = ScriptAPI.Lane(name: lane, owner: scriptd.newName())
        began = loop.now
        isAccepted = false
        timer?.arm(after: ScriptReport.patience)
        call = ScriptCall(run, more: true, socket: scriptd.socket, loop: loop) { [weak self] in self?.heard($0) }
    }

    private func heard(_ news: ScriptCall<ScriptAPI.Run>.News) {
        let report = ScriptReport(news)
        guard report.isLast else {
            if report == .accepted {
                began = loop.now
                isAccepted = true
                timer?.arm(after: Self.probation)
            }
            return
        }
        let over = call
        call = nil
        switch report {
        case .accepted, .timedOut: break
        case .notRun: timer?.arm(after: Self.shortestPause)
        case .ended(let outcome, let line):
            if loop.now - began >= Self.probation {
                pace.reset()
            } else {
                let words = line.isEmpty ? "" : " (\(line))"
                trouble = "what reads it, \(command.arguments[0]), does not go on: \(outcome)\(words)"
            }
            timer?.arm(after: pace.next())
        }
        withExtendedLifetime(over) {}
    }
}
