// The state file: what was written is read back, damage costs only what is damaged, another boot forgets what was about the old kernel.

import Configuration
import IPVS
import Testing

@Suite struct MemoryTests {
    private func example() throws -> Memory {
        var memory = Memory()
        memory.owned = [try service("tcp/192.0.2.1:80"), try service("fwmark/7/inet6")]
        memory.servers = [try server(1), try server(2), try server(3)]
        memory.health = [try server(1): true, try server(2): false]
        memory.decisions = [
            try server(1): Decision(
                override: ServerOverride(weight: 5, mode: .drained), since: "2026-11-21T15:04:05.678Z", uid: 1000),
            try server(3): Decision(
                override: ServerOverride(mode: .disabled), since: "2026-11-21T15:04:06.000Z", uid: 0),
        ]
        return memory
    }

    @Test func `what was written is read back`() throws {
        let memory = try example()
        #expect(Memory(parsing: memory.text(boot: "b1"), boot: "b1") == memory)
        #expect(Memory.isReadable(memory.text(boot: "b1")))
    }

    @Test func `another boot keeps only what people decided`() throws {
        let memory = try example()
        let later = Memory(parsing: memory.text(boot: "b1"), boot: "b2")
        #expect(later.owned.isEmpty && later.health.isEmpty && later.servers.isEmpty)
        #expect(later.decisions == memory.decisions)
    }

    @Test(arguments: ["", "\n", "evenkeel-ipvs 2\nboot b1\nowned tcp/192.0.2.1:80\n", "\u{0}\u{FFFF}"])
    func `a file that is not ours remembers nothing`(_ text: String) {
        #expect(Memory(parsing: text, boot: "b1") == Memory())
        #expect(!Memory.isReadable(text))
    }

    @Test func `no cut of the file is misread`() throws {
        let memory = try example()
        let text = memory.text(boot: "b1")
        for length in 0..<text.count {
            let cut = Memory(parsing: String(text.prefix(length)), boot: "b1")
            #expect(cut.owned.isSubset(of: memory.owned) || length < text.count)
            for (server, isUp) in cut.health where memory.health[server] != nil {
                #expect(memory.health[server] == isUp)
            }
        }
    }
}
