// FILE_CHECK: what a number in a file means for a server (keepalived's track_file.c), and files as checkd watches them.
import Configuration
import Glibc
import HealthCheck
import Net
import Platform
import Testing
import VRRP

@testable import checkd

@Suite struct FileCheckTests {
    @Test(
        arguments: [
            // Number, weight, reverse; what is added, nil: a failure.
            (5, 10, false, 50), (5, 10, true, -50), (-5, 10, false, -50), (0, 10, false, 0),
            (Int(Int32.max) + 1, 2_147_483_647, false, Int64(Int32.max)), (1, -2_147_483_647, false, -2_147_483_647),
            (2, -2_147_483_647, false, nil), (-2, 2_147_483_647, false, nil), (2, 2_147_483_647, true, nil),
            (Int(Int32.min), 1, false, nil), (Int(Int32.min), 1, true, Int64(Int32.max)),
            (0, 0, false, 0), (1, 0, false, nil), (-1, 0, false, nil), (0, 0, true, nil), (7, 0, true, 0),
        ] as [(Int, Int, Bool, Int64?)])
    func `the number is multiplied, or is the verdict`(_ number: Int, _ weight: Int, _ reverse: Bool, _ change: Int64?)
    {
        let tracked = TrackedObject("f", weight: weight, isReversed: reverse)
        let (outcome, moved) = tracked.check(TrackerReport(.number(number), "\(number)"))
        #expect(moved == .change(change ?? 0))
        #expect(outcome == (change == nil ? .failure(.tracked("the file says \(number)")) : .success))
    }

    @Test func `a check waits until the file was read, and one that follows it hears of every change`() throws {
        let loop = try EventLoop()
        var template = Array("/tmp/fc-XXXXXX".utf8CString)
        let directory = String(cString: try #require(mkdtemp(&template)))
        let path = directory + "/number"
        defer {
            unlink(path)
            rmdir(directory)
        }
        func write(_ text: String) throws { try FileSystem.replace(path, with: Array(text.utf8), durable: false) }
        func wait(_ condition: () -> Bool) throws {
            let end = loop.refreshNow() + .seconds(20)
            while !condition(), loop.now < end { try loop.turn(timeoutMilliseconds: 5) }
            #expect(condition())
        }
        try write("3")
        var block = TrackFileConfiguration(name: "f", path: path)
        block.initialValue = 9
        block.overwrites = true
        let tracked = TrackedObject("f", weight: 2)
        var server = RealServerConfiguration(endpoint: try #require(Endpoint("192.0.2.1:80")))
        server.checkers = [CheckerConfiguration(probe: .file(tracked), target: CheckTarget(endpoint: server.endpoint))]
        var service = VirtualServerConfiguration(identity: .address(.tcp, server.endpoint))
        service.realServers = [server]
        let things = TrackedThings(on: loop)
        let kind = FileCheck(tracked: tracked, things: things)
        var changes = 0
        let follower = kind.follow { changes += 1 }
        var weights: [ProbeWeight?] = []
        func ask() -> ProbeAttempt {
            let made = ProbeAttempt(timeout: .seconds(1), on: loop) { weights.append($0.weight) }
            made.start(kind, step: 0) {}
            return made
        }
        let first = ask()
        #expect(weights.isEmpty)
        things.adopt(Configuration(trackFiles: [block], virtualServers: [service]))
        try wait { weights.count == 1 }
        // The first value is not written over what is there: a checkd that is restarted is no start.
        #expect(weights == [.change(6)] && first.note == "3")
        #expect(changes == 1)
        try write("-4\n")
        try wait { changes == 2 }
        _ = ask()
        #expect(weights.last == .change(-8))
        unlink(path)
        try wait { changes == 3 }
        _ = ask()
        #expect(weights.last == .change(0))
        withExtendedLifetime(follower) {}
    }
}
