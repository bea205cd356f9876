// docs/BENCHMARKS.md out of the rows of a run and the facts of the machine.
import Glibc
import JSON
import Platform

/// The page.
struct Report {
    private let rows: [Row]

    init(files: [String]) throws {
        rows = try files.flatMap { file in
            try contents(file).split(separator: "\n").filter { $0.hasPrefix("{") }.map { line in
                try JSONValue(parsing: Array(line.utf8)).decode(Row.self)
            }
        }
    }

    private struct Chapter {
        let table: String
        let title: String
        let peer: String
        let method: String
    }

    private static let chapters = [
        Chapter(
            table: "failover", title: "Failover", peer: "keepalived",
            method: """
                Two directors in network namespaces on a bridge; the master's processes are killed at a random moment. Time from \
                its last advertisement on the wire to the backup's first (kernel timestamps of a capture on the bridge), minus \
                three intervals and the skew. Version 2 at 1 s, version 3 below. Both pairs run throughout; their failovers \
                alternate. "flooded": a client publishes to the backup's busd as fast as it can, on the same two processors; \
                keepalived has no bus and is compared idle. "taken over": version 3 at 100 ms, one address advertised, the others \
                excluded ones; from the new master's first advertisement to the first gratuitous ARP of the last address. 500 \
                addresses: the kernel's part, an address and a packet each, is most of it for both; ours go in batches of netlink \
                messages and of sendmmsg.
                """),
        Chapter(
            table: "routers", title: "Two hundred virtual routers", peer: "keepalived",
            method: """
                200 instances on one interface, version 3, an advertisement every 100 ms, one director master of all and the other \
                backup of all, both run by the same program. Twenty seconds each, after the elections: processor time of the \
                process that runs them (vrrpd; keepalived's child), all threads. What keeps masters from being five times as \
                cheap: every advertisement is due at a time of its own, so each is a turn of the loop and a packet's way through the kernel \
                of its own, for both. Memory: 4 MB are resident with a single instance (see Memory); the rest is what 200 routers are to the \
                bus, to the log and to `lbctl`: names, counters, reasons, times.
                """),
        Chapter(
            table: "table", title: "Daemons and the kernel's table", peer: "keepalived",
            method: """
                1,000 services with 10 servers each, and one with 10,000; no checkers; keepalived runs its checker only and logs to a \
                file. In the emulated lab: Debian's own kernel in qemu, where kernel and programs are 20 to 30 times slower alike: the \
                seconds mean nothing elsewhere, the ratios do. Every fill has a network namespace of its own. System calls are \
                counted by strace in a run of their own, threads and children included. "processor" is that of all processes and threads of \
                the program. The reload is a SIGHUP; what the daemon does in the two seconds after the kernel has the weight counts. \
                What keeps the start from being three times as fast: apart from system calls, both run about 500 million instructions for \
                1,000 × 10 (callgrind), most of them on the file. Tried: batches of netlink messages, words as slices of the file, services \
                compared only where somebody is told, which brought ours there from 890 million. One service with 10,000 servers \
                is the kernel's own time: it looks through all of them for each that is added.
                """),
        Chapter(
            table: "commands", title: "Commands on the table", peer: "ipvsadm",
            method: """
                `lbctl ipvs --direct` beside ipvsadm in the same lab, each as a new process, 1,000 services with 10 servers each; system \
                calls with 100 services, since strace makes each a hundred times as slow there. A restore: two thirds of ours are the kernel's work \
                to add 11,000 entries (465 of 680 million instructions in the lab that counts them, ipvsadm's are 1,560 million); tried: \
                requests in batches, words cut by octets, addresses read without texts. Clear: the kernel does the same; the difference, six \
                million instructions on an empty table, is the start of a larger program.
                """),
        Chapter(
            table: "checks", title: "Checks", peer: "keepalived",
            method: """
                In the emulated lab with a clock of 10⁹ instructions a second: what a check costs is the same in every run. 1,000 servers, each \
                asked every twenty seconds, all answering at once, for 20 seconds after each was \
                asked once; busd, ipvsd and checkd against all of keepalived's processes. What the server's end costs is not \
                counted. Memory: 10,000 servers are asked once a minute. Weight 0: one HTTP server that begins to reset \
                connections; from its last reset (after `retry 1`, `delay_before_retry 1`) to the kernel's table, read every \
                millisecond; three processes and two turns of the bus against one process. HTTP_GET has 8 system calls a check, TCP_CHECK 5. \
                Beside the checks ipvsd compares the whole table every ten seconds, which keepalived never does: two of a thousand servers for \
                each check of this run. Memory: checkd keeps of each server what `lbctl check` shows (times, reasons, latencies, the latest \
                changes), keepalived a struct; tried: probes shared by equal checks, no configuration kept twice, times in half the octets. \
                The last rows are ours alone on this machine's kernel, since keepalived's checker needs IPVS.
                """),
        Chapter(
            table: "memory", title: "Memory", peer: "keepalived",
            method: """
                The published dr-cluster `master.conf`, in the lab, from `smaps_rollup`; keepalived's three processes (at 15 s) \
                against our four. PSS divides shared pages among their users. One, five and ten seconds after its start each of our daemons \
                gives back freed heap and clean file pages (`Footprint`), which keepalived does not: the page cache keeps \
                those pages, and the goal is judged both before and after. In our file the functions that run all the time stand \
                together (`deploy/order-daemons`).
                """),
        Chapter(
            table: "reading", title: "Reading a configuration", peer: "keepalived",
            method: """
                `lbctl config check` beside `keepalived -t`, each as a new process on a generated file, from its start to its end, and the most memory \
                that it had (time(1)). lbctl alone takes 11 MB before it reads anything: the statically linked runtime and the commands' \
                descriptions; that is more than keepalived has at the end, so half of its memory is out of reach for a command of this kind. \
                The daemons read the same way without it. Tried: words as slices of the file, blocks interpreted when they close, lines \
                without quotes or comments cut by octets; what is left is spread over the model that lbctl compares, shows and sends.
                """),
        Chapter(
            table: "fanout", title: "Event fan-out", peer: "redis",
            method: """
                Events of 300 octets over a Unix socket, 16 publications per write, every publication answered, the publisher \
                never more than 512 events ahead of the slowest subscriber. One client thread plays publisher and subscribers \
                and is the same for both brokers; it shares the two processors with them. busd checks every event, gives it its \
                place, and keeps the latest; redis pub/sub passes it on. Redis has no call that publishes several events, so \
                it is compared with its 16 pipelined ones in every row. One publication at a time costs 20,000 instructions, 6,000 of them \
                to see that it is JSON (callgrind); tried: names compared as octets, one output buffer per stream, no unchanged epoll_ctl, \
                no texts as keys.
                """),
        Chapter(
            table: "instructions", title: "Instructions", peer: "kept",
            method: """
                Of fixed work, counted by callgrind (`deploy/count-instructions`), beside the counts kept in `Tests/Benchmarks/instructions`: \
                equal in every run to about a hundredth, whatever else the machine does.
                """),
    ]

    func print() {
        var text = """
            # Benchmarks

            Written by `make bench`; do not edit. Median (least…most, n = rounds); "factor" says how many times better ours is
            (below 1: worse). Ours and the peer's were measured alternately in one run. A machine that does other things
            as well moves single figures by a factor of two.


            """
        for line in facts { text += "- \(line)\n" }
        for chapter in Self.chapters {
            let rows = rows.filter { $0.table == chapter.table }
            guard !rows.isEmpty else { continue }
            text += "\n## \(chapter.title)\n\n\(chapter.method)\n\n"
            text += "| | unit | Evenkeel | \(chapter.peer) | factor | goal |\n|---|---|---|---|---|---|\n"
            for row in rows {
                let factor = row.factor.map { Series.short($0) + " ×" } ?? "–"
                text += "| \(row.what) | \(row.unit) | \(row.ours.text) | \(row.peer?.text ?? "–") | \(factor) "
                text += "| \(row.verdict) |\n"
            }
        }
        Console.write(text, to: STDOUT_FILENO)
    }

    /// What the figures depend on.
    private var facts: [String] {
        var system = utsname()
        uname(&system)
        let release = withUnsafeBytes(of: &system.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        let processor = contents("/proc/cpuinfo").split(separator: "\n").first { $0.hasPrefix("model name") }
        let memory = contents("/proc/meminfo").split(separator: "\n").first { $0.hasPrefix("MemTotal") }
        let model = processor?.split(separator: ":").last.map { String($0.drop { $0 == " " }) } ?? "unknown"
        let kilobytes = memory?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        let processors = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        let date = SystemClock.timestamp.prefix(10)
        return [
            "Machine: \(model), \(processors) processors, \(kilobytes / 1024) MB, Linux \(release)",
            "Peers: \(Self.environment("EVENKEEL_BENCH_PEERS"))",
            "Evenkeel \(evenkeelVersion) (\(Self.environment("EVENKEEL_BENCH_COMMIT"))), `make build`; \(date)",
        ]
    }

    private static func environment(_ name: String) -> String {
        guard let value = getenv(name) else { return "unknown" }
        return String(cString: value)
    }
}
