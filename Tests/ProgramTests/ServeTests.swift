// `lbctl serve` as a process, asked by curl: what it serves, to whom, and what it does when a daemon hangs or goes.

import Bus
import Glibc
import JSON
import Platform
import Testing

@Suite(.serialized, .enabled(if: canMakeNetworks), .timeLimit(.minutes(2)))
struct ServeTests {
    @Test func `metrics, health, the read methods and the page are served, and nothing else`() throws {
        let room = try ServeRoom(["--listen", "127.0.0.1:0"])
        try room.alone.eventually("all is well") { try room.get("healthz").status == "200" }
        let metrics = try room.get("metrics")
        #expect(metrics.body.contains("evenkeel_vrrp_state{vrrp_instance=\"VI_1\",state=\"master\"} 1\n"))
        #expect(metrics.body.contains("# TYPE evenkeel_vrrp_became_master_total counter\n"))
        #expect(metrics.body.contains("evenkeel_daemon_up{daemon=\"vrrpd\"} 1\n"))
        #expect(metrics.body.contains("evenkeel_daemon_resident_memory_bytes{daemon=\"vrrpd\"}"))
        let open = try room.get("metrics", "-H", "Accept: application/openmetrics-text; version=1.0.0")
        #expect(open.body.contains("# TYPE evenkeel_vrrp_became_master counter\n"))
        #expect(open.body.hasSuffix("# EOF\n"))
        let status = try JSONValue(parsing: Array(try room.get("api/status").body.utf8))
        #expect(status["instances"]?.array?.first?["name"]?.string == "VI_1")
        let shown = try JSONValue(parsing: Array(try room.get("api/io.evenkeel.Vrrp.Show?name=VI_1").body.utf8))
        #expect(shown["replies"]?.array?.first?["instance"]?["runtime"]?["state"]?.string == "master")
        let page = try room.get("", "-i")
        #expect(page.body.contains("Content-Security-Policy: default-src 'self'") && page.body.contains("<title>"))
        #expect(try room.get("page.js").body.contains("EventSource"))
        for (path, status) in [
            ("api/io.evenkeel.Vrrp.Failover?name=VI_1", "404"), ("api/io.evenkeel.Vrrp.Show?name=no", "404"),
            ("api/io.evenkeel.Vrrp.Show?nam=VI_1", "400"),
            ("api/io.evenkeel.Vrrp.Show", "400"), ("etc/passwd", "404"), ("..%2f..%2fetc/passwd", "404"),
            ("api/io.evenkeel.Bus.Subscribe", "404"), ("events?type=nonsense", "400"),
        ] {
            #expect(try room.get(path).status == status, "\(path)")
        }
        #expect(try room.get("", "-X", "POST", "-d", "x").status == "405")
        // A page of another site that has its name point here.
        #expect(try room.get("metrics", "-H", "Host: evil.example").status == "421")
        #expect(try room.get("healthz", "-H", "Host: LOCALHOST.:80").status == "200")
        #expect(try room.get("", "--request-target", "http://localhost/healthz").body == "ok\n")
        #expect(try room.get("healthz", "-0", "-H", "Host:").status == "200")
        #expect(try room.alone.router.show().runtime.state == .master)
    }

    @Test func `half of the connections may follow events, and again when they have gone`() throws {
        let room = try ServeRoom(["--listen", "127.0.0.1:0"])
        for round in 1...3 {
            // "32 200 8 503", or fewer: who has hung up is noticed within five seconds.
            let words = try room.getByMany("events", "-N -m 3")
            let served = words.firstIndex(of: "200").flatMap { Int(words[$0 - 1]) } ?? 0
            #expect(served <= 32 && words.last == "503", "round \(round): \(words)")
            #expect(try room.get("metrics").status == "200")
            try room.alone.eventually("there are places again") {
                try room.get("events?type=vrrp.instance", "-N", "-m", "1").status == "200"
            }
        }
    }

    @Test(arguments: [1, 4])
    func `requests that are never finished keep nobody out, from however many addresses`(_ addresses: Int) throws {
        let room = try ServeRoom(["--listen", "127.0.0.1:0"])
        let port = room.root.split(whereSeparator: { ":/".contains($0) }).last.map(String.init) ?? ""
        let script = """
            import socket, sys, time
            held = []
            for number in range(96):
                s = socket.socket(); s.bind(("127.0.0.%d" % (1 + number % int(sys.argv[2])), 0))
                try:
                    s.connect(("127.0.0.1", int(sys.argv[1])))
                    s.sendall(b"GET /metrics HTTP/1.1\\r\\nHost: "[:number])
                except OSError: pass # no room at that moment
                held.append(s)
            print("held", flush=True); time.sleep(60)
            """
        let strangers = try Program(
            ["/usr/bin/python3", "-c", script, port, "\(addresses)"], on: room.alone.host,
            log: room.alone.segment.directory + "/strangers", loop: room.alone.segment.loop)
        try room.alone.eventually("they are there") { strangers.output.contains("held") }
        for _ in 1...5 { #expect(try room.get("metrics").status == "200") }
    }

    @Test func `many who ask the same at once are answered`() throws {
        let room = try ServeRoom(["--listen", "127.0.0.1:0"])
        #expect(try room.getByMany("api/io.evenkeel.Vrrp.List") == ["40", "200"])
    }

    @Test func `events follow, and what hangs or goes is said in time`() throws {
        let room = try ServeRoom(["--listen", "127.0.0.1:0"])
        let heard = room.alone.segment.directory + "/events"
        let follower = try Program(
            ["/usr/bin/curl", "-sN", "-m", "60", room.root + "events?type=vrrp.instance"], on: room.alone.host,
            log: heard, loop: room.alone.segment.loop)
        try room.alone.eventually("the latest is heard") { follower.output.contains("\"snapshotComplete\":true") }
        let before = follower.output.count
        room.alone.router.signal(SIGSTOP)
        let metrics = try room.get("metrics")
        room.alone.router.signal(SIGCONT)
        #expect(metrics.status == "200" && metrics.body.contains("evenkeel_daemon_up{daemon=\"vrrpd\"} 0\n"))
        try room.alone.eventually("it answers again") {
            try room.get("metrics").body.contains("evenkeel_daemon_up{daemon=\"vrrpd\"} 1\n")
        }
        try room.alone.router.end(SIGTERM)
        try room.alone.eventually("its end is heard") { follower.output.dropFirst(before).contains("VI_1") }
        let health = try room.get("healthz")
        #expect(health.status == "503" && health.body.contains("vrrpd"), "\(health)")
        room.busd.signal(SIGKILL)
        try room.alone.eventually("busd's end is said") {
            let health = try room.get("healthz")
            return health.status == "503" && health.body.contains("busd")
        }
        #expect(try room.get("").status == "200")
        room.server.signal(SIGTERM)
        try room.alone.eventually("it ends, whoever follows") { room.server.exit == .exited(0) }
    }

    @Test func `beyond this host it wants TLS and a token`() throws {
        let authority = try Authority(in: try CheckRoom())
        let identity = try authority.issue("director", for: ["IP:10.77.0.1"])
        let token = identity.key + ".token"
        try FileSystem.replace(token, with: Array("a token of this test\n".utf8), durable: false)
        let room = try ServeRoom([
            "--listen", "10.77.0.1:0", "--tls-certificate", identity.certificate, "--tls-key", identity.key,
            "--token-file", token,
        ])
        #expect(room.root.hasPrefix("https://"))
        for path in ["metrics", "", "events", "nothing"] { #expect(try room.get(path).status == "401") }
        #expect(try room.get("metrics", "-H", "Authorization: Bearer a token of this tesT").status == "401")
        #expect(try room.get("metrics", "-H", "Authorization: Bearer a token of this test").status == "200")
        #expect(try room.get("metrics", "-u", "anybody:a token of this test").status == "200")
        #expect(try room.get("metrics", "-u", "anybody:").status == "401")
        #expect(
            try room.get("metrics", "--tlsv1.0", "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0").status != "401")

        // A token that everybody may read is none.
        #expect(chmod(token, 0o644) == 0)
        let careless = try Program(
            [Program.directory + "/lbctl", "serve", "--token-file", token], on: room.alone.host,
            log: room.alone.segment.directory + "/careless.log", loop: room.alone.segment.loop)
        try room.alone.eventually("it is not taken") { careless.exit != nil }
        #expect(careless.output.contains("others may read or write it"), "\(careless.output)")
        let open = try Program(
            [Program.directory + "/lbctl", "serve", "--listen", "10.77.0.1:9651"], on: room.alone.host,
            log: room.alone.segment.directory + "/open.log", loop: room.alone.segment.loop)
        try room.alone.eventually("it refuses") { open.exit != nil }
        #expect(open.exit == .exited(2) && open.output.contains("--tls-certificate"))
    }
}
