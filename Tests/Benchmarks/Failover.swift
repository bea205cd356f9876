// How long after the RFC's limit the backup takes over: from the killed master's last advertisement on the wire to the new
// master's first (and its first gratuitous ARP), minus three advertisement intervals and the skew of priority 100.
import Glibc
import Platform

/// Two directors in namespaces on a bridge, run by keepalived or by us, with a capture on the bridge.
private final class Pair {
    enum Implementation: String { case keepalived = "ka", evenkeel = "ek" }

    let implementation: Implementation
    let interval: Double
    private let directory: String
    private let capture: Capture
    private var programs: [String: [Program]] = [:]

    /// The master-down interval of a backup with priority 100 (RFC 9568 §6.1; RFC 3768 counts the skew in seconds).
    var limit: Double { 3 * interval + (interval < 1 ? interval : 1) * 156 / 256 }

    init(_ implementation: Implementation, interval: Double) throws {
        self.implementation = implementation
        self.interval = interval
        let tag = "bn-\(implementation.rawValue)"
        directory = "/tmp/\(tag)"
        Self.removeNamespaces(tag)
        try Program.script(
            """
            rm -rf /tmp/\(tag)
            ip netns add \(tag)-net
            ip -n \(tag)-net link add lan type bridge mcast_snooping 0 forward_delay 0
            ip -n \(tag)-net link set lan up
            for host in 1 2; do
                ip netns add \(tag)-$host
                ip -n \(tag)-net link add port$host type veth peer name eth0 netns \(tag)-$host
                ip -n \(tag)-net link set port$host master lan up
                ip -n \(tag)-$host link set lo up
                ip -n \(tag)-$host link set eth0 up
                ip -n \(tag)-$host address add 10.97.0.$host/24 dev eth0
                mkdir -p /tmp/\(tag)/$host/run/private /tmp/\(tag)/$host/state
                cat >/tmp/\(tag)/$host/conf <<END
            vrrp_instance BENCH {
                state BACKUP
                interface eth0
                virtual_router_id 97
                priority $((200 - 50 * host))
                version \(interval < 1 ? 3 : 2)
                advert_int \(interval)
                virtual_ipaddress {
                    10.97.0.254
                }
            }
            END
            done
            """)
        capture = try Capture(interface: "lan", namespace: "\(tag)-net", path: directory + "/pcap")
        try start("2")
        try start("1")
    }

    deinit {
        programs = [:]
        Self.removeNamespaces("bn-\(implementation.rawValue)")
    }

    private static func removeNamespaces(_ tag: String) {
        try? Program.script(
            "for n in net 1 2; do [ ! -e /run/netns/\(tag)-$n ] || ip netns delete \(tag)-$n; done")
    }

    /// The bus of the backup.
    var bus: String { directory + "/2/run/bus.sock" }

    private func start(_ host: String) throws {
        let home = "\(directory)/\(host)"
        let namespace = "bn-\(implementation.rawValue)-\(host)"
        func program(_ words: [String]) throws -> Program {
            try Program(words, namespace: namespace, log: "\(home)/log")
        }
        switch implementation {
        case .keepalived:
            // Left by the killed one; keepalived refuses to start while they name a process not reaped yet.
            for name in ["k", "v", "c"] { unlink("\(home)/\(name).pid") }
            let files = ["-p", "\(home)/k.pid", "-r", "\(home)/v.pid", "-c", "\(home)/c.pid"]
            programs[host] = [try program(["keepalived", "-n", "-l", "-P", "-f", "\(home)/conf"] + files)]
        case .evenkeel:
            let options = ["--config", "\(home)/conf", "--run-dir", "\(home)/run", "--state-dir", "\(home)/state"]
            programs[host] = try ["busd", "vrrpd"].map { try program(["\(Options.programs)/\($0)"] + options) }
        }
    }

    /// Kills the master at a random moment between two advertisements, and starts it again after the failover.
    func failover() throws -> (advertisement: Double, announcement: Double) {
        let master: [UInt8] = [10, 97, 0, 1]
        let backup: [UInt8] = [10, 97, 0, 2]
        let address: [UInt8] = [10, 97, 0, 254]
        do {
            try eventually("the master preempts", within: 10 + 8 * interval, step: max(5, interval * 200)) {
                let last = try capture.packets().filter { $0.kind == .advertisement }.suffix(8)
                return last.count == 8 && last.allSatisfy { $0.source == master }
            }
        } catch {
            throw BenchmarkFailure("\(error)\n\(contents(directory + "/1/log"))\n\(contents(directory + "/2/log"))")
        }
        pause(milliseconds: .random(in: 200...200 + 1000 * interval))
        programs["1"] = nil
        let killed = try capture.packets().count
        var seen: [SeenPacket] = []
        try eventually("the backup takes over", within: 10 + 8 * interval, step: max(1, interval * 50)) {
            seen = try capture.packets()
            let new = seen.dropFirst(killed)
            return new.contains { $0.kind == .advertisement && $0.source == backup }
                && new.contains { $0.kind == .announcement && $0.source == address }
        }
        guard let last = seen.last(where: { $0.kind == .advertisement && $0.source == master }),
            let first = seen.first(where: { $0.kind == .advertisement && $0.source == backup && $0.time > last.time }),
            let garp = seen.first(where: { $0.kind == .announcement && $0.source == address && $0.time > last.time })
        else { throw BenchmarkFailure("the capture misses the failover") }
        guard last.priority != 0 else { throw BenchmarkFailure("the killed master said goodbye: not a crash") }
        try start("1")
        return (first.time - last.time - limit, garp.time - last.time - limit)
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
            for _ in 0..<(self.rounds ?? rounds) {
                try measure("keepalived", theirs)
                try measure("idle", ours)
                let load = try Program([CommandLine.arguments[0], "flood", ours.bus])
                try measure("flooded", ours)
                load.end()
            }
            for key in ["idle", "flooded"] {
                try row("takeover, adverts every \(name), \(key)", advertisement[key], advertisement["keepalived"])
            }
            try row("first gratuitous ARP, \(name), idle", announcement["idle"], announcement["keepalived"])
        }
    }

    private func row(_ what: String, _ ours: [Double]?, _ theirs: [Double]?) throws {
        try Row(
            table: "failover", what: what, unit: "ms after the limit", ours: Series(values: ours ?? []),
            peer: Series(values: theirs ?? []), moreIsBetter: false, goal: 1
        ).emit()
    }
}
