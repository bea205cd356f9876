// RUN-DIR/vrrpd: what only root writes. Members of the daemons' group cannot put a link or a file of theirs into root's way here, as they
// could in RUN-DIR/private. A lock in it keeps a second vrrpd out.

import CLinux
import Glibc
import Platform

/// vrrpd's own directory, locked.
struct RunDirectory: ~Copyable {
    /// Where it is.
    let path: String
    private let lock: FileDescriptor

    /// Makes and locks it. EWOULDBLOCK: another vrrpd has it.
    init(in runDirectory: String) throws(Errno) {
        let path = runDirectory + "/vrrpd"
        try FileSystem.makeDirectory(path, mode: 0o755)
        let directory = FileDescriptor(
            owning: try Errno.check(ek_open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0), "open"))
        var status = stat()
        guard fstat(directory.number, &status) == 0 else { throw Errno(errno, "fstat") }
        guard status.st_uid == geteuid(), status.st_mode & 0o022 == 0 else { throw Errno(EPERM, "fstat") }
        let lock = FileDescriptor(
            owning: try Errno.check(
                ek_open(path + "/lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600), "open"))
        guard flock(lock.number, LOCK_EX | LOCK_NB) == 0 else { throw Errno(errno, "flock") }
        self.path = path
        self.lock = lock
    }
}
