// Which earlier check tells about which checker, after a restart or a reload. A checker that asks what was asked before goes on with what
// was found out. One whose question was edited keeps the verdict of the question it replaces until it has been asked: editing a path takes
// no server out. One that was added takes nothing out either.
import HealthCheck

/// What is known about one checker beforehand.
enum Recollection: Hashable {
    /// The same question was asked before.
    case same(SavedCheck)
    /// Another question stood in its place.
    case edited(SavedCheck)
    /// The server was watched without it.
    case added
    /// Nothing: the server is new.
    case nothing

    /// The verdict to begin with; nil = as configured.
    var verdict: Verdict? {
        switch self {
        case .same(let check), .edited(let check): check.state.verdict
        case .added: .up
        case .nothing: nil
        }
    }

    /// What it added to the weight.
    var weightChange: Int64 {
        switch self {
        case .same(let check), .edited(let check): check.weightChange ?? 0
        case .added, .nothing: 0
        }
    }

    /// One for each of `identities`, from what was known about the server.
    static func of(_ identities: [String], from server: SavedServer?) -> [Recollection] {
        guard let server else { return identities.map { _ in .nothing } }
        var rest = server.checks
        var found = identities.map { identity -> Recollection? in
            guard let index = rest.firstIndex(where: { $0.check == identity }) else { return nil }
            return .same(rest.remove(at: index))
        }
        for index in found.indices where found[index] == nil {
            found[index] = rest.isEmpty ? .added : .edited(rest.removeFirst())
        }
        return found.map { $0 ?? .added }
    }
}

extension SavedState {
    init(_ verdict: Verdict) {
        switch verdict {
        case .up: self = .up
        case .down: self = .down
        }
    }

    /// As the machines have it.
    var verdict: Verdict {
        switch self {
        case .up: .up
        case .down: .down
        }
    }
}
