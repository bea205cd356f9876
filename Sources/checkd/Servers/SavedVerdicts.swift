// The verdicts that outlive the process, as text: a new checkd starts from them, so that killing it changes nothing for the servers. A file
// of JSON lines: the boot, then one line for each server that has been probed. Verdicts of an earlier boot are not believed; the whole
// machine was away.
import JSON

/// What is kept about one server.
struct SavedServer: Hashable {
    var server: String
    var state: SavedState
    var since: String
    var reason: String
    var checks: [SavedCheck]
    /// When it changed lately, in nanoseconds of the boot's clock; nil: nobody counts (`flap_limit`).
    var changes: [Int64]?
    /// Since when it is held down for that; nil: it is not.
    var heldSince: String?

    /// As a line of the file.
    var line: [UInt8] {
        ((try? json.serialised()) ?? []) + [SavedVerdicts.newline]
    }
}

/// What is kept about one checker.
struct SavedCheck: Hashable {
    /// `ProbeKind.identity`.
    var check: String
    var state: SavedState
    var since: String
    var reason: String
    /// What it adds to the configured weight; nil: nothing.
    var weightChange: Int64?
}

/// A verdict in the file.
enum SavedState: String, JSONCodable, Hashable {
    case up, down
}

/// The file's content.
struct SavedVerdicts {
    static let newline = UInt8(ascii: "\n")

    /// Why nothing of a file is used.
    enum Refusal: Error, Hashable, CustomStringConvertible {
        /// Written before this boot, or nobody can tell.
        case otherBoot
        /// The first line is not what it must be.
        case damaged

        var description: String {
            switch self {
            case .otherBoot: "they are from before this boot"
            case .damaged: "the file is damaged"
            }
        }
    }

    /// Each server with its line.
    private(set) var servers: [String: (server: SavedServer, line: [UInt8])] = [:]

    /// Reads a file of the boot `boot`. A line that is not understood is left out: the last one may be half.
    init(parsing octets: [UInt8], boot: String) throws(Refusal) {
        var lines = octets.split(separator: Self.newline)[...]
        guard let header = try? JSONValue(parsing: lines.popFirst() ?? []), let written = header["boot"]?.string else {
            throw .damaged
        }
        // Where the kernel does not tell, no two boots are the same.
        guard written == boot, !boot.isEmpty else { throw .otherBoot }
        for line in lines {
            guard let server: SavedServer = try? JSONValue(parsing: line).decode() else { continue }
            servers[server.server] = (server, line + [Self.newline])
        }
    }

    /// The file of these lines.
    static func file(boot: String, lines: some Sequence<[UInt8]>) -> [UInt8] {
        var text = Array(#"{"boot":"\#(boot)"}"#.utf8) + [newline]
        for line in lines { text += line }
        return text
    }
}

extension SavedServer: JSONStructure {
    init(members: inout JSONMembers) throws(JSONCodingError) {
        server = try members.required("server")
        state = try members.required("state")
        since = try members.required("since")
        reason = try members.required("reason")
        checks = try members.required("checks")
        changes = try members.optional("changes")
        heldSince = try members.optional("heldSince")
    }

    var object: JSONObject {
        var object = JSONObject(capacity: 7)
        object.add("server", server)
        object.add("state", state)
        object.add("since", since)
        object.add("reason", reason)
        object.add("checks", checks)
        object.add("changes", changes)
        object.add("heldSince", heldSince)
        return object
    }
}

extension SavedCheck: JSONStructure {
    init(members: inout JSONMembers) throws(JSONCodingError) {
        check = try members.required("check")
        state = try members.required("state")
        since = try members.required("since")
        reason = try members.required("reason")
        weightChange = try members.optional("weightChange")
    }

    var object: JSONObject {
        var object = JSONObject(capacity: 5)
        object.add("check", check)
        object.add("state", state)
        object.add("since", since)
        object.add("reason", reason)
        object.add("weightChange", weightChange)
        return object
    }
}
