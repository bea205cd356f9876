// The loop's time, shared among connections that have calls to be served. Whoever has one stands in line; after the
// timers of every turn the line is served, the users by turns and each user's connections by turns, until the turn's
// allowance is spent. So however many calls arrive at once, a timer waits for no more than one allowance, and one user
// for no more than a share of it.
//
// A process of a real-time class rests as long as it served, whoever calls: the kernel takes the processor away from one that is
// busy for 0.95 s (sched_rt_runtime_us), for up to 0.1 s, and an advertisement would be late by that.
import DequeModule
internal import Net
public import Platform

/// What may still be done: calls, and octets of JSON taken in or put out.
public struct TurnAllowance: Sendable {
    /// Calls.
    public var calls: Int
    /// Octets. The last call may overdraw it: what a call costs is known afterwards.
    public var octets: Int

    /// An allowance.
    public init(calls: Int, octets: Int) {
        self.calls = calls
        self.octets = octets
    }

    /// Nothing more is to be begun.
    public var isSpent: Bool { calls <= 0 || octets <= 0 }

    /// Pays for one call.
    public mutating func spend(octets: Int) {
        calls -= 1
        self.octets -= octets
    }
}

/// A connection that stands in line.
public protocol TurnTaker: AnyObject {
    /// The user whose turn it uses.
    var payer: UInt32 { get }
    /// Stands in the line; kept by `FairTurns`.
    var isInLine: Bool { get set }
    /// Serves calls until the allowance is spent. True when it could go on at once.
    func takeTurn(_ allowance: inout TurnAllowance) -> Bool
}

/// The line.
public final class FairTurns {
    private final class Line {
        var takers: Deque<any TurnTaker> = []
    }

    private let loop: EventLoop
    private let turn: TurnAllowance
    private let visit: TurnAllowance
    private var lines: [UInt32: Line] = [:]
    private var order: Deque<UInt32> = []
    private var isPlanned = false
    private var restTimer: LoopTimer?
    private var restUntil = Instant.zero
    /// As it was when it was asked last, at most a second ago: it can be changed from outside.
    private var isRealtime = false
    private var asksAgain = Instant.zero

    /// - Parameters:
    ///   - turn: what all connections together get in one turn of the loop.
    ///   - visit: what one connection gets before the next one.
    public init(on loop: EventLoop, turn: TurnAllowance, visit: TurnAllowance) {
        self.loop = loop
        self.turn = turn
        self.visit = visit
        restTimer = loop.timer { [weak self] in self?.serve() }
    }

    /// Puts a connection in line, once.
    public func join(_ taker: any TurnTaker) {
        guard !taker.isInLine else { return }
        taker.isInLine = true
        let payer = taker.payer
        if let line = lines[payer] {
            line.takers.append(taker)
        } else {
            let line = Line()
            line.takers.append(taker)
            lines[payer] = line
            order.append(payer)
        }
        plan()
    }

    private func plan() {
        guard !isPlanned else { return }
        isPlanned = true
        if restUntil > loop.now {
            restTimer?.arm(at: restUntil)
        } else {
            loop.soon { [weak self] in self?.serve() }
        }
    }

    private func serve() {
        isPlanned = false
        let began = loop.refreshNow()
        var left = turn
        while !left.isSpent, let payer = order.popFirst(), let line = lines[payer], let taker = line.takers.popFirst() {
            taker.isInLine = false
            let granted = TurnAllowance(calls: min(visit.calls, left.calls), octets: min(visit.octets, left.octets))
            var rest = granted
            let goesOn = taker.takeTurn(&rest)
            left.calls -= granted.calls - rest.calls
            left.octets -= granted.octets - rest.octets
            if goesOn, !taker.isInLine {
                taker.isInLine = true
                line.takers.append(taker)
            }
            if line.takers.isEmpty { lines[payer] = nil } else { order.append(payer) }
        }
        let ended = loop.refreshNow()
        if ended >= asksAgain {
            isRealtime = ProcessTuning.isRealtime
            asksAgain = ended + .seconds(1)
        }
        if isRealtime { restUntil = ended + (ended - began) }
        if !order.isEmpty { plan() }
    }
}
