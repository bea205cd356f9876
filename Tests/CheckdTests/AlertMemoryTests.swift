// What alerts keep on the disk, by itself.
import Alerts
import Testing

@testable import checkd

@Suite struct AlertMemoryTests {
    /// Mail servers and webhooks that have been dead for long: more than a megabyte.
    @Test func `what many wait for is read back in full, and written once for all`() throws {
        let changes = (1...AlertLog.limit).map { number in
            AlertChange(
                number: number, AlertSubject(.server, "\(number)"), state: "down",
                title: String(repeating: "t", count: 299) + "é", headline: "DOWN",
                text: String(repeating: "x", count: 3000),
                reason: String(repeating: "r", count: 300), time: "2026-11-26T21:29:34.707Z")
        }
        var memory = AlertMemory(boot: "boot", origin: "origin")
        memory.mail.told.number = AlertLog.limit
        (memory.mail.changes, memory.webhooks.changes) = (changes, changes)
        for receiver in 1...4000 { memory.mail.positions["operations-\(receiver)@example.com"] = 0 }
        let octets = memory.octets
        #expect(octets.count > 1 << 20 && octets.count < 1 << 21)
        #expect(AlertMemory(parsing: octets, boot: "boot")?.mail == memory.mail)
    }
}
