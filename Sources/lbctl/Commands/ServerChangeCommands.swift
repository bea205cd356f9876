// `lbctl server add`, `edit` and `delete`.
import ArgumentParser
import Bus
import Configuration
import IPVS
import Net

extension ServerCommand {
    struct Add: BusCommand {
        static let configuration = CommandConfiguration(
            commandName: "add",
            abstract: "Add a server by hand to a service, configured or not; it is kept until it is deleted.",
            discussion: """
                What is not said is: method nat, weight 1, no thresholds. Nothing checks such a server. Only nat changes ports: \
                with dr and tun the server has its service's port, whatever PORT says.

                Examples:
                  lbctl server add tcp/192.0.2.1:80/10.0.0.5:8080
                  lbctl server add tcp/192.0.2.1:80/10.0.0.5:80 --method dr --weight 3
                  lbctl server add tcp/192.0.2.1:80/10.0.0.5:80 \\
                      --tunnel gue --tunnel-port 6080
                """)
        @Argument(help: "Its name: SERVICE/ADDR:PORT.")
        var server: String
        @OptionGroup var options: ServerOptions
        @OptionGroup var bus: BusOptions
        @OptionGroup var output: OutputOptions

        func answer(from daemons: some Daemons) throws(Failure) -> Shown {
            let (service, endpoint) = try ServerName.parts(server)
            let settings = options.changed(IpvsAPI.ServerSettings(forwarding: .nat, weight: 1))
            return try TableChange.make(
                .init(action: .addServer, service: service, server: endpoint, serverSettings: settings),
                "\(ServerName.placed(endpoint, in: service, settings.forwarding)) is there", daemons)
        }
    }

    struct Edit: BusCommand {
        static let configuration = CommandConfiguration(
            commandName: "edit",
            abstract: "Change a server that was added by hand; what is not said stays.",
            discussion: """
                Of a server of the configuration only the weight can be changed, as 'lbctl server weight' does.

                Examples:
                  lbctl server edit tcp/192.0.2.1:80/10.0.0.5:80 \\
                      --weight 5 --upper-threshold 1000
                """)
        @Argument(help: "SERVICE/ADDR:PORT, or ADDR[:PORT].", completion: .servers)
        var server: String
        @OptionGroup var options: ServerOptions
        @OptionGroup var bus: BusOptions
        @OptionGroup var output: OutputOptions

        func answer(from daemons: some Daemons) throws(Failure) -> Shown {
            guard let name = try Naming.servers(server, all: false, in: daemons).first else {
                throw .unknownName(kind: "real server", name: server, known: [])
            }
            let (service, endpoint) = try ServerName.parts(name)
            let servers = try TableChange.service(service, daemons).servers
            guard let before = servers.first(where: { $0.name == endpoint }) else {
                throw .unknownName(
                    kind: "real server in the kernel", name: name, known: servers.map { "\(service)/\($0.name)" })
            }
            return try TableChange.make(
                .init(
                    action: .editServer, service: service, server: endpoint,
                    serverSettings: options.changed(before.settings)), "\(name) is changed", daemons)
        }
    }

    struct Delete: BusCommand {
        static let configuration = CommandConfiguration(
            commandName: "delete",
            abstract: "Delete a server that was added by hand; its connections are cut off.",
            discussion: """
                'lbctl server drain' before it lets its connections end. Servers of the configuration are taken out there.

                Examples:
                  lbctl server delete tcp/192.0.2.1:80/10.0.0.5:80
                """)
        @Argument(help: "SERVICE/ADDR:PORT, or ADDR[:PORT].", completion: .servers)
        var server: String
        @OptionGroup var bus: BusOptions
        @OptionGroup var output: OutputOptions

        func answer(from daemons: some Daemons) throws(Failure) -> Shown {
            guard let name = try Naming.servers(server, all: false, in: daemons).first else {
                throw .unknownName(kind: "real server", name: server, known: [])
            }
            let (service, endpoint) = try ServerName.parts(name)
            return try TableChange.make(
                .init(action: .deleteServer, service: service, server: endpoint), "\(name) is deleted", daemons)
        }
    }
}

/// The name of a server in its two parts.
enum ServerName {
    static func parts(_ name: String) throws(Failure) -> (service: String, endpoint: String) {
        guard let slash = name.lastIndex(of: "/"), name[..<slash].contains("/") else {
            throw .usage("'\(name)' names no server: write SERVICE/ADDR:PORT, such as tcp/192.0.2.1:80/10.0.0.5:80")
        }
        return (String(name[..<slash]), String(name[name.index(after: slash)...]))
    }

    /// What a server is called once it is added: only with nat it has a port of its own. What ipvsd does not understand stays as it is.
    static func placed(_ endpoint: String, in service: String, _ forwarding: IpvsAPI.Forwarding) -> String {
        guard let identity = VirtualServerIdentity(service), let server = Endpoint(endpoint) else {
            return "\(service)/\(endpoint)"
        }
        return "\(ServerIdentity(identity, identity.place(of: server, isMasqueraded: forwarding == .nat)))"
    }
}
