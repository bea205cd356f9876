// What `vrrp_rx_bufs_policy` and `kernel_rx_buf_size` make of the sockets: the instances of one add up, a reload changes it where it is open.

import Configuration
import Net
import Testing

@testable import VRRP
@testable import vrrpd

@Suite struct ReceiveBufferTests {
    private func blocks(_ policies: [ReceiveBufferPolicy]) -> [VRRPInstanceConfiguration] {
        policies.enumerated().map { number, policy in
            var block = block("VI_\(number)", router: UInt8(51 + number), addresses: ["10.0.0.\(100 + number)/24"])
            block.receiveBuffer = policy
            return block
        }
    }

    private func buffer(_ policies: ReceiveBufferPolicy...) -> [Int] {
        let (network, host) = lone(blocks(policies))
        host.start()
        network.run(.seconds(1))
        return Array(host.buffers.values)
    }

    @Test func `the instances of a socket add up, with room for a packet of each at least`() {
        #expect(buffer(.standard) == [])
        #expect(buffer(.octets(100_000)) == [100_000])
        #expect(buffer(.octets(100_000), .octets(50_000), .standard) == [150_000])
        #expect(buffer(.mtus(3), .mtus(2)) == [7500])
        // Three advertisements of 32 octets: the kernel counts more for one.
        #expect(buffer(.advertisements(3)) == [2304])
        #expect(buffer(.advertisements(1000)) == [32_000])
        #expect(buffer(.octets(1 << 30), .octets(1 << 30), .octets(1 << 30)) == [Int(Int32.max) / 2])
    }

    @Test func `a reload changes an open socket and no other`() throws {
        let (network, host) = loneMaster(blocks([.octets(100_000)]))
        #expect(Array(host.buffers.values) == [100_000])
        host.reload(Configuration(instances: blocks([.octets(200_000)])))
        network.run(.milliseconds(1))
        #expect(Array(host.buffers.values) == [200_000])
        #expect(host.state("VI_0") == .master)
        host.reload(Configuration(instances: blocks([.standard])))
        network.run(.milliseconds(1))
        #expect(host.buffers.isEmpty)
    }
}
