// What stands around vrrpd must not stop it: a log reader that does not read, and what others put into its directory.

import Bus
import CLinux
import Glibc
import Net
import Platform
import Testing
import VRRP

@Suite(.serialized, .enabled(if: canMakeNetworks), .timeLimit(.minutes(2)))
struct SurroundingsTests {
    /// A vrrpd that is not started: something is put in its way first.
    private func waiting() throws -> (segment: Segment, wire: Wire, router: Router) {
        let segment = try Segment(hosts: 2)
        let (a, b) = (segment.hosts[0], segment.hosts[1])
        let wire = try Wire(on: b, loop: segment.loop)
        return (segment, wire, try Router(.vrrpd, on: a, of: segment, Dialect.version3.text(100, on: a, peer: b)))
    }

    private func advertises(_ segment: Segment, _ wire: Wire, _ router: Router, _ what: String) throws {
        let before = wire.heard.count
        do {
            try segment.eventually(what, within: .seconds(5)) { wire.heard.count > before + 5 }
        } catch {
            Issue.record("\(router.log)")
            throw error
        }
    }

    @Test func `nobody reads the log: the elections go on`() throws {
        let (segment, wire, router) = try waiting()
        let fifo = segment.directory + "/fifo"
        #expect(mkfifo(fifo, 0o600) == 0)
        let pipe = FileDescriptor(owning: try Errno.check(ek_open(fifo, O_RDWR | O_NONBLOCK, 0), "fifo"))
        let line = [UInt8](repeating: 0x2E, count: 4096)
        while line.withUnsafeBytes({ ek_write(pipe.number, $0.baseAddress, $0.count) }) > 0 {}
        try router.start(log: fifo)
        try advertises(segment, wire, router, "it is master")
        for number in UInt8(0)..<200 {
            try wire.send([0x45, 0xC0, 0, 20, 0, 0, 0, 0, 255, 112, 0, 0, 10, 77, 0, 2, 224, 0, 0, 18, number])
        }
        try advertises(segment, wire, router, "it goes on")
        #expect(try router.show().runtime.state == .master)
    }

    @Test func `links that others have put into its directory are not followed`() throws {
        let (segment, wire, router) = try waiting()
        let victim = segment.directory + "/victim"
        let content = Array("not yours".utf8)
        try FileSystem.replace(victim, with: content, durable: false)
        for name in ["vrrpd.heartbeat.new", "vrrpd.heartbeat"] {
            #expect(symlink(victim, "\(router.directory)/run/private/\(name)") == 0)
        }
        try router.start()
        try advertises(segment, wire, router, "it is master")
        router.signal(SIGHUP)
        try advertises(segment, wire, router, "it goes on")
        #expect(try FileSystem.contents(of: victim, limit: 1 << 16) == content)
    }

    @Test func `a dangling link in the place of its socket is no reason not to run`() throws {
        let (segment, wire, router) = try waiting()
        #expect(symlink("/nonexistent/socket", router.directory + "/run/private/vrrpd.sock") == 0)
        try router.start()
        try advertises(segment, wire, router, "it is master")
    }

    @Test func `what stands in the place of its socket is waited for, and the elections are not`() throws {
        let (segment, wire, router) = try waiting()
        let path = router.directory + "/run/private/vrrpd.sock"
        #expect(mkdir(path, 0o700) == 0)
        try router.start()
        try advertises(segment, wire, router, "it is master")
        #expect(rmdir(path) == 0)
        // The name of a socket is there before anybody listens.
        try segment.eventually("it answers", within: .seconds(20)) {
            (try? router.show())?.runtime.state == .master
        }
    }

    @Test func `a listener of another user in its place is no reason not to run`() throws {
        let (segment, wire, router) = try waiting()
        let run = router.directory + "/run/private"
        #expect(chmod(segment.directory, 0o755) == 0)
        #expect(chmod(run, 0o777) == 0)
        let program = try Program(
            [
                "/usr/bin/setpriv", "--reuid=65534", "--clear-groups", "/usr/bin/perl", "-MSocket", "-e",
                "socket(S, PF_UNIX, SOCK_STREAM, 0); bind(S, sockaddr_un($ARGV[0])) or die; listen(S, 1); sleep 60",
                run + "/vrrpd.sock",
            ], on: nil, log: segment.directory + "/listener", loop: segment.loop)
        try segment.eventually("it listens", within: .seconds(5)) { access(run + "/vrrpd.sock", F_OK) == 0 }
        try router.start()
        try advertises(segment, wire, router, "it is master")
        program.signal(SIGKILL)
    }

    // MARK: Its own directory

    private func heartbeat(of router: Router) -> String {
        let octets = (try? FileSystem.contents(of: router.directory + "/run/vrrpd/heartbeat", limit: 1 << 16)) ?? nil
        return String(decoding: octets ?? [], as: UTF8.self)
    }

    @Test func `a directory that others may write is not written to`() throws {
        let (segment, wire, router) = try waiting()
        let directory = router.directory + "/run/vrrpd"
        let victim = segment.directory + "/victim"
        let content = Array("not yours".utf8)
        try FileSystem.replace(victim, with: content, durable: false)
        try FileSystem.makeDirectory(directory, mode: 0o755)
        #expect(chmod(directory, 0o777) == 0)
        let names = ["heartbeat", "heartbeat.new", "lock"]
        for name in names { #expect(symlink(victim, "\(directory)/\(name)") == 0) }
        try router.start()
        try advertises(segment, wire, router, "it is master")
        let complaints = router.log.split(separator: "\n").filter { $0.contains(directory) }
        #expect(complaints.count == 1 && complaints[0].contains("Operation not permitted"), "\(router.log)")
        router.signal(SIGHUP)
        try segment.observe(for: .milliseconds(1500))
        try advertises(segment, wire, router, "it goes on")
        #expect(try FileSystem.contents(of: victim, limit: 1 << 16) == content)
        var status = stat()
        for name in names { #expect(lstat("\(directory)/\(name)", &status) == 0 && status.st_mode & S_IFMT == S_IFLNK) }
    }

    @Test func `notes that somebody takes away, or keeps from being begun, are begun again`() throws {
        let (segment, wire, router) = try waiting()
        let directory = router.directory + "/run/vrrpd"
        // Something is in the way of the first.
        try FileSystem.makeDirectory(directory + "/heartbeat.new/full", mode: 0o755)
        try router.start()
        try advertises(segment, wire, router, "it is master")
        try segment.eventually("it says so", within: .seconds(2)) { router.log.contains("heartbeat file") }
        #expect(heartbeat(of: router) == "")
        #expect(rmdir(directory + "/heartbeat.new/full") == 0 && rmdir(directory + "/heartbeat.new") == 0)
        func isNoted() -> Bool { heartbeat(of: router).contains(" 51/inet/eth0/") }
        try segment.eventually("it is begun", within: .seconds(2)) { isNoted() }
        #expect(unlink(directory + "/heartbeat") == 0)
        try segment.eventually("it is begun again", within: .seconds(2)) { isNoted() }
        // And it is what the next process goes on from.
        try router.crash()
        let heard = wire.heard.count
        try router.start()
        try advertises(segment, wire, router, "it goes on")
        #expect(wire.heard.dropFirst(heard).first?.priority == 100)
        #expect(try router.show().runtime.reason.contains("continues as master"), "\(router.log)")
    }

    @Test func `two of one namespace leave each other's addresses alone`() throws {
        let (segment, wire, router) = try waiting()
        try router.start()
        try advertises(segment, wire, router, "it is master")
        let (host, peer) = (segment.hosts[0], segment.hosts[1])
        let text = Dialect.version3.text(100, on: host, peer: peer, addresses: ["10.77.0.101/24"])
        let second = try Router(
            .vrrpd, on: host, of: segment, text.replacing("router_id 51", with: "router_id 52"), at: "second")
        try second.start()
        var seen: Set<[String]> = []
        try segment.eventually("both hold theirs", within: .seconds(5)) {
            seen.insert(try segment.holders(of: virtualAddress))
            return try segment.holders(of: "10.77.0.101") == ["a"]
        }
        try segment.observe(for: .seconds(1)) { seen.insert(try segment.holders(of: virtualAddress)) }
        #expect(seen == [["a"]])
        #expect(!router.log.contains("somebody else"), "\(router.log)")
        // Whichever goes takes its own.
        try second.end(SIGTERM)
        #expect(try segment.holders(of: "10.77.0.101") == [])
        #expect(try segment.holders(of: virtualAddress) == ["a"])
        try second.start()
        try segment.eventually("it holds its own", within: .seconds(5)) {
            try segment.holders(of: "10.77.0.101") == ["a"]
        }
        try router.end(SIGTERM)
        #expect(try segment.holders(of: "10.77.0.101") == ["a"])
        #expect(try segment.holders(of: virtualAddress) == [])
    }
}
