// The published DR cluster in network namespaces, and the questions a test asks it. States are read from /proc and through
// sockets, not by running programs.
import Glibc
import Net
import Platform
import Testing

/// The hosts that deploy/lab/dr-cluster makes.
enum Host: String, CaseIterable {
    case client, director1, director2, web1, web2

    var address: String {
        switch self {
        case .client: "192.168.200.200"
        case .director1: "192.168.200.101"
        case .director2: "192.168.200.102"
        case .web1: "192.168.200.103"
        case .web2: "192.168.200.104"
        }
    }

    /// Does `body` with this thread in the host's network namespace.
    func inside<Result>(_ body: () throws -> Result) throws -> Result {
        try NetworkNamespace.inside("/run/netns/\(rawValue)", body)
    }
}

/// The virtual address of both configurations.
let virtualAddress = "192.168.200.254"

/// The cluster's network.
final class Lab: Guest {
    /// Builds the network anew.
    override init() throws {
        try super.init()
        try run(["/bin/bash", Self.repository + "/deploy/lab/dr-cluster", "anew"])
    }

    /// Pulls or plugs a host's cable.
    func link(of host: Host, up: Bool) throws {
        try run(["/sbin/ip", "link", "set", "port-\(host.rawValue)", up ? "up" : "down"])
    }

    /// The directors that hold a virtual address: only a local address can be bound.
    func holders(of address: String = virtualAddress) throws -> [Host] {
        try [Host.director1, .director2].filter { host in
            try host.inside {
                let socket = FileDescriptor(owning: try TCP.socket(SOCK_DGRAM))
                return TCP.withAddress(address, 0) { bind(socket.number, $0, $1) } == 0
            }
        }
    }

    /// The lines of the host's IPVS table, as `ipvsadm -Ln` orders them but in the kernel's hexadecimal words.
    func table(of host: Host) throws -> [String] {
        let content = try host.inside { try FileSystem.contents(of: "/proc/thread-self/net/ip_vs", limit: 1 << 20) }
        return ProcTable.lines(String(decoding: content ?? [], as: UTF8.self))
    }

    /// How many connections each line of the host's table has scheduled: a line that was removed and added again is at 0.
    func connections(of host: Host) throws -> [String: Int] {
        let text = try run(["/sbin/ipvsadm", "-Ln", "--stats", "--exact"], on: host)
        var result: [String: Int] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 7, let count = Int(words[2]) else { continue }
            result["\(words[0]) \(words[1])"] = count
        }
        return result
    }
}
