// What the kernel says about all processes of the host, as it happens (the process events connector, linux/cn_proc.h). There is none outside
// the host's own network and process namespaces, nor without CAP_NET_ADMIN.

import CLinux
public import Configuration
import Glibc

/// A subscription to what happens to processes.
public final class ProcessEvents {
    /// What happened. Threads are left out.
    public enum News: Hashable, Sendable {
        /// The subscription stands, or why it does not.
        case answer(Errno?)
        case forked(child: Int32, of: Int32)
        /// Runs another program, or has another name.
        case renamed(Int32)
        case exited(Int32)
    }

    private let descriptor: FileDescriptor
    private var buffer = [ek_process_event](repeating: ek_process_event(), count: 256)

    /// Asks for events; the answer comes with them. ECONNREFUSED: not in the host's network namespace. EPERM: no CAP_NET_ADMIN.
    public init() throws(Errno) {
        descriptor = FileDescriptor(owning: try Errno.check(ek_process_events_open(), "connect(process events)"))
    }

    /// The descriptor to watch for readiness.
    public var number: Int32 { descriptor.number }

    /// Where events wait: `process_monitor_rcv_bufs`. Losses are made good by reading /proc.
    public func setBuffer(_ buffer: NetlinkBuffer) {
        ReceiveBuffer.set(buffer, atLeast: 1 << 20, of: number)
    }

    /// At most 256 of the events that wait. ENOBUFS: some were lost.
    public func read() throws(Errno) -> [News] {
        let count = ek_process_events_read(descriptor.number, &buffer, Int32(buffer.count))
        if count == -EAGAIN { return [] }
        return buffer.prefix(Int(try Errno.check(count, "recv(process events)"))).compactMap { event in
            switch event.what {
            case Int32(EK_PROCESS_ANSWER):
                .answer(event.error == 0 ? nil : Errno(event.error, "process events"))
            case Int32(EK_PROCESS_FORK): .forked(child: event.process, of: event.parent)
            case Int32(EK_PROCESS_NAME): .renamed(event.process)
            case Int32(EK_PROCESS_EXIT): .exited(event.process)
            default: nil
            }
        }
    }
}
