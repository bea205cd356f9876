// Timers, descriptors, signals and children on the loop, in real time but without waiting for luck.
import CLinux
import Glibc
import Net
import Platform
import Testing

@Suite struct EventLoopTests {
    /// Runs turns until `done` or for two seconds.
    private func run(_ loop: EventLoop, until done: () -> Bool) throws {
        let limit = SystemClock.now + .seconds(2)
        while !done(), SystemClock.now < limit { try loop.turn(timeoutMilliseconds: 50) }
        #expect(done())
    }

    private func pair() throws -> (Int32, Int32) {
        var descriptors: (Int32, Int32) = (0, 0)
        let result = withUnsafeMutablePointer(to: &descriptors) {
            $0.withMemoryRebound(to: Int32.self, capacity: 2) { ek_socketpair($0) }
        }
        try Errno.check(result, "socketpair")
        return descriptors
    }

    @Test func `timers fire in the order of their deadlines`() throws {
        let loop = try EventLoop()
        var fired: [Int] = []
        let timers = [30, 10, 20].map { delay in
            let timer = loop.timer { fired.append(delay) }
            timer.arm(after: .milliseconds(delay))
            return timer
        }
        try run(loop) { fired.count == 3 }
        #expect(fired == [10, 20, 30])
        #expect(timers.allSatisfy { $0.deadline == nil })
    }

    @Test func `a timer armed later fires once, at the later time`() throws {
        let loop = try EventLoop()
        var fired: [Instant] = []
        let timer = loop.timer { fired.append(loop.now) }
        timer.arm(after: .milliseconds(5))
        let deadline = loop.now + .milliseconds(40)
        timer.arm(at: deadline)
        try run(loop) { !fired.isEmpty }
        #expect(fired.count == 1)
        #expect(fired[0] >= deadline)
    }

    @Test func `a turn that begins late says by how much, and one in time says nothing`() throws {
        let loop = try EventLoop()
        var late: [Duration] = []
        loop.noteLateness(beyond: .milliseconds(40)) { late.append($0) }
        var fired = 0
        let timer = loop.timer { fired += 1 }
        timer.arm(after: .milliseconds(1))
        usleep(100_000)
        try run(loop) { fired == 1 }
        #expect(late.count == 1 && late.allSatisfy { $0 >= .milliseconds(90) })
        loop.noteLateness(beyond: nil)
        loop.refreshNow()
        timer.arm(after: .milliseconds(1))
        usleep(100_000)
        try run(loop) { fired == 2 }
        #expect(late.count == 1)
    }

    @Test func `a timer armed earlier fires at the earlier time and not again`() throws {
        let loop = try EventLoop()
        var count = 0
        let timer = loop.timer { count += 1 }
        timer.arm(after: .milliseconds(30))
        timer.arm(after: .milliseconds(1))
        var past = false
        let end = loop.timer { past = true }
        end.arm(after: .milliseconds(60))
        try run(loop) { past }
        #expect(count == 1)
    }

    @Test func `a disarmed or released timer does not fire`() throws {
        let loop = try EventLoop()
        var count = 0
        let disarmed = loop.timer { count += 1 }
        disarmed.arm(after: .milliseconds(1))
        disarmed.disarm()
        var released: LoopTimer? = loop.timer { count += 1 }
        released?.arm(after: .milliseconds(1))
        released = nil
        var past = false
        let end = loop.timer { past = true }
        end.arm(after: .milliseconds(20))
        try run(loop) { past }
        #expect(count == 0)
    }

    @Test func `every descriptor that is ready is handled before any timer, however many there are`() throws {
        let loop = try EventLoop()
        var expired = 0
        var handled = 0
        var watches: [Watch] = []
        var open: [(Int32, Int32)] = []
        for _ in 0..<200 {
            let ends = try pair()
            open.append(ends)
            _ = ek_write(ends.1, "x", 1)
            let timer = loop.timer { expired += 1 }
            timer.arm(at: loop.now)
            watches.append(
                try loop.watch(ends.0, .read) { _ in
                    handled += 1
                    timer.disarm()
                })
        }
        try loop.turn(timeoutMilliseconds: 0)
        #expect(handled == 200)
        #expect(expired == 0)
        for (one, other) in open { close(one); close(other) }
        withExtendedLifetime(watches) {}
    }

    @Test func `a timer that became due while a handler ran waits until the descriptors were looked at again`() throws {
        let loop = try EventLoop()
        let slow = try pair()
        let answer = try pair()
        var expired = false
        let timer = loop.timer { expired = true }
        timer.arm(at: loop.refreshNow() + .milliseconds(20))
        _ = ek_write(slow.1, "x", 1)
        let first = try loop.watch(slow.0, .read) { _ in
            // The process is stopped here; meanwhile the answer that the timer waits for arrives.
            _ = ek_write(answer.1, "x", 1)
            usleep(40_000)
            loop.refreshNow()
            var octet: UInt8 = 0
            _ = ek_read(slow.0, &octet, 1)
        }
        let second = try loop.watch(answer.0, .read) { _ in timer.disarm() }
        for _ in 0..<3 { try loop.turn(timeoutMilliseconds: 0) }
        #expect(!expired)
        for end in [slow.0, slow.1, answer.0, answer.1] { close(end) }
        withExtendedLifetime((first, second)) {}
    }

    @Test func `a handler that cancels another watch of the same turn keeps it from running`() throws {
        let loop = try EventLoop()
        let (a, b) = try pair()
        let (c, d) = try pair()
        var calls = 0
        var watches: [Watch] = []
        for descriptor in [a, c] {
            watches.append(
                try loop.watch(descriptor, .read) { _ in
                    calls += 1
                    for watch in watches { watch.cancel() }
                })
        }
        _ = ek_write(b, "x", 1)
        _ = ek_write(d, "x", 1)
        try loop.turn(timeoutMilliseconds: 100)
        #expect(calls == 1)
        for descriptor in [a, b, c, d] { _ = ek_close(descriptor) }
    }

    @Test func `an event of a closed descriptor does not reach the watch that reuses its number`() throws {
        let loop = try EventLoop()
        let (a, b) = try pair()
        let (c, d) = try pair()
        var stale = 0
        var replacement: Watch?
        var watches: [Watch] = []
        // Whichever of the two runs first closes the other and reuses its number and its slot.
        for (mine, other) in [(a, c), (c, a)] {
            watches.append(
                try loop.watch(mine, .read) { _ in
                    guard replacement == nil else { return stale += 1 }
                    let index = other == a ? 0 : 1
                    watches[index].cancel()
                    var fresh: (Int32, Int32) = (0, 0)
                    _ = ek_close(other)
                    fresh = (try? self.pair()) ?? (-1, -1)
                    #expect(fresh.0 == other)
                    replacement = try? loop.watch(fresh.0, .read) { _ in stale += 1 }
                    watches[1 - index].cancel()
                })
        }
        _ = ek_write(b, "x", 1)
        _ = ek_write(d, "x", 1)
        try loop.turn(timeoutMilliseconds: 100)
        #expect(replacement != nil)
        #expect(stale == 0)
    }

    @Test func `work put off with soon runs after the handlers, once`() throws {
        let loop = try EventLoop()
        var order: [String] = []
        loop.soon {
            order.append("first")
            loop.soon { order.append("second") }
        }
        try loop.turn(timeoutMilliseconds: 0)
        #expect(order == ["first"])
        try loop.turn(timeoutMilliseconds: 0)
        #expect(order == ["first", "second"])
    }

    @Test func `descriptors are served before timers of the same turn`() throws {
        let loop = try EventLoop()
        let (a, b) = try pair()
        var order: [String] = []
        let watch = try loop.watch(a, .read) { _ in
            order.append("descriptor")
            var byte: UInt8 = 0
            _ = ek_read(a, &byte, 1)
        }
        let timer = loop.timer { order.append("timer") }
        timer.arm(after: .milliseconds(1))
        _ = ek_write(b, "x", 1)
        usleep(5_000)
        try loop.turn(timeoutMilliseconds: 100)
        #expect(order == ["descriptor", "timer"])
        watch.cancel()
        _ = ek_close(a)
        _ = ek_close(b)
    }

    @Test func `a child's end is reported with its status`() throws {
        let loop = try EventLoop()
        var ends: [ChildExit] = []
        let polite = try ChildProcess(["/bin/sh", "-c", "exit 7"], environment: [], on: loop) { ends.append($0) }
        let stubborn = try ChildProcess(["/bin/sleep", "30"], environment: [], on: loop) { ends.append($0) }
        stubborn.signal(SIGKILL)
        try run(loop) { ends.count == 2 }
        #expect(Set(ends) == [.exited(7), .signalled(SIGKILL)])
        #expect(polite.pid != stubborn.pid)
    }

    @Test func `a program that cannot be started is an error, not a dead child`() throws {
        let loop = try EventLoop()
        #expect(throws: Errno(ENOENT, "execve")) {
            _ = try ChildProcess(["/nonexistent"], environment: [], on: loop) { _ in }
        }
    }

    @Test func `work in the background does not hold up the loop, and its result comes back to it`() throws {
        let loop = try EventLoop()
        var result: String?
        var ticks = 0
        let timer = loop.timer { ticks += 1 }
        timer.arm(after: .milliseconds(1))
        let gate = try pair()
        try Background.run(on: loop) {
            // Ends only after the loop's timer has fired.
            var octet: UInt8 = 0
            while ek_read(gate.0, &octet, 1) == -Int(EAGAIN) { usleep(100) }
            return "done after \(octet)"
        } done: {
            result = $0
        }
        try run(loop) { ticks == 1 }
        #expect(result == nil)
        _ = ek_write(gate.1, [7], 1)
        try run(loop) { result != nil }
        #expect(result == "done after 7")
        _ = ek_close(gate.0)
        _ = ek_close(gate.1)
    }

    /// A process that the configuration gives a real-time priority goes on reading files beside its loop.
    @Test(.enabled(if: geteuid() == 0)) func `a real-time process has threads, of ordinary priority`() throws {
        let loop = try EventLoop()
        var priority = sched_param(sched_priority: 10)
        try Errno.check(sched_setscheduler(0, SCHED_RR, &priority), "sched_setscheduler")
        defer {
            var none = sched_param(sched_priority: 0)
            _ = sched_setscheduler(0, SCHED_OTHER, &none)
        }
        var policy: Int32?
        try Background.run(on: loop) {
            sched_getscheduler(0)
        } done: {
            policy = $0
        }
        try run(loop) { policy != nil }
        #expect(policy == SCHED_OTHER)
    }
}
