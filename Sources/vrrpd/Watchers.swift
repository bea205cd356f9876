// All that watch what is tracked, each its own kind.

import Configuration
import Platform
import Tracking
import VRRP

/// Watches what is tracked.
final class Watchers: TrackerWatcher {
    private let files: FileTrackers
    private let processes: ProcessTrackers
    private let units: UnitTrackers
    let sessions: BFDSessions

    /// Watches nothing yet; `heard` is told how each thing stands.
    init(on loop: EventLoop, heard: @escaping (TrackerReport, Tracker) -> Void) {
        files = FileTrackers(on: loop, heard: heard)
        processes = ProcessTrackers(on: loop, heard: heard)
        units = UnitTrackers(on: loop, heard: heard)
        sessions = BFDSessions(on: loop, heard: heard)
    }

    func watch(_ blocks: [WatchedBlock]) {
        files.watch(blocks.compactMap { if case .file(let block) = $0 { block } else { nil } })
        processes.watch(blocks.compactMap { if case .process(let block) = $0 { block } else { nil } })
        units.watch(blocks.compactMap { if case .unit(let block) = $0 { block } else { nil } })
        sessions.watch(blocks.compactMap { if case .bfd(let block) = $0 { block } else { nil } })
    }

    /// `process_monitor_rcv_bufs`.
    func setProcessBuffer(_ buffer: NetlinkBuffer) { processes.setBuffer(buffer) }

    func stop() { sessions.stop() }
}
