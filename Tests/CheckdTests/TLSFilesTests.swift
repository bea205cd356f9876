// The files of SSL_GETs, on a real loop and a real disk: what is read, when what is new counts, and what a file that cannot be used leaves.
import Glibc
import HealthCheck
import Net
import Platform
import Testing

@testable import Configuration
@testable import checkd

@Suite(.serialized, .timeLimit(.minutes(1)))
struct TLSFilesTests {
    private final class Problems {
        var last: TLSFileProblem?
    }

    private let loop: EventLoop
    private let directory: String
    private let files: TLSFiles
    private let problems = Problems()

    init() throws {
        loop = try EventLoop()
        var template = Array("/tmp/tls-XXXXXX".utf8CString)
        directory = String(cString: try #require(mkdtemp(&template)))
        files = TLSFiles(on: loop)
        files.problemChanged = { [problems] in problems.last = $0 }
    }

    private func pem(_ name: String) -> [UInt8] { Array("-----BEGIN \(name)-----\n-----END \(name)-----\n".utf8) }

    private func write(_ path: String, _ content: [UInt8]) throws {
        try FileSystem.replace(directory + path, with: content, durable: false)
    }

    /// A configuration with an SSL_GET that has both files.
    private var configuration: Configuration {
        let endpoint = Endpoint(.v4(IPv4Address(192, 0, 2, 1)), port: 443)
        var tls = HTTPProbe.TLS()
        (tls.verifies, tls.authorities) = (true, directory + "/current/ca")
        var probe = HTTPProbe(urls: [HTTPRequest(path: "/", host: "www")], tls: tls)
        probe.fastRecovery = true
        var service = VirtualServerConfiguration(identity: .address(.tcp, endpoint))
        var server = RealServerConfiguration(endpoint: endpoint)
        server.checkers = [CheckerConfiguration(probe: .http(probe), target: CheckTarget(endpoint: endpoint))]
        tls.authorities = directory + "/current/other"
        probe.tls = tls
        server.checkers.append(CheckerConfiguration(probe: .http(probe), target: CheckTarget(endpoint: endpoint)))
        service.realServers = [server]
        return Configuration(virtualServers: [service])
    }

    /// One SSL_GET with a certificate and its key, and one with another certificate.
    private var identities: Configuration {
        var configuration = configuration
        func identity(_ certificate: String, _ key: String?) -> CheckerConfiguration {
            var checker = configuration.virtualServers[0].realServers[0].checkers[0]
            var tls = HTTPProbe.TLS()
            tls.identity = HTTPProbe.ClientIdentity(
                certificate: directory + "/current/" + certificate, key: key.map { directory + "/current/" + $0 })
            checker.probe = .http(HTTPProbe(urls: [HTTPRequest(path: "/", host: "www")], tls: tls))
            return checker
        }
        let checkers = [identity("cert", "key"), identity("other", nil)]
        configuration.virtualServers[0].realServers[0].checkers = checkers
        return configuration
    }

    private func content(_ name: String) -> [UInt8]? {
        (try? files.content(of: directory + "/current/" + name)).map { Array($0.octets) }
    }

    private func wait(_ what: String, _ condition: () -> Bool) throws {
        let end = loop.refreshNow() + .seconds(20)
        while !condition() {
            guard loop.refreshNow() < end else {
                Issue.record("not in time: \(what)")
                return
            }
            try loop.turn(timeoutMilliseconds: 10)
        }
    }

    @Test func `links that are moved change all files together, and what cannot be used leaves the former`() throws {
        for version in ["/1", "/2", "/3"] {
            try FileSystem.makeDirectory(directory + version, mode: 0o755)
            try write(version + "/ca", pem("CA" + version))
            try write(version + "/other", version == "/3" ? Array("nothing\n".utf8) : pem("OTHER" + version))
        }
        #expect(symlink("1", directory + "/current") == 0)
        var isKnown = false
        let waiter = files.wait(for: [directory + "/current/ca", directory + "/current/other"]) { isKnown = true }
        #expect(waiter != nil && content("ca") == nil)
        try withExtendedLifetime(waiter) { try wait("both are read") { isKnown } }
        #expect(content("ca") == pem("CA/1") && content("other") == pem("OTHER/1"))
        let another = files.wait(for: [directory + "/current/ca"]) {}
        #expect(another == nil)

        func move(to version: String) {
            #expect(symlink(version, directory + "/new") == 0)
            #expect(rename(directory + "/new", directory + "/current") == 0)
            // As at a reload; otherwise within 10 s.
            files.adopt(configuration)
        }
        let held = try files.content(of: directory + "/current/ca")
        move(to: "2")
        try wait("both are new") { content("ca") == pem("CA/2") }
        #expect(content("other") == pem("OTHER/2"))
        // Who is using the former goes on with it.
        #expect(Array(held.octets) == pem("CA/1"))
        move(to: "3")
        try wait("the problem is told") { problems.last != nil }
        #expect(
            problems.last
                == TLSFileProblem(path: directory + "/current/other", reason: "it is no PEM file", hasFormer: true))
        #expect(content("ca") == pem("CA/3") && content("other") == pem("OTHER/2"))
        move(to: "1")
        try wait("the problem is over") { problems.last == nil }
        #expect(content("other") == pem("OTHER/1"))
        files.adopt(Configuration())
        #expect(content("ca") == nil)
    }

    @Test func `a file that keeps changing holds up its own key, and nobody else's renewal`() throws {
        try FileSystem.makeDirectory(directory + "/current", mode: 0o755)
        for name in ["cert", "key", "other"] { try write("/current/" + name, pem(name)) }
        files.adopt(identities)
        try wait("all are read") { ["cert", "key", "other"].allSatisfy { content($0) != nil } }
        for name in ["key", "other"] { try write("/current/" + name, pem("NEW " + name)) }
        files.adopt(identities)
        var (number, next) = (0, loop.refreshNow())
        try wait("the other one is new") {
            if loop.now >= next {
                number += 1
                next = loop.now + .milliseconds(200)
                try? write("/current/cert", pem("CERT \(number)"))
            }
            return content("other") == pem("NEW other")
        }
        #expect(content("key") == pem("key") && content("cert") == pem("cert"))
        try write("/current/cert", pem("LAST"))
        try wait("certificate and key are new") { content("cert") == pem("LAST") }
        #expect(content("key") == pem("NEW key"))
    }

    @Test func `authorities have a path that no other content has had`() throws {
        try FileSystem.makeDirectory(directory + "/current", mode: 0o755)
        var paths: Set<String> = []
        for number in 1...3 {
            for name in ["ca", "other"] { try write("/current/" + name, pem("\(name) \(number)")) }
            files.adopt(configuration)
            try wait("it is read") { content("ca") == pem("ca \(number)") }
            let path = try files.content(of: directory + "/current/ca").path()
            #expect(try FileSystem.contents(of: path, limit: 1000) == pem("ca \(number)"))
            #expect(try files.content(of: directory + "/current/ca").path() == path)
            paths.insert(path)
        }
        #expect(paths.count == 3)
    }

    @Test func `what cannot be read is a problem with its reason, and holds up nobody`() throws {
        try FileSystem.makeDirectory(directory + "/current", mode: 0o755)
        #expect(mkfifo(directory + "/current/ca", 0o600) == 0)
        files.adopt(configuration)
        try wait("the problem is told") { problems.last != nil }
        #expect(problems.last?.reason == "it is no regular file" && problems.last?.hasFormer == false)
        #expect(throws: ProbeObstacle.self) { try files.content(of: directory + "/current/other") }
    }
}
