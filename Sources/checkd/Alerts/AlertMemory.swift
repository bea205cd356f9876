// What outlives the process about alerts, as a file of JSON: what was told, and what nobody has taken yet. So a restart tells nothing twice and
// loses nothing.
import Alerts
import JSON

/// The file's content.
struct AlertMemory: Sendable {
    /// Of the boot in which it was written.
    var boot: String
    /// Unlike that of any other memory: with a number it names a message.
    var origin: String
    var mail = AlertStream.Memory()
    var webhooks = AlertStream.Memory()

    /// Nothing was told yet.
    init(boot: String, origin: String) {
        (self.boot, self.origin) = (boot, origin)
    }

    /// Reads a file; nil when it is damaged. In another boot the director's own states are news again.
    init?(parsing octets: [UInt8], boot: String) {
        // Five receivers for whom much waits are more than a message of Varlink may have.
        let limits = JSONLimits(octets: octets.count, depth: JSONLimits.message.depth)
        guard var memory: AlertMemory = try? JSONValue(parsing: octets, limits: limits).decode() else { return nil }
        if memory.boot != boot || boot.isEmpty {
            memory.mail.told.forgetDirector()
            memory.webhooks.told.forgetDirector()
            memory.boot = boot
        }
        self = memory
    }

    /// As the file.
    var octets: [UInt8] { (try? json.serialised()) ?? [] }
}

extension AlertMemory: JSONStructure {
    init(members: inout JSONMembers) throws(JSONCodingError) {
        boot = try members.required("boot")
        origin = try members.required("origin")
        mail = try members.required("mail")
        webhooks = try members.required("webhooks")
    }

    var object: JSONObject {
        var object = JSONObject(capacity: 4)
        object.add("boot", boot)
        object.add("origin", origin)
        object.add("mail", mail)
        object.add("webhooks", webhooks)
        return object
    }
}
