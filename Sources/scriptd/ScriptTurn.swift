// Programs that follow each other. A lane holds what was asked for and is not over, in the order of the calls. What one owner (a process)
// asks for begins when nothing of an earlier owner's is left in the lane; so the programs of a vrrpd that has ended, and of the one after it,
// never run side by side. Who waits for half a minute has what is before it ended.

import Bus
import Platform

/// A call of Run that has been taken on, until it is over.
final class ScriptTurn {
    let call: ScriptAPI.Run
    let asker: Asker
    let responder: Responder<ScriptAPI.Run>
    /// Who it is to run as, once that is known.
    var user: UserCache.Answer?
    /// Runs out when what is before it has had enough time.
    var patience: LoopTimer?

    /// What it is called in the log.
    var name: String { call.arguments.first ?? "a program without a name" }

    init(_ call: ScriptAPI.Run, of asker: Asker, _ responder: Responder<ScriptAPI.Run>) {
        self.call = call
        self.asker = asker
        self.responder = responder
    }
}

/// The calls of all lanes.
struct ScriptLanes {
    private var lanes: [String: [ScriptTurn]] = [:]

    /// The last one of its lane from now on.
    mutating func enter(_ turn: ScriptTurn) {
        if let lane = turn.call.lane { lanes[lane.name, default: []].append(turn) }
    }

    /// What it must wait for.
    func before(_ turn: ScriptTurn) -> [ScriptTurn] {
        guard let lane = turn.call.lane else { return [] }
        return (lanes[lane.name] ?? []).prefix { $0 !== turn }.filter { $0.call.lane?.owner != lane.owner }
    }

    /// It is over.
    /// - Returns: those of its lane, which may begin now.
    mutating func leave(_ turn: ScriptTurn) -> [ScriptTurn] {
        guard let lane = turn.call.lane else { return [] }
        lanes[lane.name]?.removeAll { $0 === turn }
        let rest = lanes[lane.name] ?? []
        if rest.isEmpty { lanes[lane.name] = nil }
        return rest
    }
}
