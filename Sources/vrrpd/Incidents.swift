// What happens to an instance and is no state of its own, as events: its timer fired late, another host is master too, a peer's
// advertisements are dropped. The last two stand as long as the director says so; which of them stand is compared after every change.

import Bus
import JSON
import VRRP

/// Publishes incidents of instances.
final class Incidents {
    /// Something that stands.
    fileprivate struct Standing: Equatable {
        let rival: Director.Rival
        let isMaster: Bool
        let since: String
    }

    fileprivate struct Record {
        var name: String
        var late: VrrpAPI.LateTimer?
        var standing: Standing?
    }

    private unowned let daemon: Daemon
    private let events: EventPublisher
    private var records: [RouterID: Record] = [:]

    /// Nothing has happened.
    init(of daemon: Daemon, on events: EventPublisher) {
        self.daemon = daemon
        self.events = events
        provide(EventType.vrrpLate) { record, _ in record.late }
        provide(EventType.vrrpMasters) { record, _ in record.standing.flatMap { $0.asOtherMaster(of: record.name) } }
        provide(EventType.vrrpDropped) { [unowned daemon] record, id in
            record.standing.flatMap { $0.asDroppedPeer(of: record.name, in: daemon.director.view(of: id)) }
        }
    }

    private func provide(_ type: String, _ state: @escaping (Record, RouterID) -> (any JSONCodable)?) {
        events.provide(
            type,
            subjects: { [weak self] in
                (self?.records ?? [:]).filter { state($0.value, $0.key) != nil }.map(\.value.name)
            },
            state: { [weak self] name in
                self?.records.first { $0.value.name == name }.flatMap { state($0.value, $0.key) }
            })
    }

    /// A timer of the router fired late.
    func note(_ late: LateTimer, of id: RouterID) {
        guard let view = daemon.director.view(of: id) else { return }
        records[id, default: Record(name: view.name)].late = VrrpAPI.LateTimer(
            instance: view.name, at: daemon.timestamp, latenessMilliseconds: late.lateness.milliseconds,
            state: VrrpAPI.State(late.state), gaveWay: late.gaveWay,
            count: Int(clamping: view.machine.statistics.lateTimers))
        events.changed(EventType.vrrpLate, subject: view.name)
    }

    /// Something about the router changed; `name` is nil when it is gone.
    func changed(_ id: RouterID, name: String?) {
        let before = records[id]
        if let before, before.name != name {
            records[id] = nil
            for type in before.types { events.changed(type, subject: before.name) }
        }
        guard let name else { return }
        let concerns = daemon.director.concerns(of: id, at: daemon.now)
        var record = Record(name: name, late: before?.late)
        record.late?.instance = name
        record.standing = (concerns.rival ?? concerns.unheard).map { rival in
            let isMaster = concerns.rival != nil
            if let old = before?.standing, old.rival == rival, old.isMaster == isMaster { return old }
            return Standing(rival: rival, isMaster: isMaster, since: daemon.timestamp)
        }
        let isRenamed = before.map { $0.name != name } ?? false
        guard record.standing != before?.standing || isRenamed else { return }
        records[id] = record
        var types = record.types
        if let before, before.standing != record.standing { types.formUnion(before.types) }
        if !isRenamed { types.remove(EventType.vrrpLate) }
        for type in types { events.changed(type, subject: name) }
    }
}

extension Incidents.Record {
    /// The types of the events that it has data for.
    fileprivate var types: Set<String> {
        var types: Set<String> = []
        if late != nil { types.insert(EventType.vrrpLate) }
        if let standing {
            if standing.isMaster { types.insert(EventType.vrrpMasters) }
            if standing.rival.refusal != nil { types.insert(EventType.vrrpDropped) }
        }
        return types
    }
}

extension Incidents.Standing {
    fileprivate func asOtherMaster(of name: String) -> VrrpAPI.OtherMaster? {
        guard isMaster else { return nil }
        return VrrpAPI.OtherMaster(
            instance: name, peer: "\(rival.address)", since: since,
            reason: rival.refusal?.reason.rawValue ?? "lowerPriority",
            detail: rival.refusal.map { "its advertisements are dropped here: \($0)" }
                ?? "it goes on with a lower priority: it does not hear this director")
    }

    fileprivate func asDroppedPeer(of name: String, in view: Director.View?) -> VrrpAPI.DroppedPeer? {
        guard let refusal = rival.refusal else { return nil }
        let record = view?.peers.first { $0.address == rival.address }?.record
        return VrrpAPI.DroppedPeer(
            instance: name, peer: "\(rival.address)", since: since, reason: refusal.reason.rawValue,
            detail: "\(refusal)", count: Int(clamping: record?.refused[refusal.reason] ?? 0))
    }
}
