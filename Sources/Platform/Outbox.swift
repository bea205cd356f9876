// What a daemon says to whoever runs it: log lines, and messages to the service manager. The reader may be slow, stopped or gone, and none
// of that may hold up the loop: what cannot be written now waits, within a limit, and lines beyond it are dropped and counted.
import CLinux
import Glibc
import Synchronization

/// Text that waits for its reader. Used by the process's one logger and by `ServiceManager`; the loop flushes it.
final class Outbox: Sendable {
    /// Writes to standard error and to $NOTIFY_SOCKET.
    static let shared: Outbox = {
        let descriptor = ek_log_open()
        return Outbox(
            write: { ek_log_write(descriptor, $0.baseAddress, $0.count) }, notify: { ek_notify($0) })
    }()

    /// How often a reader that did not read is tried again while nothing else happens.
    static let retryMilliseconds: Int32 = 100
    /// Octets of log that wait. A few hundred lines: enough for a reader that pauses, nothing for a memory limit.
    static let capacity = 64 << 10

    private struct State {
        var log: [UInt8] = []
        var dropped = 0
        /// Messages to the service manager, one for each kind (the text before `=`).
        var messages: [String] = []
    }

    private let write: @Sendable (UnsafeRawBufferPointer) -> Int
    private let notify: @Sendable (String) -> Int32
    private let state = Mutex(State())
    private let waiting = Atomic(false)

    /// - Parameters:
    ///   - write: writes a prefix without waiting and returns its length, or `-errno`.
    ///   - notify: sends one message without waiting; negative when it cannot now.
    init(
        write: @escaping @Sendable (UnsafeRawBufferPointer) -> Int, notify: @escaping @Sendable (String) -> Int32
    ) {
        self.write = write
        self.notify = notify
    }

    /// True while something waits.
    var isWaiting: Bool { waiting.load(ordering: .relaxed) }

    /// Writes a whole record, ended by a newline, or keeps or drops it.
    func log(_ record: [UInt8], notice: (_ dropped: Int) -> [UInt8]) {
        state.withLock { state in
            if state.log.isEmpty, state.dropped > 0 {
                state.log = notice(state.dropped)
                state.dropped = 0
            }
            if state.log.count + record.count > Self.capacity {
                state.dropped += 1
            } else {
                state.log += record
            }
            deliver(&state)
        }
    }

    /// Sends a message such as `READY=1` in place of one of the same kind that still waits.
    func tell(_ message: String) {
        state.withLock { state in
            let kind = message.prefix { $0 != "=" }
            state.messages.removeAll { $0.prefix { $0 != "=" } == kind }
            state.messages.append(message)
            deliver(&state)
        }
    }

    /// Tries what waits. Costs a load when nothing does.
    func flush() {
        guard isWaiting else { return }
        state.withLock { deliver(&$0) }
    }

    private func deliver(_ state: inout State) {
        while !state.log.isEmpty {
            let count = state.log.withUnsafeBytes(write)
            if count == -Int(EAGAIN) { break }
            // Any other error, a closed standard error say, does not pass: nobody will read this.
            state.log.removeFirst(count < 0 ? state.log.count : count)
        }
        while let message = state.messages.first, notify(message) != -EAGAIN { state.messages.removeFirst() }
        waiting.store(!state.log.isEmpty || !state.messages.isEmpty, ordering: .relaxed)
    }
}
