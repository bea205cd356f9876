// inotify on the event loop: says which file of which watched directory was written, moved or deleted.
//
// Directories are watched from any thread, because finding one may wait for a disk; what happens in them is heard on the loop.

import CLinux
import Glibc

/// Watches directories.
public final class DirectoryMonitor: Sendable {
    /// What happened.
    public enum News: Hashable, Sendable {
        /// A file of a watched directory was written and closed, moved in or out, or deleted.
        case file(directory: Int32, name: String)
        /// A directory is not watched any more: it was deleted, moved, or its file system is gone.
        case directoryGone(Int32)
        /// There was more than the kernel keeps; anything may have happened.
        case overrun
    }

    private let descriptor: FileDescriptor

    /// Watches nothing yet. EMFILE, ENFILE, ENOMEM.
    public init() throws(Errno) {
        descriptor = FileDescriptor(owning: try Errno.check(ek_inotify_create(), "inotify_init1"))
    }

    /// The descriptor to watch for readiness.
    public var number: Int32 { descriptor.number }

    /// Watches the directory that the file at `path` is in, with links followed, whether or not the file is there. Gives the directory's number,
    /// the file's name in it, and whether a link led there: that it leads elsewhere later is not heard. With `links` also hears of files that are made, as links are; others have nothing in them then. May wait for a disk. ENOENT, ENOTDIR, ENOSPC (fs.inotify.max_user_watches).
    public func watchDirectory(
        of path: String, links: Bool = false
    ) throws(Errno) -> (directory: Int32, name: String, isBehindLink: Bool) {
        var directory = [CChar](repeating: 0, count: Int(PATH_MAX))
        var name = [CChar](repeating: 0, count: Int(PATH_MAX))
        try Errno.check(ek_resolve(path, &directory, &name, directory.count), "realpath")
        let number = try Errno.check(ek_inotify_watch(descriptor.number, directory, links ? 1 : 0), "inotify_add_watch")
        func text(_ characters: [CChar]) -> String {
            String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        let (folder, file) = (text(directory), text(name))
        return (number, file, path != (folder == "/" ? "" : folder) + "/" + file)
    }

    /// Watches the directory no longer. One that is gone already is no error.
    public func forget(_ directory: Int32) { _ = ek_inotify_forget(descriptor.number, directory) }

    /// What happened since, at most 64 KiB of it; empty when nothing waits.
    public func news() -> [News] {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = buffer.withUnsafeMutableBytes { ek_read(descriptor.number, $0.baseAddress, $0.count) }
        guard count > 0 else { return [] }
        return Self.decode(buffer[..<count])
    }

    /// struct inotify_event: wd, mask, cookie, length of the name that follows, padded with NULs. What is cut off is left out.
    static func decode(_ octets: ArraySlice<UInt8>) -> [News] {
        var news: [News] = []
        var rest = octets
        while rest.count >= 16 {
            let words = (0..<4).map { word in
                (0..<4).reduce(UInt32(0)) { $0 | UInt32(rest[rest.startIndex + 4 * word + $1]) << UInt32(8 * $1) }
            }
            rest = rest.dropFirst(16)
            guard Int(words[3]) <= rest.count else { break }
            let name = rest.prefix(Int(words[3])).prefix { $0 != 0 }
            rest = rest.dropFirst(Int(words[3]))
            let directory = Int32(bitPattern: words[0])
            let mask = words[1]
            if mask & UInt32(IN_Q_OVERFLOW) != 0 {
                news.append(.overrun)
            } else if mask & (UInt32(IN_IGNORED) | UInt32(IN_DELETE_SELF) | UInt32(IN_MOVE_SELF) | UInt32(IN_UNMOUNT))
                != 0
            {
                news.append(.directoryGone(directory))
            } else if !name.isEmpty {
                news.append(.file(directory: directory, name: String(decoding: name, as: UTF8.self)))
            }
        }
        return news
    }
}
