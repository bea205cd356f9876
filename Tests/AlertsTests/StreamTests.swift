// What becomes of what waits when a reload changes who is told, and what a reload is said to change.
import Configuration
import Net
import Testing

@testable import Alerts

@Suite struct StreamTests {
    private let now = Instant(nanoseconds: 1_000_000_000_000)
    private let everybody = ["a@example.com", "b@example.com"]

    /// With mail about the server or without, and with another word around it.
    private func configuration(server: Bool = true, words: Bool = false) -> Configuration {
        let endpoint = Endpoint(.v4(IPv4Address(192, 0, 2, 1)), port: 80)
        var service = VirtualServerConfiguration(identity: .address(.tcp, endpoint))
        var real = RealServerConfiguration(endpoint: endpoint)
        real.mailAlert = server
        service.realServers = [real]
        var configuration = Configuration()
        configuration.virtualServers = [service]
        configuration.global.mail.server = "192.0.2.25"
        configuration.global.mail.recipients = everybody.compactMap { MailAddress($0) }
        configuration.global.mail.skipsFaults = words
        return configuration
    }

    private func adopt(
        _ stream: inout AlertStream, _ configuration: Configuration, _ receivers: [String]
    ) -> [String: Int] {
        stream.adopt(.mail(configuration), receivers: receivers, of: configuration, time: "", at: now)
    }

    private func failed() -> AlertStream {
        var stream = AlertStream()
        _ = adopt(&stream, configuration(), everybody)
        let look = ServerLook(isUp: false, isVerified: true, checkers: [], reason: "refused", since: "then")
        stream.see(.server("tcp/192.0.2.1:80/192.0.2.1:80", look), at: now)
        return stream
    }

    @Test func `what waits for whom a reload takes away is counted, and the rest stays`() {
        var stream = failed()
        #expect(adopt(&stream, configuration(), ["b@example.com", "c@example.com"]) == ["a@example.com": 1])
        #expect(stream.waiting(for: "b@example.com").all == 1)
        #expect(adopt(&stream, configuration(), ["c@example.com"]) == ["b@example.com": 1])
        #expect(adopt(&stream, configuration(), []).isEmpty)
    }

    @Test func `what waits stays when nobody is talked about any more`() {
        var stream = failed()
        #expect(adopt(&stream, configuration(server: false), everybody).isEmpty)
        #expect(stream.waiting(for: "a@example.com").all == 1)
    }

    @Test func `what an earlier process left for whom nobody writes to now is counted`() {
        var stream = AlertStream(failed().memory)
        #expect(adopt(&stream, configuration(), ["a@example.com"]) == ["b@example.com": 1])
        #expect(stream.waiting(for: "a@example.com").all == 1)
    }

    /// Servers fail and come back, again and again, and nobody takes a message.
    private func stormy(_ count: Int) -> AlertStream {
        var stream = AlertStream()
        _ = adopt(&stream, configuration(), (1...20).map { "ops\($0)@example.com" })
        for number in 1...count {
            let isUp = number.isMultiple(of: 2)
            let look = ServerLook(isUp: isUp, isVerified: true, checkers: [], reason: "refused", since: "then")
            stream.see(.server("tcp/192.0.2.1:80/192.0.2.1:80", look), at: now)
        }
        return stream
    }

    @Test func `what twenty receivers wait for is kept once`() {
        let stream = stormy(2000)
        #expect(stream.memory.changes.count == AlertLog.limit)
        #expect(stream.memory.positions.count == 20 && Set(stream.memory.positions.values) == [0])
        #expect(stream.waiting(for: "ops7@example.com") == (2000, 1500))
    }

    @Test func `each receiver goes his own way through it, and what all have taken goes`() throws {
        var stream = stormy(10)
        var later = now + .seconds(10)
        for number in 1...20 {
            let taken = stream.take(at: later)
            let (receiver, waiting) = try #require(taken)
            #expect(waiting.changes.map(\.number) == Array(1...10))
            stream.finished(receiver, number == 1 ? "451 later" : nil, at: later)
            #expect(stream.memory.changes.count == 10)
        }
        #expect(stream.memory.positions.count == 1)
        later = later + .seconds(20)
        let last = stream.take(at: later)
        let (receiver, waiting) = try #require(last)
        let another = stream.take(at: later)
        #expect(waiting.count == 10 && another == nil)
        stream.finished(receiver, nil, at: later)
        #expect(stream.memory.changes.isEmpty && stream.memory.positions.isEmpty)
        let memory = stream.memory
        #expect(AlertStream(memory).memory == memory)
    }

    @Test func `a receiver who is new is told what comes, not what others wait for`() {
        var stream = stormy(10)
        _ = adopt(&stream, configuration(), ["ops1@example.com", "new@example.com"])
        #expect(stream.waiting(for: "new@example.com").all == 0 && stream.waiting(for: "ops1@example.com").all == 10)
    }

    @Test func `what does not fit together in a file is counted and breaks nothing`() {
        var memory = stormy(10).memory
        memory.changes.remove(at: 4)
        var stream = AlertStream(memory)
        _ = adopt(&stream, configuration(), ["ops1@example.com"])
        #expect(stream.waiting(for: "ops1@example.com") == (10, 10))
        memory.told.number = .max
        memory.positions = ["ops1@example.com": .min]
        stream = AlertStream(memory)
        _ = adopt(&stream, configuration(), ["ops1@example.com"])
        #expect(stream.waiting(for: "ops1@example.com") == (0, 0))
    }

    @Test func `whom mail begins or ceases to be about is a change, and so are its words`() {
        let name = "server tcp/192.0.2.1:80/192.0.2.1:80"
        let with = configuration()
        #expect(AlertPolicy.mailChanges(from: with, to: with).isEmpty)
        #expect(AlertPolicy.mailChanges(from: with, to: configuration(server: false)) == ["stop mail about \(name)"])
        #expect(AlertPolicy.mailChanges(from: configuration(server: false), to: with) == ["start mail about \(name)"])
        #expect(AlertPolicy.mailChanges(from: with, to: configuration(words: true)) == ["change the settings of mail"])
        var other = with
        other.global.mail.recipients.removeLast()
        other.virtualServers = []
        #expect(AlertPolicy.mailChanges(from: with, to: other).isEmpty)
    }
}
