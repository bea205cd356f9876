// SSL_GET against OpenSSL's server, with and without verification and certificates of clients, and against what breaks off, stalls, drips and alerts.
import Bus
import Glibc
import Net
import Platform
import Testing

@Suite(.serialized, .timeLimit(.minutes(3)))
struct CheckTLSTests {
    private static let alert = "\u{15}\u{3}\u{3}\0\u{2}\u{2}\u{28}"

    @Test func `TLS that breaks off, stalls, drips and alerts`() throws {
        let room = try CheckRoom()
        let cases: [(failure: String, steps: [ScriptedServer.Step])] = [
            ("TLS: ", [.say(Self.alert), .close]), ("TLS: ", [.hear, .say(Self.alert)]),
            ("TLS: ", [.hear, .say(Self.alert), .reset]),
            // Warnings, and the end of what never began.
            ("TLS: ", [.hear, .say(String(repeating: "\u{15}\u{3}\u{3}\0\u{2}\u{1}\u{5A}", count: 1000))]),
            ("TLS: ", [.hear, .say("\u{15}\u{3}\u{3}\0\u{2}\u{1}\0"), .close]), ("TLS: ", [.flood]),
            ("", [.close]), ("", [.hear, .close]), ("reset", [.hear, .reset]), ("timeout", [.hear]),
            // A record that does not come to its end.
            (
                "timeout",
                [
                    .hear,
                    .drip(
                        "\u{16}\u{3}\u{3}\u{3F}\u{7F}" + String(repeating: "x", count: 1000), every: .milliseconds(100)),
                ]
            ),
            ("TLS: ", [.hear, .say("\u{16}\u{3}\u{3}\u{7F}\u{7F}" + String(repeating: "x", count: 40_000))]),
        ]
        let servers = try cases.map { try ScriptedServer($0.steps, on: room.loop) }
        try room.start(
            virtualServer(servers.map { httpCheck($0.port, "url {\n path /\n }", kind: "SSL_GET", timeout: "0.3") }))
        for (index, item) in cases.enumerated() {
            let reason = try room.becomes(realServer(index + 1), .down).reason
            #expect(reason.contains(item.failure), "\(item.steps): \(reason)")
        }
    }

    /// /etc/ssl is another one for what `ip netns exec` begins.
    @Test(.enabled(if: canMakeNetworks && access("/usr/bin/openssl", X_OK) == 0))
    func `with ca the authorities of the system count no more`() throws {
        let room = try CheckRoom()
        let segment = try Segment(hosts: 1, loop: room.loop)
        let namespace = segment.hosts[0].namespace
        let (named, system) = (try Authority("named", in: room), try Authority("system", in: room))
        let certificates = "/etc/netns/\(namespace)/ssl/certs"
        try room.run(["/bin/mkdir", "-p", certificates])
        defer { try? room.run(["/bin/rm", "-r", "/etc/netns/\(namespace)"]) }
        try room.run(["/bin/cp", system.certificate, certificates + "/system.pem"])
        try room.run(["/bin/cp", system.certificate, certificates + "/ca-certificates.crt"])
        try room.run(["/usr/bin/openssl", "rehash", certificates])
        let servers = try [named, system].enumerated().map { index, authority in
            let files = try authority.issue("server\(index)", for: ["IP:127.0.0.1"])
            return try Program(
                [
                    "/usr/bin/openssl", "s_server", "-accept", "127.0.0.1:\(7001 + index)", "-key", files.key, "-cert",
                    files.certificate, "-www", "-quiet",
                ], on: segment.hosts[0], log: room.directory + "/openssl\(index)", loop: room.loop)
        }
        func check(_ port: UInt16, _ words: String) -> String {
            httpCheck(port, "verify\n \(words)\n url {\n path /\n }", kind: "SSL_GET", timeout: "2")
        }
        let ca = "ca \(named.certificate)"
        try room.configure(virtualServer([check(7001, ca), check(7002, ca), check(7002, ""), check(7001, "")]))
        try room.restart(["/sbin/ip", "netns", "exec", namespace])
        _ = try room.becomes(realServer(1), .up)
        _ = try room.becomes(realServer(3), .up)
        #expect(try room.becomes(realServer(2), .down).reason.contains("TLS: "))
        #expect(try room.becomes(realServer(4), .down).reason.contains("TLS: "))
        withExtendedLifetime(servers) {}
    }

    @Test(.enabled(if: access("/usr/bin/openssl", X_OK) == 0))
    func `SSL_GET takes any certificate, and with verify only one it can trust`() throws {
        let room = try CheckRoom()
        let authority = try Authority(in: room)
        let files = try authority.issue("server", for: ["IP:127.0.0.1", "DNS:www.example.com"])
        let port = try Loopback.freePort()
        let server = try Program(
            [
                "/usr/bin/openssl", "s_server", "-accept", "127.0.0.1:\(port)", "-key", files.key, "-cert",
                files.certificate, "-www", "-quiet",
            ], on: nil, log: room.directory + "/openssl", loop: room.loop)
        let plain = try TinyServer(.answer(Array("HTTP/1.0 400 this is not TLS\r\n\r\n".utf8)), on: room.loop)
        let url = "url {\n path /\n }"
        try room.start(
            virtualServer([
                httpCheck(port, url, kind: "SSL_GET"),
                httpCheck(port, "verify\n ca \(authority.certificate)\n " + url, kind: "SSL_GET"),
                httpCheck(port, "verify\n " + url, kind: "SSL_GET"),
                httpCheck(plain.port, url, kind: "SSL_GET"),
                httpCheck(port, "enable_sni\n virtualhost www.example.com:7444\n " + url, kind: "SSL_GET"),
                httpCheck(
                    port, "verify\n ca \(authority.certificate)\n virtualhost www.example.com\n " + url, kind: "SSL_GET"
                ),
                httpCheck(
                    port, "verify\n ca \(authority.certificate)\n virtualhost www.example.org\n " + url, kind: "SSL_GET"
                ),
            ]))
        _ = try room.becomes(realServer(5), .up)
        let trusting = try room.becomes(realServer(1), .up).checks[0].runtime
        // Made for two days a moment ago.
        #expect([1, 2].contains(trusting.certificateDays) && trusting.certificateEnd != nil)
        _ = try room.becomes(realServer(2), .up)
        _ = try room.becomes(realServer(6), .up)
        try room.eventually("certificates of strangers, and for other names, are refused") {
            let list = try room.list()
            return [3, 7].allSatisfy {
                list[realServer($0)]?.state == .down && list[realServer($0)]?.reason.contains("TLS: ") == true
            }
        }
        _ = try room.becomes(realServer(4), .down)
        server.signal(SIGKILL)
    }

    @Test(.enabled(if: access("/usr/bin/openssl", X_OK) == 0))
    func `a server that wants a client certificate gets that of the SSL block`() throws {
        let room = try CheckRoom()
        let files = (key: room.directory + "/key.pem", certificate: room.directory + "/certificate.pem")
        let maker = try Program(
            [
                "/usr/bin/openssl", "req", "-x509", "-newkey", "rsa:2048", "-passout", "pass:secret", "-days", "2",
                "-subj", "/CN=checkd", "-keyout", files.key, "-out", files.certificate,
            ], on: nil, log: room.directory + "/openssl", loop: room.loop)
        try room.eventually("a certificate is made", within: .seconds(30)) { maker.exit != nil }
        let port = try Loopback.freePort()
        let server = try Program(
            [
                "/usr/bin/openssl", "s_server", "-accept", "127.0.0.1:\(port)", "-key", files.key, "-pass",
                "pass:secret", "-cert", files.certificate, "-CAfile", files.certificate, "-Verify", "1",
                "-verify_return_error", "-www", "-quiet",
            ], on: nil, log: room.directory + "/openssl", loop: room.loop)
        let service = virtualServer([httpCheck(port, "url {\n path /\n }", kind: "SSL_GET")])
        let identity = "SSL {\n certificate \(files.certificate)\n key \(files.key)\n password secret\n}\n"
        try room.start(identity + service)
        _ = try room.becomes(realServer(1), .up)
        try room.configure(service)
        room.checkd?.signal(SIGHUP)
        #expect(try room.becomes(realServer(1), .down).reason.contains("SSL_GET"))
        try room.configure(service + identity.replacing("secret", with: "wrong"))
        room.checkd?.signal(SIGHUP)
        try room.eventually("a key that cannot be read is this host's trouble") {
            let reason = try room.list()[realServer(1)]?.checks.first?.runtime.reason ?? ""
            return reason.contains("cannot be asked from here") && reason.contains(files.key)
        }
        // Another key and certificate in the place of the former, and the right password again: read without a restart.
        try room.configure(service + identity)
        room.checkd?.signal(SIGHUP)
        _ = try room.becomes(realServer(1), .up)
        let missing = files.certificate + ".away"
        #expect(rename(files.certificate, missing) == 0)
        room.checkd?.signal(SIGHUP)
        try room.eventually("the alarm is raised") {
            room.log.contains("certificate.pem cannot be used: there is no such file")
        }
        try room.eventually("what was read before goes on") {
            let runtime = try room.list()[realServer(1)]?.checks.first?.runtime
            return runtime?.state == .up && runtime?.reason == "succeeds" && (runtime?.successes ?? 0) > 5
        }
        // A pipe without a writer would hold the loop, and with it every other check.
        mkfifo(room.directory + "/pipe", 0o600)
        try room.configure(service + "SSL {\n certificate \(room.directory)/pipe\n}\n")
        room.checkd?.signal(SIGHUP)
        try room.eventually("a pipe is no certificate") {
            try room.list()[realServer(1)]?.checks.first?.runtime.reason.contains("is no regular file") == true
        }
        server.signal(SIGKILL)
    }
}
