// How a host serves a virtual address, judged from what the kernel says: a value, so that every fault and its remedy can be tested without
// a host that has it.
import IPVS
import JSON
import Net
import VRRP

/// Something that keeps a real server from working, or its virtual address from being the director's alone.
struct RealServerFault: Equatable {
    var problem: String
    var remedy: String
}

/// A virtual address and what is wrong with it here.
struct RealServerState: Equatable {
    var address: IPAddress
    var faults: [RealServerFault]

    var text: String {
        guard !faults.isEmpty else { return "\(address)  served" }
        return faults.map { "\(address)  \($0.problem)\n  → \($0.remedy)" }.joined(separator: "\n")
    }

    var object: JSONObject {
        [
            "address": .string(address.description),
            "served": .bool(faults.isEmpty),
            "faults": .array(
                faults.map { .object(["problem": .string($0.problem), "remedy": .string($0.remedy)]) }),
        ]
    }

    /// - Parameters:
    ///   - arp: of each interface by name, and of `all`; nil = it cannot be read.
    init(_ address: IPAddress, _ kernel: RouteSnapshot, arp: (String) -> ARPSettings?) {
        self.address = address
        faults = []
        let names = Dictionary(kernel.links.map { ($0.index, $0.name) }, uniquingKeysWith: { first, _ in first })
        let loopback = kernel.links.first { $0.flags & VRRP.Link.loopback != 0 }
        if let loopback, !loopback.isUp {
            faults.append(
                RealServerFault(
                    problem: "\(loopback.name) is down: nothing is taken", remedy: "ip link set \(loopback.name) up"))
        }
        let holders = kernel.addresses.filter { $0.prefix.address == address }
        if !holders.contains(where: { $0.link == loopback?.index }) {
            faults.append(
                RealServerFault(
                    problem: "not on \(loopback?.name ?? "lo"): packets to it are not taken",
                    remedy: "lbctl real-server start \(address)"))
        }
        for holder in holders {
            let name = names[holder.link] ?? "interface \(holder.link)"
            if holder.link != loopback?.index {
                faults.append(
                    RealServerFault(
                        problem: "also on \(name): this host answers for it beside the director",
                        remedy: "ip address delete \(holder.prefix) dev \(name), unless this host is the director"))
            } else if holder.prefix.length != address.family.bits {
                faults.append(Self.tooMuch(holder, address, name))
            }
        }
        if address.family == .inet { judge(kernel.links, arp) }
    }

    /// What keeps an address from being started on lo, before anything is tried.
    /// - Parameter switchedOff: what net.ipv6.conf.lo.disable_ipv6 says; nil = this kernel has no IPv6.
    static func obstacle(to address: IPAddress, _ kernel: RouteSnapshot, switchedOff: Bool?) -> RealServerFault? {
        guard let loopback = kernel.links.first(where: { $0.flags & VRRP.Link.loopback != 0 }) else { return nil }
        if !loopback.isUp {
            return RealServerFault(
                problem: "\(loopback.name) is down", remedy: "ip link set \(loopback.name) up")
        }
        if address.family == .inet6, switchedOff != false {
            return switchedOff == nil
                ? RealServerFault(problem: "the kernel runs without IPv6", remedy: "boot it without ipv6.disable=1")
                : RealServerFault(
                    problem: "IPv6 is switched off on \(loopback.name)",
                    remedy: "sysctl -w net.ipv6.conf.\(loopback.name).disable_ipv6=0")
        }
        let other = kernel.addresses.first {
            $0.link == loopback.index && $0.prefix.address == address && $0.prefix.length != address.family.bits
        }
        return other.map { tooMuch($0, address, loopback.name) }
    }

    /// The address is on lo with a prefix length that makes others local too.
    private static func tooMuch(_ holder: InterfaceAddress, _ address: IPAddress, _ name: String) -> RealServerFault {
        RealServerFault(
            problem: "on \(name) as \(holder.prefix): all of that prefix is taken for this host's own",
            remedy: "ip address delete \(holder.prefix) dev \(name); lbctl real-server start \(address)")
    }

    /// The kernel takes the larger of an interface's own value and that of `all`.
    private mutating func judge(_ links: [VRRP.Link], _ arp: (String) -> ARPSettings?) {
        let all = arp("all")
        for link in links where link.announces && link.isUp {
            guard let own = arp(link.name) else { continue }
            if !ARPSettings.isSilent(ignore: max(own.ignore, all?.ignore ?? 0)) {
                faults.append(
                    RealServerFault(
                        problem: "ARP requests for it at \(link.name) are answered: clients bypass the director",
                        remedy: remedy(link.name, "arp_ignore", own.ignore, ARPSettings.isSilent(ignore:), 1)))
            }
            if !ARPSettings.isSilent(announce: max(own.announce, all?.announce ?? 0)) {
                faults.append(
                    RealServerFault(
                        problem: "ARP requests from \(link.name) may name it as their source: neighbours learn it",
                        remedy: remedy(link.name, "arp_announce", own.announce, ARPSettings.isSilent(announce:), 2)))
            }
        }
    }

    /// `start` sets those of lo and `all`; an interface's own value that is larger and wrong stays in force then.
    private func remedy(
        _ interface: String, _ setting: String, _ own: Int, _ isSilent: (Int) -> Bool, _ wanted: Int
    ) -> String {
        guard own <= wanted || isSilent(own) else { return "sysctl -w \(sysctlName(setting, of: interface))=\(wanted)" }
        return "lbctl real-server start \(address), or sysctl -w net.ipv4.conf.all.\(setting)=\(wanted)"
    }
}
