// systemd's notification protocol (sd_notify(3)): readiness, status, and the watchdog's keep-alive from the loop itself,
// so that a loop that hangs is noticed. A service manager that is slow is told later, never waited for.
import CLinux
import Glibc

/// Talks to the service manager that started this process, if one did.
public enum ServiceManager {
    /// What can be said.
    public enum Message {
        /// Start-up is complete.
        case ready
        /// A line for `systemctl status`.
        case status(String)
        /// Shutdown has begun.
        case stopping
    }

    /// Sends one message; without a service manager nothing happens.
    public static func notify(_ message: Message) {
        switch message {
        case .ready: Outbox.shared.tell("READY=1")
        case .status(let text): Outbox.shared.tell("STATUS=\(text)")
        case .stopping: Outbox.shared.tell("STOPPING=1")
        }
    }

    /// Starts the keep-alive, at half the interval that WATCHDOG_USEC asks for. Keep the result; nil when nobody asks.
    public static func keepAlive(on loop: EventLoop) -> WatchdogKeepAlive? {
        guard let text = getenv("WATCHDOG_USEC"), let microseconds = Int64(String(cString: text)), microseconds > 0
        else { return nil }
        if let pid = getenv("WATCHDOG_PID"), Int32(String(cString: pid)) != getpid() { return nil }
        return WatchdogKeepAlive(every: .microseconds(microseconds / 2), on: loop)
    }
}

/// Sends WATCHDOG=1 from the loop until released.
public final class WatchdogKeepAlive {
    private var timer: LoopTimer?

    fileprivate init(every interval: Duration, on loop: EventLoop) {
        timer = loop.timer { [weak self] in
            Outbox.shared.tell("WATCHDOG=1")
            self?.timer?.arm(after: interval)
        }
        timer?.arm(after: .zero)
    }
}
