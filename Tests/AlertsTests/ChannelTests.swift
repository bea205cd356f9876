// When a message is sent, and with what: by virtual time.
import Net
import Testing

@testable import Alerts

@Suite struct ChannelTests {
    private var now = Instant(nanoseconds: 1_000_000_000_000)
    private var log = AlertLog()
    private var channel = AlertChannel(at: 0, in: AlertLog(), at: .zero)
    private var number = 0

    private mutating func happens(_ name: String, _ headline: String = "DOWN") {
        number += 1
        let change = makeChange(number, name, headline)
        log.add(change)
        channel.add(change, at: now)
    }

    private var waiting: AlertChannel.Waiting { log.waiting(after: channel.position) }

    /// Lets time pass; every message is taken by its receiver. Gives when each was sent and how many changes it had.
    private mutating func pass(_ seconds: Int, refusing failure: String? = nil) -> [(at: Int, count: Int)] {
        let start = now
        let end = now + .seconds(seconds)
        var sent: [(at: Int, count: Int)] = []
        while channel.deadline <= end {
            now = max(now, channel.deadline)
            guard let waiting = channel.take(from: log, at: now) else { break }
            sent.append((Int((now - start).nanoseconds / 1_000_000_000), waiting.changes.count + waiting.dropped))
            channel.finished(failure, in: log, at: now)
        }
        now = end
        return sent
    }

    @Test mutating func `a first change goes out after two seconds, with what happened meanwhile`() {
        for index in 0..<500 { happens("server \(index)") }
        let sent = pass(3600)
        #expect(sent.map(\.count) == [500])
        #expect(sent.map(\.at) == [2])
        #expect(waiting.count == 0)
    }

    @Test mutating func `five hundred servers that fail one after the other are a few messages`() {
        var sent: [(at: Int, count: Int)] = []
        for index in 0..<500 {
            happens("server \(index)")
            sent += pass(1)
        }
        sent += pass(120)
        #expect(sent.reduce(0) { $0 + $1.count } == 500)
        #expect(sent.count < 15)
    }

    @Test mutating func `what flaps for a day is told ever more seldom, and nothing of it is lost`() {
        var sent: [(at: Int, count: Int)] = []
        for index in 0..<8640 {
            happens("flapper", index.isMultiple(of: 2) ? "DOWN" : "UP")
            sent += pass(10)
        }
        sent += pass(1200)
        #expect(sent.reduce(0) { $0 + $1.count } == 8640)
        #expect(sent.count <= 6 * 24 + 5)
    }

    @Test mutating func `something else is told soon although something flaps`() {
        for index in 0..<600 {
            happens("flapper", index.isMultiple(of: 2) ? "DOWN" : "UP")
            _ = pass(1)
        }
        happens("VI_1", "Entering MASTER state")
        let sent = pass(60)
        #expect(sent.first.map { $0.at <= 15 } == true)
    }

    @Test mutating func `what has kept still is told at once again`() {
        happens("server")
        _ = pass(600)
        happens("server", "UP")
        #expect(pass(60).map(\.at) == [2])
    }

    @Test mutating func `a server that is dead for hours gets what happened, the oldest as a number, when it is back`()
    {
        var attempts = 0
        for index in 0..<3600 {
            happens("server \(index % 40)", index.isMultiple(of: 2) ? "DOWN" : "UP")
            attempts += pass(10, refusing: "connection refused").count
            #expect(waiting.changes.count <= AlertLog.limit)
        }
        #expect(channel.failure == "connection refused")
        #expect(attempts > 100 && attempts < 150)
        let sent = pass(300)
        #expect(sent.map(\.count) == [3600])
        #expect(channel.failure == nil)
        #expect(waiting.count == 0)
    }

    @Test mutating func `what happens while a message is under way waits for the next`() {
        happens("a")
        now = channel.deadline
        #expect(channel.take(from: log, at: now)?.changes.map(\.subject.name) == ["a"])
        happens("b")
        #expect(channel.deadline == .distantFuture)
        #expect(channel.take(from: log, at: now) == nil)
        channel.finished(nil, in: log, at: now)
        #expect(waiting.changes.map(\.subject.name) == ["b"])
        #expect(pass(60).map(\.count) == [1])
    }

    @Test mutating func `more than is listed happens while a message is under way`() {
        happens("a")
        now = channel.deadline
        _ = channel.take(from: log, at: now)
        for index in 0..<700 { happens("server \(index)") }
        channel.finished(nil, in: log, at: now)
        #expect(waiting.dropped == 200)
        #expect(waiting.changes.count == 500)
    }

    @Test mutating func `what was not taken is sent again after longer and longer, and at once at the end`() {
        happens("a")
        #expect(pass(600, refusing: "451 later").map(\.at) == [2, 17, 47, 107, 227, 527])
        happens("b")
        channel.hurry()
        #expect(channel.deadline <= now)
    }

    @Test mutating func `when what stood in the way is gone, it is sent at once and is a first attempt`() {
        happens("a")
        _ = pass(600, refusing: "connection refused")
        channel.tryAgain(at: now)
        #expect((channel.failure, channel.failures) == (nil, 0))
        #expect(pass(20, refusing: "451 later").map(\.at) == [0, 15])
        #expect((channel.failure, channel.failures) == ("451 later", 2))
    }

    @Test mutating func `that an attempt fails which began before the way was cleared says nothing`() {
        happens("a")
        now = channel.deadline
        #expect(channel.take(from: log, at: now) != nil)
        channel.tryAgain(at: now)
        now = now + .seconds(30)
        channel.finished("the old server's words", in: log, at: now)
        #expect((channel.failure, channel.failures) == (nil, 0))
        #expect(pass(60).map(\.at) == [0])
    }

    @Test mutating func `what failed nowhere is sent no sooner`() {
        happens("a")
        _ = pass(10)
        happens("a", "UP")
        let deadline = channel.deadline
        channel.tryAgain(at: now)
        #expect(channel.deadline == deadline)
    }

    @Test mutating func `what an earlier process left is sent soon`() {
        happens("a")
        channel = AlertChannel(at: channel.position, in: log, at: now)
        #expect(pass(60).map(\.at) == [2])
    }
}

func makeChange(_ number: Int, _ name: String, _ headline: String, _ kind: AlertSubject.Kind = .server) -> AlertChange {
    AlertChange(
        number: number, AlertSubject(kind, name), state: headline, title: "Realserver \(name)", headline: headline,
        text: "=> text <=", reason: "connection refused", time: "2026-11-26T19:00:00.000Z")
}
