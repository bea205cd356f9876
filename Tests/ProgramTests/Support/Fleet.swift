// Many real servers of all kinds in one network namespace, each good or bad as a test wants, and bad in turn in every way that its kind knows.
// They run on the test's own loop.
import Glibc
import Net
import Platform
import Testing

/// A real server with its checker.
final class FleetServer {
    /// What it is checked with.
    enum Kind: CaseIterable {
        case tcp, http, smtp, dns, udp, misc, file
    }

    let kind: Kind
    /// SERVICE/ADDR:PORT.
    let name: String
    let checker: String
    private(set) var isGood = true
    /// Since when that is so.
    private(set) var since: Instant
    /// Makes it good (nil) or bad; the number tells how.
    private let change: (_ badness: Int?) throws -> Void
    private var badness = 0

    fileprivate init(
        _ kind: Kind, _ name: String, at now: Instant, _ checker: String, _ change: @escaping (Int?) throws -> Void
    ) {
        (self.kind, self.name, self.checker, self.change, since) = (kind, name, checker, change, now)
    }

    fileprivate func turn(good: Bool, at now: Instant) throws {
        guard good != isGood else { return }
        if !good { badness += 1 }
        try change(good ? nil : badness)
        (isGood, since) = (good, now)
    }
}

/// Servers and the configuration that checks them.
final class Fleet {
    private static let perService = 200
    private static let page = Array("HTTP/1.0 200 OK\r\n\r\nhello\n".utf8)
    /// Longer than any connect_timeout.
    private static let never = Duration.seconds(60)
    /// Octets of a drip, ten a second.
    private static let drips = 30

    private(set) var servers: [FleetServer] = []
    private let host: Host
    private let room: CheckRoom
    private var trackedFiles = ""

    /// connect_timeout of all checkers, in seconds.
    private let timeout: Double
    /// From a change until every probe that began before it has ended, the longest being those of a drip, and the machine's own time.
    var patience: Duration { .seconds(timeout + Double(Self.drips) * 0.1 + 2) }

    /// Servers on 127.0.0.1 of a host; FILE_CHECK and MISC_CHECK look at files in the room's directory.
    init(_ counts: [FleetServer.Kind: Int], timeout: Double, on host: Host, in room: CheckRoom) throws {
        (self.timeout, self.host, self.room) = (timeout, host, room)
        try FileSystem.makeDirectory(room.directory + "/fleet", mode: 0o755)
        let kinds = FleetServer.Kind.allCases.flatMap { Array(repeating: $0, count: counts[$0] ?? 0) }
        try host.inside {
            for (index, kind) in kinds.enumerated() {
                let name = realServer(index % Self.perService + 1, of: index / Self.perService + 1)
                servers.append(try make(kind, name, number: index))
            }
        }
    }

    /// Everything that checkd reads. `more`: checkers of servers beyond the fleet, in a service of their own.
    func configuration(delay: String, warmup: String, more: [String] = []) -> String {
        var text = "global_defs {\n script_user root\n}\n" + trackedFiles
        for (number, start) in stride(from: 0, to: servers.count, by: Self.perService).enumerated() {
            text += virtualServer(
                servers[start...].prefix(Self.perService).map(\.checker), delay: delay, warmup: warmup,
                number: number + 1)
        }
        return more.isEmpty ? text : text + virtualServer(more, delay: delay, warmup: warmup, number: 250)
    }

    /// Makes a server good or bad.
    func turn(_ server: FleetServer, good: Bool) throws {
        try host.inside { try server.turn(good: good, at: room.loop.refreshNow()) }
    }

    // MARK: Kinds

    private func make(_ kind: FleetServer.Kind, _ name: String, number: Int) throws -> FleetServer {
        let now = room.loop.now
        switch kind {
        case .tcp:
            let server = try TinyServer(.answer([]), on: room.loop)
            return FleetServer(kind, name, at: now, check("TCP_CHECK", server.port)) {
                if $0 == nil { try server.open() } else { server.close() }
            }
        case .http:
            let server = try TinyServer(.answer(Self.page), on: room.loop)
            let bad: [TinyServer.Manner] = [
                .answer(Array("HTTP/1.0 503 no\r\n\r\n".utf8)), .answerLater([], after: Self.never), .reset,
                .answer(Array("SSH-2.0-OpenSSH_9.2\r\n".utf8)), .answer([]),
                .drip(Self.page.prefix(12) + Array(repeating: 0x78, count: Self.drips), every: .milliseconds(100)),
            ]
            let words = "url {\n path /\n regex hello\n }"
            return FleetServer(kind, name, at: now, check("HTTP_GET", server.port, words)) {
                server.manner = $0.map { bad[$0 % bad.count] } ?? .answer(Self.page)
            }
        case .smtp:
            let good: [ScriptedServer.Step] = [
                .say("220 a\r\n"), .hear, .say("250 b\r\n"), .hear, .say("221 c\r\n"), .close,
            ]
            let server = try ScriptedServer(good, on: room.loop)
            let bad: [[ScriptedServer.Step]] = [
                [.close], [.hear], [.say("554 no\r\n"), .hear], [.say("220 a\r\n"), .hear, .close], [.reset],
                [.drip(String(repeating: "2", count: Self.drips), every: .milliseconds(100))],
            ]
            return FleetServer(kind, name, at: now, check("SMTP_CHECK", server.port)) {
                server.steps = $0.map { bad[$0 % bad.count] } ?? good
            }
        case .dns:
            let bad: [([UInt8]) -> [[UInt8]]] = [
                { _ in [] }, { [[$0[0] ^ 1, $0[1], 0x81, 0x80] + $0[4...]] },
                { [[$0[0], $0[1], 0x81, 0x82] + $0[4...]] },
                { _ in [[1, 2, 3]] },
            ]
            return try datagrams(kind, name, "DNS_CHECK", good: { [[$0[0], $0[1], 0x81, 0x80] + $0[4...]] }, bad: bad)
        case .udp:
            let bad: [([UInt8]) -> [[UInt8]]] = [{ _ in [] }, { _ in [[7, 7]] }]
            return try datagrams(kind, name, "UDP_CHECK", "require_reply 6b", good: { [$0] }, bad: bad)
        case .misc:
            let path = "\(room.directory)/fleet/\(number)"
            try FileSystem.replace(path, with: [], durable: false)
            let checker = "MISC_CHECK {\n misc_path \"/usr/bin/test -e \(path)\"\n misc_timeout 3\n}"
            return FleetServer(kind, name, at: now, checker) {
                if $0 == nil { try FileSystem.replace(path, with: [], durable: false) } else { unlink(path) }
            }
        case .file:
            let path = "\(room.directory)/fleet/\(number)"
            try FileSystem.replace(path, with: Array("0\n".utf8), durable: false)
            trackedFiles += "track_file f\(number) {\n file \"\(path)\"\n weight 0\n}\n"
            return FleetServer(kind, name, at: now, "FILE_CHECK {\n track_file f\(number)\n}") {
                try FileSystem.replace(path, with: Array($0 == nil ? "0\n".utf8 : "1\n".utf8), durable: false)
            }
        }
    }

    private func datagrams(
        _ kind: FleetServer.Kind, _ name: String, _ word: String, _ words: String = "",
        good: @escaping ([UInt8]) -> [[UInt8]], bad: [([UInt8]) -> [[UInt8]]]
    ) throws -> FleetServer {
        let server = try DatagramServer(on: room.loop, answer: good)
        return FleetServer(kind, name, at: room.loop.now, check(word, server.port, words)) {
            server.answer = $0.map { bad[$0 % bad.count] } ?? good
        }
    }

    private func check(_ kind: String, _ port: UInt16, _ words: String = "") -> String {
        """
        \(kind) {
         connect_ip 127.0.0.1
         connect_port \(port)
         connect_timeout \(timeout)
         retry 1
         delay_before_retry 0.2
         \(words)
        }
        """
    }
}
