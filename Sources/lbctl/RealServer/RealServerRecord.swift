// What `lbctl real-server start` has done in this network namespace, kept until `stop` has undone it: in memory (/run), since a boot undoes
// it too. Several may start at once (a unit for each address), so whoever changes something holds a lock meanwhile.
import Glibc
import JSON
import Net
import Platform

struct RealServerRecord: Codable, Equatable {
    /// Addresses that were started.
    var addresses: [Started] = []
    /// Values that settings had before, by path below /proc/sys.
    var settings: [Setting] = []

    /// An address, and what was done for it.
    struct Started: Codable, Equatable {
        var address: String
        /// It was not on lo before.
        var addedAddress: Bool
        /// Its route was not there before.
        var addedRoute: Bool
    }

    /// A setting, its value before and the one that was set.
    struct Setting: Codable, Equatable {
        var path: String
        var before: Int
        var set: Int
    }

    var isEmpty: Bool { addresses.isEmpty && settings.isEmpty }

    static let directory = "/run/evenkeel-real-server"

    /// The file of this network namespace.
    private static func path() throws(Failure) -> String {
        var status = stat()
        guard stat("/proc/self/ns/net", &status) == 0 else {
            throw .usage("/proc/self/ns/net: \(String(cString: strerror(errno))); is /proc mounted?")
        }
        return "\(directory)/\(status.st_ino).json"
    }

    /// The record as it is; it is replaced as a whole, so reading needs no lock, and root need not be the one who reads.
    static func current() throws(Failure) -> RealServerRecord { try Keeper(path: try path()).read() }

    /// Does `body` while nobody else changes the record, which it may change; what it says of the record stays even when it throws.
    static func locked<Result>(
        _ body: (borrowing Keeper) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        do throws(Errno) {
            try FileSystem.makeDirectory(directory, mode: 0o755)
        } catch {
            throw refused(directory, error)
        }
        let lockPath = "\(directory)/lock"
        let number = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard number >= 0 else { throw refused(lockPath, Errno(errno, "open")) }
        let lock = FileDescriptor(owning: number)
        while flock(lock.number, LOCK_EX) != 0 {
            guard errno == EINTR else { throw refused(lockPath, Errno(errno, "flock")) }
        }
        return try body(Keeper(path: try path()))
    }

    /// Reads and writes the record.
    struct Keeper: ~Copyable {
        fileprivate let path: String

        func read() throws(Failure) -> RealServerRecord {
            do throws(Errno) {
                guard let content = try FileSystem.contents(of: path, limit: 1 << 20) else { return RealServerRecord() }
                guard let value = try? JSONValue(parsing: content),
                    let record = try? value.decode(RealServerRecord.self)
                else {
                    throw Errno(EINVAL, "read")
                }
                return record
            } catch {
                throw refused(path, error)
            }
        }

        func write(_ record: RealServerRecord) throws(Failure) {
            guard !record.isEmpty else {
                guard unlink(path) == 0 || errno == ENOENT else { throw refused(path, Errno(errno, "unlink")) }
                return
            }
            guard let value = try? JSONValue(encoding: record), let content = try? value.serialised() else {
                throw refused(path, Errno(EINVAL, "encode"))
            }
            do throws(Errno) {
                try FileSystem.replace(path, with: content, durable: false)
            } catch {
                throw refused(path, error)
            }
        }
    }

    private static func refused(_ path: String, _ error: Errno) -> Failure {
        .hostRefused("\(path): \(error)", remedy: error.code == EACCES || error.code == EPERM ? "it needs root" : nil)
    }
}
