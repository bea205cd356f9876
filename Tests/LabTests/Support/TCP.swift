// The few socket calls that the web servers and the clients of the lab share.
import Glibc
import Net
import Platform

enum TCP {
    /// A non-blocking socket in the network namespace of this thread.
    static func socket(
        _ type: __socket_type = SOCK_STREAM, _ family: AddressFamily = .inet
    ) throws(Errno) -> Int32 {
        let type = Int32(type.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        return try Errno.check(Glibc.socket(family == .inet ? AF_INET : AF_INET6, type, 0), "socket")
    }

    /// Calls `body` with the socket address of `address` and `port`.
    static func withAddress(
        _ address: String, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        switch IPAddress(address) ?? .v4(.any) {
        case .v4(let address):
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = port.bigEndian
            name.sin_addr.s_addr = address.rawValue.bigEndian
            return with(name, body)
        case .v6(let address):
            var name = sockaddr_in6()
            name.sin6_family = sa_family_t(AF_INET6)
            name.sin6_port = port.bigEndian
            withUnsafeMutableBytes(of: &name.sin6_addr) { $0.copyBytes(from: address.octets) }
            return with(name, body)
        }
    }

    private static func with<Name>(
        _ name: Name, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        withUnsafeBytes(of: name) { bytes in
            guard let start = bytes.bindMemory(to: sockaddr.self).baseAddress else { return -1 }
            return body(start, socklen_t(bytes.count))
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
