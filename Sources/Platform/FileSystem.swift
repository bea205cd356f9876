// Whole small files: read with a limit, replaced so that a reader sees the old or the new content, never half. State files go through a
// `Ledger`, which does this off the loop.
import CLinux
import Glibc

/// Whole small files.
public enum FileSystem {
    /// The content of a file; nil when there is none; EFBIG when it is larger than `limit` bytes. A pipe whose writer is
    /// silent is waited for a second, then EAGAIN: nothing that a path may name can hold a daemon for longer.
    public static func contents(of path: String, limit: Int) throws(Errno) -> [UInt8]? {
        let result = ek_open(path, O_RDONLY | O_NONBLOCK, 0)
        if result == -ENOENT { return nil }
        return try contents(of: FileDescriptor(owning: try Errno.check(result, "open")), limit: limit)
    }

    /// The content of a file that has to be there: ENOENT where it is not.
    public static func presentContents(of path: String, limit: Int) throws(Errno) -> [UInt8] {
        guard let contents = try contents(of: path, limit: limit) else { throw Errno(ENOENT, "open") }
        return contents
    }

    private static func contents(of descriptor: borrowing FileDescriptor, limit: Int) throws(Errno) -> [UInt8] {
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            var result = chunk.withUnsafeMutableBytes { ek_read(descriptor.number, $0.baseAddress, $0.count) }
            if result == -Int(EAGAIN) {
                var waiting = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
                _ = poll(&waiting, 1, 1000)
                result = chunk.withUnsafeMutableBytes { ek_read(descriptor.number, $0.baseAddress, $0.count) }
            }
            let count = try Errno.check(result, "read")
            guard count > 0 else { return content }
            content += chunk[..<count]
            guard content.count <= limit else { throw Errno(EFBIG, "read") }
        }
    }

    /// Whether something is at the path that can keep a reader waiting or never ends: a pipe, a device, a socket, a directory.
    public static func isSpecial(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT != S_IFREG
    }

    /// What fstat says of a regular file; EINVAL for anything else.
    private static func regular(_ descriptor: borrowing FileDescriptor) throws(Errno) -> stat {
        var status = stat()
        guard fstat(descriptor.number, &status) == 0 else { throw Errno(errno, "fstat") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw Errno(EINVAL, "open") }
        return status
    }

    /// The first octets of a regular file, in one read; nil when there is none. EINVAL for what is no regular file.
    public static func beginning(of path: String, count: Int) throws(Errno) -> [UInt8]? {
        let result = ek_open(path, O_RDONLY | O_NONBLOCK, 0)
        if result == -ENOENT { return nil }
        let descriptor = FileDescriptor(owning: try Errno.check(result, "open"))
        _ = try regular(descriptor)
        var octets = [UInt8](repeating: 0, count: count)
        let length = octets.withUnsafeMutableBytes { ek_read(descriptor.number, $0.baseAddress, $0.count) }
        octets.removeLast(octets.count - Int(try Errno.check(length, "read")))
        return octets
    }

    /// Makes a file that is not there, or with `overwriting` replaces what is in a regular one. Nothing that stands at the path is followed.
    public static func initialise(_ path: String, with content: [UInt8], overwriting: Bool) throws(Errno) {
        let made = ek_open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644)
        if made >= 0 { return try write(content, to: FileDescriptor(owning: made)) }
        guard made == -EEXIST else { throw Errno(-made, "open") }
        guard overwriting else { return }
        let descriptor = FileDescriptor(
            owning: try Errno.check(ek_open(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW, 0), "open"))
        _ = try regular(descriptor)
        guard ftruncate(descriptor.number, 0) == 0 else { throw Errno(errno, "ftruncate") }
        try write(content, to: descriptor)
    }

    /// The content of a file that this process wrote: nil when there is none. Nothing else is believed: ELOOP for a link, EPERM for a file
    /// of another user (root excepted), EINVAL for what is no regular file, EFBIG for a larger one.
    public static func ownContents(of path: String, limit: Int) throws(Errno) -> [UInt8]? {
        let result = ek_open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, 0)
        if result == -ENOENT { return nil }
        let descriptor = FileDescriptor(owning: try Errno.check(result, "open"))
        let status = try regular(descriptor)
        guard status.st_uid == geteuid() || status.st_uid == 0 else { throw Errno(EPERM, "open") }
        return try contents(of: descriptor, limit: limit)
    }

    /// The content of a file that is root's alone; nil when there is none. EPERM when it belongs to somebody else or others have any right to
    /// it, EINVAL for what is no regular file, EFBIG for a larger one.
    public static func secret(of path: String, limit: Int) throws(Errno) -> [UInt8]? {
        let result = ek_open(path, O_RDONLY | O_NONBLOCK, 0)
        if result == -ENOENT { return nil }
        let descriptor = FileDescriptor(owning: try Errno.check(result, "open"))
        let status = try regular(descriptor)
        guard status.st_uid == 0, status.st_mode & 0o077 == 0 else { throw Errno(EPERM, "open") }
        return try contents(of: descriptor, limit: limit)
    }

    /// The content of a file that its owner shares with a group at most: ENOENT when there is none, EPERM when it belongs neither to root nor to
    /// this process's user, when others have any right to it or its group may write it, EINVAL for what is no regular file, EFBIG.
    public static func groupSecret(of path: String, limit: Int) throws(Errno) -> [UInt8] {
        let descriptor = FileDescriptor(owning: try Errno.check(ek_open(path, O_RDONLY | O_NONBLOCK, 0), "open"))
        let status = try regular(descriptor)
        guard status.st_uid == 0 || status.st_uid == geteuid(), status.st_mode & 0o027 == 0 else {
            throw Errno(EPERM, "open")
        }
        return try contents(of: descriptor, limit: limit)
    }

    /// Whether something stands at a path, be it a link that leads nowhere or what this process may not even look for: all but a plain "no".
    public static func mayExist(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 || (errno != ENOENT && errno != ENOTDIR)
    }

    /// Replaces a file atomically: a reader sees the old or the new content, never half. Nothing that stands at the path or beside it is
    /// followed or reused. With `durable` it survives a power cut once this returns. `mode` is that of open(2), for the new file. What stood
    /// there moves to `older`, where one is named; between the two renames the new content is at `successor(of:)` alone.
    public static func replace(
        _ path: String, with content: [UInt8], durable: Bool, mode: UInt32 = 0o600, movingOldTo older: String? = nil
    ) throws(Errno) {
        let temporary = successor(of: path)
        try make(temporary, with: content, durable: durable, mode: mode)
        do throws(Errno) {
            if let older { guard rename(path, older) == 0 else { throw Errno(errno, "rename") } }
            guard rename(temporary, path) == 0 else {
                let failure = Errno(errno, "rename")
                if let older { rename(older, path) }
                throw failure
            }
        } catch {
            unlink(temporary)
            throw error
        }
        if durable { try synchroniseDirectory(of: path) }
    }

    /// Where what replaces a file is made.
    public static func successor(of path: String) -> String { path + ".new" }

    /// Makes a file anew, with the rights that are given and whatever the umask is; what stands at the path is removed, not followed.
    /// Its content is on the disk once this returns, its name with the next `synchroniseDirectory`.
    public static func make(_ path: String, with content: [UInt8], rights: FileRights) throws(Errno) {
        try make(path, with: content, durable: true, mode: 0o600, rights)
    }

    private static func make(
        _ path: String, with content: [UInt8], durable: Bool, mode: UInt32, _ rights: FileRights? = nil
    ) throws(Errno) {
        let removal = unlink(path) == 0 ? 0 : errno
        let opened = ek_open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode)
        // What is in the way could not be removed: why is what helps.
        if opened == -EEXIST, removal != 0 { throw Errno(removal, "unlink") }
        let descriptor = FileDescriptor(owning: try Errno.check(opened, "open"))
        do throws(Errno) {
            if let rights {
                guard fchown(descriptor.number, rights.owner, rights.group) == 0 else { throw Errno(errno, "fchown") }
                guard fchmod(descriptor.number, rights.mode) == 0 else { throw Errno(errno, "fchmod") }
            }
            try write(content, to: descriptor)
            if durable { try Errno.check(ek_fdatasync(descriptor.number), "fdatasync") }
        } catch {
            unlink(path)  // A full disk gets its room back.
            throw error
        }
    }

    /// Removes a file, whether it is there or not.
    public static func remove(_ path: String) {
        unlink(path)
    }

    private static func write(_ content: [UInt8], to descriptor: borrowing FileDescriptor) throws(Errno) {
        let number = descriptor.number
        var written = 0
        while written < content.count {
            let result = content.withUnsafeBytes {
                ek_write(number, $0.baseAddress?.advanced(by: written), $0.count - written)
            }
            written += try Errno.check(result, "write")
        }
    }

    /// The directory that a path is in.
    public static func directory(of path: String) -> String {
        path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    }

    /// Has the disk know the names in the directory that a path is in.
    public static func synchroniseDirectory(of path: String) throws(Errno) {
        let directory = directory(of: path)
        let descriptor = FileDescriptor(
            owning: try Errno.check(ek_open(directory, O_RDONLY | O_DIRECTORY, 0), "open"))
        guard fsync(descriptor.number) == 0 else { throw Errno(errno, "fsync") }
    }

    /// Makes a directory and its parents; one that exists is left as it is.
    public static func makeDirectory(_ path: String, mode: UInt32) throws(Errno) {
        if mkdir(path, mode) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
            throw Errno(errno, "mkdir")
        }
        try makeDirectory(String(path[..<slash]), mode: 0o755)
        guard mkdir(path, mode) == 0 || errno == EEXIST else { throw Errno(errno, "mkdir") }
    }
}

/// Whose a file or directory is, and what others may do with it.
public struct FileRights: Equatable, Sendable {
    /// A user's number.
    public var owner: UInt32
    /// A group's number.
    public var group: UInt32
    /// The bits that chmod(2) sets.
    public var mode: UInt32

    /// Rights.
    public init(owner: UInt32, group: UInt32, mode: UInt32) {
        (self.owner, self.group, self.mode) = (owner, group, mode)
    }

    /// Those of what a path leads to; nil where it leads nowhere.
    public init?(of path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        (owner, group, mode) = (status.st_uid, status.st_gid, status.st_mode & 0o7777)
    }
}
