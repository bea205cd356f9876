// How a host serves a virtual address, judged from what the kernel says: a value, so that every fault and its remedy can be tested without
// a host that has it.
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
                faults.append(
                    RealServerFault(
                        problem: "on \(name) as \(holder.prefix): all of that prefix is taken for this host's own",
                        remedy: "ip address delete \(holder.prefix) dev \(name); lbctl real-server start \(address)"))
            }
        }
        if address.family == .inet { judge(kernel.links, arp) }
    }

    /// The kernel takes the larger of an interface's own value and that of `all`.
    private mutating func judge(_ links: [VRRP.Link], _ arp: (String) -> ARPSettings?) {
        let all = arp("all")
        for link in links where link.announces && link.isUp {
            guard let own = arp(link.name) else { continue }
            let ignore = max(own.ignore, all?.ignore ?? 0)
            let announce = max(own.announce, all?.announce ?? 0)
            if ignore < 1 {
                faults.append(
                    RealServerFault(
                        problem: "ARP requests for it at \(link.name) are answered: clients bypass the director",
                        remedy: "lbctl real-server start \(address), or sysctl -w net.ipv4.conf.all.arp_ignore=1"))
            }
            if announce < 2 {
                faults.append(
                    RealServerFault(
                        problem: "ARP requests from \(link.name) may name it as their source: neighbours learn it",
                        remedy: "lbctl real-server start \(address), or sysctl -w net.ipv4.conf.all.arp_announce=2"))
            }
        }
    }
}

/// `net.ipv4.conf.IF.arp_…`.
struct ARPSettings: Equatable {
    var ignore: Int
    var announce: Int
}
