// What a client of a service is told to meet. That the hashes are the kernel's is for LabTests.ExplainTests; here is the order of questions.

import Configuration
import IPVS
import Net
import Testing

@Suite struct ClientFateTests {
    private func snapshot(
        _ name: String = "tcp/10.0.0.9:80", _ scheduler: String = "wlc", _ flags: SchedulerFlags = [],
        persistence: Int? = nil, weights: [Int32]
    ) throws -> ServiceSnapshot {
        var attributes = ServiceAttributes(scheduler: scheduler, flags: flags)
        attributes.persistence = persistence.map { Persistence(prefixLength: $0) }
        var snapshot = ServiceSnapshot(identity: try service(name), attributes: attributes)
        snapshot.destinations = try weights.enumerated().map { index, weight in
            DestinationSnapshot(endpoint: try endpoint("10.0.0.\(index + 1):80"), attributes: routed(weight))
        }
        return snapshot
    }

    private func fate(
        _ service: ServiceSnapshot, _ client: String, _ lines: [String] = [], expiresQuiescent: Bool = false
    ) throws -> ClientFate {
        let whole = Endpoint(client)
        let address = try #require(whole?.address ?? IPAddress(client))
        var question = ClientQuestion(service, client: address, port: whole?.port)
        for line in lines { question.look(at: line) }
        return question.fate(expiresQuiescent: expiresQuiescent)
    }

    private let connection = "TCP CB007107 C93A 0A000009 0050 0A000002 0050 ESTABLISHED     898"
    private let template = "TCP CB007100 0000 0A000009 0050 0A000002 0050 NONE            50"

    @Test func `a connection comes before everything`() throws {
        let entry = try #require(ConnectionEntry(connection))
        let lines = [template, connection]
        let service = try snapshot(persistence: 24, weights: [1, 0])
        #expect(try fate(service, "203.0.113.7:51514", lines) == .connected(entry, isServed: true))
        #expect(try fate(snapshot(weights: [1]), "203.0.113.7:51514", lines) == .connected(entry, isServed: false))
        #expect(try fate(snapshot(weights: [1]), "203.0.113.7:51515", lines) == .oneOf([endpoint("10.0.0.1:80")]))
        #expect(
            try fate(snapshot("udp/10.0.0.9:80", weights: [1]), "203.0.113.7:51514", lines)
                == .oneOf([endpoint("10.0.0.1:80")]))
    }

    @Test func `a template is of the client's network, and counts while its server is there`() throws {
        let entry = try #require(ConnectionEntry(template))
        let service = try snapshot(persistence: 24, weights: [1, 0])
        #expect(try fate(service, "203.0.113.99", [template]) == .persistent(entry, to: entry.server))
        let first = ClientFate.oneOf([try endpoint("10.0.0.1:80")])
        #expect(try fate(service, "203.0.114.99", [template]) == first)
        #expect(try fate(service, "203.0.113.99", [template], expiresQuiescent: true) == first)
        #expect(try fate(snapshot(persistence: 24, weights: [1]), "203.0.113.99", [template]) == first)
        #expect(
            try fate(snapshot(persistence: 32, weights: [1, 1]), "203.0.113.99", [template])
                != .persistent(entry, to: entry.server))
        let marked = "IP  CB007100 0000 00000007 0000 0A000001 0000 NONE 50"
        let mark = try snapshot("fwmark/7/inet", persistence: 24, weights: [1])
        let server = try endpoint("10.0.0.1:80")
        let marking = try #require(ConnectionEntry(marked))
        #expect(try fate(mark, "203.0.113.1", [marked]) == .persistent(marking, to: server))
        #expect(try fate(snapshot("fwmark/8/inet", persistence: 24, weights: [1]), "203.0.113.1", [marked]) == first)
    }

    @Test func `servers that take none are no candidates`() throws {
        #expect(try fate(snapshot(weights: []), "203.0.113.1") == .nobody)
        #expect(try fate(snapshot(weights: [0, 0]), "203.0.113.1") == .nobody)
        #expect(try fate(snapshot("tcp/10.0.0.9:80", "sh", weights: [0]), "203.0.113.1") == .nobody)
        var full = try snapshot(weights: [1, 1])
        full.destinations[0].attributes.upperThreshold = 10
        full.destinations[0].activeConnections = 4
        full.destinations[0].inactiveConnections = 6
        #expect(try fate(full, "203.0.113.1") == .oneOf([endpoint("10.0.0.2:80")]))
    }

    @Test func `what a hash needs is said`() throws {
        #expect(try fate(snapshot("tcp/10.0.0.9:80", "sh", [.flag2], weights: [1]), "203.0.113.1") == .dependsOnPort)
        #expect(try fate(snapshot("fwmark/7/inet", "dh", weights: [1]), "203.0.113.1") == .dependsOnAddress)
        let first = HashChoice.server(try endpoint("10.0.0.1:80"))
        let portHash = try snapshot("tcp/10.0.0.9:80", "sh", [.flag2], weights: [1])
        #expect(try fate(portHash, "203.0.113.1:9") == .hashed(first, guessed: []))
        let quiet = try snapshot("tcp/10.0.0.9:80", "mh", [.flag1], weights: [1, 0])
        guard case .hashed(_, let guessed) = try fate(quiet, "203.0.113.1") else {
            Issue.record("mh hashes")
            return
        }
        #expect(guessed == [try endpoint("10.0.0.2:80")])
    }

    @Test func `with fallback nobody is refused while a server takes connections`() throws {
        for scheduler in ["sh", "mh"] {
            for number in 0..<50 {
                let service = try snapshot("tcp/10.0.0.9:80", scheduler, [.flag1], weights: [0, 0, 4, 0])
                guard case .hashed(let choice, _) = try fate(service, "203.0.113.\(number)") else {
                    Issue.record("\(scheduler) hashes")
                    return
                }
                switch choice {
                case .server(let server), .fallback(_, let server): #expect(server == (try endpoint("10.0.0.3:80")))
                case .refused, .nobody: Issue.record("\(scheduler): \(number) is refused")
                }
            }
        }
    }
}
