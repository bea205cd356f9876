// The transaction of nftables_ipvs, however many addresses the groups have.
import Configuration
import Net
import Netlink
import Testing

@Suite struct MarkTests {
    @Test func `a thousand ranges of either family are one transaction`() throws {
        let kernel = ScriptedKernel { requests in
            // NLM_F_ACK
            requests.filter { $0.flags & 4 != 0 }.map { .datagram(acknowledgement($0)) }
        }
        let ranges = (0..<1000).flatMap { index in
            let last = (UInt8(index >> 8), UInt8(truncatingIfNeeded: index))
            return [
                IPAddress.v4(IPv4Address(10, 0, last.0, last.1)),
                IPAddress("2001:db8::\(String(index, radix: 16))") ?? .v4(.any),
            ].map { MarkedAddresses.Range(addresses: [$0], port: 80) }
        }
        let entry = MarkRules.Entry(MarkedAddresses(transport: .tcp, ranges: ranges), mark: 1000)
        try kernel.nftables("t").mark(MarkRules([entry]))
        #expect(kernel.datagrams.count == 1)
        // NFT_MSG_NEWSETELEM of subsystem 10.
        let elements = kernel.datagrams.flatMap { $0 }.filter { $0.type == 10 << 8 | 12 }
        #expect(elements.count == 2 * 21, "48 in each")
        #expect(elements.allSatisfy { $0.payload.count <= 4080 })
    }
}
