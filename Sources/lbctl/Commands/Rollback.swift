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

    private func directory(of instance: String?) -> String {
        stateDir ?? Instance.stateDirectory(of: instance) + "/vrrpd"
    }

    /// Does `body` while nobody else rolls a director back.
    func locked<Result>(_ instance: String?, _ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        let directory = directory(of: instance)
        let number = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // Where there is none nothing is kept, and that is what is said.
        guard number >= 0 else {
            if errno == ENOENT { return try body() }
            throw .hostRefused("\(directory) cannot be locked: \(Errno(errno, "open"))", remedy: "root may")
        }
        let lock = FileDescriptor(owning: number)
        guard flock(lock.number, LOCK_EX | LOCK_NB) == 0 else {
            guard errno == EWOULDBLOCK else {
                throw .hostRefused("\(directory) cannot be locked: \(Errno(errno, "flock"))", remedy: nil)
            }
            throw .notDone("another 'lbctl reload --rollback' is at work: nothing was touched; wait until it has ended")
        }
        return try body()
    }

    /// Those of a director.
    func configurations(of instance: String?) throws(Failure) -> KeptPair {
        let directory = directory(of: instance)
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
    /// The two that one can go back to.
    enum Destination: String {
        case inForce
        case before

        fileprivate var words: String { self == .inForce ? "the configuration in force" : "the one before it" }
    }

    /// Where it goes.
    let destination: Destination
    /// Whether one that ended half-way is gone on with.
    let isContinued: Bool
    /// Files that are other ones now, or gone.
    let replaced: [String]
    /// Files that includes would find now and did not then.
    let moved: [String]
    private let target: ConfigurationBundle
    private let note: Note
    private var exchange: FileExchange
    private var isDone = false

    /// To the configuration in force where the files say something else, else to the one before it; one that ended half-way goes where it
    /// was on its way to.
    init(_ kept: KeptPair, files: some FileLoader = DiskFiles()) throws(Failure) {
        if let destination = Note.found(kept) {
            try self.init(kept, to: destination, isContinued: true, files)
            return
        }
        let now = Self.differences(of: kept.inForce, to: files)
        let isInForce = now.replaced.isEmpty && now.moved.isEmpty
        try self.init(kept, to: isInForce ? .before : .inForce, isContinued: false, files)
    }

    private init(
        _ kept: KeptPair, to destination: Destination, isContinued: Bool, _ files: some FileLoader
    ) throws(Failure) {
        guard let target = destination == .inForce ? kept.inForce : kept.before else {
            throw .notDone(
                "the files are as the configuration in force, and none is kept from before it: nothing to go back to")
        }
        (self.target, self.destination, self.isContinued) = (target, destination, isContinued)
        let found = Self.differences(of: target, to: files)
        (replaced, moved) = found
        note = Note(from: kept.inForce, to: target)
        let fresh = target.files.filter { found.replaced.contains($0.path) }.map { (path: $0.path, bytes: $0.bytes) }
        let model = target.files.first { FileRights(of: $0.path) != nil }?.path ?? target.path
        exchange = try FileExchange(putting: fresh, movingAway: found.moved, model: model)
    }

    private static func differences(
        of bundle: ConfigurationBundle, to files: some FileLoader
    ) -> (replaced: [String], moved: [String]) {
        let replaced = bundle.files.filter { (try? files.read($0.path, limit: 64 << 20)) != $0.bytes }.map(\.path)
        let known = Set(bundle.files.map(\.path))
        let moved = Set(bundle.patterns.flatMap { (try? files.paths(matching: $0.key)) ?? [] }).subtracting(known)
        return (replaced, moved.sorted())
    }

    /// Puts all files into place, or leaves all as they are.
    mutating func carryOut() throws(Failure) {
        try exchange.carryOut(note: isContinued ? nil : (note.path, note.bytes))
        isDone = true
    }

    /// Puts back what stood there, after all: the configuration could not be loaded. Says how that went.
    mutating func undone() -> String { exchange.undo() }

    /// The daemons have it: the next one is another one.
    func close() {
        for path in Set([note.path, Note.path(target)]) { FileSystem.remove(path) }
    }

    /// What was or would be done.
    func show(on screen: inout Screen) {
        let went = isDone ? "Back" : "Would go back"
        let begun = isContinued ? ", which a rollback that ended half-way was on its way to" : ""
        screen.add("\(went) to \(destination.words) (\(target.digest.prefix(8)))\(begun).")
        let (put, away) = isDone ? ("Put back", "Moved away") : ("Would put back", "Would move away")
        for step in exchange.steps {
            let stood =
                switch step.standing {
                case .nothing: "nothing stood there"
                case .link: "the link that stood there, which leads to no file: \(step.copy)"
                case .file, .other: "what stood there: \(step.copy)"
                }
            screen.add(
                step.bytes == nil ? "\(away): \(step.path) (to \(step.copy))" : "\(put): \(step.path) (\(stood))")
        }
    }

    /// For --json.
    var wire: JSONObject {
        [
            "destination": .string(destination.rawValue), "restored": .array(replaced.map { .string($0) }),
            "moved": .array(moved.map { .string($0) }),
        ]
    }

    /// For --dry-run.
    var shown: Shown {
        var said: JSONObject = ["committed": false, "digest": .string(target.digest)]
        for member in wire.members { said[member.key] = member.value }
        return Shown(wire: [said]) { screen in
            show(on: &screen)
            screen.add(Cell("Nothing was written or loaded: a dry run.", .faint))
        }
    }
}

extension ConfigurationBundle {
    /// The digest that the daemons give it.
    var digest: String { values().digest }
}

/// What a rollback is on its way to, beside the main file, from before the first file is another one until the daemons have them all: whoever
/// ends it in between and begins again gets there, and not to what it went away from.
private struct Note {
    let path: String
    let bytes: [UInt8]

    init(from old: ConfigurationBundle, to target: ConfigurationBundle) {
        path = Self.path(old)
        bytes = Array("\(Self.digest(old)) \(Self.digest(target))\n".utf8)
    }

    static func path(_ bundle: ConfigurationBundle) -> String { FileExchange.hidden(bundle.path, ".rolling-back") }

    private static func digest(_ bundle: ConfigurationBundle) -> String { contentDigest([bundle.encoded]) }

    /// Where a rollback that ended half-way goes. One from which something else was loaded since is none any more.
    static func found(_ kept: KeptPair) -> Rollback.Destination? {
        let inForce = digest(kept.inForce)
        let before = kept.before.map(digest)
        for bundle in [kept.inForce, kept.before].compactMap(\.self) {
            guard let octets = try? FileSystem.ownContents(of: path(bundle), limit: 4096) else { continue }
            let words = String(decoding: octets, as: UTF8.self).split(whereSeparator: \.isWhitespace).map(String.init)
            guard words.count == 2 else { continue }
            if words[1] == inForce { return .inForce }
            if words[0] == inForce, words[1] == before { return .before }
        }
        return nil
    }
}
