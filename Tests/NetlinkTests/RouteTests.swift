// Interfaces and addresses over a scripted kernel: what is asked, what is understood, what counts as a refusal.

import Net
import Netlink
import Testing
import VRRP

@Suite struct RouteTests {
    private let eth0 = Link(
        index: 2, name: "eth0", flags: 0x1043, mac: MACAddress(rawValue: 0x0200_0000_0007), mtu: 9000)

    private func kernel(_ answers: @escaping (ScriptedKernel.Request) -> [ScriptedKernel.Answer]) -> ScriptedKernel {
        ScriptedKernel { $0.flatMap(answers) }
    }

    @Test func `a snapshot has links and addresses`() throws {
        let kernel = kernel { request in
            if request.type == 18 {
                return [
                    .datagram(link(index: 2, name: "eth0", flags: 0x1043, sequence: request.sequence) + done(request))
                ]
            }
            let first = address([10, 0, 0, 1], length: 24, index: 2, sequence: request.sequence)
            let second = address([10, 9, 0, 1], peer: [10, 9, 0, 2], length: 32, index: 2, sequence: request.sequence)
            return [.datagram(first), .datagram(second + done(request))]
        }
        let snapshot = try RouteNetlink(kernel.client()).snapshot()
        #expect(snapshot.links == [eth0])
        #expect(snapshot.addresses.map(\.prefix) == [IPPrefix("10.0.0.1/24"), IPPrefix("10.9.0.1/32")])
        #expect(snapshot.addresses.map(\.peer) == [nil, IPPrefix("10.9.0.2/32")])
        #expect(snapshot.addresses.map(\.label) == ["eth0", "eth0"])
        #expect(kernel.datagrams.map { $0.map(\.flags) } == [[0x301], [0x301]])  // NLM_F_REQUEST | NLM_F_DUMP
    }

    @Test func `a dump that the kernel interrupted is asked for again`() throws {
        var dumps = 0
        let kernel = kernel { request in
            dumps += 1
            let interrupted: UInt16 = dumps == 1 ? 0x10 : 0
            return [.datagram(message(type: 3, flags: 2 | interrupted, sequence: request.sequence, octets(Int32(0))))]
        }
        #expect(try RouteNetlink(kernel.client()).snapshot() == RouteSnapshot())
        #expect(dumps == 3)
    }

    @Test func `addresses are added and deleted in one datagram`() throws {
        let kernel = kernel { request in request.flags & 4 != 0 ? [.datagram(acknowledgement(request))] : [] }
        let prefix = try #require(IPPrefix("10.0.0.100/24"))
        let added = InterfaceAddress(
            link: 2, prefix: prefix, broadcast: IPv4Address(10, 0, 0, 255), label: "eth0:1")
        let changes: [KernelChange] = [
            .address(.delete(InterfaceAddress(link: 2, prefix: prefix))), .address(.add(added)),
        ]
        #expect(try RouteNetlink(kernel.client()).apply(changes).isEmpty)
        #expect(
            kernel.datagrams == [
                [
                    ScriptedKernel.Request(
                        type: 21, flags: 1, sequence: 1,
                        payload: [2, 24, 0, 0, 2, 0, 0, 0] + attribute(2, [10, 0, 0, 100])
                            + attribute(1, [10, 0, 0, 100])),
                    ScriptedKernel.Request(
                        type: 20, flags: 0x605, sequence: 2,  // REQUEST | ACK | EXCL | CREATE
                        payload: [2, 24, 0, 0, 2, 0, 0, 0] + attribute(2, [10, 0, 0, 100])
                            + attribute(1, [10, 0, 0, 100]) + attribute(4, [10, 0, 0, 255])
                            + attribute(3, text("eth0:1"))),
                ]
            ])
    }

    @Test func `what is there already or gone already is no refusal, the rest is`() throws {
        let errnos: [Int32] = [17, 99, 19, 1]  // EEXIST, EADDRNOTAVAIL, ENODEV, EPERM
        let kernel = kernel { request in
            [.datagram(acknowledgement(request, errno: errnos[Int(request.sequence) - 1]))]
        }
        let address = InterfaceAddress(link: 2, prefix: try #require(IPPrefix("10.0.0.100/32")))
        let refused = try RouteNetlink(kernel.client()).apply([
            .address(.add(address)), .address(.delete(address)), .address(.delete(address)), .address(.add(address)),
        ])
        #expect(refused == [RefusedChange(change: .address(.add(address)), error: .refused(code: 1, message: ""))])
    }

    @Test func `the table follows notifications, renames and re-creation`() throws {
        var table = LinkTable()
        let address = InterfaceAddress(link: 2, prefix: try #require(IPPrefix("10.0.0.1/24")))
        table.apply(.link(eth0))
        table.apply(.address(address))
        table.apply(.address(address))
        #expect(table.link(named: "eth0") == eth0)
        #expect(table.addresses(on: 2) == [address])

        var renamed = eth0
        renamed.name = "lan0"
        table.apply(.link(renamed))
        #expect(table.link(named: "eth0") == nil)
        #expect(table.link(named: "lan0") == renamed)

        var again = eth0
        again.index = 7
        table.apply(.link(again))
        table.apply(.linkGone(renamed))
        #expect(table.link(named: "eth0") == again)
        #expect(table.link(named: "lan0") == nil)
        #expect(table.addresses(on: 2).isEmpty)

        table.apply(.addressGone(address))
        #expect(table.links == [7: again])
    }

    @Test(arguments: [
        (UInt32(0x1), false), (0x41, true), (0x40, false), (0x43, true),
    ])
    func `a link is usable when it is up and has a carrier`(flags: UInt32, usable: Bool) {
        #expect(Link(index: 1, name: "a", flags: flags).isUsable == usable)
    }
}
