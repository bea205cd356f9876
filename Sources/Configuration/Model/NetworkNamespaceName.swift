// Which network namespace a daemon works in: `net_namespace` and, for the IPVS table, `net_namespace_ipvs`. It is fixed for the life of a process: sockets stay
// where they were made.

/// A network namespace as a configuration names it.
public enum NetworkNamespaceName: Hashable, Sendable, CustomStringConvertible {
    /// One of `ip netns`.
    case named(String)
    /// The one that the host's first process works in.
    case host

    /// The file that stands for it.
    public var path: String {
        switch self {
        case .named(let name): "/run/netns/\(name)"
        case .host: "/proc/1/ns/net"
        }
    }

    public var description: String {
        switch self {
        case .named(let name): name
        case .host: "of the host"
        }
    }
}

extension GlobalDefinitions {
    /// Where ipvsd works; nil = where it was started.
    public var tableNamespace: NetworkNamespaceName? { ipvsNamespace ?? networkNamespace }

    /// Why a process that works by `running` cannot go over to these, of the file at `path`; nil = it can.
    public func obstacle(after running: GlobalDefinitions, in path: String) -> Diagnostic? {
        func change(_ word: String, _ name: KeyPath<GlobalDefinitions, NetworkNamespaceName?>) -> String? {
            let (before, now) = (running[keyPath: name], self[keyPath: name])
            guard before != now else { return nil }
            return "\(word) was \(before.map { "\($0)" } ?? "absent") and is \(now.map { "\($0)" } ?? "absent")"
        }
        let changes = [
            change("net_namespace", \.networkNamespace), change("net_namespace_ipvs", \.ipvsNamespace),
        ].compactMap(\.self)
        guard !changes.isEmpty else { return nil }
        return .ofFile(
            path, .badValue, "\(changes.joined(separator: ", ")): a daemon that runs stays in its network namespace",
            remedy: "put it back, or restart all daemons")
    }
}
