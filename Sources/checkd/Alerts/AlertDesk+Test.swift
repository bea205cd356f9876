// A test of alerts: a message to everybody, past what waits, and what became of each.
import Alerts
import Bus
import Configuration
import Net
import Platform

extension AlertDesk {
    /// A message of the test.
    private struct Letter {
        /// Where its receiver's queue is.
        let stream: ReferenceWritableKeyPath<AlertDesk, AlertStream>
        let receiver: String
        /// The receiver, for people.
        let shown: String
        let message: AlertMessage
    }

    /// Sends a test message to everybody and calls back with what became of each. Who takes it is sent what waits, too.
    /// There must be no test under way (`isTesting`).
    func test(_ done: @escaping ([CheckAPI.AlertDelivery]) -> Void) {
        guard let sender else { return done([]) }
        let time = SystemClock.timestamp
        var waiting = AlertChannel.Waiting()
        waiting.changes = [
            AlertChange(
                number: 0, AlertSubject(.instance, "test"), state: "test", title: "Evenkeel",
                headline: "test of alerts",
                text: "=> This is a test: nothing has happened <=", reason: "asked for by lbctl alert test", time: time)
        ]
        let draft = AlertDraft(
            waiting: waiting, sender: sender, time: time,
            identity: "evenkeel-test-\(memory.origin)-\(SystemClock.wallNanoseconds)")
        var letters: [Letter] = sender.global.mail.receivers.map {
            Letter(stream: \.mail, receiver: $0.address, shown: $0.address, message: .mail(draft, to: $0))
        }
        letters += sender.global.webhooks.map {
            Letter(stream: \.webhooks, receiver: $0, shown: Self.shown($0), message: .webhook(draft, url: $0))
        }
        if letters.isEmpty { return done([]) }
        isTesting = true
        let round = TestRound(letters.count) { [weak self] in
            self?.isTesting = false
            done($0)
        }
        let start = world.turns.refreshNow()
        for (index, letter) in letters.enumerated() {
            world.carrier.send(letter.message, helo: sender.helo) { [weak self, turns = world.turns] answer in
                let took = turns.refreshNow() - start
                if answer.failure == nil { self?.works(letter.receiver, letter.stream) }
                round.finished(
                    index,
                    CheckAPI.AlertDelivery(
                        receiver: letter.shown, delivered: answer.failure == nil,
                        answer: answer.failure ?? answer.words,
                        durationMilliseconds: Int(took.nanoseconds / 1_000_000)))
            }
        }
    }
}

/// The answers to a test, until all are there.
private final class TestRound {
    private var answers: [Int: CheckAPI.AlertDelivery] = [:]
    private let count: Int
    private let done: ([CheckAPI.AlertDelivery]) -> Void

    init(_ count: Int, _ done: @escaping ([CheckAPI.AlertDelivery]) -> Void) {
        (self.count, self.done) = (count, done)
    }

    func finished(_ index: Int, _ answer: CheckAPI.AlertDelivery) {
        answers[index] = answer
        guard answers.count == count else { return }
        done((0..<count).compactMap { answers[$0] })
    }
}
