// BFD against FRR's bfdd, both roles: what is lost and found again moves the priority, one hop and several.

import Bus
import Glibc
import Net
import Platform
import Testing

@Suite(.serialized, .enabled(if: canMakeNetworks && hasFRR), .timeLimit(.minutes(2)))
struct BFDTests {
    private func neighbor(_ alone: Alone, passive: Bool, multihop: Bool) throws -> Program {
        try alone.segment.startFRR(on: alone.peer, peer: alone.host, passive: passive, multihop: multihop)
    }

    private func advertises(_ priority: UInt8, _ alone: Alone, _ neighbor: Program?) throws {
        do {
            try alone.eventually("priority \(priority) is advertised") {
                alone.wire.heard.last { $0.source == alone.host.address }?.priority == priority
            }
        } catch {
            Issue.record("bfdd: \(neighbor?.output ?? "")")
            throw error
        }
    }

    @Test(arguments: [(false, false), (true, false), (false, true), (true, true)])
    func `a session with FRR that is lost lowers the priority until it is back`(
        _ isPassive: Bool, _ isMultihop: Bool
    ) throws {
        let alone = try Alone {
            let words = (isPassive ? "passive\n" : "") + (isMultihop ? "multihop\n" : "")
            return """
                bfd_instance b {
                neighbor_ip 10.77.0.2
                source_ip 10.77.0.1
                min_rx 50
                min_tx 50
                multiplier 3
                \(words)}

                """ + Dialect.version3.text(100, on: $0, peer: $1, more: "track_bfd {\n b weight -40\n }")
        }
        try advertises(60, alone, nil)
        let frr = try neighbor(alone, passive: !isPassive, multihop: isMultihop)
        defer { frr.signal(SIGKILL) }
        try advertises(100, alone, frr)
        let shown = try #require(try alone.router.show().runtime.trackers?.first)
        #expect((shown.kind, shown.name, shown.state, shown.detail) == (.bfd, "b", .good, "up"))
        frr.signal(SIGSTOP)
        try advertises(60, alone, frr)
        #expect(
            try alone.router.show().runtime.trackers?.first?.detail == "down: control detection time expired")
        frr.signal(SIGCONT)
        try advertises(100, alone, frr)
    }

    @Test func `two vrrpd have a session, and one that is stopped says goodbye`() throws {
        func text(_ host: Host, _ peer: Host, _ number: Int) -> String {
            """
            bfd_instance b {
            neighbor_ip \(peer.address)
            source_ip \(host.address)
            min_rx 100
            min_tx 100
            }

            """ + Dialect.version3.text(100 + number, on: host, peer: peer, more: "track_bfd {\n b weight -40\n }")
        }
        let alone = try Alone { text($0, $1, 0) }
        let other = try Router(
            .vrrpd, on: alone.peer, of: alone.segment, text(alone.peer, alone.host, 1))
        try other.start()
        try alone.eventually("the session is up") { (try? alone.router.show().runtime.trackers?.first?.state) == .good }
        try other.end(SIGTERM)
        try alone.eventually("it is down") { try alone.router.show().runtime.trackers?.first?.state == .failed }
        #expect(try alone.router.show().runtime.trackers?.first?.detail == "down: neighbor signaled session down")
    }
}
