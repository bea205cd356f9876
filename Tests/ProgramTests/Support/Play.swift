// One configuration and a list of events, which vrrpd and keepalived each go through in a network of their own while a recorder on the other
// host listens and plays the rival. Any number of them run at the same time on one event loop: they mostly wait.

import CLinux
import Glibc
import Net
import Netlink
import Platform
import VRRP

/// What happens to a router.
struct Play {
    /// An event.
    struct Step {
        /// From the event before.
        let after: Duration
        let name: String
        let action: (Stage) throws -> Void

        init(_ milliseconds: Int, _ name: String, _ action: @escaping (Stage) throws -> Void) {
            after = .milliseconds(milliseconds)
            self.name = name
            self.action = action
        }
    }

    /// Something that vrrpd does otherwise, and why.
    struct Difference {
        /// How such a line of the comparison begins.
        let line: String
        let reason: String
        /// It depends on the moment whether it is seen.
        var isSure = true
    }

    /// How the rival speaks.
    struct Rival {
        var version = ProtocolVersion.v3
        var interval = Duration.milliseconds(300)
        var addresses = ["10.77.0.100"]
        var password: String?
        /// To host a instead of the group.
        var isUnicast = false
    }

    let name: String
    /// `ip` commands on the router's host before it starts.
    var links: [String] = []
    /// Done before it starts.
    var before: ((Stage) throws -> Void)?
    /// It has nothing to say at first: then the first event is its start, otherwise its first word.
    var isSilent = false
    var rival = Rival()
    let configuration: (Stage) -> String
    /// The last one is the end.
    let steps: [Step]
    /// What is meant to be otherwise.
    var differs: [Difference] = []
    /// Routes and rules are looked at too.
    var hasRouting = false
}

/// One program going through one play.
final class Stage {
    let play: Play
    let implementation: Implementation
    let segment: Segment
    let router: Router
    /// For files that the configuration names.
    let directory: String
    private(set) var sightings: [Sighting] = []
    private(set) var events: [(at: Instant, name: String)] = []
    private(set) var known: [[String]] = []
    private(set) var isOver = false
    private(set) var failure: (any Error)?

    private let socket: FileDescriptor
    private let sender: FileDescriptor
    /// Takes what is sent to this host, so that its kernel does not refuse it.
    private let sinks: [Int32]
    private let index: Int32
    /// The loop's time when the wall clock said 0.
    private let epoch: Instant
    private let macs: [MACAddress]
    private var linkLocals: [IPAddress]?
    private var watch: Watch?
    private var buffer = [UInt8](repeating: 0, count: 2048)
    private var scriptd: Program?
    private var speech: (packet: Advertisement, source: IPAddress, interval: Duration, next: Instant)?
    private var started: Instant?
    private var looked = Instant.zero
    private var sequences: [Sighting.Subject: UInt32] = [:]

    init(_ play: Play, by implementation: Implementation, loop: EventLoop) throws {
        self.play = play
        self.implementation = implementation
        segment = try Segment(hosts: 2, loop: loop)
        directory = segment.directory
        let (a, b) = (segment.hosts[0], segment.hosts[1])
        macs = try [a, b].map { host in
            try host.inside { try RouteNetlink() }.snapshot().links.first { $0.name == "eth0" }?.mac
                ?? MACAddress(rawValue: 0)
        }
        let everything = Int32(UInt16(0x0003).bigEndian)  // ETH_P_ALL
        let (listening, sending, index, sinks) = try b.inside {
            (
                try Errno.check(
                    Glibc.socket(17, Int32(SOCK_RAW.rawValue | SOCK_NONBLOCK.rawValue), everything), "AF_PACKET"),
                try Errno.check(ek_frame_sender(), "AF_PACKET"), Int32(if_nametoindex("eth0")),
                try [AF_INET, AF_INET6].flatMap { family in
                    try [112, 51].map { number in
                        try Errno.check(Glibc.socket(family, Int32(SOCK_RAW.rawValue), number), "raw socket")
                    }
                }
            )
        }
        socket = FileDescriptor(owning: listening)
        sender = FileDescriptor(owning: sending)
        self.sinks = sinks
        self.index = index
        router = try Router(implementation, on: a, of: segment, "")
        if !play.links.isEmpty { try segment.batch(play.links, on: a) }
        var wall = timespec()
        clock_gettime(CLOCK_REALTIME, &wall)
        epoch = loop.refreshNow() - wall.duration
        _ = ioctl(socket.number, Self.stamp, &wall)
        watch = try loop.watch(socket.number, .read) { [weak self] _ in self?.receive(at: loop.refreshNow()) }
    }

    deinit { for sink in sinks { close(sink) } }

    /// SIOCGSTAMPNS: when the last packet came, by the wall clock. The first call has the kernel begin to write it down.
    private static let stamp: UInt = 0x8907

    /// The link-local addresses of both hosts.
    func linkLocal(_ index: Int) -> String { linkLocals.map { "\($0[index])" } ?? "" }

    /// The rival speaks from now on, at its interval, or once.
    func hear(priority: UInt8, router: UInt8 = 51, once: Bool = false, from source: String? = nil) throws {
        let isIPv6 = play.rival.addresses.first?.contains(":") ?? false
        let own = source ?? (isIPv6 && !play.rival.isUnicast ? linkLocal(1) : isIPv6 ? "2001:db8:77::2" : "10.77.0.2")
        let packet = Advertisement(
            version: play.rival.version, virtualRouterID: router, priority: priority, interval: play.rival.interval,
            addresses: play.rival.addresses.compactMap { IPAddress($0) },
            password: play.rival.password.map { Password($0.utf8) })
        guard let address = IPAddress(own) else { return }
        try say(packet, from: address)
        guard !once else { return }
        speech = (packet, address, play.rival.interval, segment.loop.now + play.rival.interval)
    }

    /// The rival speaks once more and falls silent.
    func quiet() throws {
        if let speech { try say(speech.packet, from: speech.source) }
        speech = nil
    }

    func write(_ text: String, to name: String) throws {
        try FileSystem.replace(directory + "/" + name, with: Array(text.utf8), durable: false)
        chmod(directory + "/" + name, 0o755)
    }

    func ip(_ arguments: String) throws {
        try segment.ip(["-n", segment.hosts[0].namespace] + arguments.split(separator: " ").map(String.init))
    }

    func cable(in plugged: Bool) throws { try segment.cable(segment.hosts[0], in: plugged) }

    func reload(_ text: String) throws {
        try router.configure(text)
        router.signal(SIGHUP)
    }

    /// What it did.
    var trace: Trace { Trace(sightings, events: events, known: known) }

    /// The rival says what is due.
    func speak(at now: Instant) {
        guard let speech, speech.next <= now else { return }
        do {
            try say(speech.packet, from: speech.source)
            self.speech?.next = max(speech.next + speech.interval, now)
        } catch {
            failure = error
        }
    }

    /// Does what is due.
    func advance(at now: Instant) {
        guard !isOver else { return }
        do {
            try step(at: now)
        } catch {
            failure = error
            isOver = true
        }
    }

    private func step(at now: Instant) throws {
        guard let started else {
            guard now - looked >= .milliseconds(100) else { return }
            looked = now
            return try begin(at: now)
        }
        guard let last = events.last else {
            if let first = sightings.first {
                events.append((first.at, "first word"))
            } else if now - started > .seconds(20) {
                throw ProgramFailure.timedOut("\(implementation) speaks", after: .seconds(20))
            }
            return
        }
        guard events.count <= play.steps.count else { return }
        let step = play.steps[events.count - 1]
        let due = last.at + step.after
        guard now >= due else { return }
        // While it speaks, soon after a word of its: both programs are in one phase then.
        if let word = sightings.last(where: { if case .advertisement = $0.subject { true } else { false } }),
            now - word.at < .milliseconds(1200), now - due < .milliseconds(1500),
            !(Duration.milliseconds(15)...Duration.milliseconds(60)).contains(now - word.at)
        {
            return
        }
        known.append(try look())
        guard events.count < play.steps.count else {
            isOver = true
            return
        }
        events.append((segment.loop.refreshNow(), step.name))
        try step.action(self)
    }

    /// Starts the program when both hosts answer for their link-local addresses.
    private func begin(at now: Instant) throws {
        if linkLocals == nil {
            let found = try segment.hosts.compactMap { host in
                try host.inside { try RouteNetlink() }.snapshot().addresses.first {
                    $0.prefix.address.isLinkLocal && !$0.isTentative
                }?.prefix.address
            }
            guard found.count == 2 else { return }
            linkLocals = found
        }
        let text = play.configuration(self)
        try router.configure(text)
        try play.before?(self)
        if implementation == .vrrpd, text.contains("vrrp_script") || text.contains("notify") {
            scriptd = try Program(
                [Program.directory + "/scriptd", "--run-dir", router.directory + "/run"], on: segment.hosts[0],
                log: router.directory + "/scriptd.log", loop: segment.loop)
        }
        try router.start()
        started = now
        if play.isSilent { events.append((now, "start")) }
    }

    private func say(_ advertisement: Advertisement, from source: IPAddress) throws {
        let isIPv6 = source.family == .inet6
        let group: IPAddress = isIPv6 ? .v6(Advertisement.group6) : .v4(Advertisement.group4)
        var packet: [UInt8] = []
        let own = isIPv6 ? IPAddress("2001:db8:77::1") : IPAddress("10.77.0.1")
        let destination = play.rival.isUnicast ? own ?? group : group
        advertisement.encodePacket(into: &packet, from: source, to: destination, checksum: .pseudoHeader)
        var frame: [UInt8] = []
        Advertisement.encodeFrame(into: &frame, packet, from: macs[1], to: group)
        if play.rival.isUnicast { frame.replaceSubrange(0..<6, with: macs[0].octets) }
        try Errno.check(ek_frames_send(sender.number, index, frame, frame.count, 1), "send")
    }

    private func receive(at now: Instant) {
        while true {
            let count = buffer.withUnsafeMutableBytes { recv(socket.number, $0.baseAddress, $0.count, 0) }
            guard count > 0 else { return }
            // The kernel's time of it: this loop may have been somewhere else.
            var arrival = timespec()
            let isStamped = withUnsafeMutablePointer(to: &arrival) { ioctl(socket.number, Self.stamp, $0) } == 0
            guard count >= 14, MACAddress(octets: buffer[6..<12]) != macs[1], started != nil,
                var sighting = Sighting(
                    Array(buffer[..<count]), at: isStamped ? min(now, epoch + arrival.duration) : now, name: name)
            else { continue }
            if let sequence = sighting.sequence {
                let last = sequences.updateValue(sequence, forKey: sighting.subject)
                sighting.text += sequence > last ?? 0 ? ", sequence grows" : ", sequence does not grow"
            }
            // A rival that hears a better one yields.
            if let priority = sighting.priority, let speech, priority > speech.packet.priority { self.speech = nil }
            sightings.append(sighting)
        }
    }

    private func name(_ text: String) -> String {
        switch text {
        case "\(macs[0])": "own"
        case "\(macs[1])": "b"
        case linkLocal(0): "own link-local"
        case linkLocal(1): "b's link-local"
        default: text
        }
    }

    /// The addresses that the router's host has, and its routes and rules where the play is about them.
    private func look() throws -> [String] {
        let host = segment.hosts[0]
        let snapshot = try host.inside { try RouteNetlink() }.snapshot()
        var names: [Int32: String] = [:]
        for link in snapshot.links { names[link.index] = link.name }
        let held = snapshot.addresses.map { "\(names[$0.link] ?? "?") \($0.prefix) scope \($0.scope)" }
            .filter { !$0.hasPrefix("lo ") && !$0.hasPrefix("eth0 10.77.0.1/") && !$0.contains(linkLocal(0) + "/") }
            .filter { !$0.hasPrefix("eth1 fe80") && !$0.hasPrefix("eth2 fe80") }
        var lines = ["has " + held.sorted().joined(separator: ", ")]
        if play.hasRouting { lines += try RoutingTests.shown(host, segment) }
        return lines
    }
}

extension timespec {
    fileprivate var duration: Duration { .seconds(Int64(tv_sec)) + .nanoseconds(Int64(tv_nsec)) }
}

/// A play as both programs went through it.
struct Performance {
    let play: Play
    let stages: [Implementation: Stage]

    /// Has all plays performed at the same time.
    static func all(_ plays: [Play], loop: EventLoop) throws -> (performances: [Performance], tolerance: Duration) {
        let performances = try plays.map { play in
            var stages: [Implementation: Stage] = [:]
            for implementation in Implementation.allCases {
                stages[implementation] = try Stage(play, by: implementation, loop: loop)
            }
            return Performance(play: play, stages: stages)
        }
        let stages = performances.flatMap(\.stages.values)
        var longest = Duration.zero
        var last = loop.refreshNow()
        let limit = last + .seconds(120)
        while stages.contains(where: { !$0.isOver }), loop.now < limit {
            for next in stages {
                // What an event does may take a while: the rivals go on meanwhile.
                for stage in stages { stage.speak(at: loop.now) }
                next.advance(at: loop.refreshNow())
            }
            try loop.turn(timeoutMilliseconds: 2)
            longest = max(longest, loop.now - last)
            last = loop.now
        }
        return (performances, .milliseconds(300) + longest)
    }

    /// What is wrong with it; nil when both did the same but for what is meant.
    func complaint(tolerance: Duration) -> String? {
        guard let ours = stages[.vrrpd], let theirs = stages[.keepalived] else { return nil }
        var lines = [ours, theirs].compactMap { stage in stage.failure.map { "\(stage.implementation): \($0)" } }
        let found = ours.trace.differences(from: theirs.trace, tolerance: tolerance)
        lines += found.filter { line in !play.differs.contains { line.hasPrefix($0.line) } }
        lines += play.differs.filter { meant in meant.isSure && !found.contains { $0.hasPrefix(meant.line) } }
            .map { "no longer differs: \($0.line) (\($0.reason))" }
        guard !lines.isEmpty else { return nil }
        return
            ([play.name + ":"] + lines + [
                "", "vrrpd:", ours.trace.description, "keepalived:", theirs.trace.description,
            ])
            .joined(separator: "\n") + "\n\(ours.router.log.suffix(1500))\n──\n\(theirs.router.log.suffix(1500))"
    }
}
