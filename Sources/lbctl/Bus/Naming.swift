// What a person types for a service or a server, and the full name that the bus knows. Full names are sent as they are;
// short ones are looked up among what exists.
import Bus
import Configuration

enum Naming {
    /// The full name of a service.
    static func service(_ text: String, in daemons: some Daemons) throws(Failure) -> String {
        guard !text.contains("/") else { return text }
        return try one(text, kind: "virtual service", among: try known(of: daemons).services)
    }

    /// The full names of the servers meant: one, or with `all` every server of that address.
    static func servers(_ text: String, all: Bool, in daemons: some Daemons) throws(Failure) -> [String] {
        guard !text.contains("/") else { return [text] }
        let known = try known(of: daemons)
        let names = known.servers + known.orphans
        guard all else {
            return [try one(text, kind: "real server", among: names, hint: ", or say --all for every one")]
        }
        let found = matches(text, names)
        guard !found.isEmpty else { throw .unknownName(kind: "real server", name: text, known: names) }
        return found
    }

    /// The full name of a server that is checked.
    static func checkedServer(_ text: String, in daemons: some Daemons) throws(Failure) -> String {
        guard !text.contains("/") else { return text }
        let names = try daemons.list(CheckAPI.List()).all(\.servers).map(\.server)
        return try one(text, kind: "checked real server", among: names)
    }

    /// All virtual routers.
    static func instances(of daemons: some Daemons) throws(Failure) -> [VrrpAPI.Instance] {
        try daemons.list(VrrpAPI.List()).all(\.instances)
    }

    /// Names of services, of their servers, and of servers that are not configured but decided about, which are ours: with somebody else's
    /// nothing can be done but by `lbctl ipvs`.
    static func known(
        of daemons: some Daemons
    ) throws(Failure) -> (services: [String], servers: [String], orphans: [String]) {
        let answers = try daemons.list(IpvsAPI.ListServices())
        let ours = try answers.all(\.services).filter { $0.origin != .foreign }
        return (
            ours.map(\.name), ours.flatMap(\.servers).filter { $0.origin != .foreign }.map(\.name),
            try answers.all(\.knownOrphans).map(\.server)
        )
    }

    /// Runs `body`, which names something in full; when the daemon knows nothing of that name, says what there is.
    static func explaining<Value>(
        _ kind: String, _ name: String, _ known: () throws(Failure) -> [String],
        _ body: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        do throws(Failure) {
            return try body()
        } catch {
            guard case .refused(_, let reason, _) = error, reason.hasSuffix("NotFound"), let known = try? known() else {
                throw error
            }
            throw .unknownName(kind: kind, name: name, known: known)
        }
    }

    /// What may have been meant: a full name, or an end of one that would have done.
    static func meant(_ text: String, _ names: [String]) -> String? {
        closest(to: text, in: names + names.map { String(endpoint(of: $0)) } + names.map { String(host(of: $0)) })
    }

    private static func one(
        _ text: String, kind: String, among names: [String], hint: String = ""
    ) throws(Failure) -> String {
        let found = matches(text, names)
        guard let name = found.first else { throw .unknownName(kind: kind, name: text, known: names) }
        guard found.count == 1 else {
            throw .ambiguous(name: text, matches: found, remedy: "name one of them in full\(hint)")
        }
        return name
    }

    /// Names that end in `ADDR:PORT`, when that or its address is the text.
    private static func matches(_ text: String, _ names: [String]) -> [String] {
        names.filter { name in
            let host = host(of: name)
            return endpoint(of: name) == text || host == text || host == "[\(text)]"
        }
    }

    /// `ADDR:PORT` of a name.
    private static func endpoint(of name: String) -> Substring {
        name.lastIndex(of: "/").map { name[name.index(after: $0)...] } ?? name[...]
    }

    /// `ADDR` of a name.
    private static func host(of name: String) -> Substring {
        let endpoint = endpoint(of: name)
        return endpoint.lastIndex(of: ":").map { endpoint[..<$0] } ?? endpoint
    }
}
