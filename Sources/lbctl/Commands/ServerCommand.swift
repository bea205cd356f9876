// `lbctl server`: the real servers, and what a person may decide about them. Such a decision survives restarts and
// reloads, shows in `lbctl status`, and ends with `reset`.
import ArgumentParser
import Bus
import JSON
import Varlink

struct ServerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server",
        abstract: "Real servers: weights, drain, disable, enable, until 'reset'.",
        discussion: """
            A server is called SERVICE/ADDR:PORT as in 'lbctl server list'; where only one fits, ADDR:PORT or ADDR will do, \
            and --all means every service that has it. What is decided here survives restarts and reloads until 'reset'.

            Examples:
              lbctl server list
              lbctl server drain 192.168.200.103 --all     before maintenance of it
              lbctl server weight 192.168.200.103:80 5
              lbctl server reset 192.168.200.103 --all
            """,
        subcommands: [
            List.self, Weight.self, Drain.self, Disable.self, Enable.self, Reset.self, Add.self, Edit.self,
            Delete.self,
        ])

    struct List: BusCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "All real servers under the names that the other commands take.",
            discussion: """
                Examples:
                  lbctl server list
                  lbctl server list --json | jq -r '.services[].servers[] |
                      select(.runtime.health == "down") | .name'
                """)
        @OptionGroup var bus: BusOptions
        @OptionGroup var output: OutputOptions

        func answer(from daemons: some Daemons) throws(Failure) -> Shown {
            let answers = try daemons.list(IpvsAPI.ListServices())
            return Shown(wire: answers.map(\.parameters)) { screen throws(Failure) in
                let services = try answers.all(\.services)
                let orphans = try answers.all(\.knownOrphans)
                if services.contains(where: { !$0.servers.isEmpty }) {
                    screen.add(screen.serverTable(services))
                } else {
                    screen.add("No real server is configured.")
                }
                screen.add(orphans)
            }
        }
    }

    struct Weight: BusCommand {
        static let configuration = CommandConfiguration(
            commandName: "weight",
            abstract: "Give a server a weight of its own.",
            discussion: """
                Examples:
                  lbctl server weight tcp/192.168.200.254:80/192.168.200.103:80 5
                  lbctl server weight 192.168.200.103:80 0     no new connections
                """)
        @OptionGroup var target: ServerTarget
        @Argument(help: "The weight, 0 to 2147483647; 0 takes no new connections.")
        var weight: Int
        @OptionGroup var bus: BusOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            guard (0...0x7FFF_FFFF).contains(weight) else {
                throw ValidationError("The weight is 0 to 2147483647, not \(weight).")
            }
        }

        func answer(from daemons: some Daemons) throws(Failure) -> Shown {
            try target.decide("has weight \(weight)", daemons) { IpvsAPI.SetWeight(server: $0, weight: weight) }
        }
    }

    struct Drain: BusCommand {
        static let configuration = CommandConfiguration(
            commandName: "drain",
            abstract: "No new connections; when the running ones have ended, the server leaves the table.",
            discussion: """
                It stays out until 'enable' or 'reset', across restarts too. Clients that persistence would bring back are waited \
                for as well. --wait says on standard error what is left; exit status 4 means that it gave up (--wait-limit) and \
                the drain goes on.

                Examples:
                  lbctl server drain 192.168.200.103:80
                  lbctl server drain 192.168.200.103 --all --wait && \\
                      ssh 192.168.200.103 systemctl restart nginx
                  lbctl server drain 192.168.200.103:80 --wait --cut-after 600
                """)
        @OptionGroup var target: ServerTarget
        @Flag(help: "Return when no connection is left.")
        var wait = false
        @Option(help: ArgumentHelp("Cut off what is left after so long.", valueName: "seconds"))
        var cutAfter: Int?
        @Option(help: ArgumentHelp("With --wait: give up waiting after so long.", valueName: "seconds"))
        var waitLimit: Double?
        @OptionGroup var bus: BusOptions
        @OptionGroup var output: OutputOptions

        func answer(from daemons: some Daemons) throws(Failure) -> Shown {
            let limit = cutAfter
            let shown = try target.decide("is draining", daemons) { IpvsAPI.Drain(server: $0, limitSeconds: limit) }
            guard wait else { return shown }
            let names = try Naming.servers(target.server, all: target.all, in: daemons)
            try DrainWait(limit: waitLimit.map { .seconds($0) }).wait(for: names, daemons)
            return Shown(wire: shown.wire) { screen in
                for name in names { screen.add(Cell("\(name) is drained and out of the table.")) }
            }
        }

        func validate() throws {
            if let waitLimit {
                guard wait else { throw ValidationError("--wait-limit goes with --wait.") }
                guard waitLimit > 0, waitLimit <= 0x7FFF_FFFF else {
                    throw ValidationError("--wait-limit takes seconds, more than 0.")
                }
            }
            if let cutAfter, !(0...0x7FFF_FFFF).contains(cutAfter) {
                throw ValidationError("--cut-after takes seconds, 0 to 2147483647.")
            }
        }
    }

    struct Disable: BusCommand {
        static let configuration = CommandConfiguration(
            commandName: "disable",
            abstract: "Take a server out at once; its connections are cut off.",
            discussion: """
                Examples:
                  lbctl server disable 192.168.200.103:80
                """)
        @OptionGroup var target: ServerTarget
        @OptionGroup var bus: BusOptions
        @OptionGroup var output: OutputOptions

        func answer(from daemons: some Daemons) throws(Failure) -> Shown {
            try target.decide("is out of service", daemons) { IpvsAPI.Disable(server: $0) }
        }
    }

    struct Enable: BusCommand {
        static let configuration = CommandConfiguration(
            commandName: "enable",
            abstract: "End a drain or a disable: the checks rule again.",
            discussion: """
                A weight given by hand stays; 'reset' ends that too.

                Examples:
                  lbctl server enable 192.168.200.103:80
                """)
        @OptionGroup var target: ServerTarget
        @OptionGroup var bus: BusOptions
        @OptionGroup var output: OutputOptions

        func answer(from daemons: some Daemons) throws(Failure) -> Shown {
            try target.decide("follows its checks again", daemons) { IpvsAPI.Enable(server: $0) }
        }
    }

    struct Reset: BusCommand {
        static let configuration = CommandConfiguration(
            commandName: "reset",
            abstract: "End what was decided by hand: configuration and checks rule again.",
            discussion: """
                Examples:
                  lbctl server reset 192.168.200.103:80
                  lbctl server reset 192.168.200.103 --all
                """)
        @OptionGroup var target: ServerTarget
        @OptionGroup var bus: BusOptions
        @OptionGroup var output: OutputOptions

        func answer(from daemons: some Daemons) throws(Failure) -> Shown {
            try target.decide("follows configuration and checks again", daemons) { IpvsAPI.Reset(server: $0) }
        }
    }
}

/// Which server, or servers.
struct ServerTarget: ParsableArguments {
    @Argument(help: "SERVICE/ADDR:PORT, or ADDR[:PORT].", completion: .servers)
    var server: String

    @Flag(help: "Every service that has this ADDR[:PORT].")
    var all = false

    /// Makes a call for every server meant, one after the other.
    func decide<Method: VarlinkMethod>(
        _ outcome: String, _ daemons: some Daemons, _ call: (String) -> Method
    ) throws(Failure) -> Shown {
        var done: [(name: String, parameters: JSONObject)] = []
        let names = try Naming.servers(server, all: all, in: daemons)
        for name in names {
            do throws(Failure) {
                let answer = try Naming.explaining("real server", name) { () throws(Failure) in
                    try Naming.known(of: daemons).servers
                } _: { () throws(Failure) in
                    try daemons.call(call(name))
                }
                done.append((name, answer.parameters))
            } catch {
                guard !done.isEmpty else { throw error }
                throw .inPart(
                    done: done.map(\.name), undone: Array(names.dropFirst(done.count)),
                    remedy: "\(error); then run it again")
            }
        }
        return Shown(wire: done.map(\.parameters)) { [done] screen in
            for (name, _) in done { screen.add(Cell("\(name) \(outcome).")) }
        }
    }
}
