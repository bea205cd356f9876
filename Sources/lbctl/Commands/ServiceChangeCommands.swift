// `lbctl service add`, `edit` and `delete`.
import ArgumentParser
import Bus

extension ServiceCommand {
    struct Add: BusCommand {
        static let configuration = CommandConfiguration(
            commandName: "add",
            abstract: "Make a virtual service by hand; it is kept until it is deleted or the configuration brings it.",
            discussion: """
                What is not said is: scheduler wlc, not persistent. Servers are added with 'lbctl server add'.

                Examples:
                  lbctl service add tcp/192.0.2.1:80
                  lbctl service add udp/[2001:db8::1]:53 --scheduler rr --one-packet
                  lbctl service add fwmark/7/inet --scheduler mh --flags mh-port \\
                      --persistent 300
                """)
        @Argument(help: "Its name: tcp/ADDR:PORT, udp/ADDR:PORT, sctp/ADDR:PORT, fwmark/N/inet or fwmark/N/inet6.")
        var name: String
        @OptionGroup var options: ServiceOptions
        @OptionGroup var bus: BusOptions
        @OptionGroup var output: OutputOptions

        func answer(from daemons: some Daemons) throws(Failure) -> Shown {
            let name = try TableChange.newName(name)
            let settings = options.changed(IpvsAPI.ServiceSettings(scheduler: "wlc"))
            return try TableChange.make(
                .init(action: .addService, service: name, serviceSettings: settings), "\(name) is there", daemons)
        }
    }

    struct Edit: BusCommand {
        static let configuration = CommandConfiguration(
            commandName: "edit",
            abstract: "Change a virtual service that was made by hand; what is not said stays.",
            discussion: """
                Services of the configuration are changed there, and taken over with 'lbctl reload'.

                Examples:
                  lbctl service edit tcp/192.0.2.1:80 --scheduler wrr
                  lbctl service edit tcp/192.0.2.1:80 --persistent 0
                """)
        @Argument(help: "The service.", completion: .services)
        var name: String
        @OptionGroup var options: ServiceOptions
        @OptionGroup var bus: BusOptions
        @OptionGroup var output: OutputOptions

        func answer(from daemons: some Daemons) throws(Failure) -> Shown {
            let name = try Naming.service(name, in: daemons)
            let settings = options.changed(try TableChange.service(name, daemons).settings)
            return try TableChange.make(
                .init(action: .editService, service: name, serviceSettings: settings), "\(name) is changed", daemons)
        }
    }

    struct Delete: BusCommand {
        static let configuration = CommandConfiguration(
            commandName: "delete",
            abstract: "Delete a virtual service that was made by hand, or is somebody else's, with its servers.",
            discussion: """
                Its connections are cut off. Services of the configuration are taken out there.

                Examples:
                  lbctl service delete tcp/192.0.2.1:80
                """)
        @Argument(help: "The service.", completion: .services)
        var name: String
        @OptionGroup var bus: BusOptions
        @OptionGroup var output: OutputOptions

        func answer(from daemons: some Daemons) throws(Failure) -> Shown {
            let name = try Naming.service(name, in: daemons)
            return try TableChange.make(.init(action: .deleteService, service: name), "\(name) is deleted", daemons)
        }
    }
}
