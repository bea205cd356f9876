// Two hosts with a published pair of configuration files, in network namespaces with the interfaces that the files name. Several pairs are
// looked at in one test, because they mostly wait; each has bridges of its own.

import Glibc
import Net
import Platform

/// One pair: what runs on its first and second host.
final class PublishedPair {
    /// An interface of both hosts.
    struct Wire {
        let interface: String
        /// Of the first and the second host, with prefix lengths.
        let addresses: [String]
    }

    let programs: [DRClusterTests.Implementation]
    private let lab: Guest
    private let number: Int
    private let configurations: [String]
    private var running: [[Program]] = [[], []]

    var name: String { "\(programs[0]) and \(programs[1])" }

    init(
        _ programs: [DRClusterTests.Implementation], number: Int, scenario: String, files: [String], wires: [Wire],
        in lab: Guest
    ) throws {
        self.programs = programs
        self.number = number
        self.lab = lab
        configurations = files.map {
            "\(Guest.repository)/Tests/ConfigurationTests/Fixtures/scenarios/\(scenario)/\($0)"
        }
        var script: [String] = []
        for host in [0, 1] { script.append("netns add \(Self.namespace(number, host))") }
        for (index, wire) in wires.enumerated() {
            script.append("link add lan\(number)-\(index) type bridge mcast_snooping 0 forward_delay 0")
            script.append("link set lan\(number)-\(index) up")
            for host in [0, 1] {
                let port = port(wire: index, host: host)
                let namespace = Self.namespace(number, host)
                script.append("link add \(port) type veth peer name \(wire.interface) netns \(namespace)")
                script.append("link set \(port) master lan\(number)-\(index) up")
            }
        }
        try Self.batch(script, in: nil, of: lab)
        for host in [0, 1] {
            let lines = wires.flatMap {
                ["address add \($0.addresses[host]) dev \($0.interface)", "link set \($0.interface) up"]
            }
            try Self.batch(["link set lo up"] + lines, in: Self.namespace(number, host), of: lab)
            for directory in ["run/private", "state"] {
                try FileSystem.makeDirectory("\(self.directory(host))/\(directory)", mode: 0o755)
            }
        }
        lab.quote(self) { pair in pair.logs }
    }

    /// Takes away what an earlier test made; nothing of it runs any more.
    static func clear(_ lab: Guest) throws {
        let script = (0..<3).flatMap { number in
            ["link delete lan\(number)-0", "link delete lan\(number)-1"]
                + [0, 1].flatMap { host in
                    ["link delete port\(number)-0-\(host)", "link delete port\(number)-1-\(host)"]
                        + ["netns delete \(namespace(number, host))"]
                }
        }
        try lab.run(["/bin/bash", "-c", "ip -force -batch - <<<'\(script.joined(separator: "\n"))' 2>/dev/null; true"])
    }

    private static func batch(_ lines: [String], in namespace: String?, of lab: Guest) throws {
        let options = namespace.map { "-netns \($0) " } ?? ""
        try lab.run(["/bin/bash", "-c", "ip \(options)-batch - <<<'\(lines.joined(separator: "\n"))'"])
    }

    private static func namespace(_ number: Int, _ host: Int) -> String { "pair\(number)-\(host)" }
    private func port(wire: Int, host: Int) -> String { "port\(number)-\(wire)-\(host)" }
    private func directory(_ host: Int) -> String { "\(lab.directory)/\(Self.namespace(number, host))" }

    /// Starts what holds elections on a host.
    func start(_ host: Int) throws {
        let directory = directory(host)
        let commands: [[String]] =
            switch programs[host] {
            case .evenkeel:
                [
                    ["\(Program.directory)/scriptd", "--run-dir", "\(directory)/run"],
                    [
                        "\(Program.directory)/vrrpd", "--config", configurations[host], "--run-dir",
                        "\(directory)/run", "--state-dir", "\(directory)/state", "--log-level", "debug",
                    ],
                ]
            case .keepalived:
                [
                    [
                        "/usr/sbin/keepalived", "-n", "-l", "-D", "-f", configurations[host], "-p",
                        "\(directory)/k.pid", "-r", "\(directory)/v.pid", "-c", "\(directory)/c.pid",
                    ]
                ]
            }
        running[host] = try commands.enumerated().map { index, command in
            try Program(
                command, in: Self.namespace(number, host), log: "\(directory)/log-\(index)", loop: lab.loop)
        }
    }

    /// Ends it; keepalived's files go with a crash.
    func end(_ host: Int, _ signal: Int32) throws {
        for program in running[host] { program.signal(signal) }
        try lab.eventually("\(name): \(host) ends", within: .seconds(15)) {
            self.running[host].allSatisfy { $0.exit != nil }
        }
        guard signal == SIGKILL else { return }
        for file in ["k.pid", "v.pid", "c.pid"] { unlink("\(directory(host))/\(file)") }
    }

    /// Pulls or plugs the cable of a host's interface.
    func cable(_ host: Int, wire: Int = 0, in plugged: Bool) throws {
        try lab.run(["/sbin/ip", "link", "set", port(wire: wire, host: host), plugged ? "up" : "down"])
    }

    /// The hosts that hold an address: only a local address can be bound.
    func holders(of address: String) throws -> [Int] {
        try [0, 1].filter { host in
            try inside(host) {
                let socket = FileDescriptor(owning: try TCP.socket(SOCK_DGRAM))
                return TCP.withAddress(address, 0) { bind(socket.number, $0, $1) } == 0
            }
        }
    }

    /// Takes off what a dead program has left, as switching the host off would.
    func forget(_ host: Int, _ addresses: [(String, interface: String)]) throws {
        try Self.batch(
            addresses.map { "address del \($0.0)/32 dev \($0.interface)" }, in: Self.namespace(number, host), of: lab)
    }

    /// A host's network namespace, by which its scripts know where they run.
    func namespace(_ host: Int) -> String { Self.namespace(number, host) }

    private func inside<Result>(_ host: Int, _ body: () throws -> Result) throws -> Result {
        try NetworkNamespace.inside("/run/netns/\(Self.namespace(number, host))", body)
    }

    private var logs: String {
        [0, 1].flatMap { host in
            running[host].map { "── \(name), \(host)\n\($0.output.suffix(2500))" }
        }.joined(separator: "\n")
    }
}
