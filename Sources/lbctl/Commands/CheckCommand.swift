// `lbctl check`: the health checks of the real servers.
import ArgumentParser
import Bus

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Health checks: the verdicts, their past, and a probe to look at.",
        discussion: """
            Examples:
              lbctl check list
              lbctl check show 192.168.200.103:80
              lbctl check run 192.168.200.103:80
              lbctl check digest http://192.168.200.103/health
            """,
        subcommands: [List.self, Show.self, Run.self, CheckDigestCommand.self])

    struct List: BusCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "Every check of every real server: verdict, since when, last probe, why.",
            discussion: """
                Examples:
                  lbctl check list
                  lbctl check list --json | \\
                      jq -r '.servers[] | [.server, .state, .reason] | @tsv'
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

    struct Show: BusCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "The checks of a server, their last changes, and how long their probes took.",
            discussion: """
                Examples:
                  lbctl check show 192.168.200.103:80
                  lbctl check show 192.168.200.103:80 --json | \\
                      jq -r '.checks[].changes[] | [.time, .state] | @tsv'
                """)
        @Argument(help: "SERVICE/ADDR:PORT, or ADDR[:PORT].", completion: .servers)
        var server: String
        @OptionGroup var bus: BusOptions
        @OptionGroup var output: OutputOptions

        func answer(from daemons: some Daemons) throws(Failure) -> Shown {
            let answer = try CheckCommand.ask(server, in: daemons) { name throws(Failure) in
                try daemons.call(CheckAPI.ShowHistory(server: name))
            }
            return Shown(wire: [answer.parameters]) { screen throws(Failure) in
                let reply = try answer.decoded()
                screen.add(reply.health)
                for history in reply.checks { screen.add(history) }
            }
        }
    }

    struct Run: BusCommand {
        static let configuration = CommandConfiguration(
            commandName: "run",
            abstract: "Probe a server once and show what happens: connection, TLS, answer, why.",
            discussion: """
                Verdicts, counters and schedules stay as they are. Every check of the server is made, with every url. Waits for \
                the probes, at most 60 s unless --timeout says otherwise. The exit status is 0 when the probes were made, \
                whatever they found.

                Examples:
                  lbctl check run 192.168.200.103:80
                  lbctl check run tcp/192.168.200.254:80/192.168.200.103:80 --json | \\
                      jq -r '.trials[].outcome'
                """)
        @Argument(help: "SERVICE/ADDR:PORT, or ADDR[:PORT].", completion: .servers)
        var server: String
        @OptionGroup var bus: BusOptions
        @OptionGroup var output: OutputOptions

        func answer(from daemons: some Daemons) throws(Failure) -> Shown {
            let answer = try CheckCommand.ask(server, in: daemons) { name throws(Failure) in
                try daemons.call(CheckAPI.ProbeOnce(server: name), timeout: bus.limit ?? .seconds(60))
            }
            return Shown(wire: [answer.parameters]) { screen throws(Failure) in
                let trials = try answer.decoded().trials
                if trials.isEmpty { screen.add("No check of this server runs.") }
                for trial in trials { screen.add(trial) }
            }
        }
    }

    /// Asks about a checked server by what a person calls it.
    private static func ask<Reply>(
        _ text: String, in daemons: some Daemons, _ call: (String) throws(Failure) -> Reply
    ) throws(Failure) -> Reply {
        let name = try Naming.checkedServer(text, in: daemons)
        return try Naming.explaining("checked real server", name) { () throws(Failure) in
            try daemons.list(CheckAPI.List()).all(\.servers).map(\.server)
        } _: { () throws(Failure) in
            try call(name)
        }
    }
}
