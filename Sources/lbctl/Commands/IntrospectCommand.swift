// `lbctl introspect`: what can be called, in the words of the interfaces themselves.
import ArgumentParser
import JSON
import Varlink

struct IntrospectCommand: BusCommand {
    static let configuration = CommandConfiguration(
        commandName: "introspect",
        abstract: "List the interfaces of the bus, or print one of them.",
        discussion: """
            Examples:
              lbctl introspect
              lbctl introspect io.evenkeel.Vrrp
              lbctl introspect --direct io.evenkeel.Ipvs     straight from ipvsd
            """)

    @Argument(help: "An interface; without it, all are listed.", completion: .interfaces)
    var interface: String?

    @OptionGroup var bus: BusOptions
    @OptionGroup var output: OutputOptions

    func answer(from daemons: some Daemons) throws(Failure) -> Shown {
        guard let interface else { return try list(daemons) }
        let reply = try description(of: interface, daemons)
        return Shown(wire: [reply]) { screen in
            let text = reply["description"]?.string ?? ""
            screen.add(
                lines: text.split(separator: "\n", omittingEmptySubsequences: false).map { String($0).printable })
        }
    }

    private func description(of interface: String, _ daemons: some Daemons) throws(Failure) -> JSONObject {
        let daemon = Daemon(serving: interface)
        // Without the bus any daemon can say that it does not know an interface.
        let asked = daemons.isDirect ? daemon ?? .vrrpd : daemon
        do throws(Failure) {
            return try daemons.service("GetInterfaceDescription", ["interface": .string(interface)], of: asked)
        } catch {
            guard case .notAttached = error, daemon == nil,
                let known = try? daemons.service("GetInfo", [:], of: asked)["interfaces"]?.array
            else { throw error }
            throw .unknownName(kind: "interface", name: interface, known: known.compactMap(\.string))
        }
    }

    private func list(_ caller: some Daemons) throws(Failure) -> Shown {
        let asked: [Daemon?] = caller.isDirect ? Daemon.allCases : [nil]
        var replies: [JSONObject] = []
        for daemon in asked { replies.append(try caller.service("GetInfo", [:], of: daemon)) }
        return Shown(wire: replies) { [replies] screen in
            for reply in replies {
                let words = ["vendor", "product", "version"].compactMap { reply[$0]?.string }.joined(separator: " ")
                screen.add(Cell(words, .strong))
                for interface in (reply["interfaces"]?.array ?? []).compactMap(\.string) {
                    screen.add("  ", Cell(interface))
                }
            }
        }
    }
}

extension Daemons {
    /// A method of `org.varlink.service`, which every daemon has; `daemon` matters without the bus.
    func service(_ member: String, _ parameters: JSONObject, of daemon: Daemon?) throws(Failure) -> JSONObject {
        try call(VarlinkCall(method: "org.varlink.service.\(member)", parameters: parameters), to: daemon)
    }
}
