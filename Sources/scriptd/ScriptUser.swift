// Who runs a program, from names to numbers, by keepalived's rules: the script's user, else keepalived_script where it exists, else root.

import Bus
import Glibc
import Platform

/// A user that programs run as.
struct ScriptUser {
    /// The user and group to become; nil: what this process is.
    var identity: (uid: UInt32, gid: UInt32)?
    /// The program runs as root.
    var isRoot: Bool
    /// HOME, USER, LOGNAME and SHELL.
    var environment: [String]

    /// keepalived's default, where it exists.
    static let standard = "keepalived_script"

    /// Looks a user and a group up, by name or number.
    init(_ user: String?, group: String?, isSecure: Bool) throws(ScriptRefusal) {
        let name: String
        if let user {
            name = user
        } else if Self.entry(Self.standard) != nil {
            name = Self.standard
        } else {
            guard !isSecure else {
                throw ScriptRefusal(
                    .unknownUser,
                    "there is no user \(Self.standard), and with enable_script_security nothing runs as root unasked; "
                        + "make that user, or name one with script_user")
            }
            name = "\(geteuid())"
        }
        guard let entry = Self.entry(name) else {
            throw ScriptRefusal(.unknownUser, "there is no user \(name) on this host")
        }
        var gid = entry.gid
        if let group {
            guard let number = Accounts.group(group) ?? UInt32(group) else {
                throw ScriptRefusal(.unknownUser, "there is no group \(group) on this host")
            }
            gid = number
        }
        isRoot = entry.uid == 0
        environment = entry.environment
        // Where scriptd is not root it runs everything as itself, or not at all.
        if geteuid() == 0 || entry.uid != geteuid() { identity = (entry.uid, gid) }
    }

    private struct Entry {
        let uid: UInt32
        let gid: UInt32
        let environment: [String]
    }

    private static func entry(_ user: String) -> Entry? {
        guard let found = getpwnam(user) ?? UInt32(user).flatMap({ getpwuid($0) }) else { return nil }
        func text(_ pointer: UnsafeMutablePointer<CChar>?) -> String { pointer.map { String(cString: $0) } ?? "" }
        let name = text(found.pointee.pw_name)
        return Entry(
            uid: found.pointee.pw_uid, gid: found.pointee.pw_gid,
            environment: ["HOME=\(text(found.pointee.pw_dir))", "USER=\(name)", "LOGNAME=\(name)", "SHELL=/bin/sh"])
    }
}

/// A program that is not run as the configuration has it.
struct ScriptRefusal: Error {
    let reason: ScriptAPI.Reason
    let message: String

    init(_ reason: ScriptAPI.Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }
}
