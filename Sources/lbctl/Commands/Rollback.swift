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
    private let isDone: Bool

    private static let suffix = ".rolled-back"

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

    private init(_ target: ConfigurationBundle, _ found: (replaced: [String], moved: [String]), isDone: Bool = false) {
        self.target = target
        (replaced, moved) = found
        self.isDone = isDone
    }

    private static func differences(
        of bundle: ConfigurationBundle, to files: some FileLoader
    ) -> (replaced: [String], moved: [String]) {
        let replaced = bundle.files.filter { (try? files.read($0.path, limit: 64 << 20)) != $0.bytes }.map(\.path)
        let known = Set(bundle.files.map(\.path))
        let moved = Set(bundle.patterns.flatMap { files.paths(matching: $0.key) }).subtracting(known)
        return (replaced, moved.sorted())
    }

    /// Writes the files, each after what stands there has a copy.
    mutating func carryOut() throws(Failure) {
        for path in replaced {
            guard let file = target.files.first(where: { $0.path == path }) else { continue }
            do throws(Errno) {
                try Self.replace(file)
            } catch {
                throw .hostRefused(
                    "\(path) cannot be written: \(error)", remedy: "root may put it back; nothing was loaded")
            }
        }
        for path in moved where rename(path, path + Self.suffix) != 0 {
            throw .hostRefused(
                "\(path) cannot be moved away: \(Errno(errno, "rename"))",
                remedy: "move it yourself; nothing was loaded")
        }
        self = Rollback(target, (replaced, moved), isDone: true)
    }

    /// The new file belongs to whom the old one did.
    private static func replace(_ file: ConfigurationBundle.File) throws(Errno) {
        var status = stat()
        let isThere = stat(file.path, &status) == 0
        if isThere, let now = try FileSystem.contents(of: file.path, limit: 64 << 20) {
            try FileSystem.replace(file.path + suffix, with: now, durable: true)
        }
        let fresh = file.path + ".last-good"
        try FileSystem.replace(fresh, with: file.bytes, durable: true, mode: 0o640)
        if isThere {
            guard chown(fresh, status.st_uid, status.st_gid) == 0, chmod(fresh, status.st_mode & 0o7777) == 0 else {
                throw Errno(errno, "chown")
            }
        }
        guard rename(fresh, file.path) == 0 else { throw Errno(errno, "rename") }
    }

    /// What was or would be done.
    func show(on screen: inout Screen) {
        let verb = isDone ? "Put back" : "Would put back"
        for path in replaced { screen.add("\(verb): \(path) (what stood there: \(path)\(Self.suffix))") }
        for path in moved { screen.add("\(isDone ? "Moved" : "Would move") away: \(path) (to \(path)\(Self.suffix))") }
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
