// A daemon that holds a Register call: who it is, and the connections to it.
import Bus
import Glibc
import Platform

final class AttachedService {
    let registration: BusAPI.Register
    let description: BusAPI.Service
    /// The connections to it, for calls that are passed on.
    let upstreams: UpstreamPool

    init(_ registration: BusAPI.Register, at socketPath: String, _ peer: PeerCredentials, _ broker: Broker) {
        self.registration = registration
        description = BusAPI.Service(
            name: registration.name, interfaces: registration.interfaces, address: registration.address,
            uid: Int(peer.uid), pid: Int(peer.pid), since: SystemClock.timestamp)
        upstreams = UpstreamPool(registration.name, at: socketPath, of: peer.uid, broker)
    }
}

/// Where daemons' sockets are: only root and the daemons can make one there.
struct PrivateDirectory {
    let path: String

    /// Whether a socket's path is a name directly in it, however the directory's path is spelt.
    func contains(_ socket: String) -> Bool {
        guard let slash = socket.utf8.lastIndex(of: UInt8(ascii: "/")), socket.utf8.first == UInt8(ascii: "/") else {
            return false
        }
        let name = socket[socket.utf8.index(after: slash)...]
        guard !name.isEmpty, name != ".", name != ".." else { return false }
        guard let own = Self.identity(path), let other = Self.identity(String(socket[..<slash])) else { return false }
        return own == other
    }

    private static func identity(_ path: String) -> [UInt64]? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return [UInt64(status.st_dev), UInt64(status.st_ino)]
    }
}
