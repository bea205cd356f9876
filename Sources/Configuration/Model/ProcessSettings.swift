// How the kernel is to treat a daemon's process: `vrrp_priority`, `checker_rt_priority` and their like.

/// Scheduling, processors and memory of a process. What is not given stays as the process was started.
public struct ProcessSettings: Equatable, Sendable {
    /// `*_priority`: nice value, -20...19.
    public var niceValue: Int?
    /// `*_rt_priority`: SCHED_RR priority, 1...99; 0 = ordinary scheduling.
    public var realtimePriority = 0
    /// `*_rlimit_rttime`: processor time without waiting at a real-time priority; nil = no limit.
    public var realtimeLimit: Duration?
    /// `*_cpu_affinity`: the processors that it may run on; empty = all that it was started with.
    public var processors: [Int] = []
    /// `*_no_swap`: lock its memory.
    public var locksMemory = false
    /// `max_auto_priority`: the highest real-time priority that late timers may raise it to; 0 = they do not.
    public var automaticPriority = 0
    /// `min_auto_priority_delay`: how late a timer must be for that.
    public var automaticDelay = Duration.seconds(1)

    /// As it was started.
    public init() {}
}

/// `vrrp_rx_bufs_policy` and `kernel_rx_buf_size`: what an instance adds to the receive buffer of its sockets.
public enum ReceiveBufferPolicy: Equatable, Sendable {
    /// Evenkeel's own size.
    case standard
    /// So many octets.
    case octets(Int)
    /// So many of its advertisements.
    case advertisements(Int)
    /// So many times the MTU of its interface.
    case mtus(Int)
}

/// `*_rcv_bufs` and `*_rcv_bufs_force` of a netlink socket.
public struct NetlinkBuffer: Equatable, Sendable {
    /// Octets; nil = Evenkeel's own.
    public var octets: Int?
    /// Beyond net.core.rmem_max.
    public var isForced = false

    /// Evenkeel's own.
    public init() {}
}
