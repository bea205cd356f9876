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
        #expect(stream.channels["b@example.com"]?.waiting.count == 1)
        #expect(adopt(&stream, configuration(), ["c@example.com"]) == ["b@example.com": 1])
        #expect(adopt(&stream, configuration(), []).isEmpty)
    }

    @Test func `what waits stays when nobody is talked about any more`() {
        var stream = failed()
        #expect(adopt(&stream, configuration(server: false), everybody).isEmpty)
        #expect(stream.channels["a@example.com"]?.waiting.count == 1)
    }

    @Test func `what an earlier process left for whom nobody writes to now is counted`() {
        var stream = AlertStream(failed().memory)
        #expect(adopt(&stream, configuration(), ["a@example.com"]) == ["b@example.com": 1])
        #expect(stream.channels["a@example.com"]?.waiting.count == 1)
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
