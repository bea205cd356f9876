// Answers that are made once for all who wait for them, and large ones one after the other: what a large answer takes while it is made is
// ten times what it is, and the unit's MemoryMax has room for one or two of that.
import Glibc
import Net
import Platform
import Synchronization

/// An answer that is made once for all who wait for it. It is begun after each of them has asked, so that it has what made him ask: a page
/// asks after an event, and is not told what was before.
final class SharedAnswer: Sendable {
    /// From the beginning of one until the next, at least; where it takes long, twice as long as that, and not more than the most.
    private static let pace = Duration.milliseconds(250)
    private static let slowestPace = Duration.seconds(1)

    private struct Latest {
        /// As long as somebody waits who may have it.
        var answer: Result<WebBody, Failure>?
        var begun: Instant
        var took: Duration
        /// Octets of the last one that could be made.
        var size: Int?
    }

    private let kept = Mutex<Latest?>(nil)
    /// Those inside `value`.
    private let waiting = Atomic(0)

    /// - Parameter make: is told whether the one before was small; nothing is known of the first. Says when it began, after it had waited its turn.
    func value(_ make: (_ isSmall: Bool) throws(Failure) -> FreshAnswer) throws(Failure) -> WebBody {
        // Counted before the time is taken: whoever may have an answer that is begun later is counted when it is there.
        waiting.add(1, ordering: .sequentiallyConsistent)
        let asked = SystemClock.now
        return try kept.withLock { kept throws(Failure) in
            defer {
                if waiting.subtract(1, ordering: .sequentiallyConsistent).newValue == 0 { kept?.answer = nil }
            }
            if let kept {
                if kept.begun >= asked, let answer = kept.answer { return try answer.get() }
                let due = kept.begun + min(max(Self.pace, kept.took * 2), Self.slowestPace)
                let wait = due - SystemClock.now
                if wait > .zero { usleep(UInt32(clamping: wait.nanoseconds / 1000)) }
            }
            // Whoever waits for the one before can have the next one.
            kept?.answer = nil
            let size = kept?.size
            let start = SystemClock.now
            let fresh = Result<FreshAnswer, Failure> { () throws(Failure) in
                try make(size.map { $0 < LargeTurn.threshold } ?? false)
            }
            let made = try? fresh.get()
            let answer = fresh.map(\.body)
            let begun = made?.begun ?? start
            kept = Latest(
                answer: answer, begun: begun, took: SystemClock.now - begun, size: made?.body.octets.count ?? size)
            return try answer.get()
        }
    }
}

/// An answer that was made, and when that began.
struct FreshAnswer: Sendable {
    var begun: Instant
    var body: WebBody

    /// Makes it now.
    init(_ make: () throws(Failure) -> WebBody) throws(Failure) {
        begun = SystemClock.now
        body = try make()
    }
}

/// The answers to calls: one for all who ask the same, and one at a time of each interface, since one daemon makes them.
final class SharedCalls: Sendable {
    /// Of different questions; beyond it all are forgotten.
    private static let limit = 64

    private let shared = Mutex<[String: SharedAnswer]>([:])
    private let turns = Mutex<[String: InterfaceTurn]>([:])

    private final class InterfaceTurn: Sendable {
        let lock = Mutex(())
    }

    func value(
        _ method: String, _ parameters: String, _ make: (_ isSmall: Bool) throws(Failure) -> FreshAnswer
    ) throws(Failure) -> WebBody {
        let answers = shared.withLock { shared in
            let question = method + parameters
            if let answers = shared[question] { return answers }
            if shared.count >= Self.limit { shared.removeAll() }
            let answers = SharedAnswer()
            shared[question] = answers
            return answers
        }
        let interface = String(method.prefix(upTo: method.lastIndex(of: ".") ?? method.endIndex))
        let turn = turns.withLock { turns in
            let turn = turns[interface] ?? InterfaceTurn()
            turns[interface] = turn
            return turn
        }
        return try answers.value { isSmall throws(Failure) in
            try turn.lock.withLock { _ throws(Failure) in try make(isSmall) }
        }
    }
}

/// Large answers are made one after the other, and none while readers hold too much of those that were.
final class LargeTurn: Sendable {
    /// Octets from which on an answer is large. One of which nothing is known yet may be.
    static let threshold = 256 << 10
    /// Octets of answers that are being read, at most, when another one is made.
    private static let largestBacklog = 64 << 20

    private let lock = Mutex(())

    /// Makes an answer, in turn unless it is known to be small.
    func make(isSmall: Bool, _ make: () throws(Failure) -> WebBody) throws(Failure) -> FreshAnswer {
        guard !isSmall else { return try FreshAnswer(make) }
        return try lock.withLock { _ throws(Failure) in
            guard WebBody.octetsAlive < Self.largestBacklog else {
                throw .hostRefused("too many large answers are being read; try again later", remedy: nil)
            }
            let answer = try FreshAnswer(make)
            // What its making took is free now, and would stay.
            if answer.body.octets.count >= Self.threshold { Footprint.trimHeap() }
            return answer
        }
    }
}
