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
            back the values that they had. Both can be repeated. It needs root and no daemon. Of several addresses, one that is refused \
            does not keep the others: exit status 4 when that was done in part, 1 when nothing was.

            'systemctl enable --now evenkeel-real-server@VIP' does it at every boot.

            Examples:
              lbctl real-server start 192.168.200.254
              lbctl real-server status
            """,
        subcommands: [Start.self, Stop.self, Status.self])

    struct Start: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "start", abstract: "Take packets to virtual addresses.")

        @Argument(help: ArgumentHelp("Virtual addresses, IPv4 or IPv6.", valueName: "vip"))
        var addresses: [String]

        func run() throws {
            let addresses = try RealServerCommand.parsed(addresses)
            try RealServerCommand.report(RealServerHost().start(addresses))
        }
    }

    struct Stop: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "stop", abstract: "Undo what 'start' did for virtual addresses.")

        @Argument(help: ArgumentHelp("Virtual addresses, IPv4 or IPv6.", valueName: "vip"))
        var addresses: [String]

        func run() throws {
            let addresses = try RealServerCommand.parsed(addresses)
            try RealServerCommand.report(RealServerHost().stop(addresses))
        }
    }

    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "status",
            abstract: "Say whether virtual addresses are served rightly, and what to do if not.",
            discussion: "Without a VIP: those that were started. Exit status 1 when something is wrong.")

        @Argument(help: ArgumentHelp("Virtual addresses, IPv4 or IPv6.", valueName: "vip"))
        var addresses: [String] = []

        @OptionGroup var output: OutputOptions

        func run() throws {
            let host = try RealServerHost()
            let asked = try RealServerCommand.parsed(addresses)
            let (addresses, trouble) = asked.isEmpty ? try host.started() : (asked, nil)
            let states = try host.status(addresses)
            if states.isEmpty, trouble == nil, !output.json {
                StandardOutput.line("no virtual address was started here; 'lbctl real-server start VIP' does it")
            }
            for state in states {
                if output.json {
                    try StandardOutput.json(.object(state.object))
                } else {
                    StandardOutput.line(state.text)
                }
            }
            if let trouble { throw trouble }
            if states.contains(where: { !$0.faults.isEmpty }) { throw ExitCode(ExitStatus.failed.rawValue) }
        }
    }

    private static func report(_ outcomes: [RealServerOutcome]) throws {
        for outcome in outcomes { outcome.say() }
        guard outcomes.status == .done else { throw ExitCode(outcomes.status.rawValue) }
    }

    private static func parsed(_ texts: [String]) throws(Failure) -> [IPAddress] {
        var addresses: [IPAddress] = []
        for text in texts {
            guard let address = IPAddress(text) else {
                throw .usage(
                    "'\(text.printable)' is no virtual address: an IPv4 or IPv6 address without a prefix length is")
            }
            if let flaw = flaw(of: address) { throw .usage("\(address) can be no virtual address: \(flaw)") }
            if !addresses.contains(address) { addresses.append(address) }
        }
        return addresses
    }

    /// Why an address can be no virtual address; nil when it can.
    static func flaw(of address: IPAddress) -> String? {
        let isClients = "give the one that clients connect to"
        if address.isMulticast { return "it is a multicast group's; \(isClients)" }
        if address.isLoopback { return "it is this host's alone; \(isClients)" }
        switch address {
        case .v4(.broadcast): return "it is the broadcast address; \(isClients)"
        case .v4(let v4) where v4.octets.0 == 0: return "0.0.0.0/8 is no host's; \(isClients)"
        case .v4(let v4) where v4.octets.0 >= 240: return "240.0.0.0/4 is reserved; \(isClients)"
        case .v6(.any): return "it is no host's; \(isClients)"
        case .v6(let v6) where v6.isLinkLocal: return "it is of one link alone; \(isClients)"
        case .v6(let v6) where v6.high == 0 && v6.low >> 32 == 0xFFFF:
            let v4 = IPv4Address(rawValue: UInt32(truncatingIfNeeded: v6.low))
            return "it stands for an IPv4 address; write \(v4)"
        case .v4, .v6: return nil
        }
    }
}
