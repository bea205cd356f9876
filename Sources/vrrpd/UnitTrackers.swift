// Tracked systemd units, without D-Bus: for every unit that runs something, PID 1 keeps a link /run/systemd/units/invocation:UNIT to the number
// of its current start, makes it anew at every start and removes it when the unit is inactive or failed (systemd's unit_export_state_files;
// journald reads them). inotify on that directory says all that is needed; it is memory, so reading it waits for no disk.

import Configuration
import Glibc
import Net
import Platform
import VRRP

/// Watches tracked units.
final class UnitTrackers {
    private let loop: EventLoop
    private let directory: String
    private let monitor: DirectoryMonitor?
    private var watch: Watch?
    private var timer: LoopTimer?
    private var units: [String: UnitMonitor] = [:]
    private var reports: [String: TrackerReport] = [:]
    /// The directory is watched.
    private var watched: Int32?
    private var retryAt: Instant?
    private let heard: (TrackerReport, Tracker) -> Void

    private static let retry = Duration.seconds(1)

    /// Watches nothing yet; `heard` is told how each stands.
    init(
        on loop: EventLoop, directory: String = "/run/systemd/units", heard: @escaping (TrackerReport, Tracker) -> Void
    ) {
        self.loop = loop
        self.directory = directory
        self.heard = heard
        monitor = try? DirectoryMonitor()
        if let monitor { watch = try? loop.watch(monitor.number, .read) { [weak self] _ in self?.somethingHappened() } }
        timer = loop.timer { [weak self] in self?.settle() }
    }

    /// Watches these and no others.
    func watch(_ blocks: [TrackUnitConfiguration]) {
        let kept = Dictionary(blocks.map { ($0.name, $0) }) { first, _ in first }
        units = units.filter { kept[$0.key]?.unit == $0.value.configuration.unit }
        reports = reports.filter { units[$0.key] != nil }
        for block in blocks {
            if units[block.name] == nil {
                units[block.name] = UnitMonitor(block)
            } else {
                units[block.name]?.adopt(block)
            }
        }
        for (name, report) in reports { heard(report, .unit(name)) }
        settle()
    }

    private func somethingHappened() {
        for news in monitor?.news() ?? [] {
            if case .directoryGone = news { watched = nil }
        }
        settle()
    }

    /// Looks at every unit: each is one readlink in memory.
    private func settle() {
        guard !units.isEmpty else {
            timer?.disarm()
            return
        }
        retryAt = nil
        if watched == nil {
            watched = try? monitor?.watchDirectory(of: directory + "/*", links: true).directory
            if watched == nil { retryAt = loop.now + Self.retry }
        }
        let isRunning = watched != nil || access(directory, F_OK) == 0
        for name in units.keys.sorted() {
            if let unit = units[name]?.configuration.unit {
                units[name]?.saw(Self.target(of: "\(directory)/invocation:\(unit)"), at: loop.now)
            }
            guard var report = units[name]?.report(at: loop.now) else { continue }
            if !isRunning { report.hindrance = "systemd does not run here: there is no \(directory)" }
            guard reports[name] != report else { continue }
            reports[name] = report
            heard(report, .unit(name))
        }
        let times = units.values.compactMap { $0.deadline(after: loop.now) } + [retryAt].compactMap(\.self)
        if let first = times.min() { timer?.arm(at: first) } else { timer?.disarm() }
    }

    private static func target(of link: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 64)
        let count = readlink(link, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
    }
}
