// IPVSClient against the kernel's IPVS, with ipvsadm 1.31 as the witness: what we write it reads back byte for byte, what it writes we
// read back as the same values.

import Configuration
import Glibc
import IPVS
import Net
import Netlink
import Testing

private typealias Table = KernelTable

/// The commands that turn one table of the same services into another.
private func commands(from actual: Table, to desired: Table) -> [Command] {
    desired.services.flatMap { Change($0.key, from: actual.services[$0.key], to: $0.value).commands }
}

@Suite(.serialized, .enabled(if: inTheLab))
struct IPVSTableTests {
    private let client: IPVSClient

    init() throws {
        client = IPVSClient(NetlinkClient(try NetlinkSocket(.generic)))
        try ipvsadm("-C")
    }

    @discardableResult
    private func ipvsadm(_ arguments: String) throws -> String {
        let pipe = try #require(popen("/usr/sbin/ipvsadm \(arguments) 2>&1", "r"))
        var output: [UInt8] = []
        while case let byte = fgetc(pipe), byte >= 0 { output.append(UInt8(byte)) }
        #expect(pclose(pipe) == 0, "ipvsadm \(arguments): \(String(decoding: output, as: UTF8.self))")
        return String(decoding: output, as: UTF8.self)
    }

    private func endpoint(_ text: String) throws -> Endpoint { try #require(Endpoint(text)) }
    private func service(_ text: String) throws -> VirtualServerIdentity { try #require(VirtualServerIdentity(text)) }

    /// One of everything that can be configured.
    private func everything() throws -> Table {
        var table = Table()
        table.services[try service("tcp/10.0.0.100:80")] = ServiceEntry(
            attributes: ServiceAttributes(
                scheduler: "wlc", persistence: Persistence(timeout: .seconds(360), prefixLength: 24)),
            destinations: [
                try endpoint("192.168.10.1:8080"): DestinationAttributes(forwarding: .method(.masquerade), weight: 3),
                try endpoint("192.168.10.2:80"): DestinationAttributes(
                    forwarding: .method(.directRouting), weight: 0, upperThreshold: 1000, lowerThreshold: 800),
                try endpoint("192.168.10.3:80"): DestinationAttributes(
                    forwarding: .method(.tunnel(.ipip)), weight: 2_147_483_647),
                try endpoint("192.168.10.4:80"): DestinationAttributes(
                    forwarding: .method(.tunnel(.gue(port: 6080, .whole)))),
                try endpoint("192.168.10.5:80"): DestinationAttributes(forwarding: .method(.tunnel(.gre(.none)))),
            ])
        for scheduler in ["rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh"] {
            table.services[.firewallMark(UInt32(table.services.count), .inet)] = ServiceEntry(
                attributes: ServiceAttributes(scheduler: scheduler))
        }
        table.services[.firewallMark(99, .inet6)] = ServiceEntry(
            attributes: ServiceAttributes(
                scheduler: "rr", persistence: Persistence(timeout: .seconds(50), prefixLength: 64)))
        table.services[try service("udp/10.0.0.100:53")] = ServiceEntry(
            attributes: ServiceAttributes(scheduler: "sh", flags: [.flag1, .flag2, .onePacket]))
        table.services[try service("sctp/10.0.0.100:9")] = ServiceEntry(attributes: ServiceAttributes(scheduler: "rr"))
        table.services[try service("udp/10.0.0.100:5060")] = ServiceEntry(
            attributes: ServiceAttributes(
                scheduler: "rr",
                persistence: Persistence(timeout: .seconds(60), prefixLength: 32, engine: "sip")))
        table.services[try service("tcp/[2001:db8::1]:443")] = ServiceEntry(
            attributes: ServiceAttributes(scheduler: "wrr"),
            destinations: [
                try endpoint("[2001:db8::10]:443"): DestinationAttributes(
                    forwarding: .method(.directRouting), weight: 5),
                try endpoint("192.168.10.6:443"): DestinationAttributes(forwarding: .method(.tunnel(.ipip))),
            ])
        return table
    }

    @Test func `everything that can be configured reaches the kernel and reads back as the same values`() throws {
        let desired = try everything()
        #expect(try client.apply(commands(from: Table(), to: desired)).isClean)
        let actual = Table(try client.services())
        #expect(actual == desired)
        #expect(commands(from: actual, to: desired).isEmpty)
        let saved = try ipvsadm("-Sn")
        #expect(
            saved == """
                -A -t 10.0.0.100:80 -s wlc -p 360 -M 255.255.255.0
                -a -t 10.0.0.100:80 -r 192.168.10.1:8080 -m -w 3
                -a -t 10.0.0.100:80 -r 192.168.10.2:80 -g -w 0
                -a -t 10.0.0.100:80 -r 192.168.10.3:80 -i -w 2147483647 --tun-type ipip
                -a -t 10.0.0.100:80 -r 192.168.10.4:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-csum
                -a -t 10.0.0.100:80 -r 192.168.10.5:80 -i -w 1 --tun-type gre --tun-nocsum
                -A -u 10.0.0.100:53 -s sh -o -b sh-fallback,sh-port
                -A -u 10.0.0.100:5060 -s rr -p 60 --pe sip
                -A --sctp-service 10.0.0.100:9 -s rr
                -A -t [2001:db8::1]:443 -s wrr
                -a -t [2001:db8::1]:443 -r 192.168.10.6:443 -i -w 1 --tun-type ipip
                -a -t [2001:db8::1]:443 -r [2001:db8::10]:443 -g -w 5
                -A -f 1 -s rr
                -A -f 2 -s wrr
                -A -f 3 -s lc
                -A -f 4 -s wlc
                -A -f 5 -s lblc
                -A -f 6 -s lblcr
                -A -f 7 -s dh
                -A -f 8 -s sh
                -A -f 9 -s sed
                -A -f 10 -s nq
                -A -f 11 -s fo
                -A -f 12 -s ovf
                -A -f 13 -s mh
                -A -f 99 -6 -s rr -p 50 -M 64

                """)
    }

    @Test func `what ipvsadm saved and restored is the same table to us`() throws {
        let desired = try everything()
        _ = try client.apply(commands(from: Table(), to: desired))
        let saved = try ipvsadm("-Sn")
        try ipvsadm("-C")
        try ipvsadm("-R <<'RULES'\n\(saved)RULES\n")
        var expected = desired
        // ipvsadm -S forgets thresholds (reference/keepalived.md §4.4).
        let web = try service("tcp/10.0.0.100:80")
        expected.services[web]?.destinations[try endpoint("192.168.10.2:80")]?.upperThreshold = 0
        expected.services[web]?.destinations[try endpoint("192.168.10.2:80")]?.lowerThreshold = 0
        #expect(Table(try client.services()) == expected)
    }

    @Test func `every attribute can be edited in place`() throws {
        let web = try service("tcp/10.0.0.100:80")
        let server = try endpoint("192.168.10.1:80")
        let variants: [(ServiceAttributes, DestinationAttributes)] = [
            (ServiceAttributes(scheduler: "rr"), DestinationAttributes(forwarding: .method(.masquerade))),
            (
                ServiceAttributes(scheduler: "mh", flags: [.flag1, .flag2]),
                DestinationAttributes(forwarding: .method(.tunnel(.gue(port: 7000, .remote))), weight: 9)
            ),
            (
                ServiceAttributes(
                    scheduler: "wlc", persistence: Persistence(timeout: .seconds(10), prefixLength: 16)),
                DestinationAttributes(forwarding: .method(.directRouting), upperThreshold: 5, lowerThreshold: 2)
            ),
            (
                ServiceAttributes(scheduler: "sed"),
                DestinationAttributes(forwarding: .method(.tunnel(.ipip)), weight: 0)
            ),
        ]
        var actual = Table()
        for (service, destination) in variants {
            let desired = Table(services: [
                web: ServiceEntry(attributes: service, destinations: [server: destination])
            ])
            #expect(try client.apply(commands(from: actual, to: desired)).isClean)
            actual = Table(try client.services())
            #expect(actual == desired)
        }
    }

    @Test func `commands that are overtaken by others are surprises, and a second look puts things right`() throws {
        let web = try service("tcp/10.0.0.100:80")
        let server = try endpoint("192.168.10.1:80")
        let routed = DestinationAttributes(forwarding: .method(.directRouting), weight: 7)
        try ipvsadm("-A -t 10.0.0.100:80 -s wlc")
        try ipvsadm("-a -t 10.0.0.100:80 -r 192.168.10.1:80 -m")
        let rr = ServiceAttributes(scheduler: "rr")
        let desired = Table(services: [web: ServiceEntry(attributes: rr, destinations: [server: routed])])
        func repaired() throws {
            let actual = Table(try client.service(web).map { [$0] } ?? [])
            #expect(try client.apply(commands(from: actual, to: desired)).isClean)
            #expect(Table(try client.services()) == desired)
        }
        var outcome = try client.apply([.addService(web, rr), .addDestination(web, server, routed)])
        #expect(outcome.surprises.map(\.error.code) == [EEXIST, EEXIST])
        #expect(outcome.refusals.isEmpty)
        try repaired()
        try ipvsadm("-d -t 10.0.0.100:80 -r 192.168.10.1:80")
        outcome = try client.apply([
            .editDestination(web, server, routed), .deleteDestination(web, try endpoint("9.9.9.9:9")),
        ])
        #expect(outcome.surprises.map(\.error.code) == [ENOENT, ENOENT])
        try repaired()
        outcome = try client.apply([.deleteService(web), .deleteService(web), .deleteDestination(web, server)])
        #expect(outcome.surprises.map(\.error.code) == [ESRCH, ESRCH])
        #expect(try client.service(web) == nil)
    }

    @Test func `an unknown scheduler is refused with its remedy, the rest of the batch is executed`() throws {
        let outcome = try client.apply([
            .addService(try service("tcp/10.0.0.1:1"), ServiceAttributes(scheduler: "nonesuch")),
            .addDestination(
                try service("tcp/10.0.0.1:1"), try endpoint("192.168.10.1:80"),
                DestinationAttributes(forwarding: .method(.masquerade))),
            .addService(try service("tcp/10.0.0.2:1"), ServiceAttributes(scheduler: "rr")),
        ])
        #expect(outcome.surprises.isEmpty)
        #expect(outcome.refusals.count == 2)
        #expect(outcome.refusals.first?.description.contains("modprobe ip_vs_nonesuch") == true)
        #expect(try client.services().map(\.identity.description) == ["tcp/10.0.0.2:1"])
    }

    @Test func `1,000 services of 10 servers arrive complete`() throws {
        var desired = Table()
        for high in UInt8(0)..<4 {
            for low in UInt8(0)..<250 {
                let web = VirtualServerIdentity.address(.tcp, Endpoint(.v4(IPv4Address(10, 1, high, low)), port: 80))
                var entry = ServiceEntry(attributes: ServiceAttributes(scheduler: "rr"))
                for server in UInt8(1)...10 {
                    entry.destinations[Endpoint(.v4(IPv4Address(10, 2, 0, server)), port: 80)] = DestinationAttributes(
                        forwarding: .method(.directRouting))
                }
                desired.services[web] = entry
            }
        }
        let clock = ContinuousClock()
        var outcome = BatchOutcome()
        let all = commands(from: Table(), to: desired)
        let writing = try clock.measure { outcome = try client.apply(all) }
        #expect(outcome.isClean)
        var services: [ServiceSnapshot] = []
        let reading = try clock.measure { services = try client.services() }
        #expect(Table(services) == desired)

        var (walk, expected) = try client.beginWalk()
        #expect(Set(expected) == Set(desired.services.keys))
        var walked: [ServiceSnapshot] = []
        var slices = 0
        var longest = Duration.zero
        while !walk.isComplete {
            longest = max(longest, try clock.measure { walked += try client.advance(&walk) })
            slices += 1
        }
        #expect(slices == 20)
        #expect(walked == services)
        print("lab: 1,000 × 10 written in \(writing), read in \(reading), longest slice of 50 \(longest)")
    }
}
