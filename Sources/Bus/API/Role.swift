// Who may call what. A method's role stands in the .varlink file (`Interfaces.roles` is generated from it); the role of a
// peer is busd's to find out.
import Varlink

/// What a caller may do. Each may do what the ones before it may.
public enum Role: Int, Comparable, Sendable {
    /// Nothing.
    case stranger
    /// Read and subscribe: group evenkeel.
    case reader
    /// Read, subscribe, register and publish: group evenkeel-private, the suite's daemons.
    case daemon
    /// Everything: root, busd's own user, group evenkeel-admin.
    case administrator

    public static func < (left: Role, right: Role) -> Bool { left.rawValue < right.rawValue }
}

extension Interfaces {
    /// The least role that may call a method. A method that this version does not know may change something: it is for
    /// administrators.
    public static func role(for method: String) -> Role {
        if let role = roles[method] { return role }
        return VarlinkCall.split(method)?.interface == VarlinkService.interface[...] ? .reader : .administrator
    }
}
