// `lbctl service`: the virtual services of this director.
import ArgumentParser
import Bus

struct ServiceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "service",
        abstract: "Virtual services: what is balanced, and how it is.",
        discussion: """
            A service is called tcp/ADDR:PORT, udp/ADDR:PORT, sctp/ADDR:PORT or fwmark/N/inet; where only one fits, ADDR:PORT \
            or ADDR will do.

            Examples:
              lbctl service list
              lbctl service show tcp/192.168.200.254:80
              lbctl service add tcp/192.0.2.1:80 --scheduler rr
              lbctl service explain 203.0.113.9 tcp/192.0.2.1:80
            """,
        subcommands: [List.self, Show.self, Explain.self, Add.self, Edit.self, Delete.self])

    struct List: BusCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "All virtual services: of the configuration, made by hand, and of others.",
            discussion: """
                Examples:
                  lbctl service list
                  lbctl service list --json | \\
                      jq -r '.services[] | [.name, .runtime.state] | @tsv'
                """)
        @OptionGroup var bus: BusOptions
        @OptionGroup var output: OutputOptions

        func answer(from daemons: some Daemons) throws(Failure) -> Shown {
            let answers = try daemons.list(IpvsAPI.ListServices())
            return Shown(wire: answers.map(\.parameters)) { screen throws(Failure) in
                let services = try answers.all(\.services)
                guard !services.isEmpty else { return screen.add("No virtual service is configured.") }
                screen.add(screen.serviceTable(services))
            }
        }
    }

    struct Show: BusCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "One virtual service with its real servers, quorum and counters.",
            discussion: """
                Examples:
                  lbctl service show tcp/192.168.200.254:80
                  lbctl service show 192.168.200.254
                """)
        @Argument(help: "The service: tcp/ADDR:PORT, fwmark/N/inet, or ADDR[:PORT].", completion: .services)
        var name: String
        @OptionGroup var bus: BusOptions
        @OptionGroup var output: OutputOptions

        func answer(from daemons: some Daemons) throws(Failure) -> Shown {
            let full = try Naming.service(name, in: daemons)
            let answer = try Naming.explaining("virtual service", full) { () throws(Failure) in
                try Naming.known(of: daemons).services
            } _: { () throws(Failure) in
                try daemons.call(IpvsAPI.ShowService(name: full))
            }
            return Shown(wire: [answer.parameters]) { screen throws(Failure) in
                screen.add(try answer.decoded().service)
            }
        }
    }
}
