// The checkers against servers as people run them: nginx for HTTP_GET and SSL_GET, nsd for DNS_CHECK, socat's echo for UDP_CHECK. Each is started
// once for all the questions that it is asked.
import Bus
import Glibc
import Net
import Platform
import Testing

/// What is asked of a server and what checkd shall make of the answer; nil = up, else a part of the reason.
private struct Question {
    let words: String
    let failure: String?

    init(_ words: String, fails failure: String? = nil) { (self.words, self.failure) = (words, failure) }
}

@Suite(.serialized, .timeLimit(.minutes(2)))
struct CheckRealServerTests {
    private let room: CheckRoom

    init() throws { room = try CheckRoom() }

    /// Starts a server and waits until it takes connections.
    private func start(_ arguments: [String], port: UInt16) throws -> Program {
        let server = try Program(arguments, on: nil, log: room.directory + "/server.log", loop: room.loop)
        try room.eventually("\(arguments[0]) listens") {
            if let exit = server.exit { Issue.record("\(arguments[0]): \(exit)\n\(server.output)") }
            return Loopback.accepts(port)
        }
        return server
    }

    private func expect(_ questions: [Question]) throws {
        for (index, question) in questions.enumerated() {
            let health = try room.becomes(realServer(index + 1), question.failure == nil ? .up : .down)
            guard let failure = question.failure else { continue }
            #expect(health.reason.contains(failure), "\(question.words): \(health.reason)")
        }
    }

    private func write(_ name: String, _ text: String) throws {
        try FileSystem.replace("\(room.directory)/\(name)", with: Array(text.utf8), durable: false)
    }

    // MARK: nginx

    private func nginx(_ servers: String, port: UInt16) throws -> Program {
        let directory = room.directory
        let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(directory)/temp;" }
        try write(
            "nginx.conf",
            """
            daemon off;
            master_process off;
            pid \(directory)/nginx.pid;
            error_log stderr;
            events { worker_connections 256; }
            http {
                access_log off;
                \(paths.joined(separator: " "))
                \(servers)
            }
            """)
        return try start(
            ["/usr/sbin/nginx", "-e", "stderr", "-p", directory, "-c", directory + "/nginx.conf"], port: port)
    }

    @Test func `HTTP_GET of nginx`() throws {
        let port = try Loopback.freePort()
        try FileSystem.makeDirectory(room.directory + "/pages", mode: 0o755)
        try write("pages/index.html", "hello\n")
        try write("pages/large", String(repeating: "0123456789abcdef", count: 60_000) + "the end\n")
        let server = try nginx(
            """
            server {
                listen 127.0.0.1:\(port) default_server;
                root \(room.directory)/pages;
                location /moved { return 301 /; }
                location /sick { return 503; }
                location /shut { return 444; }
                location /chunks/ { alias \(room.directory)/pages/; autoindex on; index none; }
                location /slow { limit_rate 10; try_files /large =404; }
            }
            server {
                listen 127.0.0.1:\(port);
                server_name other.test;
                location / { return 200 "other\n"; }
            }
            """, port: port)
        let digest = "digest b1946ac92492d2347c6235b4d2611184"
        let questions = [
            Question("url {\n path /\n \(digest)\n }"),
            Question("http_protocol 1.1\n url {\n path /\n \(digest)\n regex ^hello$\n }"),
            Question("http_protocol 1.1\n url {\n path /chunks/\n regex large\n }"),
            Question("url {\n path /large\n regex \"the end\"\n }"),
            Question("url {\n path /moved\n status_code 301\n }"),
            Question("url {\n path /moved\n }", fails: "status 301"),
            Question("url {\n path /missing\n }", fails: "status 404"),
            Question("url {\n path /sick\n }", fails: "status 503"),
            Question("url {\n path /\n }\n url {\n path /sick\n }", fails: "status 503"),
            Question("url {\n path /shut\n }", fails: "closed without an answer"),
            Question("virtualhost other.test\n url {\n path /\n regex other\n }"),
            Question("url {\n path /\n virtualhost other.test\n regex hello\n }", fails: "does not match regex"),
            Question("url {\n path /slow\n regex \"the end\"\n }", fails: "timeout (answer)"),
        ]
        try room.start(virtualServer(questions.map { httpCheck(port, $0.words) }, delay: "0.2"))
        try expect(questions)
        server.signal(SIGKILL)
        #expect(try room.becomes(realServer(1), .down).reason.hasSuffix("connection refused"))
    }

    @Test func `SSL_GET of nginx: names, authorities, certificates that are over, certificates of clients`() throws {
        let (authority, stranger) = (try Authority(in: room), try Authority("stranger", in: room))
        let one = try authority.issue("one", for: ["DNS:one.test", "IP:127.0.0.1"])
        let two = try authority.issue("two", for: ["DNS:two.test"])
        let over = try authority.issue("over", for: ["DNS:over.test"], days: -1)
        let client = try authority.issue("client", for: ["DNS:client.test"])
        let (port, closed) = (try Loopback.freePort(), try Loopback.freePort())
        func server(_ port: UInt16, _ name: String, _ identity: Authority.Identity, _ words: String = "") -> String {
            """
            server {
                listen 127.0.0.1:\(port) ssl;
                server_name \(name);
                ssl_certificate \(identity.certificate);
                ssl_certificate_key \(identity.key);
                \(words)
                location / { return 200 "\(name) $ssl_server_name $ssl_protocol\n"; }
            }

            """
        }
        let server = try nginx(
            server(port, "one.test", one) + server(port, "two.test", two) + server(port, "over.test", over)
                + server(
                    closed, "one.test", one,
                    "ssl_client_certificate \(authority.certificate);\n ssl_verify_client on;\n ssl_protocols TLSv1.3;"),
            port: port)
        func url(_ regex: String) -> String { "url {\n path /\n regex \"\(regex)\"\n }" }
        let trust = "verify\n ca \(authority.certificate)\n "
        let (page, wrong) = (url("^one.test"), "TLS: ")
        let questions = [
            Question(page), Question(trust + page),
            Question("verify\n ca \(stranger.certificate)\n " + page, fails: wrong),
            Question(trust + "virtualhost two.test\n " + url("^two.test two.test")),
            Question("enable_sni\n virtualhost two.test\n " + url("^two.test two.test")),
            Question(trust + "virtualhost three.test\n " + page, fails: wrong),
            Question(trust + "virtualhost over.test\n " + url("over"), fails: wrong),
            Question("enable_sni\n virtualhost over.test\n " + url("^over.test")),
            Question("url {\n path /\n status_code 404\n }", fails: "status 200"),
        ]
        let guarded = Question(trust + url("TLSv1.3"), fails: "status 400")
        let service = virtualServer(
            questions.map { httpCheck(port, $0.words, kind: "SSL_GET", timeout: "2") } + [
                httpCheck(closed, guarded.words, kind: "SSL_GET", timeout: "2"),
                // TLS is spoken there.
                httpCheck(port, "url {\n path /\n }"),
            ], delay: "0.2")
        try room.start(service)
        try expect(questions + [guarded, Question("HTTP", fails: "status 400")])
        let days = try room.list()[realServer(1)]?.checks.first?.runtime.certificateDays
        // Made for two days a moment ago.
        #expect(days == 1 || days == 2)
        try room.configure(service + "SSL {\n certificate \(client.certificate)\n key \(client.key)\n}\n")
        room.checkd?.signal(SIGHUP)
        _ = try room.becomes(realServer(questions.count + 1), .up)
        server.signal(SIGKILL)
    }

    // MARK: nsd

    @Test func `DNS_CHECK of nsd`() throws {
        let (port, directory) = (try Loopback.freePort(SOCK_DGRAM), room.directory)
        let long = (0..<40).map { "long TXT \"\($0) \(String(repeating: "x", count: 200))\"" }
        try write(
            "example.zone",
            """
            $ORIGIN example.com.
            $TTL 60
            @ SOA ns hostmaster 1 60 60 60 60
            @ NS ns
            @ MX 10 mail
            ns A 192.0.2.53
            www A 192.0.2.80
            www AAAA 2001:db8::80
            alias CNAME www
            \(long.joined(separator: "\n"))

            """)
        try write(
            "nsd.conf",
            """
            server:
                ip-address: 127.0.0.1@\(port)
                server-count: 1
                username: ""
                chroot: ""
                database: ""
                zonesdir: "\(directory)"
                xfrdir: "\(directory)"
                xfrdfile: "\(directory)/xfrd.state"
                zonelistfile: "\(directory)/zones"
                pidfile: "\(directory)/nsd.pid"
            remote-control:
                control-enable: no
            zone:
                name: example.com
                zonefile: example.zone
            zone:
                name: broken.test
                zonefile: missing.zone

            """)
        let server = try start(["/usr/sbin/nsd", "-d", "-c", directory + "/nsd.conf"], port: port)
        let questions = [
            Question("type a\n name www.example.com"), Question("type aaaa\n name www.example.com"),
            Question("type mx\n name example.com"), Question("type soa\n name example.com"),
            Question("type ns\n name example.com"), Question("type cname\n name alias.example.com"),
            // Truncated (TC): an answer all the same.
            Question("type txt\n name long.example.com"),
            // No record of the type is an answer too.
            Question("type mx\n name www.example.com"),
            Question("type a\n name none.example.com", fails: "NXDOMAIN"),
            Question("type a\n name www.broken.test", fails: "SERVFAIL"),
            Question("type a\n name www.elsewhere.test", fails: "REFUSED"), Question("", fails: "REFUSED"),
        ]
        try room.start(
            virtualServer(
                questions.map {
                    """
                    DNS_CHECK {
                     connect_ip 127.0.0.1
                     connect_port \(port)
                     connect_timeout 2
                     retry 0
                     \($0.words)
                    }
                    """
                }, delay: "0.2"))
        try expect(questions)
        server.signal(SIGKILL)
        #expect(try room.becomes(realServer(1), .down).reason.hasSuffix("connection refused"))
    }

    // MARK: socat

    @Test func `UDP_CHECK of an echo`() throws {
        let port = try Loopback.freePort(SOCK_DGRAM)
        func check(_ words: String) -> String {
            """
            UDP_CHECK {
             connect_ip 127.0.0.1
             connect_port \(port)
             connect_timeout 1
             retry 0
             \(words)
            }
            """
        }
        let questions = [
            Question(""),
            Question("payload 0a 0b 0c\n require_reply 0a xx 0c\n min_reply_length 3\n max_reply_length 3"),
            Question("payload 0a 0b 0c\n require_reply 0b", fails: "a reply that begins otherwise"),
            Question("payload 0a\n require_reply 0a\n min_reply_length 2", fails: "a reply of 1 octets, not 2"),
        ]
        // Nobody there yet: refused.
        try room.start(virtualServer(questions.map { check($0.words) }, delay: "0.2"))
        #expect(try room.becomes(realServer(2), .down).reason.hasSuffix("connection refused"))
        let server = try Program(
            ["/usr/bin/socat", "UDP4-RECVFROM:\(port),bind=127.0.0.1,fork", "PIPE"], on: nil,
            log: room.directory + "/server.log", loop: room.loop)
        _ = try room.becomes(realServer(2), .up)
        try expect(questions)
        server.signal(SIGKILL)
        _ = try room.becomes(realServer(2), .down)
    }
}
