// Who may call what. Identity is what the kernel recorded when the peer connected, never what a message says; this file
// is the only place that knows which methods read and which change.
import Bus
import Glibc
import Platform

/// What a caller may do.
enum Role: Int, Comparable {
    /// Nothing.
    case stranger
    /// Read and subscribe: group evenkeel.
    case reader
    /// Read, subscribe, register and publish: group evenkeel-private, the suite's daemons.
    case daemon
    /// Everything: root, busd's own user, group evenkeel-admin.
    case administrator

    static func < (left: Role, right: Role) -> Bool { left.rawValue < right.rawValue }
}

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

    /// The least role that may call a method. What is not named in `roles` changes something: for administrators.
    static func needed(for method: String) -> Role { roles[method] ?? .administrator }

    private static let roles: [String: Role] = [
        "org.varlink.service.GetInfo": .reader,
        "org.varlink.service.GetInterfaceDescription": .reader,
        "org.varlink.resolver.GetInfo": .reader,
        "org.varlink.resolver.Resolve": .reader,
        BusAPI.Subscribe.method: .reader,
        BusAPI.ListServices.method: .reader,
        BusAPI.GetStatistics.method: .reader,
        BusAPI.Register.method: .daemon,
        BusAPI.Publish.method: .daemon,
        VrrpAPI.List.method: .reader,
        VrrpAPI.Show.method: .reader,
        IpvsAPI.ListServices.method: .reader,
        IpvsAPI.ShowService.method: .reader,
        CheckAPI.List.method: .reader,
    ]
}

extension PeerCredentials {
    fileprivate func isMember(of group: UInt32?) -> Bool {
        guard let group else { return false }
        return gid == group || groups.contains(group)
    }
}
