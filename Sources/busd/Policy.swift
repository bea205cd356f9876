// Who is who. Identity is what the kernel recorded when the peer connected, never what a message says. Which role a
// method needs is written in its interface: `Interfaces.role(for:)`.
import Bus
import Glibc
import Platform

/// The rules, with the groups looked up once (and again at SIGHUP).
struct Policy {
    private let readers: UInt32?
    private let daemons: UInt32?
    private let administrators: UInt32?
    private let ownUser: UInt32
    private let owners: [UInt32: Property]

    /// The rules of this host; nil for groups that it does not have.
    init() {
        self.init(
            readers: Accounts.group("evenkeel"), daemons: Accounts.group("evenkeel-private"),
            administrators: Accounts.group("evenkeel-admin"), ownUser: geteuid(),
            owners: Property.suite.reduce(into: [:]) { owners, property in
                if let uid = Accounts.user(property.account) { owners[uid] = property }
            })
    }

    /// `owners`: the users that the daemons run as.
    init(
        readers: UInt32?, daemons: UInt32?, administrators: UInt32?, ownUser: UInt32, owners: [UInt32: Property] = [:]
    ) {
        self.owners = owners
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

    /// What a peer may register and publish.
    func claim(of peer: PeerCredentials) -> Claim {
        if peer.uid == 0 || peer.uid == ownUser { return .everything }
        switch role(of: peer) {
        case .administrator: return .foreign
        case .daemon: return owners[peer.uid].map { .property($0) } ?? .nothing
        case .reader, .stranger: return .nothing
        }
    }

    /// Whether room is kept for a user.
    func isReserved(_ uid: UInt32) -> Bool { uid == 0 || uid == ownUser || owners[uid] != nil }
}

extension PeerCredentials {
    fileprivate func isMember(of group: UInt32?) -> Bool {
        guard let group else { return false }
        return gid == group || groups.contains(group)
    }
}
