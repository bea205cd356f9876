// Commands that are given by hand, over the bus, against the kernel's IPVS: ipvsadm 1.31 is the witness of what they did, and what ListTable says is
// compared with what was asked for.

import Bus
import Glibc
import Platform
import Testing

@Suite(.serialized, .enabled(if: inTheLab))
struct TableCommandTests {
    private static let configuration = """
        virtual_server 10.7.7.7 80 {
            protocol TCP
            lvs_sched wrr
            lvs_method NAT
            real_server 10.7.0.1 80 {
                weight 3
            }
        }

        """

    private let lab: Lab
    private let director: Director

    init() throws {
        lab = try Lab()
        let path = lab.directory + "/ipvsd.conf"
        try FileSystem.replace(path, with: Array(Self.configuration.utf8), durable: false)
        director = try Director(on: .director1, configurationAt: path, lab: lab)
        try director.start(.busd)
        try director.start(.ipvsd)
    }

    private func bus() throws -> BusClient {
        var client: BusClient?
        try lab.eventually("ipvsd is on the bus", within: .seconds(10)) {
            guard let bus = try? BusClient(path: director.directory + "/run/bus.sock") else { return false }
            guard (try? bus.call(IpvsAPI.ListServices())) != nil else { return false }
            client = bus
            return true
        }
        return try #require(client)
    }

    private func rules() throws -> [String] {
        try lab.run(["/usr/sbin/ipvsadm", "-Sn"], on: .director1).split(separator: "\n").map { String($0) }
    }

    private func server(
        _ service: String, _ name: String, _ settings: IpvsAPI.ServerSettings,
        _ action: IpvsAPI.TableAction = .addServer
    ) -> IpvsAPI.TableCommand {
        IpvsAPI.TableCommand(action: action, service: service, server: name, serverSettings: settings)
    }

    private func service(
        _ name: String, _ settings: IpvsAPI.ServiceSettings, _ action: IpvsAPI.TableAction = .addService
    ) -> IpvsAPI.TableCommand {
        IpvsAPI.TableCommand(action: action, service: name, serviceSettings: settings)
    }

    /// One of everything that can be asked for.
    private var everything: [IpvsAPI.TableCommand] {
        let persistent = IpvsAPI.ServiceSettings(
            scheduler: "wlc", persistenceTimeoutSeconds: 360, persistencePrefixLength: 24)
        return [
            service("tcp/10.0.0.100:80", persistent),
            server("tcp/10.0.0.100:80", "192.168.10.1:8080", .init(forwarding: .nat, weight: 3)),
            server(
                "tcp/10.0.0.100:80", "192.168.10.2:80",
                .init(forwarding: .dr, weight: 0, upperThreshold: 1000, lowerThreshold: 800)),
            server("tcp/10.0.0.100:80", "192.168.10.3:80", .init(forwarding: .tun, weight: 2_147_483_647)),
            server(
                "tcp/10.0.0.100:80", "192.168.10.4:80",
                .init(forwarding: .tun, tunnel: .init(kind: .gue, port: 6080, checksum: .csum), weight: 1)),
            server(
                "tcp/10.0.0.100:80", "192.168.10.5:80",
                .init(forwarding: .tun, tunnel: .init(kind: .gre, checksum: .nocsum), weight: 1)),
            service("udp/[2001:db8::1]:53", .init(scheduler: "rr", onePacket: true)),
            server("udp/[2001:db8::1]:53", "[2001:db8::2]:53", .init(forwarding: .dr, weight: 1)),
            service("sctp/10.0.0.100:9899", .init(scheduler: "sh", schedulerFlags: ["flag-1", "flag-2"])),
            service("fwmark/7/inet6", .init(scheduler: "mh", schedulerFlags: ["flag-2"])),
        ]
    }

    @Test func `what is asked for is in the kernel as ipvsadm sees it, comes back, and is kept`() throws {
        let client = try bus()
        let reply = try client.call(IpvsAPI.ChangeTable(commands: everything))
        #expect(reply.done == everything.count && reply.failure == nil, "\(reply)")
        let expected: Set = [
            "-A -t 10.7.7.7:80 -s wrr", "-a -t 10.7.7.7:80 -r 10.7.0.1:80 -m -w 3",
            "-A -t 10.0.0.100:80 -s wlc -p 360 -M 255.255.255.0",
            "-a -t 10.0.0.100:80 -r 192.168.10.1:8080 -m -w 3", "-a -t 10.0.0.100:80 -r 192.168.10.2:80 -g -w 0",
            "-a -t 10.0.0.100:80 -r 192.168.10.3:80 -i -w 2147483647 --tun-type ipip",
            "-a -t 10.0.0.100:80 -r 192.168.10.4:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-csum",
            "-a -t 10.0.0.100:80 -r 192.168.10.5:80 -i -w 1 --tun-type gre --tun-nocsum",
            "-A -u [2001:db8::1]:53 -s rr -o", "-a -u [2001:db8::1]:53 -r [2001:db8::2]:53 -g -w 1",
            "-A --sctp-service 10.0.0.100:9899 -s sh -b sh-fallback,sh-port", "-A -f 7 -6 -s mh -b mh-port",
        ]
        let rules = Set(try rules().map { $0.trimmingBlanks })
        #expect(rules == expected, "missing \(expected.subtracting(rules)), too much \(rules.subtracting(expected))")
        let table = try client.call(IpvsAPI.ListTable())
        #expect(table.version == "1.2.1")
        #expect(table.timeouts?.tcpSeconds == 900)
        for command in everything {
            let listed = table.services.first { $0.name == command.service }
            #expect(listed?.origin == .hand)
            if command.action == .addService {
                #expect(listed?.settings.scheduler == command.serviceSettings?.scheduler)
            }
            guard let server = command.server, let settings = command.serverSettings else { continue }
            let found = listed?.servers.first { $0.name == server }?.settings
            #expect(found?.forwarding == settings.forwarding && found?.weight == settings.weight)
            #expect(found?.tunnel?.port == settings.tunnel?.port)
            #expect(found?.upperThreshold == settings.upperThreshold ?? 0)
        }
        #expect(table.services.first { $0.name == "tcp/10.7.7.7:80" }?.origin == .configuration)

        try director.kill(.ipvsd)
        try lab.run(["/usr/sbin/ipvsadm", "-C"], on: .director1)
        try director.start(.ipvsd)
        try lab.eventually("all of it is back", within: .seconds(10)) {
            Set(try self.rules().map { $0.trimmingBlanks }) == expected
        }
        let again = try bus()
        #expect(try again.call(IpvsAPI.ChangeTable(commands: [.init(action: .flush)])).left == 1)
        #expect(try self.rules().count == 2)
    }

    @Test func `refusals carry the kernel's errno, and services of others stay theirs`() throws {
        let client = try bus()
        try lab.run(["/usr/sbin/ipvsadm", "-A", "-t", "10.9.8.7:99", "-s", "wlc"], on: .director1)
        func code(_ commands: IpvsAPI.TableCommand...) throws -> Int? {
            try client.call(IpvsAPI.ChangeTable(commands: commands)).failure?.code
        }
        let plain = IpvsAPI.ServiceSettings(scheduler: "rr")
        let web = IpvsAPI.ServerSettings(forwarding: .nat, weight: 1)
        #expect(try code(service("tcp/10.9.8.7:99", plain)) == Int(EEXIST))
        #expect(try code(service("tcp/10.1.1.1:1", .init(scheduler: "nonesuch"))) == Int(ENOENT))
        #expect(try code(server("tcp/10.1.1.1:1", "10.2.2.2:2", web)) == Int(ESRCH))
        #expect(try code(server("tcp/10.9.8.7:99", "10.2.2.2:2", web, .editServer)) == Int(ENOENT))
        #expect(try code(service("tcp/10.7.7.7:80", plain)) == Int(EEXIST))
        #expect(try code(service("tcp/10.7.7.7:80", plain, .editService)) == Int(EPERM))
        #expect(try code(.init(action: .zero, service: "tcp/10.1.1.1:1")) == Int(ESRCH))
        #expect(try code(.init(action: .zero), server("tcp/10.9.8.7:99", "10.2.2.2:2", web)) == nil)
        #expect(
            try code(.init(action: .setTimeouts, timeouts: .init(tcpSeconds: 77, tcpFinSeconds: 0, udpSeconds: 0)))
                == nil)
        #expect(try client.call(IpvsAPI.ListTable()).timeouts?.tcpSeconds == 77)
        let daemon = IpvsAPI.SyncDaemon(
            role: .master, interface: "lo", syncID: 7, group: "224.0.0.81", port: 8848, timeToLive: 1)
        #expect(try code(.init(action: .startDaemon, daemon: daemon)) == nil)
        #expect(try client.call(IpvsAPI.ListTable()).daemons?.map(\.syncID) == [7])
        #expect(try code(.init(action: .startDaemon, daemon: daemon)) == Int(EEXIST))
        let stopped = try client.call(IpvsAPI.ChangeTable(commands: [.init(action: .stopDaemon, role: .master)]))
        #expect(stopped.failure == nil, "\(stopped)")
        #expect(try code(.init(action: .stopDaemon, role: .master)) == Int(ESRCH))
        #expect(try client.call(IpvsAPI.ListTable(service: "tcp/10.9.8.7:99")).services.map(\.origin) == [.foreign])
        #expect(try code(service("tcp/10.9.8.7:99", plain, .deleteService)) == nil)
        #expect(throws: BusClientError.self) { try client.call(IpvsAPI.ListTable(service: "tcp/10.9.8.7:99")) }
        #expect(throws: BusClientError.self) { try code(self.service("tcp/10.9.8.7:99", .init(scheduler: ""))) }
    }
}

extension String {
    fileprivate var trimmingBlanks: String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
