// Reload after reload with random edits, while routers speak, checks run and clients ask: what no edit touches never changes its state, and the
// daemons do not grow. Sixty of them in `make test`; EVENKEEL_RELOADS=1000 does a thousand.
import Bus
import Glibc
import Net
import Platform
import Testing

/// Things with a text each, of which some are there.
private struct Edits {
    private var texts: [String?]
    private let text: (Int, inout SystemRandomNumberGenerator) -> String
    private var generator = SystemRandomNumberGenerator()

    static let count = getenv("EVENKEEL_RELOADS").flatMap { Int(String(cString: $0)) } ?? 60

    init(_ count: Int, _ text: @escaping (Int, inout SystemRandomNumberGenerator) -> String) {
        texts = Array(repeating: nil, count: count)
        self.text = text
        for index in texts.indices { change(index) }
    }

    private mutating func change(_ index: Int) {
        texts[index] = Bool.random(using: &generator) ? text(index, &generator) : nil
    }

    /// One to three things change, come or go.
    mutating func next() -> String {
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            change(Int.random(in: texts.indices, using: &generator))
        }
        return texts.compactMap(\.self).joined()
    }
}

/// What a daemon has while it is reloaded, and whether that grows.
private struct Growth {
    let name: String
    let pid: pid_t
    private(set) var series: [Usage] = []

    init(_ name: String, _ pid: pid_t) {
        (self.name, self.pid) = (name, pid)
    }

    mutating func look() { series.append(Usage(of: pid)) }

    /// The second half has no more than the first, but for what is under way at a look.
    func judge() {
        let (first, second) = (series[..<(series.count / 2)], series[(series.count / 2)...])
        let sizes = series.map(\.kilobytes)
        let steps = stride(from: 0, to: sizes.count, by: max(1, sizes.count / 10)).map { "\(sizes[$0])" }
        print(
            "reloads: \(Edits.count) of \(name): memory, kB: \(steps.joined(separator: " ")), at last \(sizes.last ?? 0)"
        )
        let (before, after) = (first.map(\.kilobytes).max() ?? 0, second.map(\.kilobytes).max() ?? 0)
        #expect(after <= before + before / 20 + 1024, "\(name) grows: \(sizes)")
        let descriptors = (first.map(\.descriptors).max() ?? 0, second.map(\.descriptors).max() ?? 0)
        #expect(descriptors.1 <= descriptors.0 + 10, "\(name) has ever more descriptors")
    }
}

@Suite(.serialized, .enabled(if: canMakeNetworks), .timeLimit(.minutes(20)))
struct ManyReloadsTests {
    @Test func `routers that no edit touches stay masters, their address answers, and vrrpd does not grow`() throws {
        let alone = try Alone(.version3)
        let steady = Dialect.version3.text(100, on: alone.host, peer: alone.peer)
        var edits = Edits(12) { index, generator in
            let addresses = (0..<Int.random(in: 1...3, using: &generator)).map { "10.77.\(index + 1).\($0 + 1)/24" }
            let words = [
                "", "nopreempt", "track_interface {\n lo weight -5\n }", "accept", "garp_master_refresh 5",
                "vmac_xmit_base",
            ]
            return """
                vrrp_instance R\(index) {
                 version 3
                 interface eth0
                 virtual_router_id \(60 + index)
                 priority \(Int.random(in: 2...200, using: &generator))
                 advert_int \(Bool.random(using: &generator) ? "0.1" : "0.2")
                 \(words.randomElement(using: &generator) ?? "")
                 virtual_ipaddress {
                 \(addresses.joined(separator: "\n "))
                 }
                }

                """
        }
        try alone.becomes(.master)
        try alone.holds(true)
        let since = try alone.router.show("VI_1").runtime.since
        let pings = try Pings(virtualAddress, from: alone.peer, loop: alone.segment.loop)
        var growth = Growth("vrrpd", try #require(alone.router.pid))
        for number in 0..<Edits.count {
            // Every tenth is a mistake, which changes nothing.
            let isWrong = number % 10 == 9
            try alone.router.configure(steady + edits.next() + (isWrong ? "vrrp_instance {\n" : ""))
            if isWrong {
                #expect(throws: BusClientError.self) { try alone.router.call(VrrpAPI.PrepareReload()) }
            } else {
                // What was prepared goes with its connection.
                let client = try BusClient(path: alone.router.directory + "/run/private/vrrpd.sock")
                let prepared = try client.call(VrrpAPI.PrepareReload(), timeout: .seconds(5))
                _ = try client.call(VrrpAPI.CommitReload(digest: prepared.digest), timeout: .seconds(5))
            }
            try alone.segment.observe(for: .milliseconds(Int64.random(in: 20...120)))
            growth.look()
        }
        pings.pause()
        try alone.segment.observe(for: .milliseconds(300))
        let runtime = try alone.router.show("VI_1").runtime
        #expect(runtime.state == .master)
        #expect(runtime.since == since, "it was something else meanwhile")
        #expect(alone.resignations(51) == 0)
        #expect(pings.sent > 100)
        #expect(pings.lost.isEmpty, "\(pings.lost.count) of \(pings.sent) pings had no answer")
        growth.judge()
    }

    @Test func `servers that no edit touches are up throughout, and checkd does not grow`() throws {
        let room = try CheckRoom(bus: true)
        let (good, edited) = (try TinyServer(.answer([]), on: room.loop), try TinyServer(.answer([]), on: room.loop))
        let steady = virtualServer(distinct(6) { tcpCheck(good.port, more: $0) }, delay: "0.1")
        var edits = Edits(10) { index, generator in
            let servers = Int.random(in: 0...4, using: &generator)
            // Some of them refuse.
            let port = Bool.random(using: &generator) ? edited.port : 1
            let words = ["", "quorum 2", "alpha", "lb_algo wrr\n weight 7", "persistence_timeout 60"]
            return virtualServer(
                distinct(servers, from: 10 * index) {
                    tcpCheck(port, more: $0 + (Bool.random(using: &generator) ? "\nwarmup 0.1" : ""))
                },
                delay: Bool.random(using: &generator) ? "0.1" : "0.3",
                more: words.randomElement(using: &generator) ?? "", number: index + 2)
        }
        try room.start(steady)
        let tap = try room.listen(["io.evenkeel.check.server"])
        for index in 1...6 { _ = try room.becomes(realServer(index), .up) }
        var growth = Growth("checkd", try #require(room.checkd?.pid))
        for number in 0..<Edits.count {
            let text = steady + edits.next()
            if number % 10 == 9 {
                try room.configure(text + "virtual_server {\n")
                #expect(throws: BusClientError.self) { try room.call(CheckAPI.PrepareReload()) }
            } else {
                try room.reload(text)
            }
            let start = room.loop.refreshNow()
            let pause = Duration.milliseconds(Int64.random(in: 20...120))
            while room.loop.now - start < pause { try room.loop.turn(timeoutMilliseconds: 5) }
            growth.look()
        }
        let before = good.sources.count
        try room.eventually("the servers are asked on") { good.sources.count >= before + 12 }
        for index in 1...6 { #expect(tap.states(of: realServer(index)) == ["up"], "server \(index)") }
        #expect(try room.list()[realServer(1)]?.verified == true)
        growth.judge()
    }
}
