// Publish and Subscribe through the real busd: snapshot, order, overrun, and what survives the end of busd.
import Bus
import Foundation
import Glibc
import JSON
import Net
import Platform
import Testing
import Varlink

@Suite(.timeLimit(.minutes(1))) struct EventTests {
    static func event(_ subject: String, _ number: Int = 0, padding: Int = 0, source: String = "/test") -> BusAPI.Event
    {
        BusAPI.Event(
            specversion: "1.0", id: "\(number)", source: source, type: "io.example.test", subject: subject,
            time: "2026-11-21T15:00:00Z",
            data: ["number": .int(Int64(number)), "padding": .string(String(repeating: "x", count: padding))])
    }

    /// Reads a subscription until `count` events have come after the snapshot.
    static func follow(_ client: BusClient, _ request: BusAPI.Subscribe, count: Int) throws -> [BusAPI.Subscribe.Reply]
    {
        var replies: [BusAPI.Subscribe.Reply] = []
        var afterSnapshot = -1
        try client.stream(request, timeout: .seconds(10)) { reply in
            replies.append(reply)
            if afterSnapshot >= 0 || reply.snapshotComplete == true { afterSnapshot += 1 }
            return afterSnapshot < count
        }
        return replies
    }

    @Test func `a subscriber gets the latest of each subject, the mark, then changes in order`() throws {
        let bus = try BusProgram()
        let publisher = try bus.client()
        _ = try publisher.call(BusAPI.Publish(events: [Self.event("a", 1), Self.event("b", 2), Self.event("a", 3)]))
        let subscriber = try bus.client()
        let box = Box(publisher)
        let sender = Thread {
            do {
                try eventually("the subscription runs") {
                    try box.value.call(BusAPI.GetStatistics()).statistics.subscriptions == 1
                }
                for number in 4..<8 { _ = try box.value.call(BusAPI.Publish(events: [Self.event("c", number)])) }
            } catch { Issue.record(error) }
        }
        sender.start()
        let replies = try Self.follow(subscriber, BusAPI.Subscribe(types: ["io.example.*"]), count: 4)
        #expect(replies.map { $0.event?.data?["number"]?.int } == [2, 3, nil, 4, 5, 6, 7])
        #expect(replies[2].snapshotComplete == true)
        let places = replies.compactMap { $0.event?.seq }
        #expect(places == Array((places[0]...).prefix(6)))
        #expect(replies[2].seq == places[1])
    }

    @Test func `a subscription can be narrowed by type and subject and begin without the snapshot`() throws {
        let bus = try BusProgram()
        let client = try bus.client()
        _ = try client.call(BusAPI.Publish(events: [Self.event("tcp/1"), Self.event("tcp/2"), Self.event("udp/1")]))
        func subjects(_ request: BusAPI.Subscribe) throws -> [String] {
            try Self.follow(try bus.client(), request, count: 0).compactMap { $0.event?.subject }
        }
        #expect(try subjects(.init(types: ["io.example.test"], subjects: ["tcp/*"])) == ["tcp/1", "tcp/2"])
        #expect(try subjects(.init(subjects: ["udp/1", "x"])) == ["udp/1"])
        #expect(try subjects(.init(types: ["io.example"])) == [])
        #expect(try subjects(.init(retained: false)) == [])
    }

    @Test func `an event without data removes its subject and is told to subscribers`() throws {
        let bus = try BusProgram()
        let client = try bus.client()
        var removal = Self.event("a")
        removal.data = nil
        _ = try client.call(BusAPI.Publish(events: [Self.event("a"), Self.event("b"), removal]))
        let replies = try Self.follow(try bus.client(), .init(types: ["io.example.test"]), count: 0)
        #expect(replies.compactMap { $0.event?.subject } == ["b"])
    }

    @Test(arguments: [
        (#"{}"#, "events"), (#"{"events":{}}"#, "events"), (#"{"events":[1]}"#, "events[0]"),
        (#"{"events":[{"type":"io.x"}]}"#, "events[0].subject"),
        (#"{"events":[{"type":"x","subject":"s"}]}"#, "events[0].type"),
        (#"{"events":[{"type":"io.x","subject":"","source":"/s"}]}"#, "events[0].subject"),
        (#"{"events":[{"type":"io.x","subject":"\u001b[2J","source":"/s"}]}"#, "events[0].subject"),
        (#"{"events":[{"type":"io.x","subject":"s","source":""}]}"#, "events[0].source"),
        (#"{"events":[{"id":1}]}"#, "events[0].id"), (#"{"events":[{"id":""}]}"#, "events[0].id"),
        (#"{"events":[{"specversion":"9"}]}"#, "events[0].specversion"),
        (#"{"events":[{"time":"yesterday"}]}"#, "events[0].time"),
        (#"{"events":[{"seq":1}]}"#, "events[0].seq"),
        (#"{"events":[{"type":"io.x","subject":"","source":"","data":[]}]}"#, "events[0].data"),
        (#"{"events":[],"typo":1}"#, "typo"),
    ])
    func `an event that is not one is refused with its place`(_ parameters: String, _ parameter: String) throws {
        let bus = try BusProgram()
        let raw = try bus.rawConnection()
        try raw.send(#"{"method":"io.evenkeel.Bus.Publish","parameters":\#(parameters)}"#)
        let expected = #"{"error":"org.varlink.service.InvalidParameter","parameters":{"parameter":"\#(parameter)"}}"#
        #expect(try raw.message() == expected)
        #expect(try bus.client().call(BusAPI.GetStatistics()).statistics.published == 0)
    }

    @Test func `a slow subscriber gets what was queued, then Overrun, then the end; the publisher is not slowed`()
        throws
    {
        let bus = try BusProgram()
        let subscriber = try bus.rawConnection()
        try subscriber.send(
            #"{"method":"io.evenkeel.Bus.Subscribe","more":true,"parameters":{"types":["io.example.*"]}}"#)
        #expect(try subscriber.message()?.contains("snapshotComplete") == true)
        let publisher = try bus.client()
        var last = 0
        for number in 0..<1000 {
            last = try publisher.call(BusAPI.Publish(events: [Self.event("s", number, padding: 10_000)])).seq
        }
        var received: [Int] = []
        var end: String?
        while let message = try subscriber.message() {
            #expect(end == nil, "nothing comes after the error")
            let reply = try VarlinkReply(parsing: Array(message.utf8)[...])
            if reply.error != nil {
                end = reply.error
            } else {
                received.append(Int(reply.parameters["event"]?["seq"]?.int ?? 0))
            }
        }
        #expect(end == "io.evenkeel.Bus.Overrun")
        #expect(received.count > 100)
        #expect(received == Array((received[0]...).prefix(received.count)), "no gap before the error")
        #expect(try #require(received.last) < last)
        #expect(try publisher.call(BusAPI.GetStatistics()).statistics.overruns == 1)
    }

    @Test func `a snapshot larger than the subscriber's budget arrives whole`() throws {
        let bus = try BusProgram()
        let publisher = try bus.client()
        for part in 0..<100 {
            let events = (0..<10).map { Self.event("s\(part)-\($0)", padding: 10_000) }
            _ = try publisher.call(BusAPI.Publish(events: events))
        }
        let subscriber = try bus.client()
        let replies = try Self.follow(subscriber, .init(types: ["io.example.*"]), count: 0)
        #expect(Set(replies.compactMap { $0.event?.subject }).count == 1000)
    }

    @Test func `what a daemon publishes is there again after busd is killed and started`() throws {
        let bus = try BusProgram()
        let loop = try EventLoop()
        let daemon = try TestService(bus, on: loop)
        var states: [String: Int] = [:]
        var snapshots = 0
        var losses = 0
        let subscription = daemon.service.subscribe(types: [EventType.vrrpInstance]) { update in
            switch update {
            case .event(let event):
                let instance = try? event.data?.decode(VrrpAPI.Instance.self)
                states[event.subject] = instance?.runtime.effectivePriority
            case .snapshotComplete: snapshots += 1
            case .lost:
                losses += 1
                states = [:]
            }
        }
        daemon.publish("VI_1", 101)
        daemon.publish("VI_2", 102)
        try loop.run(until: "both are heard") { states == ["VI_1": 101, "VI_2": 102] }
        bus.kill(SIGKILL)
        try loop.run(until: "the loss is heard") { losses == 1 }
        daemon.publish("VI_2", 202)
        daemon.remove("VI_1")
        try bus.start()
        try loop.run(until: "the state is heard again") { states == ["VI_2": 202] && snapshots >= 2 }
        try loop.run(until: "calls are routed again") {
            try bus.client().call(BusAPI.ListServices()).services.map(\.name) == ["vrrpd"]
        }
        withExtendedLifetime(subscription) {}
    }

    @Test func `a change answers with the place of its event, and without one when the bus is away`() throws {
        let bus = try BusProgram()
        let loop = try EventLoop()
        let daemon = try TestService(bus, on: loop)
        let socket = bus.socket
        let path = try bus.options().privateSocket(of: "vrrpd")
        let seq = try loop.run { try BusClient(path: socket).call(VrrpAPI.Resume(name: "VI_1")).seq }
        #expect(try bus.client().call(BusAPI.GetStatistics()).statistics.seq == seq)
        bus.kill(SIGKILL)
        try loop.turn(timeoutMilliseconds: 100)
        let none = try loop.run { try BusClient(path: path).call(VrrpAPI.Resume(name: "VI_1")).seq }
        #expect(none == nil)
        daemon.service.events.changed(
            EventType.vrrpInstance,
            subject: { () -> String in
                Issue.record("the name is asked for though nobody hears it")
                return "VI_1"
            }())
        withExtendedLifetime(daemon) {}
    }

    @Test func `what a daemon's earlier life said and the new one does not is forgotten`() throws {
        let bus = try BusProgram()
        let loop = try EventLoop()
        var daemon: TestService? = try TestService(bus, on: loop)
        daemon?.publish("VI_old")
        daemon?.publish("VI_1")
        func kept() throws -> [String] {
            try Self.follow(try bus.client(), .init(types: [EventType.vrrpInstance]), count: 0)
                .compactMap { $0.event?.subject }.sorted()
        }
        try loop.run(until: "both are kept") { try kept() == ["VI_1", "VI_old"] }
        daemon = nil
        try eventually("the daemon is gone") { try bus.client().call(BusAPI.ListServices()).services.isEmpty }
        #expect(try kept() == ["VI_1", "VI_old"])
        daemon = try TestService(bus, on: loop)
        daemon?.publish("VI_1")
        daemon?.service.events.stateIsComplete()
        try loop.run(until: "the old one is forgotten") { try kept() == ["VI_1"] }
    }

    @Test func `attaching and leaving are events`() throws {
        let bus = try BusProgram()
        let loop = try EventLoop()
        let watcher = try bus.client()
        let box = Box(watcher)
        var daemon: TestService? = try TestService(bus, on: loop)
        let attached = try Self.follow(try bus.client(), .init(types: [EventType.interface]), count: 0)
        #expect(attached.first?.event?.data == ["state": "attached", "service": "vrrpd"])
        #expect(attached.first?.event?.subject == "io.evenkeel.Vrrp")
        #expect(daemon != nil)
        daemon = nil
        let replies = try loop.run {
            var states: [String?] = []
            try box.value.stream(BusAPI.Subscribe(types: [EventType.interface]), timeout: .seconds(10)) { reply in
                states.append(reply.event?.data?["state"]?.string)
                return states.last != "lost"
            }
            return states
        }
        #expect(replies.last == "lost")
    }
}
