// Many connections that go on: each says a line every so often, and must be answered by the real server that it began with. Nothing is sent
// anew by the client: what the kernel's TCP cannot deliver within some seconds is a connection that broke.
import Glibc
import Net
import Platform

final class Conversations {
    /// One connection.
    private struct Talk {
        let service: Forwarding
        var watch: Watch?
        /// Who answers it.
        var server: String?
        /// When the line was said that is not answered yet.
        var said: Instant?
        var answers = 0
    }

    private let loop: EventLoop
    /// Each says a line this often.
    private let interval = Duration.milliseconds(500)
    /// A connection that is not answered for so long is broken.
    private let patience = Duration.seconds(8)
    private var talks: [Int32: Talk] = [:]
    private var order: [Int32] = []
    private var next = 0
    private var pulse: LoopTimer?
    private var port: UInt16 = 20_000
    /// What went wrong with which connection.
    private(set) var broken: [String] = []

    init(loop: EventLoop) {
        self.loop = loop
        let tick = Duration.milliseconds(20)
        pulse = loop.timer { [weak self] in
            guard let self else { return }
            let share = max(1, order.count * Int(tick / .milliseconds(1)) / Int(interval / .milliseconds(1)))
            for _ in 0..<min(share, order.count) { say() }
            pulse?.arm(after: tick)
        }
        pulse?.arm(after: .zero)
    }

    deinit { for descriptor in talks.keys { Glibc.close(descriptor) } }

    /// Connections that go on.
    var count: Int { talks.count }

    /// Who answers how many connections of a service.
    func servers(of service: Forwarding) -> [String: Int] {
        talks.values.filter { $0.service == service }
            .reduce(into: [:]) { counts, talk in counts[talk.server ?? "nobody", default: 0] += 1 }
    }

    /// Lines that were answered on the connection that had the fewest.
    var fewestAnswers: Int { talks.values.map(\.answers).min() ?? 0 }

    /// Opens connections to a service. The client chooses the ports: the kernel would come back to those of connections that ended.
    func open(_ count: Int, to service: Forwarding) throws {
        let any = service.family == .inet ? "0.0.0.0" : "::"
        for _ in 0..<count {
            let descriptor = try Host.client.inside { try TCP.socket(SOCK_STREAM, service.family) }
            talks[descriptor] = Talk(service: service)
            order.append(descriptor)
            try Errno.check(TCP.withAddress(any, port, { bind(descriptor, $0, $1) }), "bind")
            port += 1
            let result = TCP.withAddress(service.address, 80) { connect(descriptor, $0, $1) }
            guard result == 0 || errno == EINPROGRESS else { throw Errno(errno, "connect") }
            talks[descriptor]?.said = loop.now
            talks[descriptor]?.watch = try loop.watch(descriptor, .write) { [weak self] _ in
                self?.talks[descriptor]?.watch = nil
                self?.write(descriptor)
                self?.listen(descriptor)
            }
        }
    }

    private func listen(_ descriptor: Int32) {
        guard talks[descriptor] != nil else { return }
        talks[descriptor]?.watch = try? loop.watch(descriptor, .read) { [weak self] _ in self?.read(descriptor) }
    }

    /// The next one in turn says something, unless it waits for an answer.
    private func say() {
        next = (next + 1) % order.count
        let descriptor = order[next]
        if let said = talks[descriptor]?.said {
            if loop.now - said > patience { fail(descriptor, "no answer for \(loop.now - said)") }
        } else {
            write(descriptor)
        }
    }

    private func write(_ descriptor: Int32) {
        do {
            try TCP.write("hello\n", to: descriptor)
            talks[descriptor]?.said = loop.now
        } catch {
            fail(descriptor, "\(error)")
        }
    }

    private func read(_ descriptor: Int32) {
        do {
            guard let text = try TCP.read(descriptor) else { return }
            let server = text.split(separator: " ").first.map(String.init)
            guard let server, talks[descriptor]?.server ?? server == server else {
                return fail(descriptor, "answered with '\(text)'")
            }
            talks[descriptor]?.server = server
            talks[descriptor]?.said = nil
            talks[descriptor]?.answers += 1
        } catch {
            fail(descriptor, "\(error)")
        }
    }

    private func fail(_ descriptor: Int32, _ reason: String) {
        guard let talk = talks[descriptor] else { return }
        broken.append("\(talk.service) by \(talk.server ?? "nobody") after \(talk.answers) answers: \(reason)")
        end(descriptor)
    }

    private func end(_ descriptor: Int32) {
        talks.removeValue(forKey: descriptor)?.watch?.cancel()
        order.removeAll { $0 == descriptor }
        Glibc.close(descriptor)
    }
}
