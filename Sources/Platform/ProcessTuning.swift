// What the configuration asks of the kernel for this process: scheduling, processors, memory. What is wanted is compared with what the kernel
// says, so that a reload changes what differs and a word that is taken out gives back what the process was started with. Words that are not
// written touch nothing: systemd, or a person, may have set it. What is refused stands as trouble and is asked for again.

import CLinux
public import Configuration
import Glibc
internal import Net

/// What is asked.
public enum ProcessAspect: String, CaseIterable, Sendable {
    case niceValue = "nice"
    /// Before real time itself: it is never without its limit.
    case realtimeLimit = "realtime-limit"
    case realtime
    case processors
    case memory
}

/// Why something that was asked is not so.
public enum ProcessTrouble: Equatable, Sendable {
    /// The kernel refuses it.
    case refused(Errno)
    /// `*_rlimit_rttime` was reached: ordinary scheduling for a while.
    case overLimit
}

/// Scheduling, processors and memory of this process.
public final class ProcessTuning {
    /// Refusals are tried again so often, and real time after its limit was reached.
    private static let retry = Duration.seconds(60)

    /// What does not stand as it is wanted.
    private var troubles: [ProcessAspect: ProcessTrouble] = [:]

    private let loop: EventLoop
    private let logger: Logger
    private let changed: ([ProcessAspect: ProcessTrouble]) -> Void
    private var settings = ProcessSettings()
    /// What the process was started with, of what was changed.
    private var original = Original()
    /// The priority that late timers have brought.
    private var raised = 0
    private var isOverLimit = false
    private var guardian: Watch?
    private var retryTimer: LoopTimer?

    private struct Original {
        var niceValue: Int32?
        var scheduler: (policy: Int32, priority: Int32)?
        var processors: [UInt8]?
        var limit: Int64?
        var isMemoryLocked = false
    }

    /// Whether this thread goes before all ordinary ones now.
    public static var isRealtime: Bool {
        var (policy, rank): (Int32, Int32) = (0, 0)
        return ek_scheduler(&policy, &rank) >= 0 && rank > 0
    }

    /// Asks nothing yet; `changed` is told what does not stand as it is wanted whenever that is different.
    public init(on loop: EventLoop, logger: Logger, changed: @escaping ([ProcessAspect: ProcessTrouble]) -> Void) {
        self.loop = loop
        self.logger = logger
        self.changed = changed
        retryTimer = loop.timer { [weak self] in
            self?.isOverLimit = false
            self?.settle()
        }
    }

    /// Goes over to these settings.
    public func adopt(_ settings: ProcessSettings) {
        self.settings = settings
        raised = min(raised, settings.automaticPriority)
        isOverLimit = false
        if settings.automaticPriority > 0 {
            loop.noteLateness(beyond: settings.automaticDelay) { [weak self] in self?.wasLate(by: $0) }
        } else {
            loop.noteLateness(beyond: nil)
        }
        settle()
    }

    /// `max_auto_priority`: one step up, as keepalived does.
    private func wasLate(by lateness: Duration) {
        let now = max(settings.realtimePriority, raised)
        guard now < settings.automaticPriority, !isOverLimit else { return }
        raised = now + 1
        let milliseconds = Int(lateness / .milliseconds(1))
        logger.notice(
            "a timer fired \(milliseconds) ms late: real-time priority \(raised) from now on (max_auto_priority)")
        settle()
    }

    private func limitReached() {
        isOverLimit = true
        settle()
    }

    // MARK: Wanted and found

    private func settle() {
        var found: [ProcessAspect: ProcessTrouble] = [:]
        for aspect in ProcessAspect.allCases {
            do throws(Errno) {
                try settle(aspect)
            } catch {
                found[aspect] = .refused(error)
            }
        }
        if isOverLimit { found[.realtimeLimit] = .overLimit }
        if found.isEmpty { retryTimer?.disarm() } else { retryTimer?.arm(after: Self.retry) }
        guard found != troubles else { return }
        troubles = found
        changed(found)
    }

    private func settle(_ aspect: ProcessAspect) throws(Errno) {
        switch aspect {
        case .niceValue: try settleNice()
        case .realtimeLimit: try settleLimit()
        case .realtime: try settleRealtime()
        case .processors: try settleProcessors()
        case .memory: try settleMemory()
        }
    }

    private func settleNice() throws(Errno) {
        var now: Int32 = 0
        try Errno.check(ek_nice(&now), "getpriority")
        guard let wanted = settings.niceValue.map({ Int32(clamping: $0) }) ?? original.niceValue, wanted != now else {
            return
        }
        try Errno.check(ek_set_nice(wanted), "setpriority")
        original.niceValue = settings.niceValue == nil ? nil : original.niceValue ?? now
    }

    private func settleRealtime() throws(Errno) {
        var (policy, rank): (Int32, Int32) = (0, 0)
        try Errno.check(ek_scheduler(&policy, &rank), "sched_getscheduler")
        let now = (policy: policy, priority: rank)
        let priority = isOverLimit ? 0 : max(settings.realtimePriority, raised)
        var wanted = original.scheduler
        if priority > 0 {
            wanted = (ek_round_robin(), Int32(clamping: priority))
        } else if isOverLimit {
            return
        }
        guard let wanted else { return }
        if wanted != now { try Errno.check(ek_set_scheduler(wanted.policy, wanted.priority), "sched_setscheduler") }
        original.scheduler = priority == 0 ? nil : original.scheduler ?? now
    }

    private func settleLimit() throws(Errno) {
        var now: Int64 = 0
        try Errno.check(ek_realtime_limit(&now), "getrlimit(RLIMIT_RTTIME)")
        // The kernel raises it by a second each time that it is reached.
        guard let wanted = settings.realtimeLimit.map({ $0.nanoseconds / 1000 }) ?? original.limit, wanted != now else {
            return
        }
        // The process is not killed for it.
        if settings.realtimeLimit != nil { try watchLimit() }
        try Errno.check(ek_set_realtime_limit(wanted), "setrlimit(RLIMIT_RTTIME)")
        original.limit = settings.realtimeLimit == nil ? nil : original.limit ?? now
    }

    private func watchLimit() throws(Errno) {
        guard guardian == nil else { return }
        let bell = try Errno.check(ek_realtime_guard(), "eventfd")
        guardian = try loop.watch(bell, .read) { [weak self] _ in
            var count: UInt64 = 0
            guard ek_read(bell, &count, MemoryLayout<UInt64>.size) > 0 else { return }
            self?.limitReached()
        }
    }

    private func settleProcessors() throws(Errno) {
        var now = [UInt8](repeating: 0, count: Int(EK_PROCESSORS) / 8)
        try Errno.check(ek_processors(&now), "sched_getaffinity")
        var wanted = original.processors
        if !settings.processors.isEmpty {
            var set = [UInt8](repeating: 0, count: now.count)
            for processor in settings.processors where processor / 8 < set.count {
                set[processor / 8] |= 1 << UInt8(processor % 8)
            }
            wanted = set
        }
        guard let wanted, wanted != now else { return }
        try Errno.check(ek_set_processors(wanted), "sched_setaffinity")
        original.processors = settings.processors.isEmpty ? nil : original.processors ?? now
    }

    private func settleMemory() throws(Errno) {
        guard settings.locksMemory != original.isMemoryLocked else { return }
        if settings.locksMemory {
            try Errno.check(ek_lock_memory(), "mlockall")
        } else {
            try Errno.check(ek_unlock_memory(), "munlockall")
        }
        original.isMemoryLocked = settings.locksMemory
    }
}

extension ProcessTrouble {
    /// What a person reads. `word` is the prefix of the words in the configuration, vrrp or checker.
    public func message(_ aspect: ProcessAspect, of word: String) -> (message: String, remedy: String) {
        let daemon = word == "vrrp" ? "vrrpd" : "checkd"
        switch self {
        case .overLimit:
            return (
                "\(word)_rlimit_rttime: ran for longer than that without waiting; goes on with ordinary scheduling for a minute",
                "raise \(word)_rlimit_rttime, or take it out: there is no limit then"
            )
        case .refused(let error):
            switch aspect {
            case .niceValue:
                return (
                    "\(word)_priority: \(error)",
                    "give \(daemon) CAP_SYS_NICE, or its unit LimitNICE=; it is tried again every minute"
                )
            case .realtime:
                return (
                    "\(word)_rt_priority or max_auto_priority: \(error)",
                    "give \(daemon) CAP_SYS_NICE, or its unit LimitRTPRIO=, and no RestrictRealtime=; it is tried again every minute"
                )
            case .realtimeLimit:
                return (
                    "\(word)_rlimit_rttime: \(error)",
                    "lower it, or raise LimitRTTIME= in the unit of \(daemon); it is tried again every minute"
                )
            case .processors:
                return (
                    "\(word)_cpu_affinity: \(error)",
                    "name processors that are online and that the unit (AllowedCPUs=) leaves to \(daemon), see lscpu; "
                        + "it is tried again every minute"
                )
            case .memory:
                return (
                    "\(word)_no_swap: \(error)",
                    "give \(daemon) CAP_IPC_LOCK, or its unit LimitMEMLOCK=infinity; it is tried again every minute"
                )
            }
        }
    }
}
