// Calls through the real busd to a daemon, and what clients that misbehave get.
import Bus
import Foundation
import Glibc
import JSON
import Net
import Platform
import Testing
import Varlink

@Suite(.timeLimit(.minutes(1))) struct RoutingTests {
    @Test func `a call reaches the daemon with its caller and the reply comes back`() throws {
        let bus = try BusProgram()
        let loop = try EventLoop()
        let daemon = try TestService(bus, on: loop)
        let socket = bus.socket
        let reply = try loop.run { try BusClient(path: socket).call(VrrpAPI.Show(name: "VI_1")) }
        #expect(reply.instance.name == "VI_1")
        #expect(daemon.lastCaller?.uid == Int(geteuid()))
        #expect(daemon.lastCaller?.pid == Int(getpid()))
    }

    @Test func `an error of the daemon reaches the client as it is`() throws {
        let bus = try BusProgram()
        let loop = try EventLoop()
        let daemon = try TestService(bus, on: loop)
        let socket = bus.socket
        let failure = try withExtendedLifetime(daemon) {
            try loop.run { () -> VrrpAPI.InstanceNotFound? in
                do throws(BusClientError) {
                    _ = try BusClient(path: socket).call(VrrpAPI.Show(name: "nope"))
                    return nil
                } catch {
                    guard case .refused(let reply) = error else { return nil }
                    return reply.failure(VrrpAPI.InstanceNotFound.self)
                }
            }
        }
        #expect(failure == VrrpAPI.InstanceNotFound(name: "nope"))
    }

    @Test func `a call that changes something is in the journal with who made it, and so is that it was refused`()
        throws
    {
        let bus = try BusProgram(logLevel: "notice")
        let loop = try EventLoop()
        let daemon = try TestService(bus, on: loop)
        let raw = try bus.rawConnection()
        let box = Box(raw)
        try withExtendedLifetime(daemon) {
            for call in [
                #"{"method":"io.evenkeel.Vrrp.Resume","parameters":{"name":"VI_1"}}"#,
                #"{"method":"io.evenkeel.Vrrp.Show","parameters":{"name":"nope"}}"#,
                #"{"method":"io.evenkeel.Vrrp.PrepareReload"}"#,
                #"{"method":"io.evenkeel.Vrrp.PrepareReload","oneway":true}"#,
                #"{"method":"io.evenkeel.Vrrp.Show","parameters":{"name":"VI_1"}}"#,
            ] {
                try raw.send(Array(call.utf8) + [0])
                guard !call.contains("oneway") else { continue }
                _ = try loop.run { try box.value.message() }
            }
        }
        let by = "called by uid \(geteuid()), pid \(getpid())"
        func lines() -> [String] {
            bus.log.split(separator: "\n").filter { $0.contains(" called by ") }.map { line in
                String(line[(line.firstRange(of: "io.evenkeel.Vrrp.")?.upperBound ?? line.startIndex)...])
            }
        }
        try eventually("all of it is in the journal") { lines().count >= 5 }
        let refused = "PrepareReload \(by): refused, io.evenkeel.Vrrp.ConfigurationRefused"
        #expect(
            lines().sorted()
                == ["PrepareReload \(by)", "PrepareReload \(by)", refused, refused, "Resume \(by)"].sorted(),
            "\(bus.log)")
    }

    @Test func `pipelined calls to several interfaces are answered in order`() throws {
        let bus = try BusProgram()
        let loop = try EventLoop()
        let daemon = try TestService(bus, on: loop)
        let raw = try bus.rawConnection()
        let replies = try withExtendedLifetime(daemon) {
            let calls = [
                #"{"method":"io.evenkeel.Vrrp.Show","parameters":{"name":"VI_A"}}"#,
                #"{"method":"org.varlink.service.GetInfo","more":false}"#,
                #"{"method":"io.evenkeel.Vrrp.Show","parameters":{"name":"VI_B"},"oneway":true}"#,
                #"{"method":"org.example.None.Do"}"#,
                #"{"method":"io.evenkeel.Vrrp.Show","parameters":{"name":"VI_C"}}"#,
            ]
            try raw.send(calls.reduce(into: []) { $0 += Array($1.utf8) + [0] })
            let box = Box(raw)
            return try loop.run { try (0..<4).map { _ in try box.value.message() ?? "end" } }
        }
        #expect(replies[0].contains(#""name":"VI_A""#))
        #expect(replies[1].contains(#""product":"busd""#))
        #expect(replies[2].contains("org.varlink.service.InterfaceNotFound"))
        #expect(replies[3].contains(#""name":"VI_C""#))
    }

    @Test func `a list longer than a message comes in several replies`() throws {
        let bus = try BusProgram()
        let loop = try EventLoop()
        let daemon = try TestService(bus, on: loop, instances: 3000)
        let socket = bus.socket
        let (names, replies, refusal) = try withExtendedLifetime(daemon) {
            try loop.run { () -> ([String], Int, String?) in
                var names: [String] = []
                var replies = 0
                try BusClient(path: socket).stream(VrrpAPI.List()) { reply in
                    names += reply.instances.map(\.name)
                    replies += 1
                    return true
                }
                var refusal: String?
                do throws(BusClientError) { _ = try BusClient(path: socket).call(VrrpAPI.List()) } catch {
                    if case .refused(let reply) = error { refusal = reply.error }
                }
                return (names, replies, refusal)
            }
        }
        #expect(names == (0..<3000).map { "VI_\($0)" })
        #expect(replies > 1)
        #expect(refusal == "io.evenkeel.Vrrp.TooLarge")
    }

    @Test func `a long list that fits a message comes in one reply to who asks for one`() throws {
        let bus = try BusProgram()
        let loop = try EventLoop()
        let daemon = try TestService(bus, on: loop, instances: 700)
        let socket = bus.socket
        let names = try withExtendedLifetime(daemon) {
            try loop.run { try BusClient(path: socket).call(VrrpAPI.List()).instances.map(\.name) }
        }
        #expect(names == (0..<700).map { "VI_\($0)" })
    }

    @Test func `a daemon that goes away during a call is an error, not silence`() throws {
        let bus = try BusProgram()
        let loop = try EventLoop()
        var daemon: TestService? = try TestService(bus, on: loop)
        let raw = try bus.rawConnection()
        try raw.send(#"{"method":"io.evenkeel.Vrrp.Failover","parameters":{"name":"VI_1"}}"#)
        try loop.run(until: "the daemon has the call") { daemon?.kept.count == 1 }
        // The service goes first, so that letting go of the call finds nobody to answer.
        let kept = daemon?.kept
        daemon = nil
        #expect(try raw.message()?.contains("io.evenkeel.Bus.ServiceUnavailable") == true)
        withExtendedLifetime(kept) {}
        try eventually("the interface is gone") { try bus.client().call(BusAPI.ListServices()).services.isEmpty }
        try raw.send(#"{"method":"io.evenkeel.Vrrp.List"}"#)
        #expect(try raw.message()?.contains("org.varlink.service.InterfaceNotFound") == true)
    }

    @Test func `a client may not say who the caller is`() throws {
        let bus = try BusProgram()
        let raw = try bus.rawConnection()
        for method in ["io.evenkeel.Vrrp.List", "org.varlink.service.GetInfo"] {
            try raw.send(#"{"method":"\#(method)","io.evenkeel.caller":{"uid":0,"gid":0,"pid":1}}"#)
            #expect(
                try raw.message()
                    == #"{"error":"org.varlink.service.InvalidParameter","parameters":{"parameter":"io.evenkeel.caller"}}"#
            )
            try raw.send(#"{"method":"\#(method)","\u0069o.evenkeel.caller":{"uid":0,"gid":0,"pid":1}}"#)
            #expect(try raw.message()?.contains("InvalidParameter") == true)
        }
    }

    @Test(arguments: [
        "{", "[]", "{}", "\u{1}", #"{"method":1}"#, #"{"method":"a.B","method":"a.C"}"#, #"{"method":"a.B","x":1}"#,
        #"{"method":"a.B","more":true,"oneway":true}"#, "{\"method\":\"a.B\",\"parameters\":{\"x\":NaN}}",
        #"{"method":"a.B","parameters":"# + String(repeating: #"{"a":"#, count: 1000),
    ])
    func `a message that is no call ends its connection and no other`(_ text: String) throws {
        let bus = try BusProgram()
        let other = try bus.rawConnection()
        let raw = try bus.rawConnection()
        try raw.send(text)
        #expect(try raw.message() == nil)
        try other.send(#"{"method":"org.varlink.service.GetInfo"}"#)
        #expect(try other.message()?.contains("busd") == true)
    }

    @Test func `octets that are not UTF-8, and a message without end, end their connection`() throws {
        let bus = try BusProgram()
        let raw = try bus.rawConnection()
        try raw.send(Array(#"{"method":"a.B","parameters":{"x":""#.utf8) + [0xFF] + Array("\"}}\0".utf8))
        #expect(try raw.message() == nil)
        let endless = try bus.rawConnection()
        do { try endless.send([UInt8](repeating: UInt8(ascii: "a"), count: 4 << 20)) } catch let error as Errno {
            #expect(error.code == EPIPE || error.code == ECONNRESET)
        }
        #expect(
            try endless.message()
                == #"{"error":"io.evenkeel.Bus.QuotaExceeded","parameters":{"quota":"messageBytes","limit":1048576}}"#)
        #expect(try endless.message() == nil)
        #expect(try bus.client().call(BusAPI.GetStatistics()).statistics.connections >= 1)
    }

    @Test func `a client that has shut down its side still gets its replies`() throws {
        let bus = try BusProgram()
        let raw = try bus.rawConnection()
        try raw.send(#"{"method":"org.varlink.service.GetInfo"}"#)
        try raw.send(#"{"method":"io.evenkeel.Bus.GetStatistics"}"#)
        raw.finish()
        #expect(try raw.message()?.contains("busd") == true)
        #expect(try raw.message()?.contains("statistics") == true)
        #expect(try raw.message() == nil)
    }

    @Test func `a client that does not read its replies is not read from, and loses none`() throws {
        let bus = try BusProgram()
        let raw = try bus.rawConnection()
        let calls = 20_000
        let call = Array(#"{"method":"io.evenkeel.Bus.GetStatistics"}"#.utf8) + [0]
        let box = Box(raw)
        let sender = Thread {
            do { for _ in 0..<calls { try box.value.send(call) } } catch { Issue.record(error) }
        }
        sender.start()
        var queued = 0
        let client = try bus.client()
        for _ in 0..<50 {
            queued = max(queued, try client.call(BusAPI.GetStatistics()).statistics.queuedBytes)
            usleep(1000)
        }
        #expect(queued < 2 << 20)
        for _ in 0..<calls { #expect(try raw.message() != nil) }
    }

    @Test func `SIGTERM ends busd cleanly`() throws {
        let bus = try BusProgram()
        let raw = try bus.rawConnection()
        #expect(bus.kill(SIGTERM) == 0)
        #expect(try raw.message() == nil)
        #expect(access(bus.socket, F_OK) != 0)
    }

    @Test func `the private socket serves without busd in between`() throws {
        let bus = try BusProgram()
        let loop = try EventLoop()
        let daemon = try TestService(bus, on: loop)
        let path = try bus.options().privateSocket(of: "vrrpd")
        let reply = try withExtendedLifetime(daemon) {
            try loop.run { try BusClient(path: path).call(VrrpAPI.Show(name: "VI_9")) }
        }
        #expect(reply.instance.name == "VI_9")
    }
}

/// Carries a value to another thread while this one leaves it alone.
struct Box<Value>: @unchecked Sendable {  // The tests hand it over and wait.
    let value: Value

    init(_ value: Value) {
        self.value = value
    }
}
