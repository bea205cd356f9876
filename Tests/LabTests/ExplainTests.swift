// Where the kernel sends clients, and where we say that it does: real clients of many addresses and ports, IPv4 and IPv6, to services of sh,
// mh and dh with and without their flags, with weights, without some, and after changes; then the command on persistence and connections.
import Configuration
import Glibc
import IPVS
import Net
import Netlink
import Platform
import Testing

@Suite(.serialized, .enabled(if: inTheLab))
final class ExplainTests {
    /// A scheduler with flags, and the weights of the three servers: those of the first writing, and what becomes of them.
    private struct Variant {
        var scheduler: String
        var flags: SchedulerFlags = []
        var weights: [Int32]
        var then: [Int32]?
    }

    private static let variants: [Variant] =
        ["sh", "mh"].flatMap { scheduler in
            [
                Variant(scheduler: scheduler, weights: [1, 1, 1]), Variant(scheduler: scheduler, weights: [1, 20, 3]),
                Variant(scheduler: scheduler, flags: [.flag2], weights: [2, 4, 6]),
                Variant(scheduler: scheduler, weights: [3, 2, 2], then: [3, 0, 4]),
                Variant(scheduler: scheduler, flags: [.flag1], weights: [3, 2, 2], then: [3, 0, 0]),
                Variant(scheduler: scheduler, flags: [.flag1, .flag2], weights: [3, 2, 2], then: [0, 0, 5]),
                Variant(scheduler: scheduler, weights: [70000, 3, 500]),
            ]
        }
        + Array(repeating: Variant(scheduler: "dh", weights: [1, 5, 1]), count: 6)
        + Array(repeating: Variant(scheduler: "dh", weights: [1, 5, 1], then: [1, 0, 1]), count: 6)

    private let lab: Lab
    private let kernel: IPVSClient
    private let servers: [WebServer]
    private var random = SplitMix(seed: 7)
    private var asking: [Int32: (watch: Watch?, answer: (String?) -> Void)] = [:]

    init() throws {
        lab = try Lab()
        let lab = lab
        kernel = try Host.director1.inside { IPVSClient(NetlinkClient(try NetlinkSocket(.generic))) }
        servers = try ForwardingNetwork.realServers.map { try WebServer(on: $0, loop: lab.loop) }
        for host in Host.allCases {
            let address = ForwardingNetwork.address6(of: host)
            // Everything of the network of the virtual addresses is local to directors and servers; that of the clients, to the client.
            let lines =
                host == .client
                ? [
                    "route add local 10.9.0.0/16 dev lo", "route add local fd09::/64 dev lo",
                    "route add 10.8.0.0/16 via \(Host.director1.address)",
                    "route add fd08::/64 via \(ForwardingNetwork.address6(of: .director1))",
                ]
                : [
                    "route add local 10.8.0.0/16 dev lo", "route add local fd08::/64 dev lo",
                    "route add 10.9.0.0/16 via \(Host.client.address)",
                    "route add fd09::/64 via \(ForwardingNetwork.address6(of: .client))",
                ]
            let script = (["address add \(address)/64 dev eth0 nodad"] + lines).joined(separator: "\n")
            try lab.run(
                ["/bin/bash", "-ec", "sysctl -qw net.ipv6.ip_nonlocal_bind=1; ip -batch - <<<'\(script)'"], on: host)
        }
    }

    deinit { for descriptor in asking.keys { close(descriptor) } }

    private func execute(_ commands: [Command]) throws {
        let refusals = try kernel.attempt(commands)
        #expect(refusals.isEmpty, "\(refusals)")
    }

    private static func servers(_ family: AddressFamily, port: UInt16 = 80) throws -> [Endpoint] {
        try ForwardingNetwork.realServers.map { host in
            let text = family == .inet ? host.address : ForwardingNetwork.address6(of: host)
            return Endpoint(try #require(IPAddress(text)), port: port)
        }
    }

    /// Connects and hears who answers; nil: refused, or nobody.
    private func ask(_ virtual: IPAddress, from client: Endpoint, _ answer: @escaping (String?) -> Void) throws {
        let family = virtual.family
        let descriptor = try Host.client.inside { try TCP.socket(SOCK_STREAM, family) }
        asking[descriptor] = (nil, answer)
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        try Errno.check(
            TCP.withAddress("\(client.address)", client.port, { bind(descriptor, $0, $1) }), "bind")
        let result = TCP.withAddress("\(virtual)", 80) { connect(descriptor, $0, $1) }
        guard result == 0 || errno == EINPROGRESS else { return end(descriptor, nil) }
        asking[descriptor]?.watch = try lab.loop.watch(descriptor, .write) { [weak self] _ in
            guard let self else { return }
            asking[descriptor]?.watch = nil
            guard (try? TCP.write("hello\n", to: descriptor)) != nil else { return end(descriptor, nil) }
            asking[descriptor]?.watch = try? lab.loop.watch(descriptor, .read) { [weak self] _ in
                let text = try? TCP.read(descriptor)
                self?.end(descriptor, text?.split(separator: " ").first.map(String.init))
            }
        }
    }

    private func end(_ descriptor: Int32, _ who: String?) {
        guard let (watch, answer) = asking.removeValue(forKey: descriptor) else { return }
        watch?.cancel()
        close(descriptor)
        answer(who)
    }

    private func client(_ family: AddressFamily) throws -> Endpoint {
        let text =
            family == .inet
            ? "10.9.\(UInt8.random(in: 0...255, using: &random)).\(UInt8.random(in: 1...254, using: &random))"
            : "fd09::\(String(UInt16.random(in: 1...0xFFFF, using: &random), radix: 16)):"
                + String(UInt16.random(in: 1...0xFFFF, using: &random), radix: 16)
        return Endpoint(try #require(IPAddress(text)), port: .random(in: 1024...60_000, using: &random))
    }

    @Test(arguments: AddressFamily.allCases)
    func `clients get the server that is said`(_ family: AddressFamily) throws {
        let endpoints = try Self.servers(family)
        var lastWeights: [VirtualServerIdentity: [Endpoint: Int32]] = [:]
        for (number, variant) in Self.variants.enumerated() {
            let address = try #require(
                IPAddress(family == .inet ? "10.8.0.\(number * 7 + 1)" : "fd08::\(number * 7 + 1)"))
            let service = VirtualServerIdentity.address(.tcp, Endpoint(address, port: 80))
            var commands: [Command] = [
                .addService(service, ServiceAttributes(scheduler: variant.scheduler, flags: variant.flags))
            ]
            for (endpoint, weight) in zip(endpoints, variant.weights) {
                let attributes = DestinationAttributes(forwarding: .method(.directRouting), weight: weight)
                commands.append(.addDestination(service, endpoint, attributes))
            }
            for (endpoint, weight) in zip(endpoints, variant.then ?? []) {
                let attributes = DestinationAttributes(forwarding: .method(.directRouting), weight: weight)
                commands.append(.editDestination(service, endpoint, attributes))
            }
            lastWeights[service] = Dictionary(uniqueKeysWithValues: zip(endpoints, variant.weights))
            try execute(commands)
        }
        let names = Dictionary(
            uniqueKeysWithValues: zip(endpoints, ForwardingNetwork.realServers.map(\.rawValue)))
        var heard: [String: Int] = [:]
        var wrong: [String] = []
        for service in try kernel.services() {
            guard case .address(_, let virtual) = service.identity else { continue }
            for _ in 0..<(service.attributes.scheduler == "dh" ? 2 : 12) {
                let client = try client(family)
                let question = ClientQuestion(service, client: client.address, port: client.port)
                let fate = question.fate(lastWeights: lastWeights[service.identity] ?? [:])
                guard case .hashed(let choice, guessed: []) = fate else {
                    wrong.append("\(service.identity): \(fate)")
                    continue
                }
                let expected: String?
                switch choice {
                case .server(let endpoint), .fallback(_, let endpoint): expected = names[endpoint]
                case .refused, .nobody: expected = nil
                }
                try ask(virtual.address, from: client) { who in
                    heard[who ?? "nobody", default: 0] += 1
                    if who != expected {
                        let words = "\(service.attributes.scheduler) \(service.attributes.flags.rawValue)"
                        wrong.append("\(words) \(virtual): \(client) got \(who ?? "nobody"), \(choice) was said")
                    }
                }
            }
            try lab.eventually("all have heard", within: .seconds(10)) { asking.isEmpty }
        }
        #expect(wrong.isEmpty, "\(wrong.prefix(20))")
        print("lab: \(family.rawValue): \(heard)")
        #expect(heard.count == 4 && heard.values.allSatisfy { $0 > 5 }, "all servers, and nobody: \(heard)")
    }

    @Test func `the command tells of persistence and of connections`() throws {
        try FileSystem.replace(lab.directory + "/none.conf", with: [], durable: false)
        let director = try Director(on: .director1, configurationAt: lab.directory + "/none.conf", lab: lab)
        try director.start(.busd)
        try director.start(.ipvsd)
        let virtual = Endpoint(.v4(IPv4Address(10, 8, 0, 1)), port: 80)
        let service = VirtualServerIdentity.address(.tcp, virtual)
        try execute(
            [
                .addService(
                    service,
                    ServiceAttributes(
                        scheduler: "rr", persistence: Persistence(timeout: .seconds(60), prefixLength: 24)))
            ]
                + Self.servers(.inet).map {
                    .addDestination(service, $0, DestinationAttributes(forwarding: .method(.directRouting)))
                })
        func explain(_ client: String) throws -> String {
            try lab.run(
                [
                    "\(Program.directory)/lbctl", "service", "explain", client, "\(service)", "--socket",
                    director.directory + "/run/bus.sock",
                ], on: .director1)
        }
        var said = ""
        try lab.eventually("ipvsd answers", within: .seconds(10)) {
            said = (try? explain("10.9.5.1")) ?? ""
            return !said.isEmpty
        }
        #expect(said.contains("rr takes one of"), "\(said)")
        var who: String?
        try ask(virtual.address, from: Endpoint(.v4(IPv4Address(10, 9, 5, 1)), port: 4000)) { who = $0 }
        try lab.eventually("it is answered", within: .seconds(5)) { who != nil }
        let host = try #require(who.flatMap(Host.init))
        for client in ["10.9.5.1", "10.9.5.99", "10.9.5.99:1234"] {
            let said = try explain(client)
            #expect(said.hasPrefix("\(host.address):80\n") && said.contains("persistence"), "\(said)")
        }
        #expect(try explain("10.9.5.1:4000").contains("it has a connection"))
        #expect(try explain("10.9.6.1").contains("rr takes one of"))
        var other: String?
        try ask(virtual.address, from: Endpoint(.v4(IPv4Address(10, 9, 5, 99)), port: 1234)) { other = $0 }
        try lab.eventually("it is answered too", within: .seconds(5)) { other != nil }
        #expect(other == who)
    }
}
