// `lbctl check`: the health checks of the real servers.
import ArgumentParser
import Bus

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Health checks: the verdicts, and probing now.",
        discussion: """
            Examples:
              lbctl check list
              lbctl check run 192.168.200.103:80
            """,
        subcommands: [List.self, Run.self])

    struct List: BusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Every check of every real server: verdict, since when, last probe, why.",
            discussion: """
                Examples:
                  lbctl check list
                  lbctl check list --json | jq -r '.servers[] | [.server, .state, .reason] | @tsv'
                """)
        @OptionGroup var bus: BusOptions
        @OptionGroup var output: OutputOptions

        func answer(from daemons: some Daemons) throws(Failure) -> Shown {
            let answers = try daemons.list(CheckAPI.List())
            return Shown(wire: answers.map(\.parameters)) { screen throws(Failure) in
                let servers = try answers.all(\.servers)
                guard !servers.isEmpty else { return screen.add("No real server is checked.") }
                screen.add(screen.checkTable(servers))
            }
        }
    }

    struct Run: BusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Probe a server now and show what came of it.",
            discussion: """
                Waits for the probes, at most 60 s unless --timeout says otherwise. The exit status is 0 when the probes \
                were made, whatever they found.

                Examples:
                  lbctl check run 192.168.200.103:80
                  lbctl check run tcp/192.168.200.254:80/192.168.200.103:80 --json | jq -r .health.state
                """)
        @Argument(help: "SERVICE/ADDR:PORT, or ADDR[:PORT].", completion: .servers)
        var server: String
        @OptionGroup var bus: BusOptions
        @OptionGroup var output: OutputOptions

        func answer(from daemons: some Daemons) throws(Failure) -> Shown {
            let name = try Naming.checkedServer(server, in: daemons)
            let answer = try Naming.explaining("checked real server", name) { () throws(Failure) in
                try daemons.list(CheckAPI.List()).all(\.servers).map(\.server)
            } _: { () throws(Failure) in
                try daemons.call(CheckAPI.Run(server: name), timeout: bus.limit ?? .seconds(60))
            }
            return Shown(wire: [answer.parameters]) { screen throws(Failure) in
                screen.add(try answer.decoded().health)
            }
        }
    }
}
