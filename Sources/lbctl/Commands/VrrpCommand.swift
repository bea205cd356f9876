// `lbctl vrrp`: the virtual routers of this director.
import ArgumentParser
import Bus
import Varlink

struct VrrpCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vrrp",
        abstract: "Virtual routers: who holds the virtual addresses, and handing them over.",
        discussion: """
            Examples:
              lbctl vrrp list
              lbctl vrrp show VI_1
              lbctl vrrp failover VI_1      hand the addresses over, for maintenance
              lbctl vrrp resume VI_1        take part again
            """,
        subcommands: [List.self, Show.self, Failover.self, Resume.self])

    struct List: BusCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "All virtual routers in the order of the configuration.",
            discussion: """
                Examples:
                  lbctl vrrp list
                  lbctl vrrp list --json | \\
                      jq -r '.instances[] | select(.runtime.state == "master") | .name'
                """)
        @OptionGroup var bus: BusOptions
        @OptionGroup var output: OutputOptions

        func answer(from daemons: some Daemons) throws(Failure) -> Shown {
            let answers = try daemons.list(VrrpAPI.List())
            return Shown(wire: answers.map(\.parameters)) { screen throws(Failure) in
                let instances = try answers.all(\.instances)
                guard !instances.isEmpty else { return screen.add("No virtual router is configured.") }
                screen.add(screen.instanceTable(instances))
            }
        }
    }

    struct Show: BusCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "One virtual router: state, reason, addresses, timers, counters.",
            discussion: """
                Examples:
                  lbctl vrrp show VI_1
                  lbctl vrrp show VI_1 --json | jq .instance.runtime.statistics
                """)
        @Argument(help: "The instance's name in the configuration.", completion: .instances)
        var name: String
        @OptionGroup var bus: BusOptions
        @OptionGroup var output: OutputOptions

        func answer(from daemons: some Daemons) throws(Failure) -> Shown {
            let answer = try VrrpCommand.ask(daemons, VrrpAPI.Show(name: name), name)
            return Shown(wire: [answer.parameters]) { screen throws(Failure) in
                screen.add(try answer.decoded().instance)
            }
        }
    }

    struct Failover: BusCommand {
        static let configuration = CommandConfiguration(
            commandName: "failover",
            abstract: "Hand the addresses over to another director, and keep out of the election until 'resume'.",
            discussion: """
                The master sends adverts of priority 0, so that a backup takes over at once. The decision survives restarts \
                and shows in 'lbctl status'. Without another director nobody holds the addresses afterwards.

                Examples:
                  lbctl vrrp failover VI_1
                """)
        @Argument(help: "The instance's name in the configuration.", completion: .instances)
        var name: String
        @OptionGroup var bus: BusOptions
        @OptionGroup var output: OutputOptions

        func answer(from daemons: some Daemons) throws(Failure) -> Shown {
            let answer = try VrrpCommand.ask(daemons, VrrpAPI.Failover(name: name), name)
            return Shown(wire: [answer.parameters]) { screen in
                screen.add(Cell("\(name) has stepped down and stays out until 'lbctl vrrp resume \(name)'."))
            }
        }
    }

    struct Resume: BusCommand {
        static let configuration = CommandConfiguration(
            commandName: "resume",
            abstract: "Take part in the election again after 'failover'.",
            discussion: """
                Examples:
                  lbctl vrrp resume VI_1
                """)
        @Argument(help: "The instance's name in the configuration.", completion: .instances)
        var name: String
        @OptionGroup var bus: BusOptions
        @OptionGroup var output: OutputOptions

        func answer(from daemons: some Daemons) throws(Failure) -> Shown {
            let answer = try VrrpCommand.ask(daemons, VrrpAPI.Resume(name: name), name)
            return Shown(wire: [answer.parameters]) { screen in
                screen.add(Cell("\(name) takes part in the election again."))
            }
        }
    }

    /// Makes a call about the instance `name`.
    private static func ask<Method: VarlinkMethod>(
        _ daemons: some Daemons, _ method: Method, _ name: String
    ) throws(Failure) -> Answer<Method> {
        try Naming.explaining("VRRP instance", name) { () throws(Failure) in
            try Naming.instances(of: daemons).map(\.name)
        } _: { () throws(Failure) in
            try daemons.call(method)
        }
    }
}
