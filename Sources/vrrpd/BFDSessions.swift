// BFD sessions on UDP (RFC 5881: port 3784, one hop; RFC 5883: port 4784, several): sockets and timers for VRRP/BFDSession.

import Bus
import CLinux
import Configuration
import Glibc
import Net
import Platform
import VRRP

/// Runs the sessions.
final class BFDSessions {
    private struct Session {
        var machine: BFDSession
        var sender: Int32?
        /// Why there is none, where that is this host's trouble.
        var senderFailure: Errno?
        var report: TrackerReport?
        /// What it says about the neighbor, and since when: RFC 3339.
        var verdict: (standing: TrackerStanding, since: String)?
    }

    private struct Port: Hashable {
        let isIPv6: Bool
        let number: UInt16

        init(_ configuration: BFDConfiguration) {
            isIPv6 = configuration.neighbor.family == .inet6
            number = configuration.isMultihop ? 4784 : 3784
        }
    }

    /// What tells of a packet whose it may be.
    private struct Peer: Hashable {
        let port: Port
        let address: IPAddress
    }

    private final class Listener {
        let socket: FileDescriptor
        var watch: Watch?

        init(_ socket: consuming FileDescriptor) { self.socket = socket }
    }

    private let loop: EventLoop
    private var timer: LoopTimer?
    private var sessions: [String: Session] = [:]
    /// The names of those with a neighbor: one, unless a configuration has several.
    private var namesByPeer: [Peer: [String]] = [:]
    private var deadlines = DeadlineQueue<String>()
    private var listeners: [Port: Listener] = [:]
    private var failures: [Port: Errno] = [:]
    private var retryAt: Instant?
    private var buffer = [UInt8](repeating: 0, count: 256)
    private let heard: (TrackerReport, Tracker) -> Void
    /// Called when `description` of a session is another one.
    var changed: (String) -> Void = { _ in }
    /// Called now and then while there are sessions, and when there are none any more.
    var beat: () -> Void = {}
    private var heartbeat: LoopTimer?

    /// Packets that are read before others have their turn.
    private static let packetsAtOnce = 64

    /// No session yet; `heard` is told how each stands.
    init(on loop: EventLoop, heard: @escaping (TrackerReport, Tracker) -> Void) {
        self.loop = loop
        self.heard = heard
        timer = loop.timer { [weak self] in self?.settle() }
        heartbeat = loop.timer { [weak self] in self?.sayAlive() }
    }

    deinit { for session in sessions.values { close(session) } }

    /// The names of all that run.
    var names: [String] { sessions.keys.sorted() }

    /// A session for the bus; nil until it was looked at.
    func description(of name: String) -> VrrpAPI.BFDSession? {
        guard let session = sessions[name], let report = session.report, let verdict = session.verdict else {
            return nil
        }
        return VrrpAPI.BFDSession(
            name: name, neighbor: "\(session.machine.configuration.neighbor)",
            state: VrrpAPI.TrackerState(verdict.standing), since: verdict.since,
            detail: report.words, hindrance: report.hindrance)
    }

    /// Runs these and no others. A session goes on, under another name too, where the neighbor can tell no difference.
    func watch(_ blocks: [BFDConfiguration]) {
        var kept: [String: Session] = [:]
        for block in blocks {
            let known = namesByPeer[Self.peer(block)] ?? []
            guard
                let name = known.first(where: {
                    sessions[$0]?.machine.configuration.isSameSession(as: block) == true
                }), let session = sessions.removeValue(forKey: name)
            else { continue }
            kept[block.name] = session
            kept[block.name]?.machine.adopt(block)
            deadlines.set(name, nil)
            if name != block.name { for name in [name, block.name] { changed(name) } }
        }
        for name in names { end(name) }
        sessions = kept
        for block in blocks where sessions[block.name] == nil {
            var generator = SystemRandomNumberGenerator()
            sessions[block.name] = Session(
                machine: BFDSession(
                    block, discriminator: UInt32.random(in: 1 ... .max, using: &generator),
                    seed: generator.next(), at: loop.now))
        }
        namesByPeer = Dictionary(grouping: blocks, by: Self.peer).mapValues { $0.map(\.name) }
        for (name, session) in sessions { if let report = session.report { heard(report, .bfd(name)) } }
        listen()
        settle(names)
        if !sessions.isEmpty, heartbeat?.deadline == nil { sayAlive() }
    }

    private func sayAlive() {
        beat()
        if !sessions.isEmpty { heartbeat?.arm(after: .seconds(CheckHeartbeat.interval)) }
    }

    /// Says goodbye to every neighbor.
    func stop() { for name in Array(sessions.keys) { end(name) } }

    private func end(_ name: String) {
        if let packet = sessions[name]?.machine.end() { send([packet], of: name) }
        deadlines.set(name, nil)
        if let session = sessions.removeValue(forKey: name) { close(session) }
        changed(name)
    }

    private func close(_ session: Session) {
        if let sender = session.sender { _ = ek_close(sender) }
    }

    // MARK: Hearing

    private func listen() {
        let wanted = Set(sessions.values.map { Port($0.machine.configuration) })
        listeners = listeners.filter { wanted.contains($0.key) }
        failures = [:]
        for port in wanted where listeners[port] == nil {
            do throws(Errno) {
                let number = try Errno.check(ek_bfd_listen(port.isIPv6 ? 1 : 0, port.number), "bind(BFD)")
                let listener = Listener(FileDescriptor(owning: number))
                listener.watch = try loop.watch(number, .read) { [weak self] _ in self?.hear(port) }
                listeners[port] = listener
            } catch {
                failures[port] = error
            }
        }
        retryAt = failures.isEmpty ? nil : loop.now + .seconds(1)
    }

    private func hear(_ port: Port) {
        guard let listener = listeners[port] else { return }
        var heard: Set<String> = []
        var sender = [UInt8](repeating: 0, count: 16)
        for _ in 0..<Self.packetsAtOnce {
            var timeToLive: Int32 = -1
            let count = ek_bfd_receive(listener.socket.number, &buffer, buffer.count, &sender, &timeToLive)
            guard count >= 0 else { break }
            guard let packet = BFDPacket(buffer[..<count]),
                let address = IPAddress(octets: sender.prefix(port.isIPv6 ? 16 : 4)),
                let name = session(for: packet, from: address, at: port),
                sessions[name]?.machine.configuration.accepts(timeToLive: Int(timeToLive)) ?? false
            else { continue }
            let answers = sessions[name]?.machine.received(packet, at: loop.now) ?? []
            send(answers, of: name)
            heard.insert(name)
        }
        settle(heard.sorted())
    }

    /// A neighbor's packet carries our number once it has heard us; before that its address tells.
    private func session(for packet: BFDPacket, from address: IPAddress, at port: Port) -> String? {
        namesByPeer[Peer(port: port, address: address)]?.first {
            packet.yours == 0 || packet.yours == sessions[$0]?.machine.discriminator
        }
    }

    private static func peer(_ configuration: BFDConfiguration) -> Peer {
        Peer(port: Port(configuration), address: configuration.neighbor)
    }

    // MARK: Sending and time

    /// Does what is due, and tells what is new of that and of `names`.
    private func settle(_ names: [String] = []) {
        var names = names
        if let retryAt, retryAt <= loop.now {
            listen()
            names = self.names
        }
        let due = deadlines.due(at: loop.now)
        for name in due {
            let packets = sessions[name]?.machine.due(at: loop.now) ?? []
            send(packets, of: name)
        }
        for name in names + due {
            guard let session = sessions[name] else { continue }
            deadlines.set(name, session.machine.deadline)
            var report = session.machine.report
            report.hindrance = (failures[Port(session.machine.configuration)] ?? session.senderFailure).map { "\($0)" }
            let isHindered = report.hindrance != nil && report.standing == .failed
            let verdict = isHindered ? .unknown : session.machine.verdict
            let isNews = session.report != report
            guard isNews || session.verdict?.standing != verdict else { continue }
            sessions[name]?.report = report
            if session.verdict?.standing != verdict { sessions[name]?.verdict = (verdict, SystemClock.timestamp) }
            changed(name)
            if isNews { heard(report, .bfd(name)) }
        }
        let times = [deadlines.first, retryAt].compactMap(\.self)
        if let first = times.min() { timer?.arm(at: first) } else { timer?.disarm() }
    }

    /// What cannot be sent is lost, as on the wire: the neighbor misses it. The source address may not be there yet.
    private func send(_ packets: [BFDPacket], of name: String) {
        guard !packets.isEmpty, let session = sessions[name] else { return }
        let configuration = session.machine.configuration
        if session.sender == nil {
            let port = Port(configuration)
            let source = configuration.source.map { Array($0.octets) }
            let number = ek_bfd_sender(
                port.isIPv6 ? 1 : 0, source, Array(configuration.neighbor.octets), port.number,
                Int32(configuration.timeToLive))
            sessions[name]?.sender = number >= 0 ? number : nil
            let isNoWay = [ENETUNREACH, EHOSTUNREACH, ENETDOWN].contains(-number)
            sessions[name]?.senderFailure = number >= 0 || isNoWay ? nil : Errno(-number, "bind(source_ip)")
        }
        guard let sender = sessions[name]?.sender else { return }
        for packet in packets {
            let octets = packet.octets
            let result = ek_bfd_send(sender, octets, octets.count)
            if result == -Int(EINVAL) || result == -Int(ENETUNREACH) {
                // The route or the source is another one now.
                _ = ek_close(sender)
                sessions[name]?.sender = nil
                return
            }
        }
    }
}
