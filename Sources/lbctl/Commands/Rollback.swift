// The way back to a configuration that vrrpd keeps: which one, what is written for it, and the note by which one that is killed half-way is gone
// on with.
import Configuration
import JSON
import Platform

/// What is to be written to go back.
struct Rollback {
    /// The two that one can go back to.
    enum Destination: String {
        case inForce
        case before
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
    private let loaded: LoadedDigests?
    private var exchange: FileExchange
    private var isDone = false

    /// To the configuration in force where the files say something else, else to the one before it; one that ended half-way goes where it
    /// was on its way to.
    /// - Parameters:
    ///   - wanted: goes there in any case.
    ///   - loaded: what the daemons run on; nil = nobody can say.
    init(
        _ kept: KeptPair, to wanted: Destination? = nil, _ loaded: LoadedDigests?, files: some FileLoader = DiskFiles()
    ) throws(Failure) {
        let begun = Note.found(kept)
        try kept.check(loaded, isBegun: begun != nil)
        if let destination = wanted ?? begun {
            try self.init(kept, to: destination, isContinued: destination == begun, loaded, files)
            return
        }
        let now = Self.differences(of: try kept.get(.inForce), to: files)
        let isInForce = now.replaced.isEmpty && now.moved.isEmpty
        try self.init(kept, to: isInForce ? .before : .inForce, isContinued: false, loaded, files)
    }

    private init(
        _ kept: KeptPair, to destination: Destination, isContinued: Bool, _ loaded: LoadedDigests?,
        _ files: some FileLoader
    ) throws(Failure) {
        let target = try kept.get(destination)
        if let file = target.files.first(where: { !$0.path.hasPrefix("/") }) {
            throw .notDone(
                "\(file.path) was read under that name, in a working directory that nobody knows any more: nothing was "
                    + "touched; restore it by hand, then 'lbctl reload'")
        }
        self.loaded = loaded
        (self.target, self.destination, self.isContinued) = (target, destination, isContinued)
        let found = Self.differences(of: target, to: files)
        (replaced, moved) = found
        note = Note(from: kept.whole(.inForce), to: target)
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

    /// The digest that the daemons give what they are to read now.
    var digest: String { target.loadedDigest }

    private var place: String {
        switch (destination, loaded) {
        case (.before, _): "the one before it"
        case (.inForce, let loaded?): "the configuration in force" + loaded.place(of: digest)
        case (.inForce, nil): "what vrrpd keeps as the configuration in force"
        }
    }

    /// What was or would be done.
    func show(on screen: inout Screen) {
        let went = isDone ? "Back" : "Would go back"
        let begun = isContinued ? ", which a rollback that ended half-way was on its way to" : ""
        screen.add("\(went) to \(place) (\(digest.prefix(8)))\(begun).")
        if isContinued, exchange.steps.isEmpty, loaded?.allHave(digest) == true {
            screen.add("It had got there since: nothing changes. The next 'lbctl reload --rollback' goes elsewhere.")
        }
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
        var said: JSONObject = ["committed": false, "digest": .string(digest)]
        for member in wire.members { said[member.key] = member.value }
        return Shown(wire: [said]) { screen in
            show(on: &screen)
            screen.add(Cell("Nothing was written or loaded: a dry run.", .faint))
        }
    }
}

extension KeptPair {
    /// The files are what the daemons run on, however they came there: no rollback is on its way any more.
    func forgetRollback() {
        for case let bundle? in [whole(.inForce), whole(.before)] { FileSystem.remove(Note.path(bundle)) }
    }
}

/// What a rollback is on its way to, beside the main file, from before the first file is another one until the daemons have them all: whoever
/// ends it in between and begins again gets there, and not to what it went away from.
private struct Note {
    let path: String
    let bytes: [UInt8]

    init(from old: ConfigurationBundle?, to target: ConfigurationBundle) {
        path = Self.path(old ?? target)
        bytes = Array("\(Self.digest(old)) \(Self.digest(target))\n".utf8)
    }

    static func path(_ bundle: ConfigurationBundle) -> String { FileExchange.hidden(bundle.path, ".rolling-back") }

    /// `-` where there is none.
    private static func digest(_ bundle: ConfigurationBundle?) -> String {
        bundle.map { contentDigest([$0.encoded]) } ?? "-"
    }

    /// Where a rollback that ended half-way goes. One from which something else was loaded since is none any more.
    static func found(_ kept: KeptPair) -> Rollback.Destination? {
        let bundles = [kept.whole(.inForce), kept.whole(.before)]
        let (inForce, before) = (digest(bundles[0]), digest(bundles[1]))
        for bundle in bundles.compactMap(\.self) {
            guard let octets = try? FileSystem.ownContents(of: path(bundle), limit: 4096) else { continue }
            let words = String(decoding: octets, as: UTF8.self).split(whereSeparator: \.isWhitespace).map(String.init)
            guard words.count == 2 else { continue }
            if words[1] == inForce { return .inForce }
            if words[0] == inForce, words[1] == before { return .before }
        }
        return nil
    }
}
