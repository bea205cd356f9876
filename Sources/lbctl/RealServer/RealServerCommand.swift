// `lbctl real-server`: what a real server of direct routing or a tunnel needs, so that it takes packets to the virtual address and no other
// host hears of it: the address on lo, and ARP that is silent about it.
import ArgumentParser
import JSON
import Net
import Platform

struct RealServerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "real-server",
        abstract: "Make this host a real server of direct routing or tunnels: virtual addresses on lo, silent ARP.",
        discussion: """
            For every VIP: its address on lo (/32 or /128), a host route through lo, and for IPv4 arp_ignore=1 and arp_announce=2. \
            'stop' takes away what 'start' did and nothing else: an address that was there before stays, and the settings get \
            back the values that they had. Both can be repeated. It needs root and no daemon.

            'systemctl enable --now evenkeel-real-server@VIP' does it at every boot.

            Examples:
              lbctl real-server start 192.168.200.254
              lbctl real-server status
            """,
        subcommands: [Start.self, Stop.self, Status.self])

    struct Start: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Take packets to virtual addresses.")

        @Argument(help: ArgumentHelp("Virtual addresses, IPv4 or IPv6.", valueName: "vip"))
        var addresses: [String]

        func run() throws {
            let addresses = try RealServerCommand.parsed(addresses)
            for line in try RealServerHost().start(addresses) { StandardOutput.line(line) }
        }
    }

    struct Stop: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Undo what 'start' did for virtual addresses.")

        @Argument(help: ArgumentHelp("Virtual addresses, IPv4 or IPv6.", valueName: "vip"))
        var addresses: [String]

        func run() throws {
            let addresses = try RealServerCommand.parsed(addresses)
            for line in try RealServerHost().stop(addresses) { StandardOutput.line(line) }
        }
    }

    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say whether virtual addresses are served rightly, and what to do if not.",
            discussion: "Without a VIP: those that were started. Exit status 1 when something is wrong.")

        @Argument(help: ArgumentHelp("Virtual addresses, IPv4 or IPv6.", valueName: "vip"))
        var addresses: [String] = []

        @OptionGroup var output: OutputOptions

        func run() throws {
            let addresses = try RealServerCommand.parsed(addresses)
            let states = try RealServerHost().status(addresses)
            if states.isEmpty, !output.json {
                StandardOutput.line("no virtual address was started here; 'lbctl real-server start VIP' does it")
            }
            for state in states {
                if output.json {
                    try StandardOutput.json(.object(state.object))
                } else {
                    StandardOutput.line(state.text)
                }
            }
            if states.contains(where: { !$0.faults.isEmpty }) { throw ExitCode(ExitStatus.failed.rawValue) }
        }
    }

    private static func parsed(_ texts: [String]) throws(Failure) -> [IPAddress] {
        var addresses: [IPAddress] = []
        for text in texts {
            guard let address = IPAddress(text), !address.isMulticast, !address.isLoopback, !address.isLinkLocal,
                !address.octets.allSatisfy({ $0 == 0 })
            else {
                throw .usage(
                    "'\(text.printable)' is no virtual address: an IPv4 or IPv6 address without a prefix length, "
                        + "neither multicast nor of this host alone")
            }
            if !addresses.contains(address) { addresses.append(address) }
        }
        return addresses
    }
}
