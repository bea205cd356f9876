// What every daemon starts from: its options, its state file, its log.
import Glibc
import Platform
import Testing

@Suite struct DaemonOptionsTests {
    private let program = ProgramDescription(name: "vrrpd", summary: "tests")

    @Test func `paths are whole, since others are told of the sockets and of the configuration`() {
        guard case .run(let options) = parse("--config", "e.conf", "--run-dir", "run", "--state-dir=/state") else {
            Issue.record("refused")
            return
        }
        let resolved = options.resolved(in: "/home/me")
        #expect(resolved.privateSocket(of: "vrrpd") == "/home/me/run/private/vrrpd.sock")
        #expect(resolved.stateDirectory == "/state")
        #expect(resolved.config == "/home/me/e.conf")
    }

    private func parse(_ arguments: String...) -> DaemonOptions.Outcome {
        DaemonOptions.parse(arguments, for: program, exists: { _ in false })
    }

    @Test(arguments: [
        ("/run/evenkeel", "evenkeel-scriptd"), ("/run/evenkeel@blue", "evenkeel-scriptd@blue"),
        ("/run/evenkeel@a/", "evenkeel-scriptd@a"), ("/tmp/evenkeel@blue", "evenkeel-scriptd"),
    ])
    func `the unit of another daemon is one of the same director`(_ directory: String, _ unit: String) {
        var options = DaemonOptions(config: "f")
        options.runDirectory = directory
        #expect(options.unit(of: "scriptd") == unit)
    }

    @Test func `both ways to give a value are taken`() {
        guard case .run(let options) = parse("--config", "a.conf", "--run-dir=/tmp/r", "--log-level", "debug") else {
            Issue.record("refused")
            return
        }
        #expect(options.config == "a.conf")
        #expect(options.busSocket == "/tmp/r/bus.sock")
        #expect(options.privateSocket(of: "vrrpd") == "/tmp/r/private/vrrpd.sock")
        #expect(options.logLevel == .debug)
        #expect(options.stateDirectory == "/var/lib/evenkeel")
    }

    @Test(arguments: [["--config"], ["--config="], ["--log-level", "loud"], ["-x"], ["file"]])
    func `what is not understood is refused with a way on`(_ arguments: [String]) {
        guard case .refuse(let text) = DaemonOptions.parse(arguments, for: program, exists: { _ in false }) else {
            Issue.record("accepted \(arguments)")
            return
        }
        #expect(text.contains("--help") || text.contains("use one of"))
    }

    @Test func `keepalived's file is read only when Evenkeel has none`() {
        #expect(DaemonOptions.defaultConfiguration { _ in false } == "/etc/evenkeel/evenkeel.conf")
        #expect(DaemonOptions.defaultConfiguration { _ in true } == "/etc/evenkeel/evenkeel.conf")
        #expect(
            DaemonOptions.defaultConfiguration { $0.contains("keepalived") } == "/etc/keepalived/keepalived.conf")
    }

    @Test func `help and version are answers`() {
        #expect(parse("--version") == .answer("vrrpd (Evenkeel) \(evenkeelVersion)\n"))
        guard case .answer(let help) = parse("--help") else {
            Issue.record("no help")
            return
        }
        #expect(help.contains("Example: vrrpd --config"))
    }
}

@Suite final class FileTests {
    private let directory: String

    init() throws {
        var template = Array("/tmp/ek-platform-XXXXXX".utf8CString)
        directory = String(cString: try #require(mkdtemp(&template)))
    }

    deinit {
        unlink(directory + "/state")
        unlink(directory + "/s.sock")
        rmdir(directory + "/a/b")
        rmdir(directory + "/a")
        rmdir(directory)
    }

    @Test func `a file is replaced whole`() throws {
        let path = directory + "/state"
        #expect(try FileSystem.ownContents(of: path, limit: 10) == nil)
        try FileSystem.replace(path, with: Array("one".utf8), durable: false)
        try FileSystem.replace(path, with: Array("two".utf8), durable: true)
        #expect(try FileSystem.ownContents(of: path, limit: 10) == Array("two".utf8))
        #expect(throws: Errno(ENOENT, "open")) {
            try FileSystem.replace(directory + "/none/x", with: [], durable: false)
        }
    }

    @Test func `whatever stands in the way of a socket is replaced, but a listener of ours`() throws {
        let path = directory + "/s.sock"
        symlink("/nonexistent", path)
        let first = try UnixSocket.listen(at: path, mode: 0o600)
        #expect(throws: Errno(EADDRINUSE, "bind")) { _ = try UnixSocket.listen(at: path, mode: 0o600) }
        // A link to a socket that somebody listens at is a link all the same.
        try #require(rename(path, path + ".live") == 0)
        symlink(path + ".live", path)
        let second = try UnixSocket.listen(at: path, mode: 0o600)
        _ = try UnixSocket.connect(to: path)
        #expect(try UnixSocket.accept(second.number) != nil)
        unlink(path + ".live")
        withExtendedLifetime(first.number) {}
        unlink(path)
        try FileSystem.replace(path, with: [], durable: false)
        _ = try UnixSocket.listen(at: path, mode: 0o600)
        unlink(path)
        try FileSystem.makeDirectory(path, mode: 0o755)
        #expect(throws: Errno(EISDIR, "bind")) { _ = try UnixSocket.listen(at: path, mode: 0o600) }
        rmdir(path)
    }

    /// Who waits for a daemon's socket may connect as soon as it is there.
    @Test func `a socket has its mode from the first moment`() throws {
        let watch = FileDescriptor(owning: inotify_init1(Int32(IN_NONBLOCK)))
        let watched = inotify_add_watch(watch.number, directory, UInt32(IN_CREATE | IN_ATTRIB))
        #expect(watched >= 0)
        let mask = umask(0o027)
        defer { umask(mask) }
        let path = directory + "/open.sock"
        let listener = try UnixSocket.listen(at: path, mode: 0o666)
        #expect(umask(0o027) == 0o027)
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode & 0o7777 == 0o666)
        var events = [UInt8](repeating: 0, count: 4096)
        let length = read(watch.number, &events, events.count)
        #expect(length == 16 + 16, "made, and not changed after that")
        withExtendedLifetime(listener.number) {}
    }

    @Test func `directories are made with their parents`() throws {
        try FileSystem.makeDirectory(directory + "/a/b", mode: 0o755)
        try FileSystem.makeDirectory(directory + "/a/b", mode: 0o755)
        #expect(access(directory + "/a/b", F_OK) == 0)
    }

    @Test func `a dead listener's socket is replaced, a live one's is not`() throws {
        let path = directory + "/s.sock"
        do {
            let first = try UnixSocket.listen(at: path, mode: 0o600)
            #expect(throws: Errno(EADDRINUSE, "bind")) { _ = try UnixSocket.listen(at: path, mode: 0o600) }
            let client = try UnixSocket.connect(to: path)
            guard let accepted = try UnixSocket.accept(first.number) else {
                Issue.record("no connection waits")
                return
            }
            let peer = try PeerCredentials(of: accepted.number)
            #expect(peer.uid == geteuid())
            #expect(peer.pid == getpid())
            #expect(client.number != accepted.number)
        }
        let second = try UnixSocket.listen(at: path, mode: 0o600)
        #expect(second.number >= 0)
    }
}
