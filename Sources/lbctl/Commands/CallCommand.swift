// `lbctl call`: any method of the bus, so that a script never waits for a verb.
import ArgumentParser
import JSON
import Varlink

struct CallCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call",
        abstract: "Call any method and print what it returns, as JSON.",
        discussion: """
            The parameters are one JSON object; '-' reads it from standard input. 'lbctl introspect' lists interfaces, 'lbctl \
            introspect INTERFACE' their methods. Without --json the reply is indented.

            Examples:
              lbctl call io.evenkeel.Vrrp.Show '{"name":"VI_1"}'
              lbctl call io.evenkeel.Bus.GetStatistics --json
              lbctl call io.evenkeel.Bus.Subscribe --more --json \\
                  '{"types":["io.evenkeel.vrrp.*"]}'
            """)

    @Argument(help: "INTERFACE.Method")
    var method: String

    @Argument(help: "The parameters, a JSON object; '-' reads standard input.")
    var parameters = "{}"

    @Flag(help: "Take several replies, without a time limit.")
    var more = false

    @OptionGroup var bus: BusOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        if more { ReaderWatch.start() }
        let link = bus.link
        try call(link) { (reply) throws(Failure) in
            if output.json {
                try StandardOutput.json(.object(reply))
            } else {
                StandardOutput.line(JSONText.indented(.object(reply)))
            }
        }
    }

    /// Makes the call and hands every reply over.
    func call(_ caller: some Daemons, _ print: (JSONObject) throws(Failure) -> Void) throws(Failure) {
        guard let names = VarlinkCall.split(method), !names.member.isEmpty, names.interface.contains(".") else {
            throw .usage("'\(method)' is not INTERFACE.Method, such as io.evenkeel.Vrrp.List; see 'lbctl introspect'")
        }
        let parameters = try object()
        let message = VarlinkCall(method: method, parameters: parameters, more: more)
        do throws(Failure) {
            try caller.send(message, to: nil, patience(caller)) { reply throws(Failure) in
                try print(reply)
                return .more
            }
        } catch {
            throw explained(error, parameters)
        }
    }

    /// A parameter that is refused because it was not given is missing, and what was given may be its name written wrongly.
    private func explained(_ failure: Failure, _ parameters: JSONObject) -> Failure {
        guard case .refused(_, "org.varlink.service.InvalidParameter", let refusal) = failure,
            let name = refusal["parameter"]?.string, parameters[String(name.prefix { $0 != "." && $0 != "[" })] == nil
        else { return failure }
        let given = parameters.members.map(\.key.printable)
        return .notDone(
            "\(method) needs the parameter '\(name.printable)', and was given \(given.isEmpty ? "none" : given.joined(separator: ", ")); "
                + "'lbctl introspect \(method.split(separator: ".").dropLast().joined(separator: "."))' shows its parameters"
        )
    }

    /// Nobody knows when a method with several replies gives the first one, unless the caller does.
    private func patience(_ caller: some Daemons) -> Patience {
        more && bus.limit == nil ? .leaving(caller.timeout) : .everyReply(caller.timeout)
    }

    private func object() throws(Failure) -> JSONObject {
        let text = parameters == "-" ? try StandardInput.all() : Array(parameters.utf8)
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue(parsing: text)
        } catch {
            throw .usage("the parameters are not JSON: \(error)")
        }
        guard let object = value.object else {
            throw .usage("the parameters must be a JSON object, such as '{\"name\":\"VI_1\"}'")
        }
        return object
    }
}
