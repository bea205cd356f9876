// `auth_type AH` with keepalived 2.2.7 in both roles: each verifies what the other signs, and goes on from the other's sequence numbers.

import Bus
import Glibc
import Net
import Platform
import Testing

@Suite(.serialized, .enabled(if: canMakeNetworks), .timeLimit(.minutes(3)))
struct AuthenticationHeaderProgramTests {
    private func text(_ priority: Int, unicast: (own: String, peer: String)?) -> String {
        let peers = unicast.map { "unicast_src_ip \($0.own)\n unicast_peer {\n \($0.peer)\n }" } ?? ""
        return """
            vrrp_instance VI_1 {
             state BACKUP
             interface eth0
             virtual_router_id 51
             priority \(priority)
             advert_int 1
             \(peers)
             authentication {
              auth_type AH
              auth_pass secret12
             }
             virtual_ipaddress {
              10.77.0.100/24
             }
            }

            """
    }

    @Test(arguments: [0, 1], [false, true])
    func `an election over Authentication Headers, in both roles`(pair: Int, isUnicast: Bool) throws {
        let programs: [Implementation] = pair == 0 ? [.vrrpd, .keepalived] : [.keepalived, .vrrpd]
        let segment = try Segment(hosts: 2)
        let (a, b) = (segment.hosts[0], segment.hosts[1])
        let first = try Router(
            programs[0], on: a, of: segment, text(150, unicast: isUnicast ? (a.address, b.address) : nil))
        let second = try Router(
            programs[1], on: b, of: segment, text(100, unicast: isUnicast ? (b.address, a.address) : nil))
        func holds(_ names: [String]) throws {
            do {
                try segment.eventually("\(names) hold it", within: .seconds(20)) {
                    try segment.holders(of: virtualAddress) == names
                }
            } catch {
                Issue.record("\(first.log.suffix(3000))\n──\n\(second.log.suffix(3000))")
                throw error
            }
        }
        try second.start()
        try holds(["b"])
        try first.start()
        try holds(["a"])
        // Both understand each other: for five intervals nobody else is master.
        var seen: Set<[String]> = []
        try segment.observe(for: .seconds(5)) { seen.insert(try segment.holders(of: virtualAddress)) }
        #expect(seen == [["a"]])
        try first.end(SIGTERM)
        try holds(["b"])
        try first.start()
        try holds(["a"])
        let ours = programs[0] == .vrrpd ? first : second
        let statistics = try ours.show().runtime.statistics
        #expect(statistics.advertisementsReceived > 0)
        #expect(statistics.discarded["authentication"] ?? 0 == 0, "\(statistics)")
    }
}
