// A wire that is cut and joined again: both hosts were master, and whoever learned the wrong one must learn the right one. The survivor
// announces its addresses again whichever of the two was heard first, whatever it answers, and for a whole group.

import Configuration
import Net
import Testing
import VRRP

@testable import vrrpd

@Suite struct SplitBrainTests {
    /// What is configured besides priorities 150 and 100.
    enum Kind: CaseIterable {
        case plain, noAnswers, equals, group
    }

    @Test(arguments: Kind.allCases)
    func `the survivor announces its addresses again whichever of the two was heard first`(kind: Kind) {
        func blocks(_ priority: UInt8) -> [VRRPInstanceConfiguration] {
            var one = block("VI_1", router: 1, priority: kind == .equals ? 100 : priority)
            one.lowerPriorityNoAdvert = kind == .noAnswers
            guard kind == .group else { return [one] }
            return [one, block("VI_2", router: 2, priority: priority, addresses: ["10.0.0.101/24"])]
        }
        let group = SyncGroupConfiguration(name: "G", members: ["VI_1", "VI_2"])
        // Both hosts advertise every second; who is first after the heal depends on when that is.
        for phase in 0..<40 {
            let network = hosts([blocks(150), blocks(100)], groups: kind == .group ? [group] : [])
            let wanted = Set(blocks(150).flatMap(\.virtualAddresses).map(\.prefix.address))
            network.hosts[1].side = 1
            network.hosts[0].start()
            network.run(.milliseconds(370))
            network.hosts[1].start()
            network.run(.seconds(12) + .milliseconds(phase * 25))
            #expect(network.hosts.allSatisfy { $0.state() == .master })
            for host in network.hosts { host.forget() }
            network.hosts[1].side = 0
            network.run(.milliseconds(1500))
            let survivor = kind == .equals ? network.hosts[1] : network.hosts[0]
            #expect(network.hosts.count { $0.state() == .master } == 1 && survivor.state() == .master)
            let announced = Set(survivor.frames.compactMap { IPAddress(octets: $0.bytes[28..<32]) })
            #expect(announced == wanted, "\(kind), phase \(phase)")
        }
    }
}
