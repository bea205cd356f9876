// The address syntax of Varlink: https://varlink.org/Address. Only Unix sockets are used here; the rest is recognised
// so that the message can say so.

/// Where a service is.
public enum VarlinkAddress: Hashable, Sendable, CustomStringConvertible {
    /// A socket file; `unix:/path`.
    case unix(path: String)
    /// A name in Linux's abstract namespace; `unix:@name`.
    case abstract(name: String)
    /// `tcp:host:port`. IPv6 hosts stand in brackets.
    case tcp(host: String, port: UInt16)
    /// A character device; `device:/dev/x`.
    case device(path: String)

    /// Reads an address; what follows a `;` is ignored. A bare path with a `/` in it counts as a socket file.
    public init?(_ text: some StringProtocol) {
        let address = text.prefix { $0 != ";" }
        guard let colon = address.firstIndex(of: ":"), !address.hasPrefix("/"), !address.hasPrefix("./") else {
            guard address.contains("/") else { return nil }
            self = .unix(path: String(address))
            return
        }
        let rest = address[address.index(after: colon)...]
        guard !rest.isEmpty else { return nil }
        switch address[..<colon] {
        case "unix" where rest.hasPrefix("@"):
            guard rest.count > 1 else { return nil }
            self = .abstract(name: String(rest.dropFirst()))
        case "unix": self = .unix(path: String(rest))
        case "device": self = .device(path: String(rest))
        case "tcp":
            guard let last = rest.lastIndex(of: ":"), let port = UInt16(rest[rest.index(after: last)...]) else {
                return nil
            }
            var host = rest[..<last]
            if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
            guard !host.isEmpty else { return nil }
            self = .tcp(host: String(host), port: port)
        default: return nil
        }
    }

    public var description: String {
        switch self {
        case .unix(let path): "unix:\(path)"
        case .abstract(let name): "unix:@\(name)"
        case .tcp(let host, let port): host.contains(":") ? "tcp:[\(host)]:\(port)" : "tcp:\(host):\(port)"
        case .device(let path): "device:\(path)"
        }
    }

    /// The path that `connect` takes for a Unix socket (`@name` for an abstract one); nil for the other kinds.
    public var socketPath: String? {
        switch self {
        case .unix(let path): path
        case .abstract(let name): "@\(name)"
        case .tcp, .device: nil
        }
    }
}
