// A real server's web server: answers every request with its host's name, over IPv4 and IPv6. Stopping closes the port, so that connections
// to it are refused, as when the process is killed. A line that is no request is answered with a line, and the connection goes on.
import Glibc
import Net
import Platform

final class WebServer {
    let host: Host
    /// False: it answers /health_check with 503.
    var isHealthy = true
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
        listener = try host.inside { try TCP.socket(SOCK_STREAM, .inet6) }
        var yes: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        try Errno.check(TCP.withAddress("::", 80) { bind(listener, $0, $1) }, "bind")
        try Errno.check(listen(listener, 512), "listen")
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
        guard let text = try? TCP.read(connection), !text.isEmpty else { return end(connection) }
        guard text.hasPrefix("GET ") else {
            try? TCP.write("\(host.rawValue) \(text)", to: connection)
            return
        }
        let isHealthy = isHealthy || !text.hasPrefix("GET /health_check ")
        let status = isHealthy ? "200 OK" : "503 Service Unavailable"
        try? TCP.write("HTTP/1.0 \(status)\r\nContent-Type: text/plain\r\n\r\n\(host.rawValue)", to: connection)
        end(connection)
    }

    private func end(_ connection: Int32) {
        connections[connection] = nil
        close(connection)
    }
}
