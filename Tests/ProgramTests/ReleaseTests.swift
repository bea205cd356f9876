// `vrrpd --release`, the step after the end of the service: what a process that will not return has left goes, what another one will go on with
// stays.

import Bus
import Glibc
import Net
import Netlink
import Platform
import Testing
import VRRP

@Suite(.serialized, .enabled(if: canMakeNetworks), .timeLimit(.minutes(1)))
struct ReleaseTests {
    private let alone: Alone

    /// A master that holds something of every kind.
    init() throws {
        alone = try Alone {
            Dialect.version3.text(
                100, on: $0, peer: $1,
                more: """
                    use_vmac
                    no_accept
                    virtual_ipaddress_excluded {
                     10.77.0.110/24 dev eth0
                     2001:db8:77::110/64 dev eth0
                    }
                    virtual_routes {
                     192.0.2.0/24 via 10.77.0.9 dev eth0
                    }
                    virtual_rules {
                     from 10.1.0.0/16 table 100 priority 500
                    }
                    """)
        }
        try alone.becomes(.master)
        try alone.holds(true)
    }

    /// What is there that is vrrpd's.
    private func left() throws -> Set<String> {
        let snapshot = try alone.host.inside { try RouteNetlink() }.snapshot()
        var found = Set(snapshot.addresses.filter { $0.origin == InterfaceAddress.ofVRRP }.map { "\($0.prefix)" })
        found.formUnion(snapshot.links.map(\.name).filter { $0.hasPrefix("vrrp") })
        found.formUnion(try RoutingTests.shown(alone.host, alone.segment))
        return found
    }

    private func release(_ environment: String...) throws {
        try alone.segment.run(
            ["/usr/bin/env"] + environment
                + ["/sbin/ip", "netns", "exec", alone.host.namespace, Program.directory + "/vrrpd", "--release"])
    }

    @Test func `what a process that will not return left is taken off, and only then`() throws {
        let all = try left()
        #expect(all.count == 7, "\(all)")
        // Another one holds it.
        try release()
        #expect(try left() == all)
        try alone.router.crash()
        for environment in [["SERVICE_RESULT=signal"], ["SERVICE_RESULT=success"], ["SERVICE_RESULT=watchdog"]] {
            try release(environment[0])
        }
        try release("SERVICE_RESULT=exit-code", "EXIT_STATUS=1")
        #expect(try left() == all)
        try release("SERVICE_RESULT=timeout")
        #expect(try left() == [])
        // The interface below is as it was, and so is the host's own address.
        for name in ["arp_ignore", "arp_filter", "arp_announce"] {
            let value = try alone.host.inside {
                try FileSystem.contents(of: "/proc/sys/net/ipv4/conf/eth0/\(name)", limit: 8)
            }
            #expect(value?.first == UInt8(ascii: "0"), "\(name)")
        }
        #expect(try alone.segment.holders(of: alone.host.address) == ["a"])
        // Nothing drops packets to the address any more, whoever has it next.
        try alone.ip("address add \(virtualAddress)/24 dev eth0")
        let attempt = try Attempt(from: alone.peer, to: virtualAddress)
        try alone.eventually("it is answered", within: .seconds(5)) { attempt.isAnswered }
    }

    @Test func `a configuration that is refused leaves nothing either`() throws {
        try alone.router.crash()
        #expect(try !left().isEmpty)
        try release("SERVICE_RESULT=exit-code", "EXIT_STATUS=2")
        #expect(try left() == [])
    }
}
