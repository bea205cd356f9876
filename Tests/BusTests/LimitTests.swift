// What one client can make busd hold or do, and that nothing that is accepted is lost.
import Bus
import Foundation
import Glibc
import JSON
import Net
import Platform
import Testing
import Varlink

@testable import busd

@Suite(.serialized, .timeLimit(.minutes(2))) struct LimitTests {
    private static let subscribe = #"{"method":"io.evenkeel.Bus.Subscribe","more":true"#
    private static let list = #"{"method":"io.evenkeel.Vrrp.List"}"#

    private func refusal(_ quota: String, _ limit: Int) -> String {
        #"{"error":"io.evenkeel.Bus.QuotaExceeded","parameters":{"quota":"\#(quota)","limit":\#(limit)}}"#
    }

    // MARK: Nothing is lost

    @Test(arguments: [false, true])
    func `every call that was sent before the end of the stream is answered`(_ privately: Bool) throws {
        let bus = try BusProgram()
        let loop = try EventLoop()
        let daemon = try TestService(bus, on: loop)
        let raw = try RawConnection(path: privately ? try bus.options().privateSocket(of: "vrrpd") : bus.socket)
        let call =
            #"{"method":"org.varlink.service.GetInterfaceDescription","parameters":{"interface":"io.evenkeel.Vrrp"}}"#
        let box = Box(raw)
        let replies = try withExtendedLifetime(daemon) {
            try loop.run { () -> Int in
                try box.value.send((0..<400).flatMap { _ in Array(call.utf8) + [0] })
                box.value.finish()
                usleep(500_000)
                var replies = 0
                while try box.value.message() != nil { replies += 1 }
                return replies
            }
        }
        #expect(replies == 400)
    }

    @Test func `oneway calls of a client that leaves at once are all done, in order`() throws {
        let bus = try BusProgram()
        let loop = try EventLoop()
        let daemon = try TestService(bus, on: loop)
        var calls: [UInt8] = []
        for number in 0..<100 {
            let name = "VI_\(number)"
            calls += #"{"method":"io.evenkeel.Vrrp.Show","parameters":{"name":"\#(name)"},"oneway":true}"#.utf8 + [0]
        }
        var raw: RawConnection? = try bus.rawConnection()
        try raw?.send(calls)
        #expect(raw != nil)
        raw = nil
        try loop.run(until: "all are done") { daemon.shown.count == 100 }
        #expect(daemon.shown == (0..<100).map { "VI_\($0)" })
    }

    @Test(arguments: [(1 << 20) - 70, (1 << 20) - 30, 1 << 20])
    func `the longest call passes with its caller`(_ octets: Int) throws {
        let bus = try BusProgram()
        let loop = try EventLoop()
        let daemon = try TestService(bus, on: loop)
        let call = Self.list.dropLast() + String(repeating: " ", count: octets - Self.list.utf8.count) + "}"
        let raw = Box(try bus.rawConnection())
        let reply = try withExtendedLifetime(daemon) {
            try loop.run { () -> String? in
                try raw.value.send(String(call))
                return try raw.value.message()
            }
        }
        #expect(reply?.contains(#""name":"VI_0""#) == true, "\(reply?.prefix(200) ?? "end")")
    }

    // MARK: What is held

    @Test func `connections that break the protocol leave no debt behind`() throws {
        let bus = try BusProgram()
        let honest = try bus.client()
        let garbage = Array("bad\0".utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: 65_000)
        for _ in 0..<6000 {
            let raw = try bus.rawConnection()
            do { try raw.send(garbage) } catch let error as Errno { #expect([EPIPE, ECONNRESET].contains(error.code)) }
        }
        #expect(try honest.call(BusAPI.GetStatistics()).statistics.queuedBytes < 1 << 16)
        let raw = try bus.rawConnection()
        for _ in 0..<2 {
            try raw.send(#"{"method":"org.varlink.service.GetInfo"}"#)
            #expect(try raw.message()?.contains("busd") == true)
        }
    }

    @Test func `a client that leaves behind a long message is forgotten`() throws {
        let bus = try BusProgram()
        let client = try bus.client()
        for _ in 0..<20 {
            let raw = try bus.rawConnection()
            let call = Array(#"{"method":"org.varlink.service.GetInfo"}"#.utf8) + [0]
            do { try raw.send(call + [UInt8](repeating: UInt8(ascii: "x"), count: 3 << 20)) } catch let error as Errno {
                #expect([EPIPE, ECONNRESET].contains(error.code))
            }
        }
        try eventually("they are forgotten") {
            try client.call(BusAPI.GetStatistics()).statistics.connections == 1
        }
    }

    @Test func `a client that is ended and does not read is closed after a while`() throws {
        let bus = try BusProgram()
        let subscriber = try bus.rawConnection()
        try subscriber.send(Self.subscribe + #","parameters":{"types":["io.example.*"]}}"#)
        #expect(try subscriber.message()?.contains("snapshotComplete") == true)
        let publisher = try bus.client()
        for number in 0..<500 {
            _ = try publisher.call(BusAPI.Publish(events: [EventTests.event("s", number, padding: 10_000)]))
        }
        #expect(try publisher.call(BusAPI.GetStatistics()).statistics.overruns == 1)
        #expect(try publisher.call(BusAPI.GetStatistics()).statistics.queuedBytes > 1 << 20)
        try eventually("its memory is free") {
            try publisher.call(BusAPI.GetStatistics()).statistics.queuedBytes == 0
        }
        withExtendedLifetime(subscriber) {}
    }

    @Test func `patterns are few and short`() throws {
        let bus = try BusProgram()
        let raw = try bus.rawConnection()
        func ask(_ types: [String], _ subjects: [String]) throws -> String? {
            let parameters: JSONObject = [
                "types": .array(types.map { .string($0) }), "subjects": .array(subjects.map { .string($0) }),
            ]
            try raw.send(Self.subscribe + ",\"parameters\":" + JSONValue.object(parameters).text() + "}")
            return try raw.message()
        }
        #expect(try ask((0..<32).map { "t\($0)" }, (0..<33).map { "s\($0)" }) == refusal("patterns", 64))
        #expect(try ask([String(repeating: "t", count: 4097)], []) == refusal("patternBytes", 4096))
        #expect(try ask((0..<32).map { "t\($0)" }, (0..<32).map { "s\($0)" })?.contains("snapshotComplete") == true)
        var held: [RawConnection] = []
        for _ in 0..<31 {
            let other = try bus.rawConnection()
            let types = (0..<64).map { "\"t\($0)*\"" }.joined(separator: ",")
            try other.send(Self.subscribe + ",\"parameters\":{\"types\":[\(types)]}}")
            #expect(try other.message()?.contains("snapshotComplete") == true)
            held.append(other)
        }
        let beyond = try bus.rawConnection()
        try beyond.send(Self.subscribe + #","parameters":{"types":["x"]}}"#)
        #expect(try beyond.message() == refusal("userPatterns", 2048))
        withExtendedLifetime(held) {}
    }

    @Test func `exact patterns and beginnings both match`() {
        let filter = EventFilter(BusAPI.Subscribe(types: ["io.a", "io.b.*"], subjects: ["x", "tcp/*"]))
        func matches(_ type: String, _ subject: String) -> Bool {
            filter.matches(EventKey(type: type, subject: subject))
        }
        #expect(matches("io.a", "x") && matches("io.b.c", "tcp/") && matches("io.b.", "tcp/1"))
        #expect(!matches("io.ab", "x") && !matches("io.b", "x") && !matches("io.a", "xy") && !matches("io.a", "tcp"))
        #expect(filter.patterns == 4)
        #expect(EventFilter(BusAPI.Subscribe()).matches(EventKey(type: "t", subject: "s")))
        #expect(!EventFilter(BusAPI.Subscribe(types: [])).matches(EventKey(type: "t", subject: "s")))
    }

    @Test func `kept octets have a limit, replacing stays possible, and memory comes back`() throws {
        let bus = try BusProgram()
        let client = try bus.client()
        var refused: BusAPI.QuotaExceeded?
        var kept = 0
        for number in 0..<200 where refused == nil {
            do throws(BusClientError) {
                _ = try client.call(BusAPI.Publish(events: [EventTests.event("s\(number)", padding: 1_000_000)]))
                kept += 1
            } catch {
                guard case .refused(let reply) = error else { throw error }
                refused = reply.failure(BusAPI.QuotaExceeded.self)
            }
        }
        #expect(refused == BusAPI.QuotaExceeded(quota: "keptBytes", limit: 128 << 20))
        #expect(kept > 100)
        _ = try client.call(BusAPI.Publish(events: [EventTests.event("s0", padding: 1_000_000)]))
        for number in 0..<kept {
            var removal = EventTests.event("s\(number)")
            removal.data = nil
            _ = try client.call(BusAPI.Publish(events: [removal]))
        }
        try eventually("the memory is given back") { try bus.residentOctets() < 32 << 20 }
    }

    // MARK: Daemons

    @Test func `many clients share few connections to a daemon, and idle ones are closed`() throws {
        let bus = try BusProgram()
        let loop = try EventLoop()
        let daemon = try TestService(bus, on: loop)
        let path = try bus.options().privateSocket(of: "vrrpd")
        @Sendable func connections() throws -> Int {
            let lines = try String(contentsOfFile: "/proc/net/unix", encoding: .utf8).split(separator: "\n")
            return lines.count { $0.hasSuffix(" " + path) && $0.split(separator: " ")[5] == "03" }
        }
        let clients = try Box((0..<300).map { _ in try bus.rawConnection() })
        let replies = try withExtendedLifetime(daemon) {
            try loop.run { () -> (Int, Int) in
                for client in clients.value { try client.send(Self.list) }
                var answered = 0
                for client in clients.value where try client.message()?.contains("VI_0") == true { answered += 1 }
                return (answered, try connections())
            }
        }
        #expect(replies.0 == 300)
        #expect(replies.1 <= 64)
        try loop.run(until: "idle connections are closed") { try connections() == 0 }
        let again = try withExtendedLifetime(daemon) {
            try loop.run { () -> Bool in
                try clients.value[7].send(Self.list)
                return try clients.value[7].message()?.contains("VI_0") == true
            }
        }
        #expect(again)
    }

    @Test func `what prepares a reload keeps its connection however many others wait for one`() throws {
        let bus = try BusProgram()
        let loop = try EventLoop()
        let daemon = try TestService(bus, on: loop)
        let reloading = Box([try bus.rawConnection()])
        try reloading.value[0].send(#"{"method":"io.evenkeel.Vrrp.PrepareReload"}"#)
        #expect(try loop.run { try reloading.value[0].message() != nil })
        let others = try (0..<70).map { _ in try bus.rawConnection() }
        for other in others {
            try other.send(#"{"method":"io.evenkeel.Vrrp.Show","parameters":{"name":"VI_wait"}}"#)
        }
        try loop.run(until: "they have all connections") { daemon.waiting.count >= 40 }
        let end = SystemClock.now + .seconds(1)
        while SystemClock.now < end { try loop.turn(timeoutMilliseconds: 5) }
        #expect(daemon.preparedEnded == 0)
        #expect(daemon.waiting.count < others.count, "some wait")
        withExtendedLifetime((others, reloading)) {}
    }

    @Test func `daemons get in however many others wait at the door`() throws {
        let bus = try BusProgram()
        kill(bus.pid, SIGSTOP)
        defer { kill(bus.pid, SIGCONT) }
        var waiting: [Int32] = []
        defer { for descriptor in waiting { close(descriptor) } }
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        while waiting.count < 3000, let next = try? UnixSocket.connect(to: bus.socket) {
            waiting.append(next.release())
        }
        #expect(throws: Errno.self) { _ = try UnixSocket.connect(to: bus.socket) }
        #expect(throws: Never.self) { _ = try UnixSocket.connect(to: bus.privateSocket) }
    }
}
