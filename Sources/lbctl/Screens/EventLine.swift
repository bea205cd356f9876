// An event on one line: when, what kind, about what, and what it is now. Types that are not known here are shown with
// their data, so that a newer daemon can be followed with an older lbctl.
import Bus
import JSON

extension Screen {
    /// `15:04:05.678  vrrp.instance  VI_1  MASTER  no advert from …`; never broken, so that it can be searched.
    func line(_ event: BusAPI.Event) -> String {
        let type = event.type.hasPrefix(Self.prefix) ? String(event.type.dropFirst(Self.prefix.count)) : event.type
        let time = Timestamp(event.time)?.clock(at: now) ?? event.time
        let news = words(event)
        let pieces: [Cell] = [
            Cell(time, .faint), Cell(Self.padded(type, 14)), Cell(event.subject, .strong), news.state, Cell(news.text),
        ]
        return pieces.filter { !$0.text.isEmpty }.map { style.paint($0.text, $0.tone) }.joined(separator: "  ")
    }

    private static let prefix = "io.evenkeel."

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private func words(_ event: BusAPI.Event) -> (state: Cell, text: String) {
        guard let data = event.data else {
            let isTrouble = [EventType.alarm, EventType.vrrpMasters, EventType.vrrpDropped].contains(event.type)
            return (isTrouble ? Cell("cleared", .good) : Cell("gone", .warning), "")
        }
        switch event.type {
        case EventType.vrrpInstance:
            guard let instance = try? data.decode(VrrpAPI.Instance.self) else { break }
            let held = instance.runtime.heldAddresses
            let holds = held.isEmpty ? "" : "  holds \(shortened(held))"
            return (instance.runtime.state.cell, instance.runtime.reason + holds)
        case EventType.vrrpLate:
            guard let late = try? data.decode(VrrpAPI.LateTimer.self) else { break }
            let end = late.gaveWay ? "; gave way (timer_expired_backup)" : ""
            return (
                Cell("LATE", .warning),
                "timer fired late by \(Self.seconds(late.latenessMilliseconds)), as \(late.state.rawValue)\(end)"
            )
        case EventType.vrrpMasters:
            guard let other = try? data.decode(VrrpAPI.OtherMaster.self) else { break }
            return (Cell("TWO MASTERS", .bad), "\(other.peer) is master too: \(other.detail)")
        case EventType.vrrpDropped:
            guard let peer = try? data.decode(VrrpAPI.DroppedPeer.self) else { break }
            return (Cell("DROPPED", .warning), "adverts from \(peer.peer): \(peer.detail)")
        case EventType.vrrpSession:
            guard let session = try? data.decode(VrrpAPI.BFDSession.self) else { break }
            let hindrance = session.hindrance.map { "; \($0)" } ?? ""
            return (session.state.cell, "with \(session.neighbor): \(session.detail)\(hindrance)")
        case EventType.checkServer:
            guard let health = try? data.decode(CheckAPI.ServerHealth.self) else { break }
            return (health.state.cell, health.words)
        case EventType.ipvsService:
            guard let service = try? data.decode(IpvsAPI.ServiceSummary.self) else { break }
            return (service.runtime.state.cell, service.runtime.problem ?? service.runtime.reason)
        case EventType.ipvsServer:
            guard let server = try? data.decode(IpvsAPI.Server.self) else { break }
            return (server.state, "weight \(server.runtime.effectiveWeight)  \(server.reason)")
        case EventType.alarm:
            guard let alarm = try? data.decode(DaemonAlarm.self) else { break }
            return (Cell("ALARM", .bad), alarm.remedy.isEmpty ? alarm.message : "\(alarm.message) -> \(alarm.remedy)")
        case EventType.configuration:
            guard let configuration = try? data.decode(DaemonConfiguration.self) else { break }
            return (Cell("loaded"), "\(configuration.file) (\(configuration.digest.prefix(8)))")
        case EventType.checkHeartbeat:
            guard let heartbeat = try? data.decode(CheckHeartbeat.self) else { break }
            let late = heartbeat.latenessMicroseconds.map { "; probes began up to \($0 / 1000) ms late" } ?? ""
            return (Cell("alive", .good), "the next within \(heartbeat.intervalSeconds) s\(late)")
        case EventType.vrrpHeartbeat:
            guard let heartbeat = try? data.decode(VrrpAPI.Heartbeat.self) else { break }
            return (Cell("alive", .good), "the next within \(heartbeat.intervalSeconds) s")
        case EventType.interface:
            guard let state = try? data.decode(BusAPI.InterfaceState.self) else { break }
            return (state.state == .attached ? Cell("attached", .good) : Cell("lost", .bad), state.service)
        default: break
        }
        return ("", JSONText.line(data))
    }
}
