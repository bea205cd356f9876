// The status page of `lbctl serve` in a real Chromium: what it shows how soon, when it says that it is stale, how it fits, and what the keyboard
// reaches. With EVENKEEL_PICTURES=DIRECTORY pictures of it, and what
// `lbctl status` says of the same director, are put there.

import Bus
import FoundationEssentials
import Glibc
import JSON
import Net
import Platform
import Testing

@Suite(.serialized, .enabled(if: canMakeNetworks && hasBrowser), .timeLimit(.minutes(4)))
struct PageTests {
    private static let web = "tcp/10.77.0.100:80"
    private static let server = "tcp/10.77.0.100:80/192.168.10.12:8080"

    /// A served director with services, and its page in a browser.
    private struct Room {
        let room: ServeRoom
        let ipvsd: MadeUpIpvsd
        let browser: Browser
        var segment: Segment { room.alone.segment }

        /// `script` runs before the page's own.
        init(first script: String = "", more: [IpvsAPI.Service] = []) throws {
            room = try ServeRoom(["--listen", "127.0.0.1:0"])
            let servers = (11...14).map { "192.168.10.\($0)" }
            ipvsd = try MadeUpIpvsd(
                [
                    .madeUp(
                        web, perSecond: 840, servers.map { $0 + ":8080" },
                        down: ["192.168.10.13:8080": "connection refused"]),
                    .madeUp(
                        "tcp/10.77.0.100:443", perSecond: 2310, servers.map { $0 + ":8443" },
                        drained: "192.168.10.14:8443"),
                    .madeUp("udp/10.77.0.100:53", perSecond: 95, ["192.168.10.21:53", "192.168.10.22:53"]),
                    .madeUp("fwmark/7/inet6", perSecond: 12, ["[2001:db8::1:21]:993", "[2001:db8::1:22]:993"]),
                ] + more, runDirectory: room.alone.router.directory + "/run", loop: room.alone.segment.loop)
            browser = try Browser(on: room.alone.host, of: room.alone.segment)
            try browser.open(room.root, first: script)
            try browser.becomes(Self.router("master"))
            try browser.becomes("document.querySelectorAll('[data-service]').length === \(ipvsd.services.count)")
        }

        /// True in a page that shows the virtual router so.
        static func router(_ state: String) -> String {
            "document.querySelector('[data-instance=VI_1]')?.dataset.state === '\(state)'"
        }

        /// True in a page that shows the server so.
        static func server(_ word: String) -> String {
            "document.querySelector('[data-server=\"\(PageTests.server)\"] .state')?.textContent === '\(word)'"
        }
    }

    @Test func `a failover and a failing server are seen within a second, by the events alone`() throws {
        // What the page does by its clock it does not do here.
        let room = try Room(first: "window.setInterval = () => 0")
        let (segment, alone) = (room.segment, room.room.alone)
        let other = try Router(
            .vrrpd, on: alone.peer, of: segment,
            Dialect.version3.text(200, on: alone.peer, peer: alone.host))
        var failovers: [Duration] = []
        var failures: [Duration] = []
        for _ in 0..<3 {
            for state in [VrrpAPI.State.backup, .master] {
                if state == .backup { try other.start() } else { try other.end(SIGTERM) }
                try alone.eventually("the bus says \(state)") {
                    room.room.tap.standing("io.evenkeel.vrrp.instance")["VI_1"]?["runtime"]?["state"]?.string
                        == state.rawValue
                }
                failovers.append(try room.browser.becomes(Room.router(state.rawValue)))
            }
            for health in [IpvsAPI.Health.down, .up] {
                room.ipvsd.turn(Self.server, health, "timeout")
                failures.append(try room.browser.becomes(Room.server(health.rawValue)))
            }
        }
        // The best of several: this machine may have much else to do.
        for times in [failovers, failures] { #expect(times.min() ?? .seconds(60) < .seconds(1), "\(times)") }
    }

    @Test func `it says when it is stale, and follows again without being loaded again`() throws {
        let room = try Room()
        let stale = "document.body.matches('.stale') && document.getElementById('live').textContent.startsWith('stale')"
        let live = "document.getElementById('live').textContent === 'live'"
        try room.browser.becomes(live)
        _ = try room.browser.value("window.isTheSame = true")
        /// What only an event brings to the page.
        func follows(_ health: IpvsAPI.Health) throws {
            let listed = "[...document.querySelectorAll('#changes li')].some((line) => line.textContent.includes('"
            try segmentEventually(room, "the change is listed") {
                room.ipvsd.turn(Self.server, health, "once more")
                return try room.browser.value(listed + "once more'))").bool == true
            }
            _ = try room.browser.value("changes.length = 0; showChanges()")
        }
        try follows(.down)

        room.room.server.signal(SIGKILL)
        try room.browser.becomes(stale)
        try room.room.serveAgain()
        try room.browser.becomes(live)
        try follows(.up)

        room.room.busd.signal(SIGKILL)
        try room.browser.becomes(stale + " && document.getElementById('live').textContent.includes('busd')")
        try room.room.startBusAgain()
        try room.browser.becomes(live)
        try follows(.down)

        // It answers no more, and its connections stay.
        room.room.server.signal(SIGSTOP)
        try room.browser.becomes(stale, within: .seconds(40))
        room.room.server.signal(SIGCONT)
        try room.browser.becomes(live)
        #expect(try room.browser.value("window.isTheSame") == .bool(true))
    }

    @Test func `it fits from 360 to 1,600 pixels, is readable light and dark, and the keyboard goes through it`() throws
    {
        let long = String(repeating: "2001:db8:", count: 3) + ":ffff"
        let room = try Room(more: [
            .madeUp("tcp/[\(long)]:65535", perSecond: 1_234_567, ["[\(long)1]:65535"], down: ["[\(long)1]:65535": long])
        ])
        let browser = room.browser
        try browser.becomes("document.querySelectorAll('svg.spark').length === 5")
        for isDark in [false, true] {
            for width in [360, 480, 641, 768, 1024, 1600] {
                try browser.appear(width: width, height: 900, isDark: isDark)
                let wide = try browser.value("document.documentElement.scrollWidth - window.innerWidth").int
                #expect((wide ?? 1) <= 0, "\(width) pixels, dark: \(isDark)")
            }
            #expect(try browser.value(Self.faint) == .array([]), "dark: \(isDark)")
        }
        #expect(try browser.value("matchMedia('(prefers-color-scheme: dark)').matches") == .bool(true))

        // From the top: what leads past the header, then the services in their order.
        let services = try browser.value(
            "[...document.querySelectorAll('[data-service]')].map((node) => node.dataset.service)")
        var reached: [String] = []
        for _ in 0...room.ipvsd.services.count {
            try browser.tab()
            // Whatever is shown anew meanwhile.
            _ = try browser.value("show()")
            let focused =
                "document.activeElement.closest('[data-service]')?.dataset.service ?? document.activeElement.className"
            reached.append(try browser.value(focused).string ?? "")
        }
        #expect(reached == ["skip"] + (services.array ?? []).compactMap(\.string))
    }

    @Test func `a drain that is over is told apart from one that goes on, and names break behind their slashes`() throws
    {
        let name = "tcp/10.77.0.100:8080"
        var over = IpvsAPI.Service.madeUp(name, perSecond: 1, ["192.168.10.14:80"], drained: "192.168.10.14:80")
        over.servers[0].runtime.override?.isOver = true
        let browser = try Room(more: [over]).browser
        func word(_ server: String) throws -> String? {
            try browser.value("document.querySelector('[data-server=\"\(server)\"] .state').textContent").string
        }
        #expect(try word("\(name)/192.168.10.14:80") == "drained")
        #expect(try word("tcp/10.77.0.100:443/192.168.10.14:8443") == "draining")
        let summary = "document.querySelector('[data-service=\"\(name)\"] summary span')"
        #expect(try browser.value("\(summary).innerHTML").string == "tcp/<wbr>10.77.0.100:8080")
        #expect(try browser.value("\(summary).textContent").string == name)
    }

    /// The texts whose contrast with what is behind them is below 4.5 (WCAG 2.2, 1.4.3).
    private static let faint = """
        (() => {
          const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
          const light = (colour) => numbers(colour).slice(0, 3).map((value) => value / 255)
            .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
            .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
          const behind = (node) => {
            for (; node; node = node.parentElement) {
              const colour = getComputedStyle(node).backgroundColor;
              if (numbers(colour)[3] !== 0) return colour;
            }
          };
          return [...document.querySelectorAll("body *")].filter((node) =>
            [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim()) &&
            node.getClientRects().length > 0 && node.localName !== "noscript").filter((node) => {
              const pair = [light(getComputedStyle(node).color), light(behind(node))].sort((a, b) => a - b);
              return (pair[1] + 0.05) / (pair[0] + 0.05) < 4.5;
            }).map((node) => node.outerHTML.slice(0, 120));
        })()
        """

    private func segmentEventually(_ room: Room, _ what: String, _ condition: () throws -> Bool) throws {
        try room.room.alone.eventually(what, within: .seconds(30), condition)
    }

    @Test(.enabled(if: getenv("EVENKEEL_PICTURES") != nil)) func `pictures for the books`() throws {
        let directory = try #require(getenv("EVENKEEL_PICTURES").map { String(cString: $0) })
        let room = try Room()
        try room.browser.becomes("document.querySelectorAll('svg.spark').length === 4")
        room.ipvsd.turn(Self.server, .down, "timeout: no answer in 3 s")
        try room.browser.becomes("document.querySelectorAll('#changes time').length > 0")
        for (width, isDark) in [(360, false), (360, true), (1200, false), (1600, false), (1600, true)] {
            try room.browser.appear(width: width, height: 900, isDark: isDark)
            let octets = try #require(Data(base64Encoded: try room.browser.picture()))
            let name = "\(directory)/page-\(width)-\(isDark ? "dark" : "light").png"
            try FileSystem.replace(name, with: Array(octets), durable: false)
        }
        let router = room.room.alone.router
        let status = try Program(
            [Program.directory + "/lbctl", "status", "--socket", router.directory + "/run/bus.sock"], on: router.host,
            log: directory + "/status.txt", loop: room.segment.loop)
        try segmentEventually(room, "lbctl status ends") { status.exit != nil }
    }
}
