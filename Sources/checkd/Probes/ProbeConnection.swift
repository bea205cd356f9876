// The TCP connection of a probe and its place in the loop, from the first packet to its end. Whoever has it says what happens when something
// comes.
import CLinux
import Configuration
import HealthCheck
import Platform

/// A connection that is being made, or is made.
final class ProbeConnection {
    let number: Int32
    /// Called in each turn in which it is ready.
    var ready: (Readiness) -> Void = { _ in }
    private var socket: FileDescriptor?
    private var watch: Watch?

    /// Begins to connect; writable when that is decided.
    init(to target: CheckTarget, on loop: EventLoop) throws(ConnectFailure) {
        let socket = try ProbeSocket.tcp.open(to: target)
        number = socket.number
        self.socket = consume socket
        do throws(Errno) {
            watch = try loop.watch(number, .write) { [unowned self] in ready($0) }
        } catch {
            throw ConnectFailure(outcome: SystemFault.here(error.code))
        }
    }

    deinit { close() }

    /// It was neither closed nor given away.
    var isOpen: Bool { watch != nil }

    /// The error that came up on it; 0: none.
    var error: Int32 { ek_socket_error(number) }

    /// What is waited for from now on.
    func expect(_ interest: Readiness) throws(Errno) {
        try watch?.update(interest)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int { ek_read(number, buffer.baseAddress, buffer.count) }

    func write(_ octets: UnsafeRawBufferPointer) -> Int { ek_write(number, octets.baseAddress, octets.count) }

    /// Gives the connection away, out of the loop; nil: it is closed.
    func release() -> Int32? {
        watch?.cancel()
        watch = nil
        guard let socket = socket.take() else { return nil }
        return socket.release()
    }

    /// Nothing is called any more.
    func close() {
        ready = { _ in }
        if let socket = socket.take() { watch?.close(socket) }
        watch = nil
    }
}
