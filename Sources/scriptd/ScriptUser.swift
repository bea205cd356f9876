// Who runs a program, from names to numbers, by keepalived's rules: the script's user, else keepalived_script where it exists, else root.
// A data base that cannot be read says nothing about who exists: that is this host's trouble, and nothing runs as root for it.

import Bus
import Glibc
import Platform

/// A user that programs run as.
struct ScriptUser: Sendable {
    /// The user and group to become; nil: what this process is.
    var identity: (uid: UInt32, gid: UInt32)?
    /// The groups that the program has.
    var groups: [UInt32] = []
    /// The program runs as root.
    var isRoot: Bool
    /// HOME, USER, LOGNAME and SHELL.
    var environment: [String]

    /// keepalived's default, where it exists.
    static let standard = "keepalived_script"

    /// Looks a user and a group up, by name or number. May wait for a directory service.
    init(
        _ user: String?, group: String?, isSecure: Bool, hasAllGroups: Bool = false,
        in database: UserDatabase = .system
    ) throws(ScriptRefusal) {
        let account: UserDatabase.Account
        if let user {
            account = try Self.named(user, in: database)
        } else if let standard = try Self.known({ () throws(Errno) in try database.user(Self.standard) }) {
            account = standard
        } else {
            guard !isSecure else {
                throw ScriptRefusal(
                    .unknownUser,
                    "there is no user \(Self.standard), and with enable_script_security nothing runs as root unasked; "
                        + "make that user, or name one with script_user")
            }
            account = try Self.named("\(geteuid())", in: database)
        }
        var gid = account.gid
        if let group {
            let named = try Self.known { () throws(Errno) in try database.group(group) }
            guard let number = named ?? UInt32(group) else {
                throw ScriptRefusal(.unknownUser, "there is no group \(group) on this host")
            }
            gid = number
        }
        groups = [gid]
        if hasAllGroups {
            let all = try Self.known { () throws(Errno) in try database.groups(account.name, gid) }
            groups = all ?? groups
        }
        isRoot = account.uid == 0
        environment = [
            "HOME=\(account.home)", "USER=\(account.name)", "LOGNAME=\(account.name)", "SHELL=/bin/sh",
        ]
        // Where scriptd is not root it runs everything as itself, or not at all.
        if geteuid() == 0 || account.uid != geteuid() { identity = (account.uid, gid) }
    }

    private static func named(_ user: String, in database: UserDatabase) throws(ScriptRefusal) -> UserDatabase.Account {
        let found = try known { () throws(Errno) in
            if let account = try database.user(user) { return account }
            return if let uid = UInt32(user) { try database.userNumbered(uid) } else { nil }
        }
        guard let found else { throw ScriptRefusal(.unknownUser, "there is no user \(user) on this host") }
        return found
    }

    /// An error is this host's trouble.
    private static func known<Found>(_ look: () throws(Errno) -> Found?) throws(ScriptRefusal) -> Found? {
        do throws(Errno) {
            return try look()
        } catch {
            throw ScriptRefusal(nil, "users and groups cannot be looked up (\(error)); see /etc/nsswitch.conf")
        }
    }
}

/// The user and group databases. nil: there is none of that name; Errno: that is not known.
struct UserDatabase: Sendable {
    /// A user.
    struct Account: Sendable {
        var name: String
        var uid: UInt32
        var gid: UInt32
        var home: String
    }

    var user: @Sendable (String) throws(Errno) -> Account?
    var userNumbered: @Sendable (UInt32) throws(Errno) -> Account?
    var group: @Sendable (String) throws(Errno) -> UInt32?
    /// All groups of a user, with this one.
    var groups: @Sendable (String, UInt32) throws(Errno) -> [UInt32]? = { _, group in [group] }

    /// This host's, by NSS.
    static let system = UserDatabase(
        user: { name throws(Errno) in
            var entry = passwd()
            return try look("getpwnam_r", { getpwnam_r(name, &entry, $0, $1, $2) }, { account($0 as passwd) })
        },
        userNumbered: { uid throws(Errno) in
            var entry = passwd()
            return try look("getpwuid_r", { getpwuid_r(uid, &entry, $0, $1, $2) }, { account($0 as passwd) })
        },
        group: { name throws(Errno) in
            var entry = Glibc.group()
            return try look(
                "getgrnam_r", { getgrnam_r(name, &entry, $0, $1, $2) }, { ($0 as Glibc.group).gr_gid })
        },
        groups: { name, group in
            var count = Int32(64)
            while true {
                var list = [gid_t](repeating: 0, count: Int(count))
                if getgrouplist(name, group, &list, &count) >= 0 { return Array(list.prefix(Int(count))) }
                // As many as the kernel takes.
                guard Int(count) > list.count, count <= 65536 else { return nil }
            }
        })

    private static func account(_ entry: passwd) -> Account {
        func text(_ pointer: UnsafeMutablePointer<CChar>?) -> String { pointer.map { String(cString: $0) } ?? "" }
        return Account(name: text(entry.pw_name), uid: entry.pw_uid, gid: entry.pw_gid, home: text(entry.pw_dir))
    }

    /// Only 0 without an entry means that there is none. A group's list of members may be long.
    private static func look<Entry, Found>(
        _ name: StaticString,
        _ call: (UnsafeMutablePointer<CChar>, Int, UnsafeMutablePointer<UnsafeMutablePointer<Entry>?>) -> Int32,
        _ take: (Entry) -> Found
    ) throws(Errno) -> Found? {
        var size = 1 << 14
        while true {
            let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: size)
            defer { buffer.deallocate() }
            var result: UnsafeMutablePointer<Entry>?
            let code = call(buffer, size, &result)
            if code == 0 { return result.map { take($0.pointee) } }
            if code == EINTR { continue }
            guard code == ERANGE, size < 1 << 24 else { throw Errno(code, name) }
            size *= 4
        }
    }
}
