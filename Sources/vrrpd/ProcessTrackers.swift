// Tracked processes: the kernel says what happens to processes, and /proc says which those are. /proc is read on a thread of its own, one look
// at a time. Where the kernel says nothing (in a container, or a network namespace that is not the host's) everything is looked at every
// second.

import Configuration
import Glibc
import Net
import Platform
import VRRP

/// Watches tracked processes.
final class ProcessTrackers {
    /// How we hear of processes.
    private enum Hearing {
        /// Nothing is tracked.
        case off
        /// The subscription is not answered yet.
        case asking(ProcessEvents, Watch, until: Instant)
        case listening(ProcessEvents, Watch)
        /// Everything is looked at every second, and why.
        case polling(why: String, next: Instant)
    }

    private let loop: EventLoop
    private var timer: LoopTimer?
    private var hearing = Hearing.off
    private var buffer = NetlinkBuffer()
    private var table = TrackedProcesses()
    private var reports: [String: TrackerReport] = [:]
    /// Looks do not follow each other faster, whatever happens on the host.
    private var nextLookAt = Instant.zero
    private let heard: (TrackerReport, Tracker) -> Void

    private static let pollInterval = Duration.seconds(1)
    private static let pauseAfterLook = Duration.milliseconds(20)
    private static let pauseAfterScan = Duration.milliseconds(500)

    /// Watches nothing yet; `heard` is told how each stands.
    init(on loop: EventLoop, heard: @escaping (TrackerReport, Tracker) -> Void) {
        self.loop = loop
        self.heard = heard
        timer = loop.timer { [weak self] in self?.settle() }
    }

    /// Watches these and no others.
    func watch(_ blocks: [TrackProcessConfiguration]) {
        table.adopt(blocks, at: loop.now)
        reports = reports.filter { name, _ in blocks.contains { $0.name == name } }
        for (name, report) in reports { heard(report, .process(name)) }
        if blocks.isEmpty {
            hearing = .off
        } else if case .off = hearing {
            listen()
        }
        settle()
    }

    /// Where events wait, now and when they are asked for again.
    func setBuffer(_ buffer: NetlinkBuffer) {
        self.buffer = buffer
        switch hearing {
        case .off, .polling: break
        case .asking(let events, _, _), .listening(let events, _): events.setBuffer(buffer)
        }
    }

    // MARK: Events

    private func listen() {
        do throws(Errno) {
            let events = try ProcessEvents()
            events.setBuffer(buffer)
            let watch = try loop.watch(events.number, .read) { [weak self] _ in self?.eventsWait() }
            hearing = .asking(events, watch, until: loop.now + .seconds(1))
        } catch {
            poll("\(error)")
        }
    }

    private func poll(_ why: String) {
        hearing = .polling(why: why, next: loop.now + Self.pollInterval)
        table.scanAgain()
    }

    private func eventsWait() {
        let events: ProcessEvents
        switch hearing {
        case .off, .polling: return
        case .asking(let socket, _, _), .listening(let socket, _): events = socket
        }
        do throws(Errno) {
            for news in try events.read() {
                switch news {
                case .answer(let failure): answered(failure)
                case .forked(let child, let parent): table.heard([.forked(child: child, of: parent)], at: loop.now)
                case .renamed(let process): table.heard([.renamed(process)], at: loop.now)
                case .exited(let process): table.heard([.exited(process)], at: loop.now)
                }
            }
        } catch {
            // Events were lost.
            table.scanAgain()
        }
        settle()
    }

    private func answered(_ failure: Errno?) {
        guard case .asking(let events, let watch, _) = hearing else { return }
        if let failure { return poll("\(failure)") }
        hearing = .listening(events, watch)
        // From here on nothing is missed.
        table.scanAgain()
    }

    // MARK: What follows

    private func settle() {
        let now = loop.now
        table.due(at: now)
        switch hearing {
        case .off, .listening: break
        case .asking(_, _, let until):
            if until <= now { poll("the kernel does not answer") }
        case .polling(let why, let next):
            if next <= now {
                table.scanAgain()
                hearing = .polling(why: why, next: now + Self.pollInterval)
            }
        }
        tell()
        if table.wantsLook, nextLookAt <= now { look() }
        arm()
    }

    private func look() {
        guard let look = table.nextLook() else { return }
        let blocks = table.configurations
        do throws(Errno) {
            try Background.run(on: loop) {
                Self.find(blocks, look)
            } done: { [weak self] in
                self?.seen($0, look)
            }
        } catch {
            table.lookFailed()
            nextLookAt = loop.now + Self.pollInterval
        }
    }

    private func seen(_ found: [String: Set<Int32>], _ look: TrackedProcesses.Look) {
        let isBlind = if case .polling = hearing { true } else { false }
        table.saw(found, of: look, isBlind: isBlind, at: loop.now)
        nextLookAt = loop.now + (look == .everything ? Self.pauseAfterScan : Self.pauseAfterLook)
        settle()
    }

    private func tell() {
        var hindrance: String?
        if case .polling(let why, _) = hearing {
            hindrance = "looked for every second: the kernel tells nothing (\(why))"
        }
        for (name, report) in table.reports.sorted(by: { $0.key < $1.key }) {
            var report = report
            report.hindrance = hindrance
            guard reports[name] != report else { continue }
            reports[name] = report
            heard(report, .process(name))
        }
    }

    private func arm() {
        var times = [table.deadline].compactMap(\.self)
        if table.wantsLook { times.append(max(nextLookAt, loop.now)) }
        switch hearing {
        case .off, .listening: break
        case .asking(_, _, let until): times.append(until)
        case .polling(_, let next): times.append(next)
        }
        if let first = times.min() { timer?.arm(at: first) } else { timer?.disarm() }
    }

    // MARK: Off the loop

    private static func find(
        _ blocks: [TrackProcessConfiguration], _ look: TrackedProcesses.Look
    ) -> [String: Set<Int32>] {
        let processes: [Int32] =
            switch look {
            case .everything: Processes.all()
            case .these(let processes): Array(processes)
            }
        let needsCommandLine = blocks.contains(where: \.needsCommandLine)
        var found: [String: Set<Int32>] = [:]
        for process in processes {
            guard let sight = Processes.sight(of: process, commandLine: needsCommandLine) else { continue }
            for block in blocks where block.matches(sight) { found[block.name, default: []].insert(process) }
        }
        return found
    }
}

/// What /proc shows.
private enum Processes {
    /// The processes that there are.
    static func all() -> [Int32] {
        guard let directory = opendir("/proc") else { return [] }
        defer { closedir(directory) }
        var processes: [Int32] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { $0.prefix { $0 != 0 }.map(\.self) }
            if let process = Int32(String(decoding: name, as: UTF8.self)) { processes.append(process) }
        }
        return processes
    }

    /// A process that runs; nil when it is gone or a zombie.
    static func sight(of process: Int32, commandLine needsCommandLine: Bool) -> ProcessSight? {
        // PID (NAME) STATE …
        guard let status = try? FileSystem.beginning(of: "/proc/\(process)/stat", count: 128),
            let open = status.firstIndex(of: UInt8(ascii: "(")),
            let close = status.lastIndex(of: UInt8(ascii: ")")), open < close, status.count > close + 2,
            status[close + 2] != UInt8(ascii: "Z"), status[close + 2] != UInt8(ascii: "X")
        else { return nil }
        var sight = ProcessSight(name: Array(status[(open + 1)..<close]))
        guard needsCommandLine else { return sight }
        sight.commandLine = (try? FileSystem.beginning(of: "/proc/\(process)/cmdline", count: 4096)) ?? []
        return sight
    }
}
