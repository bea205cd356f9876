// Tracked systemd units in virtual time: active, restarted too often, tolerated while they are restarted.

import Configuration
import Net
import Testing

@testable import VRRP

private func at(_ seconds: Double) -> Instant { .zero + .milliseconds(Int64(seconds * 1000)) }

private func unit(restarts: Int? = nil, window: Duration = .seconds(600), delay: Duration = .zero) -> UnitMonitor {
    var block = TrackUnitConfiguration(name: "u", unit: "u.service")
    (block.maximumRestarts, block.window, block.terminateDelay) = (restarts, window, delay)
    return UnitMonitor(block)
}

@Suite struct TrackedUnitTests {
    @Test func `a unit is good while it is active`() {
        var monitor = unit()
        #expect(monitor.report(at: .zero).standing == .unknown)
        monitor.saw(nil, at: .zero)
        #expect(monitor.report(at: .zero) == TrackerReport(.failed, "inactive"))
        monitor.saw("a", at: at(1))
        #expect(monitor.report(at: at(1)) == TrackerReport(.good, "active"))
        monitor.saw(nil, at: at(2))
        #expect(monitor.report(at: at(2)).standing == .failed)
        #expect(monitor.deadline(after: at(2)) == nil)
    }

    /// scenarios/warm-standby: more than 5 restarts in 10 minutes hand over.
    @Test func `the sixth restart within ten minutes is too many, until the first is ten minutes old`() {
        var monitor = unit(restarts: 5)
        for start in 0...5 {
            monitor.saw("\(start)", at: at(Double(start) * 60))
            #expect(monitor.report(at: at(Double(start) * 60)).standing == .good)
        }
        monitor.saw("6", at: at(360))
        #expect(monitor.report(at: at(360)).standing == .failed)
        #expect(monitor.report(at: at(360)).words.contains("more than 5 times"))
        #expect(monitor.deadline(after: at(360)) == at(660))
        #expect(monitor.report(at: at(659.9)).standing == .failed)
        #expect(monitor.report(at: at(660)).standing == .good)
        monitor.saw("7", at: at(661))
        #expect(monitor.report(at: at(661)).standing == .failed)
        #expect(monitor.deadline(after: at(661)) == at(720))
    }

    @Test func `restarts that are far apart are none`() {
        var monitor = unit(restarts: 2, window: .seconds(102))
        for start in 0..<50 {
            monitor.saw("\(start)", at: at(Double(start) * 51))
            #expect(monitor.report(at: at(Double(start) * 51)).standing == .good)
        }
    }

    @Test func `seeing one start twice is no restart, and the first is none`() {
        var monitor = unit(restarts: 0)
        for _ in 0..<5 { monitor.saw("a", at: .zero) }
        #expect(monitor.report(at: .zero).standing == .good)
        monitor.saw("b", at: at(1))
        #expect(monitor.report(at: at(1)).standing == .failed)
    }

    @Test func `what is inactive for less than terminate_delay moves nothing, but not at the start`() {
        var monitor = unit(delay: .seconds(5))
        monitor.saw(nil, at: .zero)
        #expect(monitor.report(at: .zero).standing == .failed)
        monitor.saw("a", at: at(1))
        monitor.saw(nil, at: at(2))
        #expect(monitor.report(at: at(2)).standing == .good)
        #expect(monitor.deadline(after: at(2)) == at(7))
        monitor.saw(nil, at: at(4))
        #expect(monitor.report(at: at(7)).standing == .failed)
        monitor.saw("b", at: at(8))
        monitor.saw(nil, at: at(9))
        monitor.saw("c", at: at(11))
        #expect(monitor.report(at: at(30)).standing == .good)
    }

    @Test func `an edited block keeps what was seen`() {
        var monitor = unit(restarts: 3)
        for start in 0...4 { monitor.saw("\(start)", at: at(Double(start))) }
        #expect(monitor.report(at: at(5)).standing == .failed)
        var block = monitor.configuration
        block.maximumRestarts = 1
        monitor.adopt(block)
        #expect(monitor.report(at: at(5)).standing == .failed)
        block.maximumRestarts = nil
        monitor.adopt(block)
        #expect(monitor.report(at: at(5)).standing == .good)
    }
}
