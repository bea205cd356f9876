// Tracked files: inotify says that one was written, moved or deleted, and it is read again. Everything that touches a file system (finding the
// directory, reading, writing the first value) is done on a thread of its own, one at a time for each file: a disk or a file server that hangs
// holds up nothing but what is known of that file.

public import Configuration
internal import Glibc
internal import Net
public import Platform
public import VRRP

/// Watches tracked files.
public final class FileTrackers {
    /// What a look at a file found.
    private struct Sight: Sendable {
        var content: TrackedContent
        /// The watched directory, and the file's name in it.
        var spot: Spot?
        /// A link leads there. It may lead elsewhere later, which nobody hears.
        var isBehindLink = false
        /// Its first value was written, or was there.
        var hasBegun = false
        /// Why its first value could not be written, or its directory not be watched.
        var hindrance: String?
    }

    /// What `init_file` is to do.
    private enum Beginning: Sendable {
        case none, create, replace
    }

    private struct Spot: Hashable, Sendable {
        var directory: Int32
        var name: String
    }

    /// A file and the look at it that is under way.
    private struct Entry {
        var block: TrackFileConfiguration
        var spot: Spot?
        var report: TrackerReport?
        /// Since when somebody looks; nil when nobody does.
        var lookingSince: Instant?
        /// Something happened meanwhile.
        var isStale = false
        /// Its directory cannot be watched, or a link leads there: when to look again.
        var retryAt: Instant?
        /// Its first value is still to be written; a file that is deleted later is not made again.
        var begins = true
        /// The first value was written once: a reload replaces nothing.
        var hasBegun = false
        /// Tells this block from an earlier one of the name.
        let generation: Int
    }

    private let loop: EventLoop
    private let monitor: Result<DirectoryMonitor, Errno>
    private var watch: Watch?
    private var timer: LoopTimer?
    private var entries: [String: Entry] = [:]
    private var lastGeneration = 0
    /// Directories that somebody watched.
    private var watched: Set<Int32> = []
    private let heard: (TrackerReport, Tracker) -> Void

    /// A look that takes longer than this is a hindrance.
    private static let patience = Duration.seconds(2)
    private static let retry = Duration.seconds(1)

    /// Watches nothing yet; `heard` is told how each file stands.
    public init(on loop: EventLoop, heard: @escaping (TrackerReport, Tracker) -> Void) {
        self.loop = loop
        self.heard = heard
        do throws(Errno) { monitor = .success(try DirectoryMonitor()) } catch { monitor = .failure(error) }
        if case .success(let monitor) = monitor {
            watch = try? loop.watch(monitor.number, .read) { [weak self] _ in self?.somethingHappened() }
        }
        timer = loop.timer { [weak self] in self?.timeHasCome() }
    }

    /// Watches these files and no others. One whose block stays is left alone, but its first value is written if it is missing now.
    public func watch(_ blocks: [TrackFileConfiguration]) {
        let kept = Dictionary(blocks.map { ($0.name, $0) }) { first, _ in first }
        entries = entries.filter { kept[$0.key]?.path == $0.value.block.path }
        for block in blocks {
            if entries[block.name] == nil {
                lastGeneration += 1
                entries[block.name] = Entry(block: block, generation: lastGeneration)
            }
            entries[block.name]?.block = block
            entries[block.name]?.begins = true
            // Another weight is another block to the director, which has kept nothing: say it again.
            if let report = entries[block.name]?.report { heard(report, .file(block.name)) }
            look(at: block.name)
        }
        forgetUnused()
    }

    private func somethingHappened() {
        guard case .success(let monitor) = monitor else { return }
        var stale: Set<String> = []
        for news in monitor.news() {
            switch news {
            case .file(let directory, let name):
                let spot = Spot(directory: directory, name: name)
                stale.formUnion(entries.filter { $0.value.spot == spot }.keys)
            case .directoryGone(let directory):
                stale.formUnion(entries.filter { $0.value.spot?.directory == directory }.keys)
            case .overrun: stale.formUnion(entries.keys)
            }
        }
        for name in stale.sorted() { look(at: name) }
    }

    /// Looks at a file, after the look that is under way.
    private func look(at name: String) {
        guard let entry = entries[name] else { return }
        guard entry.lookingSince == nil else {
            entries[name]?.isStale = true
            return
        }
        let block = entry.block
        let (generation, monitor) = (entry.generation, try? self.monitor.get())
        let beginning: Beginning = !entry.begins ? .none : block.overwrites && !entry.hasBegun ? .replace : .create
        do throws(Errno) {
            try Background.run(on: loop) {
                Self.look(at: block, beginning, monitor)
            } done: { [weak self] in
                self?.seen($0, name, generation)
            }
            entries[name]?.lookingSince = loop.now
            entries[name]?.isStale = false
            entries[name]?.retryAt = nil
        } catch {
            entries[name]?.retryAt = loop.now + Self.retry
            tell(name, hindrance: "\(error)")
        }
        arm()
    }

    private func seen(_ sight: Sight, _ name: String, _ generation: Int) {
        guard let entry = entries[name], entry.generation == generation else { return forgetUnused() }
        let isStale = entry.isStale
        var report = TrackedFile.report(sight.content, after: entry.report)
        report.hindrance = sight.hindrance ?? report.hindrance
        entries[name]?.lookingSince = nil
        if sight.hasBegun {
            entries[name]?.begins = false
            entries[name]?.hasBegun = true
        }
        entries[name]?.spot = sight.spot
        entries[name]?.retryAt = sight.spot == nil || sight.isBehindLink ? loop.now + Self.retry : nil
        entries[name]?.report = report
        if report != entry.report { heard(report, .file(name)) }
        if isStale { look(at: name) }
        forgetUnused()
        arm()
    }

    /// What is known stays; nothing known counts as 0, as a file that cannot be read does.
    private func tell(_ name: String, hindrance: String) {
        guard let entry = entries[name] else { return }
        var report = entry.report ?? TrackerReport(.number(0), "not read yet, which counts as 0")
        report.hindrance = hindrance
        guard report != entry.report else { return }
        entries[name]?.report = report
        heard(report, .file(name))
    }

    private func timeHasCome() {
        for (name, entry) in entries {
            if let since = entry.lookingSince, since + Self.patience <= loop.now {
                tell(name, hindrance: "its file system does not answer")
            }
            if let retryAt = entry.retryAt, retryAt <= loop.now { look(at: name) }
        }
        arm()
    }

    private func arm() {
        let times = entries.values.compactMap { entry in
            entry.retryAt ?? entry.lookingSince.map { $0 + Self.patience }.flatMap { $0 > loop.now ? $0 : nil }
        }
        if let first = times.min() { timer?.arm(at: first) } else { timer?.disarm() }
    }

    private func forgetUnused() {
        // A look that is under way may have found a directory that nobody else uses.
        guard case .success(let monitor) = monitor, entries.values.allSatisfy({ $0.lookingSince == nil }) else {
            return
        }
        let used = Set(entries.values.compactMap(\.spot?.directory))
        for directory in watched.subtracting(used) { monitor.forget(directory) }
        watched = used
    }

    // MARK: Off the loop

    private static func look(
        at block: TrackFileConfiguration, _ beginning: Beginning, _ monitor: DirectoryMonitor?
    ) -> Sight {
        var sight = Sight(content: .missing)
        if let value = block.initialValue, beginning != .none {
            sight.hindrance = write(value, to: block.path, overwriting: beginning == .replace)
            sight.hasBegun = sight.hindrance == nil
        }
        // Watched first: what is written after this is heard.
        do throws(Errno) {
            if let monitor {
                let found = try monitor.watchDirectory(of: block.path)
                sight.spot = Spot(directory: found.directory, name: found.name)
                sight.isBehindLink = found.isBehindLink
            } else {
                sight.hindrance = "inotify cannot be used; it is read every second"
            }
        } catch {
            sight.hindrance = sight.hindrance ?? "its directory cannot be watched: \(error)"
        }
        do throws(Errno) {
            sight.content =
                try FileSystem.beginning(of: block.path, count: TrackedFile.limit).map { .octets($0) } ?? .missing
        } catch {
            sight.content = .unreadable(error.code == EINVAL ? "it is no regular file" : "\(error)")
        }
        return sight
    }

    /// `init_file`: creates the file, or replaces what is in it.
    private static func write(_ value: Int, to path: String, overwriting: Bool) -> String? {
        do throws(Errno) {
            try FileSystem.initialise(path, with: Array("\(value)\n".utf8), overwriting: overwriting)
            return nil
        } catch {
            return "init_file: \(error)"
        }
    }
}
