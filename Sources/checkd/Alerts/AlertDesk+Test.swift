// A test of alerts: a message to everybody, past what waits, and what became of each.
import Alerts
import Bus
import Configuration
import Net
import Platform

extension AlertDesk {
    /// Sends a test message to everybody and calls back with what became of each.
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
        let identity = "evenkeel-test-\(memory.origin)-\(SystemClock.wallNanoseconds)"
        var messages: [(String, AlertMessage)] = []
        if sender.global.mail.isSent {
            messages += sender.global.mail.recipients.map {
                ($0.address, sender.mail(waiting, to: $0, time: time, identity: identity))
            }
        }
        messages += sender.global.webhooks.map {
            (Self.shown($0), sender.webhook(waiting, to: $0, time: time, identity: identity))
        }
        let round = TestRound(messages.count, done)
        if messages.isEmpty { return done([]) }
        let start = world.turns.refreshNow()
        for (index, (receiver, message)) in messages.enumerated() {
            world.carrier.send(message, helo: sender.helo) { [turns = world.turns] answer in
                let took = turns.refreshNow() - start
                round.finished(
                    index,
                    CheckAPI.AlertDelivery(
                        receiver: receiver, delivered: answer.failure == nil, answer: answer.failure ?? answer.words,
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
