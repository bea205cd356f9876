// Hosts on one Ethernet segment, as network namespaces: a bridge in a namespace of its own, one port per host. Everything is named after
// this process, so that runs do not meet, and goes when the segment does. Needs uid 0; nothing of the machine's own network is touched.

import Glibc
import Net
import Netlink
import Platform
import Testing
import VRRP

/// True where network namespaces can be made.
let canMakeNetworks = geteuid() == 0 && access("/sbin/ip", X_OK) == 0 && access("/proc/self/ns/net", R_OK) == 0

/// What a test can fail with, besides its expectations.
enum ProgramFailure: Error, CustomStringConvertible {
    /// The condition did not come true in time.
    case timedOut(String, after: Duration)
    /// A command of the set-up failed.
    case command([String], ChildExit)

    var description: String {
        switch self {
        case .timedOut(let what, let limit): "not within \(limit): \(what)"
        case .command(let arguments, let exit): "\(arguments.joined(separator: " ")): \(exit)"
        }
    }
}

/// A host of a segment.
struct Host {
    /// `a`, `b`, …
    let name: String
    /// Its network namespace.
    let namespace: String
    /// Its address on eth0, a /24.
    let address: String

    /// Does `body` with this thread in the host's network namespace.
    func inside<Result>(_ body: () throws -> Result) throws -> Result {
        try NetworkNamespace.inside("/run/netns/\(namespace)", body)
    }
}

/// A segment with hosts, an event loop and a directory for a test.
final class Segment {
    let loop: EventLoop
    /// Configurations, sockets, states and logs of this test.
    let directory: String
    let hosts: [Host]
    private let bridge: String
    private var longestGap = Duration.zero

    /// What a limit on a program's timing leaves to the machine: 20 ms, and the longest time for which this test itself could not look.
    var slack: Duration { .milliseconds(20) + longestGap }

    /// Hosts `a`, `b`, … with addresses 10.77.0.1, .2, … on eth0, link up. `loop`: one that others use too.
    init(hosts count: Int, loop shared: EventLoop? = nil) throws {
        loop = try shared ?? EventLoop()
        var template = Array("/tmp/vr-XXXXXX".utf8CString)
        directory = String(cString: try #require(mkdtemp(&template)))
        let tag = "vr-" + directory.suffix(6)
        bridge = tag + "-sw"
        hosts = (0..<count).map { index in
            let name = String(UnicodeScalar(UInt8(ascii: "a") + UInt8(index)))
            return Host(name: name, namespace: "\(tag)-\(name)", address: "10.77.0.\(index + 1)")
        }
        var script = """
            netns add \(bridge)
            -n \(bridge) link add br0 type bridge
            -n \(bridge) link set br0 up
            """
        for host in hosts { script += "\nnetns add \(host.namespace)\n-n \(host.namespace) link set lo up" }
        for line in script.split(separator: "\n") { try ip(line.split(separator: " ").map(String.init)) }
        for host in hosts { try plug(host) }
    }

    deinit {
        for namespace in hosts.map(\.namespace) + [bridge] { try? ip(["netns", "del", namespace]) }
        try? run(["/bin/rm", "-rf", directory])
    }

    /// Gives the host an eth0 with its address, connected to the bridge: at the start and after `delete`. `index`: the kernel's number.
    func plug(_ host: Host, index: Int? = nil) throws {
        let port = "port-\(host.name)"
        let number = index.map { ["index", "\($0)"] } ?? []
        try ip(
            ["-n", bridge, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", host.namespace]
                + number)
        try ip(["-n", bridge, "link", "set", port, "master", "br0", "up"])
        try ip(["-n", host.namespace, "addr", "add", host.address + "/24", "dev", "eth0"])
        try ip(["-n", host.namespace, "link", "set", "eth0", "up"])
    }

    /// Deletes the host's eth0.
    func delete(_ host: Host) throws { try ip(["-n", host.namespace, "link", "del", "eth0"]) }

    /// Pulls or plugs the host's cable.
    func cable(_ host: Host, in plugged: Bool) throws {
        try ip(["-n", bridge, "link", "set", "port-\(host.name)", plugged ? "up" : "down"])
    }

    /// Runs `ip` with arguments.
    func ip(_ arguments: [String]) throws { try run(["/sbin/ip"] + arguments) }

    /// Runs many `ip` commands on a host in one process.
    func batch(_ lines: some Sequence<String>, on host: Host) throws {
        let path = directory + "/batch"
        try FileSystem.replace(path, with: Array((lines.joined(separator: "\n") + "\n").utf8), durable: false)
        try ip(["-n", host.namespace, "-batch", path])
    }

    /// Runs a command to its successful end.
    func run(_ arguments: [String]) throws {
        var ended: ChildExit?
        let child = try ChildProcess(arguments, environment: Program.environment, on: loop) { ended = $0 }
        try eventually("\(arguments) ends", within: .seconds(20)) { ended != nil }
        withExtendedLifetime(child) {}
        if let ended, ended != .exited(0) { throw ProgramFailure.command(arguments, ended) }
    }

    /// Runs the loop until `condition` holds. Returns how long that took.
    @discardableResult
    func eventually(_ what: String, within limit: Duration, _ condition: () throws -> Bool) throws -> Duration {
        let start = loop.refreshNow()
        var looked = start
        while !(try condition()) {
            guard loop.now - start < limit else { throw ProgramFailure.timedOut(what, after: limit) }
            try loop.turn(timeoutMilliseconds: 2)
            longestGap = max(longestGap, loop.now - looked)
            looked = loop.now
        }
        return loop.refreshNow() - start
    }

    /// Runs the loop for `time` and calls `look` every 2 ms.
    func observe(for time: Duration, _ look: () throws -> Void = {}) throws {
        let end = loop.refreshNow() + time
        while loop.now < end {
            try look()
            try loop.turn(timeoutMilliseconds: 2)
        }
    }

    /// The hosts that hold an address: only a local address can be bound.
    func holders(of address: String) throws -> [String] {
        if case .v6(let value)? = IPAddress(address) { return try holders(of: value) }
        return try hosts.filter { host in
            try host.inside {
                let socket = FileDescriptor(
                    owning: try Errno.check(Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0), "socket"))
                var name = sockaddr_in()
                name.sin_family = sa_family_t(AF_INET)
                name.sin_addr.s_addr = (IPv4Address(address) ?? .any).rawValue.bigEndian
                return withUnsafePointer(to: name) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        bind(socket.number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                    }
                } == 0
            }
        }.map(\.name)
    }

    private func holders(of address: IPv6Address) throws -> [String] {
        try hosts.filter { host in
            try host.inside {
                let socket = FileDescriptor(
                    owning: try Errno.check(Glibc.socket(AF_INET6, Int32(SOCK_DGRAM.rawValue), 0), "socket"))
                var name = sockaddr_in6()
                name.sin6_family = sa_family_t(AF_INET6)
                name.sin6_scope_id = address.isLinkLocal ? if_nametoindex("eth0") : 0
                withUnsafeMutableBytes(of: &name.sin6_addr) { $0.copyBytes(from: address.octets) }
                return withUnsafePointer(to: name) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        bind(socket.number, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                    }
                } == 0
            }
        }.map(\.name)
    }

    /// The link-local address of a host's eth0, as soon as the host answers for it.
    func linkLocal(of host: Host) throws -> IPAddress {
        var found: IPAddress?
        let kernel = try host.inside { try RouteNetlink() }
        try eventually("\(host.name) has a link-local address", within: .seconds(10)) {
            let snapshot = try kernel.snapshot()
            let index = snapshot.links.first { $0.name == "eth0" }?.index
            found =
                snapshot.addresses.first {
                    $0.link == index && $0.prefix.address.isLinkLocal && !$0.isTentative
                        && $0.origin != InterfaceAddress.ofVRRP
                }?.prefix.address
            return found != nil
        }
        return try #require(found)
    }
}
