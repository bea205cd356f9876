// A small file that survives restarts. It is replaced whole, so that a reader sees the old or the new content, never half.
import CLinux
import Glibc

/// One file in `--state-dir`.
public struct StateFile: Sendable {
    /// Where it is.
    public let path: String
    /// A larger file is not believed.
    private static let limit = 64 << 20

    /// The file `name` in `directory`.
    public init(_ name: String, in directory: String) {
        path = "\(directory)/\(name)"
    }

    /// The content; nil when there is no such file.
    public func read() throws(Errno) -> [UInt8]? {
        try FileSystem.contents(of: path, limit: Self.limit)
    }

    /// Replaces the content atomically. With `durable` it also survives a power cut (and may wait for the disk).
    public func replace(with content: [UInt8], durable: Bool) throws(Errno) {
        let temporary = path + ".new"
        let descriptor = FileDescriptor(
            owning: try Errno.check(ek_open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0o600), "open"))
        var written = 0
        while written < content.count {
            let result = content.withUnsafeBytes {
                ek_write(descriptor.number, $0.baseAddress?.advanced(by: written), $0.count - written)
            }
            written += try Errno.check(result, "write")
        }
        if durable { try Errno.check(ek_fdatasync(descriptor.number), "fdatasync") }
        guard rename(temporary, path) == 0 else { throw Errno(errno, "rename") }
    }
}

/// Whole small files.
public enum FileSystem {
    /// The content of a file; nil when there is none; EFBIG when it is larger than `limit` bytes. A pipe whose writer is
    /// silent is waited for a second, then EAGAIN: nothing that a path may name can hold a daemon for longer.
    public static func contents(of path: String, limit: Int) throws(Errno) -> [UInt8]? {
        let result = ek_open(path, O_RDONLY | O_NONBLOCK, 0)
        if result == -ENOENT { return nil }
        let descriptor = FileDescriptor(owning: try Errno.check(result, "open"))
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
