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
}
