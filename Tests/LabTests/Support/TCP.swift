// The few socket calls that the web servers and the clients of the lab share.
import Glibc
import Net
import Platform

enum TCP {
    /// A non-blocking IPv4 socket in the network namespace of this thread.
    static func socket(_ type: __socket_type = SOCK_STREAM) throws(Errno) -> Int32 {
        try Errno.check(
            Glibc.socket(AF_INET, Int32(type.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0), "socket")
    }

    /// Calls `body` with the socket address of `address` and `port`.
    static func withAddress(
        _ address: String, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var socketAddress = sockaddr_in()
        socketAddress.sin_family = sa_family_t(AF_INET)
        socketAddress.sin_port = port.bigEndian
        socketAddress.sin_addr.s_addr = (IPv4Address(address) ?? .any).rawValue.bigEndian
        return withUnsafePointer(to: socketAddress) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// Reads at most 4 KB as text; nil while there is nothing yet. The end of the stream is the empty text.
    static func read(_ descriptor: Int32) throws(Errno) -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        if count < 0, errno == EAGAIN { return nil }
        guard count >= 0 else { throw Errno(errno, "read") }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }

    /// Writes a short text.
    static func write(_ text: String, to descriptor: Int32) throws(Errno) {
        let bytes = Array(text.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else { throw Errno(errno, "write") }
    }
}
