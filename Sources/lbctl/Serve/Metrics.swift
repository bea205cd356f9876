// What `/metrics` says about a director. Names and units follow Prometheus' conventions: base units, `_total` for what only grows.
import Bus
import Platform

/// Everything that the metrics are made of, as it was at one moment.
struct MetricsFacts {
    /// A daemon's process, from /proc.
    struct Process {
        var processorSeconds: Double
        var residentOctets: Int
    }

    var status: Status
    var bus: BusAPI.Statistics?
    var checks: [CheckAPI.ServerHealth] = []
    /// Of the checks; none where there are very many.
    var latencies: [CheckAPI.ServerLatency] = []
    var latencyLimits: [Int] = []
    var processes: [String: Process] = [:]
    /// How long it took to ask.
    var askedSeconds: Double
}

extension MetricsFacts {
    /// The text.
    func text(at now: Timestamp, isOpenMetrics: Bool) -> String {
        var text = MetricsText(isOpenMetrics: isOpenMetrics)
        addDirector(to: &text, now)
        addRouters(to: &text)
        addServices(to: &text)
        addServers(to: &text)
        addChecks(to: &text)
        addBus(to: &text)
        text.end()
        return text.text
    }

    private func addDirector(to text: inout MetricsText, _ now: Timestamp) {
        text.family("evenkeel_info", "Version of lbctl.", [(["version": evenkeelVersion], 1)])
        text.family(
            "evenkeel_daemon_up", "1: the daemon is attached to the bus and answers.",
            Daemon.allCases.map { (["daemon": $0.rawValue], status.presence[$0]?.isPresent == true ? 1 : 0) })
        let processes = processes.sorted { $0.key < $1.key }
        text.family(
            "evenkeel_daemon_cpu_seconds", as: .counter, "Processor time of the daemon.",
            processes.map { (["daemon": $0.key], $0.value.processorSeconds) })
        text.family(
            "evenkeel_daemon_resident_memory_bytes", "Resident memory of the daemon.",
            processes.map { (["daemon": $0.key], Double($0.value.residentOctets)) })
        let problems = status.problems(at: now)
        text.family(
            "evenkeel_problems", "What 'lbctl status' shows as out of order.",
            Problem.Severity.allCases.map { severity in
                (["severity": severity.name], Double(problems.count { $0.severity == severity }))
            })
        text.family(
            "evenkeel_alarm", "1: this alarm of a daemon stands.",
            status.alarms.map { (["subject": $0.subject], 1) })
        text.family(
            "evenkeel_config_loaded_timestamp_seconds", "When the daemon took its configuration.",
            status.configurations.sorted { $0.key < $1.key }.compactMap { name, loaded in
                Timestamp(loaded.loaded).map { (["daemon": name], $0.seconds) }
            })
        text.family(
            "evenkeel_scrape_duration_seconds", "How long the daemons were asked for this.",
            [([:], askedSeconds)])
    }

    private func addRouters(to text: inout MetricsText) {
        let routers = status.instances.map { (labels: ["vrrp_instance": $0.name] as MetricsText.Labels, subject: $0) }
        text.family(
            "evenkeel_vrrp_state", "1 for the state in which the virtual router is, 0 for the others.",
            status.instances.flatMap { instance in
                [VrrpAPI.State.initialize, .backup, .master, .fault].map { state in
                    (
                        ["vrrp_instance": instance.name, "state": state.rawValue],
                        instance.runtime.state == state ? 1 : 0
                    )
                }
            })
        text.add("vrrp_state_since_timestamp_seconds", "When that state began.", of: routers) {
            Timestamp($0.runtime.since)?.seconds
        }
        text.add("vrrp_priority", "Priority after tracking.", of: routers) { Double($0.runtime.effectivePriority) }
        text.add("vrrp_held_addresses", "Addresses on the interface because of it.", of: routers) {
            Double($0.runtime.heldAddresses.count)
        }
        text.add("vrrp_stepped_down", "1: stepped down by hand.", of: routers) { $0.runtime.steppedDown ? 1 : 0 }
        text.add("vrrp_became_master", as: .counter, "Takeovers.", of: routers) {
            Double($0.runtime.statistics.becameMaster)
        }
        text.add("vrrp_released_master", as: .counter, "Times it gave up being master.", of: routers) {
            Double($0.runtime.statistics.releasedMaster)
        }
        text.add("vrrp_became_fault", as: .counter, "Times it entered FAULT.", of: routers) {
            $0.runtime.statistics.becameFault.map(Double.init)
        }
        text.add(
            "vrrp_latest_takeover_seconds",
            "Between the last advertisement of the master before and the latest takeover from it.", of: routers
        ) {
            $0.runtime.statistics.latestTakeoverMilliseconds.map { Double($0) / 1000 }
        }
        text.add("vrrp_advertisements_sent", as: .counter, "Advertisements sent.", of: routers) {
            Double($0.runtime.statistics.advertisementsSent)
        }
        text.add("vrrp_advertisements_received", as: .counter, "Advertisements received and accepted.", of: routers) {
            Double($0.runtime.statistics.advertisementsReceived)
        }
        text.add(
            "vrrp_late_timers", as: .counter, "Times its timer fired late: this host was paused, or too busy.",
            of: routers
        ) {
            $0.runtime.statistics.lateTimers.map(Double.init)
        }
        text.add(
            "vrrp_addresses_put_back", as: .counter, "Addresses that somebody else took off and that were put back.",
            of: routers
        ) {
            $0.runtime.statistics.addressesPutBack.map(Double.init)
        }
        text.family(
            "evenkeel_vrrp_advertisements_discarded", as: .counter, "Advertisements not acted on.",
            status.instances.flatMap { instance in
                instance.runtime.statistics.discarded.sorted { $0.key < $1.key }.map { reason, count in
                    (["vrrp_instance": instance.name, "reason": reason], Double(count))
                }
            })
    }

    private func addServices(to text: inout MetricsText) {
        let services = status.services.map { (labels: ["service": $0.name] as MetricsText.Labels, subject: $0) }
        text.add("service_up", "1: the quorum is there.", of: services) {
            $0.isLookedAfter ? ($0.runtime.state == .up ? 1 : 0) : nil
        }
        text.add("service_in_kernel", "1: the kernel has the service.", of: services) { $0.runtime.inKernel ? 1 : 0 }
        text.add("service_on_sorry_server", "1: the sorry server serves.", of: services) {
            $0.runtime.onSorryServer ? 1 : 0
        }
        text.add("service_problem", "1: the kernel does not have what is wanted.", of: services) {
            $0.isLookedAfter ? ($0.runtime.problem == nil ? 0 : 1) : nil
        }
        text.add(
            "service_repairs", as: .counter,
            "Times it was put right after somebody else had changed the kernel's table.", of: services
        ) {
            $0.runtime.repairs.map(Double.init)
        }
        text.add("service_weight_up", "Sum of the weights that count towards the quorum.", of: services) {
            Double($0.runtime.weightUp)
        }
        text.add("service_servers", "Real servers.", of: services) { Double($0.servers.count) }
        text.add("service_servers_in_use", "Real servers that take connections.", of: services) {
            Double($0.serversInUse)
        }
        text.add("service_connections", as: .counter, "Connections scheduled.", of: services) {
            $0.runtime.counters.map { Double($0.connections) }
        }
        traffic(of: services.map { ($0.labels, $0.subject.runtime.counters) }, "service", to: &text)
    }

    private func addServers(to text: inout MetricsText) {
        let servers = status.services.flatMap { service in
            service.servers.map {
                (labels: ["service": service.name, "server": $0.address] as MetricsText.Labels, subject: $0)
            }
        }
        text.add("server_up", "Verdict of its checks.", of: servers) {
            switch $0.runtime.health {
            case .up: 1
            case .down: 0
            default: nil
            }
        }
        text.add("server_weight", "Weight in the kernel; 0 when it is not there.", of: servers) {
            Double($0.runtime.effectiveWeight)
        }
        text.add("server_active_connections", "Established connections.", of: servers) {
            $0.runtime.activeConnections.map(Double.init)
        }
        text.add("server_inactive_connections", "Connections in other states.", of: servers) {
            $0.runtime.inactiveConnections.map(Double.init)
        }
        text.add("server_persistent_connections", "Persistence templates.", of: servers) {
            $0.runtime.persistentConnections.map(Double.init)
        }
        text.add("server_connections", as: .counter, "Connections scheduled.", of: servers) {
            $0.runtime.counters.map { Double($0.connections) }
        }
        traffic(of: servers.map { ($0.labels, $0.subject.runtime.counters) }, "server", to: &text)
    }

    /// Packets and octets of both directions, and the kernel's estimates of what goes through in a second.
    private func traffic(
        of subjects: [(MetricsText.Labels, IpvsAPI.Counters?)], _ kind: String, to text: inout MetricsText
    ) {
        let counted = subjects.compactMap { labels, counters in counters.map { (labels: labels, subject: $0) } }
        let kinds: [(String, String, KeyPath<IpvsAPI.Counters, Int>)] = [
            ("packets_in", "Packets towards the servers.", \.packetsIn),
            ("packets_out", "Packets from the servers (NAT).", \.packetsOut),
            ("bytes_in", "Octets towards the servers.", \.bytesIn),
            ("bytes_out", "Octets from the servers (NAT).", \.bytesOut),
        ]
        for (name, help, path) in kinds {
            text.add("\(kind)_\(name)", as: .counter, help, of: counted) { Double($0[keyPath: path]) }
        }
        let rates: [(String, String, KeyPath<IpvsAPI.Counters, Int?>)] = [
            ("connections", "Connections scheduled", \.connectionsPerSecond),
            ("packets_in", "Packets towards the servers", \.packetsInPerSecond),
            ("packets_out", "Packets from the servers (NAT)", \.packetsOutPerSecond),
            ("bytes_in", "Octets towards the servers", \.bytesInPerSecond),
            ("bytes_out", "Octets from the servers (NAT)", \.bytesOutPerSecond),
        ]
        for (name, help, path) in rates {
            text.add("\(kind)_\(name)_per_second", "\(help), in a second of the last ones.", of: counted) {
                $0[keyPath: path].map(Double.init)
            }
        }
    }

    private func addChecks(to text: inout MetricsText) {
        let all = checks.flatMap { server in
            server.checks.map { (labels: Self.labels(server.server, $0.name), subject: $0.runtime) }
        }
        text.add("check_up", "Verdict of the check.", of: all) {
            switch $0.state {
            case .up: 1
            case .down: 0
            default: nil
            }
        }
        text.add("check_last_duration_seconds", "How long its last probe took.", of: all) {
            $0.durationMicroseconds.map { Double($0) / 1e6 }
        }
        text.add("check_certificate_days", "Whole days until the server's certificate ends.", of: all) {
            $0.certificateDays.map(Double.init)
        }
        text.histograms(
            "evenkeel_check_duration_seconds", "How long its probes took.",
            latencies.flatMap { server in
                server.checks.map { check in
                    (
                        Self.labels(server.server, check.name),
                        zip(latencyLimits.map { Double($0) / 1e6 } + [nil], check.probes).map { ($0, $1) }
                    )
                }
            })
    }

    /// Of SERVICE/ADDR:PORT, as the server's own metrics have them.
    private static func labels(_ server: String, _ check: String) -> MetricsText.Labels {
        let slash = server.lastIndex(of: "/") ?? server.startIndex
        return [
            "service": String(server[..<slash]), "server": String(server[slash...].trimmingPrefix("/")), "check": check,
        ]
    }

    private func addBus(to text: inout MetricsText) {
        guard let bus else { return }
        text.family("evenkeel_bus_connections", "Open connections.", [([:], Double(bus.connections))])
        text.family("evenkeel_bus_subscriptions", "Subscriptions.", [([:], Double(bus.subscriptions))])
        text.family(
            "evenkeel_bus_queued_bytes", "Octets that wait for readers.", [([:], Double(bus.queuedBytes))])
        text.family("evenkeel_bus_events", as: .counter, "Events accepted.", [([:], Double(bus.published))])
        text.family(
            "evenkeel_bus_overruns", as: .counter, "Subscriptions ended because their reader was too slow.",
            [([:], Double(bus.overruns))])
        text.family(
            "evenkeel_bus_refused_calls", as: .counter, "Calls refused by policy or quota.",
            [([:], Double(bus.refused))])
    }
}

extension Timestamp {
    /// Seconds since 1970.
    fileprivate var seconds: Double { Double(milliseconds) / 1000 }
}
