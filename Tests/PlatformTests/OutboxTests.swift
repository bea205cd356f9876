// The log and the service manager's messages: one record for each call, and a reader that does not read holds up nothing.
import Glibc
import Synchronization
import Testing

@testable import Platform

@Suite struct OutboxTests {
    /// A reader that takes a number of octets and then none.
    private final class Reader: Sendable {
        let state = Mutex((taken: [UInt8](), room: 0, messages: [String](), isDeaf: false))

        func outbox() -> Outbox {
            Outbox(
                write: { bytes in
                    self.state.withLock { state in
                        let count = min(bytes.count, state.room)
                        guard count > 0 else { return -Int(EAGAIN) }
                        state.taken += bytes.prefix(count)
                        state.room -= count
                        return count
                    }
                },
                notify: { message in
                    self.state.withLock { state in
                        guard !state.isDeaf else { return -EAGAIN }
                        state.messages.append(message)
                        return 1
                    }
                })
        }

        var text: String { String(decoding: state.withLock { $0.taken }, as: UTF8.self) }
        func read(_ count: Int) { state.withLock { $0.room += count } }
    }

    private let logger = Logger(level: .info)

    @Test func `a message is one record without control characters`() {
        let line = String(decoding: logger.record(.info, "a\n<3>b\u{1b}[2J\u{7f}\u{85}\u{2028}é\0"), as: UTF8.self)
        #expect(line.hasSuffix(#"a\x0a<3>b\x1b[2J\x7f\x85\u{2028}é\x00"# + "\n"))
        #expect(line.filter(\.isNewline).count == 1)
    }

    @Test func `a long message is cut and says so`() {
        let line = String(decoding: logger.record(.info, String(repeating: "x", count: 100_000)), as: UTF8.self)
        #expect(line.utf8.count < 9000)
        #expect(line.contains("more characters)"))
    }

    @Test func `lines wait for a slow reader in order, are dropped beyond the limit, and the gap is said`() {
        let reader = Reader()
        let outbox = reader.outbox()
        let record = [UInt8](repeating: UInt8(ascii: "x"), count: 1023) + [10]
        func log(_ record: [UInt8]) { outbox.log(record) { Array("dropped \($0)\n".utf8) } }
        for _ in 0..<100 { log(record) }
        #expect(outbox.isWaiting)
        reader.read(1 << 20)
        outbox.flush()
        #expect(!outbox.isWaiting)
        #expect(reader.text.utf8.count == 64 << 10)
        log(Array("next\n".utf8))
        #expect(reader.text.hasSuffix("dropped 36\nnext\n"))
    }

    @Test func `a line that was half taken is finished before the next`() {
        let reader = Reader()
        let outbox = reader.outbox()
        reader.read(3)
        for line in ["first\n", "second\n"] { outbox.log(Array(line.utf8)) { _ in [] } }
        reader.read(100)
        outbox.flush()
        #expect(reader.text == "first\nsecond\n")
    }

    @Test func `a service manager that is behind hears the latest of each kind`() {
        let reader = Reader()
        let outbox = reader.outbox()
        reader.state.withLock { $0.isDeaf = true }
        for message in ["READY=1", "STATUS=a", "STATUS=b", "WATCHDOG=1", "WATCHDOG=1"] { outbox.tell(message) }
        reader.state.withLock { $0.isDeaf = false }
        outbox.flush()
        #expect(reader.state.withLock { $0.messages } == ["READY=1", "STATUS=b", "WATCHDOG=1"])
    }
}
