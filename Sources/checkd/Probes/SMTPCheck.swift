// SMTP_CHECK: a connection, then the dialog of `SMTPDialog` on it.
import Configuration
import HealthCheck
import Platform

/// A greeting, HELO and QUIT.
struct SMTPCheck: ProbeKind {
    let heloName: String
    let target: CheckTarget
    let network: ProbeNetwork

    var title: String { "SMTP_CHECK \(target.endpoint)" }
    var identity: String { ([title] + target.identity + ["helo_name \(heloName)"]).joined(separator: " ") }
    var fixedConnection: FixedConnection? { target.fixedConnection }
    var rounds: CheckRounds { CheckRounds() }

    func start(step: Int, for attempt: ProbeAttempt) -> any RunningProbe { SMTPRun(self, attempt) }
}

/// One conversation: first its connection, then its lines.
private final class SMTPRun: RunningProbe {
    private weak var attempt: ProbeAttempt?
    private var dialog: SMTPDialog
    private var connecting: Connecting?
    private var connection: ProbeConnection?

    init(_ check: SMTPCheck, _ attempt: ProbeAttempt) {
        self.attempt = attempt
        dialog = SMTPDialog(name: check.heloName)
        attempt.expect(.connect)
        connecting = Connecting(to: check.target, on: check.network.loop) { [weak self] result in
            switch result {
            case .failed(let outcome): self?.attempt?.finish(outcome)
            case .connected(let connection): self?.talk(on: connection)
            }
        }
    }

    func cancel() {
        connecting?.cancel()
        connection?.close()
        (connecting, connection) = (nil, nil)
    }

    deinit { cancel() }

    private func talk(on connection: ProbeConnection) {
        self.connection = connection
        attempt?.tell("connected")
        attempt?.expect(.answer)
        attempt?.limitWhole()
        do throws(Errno) {
            connection.ready = { [weak self] _ in self?.read() }
            try connection.expect(.read)
        } catch {
            attempt?.finish(SystemFault.here(error.code))
        }
    }

    private func read() {
        guard let connection else { return }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { connection.read(into: $0) }
        guard count > 0 else {
            if count == 0 { return end(dialog.closed) }
            let error = Errno(Int32(clamping: -count), "read")
            if !error.isWouldBlock { end(SystemFault.onTheWire(error.code)) }
            return
        }
        attempt?.progressed()
        attempt?.tell("< \(String(decoding: buffer.prefix(count), as: UTF8.self))")
        switch dialog.heard(buffer.prefix(count)) {
        case .wait: break
        case .send(let line): send(line, on: connection)
        case .over(let outcome): end(outcome)
        }
    }

    /// A line always fits into what the kernel buffers for a connection that is new.
    private func send(_ line: [UInt8], on connection: ProbeConnection) {
        attempt?.tell("> \(String(decoding: line, as: UTF8.self))")
        let count = line.withUnsafeBytes { connection.write($0) }
        if count < 0 {
            end(SystemFault.onTheWire(Int32(clamping: -count)))
        } else if count < line.count {
            end(.inconclusive(.unknown("a line of \(line.count) octets could not be sent")))
        }
    }

    private func end(_ outcome: ProbeOutcome) {
        attempt?.finish(outcome)
    }
}
