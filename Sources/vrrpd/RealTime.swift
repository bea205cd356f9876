// What `vrrp_rt_priority` and `vrrp_no_swap` ask for; nothing of it unless they do.

import CLinux
import Platform

/// Scheduling and memory of this process.
enum RealTime {
    /// SCHED_RR at a priority of 1...99, not inherited by scripts.
    static func setPriority(_ priority: Int) -> Errno? {
        result(ek_realtime(Int32(clamping: priority)), "sched_setscheduler")
    }

    /// No page of this process is swapped out.
    static func lockMemory() -> Errno? {
        result(ek_lock_memory(), "mlockall")
    }

    private static func result(_ value: Int32, _ call: StaticString) -> Errno? {
        do throws(Errno) {
            try Errno.check(value, call)
            return nil
        } catch {
            return error
        }
    }
}
