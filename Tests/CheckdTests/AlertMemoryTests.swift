// What alerts keep on the disk, by itself.
import Alerts
import Testing

@testable import checkd

@Suite struct AlertMemoryTests {
    /// A mail server that has been dead for long, and several recipients: more than a megabyte.
    @Test func `what many wait for is read back in full`() throws {
        var waiting = AlertChannel.Waiting()
        waiting.changes = (1...AlertChannel.Limits.listed).map { number in
            AlertChange(
                number: number, AlertSubject(.server, "\(number)"), state: "down",
                title: String(repeating: "t", count: 300), headline: "DOWN", text: String(repeating: "x", count: 300),
                reason: String(repeating: "r", count: 300), time: "2026-11-26T21:29:34.707Z")
        }
        waiting.dropped = 6000
        var memory = AlertMemory(boot: "boot", origin: "origin")
        for receiver in 1...4 { memory.mail.waiting["ops\(receiver)@example.com"] = waiting }
        let octets = memory.octets
        #expect(octets.count > 1 << 20)
        #expect(AlertMemory(parsing: octets, boot: "boot")?.mail == memory.mail)
    }
}
