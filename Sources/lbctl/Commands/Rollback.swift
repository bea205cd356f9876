// The configurations that vrrpd keeps in its state directory, and the way back to them. Only what root wrote is believed: root writes what is
// in it to /etc, and the other daemons are users of their own that hear the network.
import ArgumentParser
import Configuration
import Glibc
import JSON
import Platform

/// Where configurations are kept.
struct KeptOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "vrrpd's state directory (default: /var/lib/evenkeel/vrrpd).", valueName: "directory"),
        completion: .directory)
    var stateDir: String?

    /// Those of a director.
    func configurations(of instance: String?) throws(Failure) -> KeptPair {
        let directory = stateDir ?? Instance.stateDirectory(of: instance) + "/vrrpd"
        let kept = KeptConfigurations(directory: directory)
        let pair: KeptPair?
        do throws(Errno) {
            let before = try kept.before()
            pair = try kept.inForce().map { KeptPair(inForce: $0, before: before) }
        } catch {
            throw .hostRefused(
                "\(kept.path) cannot be read: \(error)", remedy: "root may; --state-dir names another directory")
        }
        guard let pair else {
            throw .hostRefused(
                "no configuration is kept in \(directory) yet", remedy: "vrrpd keeps one when it starts with it")
        }
        return pair
    }
}

/// The configuration in force, and the one before it.
struct KeptPair {
    let inForce: ConfigurationBundle
    let before: ConfigurationBundle?
}

/// What is to be written to go back.
struct Rollback {
    private let target: ConfigurationBundle
    /// Files that are other ones now, or gone.
    let replaced: [String]
    /// Files that includes would find now and did not then.
    let moved: [String]
    private var isDone = false
    /// Files that were written and what stood there; nil = nothing.
    private var undoing: [(place: String, bytes: [UInt8]?)] = []
    private var movedBack: [(copy: String, path: String)] = []

    /// To the configuration in force where the files say something else, else to the one before it.
    init(_ kept: KeptPair, files: some FileLoader = DiskFiles()) throws(Failure) {
        let now = Self.differences(of: kept.inForce, to: files)
        if !now.replaced.isEmpty || !now.moved.isEmpty {
            self.init(kept.inForce, now)
            return
        }
        guard let before = kept.before else {
            throw .notDone(
                "the files are as the configuration in force, and none is kept from before it: nothing to go back to")
        }
        self.init(before, Self.differences(of: before, to: files))
    }

    private init(_ target: ConfigurationBundle, _ found: (replaced: [String], moved: [String])) {
        self.target = target
        (replaced, moved) = found
    }

    private static func differences(
        of bundle: ConfigurationBundle, to files: some FileLoader
    ) -> (replaced: [String], moved: [String]) {
        let replaced = bundle.files.filter { (try? files.read($0.path, limit: 64 << 20)) != $0.bytes }.map(\.path)
        let known = Set(bundle.files.map(\.path))
        let moved = Set(bundle.patterns.flatMap { (try? files.paths(matching: $0.key)) ?? [] }).subtracting(known)
        return (replaced, moved.sorted())
    }

    /// Writes the files, each after what stands there has a copy.
    mutating func carryOut() throws(Failure) {
        for path in replaced {
            guard let file = target.files.first(where: { $0.path == path }) else { continue }
            do throws(Errno) {
                let place = Self.place(path)
                let now = try FileSystem.contents(of: place, limit: 64 << 20)
                if let now { try FileSystem.replace(Self.copy(of: path), with: now, durable: true) }
                try Self.write(file.bytes, to: place)
                undoing.append((place, now))
            } catch {
                throw .hostRefused("\(path) cannot be written: \(error)", remedy: "root may put it back; \(undone())")
            }
        }
        for path in moved {
            // A link moves itself, not what it leads to.
            let copy = Self.hidden(path, Self.kept)
            guard rename(path, copy) == 0 else {
                let why = Errno(errno, "rename")
                throw .hostRefused("\(path) cannot be moved away: \(why)", remedy: "move it yourself; \(undone())")
            }
            movedBack.append((copy, path))
        }
        isDone = true
    }

    /// Puts back what stood there, after all: the configuration could not be loaded. Says how that went.
    mutating func undone() -> String {
        defer { (undoing, movedBack) = ([], []) }
        var failed: [String] = []
        for (place, bytes) in undoing.reversed() {
            do throws(Errno) {
                if let bytes {
                    try Self.write(bytes, to: place)
                } else if unlink(place) != 0 {
                    throw Errno(errno, "unlink")
                }
            } catch {
                failed.append("\(place) (\(error))")
            }
        }
        for (copy, path) in movedBack where rename(copy, path) != 0 {
            failed.append("\(path) (\(Errno(errno, "rename")))")
        }
        return failed.isEmpty
            ? "nothing was loaded, and the files are as they were before"
            : "nothing was loaded, but the files cannot be made as they were before: \(failed.joined(separator: ", "))"
    }

    private static let kept = ".rolled-back"
    private static func copy(of path: String) -> String { hidden(place(path), kept) }

    /// A name beside a file that no pattern of an include finds: those that begin with a dot stay hidden from `*`.
    private static func hidden(_ place: String, _ suffix: String) -> String {
        let name = place.lastIndex(of: "/").map { place.index(after: $0) } ?? place.startIndex
        return place[..<name] + "." + place[name...] + suffix
    }

    /// Where a link leads: it stays one.
    private static func place(_ path: String) -> String {
        guard let found = realpath(path, nil) else { return path }
        defer { free(found) }
        return String(cString: found)
    }

    /// The new file belongs to whom the old one did.
    private static func write(_ bytes: [UInt8], to place: String) throws(Errno) {
        var status = stat()
        let isThere = stat(place, &status) == 0
        let fresh = hidden(place, ".last-good")
        try FileSystem.replace(fresh, with: bytes, durable: true, mode: 0o640)
        if isThere {
            guard chown(fresh, status.st_uid, status.st_gid) == 0, chmod(fresh, status.st_mode & 0o7777) == 0 else {
                throw Errno(errno, "chown")
            }
        }
        guard rename(fresh, place) == 0 else { throw Errno(errno, "rename") }
    }

    /// What was or would be done.
    func show(on screen: inout Screen) {
        let verb = isDone ? "Put back" : "Would put back"
        for path in replaced { screen.add("\(verb): \(path) (what stood there: \(Self.copy(of: path)))") }
        for path in moved {
            screen.add("\(isDone ? "Moved" : "Would move") away: \(path) (to \(Self.hidden(path, Self.kept)))")
        }
    }

    /// For --dry-run.
    var shown: Shown {
        let wire: JSONObject = [
            "committed": false, "restored": .array(replaced.map { .string($0) }),
            "moved": .array(moved.map { .string($0) }),
        ]
        return Shown(wire: [wire]) { screen in
            show(on: &screen)
            screen.add(Cell("Nothing was written or loaded: a dry run.", .faint))
        }
    }
}
