// Pipes of the administrator's: made when they are not there, opened as keepalived opens them (both ways, so that no reader is needed to open;
// never waiting), written a whole line at a time. Nothing that stands at the path is followed, and nothing but a pipe is written to.

import Bus
import CLinux
import Glibc
import Platform

/// Writes lines into pipes.
final class PipeWriter {
    private final class Pipe {
        let descriptor: FileDescriptor
        let device: UInt
        let inode: UInt

        init(_ descriptor: consuming FileDescriptor, _ status: stat) {
            self.descriptor = descriptor
            device = UInt(status.st_dev)
            inode = UInt(status.st_ino)
        }
    }

    /// Pipes that are kept open: what is in them and not read yet stays.
    private static let limit = 16
    private var pipes: [String: Pipe] = [:]

    /// Has the pipe open, so that who reads it sees no end of file.
    func open(_ path: String, user: ScriptUser?) throws(ScriptRefusal) { _ = try pipe(at: path, user) }

    /// Writes a line; false when nobody has read for so long that there is no room.
    func write(_ line: String, to path: String, user: ScriptUser?) throws(ScriptRefusal) -> Bool {
        let octets = Array(line.utf8)
        guard octets.count <= Int(PIPE_BUF) else { throw ScriptRefusal(.impossible, "a line is too long for a pipe") }
        let number = try pipe(at: path, user)
        let written = octets.withUnsafeBytes { ek_write(number, $0.baseAddress, $0.count) }
        if written == octets.count { return true }
        if written == -Int(EAGAIN) { return false }
        pipes[path] = nil
        throw ScriptRefusal(.impossible, "\(path): \(Errno(Int32(clamping: -written), "write"))")
    }

    /// The pipe that stands at the path now.
    private func pipe(at path: String, _ user: ScriptUser?) throws(ScriptRefusal) -> Int32 {
        guard path.hasPrefix("/"), !path.utf8.contains(0) else {
            throw ScriptRefusal(.notFound, "\(path) is not an absolute path; write it from / on")
        }
        var status = stat()
        if lstat(path, &status) == 0, let known = pipes[path], known.inode == UInt(status.st_ino),
            known.device == UInt(status.st_dev)
        {
            return known.descriptor.number
        }
        pipes[path] = nil
        if pipes.count >= Self.limit, let any = pipes.keys.first { pipes[any] = nil }
        let isNew = mkfifo(path, 0o600) == 0
        guard isNew || errno == EEXIST else {
            throw ScriptRefusal(.impossible, "\(path): \(Errno(errno, "mkfifo"))")
        }
        let result = ek_open(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC, 0)
        guard result >= 0 else { throw ScriptRefusal(.impossible, "\(path): \(Errno(-result, "open"))") }
        let descriptor = FileDescriptor(owning: result)
        guard fstat(descriptor.number, &status) == 0, status.st_mode & S_IFMT == S_IFIFO else {
            throw ScriptRefusal(.impossible, "\(path) is there and is no pipe; take it away, or name another")
        }
        if isNew, let identity = user?.identity { _ = fchown(descriptor.number, identity.uid, identity.gid) }
        let pipe = Pipe(descriptor, status)
        pipes[path] = pipe
        return pipe.descriptor.number
    }
}
