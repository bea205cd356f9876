// Events per second from one publisher to 1 and to 50 subscribers over a Unix socket: busd against redis pub/sub. One client
// thread plays all of them and is the same for both: what differs is the octets of a request and of a subscription.
import CLinux
import Glibc
import Net
import Platform

/// How to speak to a broker. Every event has 300 octets and is delivered with exactly one NUL, which is what the client
/// counts; the publisher reads its replies and throws them away.
private struct Dialect {
    /// Sent once by each subscriber, and how many NULs answer before the first event.
    var subscribe: [UInt8]
    var answers: Int
    /// The publications of one write.
    var publish: [UInt8]

    /// Publications in one write.
    static let batch = 16
    private static let size = 300

    /// Every event in a call of its own.
    static let evenkeel = evenkeel(calls: batch, events: 1)
    /// All events of a write in one call, as our daemons publish.
    static let evenkeelTogether = evenkeel(calls: 1, events: batch)

    private static func evenkeel(calls: Int, events: Int) -> Dialect {
        // A CloudEvent of 300 octets; busd's own `seq` and the reply around it come on top.
        let start =
            #"{"specversion":"1.0","id":"1","source":"/bench","type":"io.evenkeel.bench.load","#
            + #""subject":"load","time":"2025-01-01T00:00:00.000Z","data":{"pad":""#
        let event = start + String(repeating: "x", count: size - start.utf8.count - 3) + "\"}}"
        let list = Array(repeating: event, count: events).joined(separator: ",")
        let call = "{\"method\":\"io.evenkeel.Bus.Publish\",\"parameters\":{\"events\":[\(list)]}}\0"
        return Dialect(
            subscribe: Array(
                ("{\"method\":\"io.evenkeel.Bus.Subscribe\",\"more\":true,"
                    + "\"parameters\":{\"types\":[\"io.evenkeel.bench.load\"],\"retained\":false}}\0").utf8),
            answers: 1,
            publish: Array(String(repeating: call, count: calls).utf8))
    }

    static let redis: Dialect = {
        // The channel's name ends in a NUL, so that the acknowledgement and every message contain one.
        let payload = String(repeating: "x", count: size)
        let command = "*3\r\n$7\r\nPUBLISH\r\n$5\r\nload\0\r\n$\(size)\r\n\(payload)\r\n"
        return Dialect(
            subscribe: Array("*2\r\n$9\r\nSUBSCRIBE\r\n$5\r\nload\0\r\n".utf8),
            answers: 1,
            publish: Array(String(repeating: command, count: batch).utf8))
    }()
}

/// One publisher and its subscribers against one broker.
private final class Load {
    /// How far the publisher may be ahead of the slowest subscriber.
    private static let window = 512

    private let dialect: Dialect
    private let publisher: FileDescriptor
    private var subscribers: [Int32] = []
    private var received: [Int]
    private let epoll: FileDescriptor
    private var buffer = [UInt8](repeating: 0, count: 1 << 18)

    init(_ dialect: Dialect, socket: String, subscribers count: Int) throws {
        self.dialect = dialect
        publisher = try UnixSocket.connect(to: socket)
        received = Array(repeating: 0, count: count)
        epoll = FileDescriptor(owning: try Errno.check(ek_epoll_create(), "epoll_create1"))
        try add(publisher.number, data: UInt64(count))
        for index in 0..<count {
            let subscriber = try UnixSocket.connect(to: socket).release()
            subscribers.append(subscriber)
            try add(subscriber, data: UInt64(index))
            try write(dialect.subscribe, to: subscriber)
        }
        let limit = seconds + 5
        while received.contains(where: { $0 < dialect.answers }) {
            guard seconds < limit else { throw BenchmarkFailure("no answer to Subscribe at \(socket)") }
            try readReady()
        }
        received = Array(repeating: 0, count: count)
    }

    deinit { for subscriber in subscribers { _ = ek_close(subscriber) } }

    /// Publishes `count` events in batches; delivered events per second. Endless with nil.
    func run(_ count: Int?) throws -> Double {
        var sent = 0
        let start = seconds
        while true {
            let slowest = received.min() ?? 0
            if let count, slowest >= count { break }
            if sent - slowest <= Self.window - Dialect.batch, sent < count ?? .max {
                try write(dialect.publish, to: publisher.number)
                sent += Dialect.batch
                if sent - slowest <= Self.window - Dialect.batch { continue }
            }
            try readReady()
        }
        let elapsed = seconds - start
        let delivered = received.reduce(0, +)
        received = received.map { _ in 0 }
        return Double(delivered) / elapsed
    }

    private func add(_ descriptor: Int32, data: UInt64) throws {
        try Errno.check(
            ek_epoll_ctl(epoll.number, Int32(EK_EPOLL_ADD), descriptor, UInt32(EK_READ), data), "epoll_ctl")
    }

    private func write(_ bytes: [UInt8], to descriptor: Int32) throws {
        var offset = 0
        while offset < bytes.count {
            let written = bytes.withUnsafeBytes {
                ek_write(descriptor, $0.baseAddress?.advanced(by: offset), bytes.count - offset)
            }
            if written == -Int(EAGAIN) {
                try readReady()
            } else {
                offset += try Errno.check(written, "write")
            }
        }
    }

    private func readReady() throws {
        try withUnsafeTemporaryAllocation(of: ek_event.self, capacity: 64) { events in
            let ready = Int(
                try Errno.check(ek_epoll_wait(epoll.number, events.baseAddress, 64, 1_000_000_000), "epoll_wait"))
            for event in events[..<ready] {
                let index = Int(event.data)
                let descriptor = index < subscribers.count ? subscribers[index] : publisher.number
                let count = buffer.withUnsafeMutableBytes { ek_read(descriptor, $0.baseAddress, $0.count) }
                if count == -Int(EAGAIN) { continue }
                guard count > 0 else { throw BenchmarkFailure("the broker closed the connection") }
                if index < subscribers.count { received[index] += nuls(count) }
            }
        }
    }

    /// NULs among the first octets of the buffer, found by memchr.
    private func nuls(_ count: Int) -> Int {
        buffer.withUnsafeBytes { bytes in
            var found = 0
            var rest = bytes.baseAddress
            let end = bytes.baseAddress?.advanced(by: count)
            while let start = rest, let end, start < end, let next = memchr(start, 0, end - start) {
                found += 1
                rest = UnsafeRawPointer(next) + 1
            }
            return found
        }
    }
}

/// Publishes to a busd until it is ended, with one subscriber: the load under which a failover is measured.
func flood(_ socket: String) throws {
    _ = try Load(.evenkeel, socket: socket, subscribers: 1).run(nil)
}

/// The benchmark.
struct FanOut {
    let rounds: Int

    init(_ options: Options) {
        rounds = options.rounds ?? 7
    }

    func run() throws {
        let directory = "/tmp/bn-fanout"
        try Program.script("rm -rf \(directory); mkdir -p \(directory)/run/private \(directory)/state")
        let options = ["--config", "/dev/null", "--run-dir", "\(directory)/run", "--state-dir", "\(directory)/state"]
        let busd = try Program(["\(Options.programs)/busd"] + options, log: "\(directory)/busd.log")
        let redis = try Program([
            "redis-server", "--port", "0", "--unixsocket", "\(directory)/redis.sock", "--save", "", "--appendonly",
            "no",
            "--dir", directory,
        ])
        defer {
            busd.end()
            redis.end()
        }
        let ours = "\(directory)/run/bus.sock"
        let theirs = "\(directory)/redis.sock"
        for socket in [ours, theirs] { try eventually("\(socket) is there", within: 5) { access(socket, F_OK) == 0 } }
        for (subscribers, events) in [(1, 200_000), (50, 24_000)] {
            var single: [Double] = []
            var together: [Double] = []
            var peer: [Double] = []
            for _ in 0..<rounds {
                peer.append(try Load(.redis, socket: theirs, subscribers: subscribers).run(events))
                single.append(try Load(.evenkeel, socket: ours, subscribers: subscribers).run(events))
                together.append(try Load(.evenkeelTogether, socket: ours, subscribers: subscribers).run(events))
            }
            let what = "1 publisher, \(subscribers) subscriber\(subscribers == 1 ? "" : "s")"
            for (detail, figures) in [("", single), (", 16 events in one Publish", together)] {
                try Row(
                    table: "fanout", what: what + detail, unit: "delivered/s", ours: Series(values: figures),
                    peer: Series(values: peer), moreIsBetter: true, goal: subscribers == 1 ? 1 : 2
                ).emit()
            }
        }
    }
}
