// The files of SSL_GETs, on a real loop and a real disk: what is read, when what is new counts, and what a file that cannot be used leaves.
import Configuration
import Glibc
import HealthCheck
import Net
import Platform
import Testing

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

    @Test func `what cannot be read is a problem with its reason, and holds up nobody`() throws {
        try FileSystem.makeDirectory(directory + "/current", mode: 0o755)
        #expect(mkfifo(directory + "/current/ca", 0o600) == 0)
        files.adopt(configuration)
        try wait("the problem is told") { problems.last != nil }
        #expect(problems.last?.reason == "it is no regular file" && problems.last?.hasFormer == false)
        #expect(throws: ProbeObstacle.self) { try files.content(of: directory + "/current/other") }
    }
}
