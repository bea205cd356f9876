// What `lbctl real-server start` has done in this network namespace, kept until `stop` has undone it: in memory (/run), since a boot undoes
// it too. Several may start at once (a unit for each address), so whoever changes something holds a lock meanwhile. A record that another
// namespace has left, whose inode number this one got, says nothing here and is replaced.
import Glibc
import JSON
import Net
import Platform

struct RealServerRecord: Equatable {
    /// The network namespace that it is about: `NamespaceIdentity.text`.
    var namespace: String
    /// Addresses that were started.
    var addresses: [Started] = []
    /// Values that settings had before, by path below /proc/sys.
    var settings: [Setting] = []

    /// An address, and what was done for it.
    struct Started: Equatable {
        var address: String
        /// It was not on lo before.
        var addedAddress: Bool
        /// Its route was not there before.
        var addedRoute: Bool
    }

    /// A setting, its value before and the one that was set.
    struct Setting: Equatable {
        var path: String
        var before: Int
        var set: Int
    }

    /// Whether an address needs the settings.
    var hasIPv4: Bool { addresses.contains { IPAddress($0.address)?.family == .inet } }

    var isEmpty: Bool { addresses.isEmpty && settings.isEmpty }

    static let directory = "/run/evenkeel-real-server"

    /// The record as it is; it is replaced as a whole, so reading needs no lock, and root need not be the one who reads.
    static func current() throws(Failure) -> RealServerRecord { try Keeper(of: network(), in: directory).read() }

    private static func network() throws(Failure) -> NamespaceIdentity {
        do throws(Errno) {
            return try .current()
        } catch {
            throw .hostRefused("\(error)", remedy: "mount -t proc proc /proc")
        }
    }

    /// Does `body` while nobody else changes the record, which it may change; what it says of the record stays even when it throws.
    static func locked<Result>(
        _ body: (borrowing Keeper) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // Everybody may read it, whatever root's umask is.
        umask(0o022)
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
        return try body(Keeper(of: network(), in: directory))
    }

    /// Reads and writes the record of a namespace.
    struct Keeper: ~Copyable {
        private let path: String
        private let namespace: String

        init(of namespace: NamespaceIdentity, in directory: String) {
            path = "\(directory)/\(namespace.inode).json"
            self.namespace = namespace.text
        }

        func read() throws(Failure) -> RealServerRecord {
            let content: [UInt8]?
            do throws(Errno) {
                content = try FileSystem.contents(of: path, limit: 1 << 20)
            } catch {
                throw error.code == EACCES || error.code == EPERM ? refused(path, error) : damaged("\(error)")
            }
            let nothing = RealServerRecord(namespace: namespace)
            guard let content else { return nothing }
            guard let value = try? JSONValue(parsing: content),
                let record = try? value.decode(RealServerRecord.self)
            else {
                throw damaged("it is no record")
            }
            return record.namespace == namespace ? record : nothing
        }

        private func damaged(_ how: String) -> Failure {
            .hostRefused(
                "\(path) is damaged (\(how)), so what 'start' has done is not known",
                remedy: "rm \(path); addresses and settings then stay as they are until you take them away")
        }

        /// Writes down what was, or is to be, done for an address, in place of what was written before.
        func note(_ entry: Started, in record: inout RealServerRecord) throws(Failure) {
            var new = record
            new.addresses.removeAll { $0.address == entry.address }
            new.addresses.append(entry)
            try write(new)
            record = new
        }

        /// Nothing is to be undone for an address any more.
        func forget(_ address: IPAddress, in record: inout RealServerRecord) throws(Failure) {
            var new = record
            new.addresses.removeAll { $0.address == address.description }
            try write(new)
            record = new
        }

        func write(_ record: RealServerRecord) throws(Failure) {
            guard !record.isEmpty else {
                guard unlink(path) == 0 || errno == ENOENT else { throw refused(path, Errno(errno, "unlink")) }
                return
            }
            guard let content = try? record.json.serialised() else {
                throw refused(path, Errno(EINVAL, "encode"))
            }
            do throws(Errno) {
                try FileSystem.replace(path, with: content, durable: false, mode: 0o644)
            } catch {
                throw refused(path, error)
            }
        }
    }

    private static func refused(_ path: String, _ error: Errno) -> Failure {
        .hostRefused("\(path): \(error)", remedy: error.code == EACCES || error.code == EPERM ? "it needs root" : nil)
    }
}

// MARK: As JSON

extension RealServerRecord: JSONStructure {
    init(members: inout JSONMembers) throws(JSONCodingError) {
        namespace = try members.required("namespace")
        addresses = try members.required("addresses")
        settings = try members.required("settings")
    }

    var object: JSONObject {
        var object = JSONObject()
        object.add("namespace", namespace)
        object.add("addresses", addresses)
        object.add("settings", settings)
        return object
    }
}

extension RealServerRecord.Started: JSONStructure {
    init(members: inout JSONMembers) throws(JSONCodingError) {
        address = try members.required("address")
        addedAddress = try members.required("addedAddress")
        addedRoute = try members.required("addedRoute")
    }

    var object: JSONObject {
        var object = JSONObject()
        object.add("address", address)
        object.add("addedAddress", addedAddress)
        object.add("addedRoute", addedRoute)
        return object
    }
}

extension RealServerRecord.Setting: JSONStructure {
    init(members: inout JSONMembers) throws(JSONCodingError) {
        path = try members.required("path")
        before = try members.required("before")
        set = try members.required("set")
    }

    var object: JSONObject {
        var object = JSONObject()
        object.add("path", path)
        object.add("before", before)
        object.add("set", set)
        return object
    }
}
