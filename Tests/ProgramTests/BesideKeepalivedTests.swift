// vrrpd beside keepalived 2.2.7: the same configuration and the same events, and what both say on the wire, when, and what their hosts hold is
// compared, field by field. What is meant to be otherwise stands with its reason in the play.

import Glibc
import Net
import Platform
import Testing
import VRRP

@Suite(.serialized, .enabled(if: canMakeNetworks), .timeLimit(.minutes(4)))
struct BesideKeepalivedTests {
    @Test func `the same configuration and the same events are the same on the wire`() throws {
        let loop = try EventLoop()
        var plays = Self.elections + Self.links + Self.tracking + Self.wishes
        var complaints: [String] = []
        // Where many programs start at once one may be late; what really differs does so again.
        for _ in 1...3 where !plays.isEmpty {
            let (performances, tolerance) = try Performance.all(plays, loop: loop)
            let failed = performances.compactMap { performance in
                performance.complaint(tolerance: tolerance).map { (performance.play, $0) }
            }
            plays = failed.map(\.0)
            complaints = failed.map(\.1)
        }
        for complaint in complaints { Issue.record("\(complaint)") }
    }

    // MARK: The words of configurations and events

    static func instance(
        name: String = "VI_1", id: Int = 51, priority: Int = 100, _ words: String = "version 3\n advert_int 0.3",
        _ addresses: [String] = ["10.77.0.100/24"], more: String = "garp_master_delay 1"
    ) -> String {
        """
        vrrp_instance \(name) {
         state BACKUP
         interface eth0
         virtual_router_id \(id)
         priority \(priority)
         \(words)
         \(more)
         virtual_ipaddress {
          \(addresses.joined(separator: "\n  "))
         }
        }

        """
    }

    static let password =
        "version 2\n advert_int 1\n authentication {\n auth_type PASS\n auth_pass 1111\n }"
    static let header = "version 2\n advert_int 1\n authentication {\n auth_type AH\n auth_pass secret12\n }"
    static let unicast = "garp_master_delay 1\n unicast_src_ip 10.77.0.1\n unicast_peer {\n 10.77.0.2\n }"
    static let six = ["fe80::5100/64", "2001:db8:77::100/64", "2001:db8:77::101"]
    static let rivalSix = ["fe80::5100", "2001:db8:77::100", "2001:db8:77::101"]
    static let version2 = Play.Rival(
        version: .v2, interval: .seconds(1), addresses: ["10.77.0.100"], password: "1111")

    static func better(_ after: Int) -> Play.Step {
        Play.Step(after, "a better master speaks") { try $0.hear(priority: 200) }
    }
    static func quiet(_ after: Int) -> Play.Step { Play.Step(after, "it falls silent") { try $0.quiet() } }
    static func stop(_ after: Int) -> Play.Step {
        Play.Step(after, "stop") { $0.router.signal(SIGTERM) }
    }
    static func end(_ after: Int) -> Play.Step { Play.Step(after, "end") { _ in } }
    static func cable(_ after: Int, in plugged: Bool) -> Play.Step {
        Play.Step(after, plugged ? "the cable is in" : "the cable is out") { try $0.cable(in: plugged) }
    }

    /// What most go through, with intervals of 0.3 s.
    static var life: [Play.Step] {
        [
            better(3500), quiet(1500), cable(3500, in: false), cable(800, in: true), stop(3500), end(1000),
        ]
    }
    /// With intervals of 1 s.
    static var slowLife: [Play.Step] { [better(2500), quiet(2500), stop(5500), end(1500)] }

    // MARK: Reasons

    private static let ownAddress = "keepalived announces the address that it speaks from when a fault ends"
    private static let cableless = "what was said without a cable waits for the neighbour, or does not"

    /// What differs in unicast when the cable is in again.
    private static let returningCable = [
        Play.Difference(line: "the cable is in: − order: 10.77.0.1,", reason: ownAddress),
        Play.Difference(line: "the cable is in: − 10.77.0.1: ARP", reason: ownAddress),
        Play.Difference(line: "the cable is in: + order", reason: ownAddress, isSure: false),
        Play.Difference(line: "the cable is in: + router 51/4: v3 type 1 priority 0", reason: cableless, isSure: false),
        Play.Difference(line: "the cable is in: − router 51/4: v3 type 1 priority 0", reason: cableless, isSure: false),
    ]

    // MARK: Plays

    /// The versions, families and ways to speak.
    static var elections: [Play] {
        [
            Play(name: "version 3", configuration: { _ in instance() }, steps: life),
            Play(
                name: "version 2 and a password", rival: version2, configuration: { _ in instance(password) },
                steps: slowLife),
            Play(
                name: "all defaults",
                rival: Play.Rival(version: .v2, interval: .seconds(1), addresses: ["10.77.0.100"]),
                configuration: { _ in
                    "vrrp_instance VI_1 {\n interface eth0\n virtual_router_id 51\n virtual_ipaddress {\n 10.77.0.100\n }\n}\n"
                }, steps: [better(7000), quiet(2500), stop(5500), end(1500)]),
            Play(
                name: "unicast", rival: Play.Rival(isUnicast: true), configuration: { _ in instance(more: unicast) },
                steps: life,
                differs: returningCable),
            Play(
                name: "unicast of version 2",
                rival: Play.Rival(
                    version: .v2, interval: .seconds(1), addresses: ["10.77.0.100"], password: "1111", isUnicast: true),
                configuration: { _ in instance(password, more: unicast) }, steps: slowLife),
            Play(
                name: "IPv6", rival: Play.Rival(addresses: rivalSix),
                configuration: { _ in instance("version 3\n advert_int 0.3", six) }, steps: life),
            Play(
                name: "IPv6 unicast", links: ["addr add 2001:db8:77::1/64 dev eth0 nodad"],
                rival: Play.Rival(addresses: rivalSix, isUnicast: true),
                configuration: { _ in
                    instance(
                        "version 3\n advert_int 0.3", six,
                        more:
                            "garp_master_delay 1\n unicast_src_ip 2001:db8:77::1\n unicast_peer {\n 2001:db8:77::2\n }")
                }, steps: life,
                differs: [
                    Play.Difference(
                        line: "the cable is in: − order: 2001:db8:77::1,",
                        reason: ownAddress),
                    Play.Difference(
                        line: "the cable is in: + order",
                        reason: ownAddress),
                    Play.Difference(
                        line: "the cable is in: − 2001:db8:77::1: NA",
                        reason: ownAddress),
                    Play.Difference(
                        line: "the cable is in: + router 51/6: v3 type 1 priority 0",
                        reason: cableless, isSure: false),
                    Play.Difference(
                        line: "the cable is in: − router 51/6: v3 type 1 priority 0",
                        reason: cableless, isSure: false),
                ]),
            Play(
                name: "Authentication Header", configuration: { _ in instance(header) }, steps: [stop(4500), end(1500)]),
            Play(
                name: "Authentication Header in unicast", configuration: { _ in instance(header, more: unicast) },
                steps: [stop(4500), end(1500)]),
            Play(
                name: "version 2, version 3 and IPv6 on one interface", rival: Play.Rival(addresses: ["10.77.0.103"]),
                configuration: { _ in
                    instance(password, more: "garp_master_delay 1")
                        + instance(name: "VI_3", id: 53, "version 3\n advert_int 0.3", ["10.77.0.103/24"])
                        + instance(name: "VI_6", id: 51, "version 3\n advert_int 0.3", six)
                },
                steps: [
                    Play.Step(6000, "a better master of 53 speaks") { try $0.hear(priority: 200, router: 53) },
                    quiet(1500),
                    stop(2400), end(1500),
                ]),
        ]
    }

    /// Macvlans, routes, more addresses.
    static var links: [Play] {
        [
            Play(
                name: "use_vmac", configuration: { _ in instance(more: "use_vmac\n garp_master_delay 1") }, steps: life),
            Play(
                name: "use_vmac of IPv6", rival: Play.Rival(addresses: rivalSix),
                configuration: { _ in
                    instance("version 3\n advert_int 0.3", six, more: "use_vmac\n garp_master_delay 1")
                },
                steps: life),
            Play(
                name: "vmac_xmit_base",
                configuration: { _ in instance(more: "use_vmac\n vmac_xmit_base\n garp_master_delay 1") }, steps: life),
            Play(
                name: "use_vmac in unicast", rival: Play.Rival(isUnicast: true),
                configuration: { _ in instance(more: "use_vmac\n garp_master_delay 1\n \(unicast)") }, steps: life,
                differs: returningCable),
            Play(
                name: "routes, rules and excluded addresses",
                configuration: { _ in
                    instance(
                        more: """
                            garp_master_delay 1
                            virtual_ipaddress_excluded {
                             10.77.0.110/24
                             2001:db8:77::110/64
                            }
                            virtual_routes {
                             192.0.2.0/24 via 10.77.0.9
                             blackhole 192.0.3.0/24
                            }
                            virtual_rules {
                             from 10.1.0.0/16 table 100 priority 500
                            }
                            """)
                }, steps: life, hasRouting: true),
            Play(
                name: "twenty addresses",
                rival: Play.Rival(addresses: (100..<120).map { "10.77.0.\($0)" }),
                configuration: { _ in
                    instance("version 3\n advert_int 0.3", (100..<120).map { "10.77.0.\($0)/24" })
                }, steps: life),
            Play(
                name: "mcast_src_ip", links: ["addr add 10.77.0.11/24 dev eth0"],
                configuration: { _ in instance(more: "mcast_src_ip 10.77.0.11\n garp_master_delay 1") }, steps: life),
        ]
    }
}
