// What the shell offers after TAB: the names that exist on this director right now. A bus that does not answer offers
// nothing, within half a second.
import ArgumentParser
import Bus
import JSON

extension CompletionKind {
    /// VRRP instances.
    static var instances: CompletionKind { names { try? Naming.instances(of: $0).map(\.name) } }
    /// Virtual services.
    static var services: CompletionKind { names { try? Naming.known(of: $0).services } }
    /// Real servers.
    static var servers: CompletionKind { names { try? Naming.known(of: $0).servers } }
    /// Interfaces of the bus.
    static var interfaces: CompletionKind {
        names { try? $0.service("GetInfo", [:], of: nil)["interfaces"]?.array?.compactMap(\.string) }
    }

    private static func names(_ list: @escaping @Sendable (Link) -> [String]?) -> CompletionKind {
        .custom { _, _, _ in
            list(Link(socket: Link.usualSocket, isDirect: false, timeout: .milliseconds(500))) ?? []
        }
    }
}
