// Reads the configuration for those who are not root: when one of them first asks, and again when one asks for what it did not name, since
// it may have been edited. A thread of its own reads, seldom enough to cost little however often somebody asks. What could be read is kept:
// with --last-good it counts where the file is refused before anything was read.

import Bus
import Configuration
import Net
import Platform

/// Who may ask for what.
final class Permissions {
    /// What is said to a question.
    enum Answer {
        case granted(Grants)
        /// The configuration does not name it.
        case denied
        /// Nobody knows: the configuration cannot be read.
        case unknown(String)
    }

    private struct Question {
        let isGranted: (Grants) -> Bool
        let answer: (Answer) -> Void
    }

    /// Between two readings, and how much longer than a reading that is at least.
    private static let rest = Duration.seconds(1)
    private static let restRatio = 20

    private let loop: EventLoop
    private let options: DaemonOptions
    private let logger: Logger
    private let users: [UInt32: Asker]
    private var grants: Grants?
    /// Counts the calls of `forget`: how many came before `grants` was read, and how many there are.
    private var (grantsAge, age) = (0, 0)
    private var waiting: [Question] = []
    private var isReading = false
    private var isOnLastGood = false
    private var keepingTrouble: Errno?
    private var notBefore = Instant.zero
    private var timer: LoopTimer?

    /// Has read nothing yet.
    /// - Parameter users: who the daemons are, by uid.
    init(
        on loop: EventLoop, options: DaemonOptions, logger: Logger, users: [UInt32: Asker] = Permissions.accounts()
    ) {
        self.loop = loop
        self.options = options
        self.logger = logger
        self.users = users
        timer = loop.timer { [weak self] in self?.read() }
    }

    /// The daemons' users, as far as they exist.
    static func accounts() -> [UInt32: Asker] {
        let found = Asker.allCases.compactMap { asker in
            asker.account.flatMap(Accounts.user).map { ($0, asker) }
        }
        return Dictionary(found) { first, _ in first }
    }

    /// Who a caller is; nil: nobody who may ask.
    func asker(_ caller: Caller, ownUser: UInt32) -> Asker? {
        if caller.uid == 0 || caller.uid == Int(ownUser) { return .administrator }
        return UInt32(exactly: caller.uid).flatMap { users[$0] }
    }

    /// Only what the configuration says now counts; where it cannot be read, what it said before.
    func forget() { age += 1 }

    /// Answers at once where it is known that something is granted.
    func ask(_ isGranted: @escaping (Grants) -> Bool, _ answer: @escaping (Answer) -> Void) {
        if grantsAge == age, let grants, isGranted(grants) { return answer(.granted(grants)) }
        waiting.append(Question(isGranted: isGranted, answer: answer))
        read()
    }

    private func read() {
        guard !isReading, !waiting.isEmpty else { return }
        let began = loop.refreshNow()
        guard began >= notBefore else { return timer?.arm(at: notBefore) ?? () }
        isReading = true
        let asked = waiting
        waiting = []
        var options = options
        // What this process has read is as good, and newer.
        options.startsWithLastGood = options.startsWithLastGood && grants == nil
        do throws(Errno) {
            try Background.run(
                on: loop, { [options] in Self.read(options) },
                done: { [weak self, age] in self?.finish($0, asked, began, age) })
        } catch {
            finish(Reading(grants: nil, trouble: "\(error)"), asked, began, age)
        }
    }

    /// What a reading gave.
    private struct Reading {
        var grants: Grants?
        /// Why the file says nothing; with grants: they are those of the last good one.
        var trouble: String?
        /// Why this one, which was read, is not kept.
        var keepingTrouble: Errno?
    }

    private static func read(_ options: DaemonOptions) -> Reading {
        do throws(ConfigurationRefusal) {
            let file = try ConfigurationFile(atStart: options)
            var reading = Reading(grants: Grants(file.configuration), trouble: file.refusal.map(Self.text))
            if let bundle = file.bundle, file.refusal == nil {
                do throws(Errno) {
                    try KeptConfigurations(directory: options.stateDirectory).keep(bundle)
                } catch {
                    reading.keepingTrouble = error
                }
            }
            return reading
        } catch {
            return Reading(grants: nil, trouble: Self.text(error))
        }
    }

    private static func text(_ refusal: ConfigurationRefusal) -> String {
        let first = refusal.diagnostics.first { $0.severity == .error }
        return first.map { "\($0.position): \($0.message)" } ?? "it is refused"
    }

    private func finish(_ reading: Reading, _ asked: [Question], _ began: Instant, _ age: Int) {
        isReading = false
        let now = loop.refreshNow()
        notBefore = now + max(Self.rest, (now - began) * Self.restRatio)
        if var read = reading.grants {
            if let grants, grantsAge == age { read.join(grants) }
            (grants, grantsAge) = (read, age)
        }
        say(reading)
        let answer: Answer =
            reading.trouble.map {
                .unknown("\(options.config) cannot be read, so nobody knows whether it names this: \($0)")
            } ?? .denied
        // Who has come meanwhile may have an answer now, or waits for the next reading.
        let others = waiting
        waiting = []
        for question in asked {
            if let grants, question.isGranted(grants) {
                question.answer(.granted(grants))
            } else {
                question.answer(answer)
            }
        }
        for question in others { ask(question.isGranted, question.answer) }
        read()
    }

    /// Loud where the last good one is in force; the daemons that ask hold an alarm up for the same reason.
    private func say(_ reading: Reading) {
        if let trouble = reading.trouble, reading.grants != nil {
            logger.error("configuration refused; programs of the last good one are run (--last-good): \(trouble)")
            isOnLastGood = true
        } else if reading.trouble == nil, isOnLastGood {
            logger.notice("the configuration is good again: its programs are run")
            isOnLastGood = false
        }
        if let trouble = reading.keepingTrouble, trouble != keepingTrouble {
            logger.warning("the configuration is not kept: \(trouble); --last-good has an older one")
        }
        keepingTrouble = reading.keepingTrouble
    }
}
