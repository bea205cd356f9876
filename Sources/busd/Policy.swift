// Who is who. Identity is what the kernel recorded when the peer connected, never what a message says. Which role a method
// needs is written in its interface: `Interfaces.role(for:)`.
import Bus
import Glibc
import Platform

/// The rules, with the groups looked up once (and again at SIGHUP).
struct Policy {
    private let readers: UInt32?
    private let daemons: UInt32?
    private let administrators: UInt32?
    private let ownUser: UInt32

    /// The rules of this host; nil for groups that it does not have.
    init() {
        self.init(
            readers: Accounts.group("evenkeel"), daemons: Accounts.group("evenkeel-private"),
            administrators: Accounts.group("evenkeel-admin"), ownUser: geteuid())
    }

    init(readers: UInt32?, daemons: UInt32?, administrators: UInt32?, ownUser: UInt32) {
        self.readers = readers
        self.daemons = daemons
        self.administrators = administrators
        self.ownUser = ownUser
    }

    /// The role of a peer.
    func role(of peer: PeerCredentials) -> Role {
        if peer.uid == 0 || peer.uid == ownUser || peer.isMember(of: administrators) { return .administrator }
        if peer.isMember(of: daemons) { return .daemon }
        return peer.isMember(of: readers) ? .reader : .stranger
    }
}

extension PeerCredentials {
    fileprivate func isMember(of group: UInt32?) -> Bool {
        guard let group else { return false }
        return gid == group || groups.contains(group)
    }
}
