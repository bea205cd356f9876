// What watches files and processes, with real ones.

import Configuration
import Glibc
import Net
import Platform
import Testing
import Tracking

@testable import VRRP
@testable import vrrpd

/// A loop, what a watcher has said, and a directory.
private final class Room {
    let loop: EventLoop
    let directory: String
    private(set) var reports: [Tracker: TrackerReport] = [:]
    /// Every standing that was said, in order.
    private(set) var history: [TrackerStanding] = []

    init() throws {
        loop = try EventLoop()
        var template = Array("/tmp/evenkeel-watch-XXXXXX".utf8CString)
        directory = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    deinit { _ = try? run(["/bin/rm", "-rf", directory]) }

    func hear(_ report: TrackerReport, of tracker: Tracker) {
        if reports[tracker]?.standing != report.standing { history.append(report.standing) }
        reports[tracker] = report
    }

    func eventually(_ what: String, within limit: Duration = .seconds(10), _ condition: () -> Bool) throws {
        let start = loop.refreshNow()
        while !condition() {
            try #require(loop.now - start < limit, "\(what): \(reports)")
            try loop.turn(timeoutMilliseconds: 5)
        }
    }

    func becomes(_ standing: TrackerStanding, _ tracker: Tracker) throws {
        try eventually("\(tracker) is \(standing)") { reports[tracker]?.standing == standing }
    }

    func write(_ text: String, to name: String = "load") throws {
        try FileSystem.replace(directory + "/" + name, with: Array(text.utf8), durable: false)
    }

    @discardableResult
    func run(_ arguments: [String]) throws -> ChildExit? {
        var ended: ChildExit?
        let child = try ChildProcess(arguments, environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"], on: loop) {
            ended = $0
        }
        let end = loop.refreshNow() + .seconds(10)
        while ended == nil, loop.now < end { try loop.turn(timeoutMilliseconds: 5) }
        withExtendedLifetime(child) {}
        return ended
    }

    func shell(_ line: String) throws {
        #expect(try run(["/bin/sh", "-c", "cd \(directory) && \(line)"]) == .exited(0))
    }
}

@Suite(.timeLimit(.minutes(1))) struct FileTrackerTests {
    private let load = Tracker.file("load")

    private func watch(_ room: Room, path: String? = nil, prepare: (inout TrackFileConfiguration) -> Void = { _ in })
        -> FileTrackers
    {
        let files = FileTrackers(on: room.loop) { room.hear($0, of: $1) }
        var block = TrackFileConfiguration(name: "load", path: path ?? room.directory + "/load")
        prepare(&block)
        files.watch([block])
        return files
    }

    @Test func `a file is read when it is made, written, replaced, truncated and deleted`() throws {
        let room = try Room()
        let files = watch(room)
        try room.becomes(.number(0), load)
        for (line, number) in [
            ("echo 3 > load", 3), ("echo 4 >> load; echo 7 > other; mv other load", 7), (": > load", 0),
            ("echo -5 > load", -5),
            ("rm load", 0), ("echo 9 > load", 9), ("mv load away", 0), ("ln away load; touch load", 9),
            ("truncate -s 0 load", 0),
        ] {
            try room.shell(line)
            try room.becomes(.number(number), load)
        }
        withExtendedLifetime(files) {}
    }

    @Test func `a number that is written in pieces is read when it is whole`() throws {
        let room = try Room()
        try room.write("1")
        let files = watch(room)
        try room.becomes(.number(1), load)
        try room.shell("{ printf 2; sleep 0.2; printf 5; sleep 0.2; printf 3; } >> load")
        try room.becomes(.number(1253), load)
        #expect(room.history == [.number(1), .number(1253)])
        withExtendedLifetime(files) {}
    }

    @Test func `a directory that comes late, goes and comes back is found`() throws {
        let room = try Room()
        let files = watch(room, path: room.directory + "/deep/load")
        try room.becomes(.number(0), load)
        #expect(room.reports[load]?.hindrance != nil)
        for number in [1, 2] {
            try room.shell("mkdir deep && echo \(number) > deep/load")
            try room.becomes(.number(number), load)
            try room.shell("rm -r deep")
            try room.becomes(.number(0), load)
        }
        withExtendedLifetime(files) {}
    }

    @Test func `a link is followed to where the file is`() throws {
        let room = try Room()
        try room.shell("mkdir real && echo 5 > real/value && ln -s real/value load")
        let files = watch(room)
        try room.becomes(.number(5), load)
        try room.shell("echo 6 > real/value")
        try room.becomes(.number(6), load)
        withExtendedLifetime(files) {}
    }

    @Test func `a pipe, a directory and a device are not read, and hold up nothing`() throws {
        let room = try Room()
        let files = watch(room)
        try room.becomes(.number(0), load)
        for make in ["mkfifo next", "mkdir next", "ln -s /dev/zero next"] {
            try room.shell("echo 4 > load")
            try room.becomes(.number(4), load)
            try room.shell("rm -rf next && \(make) && rm load && mv -T next load")
            try room.eventually("it is no file") { room.reports[load]?.words.contains("regular file") ?? false }
            #expect(room.reports[load]?.standing == .number(0))
            try room.shell("rm -rf load")
        }
        withExtendedLifetime(files) {}
    }

    @Test func `init_file makes a file that is missing, and with overwrite replaces it once`() throws {
        let room = try Room()
        var files: FileTrackers? = watch(room) { $0.initialValue = 6 }
        try room.becomes(.number(6), load)
        try room.shell("echo 1 > load")
        try room.becomes(.number(1), load)
        files = watch(room) { ($0.initialValue, $0.overwrites) = (8, true) }
        try room.becomes(.number(8), load)
        try room.shell("echo 2 > load")
        try room.becomes(.number(2), load)
        var block = TrackFileConfiguration(name: "load", path: room.directory + "/load")
        (block.initialValue, block.overwrites) = (8, true)
        files?.watch([block])
        try room.shell("echo 3 > load")
        try room.becomes(.number(3), load)
    }

    @Test func `what is not watched any more is not said`() throws {
        let room = try Room()
        let files = watch(room)
        try room.becomes(.number(0), load)
        files.watch([])
        try room.shell("echo 3 > load; sleep 0.1")
        #expect(room.reports[load]?.standing == .number(0))
    }
}

@Suite(.timeLimit(.minutes(1))) struct ProcessTrackerTests {
    private let tracker = Tracker.process("p")

    /// `sleep` under a name that no other test has.
    private func program(_ room: Room) throws -> String {
        let path = room.directory + "/ek-" + room.directory.suffix(6)
        try room.shell("cp /bin/sleep \(path)")
        return path
    }

    private func track(_ process: [String], quorum: Int = 1) -> TrackProcessConfiguration {
        var block = TrackProcessConfiguration(name: "p", process: process)
        block.quorum = quorum
        if process.count > 1 { block.parameters = .exact }
        return block
    }

    @Test(arguments: [false, true])
    func `a process that starts and ends is seen`(_ withArguments: Bool) throws {
        let room = try Room()
        let path = try program(room)
        let processes = ProcessTrackers(on: room.loop) { room.hear($0, of: $1) }
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        processes.watch([track(withArguments ? [path, "60"] : [name], quorum: 2)])
        try room.becomes(.failed, tracker)
        for _ in 0..<2 {
            var children = try (0..<2).map { _ in
                try ChildProcess([path, "60"], environment: [], on: room.loop) { _ in }
            }
            try room.becomes(.good, tracker)
            children[0].signal(SIGKILL)
            try room.becomes(.failed, tracker)
            children[1].signal(SIGKILL)
            try room.eventually("none is left") { room.reports[tracker]?.words == "0 processes" }
            children = []
        }
        withExtendedLifetime(processes) {}
    }

    /// Where the connector works it is what tells.
    @Test(.enabled(if: (try? ProcessEvents()) != nil))
    func `the kernel says at once that a process ended`() throws {
        let room = try Room()
        let path = try program(room)
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        let processes = ProcessTrackers(on: room.loop) { room.hear($0, of: $1) }
        processes.watch([track([name])])
        let child = try ChildProcess([path, "60"], environment: [], on: room.loop) { _ in }
        try room.becomes(.good, tracker)
        try room.eventually("the kernel tells") { room.reports[tracker]?.hindrance == nil }
        child.signal(SIGKILL)
        let start = room.loop.refreshNow()
        try room.becomes(.failed, tracker)
        #expect(room.loop.refreshNow() - start < .milliseconds(500))
        withExtendedLifetime(processes) {}
    }
}

@Suite(.timeLimit(.minutes(1))) struct UnitTrackerTests {
    private let tracker = Tracker.unit("u")

    private func watch(_ room: Room, restarts: Int? = nil) -> UnitTrackers {
        let units = UnitTrackers(on: room.loop, directory: room.directory + "/units") { room.hear($0, of: $1) }
        var block = TrackUnitConfiguration(name: "u", unit: "u.service")
        block.maximumRestarts = restarts
        units.watch([block])
        return units
    }

    /// As PID 1 does it: a link with another name, renamed.
    private func start(_ number: Int, in room: Room) throws {
        try room.shell("mkdir -p units && ln -s \(number) units/.new && mv -T units/.new units/invocation:u.service")
    }

    @Test func `a unit that is started and stopped is seen, also where systemd comes late`() throws {
        let room = try Room()
        let units = watch(room)
        try room.becomes(.failed, tracker)
        #expect(room.reports[tracker]?.hindrance != nil)
        try start(1, in: room)
        try room.becomes(.good, tracker)
        try room.eventually("no hindrance") { room.reports[tracker]?.hindrance == nil }
        try room.shell("rm units/invocation:u.service")
        try room.becomes(.failed, tracker)
        try room.shell("ln -s 2 units/invocation:u.service")
        try room.becomes(.good, tracker)
        try room.shell("rm -r units")
        try room.becomes(.failed, tracker)
        try start(3, in: room)
        try room.becomes(.good, tracker)
        withExtendedLifetime(units) {}
    }

    @Test func `one that is restarted too often has failed although it is active`() throws {
        let room = try Room()
        try start(0, in: room)
        let units = watch(room, restarts: 2)
        try room.becomes(.good, tracker)
        for number in 1...2 { try start(number, in: room) }
        try room.shell("sleep 0.1")
        #expect(room.reports[tracker]?.standing == .good)
        try start(3, in: room)
        try room.becomes(.failed, tracker)
        withExtendedLifetime(units) {}
    }
}
