// A server on loopback that answers as badly as a test wants. It runs on the test's own loop.
import CLinux
import Glibc
import Platform
import Testing

/// Listens on a port of its own on 127.0.0.1.
final class TinyServer {
    /// What happens to a connection.
    enum Manner: Sendable {
        /// Read the request, send this, close.
        case answer([UInt8])
        /// Read the request, send this, keep the connection open.
        case answerAndStay([UInt8])
        /// Read the request, wait, send this, close.
        case answerLater([UInt8], after: Duration)
        /// Send this without reading the request, then close: what is unread makes that a reset.
        case answerUnread([UInt8])
        /// Never accept; after two connections the kernel does not answer more.
        case deaf
        /// Accept, then nothing.
        case stall
        /// Read the request, then send this octet by octet.
        case drip([UInt8], every: Duration)
        /// Read the request, send this, then this octet for ever.
        case endless([UInt8])
        /// Read the request, then reset the connection.
        case reset
    }

    /// One connection.
    private final class Guest {
        let socket: FileDescriptor
        var watch: Watch?
        var timer: LoopTimer?
        var request: [UInt8] = []
        var output: ArraySlice<UInt8> = []
        var isEndless = false

        init(_ socket: consuming FileDescriptor) { self.socket = socket }
    }

    let port: UInt16
    var manner: Manner
    /// The requests of every connection that sent one.
    private(set) var requests: [String] = []
    /// Whether a request has come whole.
    var endsRequest: ([UInt8]) -> Bool = { $0.suffix(4).elementsEqual("\r\n\r\n".utf8) }
    /// Where the connections came from.
    private(set) var sources: [String] = []
    private let loop: EventLoop
    private var listener: FileDescriptor?
    /// Bound and never listening: nobody else gets the port while this server refuses.
    private let place: FileDescriptor
    private var watch: Watch?
    private var guests: [ObjectIdentifier: Guest] = [:]

    init(_ manner: Manner, on loop: EventLoop) throws {
        self.manner = manner
        self.loop = loop
        let (socket, port) = try Self.bind(to: 0)
        self.port = port
        // Before anybody listens: then two sockets may have it.
        place = FileDescriptor(owning: try Self.bind(to: port).socket)
        listener = FileDescriptor(owning: socket)
        try attend()
    }

    /// Refuses connections from now on, on the same port.
    func close() {
        watch?.cancel()
        watch = nil
        listener = nil
        guests.removeAll()
    }

    /// Accepts connections again.
    func open() throws {
        listener = FileDescriptor(owning: try Self.bind(to: port).socket)
        try attend()
    }

    static func bind(to port: UInt16) throws -> (socket: Int32, port: UInt16) {
        let socket = FileDescriptor(
            owning: try Errno.check(
                Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0), "socket"))
        let number = socket.number
        try Errno.check(ek_set_nonblocking(socket.number), "fcntl")
        var one: Int32 = 1
        setsockopt(socket.number, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        name.sin_port = port.bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard Glibc.bind(number, address, length) == 0 else { return -errno }
                return getsockname(number, address, &length)
            }
        }
        try Errno.check(result, "bind")
        return (socket.release(), UInt16(bigEndian: name.sin_port))
    }

    private func attend() throws {
        guard let number = listener?.number else { return }
        if case .deaf = manner {
            _ = Glibc.listen(number, 0)
            return
        }
        try Errno.check(Glibc.listen(number, 4096), "listen")
        watch = try loop.watch(number, .read) { [weak self] _ in self?.accept(number) }
    }

    private func accept(_ listener: Int32) {
        while true {
            var name = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let number = withUnsafeMutablePointer(to: &name) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.accept(listener, $0, &length) }
            }
            guard number >= 0 else { return }
            _ = ek_set_nonblocking(number)
            _ = fcntl(number, F_SETFD, FD_CLOEXEC)
            sources.append(String(cString: inet_ntoa(name.sin_addr)))
            let guest = Guest(FileDescriptor(owning: number))
            guests[ObjectIdentifier(guest)] = guest
            if case .stall = manner { continue }
            if case .answerUnread(let octets) = manner {
                answer(octets, to: guest, after: .milliseconds(50))
                continue
            }
            guest.watch = try? loop.watch(number, .read) { [weak self, weak guest] _ in
                if let guest { self?.receive(from: guest) }
            }
        }
    }

    private func receive(from guest: Guest) {
        var chunk = [UInt8](repeating: 0, count: 4096)
        let count = (try? chunk.withUnsafeMutableBytes { try guest.socket.read(into: $0) }) ?? 0
        guard count > 0 else { return leave(guest) }
        guest.request += chunk[..<count]
        guard endsRequest(guest.request) else { return }
        requests.append(String(decoding: guest.request, as: UTF8.self))
        switch manner {
        case .deaf, .stall, .answerUnread: break
        case .answerLater(let octets, let delay): answer(octets, to: guest, after: delay)
        case .answer(let octets): send(octets, to: guest, closes: true)
        case .answerAndStay(let octets): send(octets, to: guest, closes: false)
        case .drip(let octets, let interval): drip(octets[...], every: interval, to: guest)
        case .endless(let octets):
            guest.isEndless = true
            send(octets, to: guest, closes: false)
        case .reset:
            var now = linger(l_onoff: 1, l_linger: 0)
            setsockopt(guest.socket.number, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
            leave(guest)
        }
    }

    private func send(_ octets: [UInt8], to guest: Guest, closes: Bool) {
        guest.output = octets[...]
        try? guest.watch?.update([.write])
        guest.watch?.cancel()
        guest.watch = try? loop.watch(guest.socket.number, [.write]) { [weak self, weak guest] _ in
            if let guest { self?.push(guest, closes: closes) }
        }
    }

    private func push(_ guest: Guest, closes: Bool) {
        if guest.isEndless, guest.output.isEmpty { guest.output = [UInt8](repeating: 0x78, count: 1 << 16)[...] }
        do {
            while !guest.output.isEmpty {
                let written = try guest.output.withUnsafeBytes { try guest.socket.write($0) }
                guest.output = guest.output.dropFirst(written)
            }
        } catch {
            if (error as? Errno)?.isWouldBlock == true { return }
            return leave(guest)
        }
        if guest.isEndless { return }
        guest.watch?.cancel()
        if closes { leave(guest) }
    }

    private func answer(_ octets: [UInt8], to guest: Guest, after delay: Duration) {
        guest.timer = loop.timer { [weak self, weak guest] in
            guard let self, let guest else { return }
            self.send(octets, to: guest, closes: true)
        }
        guest.timer?.arm(after: delay)
    }

    private func drip(_ octets: ArraySlice<UInt8>, every interval: Duration, to guest: Guest) {
        guard let first = octets.first else { return leave(guest) }
        _ = try? [first].withUnsafeBytes { try guest.socket.write($0) }
        guest.timer = loop.timer { [weak self, weak guest] in
            if let guest { self?.drip(octets.dropFirst(), every: interval, to: guest) }
        }
        guest.timer?.arm(after: interval)
    }

    private func leave(_ guest: Guest) {
        guest.watch?.cancel()
        guest.timer?.disarm()
        guests[ObjectIdentifier(guest)] = nil
    }
}
