// A question of one datagram and what comes back: the common part of UDP_CHECK, DNS_CHECK and PING_CHECK. What is an answer, and what
// silence means, is for the kind of checker to say.
import CLinux
import Configuration
import HealthCheck
import Platform

/// One question under way. Released or cancelled, it closes its socket and says nothing.
final class DatagramTalk: RunningProbe {
    /// Datagrams read in one turn: a flood of them does not hold up other probes.
    private static let readsPerTurn = 16

    private weak var attempt: ProbeAttempt?
    private var socket: FileDescriptor?
    private var watch: Watch?
    /// The result, if the datagram decides it.
    private let judge: ([UInt8]) -> ProbeOutcome?
    private var buffer: [UInt8]

    /// Sends `question` at once. Of a datagram up to `capacity` octets are looked at, longer ones are cut. The silence that follows is
    /// limited by the attempt; datagrams that decide nothing do not extend it.
    init(
        _ kind: ProbeSocket, to target: CheckTarget, asking question: [UInt8], capacity: Int, on loop: EventLoop,
        for attempt: ProbeAttempt, judge: @escaping ([UInt8]) -> ProbeOutcome?
    ) {
        self.attempt = attempt
        self.judge = judge
        buffer = Array(repeating: 0, count: capacity)
        do throws(ConnectFailure) {
            let socket = try kind.open(to: target)
            let number = socket.number
            self.socket = consume socket
            do throws(Errno) {
                watch = try loop.watch(number, .read) { [weak self] _ in self?.receive() }
                dropEarly()
                try Errno.check(question.withUnsafeBytes { ek_write(number, $0.baseAddress, $0.count) }, "write")
            } catch {
                throw ConnectFailure(outcome: SystemFault.connecting(error.code))
            }
            attempt.tell("> \(question.count) octets")
        } catch {
            cancel()
            attempt.finish(error.outcome)
        }
    }

    func cancel() {
        watch?.cancel()
        watch = nil
        socket = nil
    }

    /// What came before the question is no answer to it: between `bind` and `connect` a socket with a `bind_port` hears everybody.
    private func dropEarly() {
        for _ in 0..<Self.readsPerTurn {
            guard let number = socket?.number,
                buffer.withUnsafeMutableBytes({ ek_read(number, $0.baseAddress, $0.count) }) >= 0
            else { return }
        }
    }

    private func receive() {
        for _ in 0..<Self.readsPerTurn {
            guard let number = socket?.number else { return }
            let count = buffer.withUnsafeMutableBytes { ek_read(number, $0.baseAddress, $0.count) }
            if let outcome = result(of: count) {
                cancel()
                attempt?.finish(outcome)
                return
            }
            if count < 0 { return }
        }
    }

    /// nil: nothing is decided.
    private func result(of count: Int) -> ProbeOutcome? {
        guard count < 0 else {
            attempt?.tell("< \(count == buffer.count ? "at least " : "")\(count) octets")
            return judge(Array(buffer.prefix(count)))
        }
        let error = Errno(Int32(clamping: -count), "read")
        return error.isWouldBlock ? nil : SystemFault.onTheWire(error.code)
    }
}
