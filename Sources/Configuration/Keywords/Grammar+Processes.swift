// Rows of `global_defs` about the processes themselves: scheduling, processors, memory, and the buffers of their sockets.

extension Grammars {
    static let globalProcesses: [Keyword<GlobalDraft>] = {
        let names: [Keyword<GlobalDraft>] = [
            .unneeded("process_names", "names of the processes", because: "every daemon has its own name"),
            processName("process_name"), processName("vrrp_process_name"), processName("checker_process_name"),
            processName("checker_process_name").spelled("lvs_process_name"), processName("bfd_process_name"),
        ]
        let automatic: [Keyword<GlobalDraft>] = [
            Keyword(
                "max_auto_priority", "[N]", range: "-1…99", standard: "0; 99", .rare,
                "real-time priority that vrrpd and checkd may be raised to when their timers are late; 0, -1: none"
            ) { draft, statement, interpreter in
                guard !statement.arguments.isEmpty else {
                    draft.automaticPriority = 99
                    return
                }
                guard let priority = interpreter.integer(statement, -1...99) else { return }
                draft.automaticPriority = max(0, priority)
            },
            Keyword(
                "min_auto_priority_delay", "N", unit: "µs", range: "1…10000000", standard: "1000000", .rare,
                "how late for that"
            ) { draft, statement, interpreter in
                guard let delay = interpreter.integer(statement, 1...10_000_000, unit: "µs") else { return }
                draft.automaticDelay = .microseconds(delay)
            },
        ]
        return names + automatic + words("vrrp", of: "vrrpd", \.model.vrrpProcess)
            + words("checker", of: "checkd", \.model.checkerProcess) + bfdWords
    }()

    /// What can be said of a process.
    private static func words(
        _ prefix: String, of daemon: String, _ path: any WritableKeyPath<GlobalDraft, ProcessSettings> & Sendable
    ) -> [Keyword<GlobalDraft>] {
        let limit = Keyword<GlobalDraft>(
            "\(prefix)_rlimit_rttime", "N", unit: "µs", range: "2…", standard: "none", .rare,
            "processor time without waiting at a real-time priority; beyond it \(daemon) goes on with ordinary scheduling"
        ) { draft, statement, interpreter in
            guard let value = interpreter.integer(statement, 2...Int(UInt32.max), unit: "µs") else { return }
            draft[keyPath: path].realtimeLimit = .microseconds(value)
        }
        return [
            Keyword(
                "\(prefix)_priority", "N", range: "-20…19", standard: "as started", .rare, "nice value of \(daemon)"
            ) { draft, statement, interpreter in
                guard let value = interpreter.integer(statement, -20...19) else { return }
                draft[keyPath: path].niceValue = value
            },
            Keyword(
                "\(prefix)_rt_priority", "N", range: "0…99", standard: "0", prefix == "vrrp" ? .common : .rare,
                "SCHED_RR priority of \(daemon); 0 = none"
            ) { draft, statement, interpreter in
                guard let value = interpreter.integer(statement, 0...99) else { return }
                draft[keyPath: path].realtimePriority = value
            },
            limit, limit.spelled("\(prefix)_rlimit_rtime"),
            Keyword(
                "\(prefix)_cpu_affinity", "CPU…", range: "0…1023", standard: "as started", .rare,
                "processors of \(daemon)"
            ) { draft, statement, interpreter in
                if statement.arguments.isEmpty { interpreter.sayMissing(statement) }
                draft[keyPath: path].processors = statement.arguments.compactMap { word in
                    interpreter.integer(word, 0...1023, of: statement.keyword.text)
                }
            },
            Keyword("\(prefix)_no_swap", standard: "off", .rare, "lock \(daemon)'s memory") {
                draft, statement, interpreter in
                interpreter.expectNothing(statement)
                draft[keyPath: path].locksMemory = true
            },
        ]
    }

    private static let bfdWords: [Keyword<GlobalDraft>] = {
        func row(_ word: String, _ value: String, _ meaning: String) -> Keyword<GlobalDraft> {
            .unneeded(
                "bfd_\(word)", value, meaning, because: "BFD runs in vrrpd: write vrrp_\(word) where it is meant for it"
            )
        }
        let limit = row("rlimit_rttime", "N", "real-time limit of the BFD process")
        return [
            row("priority", "N", "nice value of the BFD process"),
            row("rt_priority", "N", "SCHED_RR priority of the BFD process"), limit, limit.spelled("bfd_rlimit_rtime"),
            row("cpu_affinity", "CPU…", "processors of the BFD process"),
            row("no_swap", "", "lock the BFD process's memory"),
        ]
    }()

    private static func processName(_ word: String) -> Keyword<GlobalDraft> {
        .unneeded(word, "NAME", standard: "none", "name of a process", because: "every daemon has its own name")
    }

    // MARK: Buffers

    static let globalBuffers: [Keyword<GlobalDraft>] = {
        var rows: [Keyword<GlobalDraft>] = [
            Keyword(
                "vrrp_rx_bufs_policy", "MTU|ADVERT|N", unit: "bytes", standard: "1 MiB for each socket", .rare,
                "receive buffer for adverts: a number, or multiples of the MTU or of an advert, for each instance"
            ) { draft, statement, interpreter in
                guard let word = interpreter.single(statement) else { return }
                switch word.text {
                case "MTU": draft.bufferPolicy = .mtu
                case "ADVERT": draft.bufferPolicy = .advertisement
                default:
                    guard
                        let octets = interpreter.integer(
                            word, 1...largestBuffer, of: statement.keyword.text, unit: "bytes")
                    else { return }
                    draft.bufferPolicy = .octets(octets)
                }
            },
            .integer(
                "vrrp_rx_bufs_multiplier", 1...65535, \.bufferMultiplier, .rare, "MTUs or adverts in the receive buffer"
            ),
        ]
        rows += buffer("vrrp_netlink_cmd", \.model.vrrpCommandBuffer, "where the kernel's answers to vrrpd wait")
        rows += buffer(
            "vrrp_netlink_monitor", \.model.vrrpMonitorBuffer, "where the kernel's notifications to vrrpd wait")
        rows += buffer(
            "process_monitor", \.model.processMonitorBuffer, "where the process events for track_process wait")
        rows += buffer("lvs_netlink_cmd", \.model.lvsCommandBuffer, "where the kernel's answers to ipvsd wait")
        let silence = "ipvsd reads the table, and no notification from the kernel waits for it"
        rows.append(
            .unneeded(
                "lvs_netlink_monitor_rcv_bufs", "N", standard: "kernel's",
                "receive buffer for addresses that come and go",
                because: silence))
        rows.append(
            .unneeded("lvs_netlink_monitor_rcv_bufs_force", "[BOOL]", "beyond net.core.rmem_max", because: silence))
        return rows
    }()

    /// The kernel doubles it and counts in an int.
    static let largestBuffer = 1 << 30

    private static func buffer(
        _ word: String, _ path: any WritableKeyPath<GlobalDraft, NetlinkBuffer> & Sendable, _ meaning: String
    ) -> [Keyword<GlobalDraft>] {
        [
            Keyword("\(word)_rcv_bufs", "N", unit: "bytes", range: "1…", standard: "Evenkeel's own", .rare, meaning) {
                draft, statement, interpreter in
                guard let octets = interpreter.integer(statement, 1...largestBuffer, unit: "bytes") else { return }
                draft[keyPath: path].octets = octets
            },
            Keyword(
                "\(word)_rcv_bufs_force", "[BOOL]", range: "on, off", standard: "off", .rare,
                "beyond net.core.rmem_max"
            ) { draft, statement, interpreter in
                guard let value = interpreter.boolean(statement) else { return }
                draft[keyPath: path].isForced = value
            },
        ]
    }
}
