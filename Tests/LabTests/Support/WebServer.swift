// A real server's web server: answers every request with its host's name. Stopping closes the port, so that connections to it
// are refused, as when the process is killed.
import Glibc
import Net
import Platform

final class WebServer {
    let host: Host
    private let loop: EventLoop
    private var listener: Int32 = -1
    private var watch: Watch?
    private var connections: [Int32: Watch] = [:]

    init(on host: Host, loop: EventLoop) throws {
        self.host = host
        self.loop = loop
        try start()
    }

    deinit { stop() }

    func start() throws {
        listener = try host.inside { try TCP.socket() }
        var yes: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        try Errno.check(TCP.withAddress("0.0.0.0", 80) { bind(listener, $0, $1) }, "bind")
        try Errno.check(listen(listener, 64), "listen")
        watch = try loop.watch(listener, .read) { [weak self] _ in self?.accept() }
    }

    func stop() {
        guard listener >= 0 else { return }
        watch = nil
        close(listener)
        listener = -1
        for connection in connections.keys { end(connection) }
    }

    private func accept() {
        while case let connection = Glibc.accept(listener, nil, nil), connection >= 0 {
            _ = fcntl(connection, F_SETFL, O_NONBLOCK)
            connections[connection] = try? loop.watch(connection, .read) { [weak self] _ in self?.serve(connection) }
        }
    }

    private func serve(_ connection: Int32) {
        if let request = try? TCP.read(connection), request.hasPrefix("GET ") {
            try? TCP.write("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n\(host.rawValue)", to: connection)
        }
        end(connection)
    }

    private func end(_ connection: Int32) {
        connections[connection] = nil
        close(connection)
    }
}
