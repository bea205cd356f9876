// New files for old ones, all of them or none. Everything that needs room or can be refused comes first, beside what is there; then there are
// only renames, and back it goes by renames too, which a full disk does not hinder.
import Glibc
import Platform

/// An exchange of files.
struct FileExchange {
    /// One name, what comes there and what stands there.
    struct Step {
        /// The name, as it was given.
        let path: String
        /// Where that is: a link that leads to a file stays one.
        let place: String
        /// What comes; nil = what stands there only moves away.
        let bytes: [UInt8]?
        let standing: Standing

        /// Where what stood there is afterwards.
        var copy: String { FileExchange.hidden(place, ".rolled-back") }
        fileprivate var fresh: String { FileExchange.hidden(place, ".last-good") }
    }

    /// What stands at a name.
    enum Standing: Equatable {
        case nothing
        case file(FileRights)
        /// A link that leads to no file.
        case link
        /// A directory, a pipe: nothing that is read.
        case other
    }

    let steps: [Step]
    /// The rights of files that come where none was.
    private let rights: FileRights
    private var undoing: [Undoing] = []

    private enum Undoing {
        case remove(String)
        case removeDirectory(String)
        case moveBack(String, to: String)
        /// Removes a file, but only where all that was done after it could be undone.
        case forget(String)
    }

    /// Looks at what stands there, and refuses what cannot be done before anything is touched. Files that come where none is have the
    /// rights of `model`.
    init(putting files: [(path: String, bytes: [UInt8])], movingAway: [String], model: String) throws(Failure) {
        var steps: [Step] = []
        for (path, bytes) in files {
            let step = try Self.step(path, bytes)
            guard let same = steps.first(where: { $0.place == step.place }) else {
                steps.append(step)
                continue
            }
            guard same.bytes == bytes else {
                throw .hostRefused(
                    "\(path) and \(same.path) are one file now and were two",
                    remedy: "remove the link; nothing was touched")
            }
        }
        for path in movingAway {
            steps.append(try Self.checked(Step(path: path, place: path, bytes: nil, standing: .other)))
        }
        self.steps = steps
        rights = FileRights(of: model) ?? Self.rights(near: model)
    }

    private static func step(_ path: String, _ bytes: [UInt8]) throws(Failure) -> Step {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            guard errno == ENOENT || errno == ENOTDIR || errno == ELOOP else {
                throw .hostRefused("\(path) cannot be looked at: \(Errno(errno, "lstat"))", remedy: "root may")
            }
            let parent = existing(FileSystem.directory(of: path))
            guard isA(S_IFDIR, parent) else {
                throw .hostRefused(
                    "\(path) cannot be put back: \(parent) is no directory", remedy: "move it away; nothing was touched"
                )
            }
            return try checked(Step(path: path, place: path, bytes: bytes, standing: .nothing))
        }
        let place = place(path)
        if isA(S_IFREG, place), let rights = FileRights(of: place) {
            return try checked(Step(path: path, place: place, bytes: bytes, standing: .file(rights)))
        }
        let standing: Standing = status.st_mode & S_IFMT == S_IFLNK ? .link : .other
        return try checked(Step(path: path, place: path, bytes: bytes, standing: standing))
    }

    private static func checked(_ step: Step) throws(Failure) -> Step {
        var status = stat()
        let isFree = lstat(step.copy, &status) != 0 || status.st_mode & S_IFMT != S_IFDIR
        guard step.standing == .nothing || isFree else {
            throw .hostRefused(
                "what stands at \(step.path) would move to \(step.copy), which is a directory",
                remedy: "move that away; nothing was touched")
        }
        return step
    }

    /// The nearest of a directory and those it is in that is there, be it only a name.
    private static func existing(_ directory: String) -> String {
        var directory = directory
        var status = stat()
        while lstat(directory, &status) != 0, directory != "/", directory != "." {
            directory = FileSystem.directory(of: directory)
        }
        return directory
    }

    private static func rights(near path: String) -> FileRights {
        let around = FileRights(of: existing(FileSystem.directory(of: path)))
        return FileRights(owner: around?.owner ?? geteuid(), group: around?.group ?? getegid(), mode: 0o640)
    }

    /// Whether a path leads to something of a kind.
    private static func isA(_ kind: mode_t, _ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == kind
    }

    /// Where a link leads: it stays one.
    private static func place(_ path: String) -> String {
        guard let found = realpath(path, nil) else { return path }
        defer { free(found) }
        return String(cString: found)
    }

    /// A name beside a file that no pattern of an include finds: those that begin with a dot stay hidden from `*`.
    static func hidden(_ place: String, _ suffix: String) -> String {
        let name = place.lastIndex(of: "/").map { place.index(after: $0) } ?? place.startIndex
        return place[..<name] + "." + place[name...] + suffix
    }

    /// Makes the exchange; where that fails everything is as before, and the error says of which step. `note` is a file that says what is
    /// being done: it is on the disk before the first rename, and stays.
    mutating func carryOut(note: (path: String, bytes: [UInt8])?) throws(Failure) {
        var at = steps.first?.path ?? ""
        do throws(Errno) {
            for step in steps {
                at = step.path
                try prepare(step)
            }
            if let note {
                at = note.path
                undoing.append(.forget(note.path))
                try FileSystem.replace(note.path, with: note.bytes, durable: true)
            }
            for step in steps {
                at = step.path
                try exchange(step)
            }
            for directory in Set(steps.map { FileSystem.directory(of: $0.place) }) {
                at = directory
                try FileSystem.synchroniseDirectory(of: directory + "/")
            }
        } catch {
            throw .hostRefused("\(at) cannot be written: \(error)", remedy: Self.remedy(error) + undo())
        }
    }

    /// The new file, and a second name for the old one.
    private mutating func prepare(_ step: Step) throws(Errno) {
        guard let bytes = step.bytes else { return }
        var rights = rights
        switch step.standing {
        case .nothing: try makeDirectory(FileSystem.directory(of: step.place))
        case .file(let own):
            rights = own
            try remove(step.copy)
            guard link(step.place, step.copy) == 0 else { throw Errno(errno, "link") }
            undoing.append(.forget(step.copy))
        case .link, .other: break
        }
        try FileSystem.make(step.fresh, with: bytes, rights: rights)
        undoing.append(.remove(step.fresh))
    }

    /// One that is missing is as the one that it is in.
    private mutating func makeDirectory(_ path: String) throws(Errno) {
        var status = stat()
        guard stat(path, &status) != 0 else { return }
        let parent = FileSystem.directory(of: path)
        try makeDirectory(parent)
        guard mkdir(path, 0o700) == 0 else { throw Errno(errno, "mkdir") }
        undoing.append(.removeDirectory(path))
        guard let rights = FileRights(of: parent) else { throw Errno(ENOENT, "stat") }
        guard chown(path, rights.owner, rights.group) == 0 else { throw Errno(errno, "chown") }
        guard chmod(path, rights.mode) == 0 else { throw Errno(errno, "chmod") }
        try FileSystem.synchroniseDirectory(of: path)
    }

    private mutating func exchange(_ step: Step) throws(Errno) {
        if step.standing == .link || step.standing == .other {
            try remove(step.copy)
            try move(step.place, to: step.copy)
            undoing.append(.moveBack(step.copy, to: step.place))
        }
        guard step.bytes != nil else { return }
        try move(step.fresh, to: step.place)
        if case .file = step.standing {
            undoing.append(.moveBack(step.copy, to: step.place))
        } else {
            undoing.append(.remove(step.place))
        }
    }

    /// Makes way for a copy. That of an earlier rollback goes.
    private func remove(_ path: String) throws(Errno) {
        guard unlink(path) == 0 || errno == ENOENT else { throw Errno(errno, "unlink") }
    }

    private func move(_ from: String, to: String) throws(Errno) {
        guard rename(from, to) == 0 else { throw Errno(errno, "rename") }
    }

    /// Puts back what stood there. Says how that went.
    mutating func undo() -> String {
        var failed: [String] = []
        for action in undoing.reversed() {
            let (path, result) =
                switch action {
                case .remove(let path): (path, unlink(path))
                case .removeDirectory(let path): (path, rmdir(path))
                case .moveBack(let copy, let path): (path, rename(copy, path))
                case .forget(let path): (path, failed.isEmpty ? unlink(path) : 0)
                }
            if result == 0 { continue }
            // What was made beside a file has taken its place since.
            if case .moveBack = action {} else if errno == ENOENT { continue }
            failed.append("\(path) (\(Errno(errno, "rename")))")
        }
        undoing = []
        return failed.isEmpty
            ? "nothing was loaded, and the files are as they were before"
            : "nothing was loaded, but the files cannot be made as they were before: \(failed.joined(separator: ", "))"
    }

    /// What can be done about a refusal.
    private static func remedy(_ errno: Errno) -> String {
        switch errno.code {
        case EACCES, EPERM:
            geteuid() == 0 ? "lsattr shows whether it is immutable; " : "root may put it back; "
        case EROFS: "mount that file system for writing; "
        case ENOSPC, EDQUOT: "make room there; "
        case EXDEV, EBUSY:
            "it is a mount of its own, as containers have them: mount the directory that it is in, or write it by hand; "
        default: ""
        }
    }
}
