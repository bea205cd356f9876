// The errors of the interfaces in words. Errors that are not known here are shown as they came, so that a newer daemon
// still says something useful to an older lbctl.
import JSON

/// Texts for Varlink errors.
enum Refusal {
    /// What the error means and what to do, in one text.
    static func text(_ method: String, _ error: String, _ parameters: JSONObject) -> String {
        func parameter(_ name: String) -> String { (parameters[name]?.string ?? "").printable }
        switch error.split(separator: ".").last ?? "" {
        case "InstanceNotFound":
            return "no VRRP instance is called '\(parameter("name"))'; 'lbctl vrrp list' shows them"
        case "ServiceNotFound":
            return "no virtual service is called '\(parameter("name"))'; 'lbctl service list' shows them"
        case "ServerNotFound":
            return "no real server is called '\(parameter("name"))'; 'lbctl server list' shows them"
        case "NotKept":
            return "\(parameter("server")): " + notKept("\(parameter("path")): \(parameter("problem"))")
        case "NoTable": return "\(parameter("problem")); \(parameter("remedy"))"
        case "NotTaken":
            return
                "\(parameter("server")): kept, but not in the kernel's table: \(parameter("problem")); ipvsd goes on trying"
        case "Leaving":
            return
                "\(parameter("server")): kept for when it is back; it has left \(parameter("file")) and drains at weight 0: "
                + "put it into that file again and run 'lbctl reload'"
        case "ConfigurationRefused":
            let diagnostics = (parameters["diagnostics"]?.array ?? []).compactMap(\.string)
            return "the configuration is refused, the running one stays:\n"
                + diagnostics.map { "  \($0.printable)\n" }.joined() + "'lbctl config check' shows each place"
        case "NoPage": return "no page came: \(parameter("reason"))"
        case "TestUnderWay":
            return "another test of alerts is under way: wait until the mail server has answered it, then try again"
        case "NotPrepared":
            return
                "the daemon does not have any more what it was to load: somebody else reloads too, or the bus needed the connection "
                + "for others; run 'lbctl reload' again"
        case "QuotaExceeded":
            let limit = parameters["limit"]?.int.map { " (limit \($0))" } ?? ""
            return "your user has too much open on the bus: \(parameter("quota"))\(limit); close other clients first"
        case "Overrun":
            return "the reader was too slow and missed events; run it again for a fresh snapshot"
        case "TooLarge": return "the answer does not fit one message; use --more"
        case "MethodNotFound":
            return "\(parameter("method")) does not exist; 'lbctl introspect \(interface(of: method))' lists what does"
        case "InvalidParameter":
            return "\(method) does not take '\(parameter("parameter"))' like that; "
                + "'lbctl introspect \(interface(of: method))' shows its parameters"
        case "ExpectedMore": return "\(method) answers more than once; add --more"
        default:
            let details = parameters.isEmpty ? "" : " \(JSONText.line(.object(parameters)))"
            return
                "\(method) answered \(error)\(details); 'lbctl introspect \(interface(of: method))' explains the error"
        }
    }

    /// What is in force, but not on the disk because of `problem`.
    static func notKept(_ problem: String) -> String {
        "in force, but not kept: \(problem); a restart of the host would forget it. 'lbctl status' says what to do, and shows "
            + "when it is well"
    }

    private static func interface(of method: String) -> String {
        method.split(separator: ".").dropLast().joined(separator: ".")
    }
}
