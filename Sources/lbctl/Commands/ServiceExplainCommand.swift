// `lbctl service explain`: which server a client would get, and why.
import ArgumentParser
import Bus
import Configuration
import IPVS
import IPVSWords
import JSON
import Net
import Platform

extension ServiceCommand {
    struct Explain: BusCommand {
        static let configuration = CommandConfiguration(
            commandName: "explain",
            abstract: "Which server a client would get, and why.",
            discussion: """
                Looks at what the kernel looks at: a connection from that port, the persistence template of the client's network, \
                then the scheduler. What sh, mh and dh choose is computed as Linux does it; the other schedulers go by what they \
                count, and the servers among which they choose are named. Connections are those of the network namespace in \
                which the command runs.

                Examples:
                  lbctl service explain 203.0.113.9 tcp/192.0.2.1:80
                  lbctl service explain [2001:db8::9]:40000 192.0.2.1:80 --json
                """)
        @Argument(help: "The client: ADDR or ADDR:PORT.")
        var client: String
        @Argument(help: "The service: tcp/ADDR:PORT, fwmark/N/inet, or ADDR[:PORT].", completion: .services)
        var service: String
        @OptionGroup var bus: BusOptions
        @OptionGroup var output: OutputOptions

        func answer(from daemons: some Daemons) throws(Failure) -> Shown {
            try answer(from: daemons, connections: ConnectionLines.each)
        }

        /// The same with somebody else's connections.
        func answer(
            from daemons: some Daemons, connections: ((String) -> Void) -> Bool
        ) throws(Failure) -> Shown {
            let whole = Endpoint(client)
            guard let address = whole?.address ?? IPAddress(client) else {
                throw .usage("'\(client)' is no client: write 203.0.113.9, 203.0.113.9:40000 or [2001:db8::9]:40000")
            }
            let name = try Naming.service(service, in: daemons)
            let part = try TableChange.service(name, daemons)
            guard let snapshot = ServiceSnapshot(part) else { throw .protocolViolation("ListTable: \(name)") }
            guard address.family == snapshot.identity.family else {
                throw .usage(
                    "\(address) cannot be a client of \(name): the service is one of \(snapshot.identity.family)")
            }
            var question = ClientQuestion(snapshot, client: address, port: whole?.port)
            _ = connections { question.look(at: $0) }
            let fate = question.fate(
                lastWeights: lastWeights(of: name, daemons), expiresQuiescent: Self.expiresQuiescent)
            let answer = FateText(fate, snapshot)
            var wire: JSONObject = [
                "client": .string("\(address)"), "service": .string(name), "why": .string(answer.why),
                "candidates": .array(answer.candidates.map { .string("\($0)") }),
            ]
            if let port = whole?.port { wire["port"] = .int(Int64(port)) }
            if let server = answer.server { wire["server"] = .string("\(server)") }
            return Shown(wire: [wire]) { screen in
                screen.add(Cell(answer.server.map { "\($0)" } ?? "no server that can be told", .strong))
                for line in [answer.why] + answer.remarks { screen.add(Cell(line)) }
            }
        }

        /// What mh goes by for servers that have weight 0: the weights of the configuration and their checks, or those given by hand.
        func lastWeights(of name: String, _ daemons: some Daemons) -> [Endpoint: Int32] {
            guard let service = try? daemons.call(IpvsAPI.ShowService(name: name)).decoded().service else { return [:] }
            var weights: [Endpoint: Int32] = [:]
            for server in service.servers {
                guard let slash = server.name.lastIndex(of: "/"),
                    let endpoint = Endpoint(String(server.name[server.name.index(after: slash)...])),
                    let weight = server.runtime.override?.weight ?? server.checkedWeight
                else { continue }
                weights[endpoint] = Int32(clamping: weight)
            }
            return weights
        }

        private static var expiresQuiescent: Bool {
            let octets = try? FileSystem.contents(of: "/proc/sys/net/ipv4/vs/expire_quiescent_template", limit: 16)
            return octets?.first == UInt8(ascii: "1")
        }
    }
}

/// A fate in words.
private struct FateText {
    var server: Endpoint?
    var why: String
    var candidates: [Endpoint] = []
    var remarks: [String] = []

    init(_ fate: ClientFate, _ service: ServiceSnapshot) {
        let scheduler = service.attributes.scheduler
        switch fate {
        case .connected(let entry, let isServed):
            server = entry.server
            why = "it has a connection (\(entry.state)) from \(entry.client), for \(entry.expires) s more"
            if !isServed {
                remarks = [
                    "that server is not in the table any more: its packets are dropped until the connection expires"
                ]
            }
        case .persistent(let entry, let endpoint):
            server = endpoint
            why = "persistence: clients of \(entry.client.address) are sent there for \(entry.expires) s more"
        case .hashed(let choice, let guessed):
            switch choice {
            case .server(let endpoint):
                server = endpoint
                why = "\(scheduler): the hash leads to it"
            case .fallback(let first, let endpoint):
                server = endpoint
                why =
                    "\(scheduler)-fallback: the hash leads to \(first), which takes no connections, and from there to this one"
            case .refused(let endpoint):
                why = "\(scheduler): the hash leads to \(endpoint), which takes no connections: the client is refused"
                if scheduler != "dh" { remarks = ["with \(scheduler)-fallback it would be sent to another server"] }
            case .nobody: why = "\(scheduler): no server has a place in its table"
            }
            if !guessed.isEmpty {
                let names = guessed.map { "\($0)" }.joined(separator: ", ")
                remarks.append("taken for granted that the last weight of \(names) was 1: the kernel does not tell it")
            }
        case .oneOf(let endpoints):
            candidates = endpoints
            let shares = service.destinations.filter { endpoints.contains($0.endpoint) }
                .map { "\($0.endpoint) (weight \($0.attributes.weight), \($0.activeConnections) active)" }
            server = endpoints.count == 1 ? endpoints.first : nil
            why = "\(scheduler) takes one of \(shares.joined(separator: ", "))"
        case .nobody:
            why =
                service.destinations.isEmpty
                ? "the service has no server"
                : "every server has weight 0 or as many connections as it may: the client is refused"
        case .dependsOnPort: why = "\(scheduler)-port: the client's port counts too: write ADDR:PORT"
        case .dependsOnAddress: why = "dh hashes the address that the client connects to, and a firewall mark has many"
        }
    }
}
