// Daemons that answer from a script, and remember what they were asked.
import JSON
import Platform
import Varlink

@testable import lbctl

/// Answers by method; what has no answer is not attached.
final class ScriptedDaemons: Daemons {
    /// What a call brings.
    enum Answer {
        case replies([JSONObject])
        case failure(Failure)
    }

    let timeout = Duration.seconds(5)
    let isDirect: Bool
    let instance: String? = nil
    private var answers: [String: Answer] = [:]
    /// `Method` or `Method {"parameters":…}` in the order of the calls, without the interface's first parts.
    private(set) var calls: [String] = []

    /// Told of each call before it is answered.
    var onCall: (String) -> Void = { _ in }

    init(isDirect: Bool = false) {
        self.isDirect = isDirect
    }

    subscript(method: String) -> Answer? {
        get { answers[method] }
        set { answers[method] = newValue }
    }

    func send(
        _ call: VarlinkCall, to daemon: Daemon?, _ patience: Patience, _ each: (JSONObject) throws(Failure) -> Appetite
    ) throws(Failure) {
        let name = String(call.method.replacing("io.evenkeel.", with: ""))
        calls.append(call.parameters.isEmpty ? name : "\(name) \(JSONText.line(.object(call.parameters)))")
        onCall(name)
        switch answers[name] {
        case .replies(let replies):
            for reply in replies { guard case .more = try each(reply) else { return } }
        case .failure(let failure): throw failure
        case nil: throw Failure(method: call.method, error: "io.evenkeel.Bus.ServiceUnavailable", parameters: [:])
        }
    }
}

extension ScriptedDaemons {
    /// A bus with these daemons attached.
    func attach(_ daemons: Daemon...) { attach(daemons) }

    /// A bus with these daemons attached.
    func attach(_ daemons: [Daemon]) {
        let services = daemons.map { daemon -> JSONValue in
            [
                "name": .string(daemon.rawValue), "interfaces": [.string(daemon.interface)], "address": "unix:/x",
                "uid": 0, "pid": 1, "since": "2026-11-21T12:00:00.000Z",
            ]
        }
        self["Bus.ListServices"] = .replies([["services": .array(services)]])
    }
}

/// What a command prints with --json.
func wire(_ shown: Shown) -> [String] { shown.wire.map { JSONText.line(.object($0)) } }

/// What a command shows to people.
func text(_ answer: Shown) throws -> String { try shown { try answer.screen(&$0) } }
