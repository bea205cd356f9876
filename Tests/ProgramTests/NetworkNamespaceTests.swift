// A thread that looks into another namespace, and comes back.

import Glibc
import Platform
import Testing

@Suite(.enabled(if: canMakeNetworks), .timeLimit(.minutes(1))) struct NetworkNamespaceTests {
    private struct Refusal: Error {}

    private func current() -> UInt64 {
        var status = stat()
        return stat("/proc/thread-self/ns/net", &status) == 0 ? UInt64(status.st_ino) : 0
    }

    @Test func `a thread is afterwards where it was, whatever the work did`() throws {
        let segment = try Segment(hosts: 2)
        let before = current()
        let inside = try segment.hosts[0].inside { current() }
        #expect(inside != before && current() == before)
        #expect(throws: Refusal.self) { try segment.hosts[0].inside { throw Refusal() } }
        #expect(current() == before)
        try segment.hosts[0].inside {
            let other = try segment.hosts[1].inside { current() }
            #expect(other != inside && current() == inside)
        }
        #expect(throws: (any Error).self) { try NetworkNamespace.inside("/run/netns/none-such") {} }
        #expect(current() == before)
    }
}
