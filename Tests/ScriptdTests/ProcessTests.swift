// Programs as scriptd runs them: how they end, what is kept of what they print, who they are, and that nothing of them stays.

import Bus
import Glibc
import Net
import Platform
import Testing

@testable import scriptd

/// A program that was run, and what was heard of it.
final class Bench {
    let loop: EventLoop
    let directory: String
    private(set) var news: [String] = []
    private(set) var process: ScriptProcess?

    init() throws {
        loop = try EventLoop()
        var template = Array("/tmp/sd-XXXXXX".utf8CString)
        directory = String(cString: try #require(mkdtemp(&template)))
        chmod(directory, 0o755)
    }

    deinit {
        for name in names { unlink("\(directory)/\(name)") }
        rmdir(directory)
    }

    private var names: [String] = []

    /// Writes a shell script and gives its path.
    func script(_ text: String, _ name: String = "script", mode: UInt32 = 0o755) throws -> String {
        let path = "\(directory)/\(name)"
        try FileSystem.replace(path, with: Array("#!/bin/sh\n\(text)\n".utf8), durable: false)
        chmod(path, mode)
        names.append(name)
        return path
    }

    /// Starts a program.
    func start(
        _ arguments: [String], timeout: Duration? = nil, isSecure: Bool = false, user: String? = "root",
        environment: [String] = ["PATH=/usr/bin:/bin"]
    ) throws {
        let user = try ScriptUser(geteuid() == 0 ? user : nil, group: nil, isSecure: isSecure)
        let request = ScriptRequest(
            arguments: arguments, paths: [arguments[0]], environment: environment, user: user, isSecure: isSecure,
            timeout: timeout)
        process = try ScriptProcess(request, on: loop) { [weak self] in
            self?.news.append(Self.text($1))
        }
    }

    private static func text(_ news: ScriptProcess.News) -> String {
        switch news {
        case .timedOut: "timed out"
        case .ended(.exited(let status)): "exit \(status)"
        case .ended(.signalled(let signal)): "signal \(signal)"
        case .ended(.notStarted(let stage, let code, _)): "not started \(stage) \(code)"
        case .leftBehind: "left behind"
        case .gone: "gone"
        }
    }

    /// Runs the loop until `condition` holds; false when it does not within 10 s.
    @discardableResult
    func wait(_ condition: () -> Bool) throws -> Bool {
        let end = loop.refreshNow() + .seconds(10)
        while !condition() {
            guard loop.now < end else { return false }
            try loop.turn(timeoutMilliseconds: 5)
        }
        return true
    }

    /// Runs the loop until the program is over.
    func ended() throws -> [String] {
        #expect(try wait { news.contains("gone") })
        return news
    }

    /// Runs a script to its end and gives what was heard.
    func run(_ text: String, timeout: Duration? = nil) throws -> [String] {
        try start([try script(text)], timeout: timeout)
        return try ended()
    }

    var lastLine: String { process?.lastLine ?? "" }
}

/// True while a process is there and is no zombie.
private func isAlive(_ pid: Int32) -> Bool {
    guard let stat = try? FileSystem.contents(of: "/proc/\(pid)/stat", limit: 4096) else { return false }
    return String(decoding: stat, as: UTF8.self).split(separator: ")").last?.split(separator: " ").first != "Z"
}

private let isRoot = geteuid() == 0

@Suite(.timeLimit(.minutes(1))) struct ProcessTests {
    @Test(arguments: [0, 1, 7, 255]) func `the exit status comes out`(status: Int) throws {
        #expect(try Bench().run("exit \(status)") == ["exit \(status)", "gone"])
    }

    @Test func `a signal that ends it comes out`() throws {
        #expect(try Bench().run("kill -9 $$") == ["signal 9", "gone"])
    }

    @Test func `the last line is kept, of standard output and errors, however much there is`() throws {
        let bench = try Bench()
        #expect(
            try bench.run("head -c 8000000 /dev/zero | tr '\\0' x; echo; echo good >&2; echo; exit 3")[0] == "exit 3")
        #expect(bench.lastLine == "good")
    }

    @Test func `a line without an end, longer than what is kept, is shortened`() throws {
        let bench = try Bench()
        _ = try bench.run("printf 'a\\tb%01000d' 7")
        #expect(bench.lastLine.utf8.count == 256)
        #expect(bench.lastLine.hasPrefix("a b000"))
    }

    @Test func `out of time its whole group is ended, children too`() throws {
        let bench = try Bench()
        try bench.start([try bench.script("sleep 77 & echo $!; wait")], timeout: .milliseconds(500))
        #expect(try bench.wait { bench.news.count > 1 })
        #expect(bench.news == ["timed out", "signal 15"])
        let child = try #require(Int32(bench.lastLine))
        #expect(try bench.ended().last == "gone")
        #expect(!isAlive(child))
    }

    @Test(arguments: [3, 5]) func `time in which nothing ran is given back`(pausedSeconds: UInt32) throws {
        let bench = try Bench()
        let mark = bench.directory + "/mark"
        try bench.start(
            [try bench.script("while [ ! -e \(mark) ]; do sleep 0.01; done")], timeout: .seconds(2))
        let pid = try #require(bench.process?.pid)
        kill(pid, SIGSTOP)
        sleep(pausedSeconds)
        kill(pid, SIGCONT)
        try bench.loop.turn(timeoutMilliseconds: 5)
        #expect(bench.news == [])
        try FileSystem.replace(mark, with: [], durable: false)
        #expect(try bench.ended() == ["exit 0", "gone"])
        unlink(mark)
    }

    @Test func `time is given back once`() throws {
        let bench = try Bench()
        try bench.start([try bench.script("sleep 77")], timeout: .seconds(1))
        usleep(1_500_000)
        #expect(try bench.wait { !bench.news.isEmpty })
        #expect(bench.news.first == "timed out")
    }

    @Test func `one that ignores SIGTERM is killed two seconds later, and so are its children`() throws {
        let bench = try Bench()
        let text = "trap '' TERM; (trap '' TERM; sleep 77; sleep 77) & echo $!; sleep 78; sleep 78"
        try bench.start([try bench.script(text)], timeout: .milliseconds(300))
        let start = bench.loop.now
        #expect(try bench.wait { bench.news.count > 1 })
        #expect(bench.news.prefix(2) == ["timed out", "signal 9"])
        #expect(bench.loop.now - start >= .milliseconds(2300))
        let child = try #require(Int32(bench.lastLine))
        _ = try bench.ended()
        #expect(try bench.wait { !isAlive(child) })
    }

    @Test func `a child that outlives the script's SIGTERM is killed later`() throws {
        let bench = try Bench()
        try bench.start(
            [try bench.script("(trap '' TERM; while :; do sleep 1; done) & echo $!; wait")], timeout: .milliseconds(300)
        )
        _ = try bench.ended()
        let child = try #require(Int32(bench.lastLine))
        #expect(try bench.wait { !isAlive(child) })
    }

    @Test func `what it leaves behind when it ends by itself goes on, and may print`() throws {
        let bench = try Bench()
        try bench.start([try bench.script("(sleep 0.3; echo late; sleep 0.2; echo later; exec sleep 0.4) & echo $!")])
        #expect(try bench.wait { !bench.news.isEmpty })
        #expect(bench.news == ["exit 0", "left behind"])
        let child = try #require(Int32(bench.lastLine))
        try bench.wait { bench.loop.now > (bench.process?.began ?? .zero) + .milliseconds(700) }
        #expect(isAlive(child))
        #expect(try bench.ended() == ["exit 0", "left behind", "gone"])
        #expect(Int32(bench.lastLine) == child)
    }

    @Test func `it gets no descriptor, no blocked signal and no directory of ours`() throws {
        let bench = try Bench()
        let held = FileDescriptor(owning: open("/dev/null", O_RDONLY))
        let text = "echo $(ls /proc/self/fd | wc -l) $(pwd) $(umask) $(grep SigBlk /proc/self/status | cut -f2)"
        #expect(try bench.run(text)[0] == "exit 0")
        withExtendedLifetime(held.number) {}
        // ls has 0, 1, 2 and the directory.
        #expect(bench.lastLine == "4 / 0022 0000000000000000")
    }

    @Test func `what cannot be run is said with its cause`() throws {
        let bench = try Bench()
        try bench.start(["/nonexistent/script"])
        #expect(try bench.ended() == ["not started 2 \(ENOENT)", "gone"])
        let plain = try Bench()
        try plain.start([try plain.script("exit 0", mode: 0o644)])
        #expect(try plain.ended() == ["not started 2 \(EACCES)", "gone"])
        let folder = try Bench()
        try folder.start(["/etc"])
        #expect(try folder.ended() == ["not started 2 \(EACCES)", "gone"])
        let text = try Bench()
        try FileSystem.replace(text.script(""), with: Array("hello\n".utf8), durable: false)
        chmod(text.directory + "/script", 0o755)
        try text.start([text.directory + "/script"])
        #expect(try text.ended() == ["not started 2 \(ENOEXEC)", "gone"])
    }

    @Test(.enabled(if: isRoot)) func `it becomes its user, with that user's group alone`() throws {
        let bench = try Bench()
        try bench.start([try bench.script("echo $(id -un) $(id -G) $(cat /proc/self/oom_score_adj)")], user: "nobody")
        #expect(try bench.ended()[0] == "exit 0")
        #expect(bench.lastLine == "nobody \(Accounts.group("nogroup") ?? 0) 0")
    }

    /// Who can replace what, and whether it is found.
    @Test(
        .enabled(if: isRoot),
        arguments: ["file others", "file group", "file owner", "directory others", "directory owner", "link", "none"])
    func `as root nothing runs securely that others can replace`(what: String) throws {
        let bench = try Bench()
        let path = try bench.script("exit 0")
        var program = path
        switch what {
        case "file others": chmod(path, 0o757)
        case "file group":
            chown(path, 0, 1)
            chmod(path, 0o775)
        case "file owner": chown(path, 1, 0)
        case "directory others": chmod(bench.directory, 0o757)
        case "directory owner": chown(bench.directory, 1, 0)
        case "link":
            // Root's link in a safe place to a file that is not.
            chown(path, 1, 0)
            program = bench.directory + "/link"
            symlink("../\(bench.directory.split(separator: "/").last ?? "")/./script", program)
        default: break
        }
        defer { unlink(bench.directory + "/link") }
        try bench.start([program], isSecure: true)
        #expect(try bench.ended()[0] == (what == "none" ? "exit 0" : "not started 3 \(EACCES)"))
        let loose = try Bench()
        try loose.start([program])
        #expect(try loose.ended()[0] == "exit 0")
        #expect((loose.process?.culprit != nil) == (what != "none"))
    }

    /// Below root's directory stands one that is anybody's; what leads there is found whichever way it is written.
    @Test(
        .enabled(if: isRoot),
        arguments: [
            ("link", "insecure"), ("sub/../link", "insecure"), ("./sub/.././link", "insecure"),
            ("sub//..///absolute", "insecure"), ("sub/../../real/sub/../link", "insecure"), ("sub/up", "insecure"),
            ("folder/x", "insecure"), ("sub/../folder/../open/x", "insecure"),
            ("good", "runs"), ("sub/../good", "runs"), ("sub/down", "runs"), ("./sub//./../script", "runs"),
            ("loop", "not run"), ("script/", "not run"), ("sub/../none", "not run"), ("none/../script", "not run"),
            ("script/../script", "not run"),
        ])
    func `no way of writing a path leads round script security`(path: String, expected: String) throws {
        let bench = try Bench()
        let root = bench.directory
        defer { _ = try? Bench().run("rm -rf \(root)/real \(root)/open") }
        let setUp = """
            umask 022; cd \(root); mkdir -p real/sub open; chmod 777 open
            echo '#!/bin/sh' >open/x; chmod 755 open/x; cp -p open/x real/script
            ln -s ../open/x real/link; ln -s \(root)/open/x real/absolute; ln -s ../open real/folder
            ln -s .././sub/../../open/x real/sub/up; ln -s ../../real/./sub/../script real/sub/down
            ln -s script real/good; ln -s loop real/loop
            """
        #expect(try Bench().run(setUp)[0] == "exit 0")
        try bench.start(["\(root)/real/\(path)"], isSecure: true)
        let end = try bench.ended()[0]
        switch expected {
        case "runs": #expect(end == "exit 0")
        case "insecure": #expect(end == "not started 3 \(EACCES)")
        default: #expect(end.hasPrefix("not started 2 "))
        }
    }

    @Test func `an unknown user is a refusal, and so is root unasked with script security`() {
        #expect(throws: ScriptRefusal.self) { try ScriptUser("no-such-user", group: nil, isSecure: false) }
        #expect(throws: ScriptRefusal.self) { try ScriptUser("root", group: "no-such-group", isSecure: false) }
        if Accounts.user(ScriptUser.standard) == nil {
            #expect(throws: ScriptRefusal.self) { try ScriptUser(nil, group: nil, isSecure: true) }
        }
    }
}
