// A TCP server and a UDP server on loopback that do, step by step, what a test wants. They run on the test's own loop.
import CLinux
import Glibc
import Platform
import Testing

/// A TCP server: every connection gets the same steps.
final class ScriptedServer {
    /// One after the other; after the last the connection stays open.
    enum Step: Sendable {
        case say(String)
        /// This, octet by octet.
        case drip(String, every: Duration)
        /// Octets without end.
        case flood
        /// Wait for a line.
        case hear
        case close
        case reset
    }

    private final class Guest {
        let socket: FileDescriptor
        var watch: Watch?
        var timer: LoopTimer?
        var steps: ArraySlice<Step>
        /// Lines that no step has waited for yet.
        var unheard = 0
        var isHearing = false

        init(_ socket: consuming FileDescriptor, _ steps: [Step]) {
            self.socket = socket
            self.steps = steps[...]
        }
    }

    let port: UInt16
    /// What clients said, line by line.
    private(set) var lines: [String] = []
    /// Of connections from now on.
    var steps: [Step]
    private let loop: EventLoop
    private let listener: FileDescriptor
    private var watch: Watch?
    private var guests: [ObjectIdentifier: Guest] = [:]

    init(_ steps: [Step], on loop: EventLoop, ipv6: Bool = false) throws {
        self.steps = steps
        self.loop = loop
        let (socket, port) = try Loopback.bind(SOCK_STREAM, ipv6: ipv6)
        self.port = port
        listener = FileDescriptor(owning: socket)
        try Errno.check(Glibc.listen(socket, 512), "listen")
        watch = try loop.watch(socket, .read) { [weak self] _ in self?.accept() }
    }

    private func accept() {
        while case let number = Glibc.accept(listener.number, nil, nil), number >= 0 {
            _ = ek_set_nonblocking(number)
            let guest = Guest(FileDescriptor(owning: number), steps)
            guests[ObjectIdentifier(guest)] = guest
            guest.watch = try? loop.watch(number, .read) { [weak self, weak guest] _ in
                if let guest { self?.receive(guest) }
            }
            goOn(guest)
        }
    }

    private func receive(_ guest: Guest) {
        var chunk = [UInt8](repeating: 0, count: 4096)
        let count = (try? chunk.withUnsafeMutableBytes { try guest.socket.read(into: $0) }) ?? 0
        guard count > 0 else { return leave(guest) }
        let said = String(decoding: chunk.prefix(count), as: UTF8.self).split(separator: "\r\n").map(String.init)
        lines += said
        guest.unheard += said.count
        if guest.isHearing {
            guest.isHearing = false
            guest.unheard -= 1
            goOn(guest)
        }
    }

    private func goOn(_ guest: Guest) {
        while let step = guest.steps.popFirst() {
            switch step {
            case .say(let text): _ = try? Array(text.utf8).withUnsafeBytes { try guest.socket.write($0) }
            case .drip(let text, let interval):
                guard let first = text.first else { continue }
                _ = try? Array(String(first).utf8).withUnsafeBytes { try guest.socket.write($0) }
                guest.steps.insert(.drip(String(text.dropFirst()), every: interval), at: guest.steps.startIndex)
                return later(guest, interval)
            case .flood:
                _ = try? [UInt8](repeating: 0x78, count: 1 << 15).withUnsafeBytes { try guest.socket.write($0) }
                guest.steps.insert(.flood, at: guest.steps.startIndex)
                return later(guest, .milliseconds(1))
            case .hear where guest.unheard > 0: guest.unheard -= 1
            case .hear:
                guest.isHearing = true
                return
            case .close: return leave(guest)
            case .reset:
                var now = linger(l_onoff: 1, l_linger: 0)
                setsockopt(guest.socket.number, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
                return leave(guest)
            }
        }
    }

    private func later(_ guest: Guest, _ interval: Duration) {
        guest.timer = loop.timer { [weak self, weak guest] in
            if let guest { self?.goOn(guest) }
        }
        guest.timer?.arm(after: interval)
    }

    private func leave(_ guest: Guest) {
        guest.watch?.cancel()
        guest.timer?.disarm()
        guests[ObjectIdentifier(guest)] = nil
    }
}

/// A UDP server: what a datagram is answered with.
final class DatagramServer {
    let port: UInt16
    /// Every datagram that came.
    private(set) var heard: [[UInt8]] = []
    /// Of datagrams from now on.
    var answer: ([UInt8]) -> [[UInt8]]
    /// After the first answer it is given again and again, so far apart.
    var repeats: Duration?
    private let loop: EventLoop
    private var timer: LoopTimer?
    private let socket: FileDescriptor
    private var watch: Watch?

    init(on loop: EventLoop, ipv6: Bool = false, answer: @escaping ([UInt8]) -> [[UInt8]]) throws {
        self.answer = answer
        self.loop = loop
        let (number, port) = try Loopback.bind(SOCK_DGRAM, ipv6: ipv6)
        self.port = port
        socket = FileDescriptor(owning: number)
        watch = try loop.watch(number, .read) { [weak self] _ in self?.receive() }
    }

    private func receive() {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var from = sockaddr_storage()
        while true {
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let count = withUnsafeMutablePointer(to: &from) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    recvfrom(socket.number, &buffer, buffer.count, 0, $0, &length)
                }
            }
            guard count >= 0 else { return }
            heard.append(Array(buffer.prefix(count)))
            send(answer(Array(buffer.prefix(count))), to: from, length)
        }
    }

    private func send(_ replies: [[UInt8]], to name: sockaddr_storage, _ length: socklen_t) {
        for reply in replies {
            _ = withUnsafePointer(to: name) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(socket.number, reply, reply.count, 0, $0, length)
                }
            }
        }
        guard let repeats else { return }
        timer = loop.timer { [weak self] in self?.send(replies, to: name, length) }
        timer?.arm(after: repeats)
    }
}

/// Sockets on 127.0.0.1 or ::1, on a port of their own.
enum Loopback {
    static func bind(_ type: __socket_type, ipv6: Bool) throws -> (socket: Int32, port: UInt16) {
        let number = try Errno.check(
            socket(ipv6 ? AF_INET6 : AF_INET, Int32(type.rawValue | SOCK_CLOEXEC.rawValue), 0), "socket")
        try Errno.check(ek_set_nonblocking(number), "fcntl")
        var storage = sockaddr_storage()
        return try withUnsafeMutableBytes(of: &storage) { octets in
            if ipv6 {
                var name = sockaddr_in6()
                name.sin6_family = sa_family_t(AF_INET6)
                name.sin6_addr = in6addr_loopback
                withUnsafeBytes(of: &name) { octets.copyMemory(from: $0) }
            } else {
                var name = sockaddr_in()
                name.sin_family = sa_family_t(AF_INET)
                name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
                withUnsafeBytes(of: &name) { octets.copyMemory(from: $0) }
            }
            var length = socklen_t(ipv6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size)
            let address = try #require(octets.baseAddress).assumingMemoryBound(to: sockaddr.self)
            try Errno.check(Glibc.bind(number, address, length), "bind")
            try Errno.check(getsockname(number, address, &length), "getsockname")
            // The port is at the same place in both.
            return (number, UInt16(octets[2]) << 8 | UInt16(octets[3]))
        }
    }

    /// A port of 127.0.0.1 for a program that is about to be started.
    static func freePort(_ type: __socket_type = SOCK_STREAM) throws -> UInt16 {
        let (socket, port) = try bind(type, ipv6: false)
        close(socket)
        return port
    }

    /// Whether somebody takes TCP connections on a port of 127.0.0.1.
    static func accepts(_ port: UInt16) -> Bool {
        let socket = FileDescriptor(owning: Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        name.sin_port = port.bigEndian
        return withUnsafePointer(to: name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket.number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        } == 0
    }
}
