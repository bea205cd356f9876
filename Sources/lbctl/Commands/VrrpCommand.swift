// `lbctl vrrp`: the virtual routers of this director.
import ArgumentParser
import Bus
import Glibc
import Net
import Platform
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
                The master sends adverts of priority 0, so that a backup takes over at once. The members of a sync group step \
                down together. The decision survives restarts and shows in 'lbctl status'. It is waited for whoever takes over: \
                where nobody does within some seconds, this director is master again, with priority 1.

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
                // It is done, whatever can be said of it.
                let members = (try? VrrpCommand.companions(of: name, daemons)) ?? [name]
                let (have, stay) = members.count == 1 ? ("has", "stays") : ("have", "stay")
                screen.add(
                    Cell(
                        "\(members.joined(separator: ", ")) \(have) stepped down and \(stay) out until "
                            + "'lbctl vrrp resume \(name)'."))
                for instance in VrrpCommand.successors(of: members, daemons) { screen.add(instance.succession) }
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
                let members = (try? VrrpCommand.companions(of: name, daemons)) ?? [name]
                let take = members.count == 1 ? "takes" : "take"
                screen.add(Cell("\(members.joined(separator: ", ")) \(take) part in the election again."))
            }
        }
    }

    /// Makes a call about the instance `name`.
    private static func ask<Method: VarlinkMethod>(
        _ daemons: some Daemons, _ method: Method, _ name: String
    ) throws(Failure) -> Answer<Method> {
        do throws(Failure) {
            return try Naming.explaining("VRRP instance", name) { () throws(Failure) in
                try Naming.instances(of: daemons).map(\.name)
            } _: { () throws(Failure) in
                try daemons.call(method)
            }
        } catch {
            guard case .unknownName = error,
                let members = try? Naming.instances(of: daemons).filter({ $0.context.syncGroup == name }),
                !members.isEmpty
            else { throw error }
            throw .ambiguous(
                name: name, matches: members.map(\.name),
                remedy: "it is a sync group, whose members move together: name one of them")
        }
    }

    /// The members of its sync group, which move with it; else itself.
    private static func companions(of name: String, _ daemons: some Daemons) throws(Failure) -> [String] {
        let all = try Naming.instances(of: daemons)
        guard let group = all.first(where: { $0.name == name })?.context.syncGroup else { return [name] }
        return all.filter { $0.context.syncGroup == group }.map(\.name)
    }

    /// The instances as they are when it is known who has taken over, or nobody has in the time in which somebody must.
    private static func successors(of names: [String], _ daemons: some Daemons) -> [VrrpAPI.Instance] {
        let begun = SystemClock.now
        while true {
            guard let instances = try? Naming.instances(of: daemons).filter({ names.contains($0.name) }) else {
                return []
            }
            let interval = instances.compactMap(\.runtime.masterDownIntervalMilliseconds).max() ?? 0
            let limit = min(.milliseconds(interval) + .seconds(1), longestSuccession)
            if instances.allSatisfy(\.isSettled) || SystemClock.now - begun > limit { return instances }
            usleep(100_000)
        }
    }

    /// Nobody waits for more than this, however slow the adverts are.
    private static let longestSuccession = Duration.seconds(10)
}

extension VrrpAPI.Instance {
    /// It is known who is master, or that there cannot be one here.
    fileprivate var isSettled: Bool { runtime.state != .backup || runtime.master != nil }

    /// Who is master after this director has stepped down.
    fileprivate var succession: Cell {
        switch (runtime.state, runtime.master) {
        case (.master, _):
            Cell(
                "\(name): no other director took over; this one is master again, with priority \(runtime.effectivePriority).",
                .warning)
        case (_, let master?): Cell("\(name): \(master) is master.")
        case (_, nil):
            Cell("\(name): no other director was heard as master yet; 'lbctl status' shows who takes over.", .warning)
        }
    }
}
