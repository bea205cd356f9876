// How long after the RFC's limit the backup takes over: from the killed master's last advertisement on the wire to the new
// master's first (and its gratuitous ARP), minus three advertisement intervals and the skew of priority 100.
import Platform

/// A pair whose master is killed again and again.
private final class Pair {
    let directors: DirectorPair
    let interval: Double
    private let addresses: [[UInt8]]

    /// The master-down interval of a backup with priority 100 (RFC 9568 §6.1; RFC 3768 counts the skew in seconds).
    private var limit: Double { 3 * interval + (interval < 1 ? interval : 1) * 156 / 256 }

    init(_ implementation: DirectorPair.Implementation, interval: Double, addresses count: Int = 1) throws {
        self.interval = interval
        // The first is advertised; the others need not fit an advertisement.
        addresses = (0..<count).map { number -> [UInt8] in [10, 97, UInt8(10 + number / 250), UInt8(1 + number % 250)] }
        let lines: [String] = addresses.map { "10.97.\($0[2]).\($0[3])" }
        let excluded = lines.dropFirst().joined(separator: "\n        ")
        directors = try DirectorPair(implementation) { host in
            """
            vrrp_instance BENCH {
                state BACKUP
                interface eth0
                virtual_router_id 97
                priority \(200 - 50 * host)
                version \(interval < 1 ? 3 : 2)
                advert_int \(interval)
                virtual_ipaddress {
                    \(lines[0])
                }
                virtual_ipaddress_excluded {
                    \(excluded)
                }
            }

            """
        }
        try directors.start(2)
        try directors.start(1)
    }

    /// What a failover took, in seconds.
    struct Lateness {
        /// From the limit to the new master's first advertisement.
        var advertisement: Double
        /// From the limit to its first gratuitous ARP.
        var announcement: Double
        /// From its first advertisement until every address was announced.
        var every: Double
    }

    /// Kills the master at a random moment between two advertisements, and starts it again after the failover.
    func failover() throws -> Lateness {
        let (master, backup) = (DirectorPair.address(1), DirectorPair.address(2))
        do {
            try eventually("the master preempts", within: 10 + 8 * interval, step: max(5, interval * 200)) {
                let last = try directors.capture.packets().filter { $0.kind == .advertisement }.suffix(8)
                return last.count == 8 && last.allSatisfy { $0.source == master }
            }
        } catch {
            throw BenchmarkFailure("\(error)\n\(directors.log(1))\n\(directors.log(2))")
        }
        pause(milliseconds: .random(in: 200...200 + 1000 * interval))
        directors.kill(1)
        let killed = try directors.capture.packets().count
        var seen: [SeenPacket] = []
        var last: SeenPacket?
        var first: SeenPacket?
        var announced: [SeenPacket] = []
        try eventually("the backup takes over", within: 10 + 8 * interval, step: max(1, interval * 50)) {
            seen = try directors.capture.packets()
            last = seen.prefix(killed).last { $0.kind == .advertisement && $0.source == master }
            first = seen.dropFirst(killed).first { $0.kind == .advertisement && $0.source == backup }
            var missing = Set(addresses)
            announced = seen.dropFirst(killed).filter { $0.kind == .announcement && missing.remove($0.source) != nil }
            return first != nil && missing.isEmpty
        }
        guard let last, let first, let firstAnnounced = announced.first, let lastAnnounced = announced.last
        else { throw BenchmarkFailure("the capture misses the failover") }
        guard last.priority != 0 else { throw BenchmarkFailure("the killed master said goodbye: not a crash") }
        try directors.start(1)
        return Lateness(
            advertisement: first.time - last.time - limit, announcement: firstAnnounced.time - last.time - limit,
            every: lastAnnounced.time - first.time)
    }
}

/// The benchmark.
struct Failover {
    let rounds: Int?

    init(_ options: Options) {
        rounds = options.rounds
    }

    func run() throws {
        for (interval, name, rounds) in [(0.01, "10 ms", 25), (0.1, "100 ms", 15), (1.0, "1 s", 5)] {
            var advertisement: [String: [Double]] = [:]
            var announcement: [String: [Double]] = [:]
            let theirs = try Pair(.keepalived, interval: interval)
            let ours = try Pair(.evenkeel, interval: interval)
            func measure(_ key: String, _ pair: Pair) throws {
                let late = try pair.failover()
                advertisement[key, default: []].append(late.advertisement * 1000)
                announcement[key, default: []].append(late.announcement * 1000)
            }
            func flooded(_ key: String) throws {
                let load = try Program([CommandLine.arguments[0], "flood", ours.directors.bus(2)])
                try measure(key, ours)
                load.end()
            }
            for _ in 0..<(self.rounds ?? rounds) {
                try measure("keepalived", theirs)
                try measure("idle", ours)
                try flooded("flooded")
            }
            var keys = ["idle", "flooded"]
            if interval == 0.1 {
                let checks = try ours.directors.startChecks(2, servers: 10_000)
                pause(milliseconds: 10_000)
                keys.append("flooded, 10,000 checks a second")
                for _ in 0..<(self.rounds ?? rounds) { try flooded(keys[2]) }
                checks.end()
            }
            for key in keys {
                try row("takeover, adverts every \(name), \(key)", advertisement[key], advertisement["keepalived"])
            }
            try row("first gratuitous ARP, \(name), idle", announcement["idle"], announcement["keepalived"])
        }
        for count in [1, 100, 500] {
            let theirs = try Pair(.keepalived, interval: 0.1, addresses: count)
            let ours = try Pair(.evenkeel, interval: 0.1, addresses: count)
            var late: (theirs: [Double], ours: [Double]) = ([], [])
            for _ in 0..<(rounds ?? 7) {
                late.theirs.append(try theirs.failover().every * 1000)
                late.ours.append(try ours.failover().every * 1000)
            }
            try row(
                "\(count) address\(count == 1 ? "" : "es") taken over", late.ours, late.theirs,
                unit: "ms from the first advertisement until each was announced", goal: count == 500 ? 3 : 1)
        }
    }

    private func row(
        _ what: String, _ ours: [Double]?, _ theirs: [Double]?, unit: String = "ms after the limit", goal: Double = 1
    ) throws {
        try Row(
            table: "failover", what: what, unit: unit, ours: Series(values: ours ?? []),
            peer: Series(values: theirs ?? []), moreIsBetter: false, goal: goal
        ).emit()
    }
}
