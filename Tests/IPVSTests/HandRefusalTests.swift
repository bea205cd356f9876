// What a command by hand is answered when it is not done: by the bus, which refuses what ipvsadm does, by the kernel, by a full disk, and where
// somebody else was faster.

import Bus
import Configuration
import Glibc
import IPVS
import IPVSWords
import Net
import Platform
import Testing

@testable import ipvsd

extension HandMadeTests {
    /// What could not be kept does not hide how far a call got, and is not put on the account of a later one.
    @Test func `a full disk: the report comes all the same, and only for what this call did`() throws {
        let rig = KeeperRig()
        rig.decisions.writeError = Errno(ENOSPC, "write")
        func run(_ commands: [TableCommand]) throws -> IpvsAPI.ChangeTable.Reply {
            var reply: IpvsAPI.ChangeTable.Reply?
            rig.byHand(commands) { reply = IpvsAPI.ChangeTable.Reply($0, nil, $1) }
            rig.settle()
            return try #require(reply)
        }
        let made = try run([try newService(), try added(1), try added(1), try added(2)])
        #expect(made.done == 2 && made.failure?.index == 2 && made.failure?.code == Int(EEXIST))
        #expect(made.notKept?.contains("decisions.state: ") == true && made.notKept?.contains("No space") == true)
        let refused = try run([try newService()])
        #expect(refused.done == 0 && refused.failure?.code == Int(EEXIST) && refused.notKept == nil)
        #expect(refused.failure?.byDaemon == false, "lbctl ipvs says it in ipvsadm's words, whoever made what is there")
        let idle = try run([.zero(try web())])
        #expect(idle.done == 1 && idle.failure == nil && idle.notKept == nil)
        #expect(try run([]).notKept == nil)
        #expect(try run([try added(2)]).notKept != nil)
        rig.decisions.writeError = nil
        rig.settle()
        rig.restart()
        rig.pass(.seconds(1))
        #expect(try weights(rig.kernel.table, 1...2) == [1, 1], "it was written when there was room")
    }

    @Test func `a deletion of what somebody else has deleted is the end of it`() throws {
        let rig = KeeperRig([try virtualServer("tcp/192.0.2.7:80", weights: [1])])
        let configured = try service("tcp/192.0.2.7:80")
        let extra = try endpoint("10.0.0.9:80")
        let one = Command.deleteDestination(try web(), try server(1).endpoint)
        _ = try run(
            rig, [try newService(), try added(1), try added(2), .change(.addDestination(configured, extra, routed(1)))])
        rig.kernel.table.services[try web()]?.destinations[try server(1).endpoint] = nil
        let answer = try run(rig, [.change(one)])
        #expect(answer.done == 0 && answer.failure?.code == ENOENT && answer.failure?.isOurs == false)
        rig.pass(.seconds(11))
        #expect(try weights(rig.kernel.table, 1...2) == [nil, 1])
        // The service with the server.
        rig.kernel.table.services[try web()] = nil
        #expect(
            try run(rig, [.change(.deleteDestination(try web(), try server(2).endpoint))]).failure?.code == ESRCH)
        rig.pass(.seconds(11))
        #expect(rig.kernel.table.services[try web()]?.destinations.isEmpty == true)
        rig.kernel.table.services[try web()] = nil
        #expect(try run(rig, [.change(.deleteService(try web()))]).failure?.code == ESRCH)
        rig.pass(.seconds(11))
        #expect(rig.kernel.table.services[try web()] == nil)
        #expect(rig.keeper.reconciler.standings[try web()] == nil)
        // A flush is not kept from its end.
        rig.kernel.table.services[configured]?.destinations[extra] = nil
        let flush = try run(rig, [.flush, try newService()])
        #expect(flush.done == 2 && flush.failure == nil)
        rig.restart()
        rig.pass(.seconds(11))
        #expect(try rig.keeper.reconciler.kept.handMade == [web(): HandMade(ServiceAttributes())])
    }

    @Test func `what is asked of a sorry server is refused with what helps there`() throws {
        let sorry = try endpoint("10.0.0.99:80")
        let name = ServerIdentity(try web(), sorry)
        let rig = KeeperRig([
            try virtualServer(weights: [1]) {
                $0.sorryServer = SorryServerConfiguration(endpoint: sorry, forwarding: .directRouting)
            }
        ])
        rig.say(try server(1), isUp: false)
        rig.settle()
        for command in [
            Command.editDestination(try web(), sorry, routed(5)), .deleteDestination(try web(), sorry),
            .addDestination(try web(), sorry, routed(1)),
        ] {
            let problem = try #require(try run(rig, [.change(command)]).failure).problem
            #expect(!problem.contains("lbctl server"), "nothing can be decided about it: \(problem)")
        }
        let edit = try #require(
            try run(rig, [.change(.editDestination(try web(), sorry, routed(5)))]).failure)
        #expect(edit.problem.hasPrefix("the sorry server \(name) is configured in "), "\(edit.problem)")
        #expect(edit.problem.hasSuffix("edit that file and run 'lbctl reload'"))
        // That of a real server stays.
        let real = try #require(
            try run(
                rig,
                [
                    .change(
                        .editDestination(
                            try web(), try server(1).endpoint, DestinationAttributes(forwarding: .method(.masquerade))))
                ]
            )
            .failure)
        #expect(real.problem.contains("'lbctl server weight "), "\(real.problem)")
    }

    private var plain: IpvsAPI.ServiceSettings { .init(scheduler: "rr") }

    private func adding(_ service: String, _ settings: IpvsAPI.ServiceSettings) -> IpvsAPI.TableCommand {
        IpvsAPI.TableCommand(action: .addService, service: service, serviceSettings: settings)
    }

    private func placing(
        _ server: String, _ settings: IpvsAPI.ServerSettings, to service: String = "tcp/192.0.2.1:80"
    ) -> IpvsAPI.TableCommand {
        IpvsAPI.TableCommand(action: .addServer, service: service, server: server, serverSettings: settings)
    }

    @Test func `what ipvsadm refuses is refused with a remedy`() throws {
        func persistent(_ seconds: Int) -> IpvsAPI.ServiceSettings {
            .init(scheduler: "rr", persistenceTimeoutSeconds: seconds)
        }
        func wrapping(_ tunnel: IpvsAPI.Tunnel) -> IpvsAPI.TableCommand {
            placing("10.0.0.1:80", .init(forwarding: .tun, tunnel: tunnel, weight: 1))
        }
        let tunnel = IpvsAPI.Tunnel(kind: .gue, port: 6080)
        let refused: [(IpvsAPI.TableCommand, String)] = [
            (adding("tcp/192.0.2.1:0", plain), "port 0"),
            (adding("tcp/192.0.2.1:80", .init(scheduler: "rr", onePacket: true)), "UDP"),
            (adding("sctp/192.0.2.1:80", .init(scheduler: "rr", onePacket: true)), "UDP"),
            (adding("tcp/192.0.2.1:80", .init(scheduler: "rr", persistencePrefixLength: 24)), "PrefixLength"),
            (adding("tcp/192.0.2.1:80", .init(scheduler: "rr", persistenceEngine: "sip")), "Engine"),
            (adding("tcp/192.0.2.1:80", persistent(0)), "1 to 2678400"),
            (adding("tcp/192.0.2.1:80", persistent(2_678_401)), "2678401"),
            (adding("tcp/192.0.2.1:80", persistent(.max)), "31 days"),
            (placing("10.0.0.1:80", .init(forwarding: .nat, tunnel: tunnel, weight: 1)), "tun"),
            (placing("10.0.0.1:80", .init(forwarding: .dr, tunnel: tunnel, weight: 1)), "tun"),
            (wrapping(.init(kind: .ipip, port: 6080)), "tunnel.port"),
            (wrapping(.init(kind: .gre, port: 6080)), "gue"),
            (wrapping(.init(kind: .ipip, checksum: .csum)), "tunnel.checksum"),
            (wrapping(.init(kind: .gre, checksum: .remcsum)), "csum or nocsum"),
            (wrapping(.init(kind: .gue)), "1 to 65535"),
            (placing("[2001:db8::1]:80", .init(forwarding: .nat, weight: 1)), "family"),
            (
                .init(
                    action: .setTimeouts,
                    timeouts: .init(tcpSeconds: 0, tcpFinSeconds: 2_678_401, udpSeconds: 0)), "tcpFinSeconds"
            ),
        ]
        for (command, word) in refused {
            let error = try #require(throws: MalformedCommand.self) { try TableCommand(command) }
            let problem = try #require(error.problem, "\(command)")
            #expect(problem.contains(word), "\(problem)")
            if let service = command.service { #expect(problem.contains(service), "\(problem)") }
        }
        let taken: [IpvsAPI.TableCommand] = [
            adding("tcp/192.0.2.1:0", persistent(1)), adding("tcp/192.0.2.1:80", persistent(2_678_400)),
            adding("udp/192.0.2.1:53", .init(scheduler: "rr", onePacket: true)),
            adding("fwmark/7/inet", .init(scheduler: "rr", onePacket: true)),
            placing("[2001:db8::1]:80", .init(forwarding: .tun, tunnel: tunnel, weight: 1)),
            wrapping(.init(kind: .ipip)), wrapping(.init(kind: .gre, checksum: .csum)),
            .init(action: .setTimeouts, timeouts: .init(tcpSeconds: 2_678_400, tcpFinSeconds: 0, udpSeconds: 0)),
        ]
        for command in taken { #expect(throws: Never.self) { try TableCommand(command) } }
    }

    @Test func `only masquerading keeps another port than the service's`() throws {
        func port(_ forwarding: IpvsAPI.Forwarding, _ service: String = "tcp/192.0.2.1:80") throws -> UInt16? {
            let settings = IpvsAPI.ServerSettings(forwarding: forwarding, weight: 1)
            guard
                case .change(let command) = try TableCommand(placing("10.0.0.1:8080", settings, to: service))
            else { return nil }
            return command.endpoint?.port
        }
        #expect(try port(.nat) == 8080)
        #expect(try port(.dr) == 80)
        #expect(try port(.tun) == 80)
        #expect(try port(.dr, "fwmark/7/inet") == 8080)
    }

    @Test func `what the kernel refuses says what and what to do`() throws {
        let rig = KeeperRig()
        let zero = try #require(try run(rig, [.zero(try web())]).failure)
        #expect(zero.code == ESRCH && zero.problem.contains("tcp/192.0.2.1:80"))
        #expect(zero.problem.contains("lbctl service list"))
        rig.kernel.refuses = {
            if case .addDestination(_, _, let attributes) = $0 {
                attributes.lowerThreshold > attributes.upperThreshold
            } else {
                false
            }
        }
        var attributes = routed(1)
        attributes.lowerThreshold = 9
        attributes.upperThreshold = 8
        let thresholds = try run(
            rig, [try newService(), .change(.addDestination(try web(), try server(1).endpoint, attributes))])
        #expect(thresholds.done == 1 && thresholds.failure?.code == ERANGE)
        #expect(thresholds.failure?.problem.contains("the lower threshold, 9, is above the upper one, 8") == true)
    }
}
