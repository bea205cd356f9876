// Two directors in network namespaces on a bridge, with a capture on the bridge: what every benchmark of elections starts from.
import Glibc
import Platform

/// The pair, both run by keepalived or both by us. Host 1 is meant to be the master.
final class DirectorPair {
    enum Implementation: String, CaseIterable { case keepalived = "ka", evenkeel = "ek" }

    let implementation: Implementation
    let capture: Capture
    private let tag: String
    private let directory: String
    private var programs: [Int: [Program]] = [:]

    static let hosts = [1, 2]

    /// Hosts with the addresses 10.97.0.1/16 and .2, and what `configuration` gives each of them; nothing runs yet.
    init(_ implementation: Implementation, configuration: (Int) -> String) throws {
        self.implementation = implementation
        tag = "bn-\(implementation.rawValue)"
        directory = "/tmp/\(tag)"
        Self.removeNamespaces(tag)
        try Program.script(
            """
            rm -rf /tmp/\(tag)
            ip netns add \(tag)-net
            ip -n \(tag)-net link add lan type bridge mcast_snooping 0 forward_delay 0
            ip -n \(tag)-net link set lan up
            for host in 1 2; do
                ip netns add \(tag)-$host
                ip -n \(tag)-net link add port$host type veth peer name eth0 netns \(tag)-$host
                ip -n \(tag)-net link set port$host master lan up
                ip -n \(tag)-$host link set lo up
                ip -n \(tag)-$host link set eth0 up
                ip -n \(tag)-$host address add 10.97.0.$host/16 dev eth0
                mkdir -p /tmp/\(tag)/$host/run/private /tmp/\(tag)/$host/state
            done
            """)
        for host in Self.hosts {
            try FileSystem.replace("\(directory)/\(host)/conf", with: Array(configuration(host).utf8), durable: false)
        }
        capture = try Capture(interface: "lan", namespace: "\(tag)-net", path: directory + "/pcap")
    }

    deinit {
        programs = [:]
        Self.removeNamespaces(tag)
    }

    private static func removeNamespaces(_ tag: String) {
        try? Program.script(
            "for n in net 1 2; do [ ! -e /run/netns/\(tag)-$n ] || ip netns delete \(tag)-$n; done")
    }

    /// The address of a host.
    static func address(_ host: Int) -> [UInt8] { [10, 97, 0, UInt8(host)] }

    /// The bus of a host, where we run it.
    func bus(_ host: Int) -> String { "\(directory)/\(host)/run/bus.sock" }

    /// What a host's programs said.
    func log(_ host: Int) -> String { contents("\(directory)/\(host)/log") }

    /// Starts a host's programs.
    func start(_ host: Int) throws {
        let home = "\(directory)/\(host)"
        func program(_ words: [String]) throws -> Program {
            try Program(words, namespace: "\(tag)-\(host)", log: "\(home)/log")
        }
        switch implementation {
        case .keepalived:
            // Left by the killed one; keepalived refuses to start while they name a process not reaped yet.
            for name in ["k", "v", "c"] { unlink("\(home)/\(name).pid") }
            let files = ["-p", "\(home)/k.pid", "-r", "\(home)/v.pid", "-c", "\(home)/c.pid"]
            programs[host] = [try program(["keepalived", "-n", "-l", "-P", "-f", "\(home)/conf"] + files)]
        case .evenkeel:
            let options = ["--config", "\(home)/conf", "--run-dir", "\(home)/run", "--state-dir", "\(home)/state"]
            programs[host] = try ["busd", "vrrpd"].map { try program(["\(Options.programs)/\($0)"] + options) }
        }
    }

    /// Starts our checkd on a host: TCP checks of so many servers, each once a second, all refused at once.
    func startChecks(_ host: Int, servers: Int) throws -> Program {
        let home = "\(directory)/\(host)"
        var text = ""
        for number in 0..<servers {
            if number % 1000 == 0 {
                text +=
                    (number > 0 ? "}\n" : "")
                    + "virtual_server 10.97.1.\(1 + number / 1000) 80 {\n delay_loop 1\n retry 1\n"
            }
            text += " real_server 127.1.\(number / 250).\(1 + number % 250) 9 {\n  TCP_CHECK {\n  }\n }\n"
        }
        try FileSystem.replace(home + "/checks", with: Array((text + "}\n").utf8), durable: false)
        return try Program(
            [
                Options.programs + "/checkd", "--config", home + "/checks", "--run-dir", home + "/run", "--state-dir",
                home + "/state",
            ], namespace: "\(tag)-\(host)", log: home + "/checks.log")
    }

    /// Kills a host's programs at once.
    func kill(_ host: Int) { programs[host] = nil }

    /// The process that runs the elections of a host: vrrpd, or keepalived's child. Nil while there is none.
    func elector(_ host: Int) -> Int32? {
        guard let last = programs[host]?.last else { return nil }
        switch implementation {
        case .evenkeel: return last.pid
        case .keepalived:
            return contents("/proc/\(last.pid)/task/\(last.pid)/children").split(separator: " ").first.flatMap {
                Int32($0)
            }
        }
    }
}
