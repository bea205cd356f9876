// vrrpd's notes for the next process as files: what stands in their place is neither followed nor believed, notes that cannot be begun anew
// leave those before them right, and a file that is gone is begun again. And the directory that they are in.

import Glibc
import Net
import Platform
import Testing

@testable import VRRP
@testable import vrrpd

/// A directory of its own for one test.
private final class Scratch {
    let path: String

    init() throws {
        var template = Array("/tmp/ek-heartbeat-XXXXXX".utf8CString)
        path = String(cString: try #require(mkdtemp(&template)))
    }

    deinit {
        for name in ["/heartbeat.new/full", "/heartbeat.new", "/vrrpd"] { rmdir(path + name) }
        for name in ["/heartbeat", "/heartbeat.new", "/victim", "/earlier", "/vrrpd", "/vrrpd/lock"] {
            unlink(path + name)
        }
        rmdir(path + "/vrrpd")
        rmdir(path)
    }

    func write(_ name: String, _ text: String) throws {
        try FileSystem.replace(path + name, with: Array(text.utf8), durable: false)
    }

    func text(_ name: String) throws -> String? {
        try FileSystem.contents(of: path + name, limit: 1 << 20).map { String(decoding: $0, as: UTF8.self) }
    }

    /// What a process that starts now finds.
    func predecessors() throws -> [String: Predecessor] {
        try Heartbeat(in: .success(path)).predecessors(orAt: path + "/earlier")
    }
}

/// A router and what is noted of it at the beginning.
private func router(_ number: Int, _ note: MastershipNote = .nothing) -> (RouterID, identity: String, MastershipNote) {
    (RouterID(number: number), "\(number)/inet/eth0/224.0.0.18", note)
}

private func master(before silence: Duration) -> MastershipNote { .master(SystemClock.sinceBoot - silence) }

@Suite struct HeartbeatTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    @Test func `what is noted is what the next process finds`() throws {
        let heartbeat = Heartbeat(in: .success(scratch.path))
        let (first, second, third) = (router(51), router(52, .lingering), router(53))
        try heartbeat.begin([first, second, third])
        #expect(try scratch.predecessors() == [second.identity: Predecessor(silence: nil, marksAddresses: true)])
        try heartbeat.write([(third.0, master(before: .seconds(2)))])
        try heartbeat.write([(second.0, .nothing)])
        let found = try scratch.predecessors()
        #expect(found.keys.sorted() == [third.identity])
        let silence = try #require(found[third.identity]?.silence)
        #expect(silence >= .seconds(2) && silence < .seconds(60))
        let last = TrailerSequence(value: .max - 1)
        try heartbeat.write([(first.0, .master(SystemClock.sinceBoot, last))])
        #expect(try scratch.predecessors()[first.identity]?.sequence == last)
    }

    @Test func `links in its place are replaced, not followed`() throws {
        try scratch.write("/victim", "not yours")
        for name in ["/heartbeat", "/heartbeat.new"] { #expect(symlink("victim", scratch.path + name) == 0) }
        #expect(throws: Errno(ELOOP, "open")) { try scratch.predecessors() }
        let heartbeat = Heartbeat(in: .success(scratch.path))
        try heartbeat.begin([router(51)])
        try heartbeat.write([(RouterID(number: 51), master(before: .zero))])
        #expect(try scratch.text("/victim") == "not yours")
        #expect(try scratch.predecessors().count == 1)
        var status = stat()
        #expect(lstat(scratch.path + "/heartbeat", &status) == 0 && status.st_mode & S_IFMT == S_IFREG)
    }

    @Test func `a file that was made in advance is replaced, not written to`() throws {
        try scratch.write("/victim", "")
        #expect(link(scratch.path + "/victim", scratch.path + "/heartbeat.new") == 0)
        try Heartbeat(in: .success(scratch.path)).begin([router(51)])
        #expect(try scratch.text("/victim") == "")
    }

    @Test(.enabled(if: geteuid() == 0)) func `another user's file is not believed, and replaced`() throws {
        let boot = "boot \(SystemClock.bootID)\n00000000000000000002 51/inet/eth0/224.0.0.18\n"
        for name in ["/heartbeat", "/earlier"] {
            try scratch.write(name, boot)
            #expect(chown(scratch.path + name, 65_534, 65_534) == 0)
            #expect(throws: Errno(EPERM, "open")) { try scratch.predecessors() }
            unlink(scratch.path + "/heartbeat")
        }
        try scratch.write("/heartbeat", boot)
        #expect(chown(scratch.path + "/heartbeat", 65_534, 65_534) == 0)
        try Heartbeat(in: .success(scratch.path)).begin([router(51)])
        #expect(try scratch.predecessors().isEmpty)
        var status = stat()
        #expect(stat(scratch.path + "/heartbeat", &status) == 0 && status.st_uid == geteuid())
    }

    @Test func `a pipe in its place keeps nobody waiting`() throws {
        #expect(mkfifo(scratch.path + "/heartbeat", 0o600) == 0)
        #expect(throws: Errno(EINVAL, "open")) { try scratch.predecessors() }
        try Heartbeat(in: .success(scratch.path)).begin([router(51)])
        #expect(try scratch.predecessors().isEmpty)
    }

    @Test func `notes that cannot be begun anew leave the old ones in their places`() throws {
        let heartbeat = Heartbeat(in: .success(scratch.path))
        let (first, second, third) = (router(51), router(52), router(53))
        try heartbeat.begin([first, second])
        try FileSystem.makeDirectory(scratch.path + "/heartbeat.new/full", mode: 0o755)
        #expect(throws: Errno(EEXIST, "open")) { try heartbeat.begin([third, second, first]) }
        try heartbeat.write([(first.0, master(before: .zero))])
        // The file has no place for a router that is new.
        try heartbeat.write([(third.0, master(before: .zero))])
        #expect(try scratch.predecessors().keys.sorted() == [first.identity])
        rmdir(scratch.path + "/heartbeat.new/full")
        rmdir(scratch.path + "/heartbeat.new")
        try heartbeat.begin([third, second, first])
        try heartbeat.write([(third.0, master(before: .zero))])
        #expect(try scratch.predecessors().keys.sorted() == [third.identity])
    }

    @Test func `a file that somebody took away is an error, not a note to nobody`() throws {
        let heartbeat = Heartbeat(in: .success(scratch.path))
        try heartbeat.begin([router(51)])
        #expect(unlink(scratch.path + "/heartbeat") == 0)
        #expect(throws: Errno.self) { try heartbeat.write([(RouterID(number: 51), master(before: .zero))]) }
        try heartbeat.begin([router(51)])
        try heartbeat.write([(RouterID(number: 51), master(before: .zero))])
        #expect(try scratch.predecessors().count == 1)
    }

    @Test func `times of another boot or network, of the future, and what is no note are not believed`() throws {
        let boot = "boot \(SystemClock.bootID)\n"
        for text in [
            "", "boot \n00000000000000000002 a\n", "boot 4c2d\n00000000000000000002 a\n", boot, boot + "a\n",
            boot + " \n\n", boot + "-2 a\n", boot + "99999999999999999999999 a\n", boot + "0 a\n",
        ] {
            try scratch.write("/heartbeat", text)
            #expect(try scratch.predecessors().isEmpty, "\(text)")
        }
        let here = try NamespaceIdentity.current()
        for other in [
            NamespaceIdentity(inode: here.inode, boot: here.boot, cookie: here.cookie.map { $0 + 1 } ?? 1),
            NamespaceIdentity(inode: here.inode, boot: "4c2d", cookie: here.cookie),
        ] {
            try scratch.write("/heartbeat", "network \(other.text)\n00000000000000000002 a\n")
            #expect(try scratch.predecessors().isEmpty, "\(other)")
        }
        try scratch.write("/heartbeat", "network \(here.text)\n00000000000000000002 a\n")
        #expect(try scratch.predecessors().count == 1)
        try scratch.write("/heartbeat", boot + "09223372036854775807 a\n")
        #expect(try scratch.predecessors() == ["a": Predecessor(silence: nil, marksAddresses: true)])
    }

    @Test func `the file of 0·1·0 is believed where there is no other, and its addresses have no mark`() throws {
        let boot = "boot \(SystemClock.bootID)\n"
        try scratch.write("/earlier", boot + "00000000000000000002 a\n")
        #expect(try scratch.predecessors()["a"]?.marksAddresses == false)
        try scratch.write("/heartbeat", boot)
        #expect(try scratch.predecessors().isEmpty)
    }

    @Test func `without a directory nothing is noted and nothing is believed`() throws {
        let heartbeat = Heartbeat(in: .failure(Errno(EPERM, "fstat")))
        try scratch.write("/earlier", "boot \(SystemClock.bootID)\n00000000000000000002 a\n")
        #expect(throws: Errno(EPERM, "fstat")) { try heartbeat.begin([router(51)]) }
        #expect(try heartbeat.predecessors(orAt: scratch.path + "/earlier").isEmpty)
    }
}

@Suite struct RunDirectoryTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    private func open() throws -> String { try RunDirectory(in: scratch.path).path }

    @Test func `one process has it`() throws {
        let first = try RunDirectory(in: scratch.path)
        #expect(throws: Errno(EWOULDBLOCK, "flock")) { try open() }
        _ = consume first
        #expect(try open() == scratch.path + "/vrrpd")
    }

    @Test(arguments: [0o777, 0o775, 0o1777] as [mode_t])
    func `one that others may write is refused`(_ mode: mode_t) throws {
        #expect(mkdir(scratch.path + "/vrrpd", 0o755) == 0 && chmod(scratch.path + "/vrrpd", mode) == 0)
        #expect(throws: Errno(EPERM, "fstat")) { try open() }
        #expect(access(scratch.path + "/vrrpd/lock", F_OK) != 0)
    }

    @Test(.enabled(if: geteuid() == 0)) func `another user's is refused`() throws {
        #expect(mkdir(scratch.path + "/vrrpd", 0o755) == 0 && chown(scratch.path + "/vrrpd", 65_534, 65_534) == 0)
        #expect(throws: Errno(EPERM, "fstat")) { try open() }
    }

    @Test func `a link and a file are refused`() throws {
        #expect(mkdir(scratch.path + "/heartbeat.new", 0o755) == 0)
        #expect(symlink("heartbeat.new", scratch.path + "/vrrpd") == 0)
        #expect(throws: Errno(ENOTDIR, "open")) { try open() }
        unlink(scratch.path + "/vrrpd")
        try scratch.write("/vrrpd", "")
        #expect(throws: Errno(ENOTDIR, "open")) { try open() }
    }

    @Test func `a link in the place of the lock is refused`() throws {
        try scratch.write("/victim", "")
        #expect(mkdir(scratch.path + "/vrrpd", 0o755) == 0 && symlink("../victim", scratch.path + "/vrrpd/lock") == 0)
        #expect(throws: Errno(ELOOP, "open")) { try open() }
    }
}
