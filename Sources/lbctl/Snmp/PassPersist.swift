// What Net-SNMP's snmpd says to a program of `pass_persist`, and what that answers: lines in, lines out (snmpd.conf(5)).

/// The program's side of the conversation.
struct PassPersist {
    /// The objects now.
    let objects: () -> ObjectTree

    /// What is written for the line `command` and those that follow it; nil at the end.
    func answer(_ command: String, _ next: () -> String?) -> String? {
        switch command.lowercased() {
        case "": return nil
        case "ping": return "PONG\n"
        case "get":
            guard let id = next().flatMap({ OID($0) }), let value = objects()[id] else { return "NONE\n" }
            return "\(id)\n\(value.lines)\n"
        case "getnext":
            guard let id = next().flatMap({ OID($0) }), let found = objects().next(after: id) else { return "NONE\n" }
            return "\(found.id)\n\(found.value.lines)\n"
        case "set":
            // The object, and what it was to become.
            _ = (next(), next())
            return "not-writable\n"
        default: return "NONE\n"
        }
    }
}
