// Reads the configuration for those who are not root: when one of them first asks, and again when one asks for what it did not name, since
// it may have been edited. A thread of its own reads, seldom enough to cost little however often somebody asks.

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
    private let path: String
    private let users: [UInt32: Asker]
    private var grants: Grants?
    /// Counts the calls of `forget`: how many came before `grants` was read, and how many there are.
    private var (grantsAge, age) = (0, 0)
    private var waiting: [Question] = []
    private var isReading = false
    private var notBefore = Instant.zero
    private var timer: LoopTimer?

    /// Has read nothing yet.
    /// - Parameter users: who the daemons are, by uid.
    init(on loop: EventLoop, path: String, users: [UInt32: Asker] = Permissions.accounts()) {
        self.loop = loop
        self.path = path
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
        do throws(Errno) {
            try Background.run(
                on: loop, { [path] in Self.grants(of: path) },
                done: { [weak self, age] in self?.finish($0, asked, began, age) })
        } catch {
            finish(.failure(ReadingTrouble(text: "\(error)")), asked, began, age)
        }
    }

    private struct ReadingTrouble: Error {
        let text: String
    }

    private static func grants(of path: String) -> Result<Grants, ReadingTrouble> {
        do throws(ConfigurationRefusal) {
            return .success(Grants(try ConfigurationFile(path: path).configuration))
        } catch {
            let first = error.diagnostics.first { $0.severity == .error }
            let text = first.map { "\($0.position): \($0.message)" } ?? "it is refused"
            return .failure(ReadingTrouble(text: text))
        }
    }

    private func finish(_ result: Result<Grants, ReadingTrouble>, _ asked: [Question], _ began: Instant, _ age: Int) {
        isReading = false
        let now = loop.refreshNow()
        notBefore = now + max(Self.rest, (now - began) * Self.restRatio)
        let answer: Answer
        switch result {
        case .success(var read):
            if let grants, grantsAge == age { read.join(grants) }
            (grants, grantsAge) = (read, age)
            answer = .denied
        case .failure(let trouble):
            answer = .unknown("\(path) cannot be read, so nobody knows whether it names this: \(trouble.text)")
        }
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
}
