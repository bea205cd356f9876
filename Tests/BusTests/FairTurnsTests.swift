// The loop's time shared among connections: how much in one turn, and in which order.
import Bus
import Glibc
import Net
import Platform
import Testing

/// A connection with so many calls of one size.
private final class Caller: TurnTaker {
    let payer: UInt32
    var isInLine = false
    private let name: String
    private var calls: Int
    private let octets: Int
    private let served: (String) -> Void

    init(_ name: String, payer: UInt32, calls: Int, octets: Int = 1, _ served: @escaping (String) -> Void) {
        self.name = name
        self.payer = payer
        self.calls = calls
        self.octets = octets
        self.served = served
    }

    func takeTurn(_ allowance: inout TurnAllowance) -> Bool {
        while !allowance.isSpent, calls > 0 {
            calls -= 1
            allowance.spend(octets: octets)
            served(name)
        }
        return calls > 0
    }
}

@Suite struct FairTurnsTests {
    private func turns(_ loop: EventLoop, calls: Int, visit: Int, octets: Int = 1000) -> FairTurns {
        FairTurns(
            on: loop, turn: TurnAllowance(calls: calls, octets: octets),
            visit: TurnAllowance(calls: visit, octets: octets))
    }

    @Test func `one turn spends its calls and the rest waits for the next`() throws {
        let loop = try EventLoop()
        let turns = turns(loop, calls: 5, visit: 2)
        var served = 0
        turns.join(Caller("a", payer: 1, calls: 12) { _ in served += 1 })
        var after: [Int] = []
        for _ in 0..<4 {
            try loop.turn(timeoutMilliseconds: 0)
            after.append(served)
        }
        #expect(after == [5, 10, 12, 12])
    }

    @Test func `one turn spends its octets, and the last call may overdraw them`() throws {
        let loop = try EventLoop()
        let turns = turns(loop, calls: 100, visit: 100, octets: 100)
        var served = 0
        turns.join(Caller("a", payer: 1, calls: 5, octets: 60) { _ in served += 1 })
        try loop.turn(timeoutMilliseconds: 0)
        #expect(served == 2)
    }

    @Test func `users take turns, and each user's connections`() throws {
        let loop = try EventLoop()
        let turns = turns(loop, calls: 8, visit: 1)
        var order = ""
        let note = { (name: String) in order += name }
        for name in ["a", "b", "c"] { turns.join(Caller(name, payer: 1, calls: 9, note)) }
        turns.join(Caller("x", payer: 2, calls: 3, note))
        try loop.turn(timeoutMilliseconds: 0)
        #expect(order == "axbxcxab")
    }

    @Test func `a timer waits for one allowance only`() throws {
        let loop = try EventLoop()
        let turns = turns(loop, calls: 1, visit: 1)
        var log: [String] = []
        turns.join(Caller("a", payer: 1, calls: 3) { log.append($0) })
        let timer = loop.timer { log.append("timer") }
        timer.arm(at: loop.now)
        for _ in 0..<3 { try loop.turn(timeoutMilliseconds: 1) }
        #expect(log.count == 4)
        #expect(try #require(log.firstIndex(of: "timer")) <= 1)
    }

    @Test(.enabled(if: geteuid() == 0)) func `a real-time process serves for no more than half of the time`() throws {
        var (priority, ordinary) = (sched_param(sched_priority: 1), sched_param())
        try #require(sched_setscheduler(0, SCHED_RR, &priority) == 0)
        defer { sched_setscheduler(0, SCHED_OTHER, &ordinary) }
        let loop = try EventLoop()
        let turns = turns(loop, calls: 1, visit: 1)
        var (busy, last) = (Duration.zero, Duration.zero)
        turns.join(
            Caller("a", payer: 1, calls: 10) { _ in
                let began = loop.refreshNow()
                while loop.refreshNow() - began < .milliseconds(2) {}
                last = loop.now - began
                busy += last
            })
        let began = loop.refreshNow()
        while busy < .milliseconds(20) { try loop.turn(timeoutMilliseconds: 100) }
        // After the last call, which the machine may have stretched, nobody rested yet.
        #expect(loop.refreshNow() - began >= (busy - last) * 1.9 + last)
    }

    @Test func `joining twice gives one place`() throws {
        let loop = try EventLoop()
        let turns = turns(loop, calls: 10, visit: 1)
        var order = ""
        let first = Caller("a", payer: 1, calls: 2) { order += $0 }
        turns.join(first)
        turns.join(first)
        turns.join(Caller("b", payer: 1, calls: 1) { order += $0 })
        try loop.turn(timeoutMilliseconds: 0)
        #expect(order == "aba")
    }
}
