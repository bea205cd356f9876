// The writing thread: what is confirmed is there, only the latest waits, failures are retried, and the loop never waits.
import CLinux
import Glibc
import Net
import Platform
import Testing

@Suite struct LedgerTests {
    private let loop: EventLoop
    private let directory: String

    init() throws {
        loop = try EventLoop()
        var template = Array("/tmp/ledger-XXXXXX".utf8CString)
        directory = String(cString: try #require(mkdtemp(&template)))
    }

    private func run(for limit: Duration = .seconds(5), until done: () -> Bool) throws {
        let end = SystemClock.now + limit
        while !done(), SystemClock.now < end { try loop.turn(timeoutMilliseconds: 20) }
        #expect(done())
    }

    private func text(_ name: String) throws -> String? {
        try FileSystem.ownContents(of: "\(directory)/\(name)", limit: 1 << 20).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    @Test(arguments: [true, false]) func `a confirmed write is on the disk`(durable: Bool) throws {
        let ledger = Ledger(directory: directory + "/made", on: loop)
        let file = ledger.file("state", durable: durable)
        #expect(try file.read() == nil)
        var answers: [Errno?] = []
        file.write({ Array("one".utf8) }, done: { answers.append($0) })
        try run { answers.count == 1 }
        #expect(answers == [nil])
        #expect(try text("made/state") == "one")
        #expect(try file.read() == Array("one".utf8))
    }

    @Test func `only the latest content waits, and every caller hears of it`() throws {
        let ledger = Ledger(directory: directory, on: loop)
        let file = ledger.file("state", durable: false)
        var answered = 0
        for number in 1...1000 { file.write({ Array("\(number)".utf8) }, done: { if $0 == nil { answered += 1 } }) }
        try run { answered == 1000 }
        #expect(try text("state") == "1000")
    }

    @Test func `a failed write is said, retried, and confirmed to the next caller`() throws {
        try FileSystem.makeDirectory(directory + "/state.new", mode: 0o755)
        let ledger = Ledger(directory: directory, on: loop)
        let file = ledger.file("state", durable: true)
        var failures: [Errno?] = []
        var changes: [Int32?] = []
        file.failureChanged = { changes.append($0?.code) }
        file.write({ Array("kept".utf8) }, done: { failures.append($0) })
        try run { failures.count == 1 }
        #expect(failures.first??.code != nil)
        #expect(file.failure != nil)
        rmdir(directory + "/state.new")
        try run { file.failure == nil }
        #expect(try text("state") == "kept")
        #expect(changes.count == 2)
    }

    @Test func `a disk that hangs holds up nothing but its own answer`() throws {
        let ledger = Ledger(directory: directory, on: loop)
        let file = ledger.file("state", durable: false)
        let gate = Gate()
        let entered = Gate()
        var answered = false
        let stuck: @Sendable () -> [UInt8] = {
            entered.open()
            gate.wait()
            return []
        }
        file.write(stuck, done: { _ in answered = true })
        entered.wait()
        let start = SystemClock.now
        for _ in 0..<100 { file.write({ Array("later".utf8) }) }
        try loop.turn(timeoutMilliseconds: 0)
        #expect(SystemClock.now - start < .milliseconds(500))
        #expect(!answered)
        ledger.flush(within: .milliseconds(20))
        #expect(!answered)
        gate.open()
        try run { answered }
        ledger.flush(within: .seconds(2))
        #expect(try text("state") == "later")
    }

    @Test func `nothing that stands at the path or beside it is followed or believed`() throws {
        let victim = directory + "/victim"
        try FileSystem.replace(victim, with: Array("mine".utf8), durable: false)
        symlink(victim, directory + "/state.new")
        let ledger = Ledger(directory: directory, on: loop)
        let file = ledger.file("state", durable: false)
        var done = false
        file.write({ Array("text".utf8) }, done: { done = $0 == nil })
        try run { done }
        #expect(try text("victim") == "mine")
        #expect(try text("state") == "text")
        // Reading: a link, a pipe, a file that is too large to be ours.
        unlink(file.path)
        symlink(victim, file.path)
        #expect(throws: Errno(ELOOP, "open")) { try file.read() }
        unlink(file.path)
        mkfifo(file.path, 0o600)
        #expect(throws: Errno(EINVAL, "open")) { try file.read() }
    }

    @Test(.enabled(if: geteuid() == 0)) func `a file of another user is not believed unless it is root's`() throws {
        let file = Ledger(directory: directory, on: loop).file("state", durable: false)
        try FileSystem.replace(file.path, with: [1], durable: false)
        chown(file.path, 12345, 0)
        #expect(throws: Errno(EPERM, "open")) { try file.read() }
        chown(file.path, 0, 0)
        #expect(try file.read() == [1])
    }

    @Test func `a file that is not understood is set aside`() throws {
        let file = Ledger(directory: directory, on: loop).file("state", durable: false)
        try FileSystem.replace(file.path, with: [1], durable: false)
        let aside = try file.setAside()
        #expect(try file.read() == nil)
        #expect(try FileSystem.ownContents(of: aside, limit: 10) == [1])
    }

    @Test func `what a file had stays under a second name when it is replaced`() throws {
        let file = Ledger(directory: directory, on: loop).file("state", durable: false)
        for content in [1, 2] as [UInt8] {
            try FileSystem.replace(file.path, with: [content], durable: false)
            let older = try file.keepOlder()
            try FileSystem.replace(file.path, with: [0], durable: false)
            #expect(try FileSystem.ownContents(of: older, limit: 10) == [content])
        }
        #expect(try file.read() == [0])
    }
}

/// Holds a thread until it is opened.
private final class Gate: Sendable {
    private let descriptor = FileDescriptor(owning: ek_eventfd())

    func wait() {
        var entry = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
        _ = poll(&entry, 1, 5000)
    }

    func open() {
        var one: UInt64 = 1
        _ = ek_write(descriptor.number, &one, 8)
    }
}
