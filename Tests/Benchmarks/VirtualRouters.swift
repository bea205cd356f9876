// What two hundred virtual routers cost, as master and as backup: processor time and memory of the process that runs the elections.
import Platform

/// The benchmark.
struct VirtualRouters {
    let rounds: Int

    init(_ options: Options) {
        rounds = options.rounds ?? 3
    }

    private static let count = 200
    /// Of one measurement.
    private static let duration = 20.0

    private struct Cost {
        /// Seconds of processor per minute.
        var processor: Double
        /// MB.
        var resident: Double
    }

    func run() throws {
        var costs: [DirectorPair.Implementation: [Int: [Cost]]] = [:]
        for _ in 0..<rounds {
            for implementation in DirectorPair.Implementation.allCases {
                for (host, cost) in try measure(implementation) {
                    costs[implementation, default: [:]][host, default: []].append(cost)
                }
            }
        }
        for (host, name, goal) in [(1, "masters", 5.0), (2, "backups", 1.0)] {
            func series(_ implementation: DirectorPair.Implementation, _ value: (Cost) -> Double) -> Series {
                Series(values: (costs[implementation]?[host] ?? []).map(value))
            }
            func row(
                _ what: String, _ unit: String, goal: Double? = nil, atMost: Double? = nil, _ value: (Cost) -> Double
            ) throws {
                try Row(
                    table: "routers", what: "\(what), \(Self.count) \(name)", unit: unit,
                    ours: series(.evenkeel, value),
                    peer: series(.keepalived, value), moreIsBetter: false, goal: goal, atMost: atMost
                ).emit()
            }
            try row("processor", "s a minute", goal: goal) { $0.processor }
            try row("resident memory", "MB", atMost: 5) { $0.resident }
        }
    }

    private func measure(_ implementation: DirectorPair.Implementation) throws -> [Int: Cost] {
        let pair = try DirectorPair(implementation) { host in
            (1...Self.count).map { number in
                """
                vrrp_instance R\(number) {
                    state BACKUP
                    interface eth0
                    virtual_router_id \(number)
                    priority \(200 - 50 * host)
                    version 3
                    advert_int 0.1
                    virtual_ipaddress {
                        10.97.1.\(number)/16
                    }
                }

                """
            }.joined()
        }
        for host in DirectorPair.hosts { try pair.start(host) }
        try eventually("host 1 is master of all", within: 20, step: 500) {
            let last = try pair.capture.packets().filter { $0.kind == .advertisement }.suffix(2 * Self.count)
            return last.count == 2 * Self.count && last.allSatisfy { $0.source == DirectorPair.address(1) }
        }
        // The second burst of gratuitous ARP.
        pause(milliseconds: 7000)
        let electors = DirectorPair.hosts.compactMap { host in pair.elector(host).map { (host, $0) } }
        guard electors.count == DirectorPair.hosts.count else {
            throw BenchmarkFailure("\(pair.log(1))\n\(pair.log(2))")
        }
        let (start, before) = (seconds, electors.map { Program.processorTime($0.1) })
        pause(milliseconds: Self.duration * 1000)
        let (end, after) = (seconds, electors.map { Program.processorTime($0.1) })
        var costs: [Int: Cost] = [:]
        for ((host, process), used) in zip(electors, zip(before, after).map({ $1 - $0 })) {
            costs[host] = Cost(processor: used * 60 / (end - start), resident: Program.residentMemory(process))
        }
        return costs
    }
}
