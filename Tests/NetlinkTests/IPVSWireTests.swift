// IPVS commands as bytes, with what each octet means (linux/ip_vs.h), and refusals with what is done about them.

import Configuration
import IPVS
import Net
import Netlink
import Testing

@Suite struct IPVSWireTests {
    /// A kernel where IPVS is family 28, and `answer` says what a request of that family gets.
    private func kernel(
        _ answer: @escaping (ScriptedKernel.Request) -> [ScriptedKernel.Answer] = acknowledged
    ) -> ScriptedKernel {
        ScriptedKernel { requests in
            requests.flatMap { request -> [ScriptedKernel.Answer] in
                guard request.type == 16 else { return answer(request) }
                // CTRL_CMD_NEWFAMILY with CTRL_ATTR_FAMILY_ID (1) = 28.
                let family = message(
                    type: 16, sequence: request.sequence, [1, 2, 0, 0] + attribute(1, octets(UInt16(28))))
                return [.datagram(family), .datagram(acknowledgement(request))]
            }
        }
    }

    private static func acknowledged(_ request: ScriptedKernel.Request) -> [ScriptedKernel.Answer] {
        request.flags & 4 == 0 ? [] : [.datagram(acknowledgement(request))]
    }

    private let web = VirtualServerIdentity.address(.tcp, Endpoint(.v4(IPv4Address(192, 0, 2, 1)), port: 80))
    private let server = Endpoint(.v4(IPv4Address(10, 0, 0, 7)), port: 8080)

    /// The payload of the one message that `command` becomes.
    private func payload(_ command: Command) throws -> [UInt8] {
        let kernel = kernel()
        #expect(try IPVSClient(kernel.client()).apply([command]).isClean)
        let request = try #require(kernel.datagrams.last?.first)
        #expect(request.type == 28)
        return request.payload
    }

    private static let webIdentity: [UInt8] = [
        6, 0, 1, 0, 2, 0, 0, 0,  // AF: AF_INET, padding
        6, 0, 2, 0, 6, 0, 0, 0,  // PROTOCOL: TCP
        8, 0, 3, 0, 192, 0, 2, 1,  // ADDR, network order
        6, 0, 4, 0, 0, 80, 0, 0,  // PORT, network order
    ]

    @Test func `an added service carries its identity and all its attributes`() throws {
        let attributes = ServiceAttributes(
            scheduler: "sh", flags: [.flag2], persistence: Persistence(timeout: .seconds(300), prefixLength: 24))
        #expect(
            try payload(.addService(web, attributes))
                == [1, 1, 0, 0]  // IPVS_CMD_NEW_SERVICE, version 1
                + [72, 0, 1, 0x80]  // IPVS_CMD_ATTR_SERVICE, nested, 72 octets
                + Self.webIdentity
                + [7, 0, 6, 0, 0x73, 0x68, 0, 0]  // SCHED_NAME "sh", NUL, padding
                + [12, 0, 7, 0, 0x11, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]  // FLAGS: persistent | flag 2, all meant
                + [8, 0, 8, 0, 44, 1, 0, 0]  // TIMEOUT 300 s
                + [8, 0, 9, 0, 255, 255, 255, 0])  // NETMASK, network order
    }

    @Test func `an IPv6 fwmark service has no address, and a prefix length for netmask`() throws {
        #expect(
            try payload(.editService(.firewallMark(7, .inet6), ServiceAttributes(scheduler: "rr")))
                == [2, 1, 0, 0]  // IPVS_CMD_SET_SERVICE
                + [56, 0, 1, 0x80]
                + [6, 0, 1, 0, 10, 0, 0, 0]  // AF_INET6
                + [8, 0, 5, 0, 7, 0, 0, 0]  // FWMARK 7
                + [7, 0, 6, 0, 0x72, 0x72, 0, 0]  // "rr"
                + [12, 0, 7, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]
                + [8, 0, 8, 0, 0, 0, 0, 0]
                + [8, 0, 9, 0, 128, 0, 0, 0])
    }

    @Test func `an added GUE destination carries its tunnel`() throws {
        let attributes = DestinationAttributes(
            forwarding: .method(.tunnel(.gue(port: 6080, .whole))), weight: 3, upperThreshold: 10, lowerThreshold: 8)
        #expect(
            try payload(.addDestination(web, server, attributes))
                == [5, 1, 0, 0]  // IPVS_CMD_NEW_DEST
                + [36, 0, 1, 0x80] + Self.webIdentity
                + [84, 0, 2, 0x80]  // IPVS_CMD_ATTR_DEST
                + [8, 0, 1, 0, 10, 0, 0, 7]  // ADDR
                + [6, 0, 2, 0, 0x1F, 0x90, 0, 0]  // PORT 8080, network order
                + [6, 0, 11, 0, 2, 0, 0, 0]  // ADDR_FAMILY
                + [8, 0, 3, 0, 2, 0, 0, 0]  // FWD_METHOD: IP_VS_CONN_F_TUNNEL
                + [8, 0, 4, 0, 3, 0, 0, 0]  // WEIGHT
                + [8, 0, 5, 0, 10, 0, 0, 0] + [8, 0, 6, 0, 8, 0, 0, 0]  // U_THRESH, L_THRESH
                + [5, 0, 13, 0, 1, 0, 0, 0]  // TUN_TYPE: GUE
                + [6, 0, 14, 0, 0x17, 0xC0, 0, 0]  // TUN_PORT 6080, network order
                + [6, 0, 15, 0, 1, 0, 0, 0])  // TUN_FLAGS: CSUM
    }

    @Test func `plain methods carry no tunnel attributes`() throws {
        let routed = DestinationAttributes(forwarding: .method(.directRouting))
        #expect(try payload(.editDestination(web, server, routed)).count == 4 + 36 + 60)
        let wrapped = DestinationAttributes(forwarding: .method(.tunnel(.ipip)))
        #expect(try payload(.editDestination(web, server, wrapped)).count == 4 + 36 + 60)
    }

    @Test func `a deletion names its target and nothing else`() throws {
        #expect(try payload(.deleteService(web)) == [3, 1, 0, 0, 36, 0, 1, 0x80] + Self.webIdentity)
        #expect(
            try payload(.deleteDestination(web, server)) == [7, 1, 0, 0, 36, 0, 1, 0x80] + Self.webIdentity
                + [28, 0, 2, 0x80, 8, 0, 1, 0, 10, 0, 0, 7, 6, 0, 2, 0, 0x1F, 0x90, 0, 0, 6, 0, 11, 0, 2, 0, 0, 0])
    }

    @Test func `a dump gives services with their destinations and 64-bit counters`() throws {
        let stats32 = attribute(1, octets(UInt32(1))) + attribute(4, octets(UInt64(2)))
        let stats64 =
            attribute(1, octets(UInt64(1) << 40)) + attribute(4, octets(UInt64(9))) + attribute(6, octets(UInt64(3)))
        let serviceNest =
            Self.webIdentity + attribute(6, Array("wlc\0".utf8))
            + attribute(7, octets(UInt32(0x03)) + octets(UInt32.max))
            + attribute(8, octets(UInt32(360))) + attribute(9, [255, 255, 255, 255])
            + attribute(10, stats32) + attribute(12, stats64)
        let destinationNest =
            attribute(1, [10, 0, 0, 7] + Array(repeating: 0, count: 12)) + attribute(2, [0x1F, 0x90])
            + attribute(3, octets(UInt32(0x103))) + attribute(4, octets(UInt32(5))) + attribute(7, octets(UInt32(2)))
            + attribute(8, octets(UInt32(17))) + attribute(9, octets(UInt32(1))) + attribute(13, [0])
        let kernel = kernel { request in
            let nest = request.payload[0] == 4 ? attribute(1, serviceNest) : attribute(2, destinationNest)
            let row = message(type: 28, flags: 2, sequence: request.sequence, [1, 1, 0, 0] + nest)
            return [.datagram(row + done(request))]
        }
        let services = try IPVSClient(kernel.client()).services()
        var expected = ServiceSnapshot(
            identity: web,
            attributes: ServiceAttributes(
                scheduler: "wlc", persistence: Persistence(timeout: .seconds(360), prefixLength: 32)))
        expected.counters.connections = 1 << 40
        expected.counters.inBytes = 9
        expected.counters.connectionRate = 3
        var destination = DestinationSnapshot(
            endpoint: server, attributes: DestinationAttributes(forwarding: .method(.directRouting), weight: 5))
        destination.activeConnections = 2
        destination.inactiveConnections = 17
        destination.persistentConnections = 1
        expected.destinations = [destination]
        #expect(services == [expected])
    }

    @Test func `a synchronisation daemon is started with all that makes it, stopped by its role, and read`() throws {
        let daemon = SyncDaemon(
            role: .master, interface: "eth0", syncID: 51, group: .v4(IPv4Address(224, 0, 0, 81)), port: 8848,
            timeToLive: 1, maximumLength: 1400)
        func payload(_ command: SyncCommand) throws -> [UInt8] {
            let kernel = self.kernel()
            try IPVSClient(kernel.client()).apply(command)
            return try #require(kernel.datagrams.last?.first).payload
        }
        let fields: [UInt8] =
            [8, 0, 1, 0, 1, 0, 0, 0]  // STATE: IP_VS_STATE_MASTER
            + [9, 0, 2, 0, 0x65, 0x74, 0x68, 0x30, 0, 0, 0, 0]  // MCAST_IFN "eth0", NUL, padding
            + [8, 0, 3, 0, 51, 0, 0, 0]  // SYNC_ID
            + [6, 0, 4, 0, 0x78, 0x05, 0, 0]  // SYNC_MAXLEN 1400
            + [8, 0, 5, 0, 224, 0, 0, 81]  // MCAST_GROUP, network order
            + [6, 0, 7, 0, 0x90, 0x22, 0, 0]  // MCAST_PORT 8848, host order
            + [5, 0, 8, 0, 1, 0, 0, 0]  // MCAST_TTL
        #expect(try payload(.start(daemon)) == [9, 1, 0, 0] + [64, 0, 3, 0x80] + fields)
        #expect(try payload(.stop(.backup)) == [10, 1, 0, 0] + [12, 0, 3, 0x80] + [8, 0, 1, 0, 2, 0, 0, 0])
        let answering = self.kernel { request in
            let row = message(
                type: 28, flags: 2, sequence: request.sequence, [11, 1, 0, 0] + attribute(3, fields))
            let broken = message(
                type: 28, flags: 2, sequence: request.sequence, [11, 1, 0, 0] + attribute(3, [8, 0, 1, 0, 9, 0, 0, 0]))
            return [.datagram(row + broken + done(request))]
        }
        #expect(try IPVSClient(answering.client()).syncDaemons() == [daemon])
    }

    @Test func `a daemon that stops before its thread ran is stopped, although the kernel does not answer`() throws {
        /// Runs until DEL_DAEMON (10), or for ever.
        func stop(_ role: SyncRole, stays: Bool, _ body: (IPVSClient, SyncCommand) throws -> Void) throws {
            var runs = true
            let kernel = kernel { request in
                if request.payload[0] == 10 {
                    runs = stays
                    return []
                }
                guard request.payload[0] == 11 else { return Self.acknowledged(request) }  // GET_DAEMON
                let state: [UInt8] = [8, 0, 1, 0, 2, 0, 0, 0]  // STATE: IP_VS_STATE_BACKUP
                let interface: [UInt8] = [7, 0, 2, 0, 0x6C, 0x6F, 0, 0]  // MCAST_IFN "lo"
                let row = message(
                    type: 28, flags: 2, sequence: request.sequence, [11, 1, 0, 0] + attribute(3, state + interface))
                return [.datagram((runs ? row : []) + done(request))]
            }
            try body(IPVSClient(kernel.client()), .stop(role))
        }
        try stop(.backup, stays: false) { client, command in try client.apply(command) }
        #expect(throws: NetlinkError.timedOut) {
            try stop(.backup, stays: true) { client, command in try client.apply(command) }
        }
        var refusals: [NetlinkRefusal]?
        try stop(.backup, stays: false) { client, command in
            refusals = try client.execute([.command(.flush), .command(.synchronise(command)), .command(.zero(nil))])
        }
        #expect(refusals == [])
    }

    @Test func `without the module the family is missing, and asked for again later`() throws {
        var isLoaded = false
        let kernel = ScriptedKernel { requests in
            requests.flatMap { request -> [ScriptedKernel.Answer] in
                guard request.type == 16 else { return [.datagram(done(request))] }
                guard isLoaded else { return [.datagram(acknowledgement(request, errno: 2))] }
                let family = message(
                    type: 16, sequence: request.sequence, [1, 2, 0, 0] + attribute(1, octets(UInt16(28))))
                return [.datagram(family), .datagram(acknowledgement(request))]
            }
        }
        let client = IPVSClient(kernel.client())
        #expect(throws: NetlinkError.noFamily("IPVS")) { try client.services() }
        isLoaded = true
        #expect(try client.services().isEmpty)
    }

    @Test func `after a reload of the module the family's new number is used`() throws {
        var family: UInt16 = 28
        let kernel = ScriptedKernel { requests in
            requests.flatMap { request -> [ScriptedKernel.Answer] in
                if request.type == 16 {
                    let answer = message(
                        type: 16, sequence: request.sequence, [1, 2, 0, 0] + attribute(1, octets(family)))
                    return [.datagram(answer), .datagram(acknowledgement(request))]
                }
                guard request.type == family else { return [.datagram(acknowledgement(request, errno: 2))] }
                let isDump = request.flags & 0x300 == 0x300
                return isDump ? [.datagram(done(request))] : Self.acknowledged(request)
            }
        }
        let client = IPVSClient(kernel.client())
        #expect(try client.services().isEmpty)
        family = 31
        #expect(try client.services().isEmpty)
        #expect(kernel.datagrams.last?.first?.type == 31)
        family = 32
        #expect(try client.service(web) == nil)
        family = 33
        #expect(try client.apply([.addService(web, ServiceAttributes()), .deleteService(web)]).isClean)
        #expect(kernel.datagrams.last?.map(\.type) == [33, 33])
    }

    @Test func `what speaks of the table is a surprise, what speaks of the command a refusal`() throws {
        let attributes = ServiceAttributes()
        let routed = DestinationAttributes(forwarding: .method(.directRouting))
        let mail = VirtualServerIdentity.address(.tcp, Endpoint(.v4(IPv4Address(192, 0, 2, 1)), port: 25))
        // 17 EEXIST, 3 ESRCH, 2 ENOENT, 34 ERANGE, 12 ENOMEM.
        let answers: [(Command, Int32, isSurprise: Bool?)] = [
            (.addService(web, attributes), 17, true),
            (.editService(web, attributes), 3, true),
            (.editService(web, attributes), 2, false),
            (.deleteService(web), 3, true),
            (.addDestination(web, server, routed), 17, true),
            (.addDestination(web, server, routed), 3, true),
            (.addDestination(web, server, routed), 34, false),
            (.editDestination(web, server, routed), 0, nil),
            (.editDestination(web, server, routed), 2, true),
            (.editDestination(web, server, routed), 3, true),
            (.deleteDestination(web, server), 2, true),
            (.deleteDestination(web, server), 12, false),
            // The service was refused: that its server finds none is no news.
            (.addService(mail, attributes), 2, false),
            (.addDestination(mail, server, routed), 3, false),
        ]
        let kernel = kernel { request in
            // The first request of this family is the client's second.
            let errno = answers[Int(request.sequence) - 2].1
            return errno != 0 ? [.datagram(acknowledgement(request, errno: errno))] : Self.acknowledged(request)
        }
        let outcome = try IPVSClient(kernel.client()).apply(answers.map(\.0))
        let failures = answers.map { answer in
            (CommandFailure(answer.0, .refused(code: answer.1, message: "")), answer.isSurprise)
        }
        #expect(outcome.surprises == failures.filter { $0.1 == true }.map(\.0))
        #expect(outcome.refusals == failures.filter { $0.1 == false }.map(\.0))
        #expect(outcome.surprisingServices == [web])
        #expect(!outcome.isClean)
        // The number, the batch, and the number again because of ENOENT.
        #expect(kernel.datagrams.map(\.count) == [1, 14, 1])
    }

    @Test func `a refusal names its command and says what to do`() throws {
        let kernel = kernel { request in [.datagram(acknowledgement(request, errno: 2))] }
        let outcome = try IPVSClient(kernel.client()).apply([.addService(web, ServiceAttributes(scheduler: "xyz"))])
        #expect(outcome.refusals.map(\.command.service) == [web])
        #expect(outcome.refusals.first?.description.contains("modprobe ip_vs_xyz") == true)
    }

    @Test func `a walk reads the services with one request and then so many of them at a time`() throws {
        let services = (UInt8(1)...5).map { low in
            VirtualServerIdentity.address(.tcp, Endpoint(.v4(IPv4Address(192, 0, 2, low)), port: 80))
        }
        var failure: NetlinkError?
        let kernel = kernel { request in
            if request.payload[0] == 4 {
                let rows = (UInt8(1)...5).flatMap { low in
                    message(
                        type: 28, flags: 2, sequence: request.sequence,
                        [1, 1, 0, 0]
                            + attribute(
                                1,
                                attribute(1, octets(UInt16(2))) + attribute(2, octets(UInt16(6)))
                                    + attribute(3, [192, 0, 2, low]) + attribute(4, [0, 80])))
                }
                return [.datagram(rows + done(request))]
            }
            if let failure { return [.failure(failure)] }
            let server = { (low: UInt8) in
                message(
                    type: 28, flags: 2, sequence: request.sequence,
                    [1, 1, 0, 0]
                        + attribute(
                            2,
                            attribute(1, [10, 0, 0, low] + Array(repeating: 0, count: 12)) + attribute(2, [0, 80])
                                + attribute(3, octets(UInt32(3))) + attribute(4, octets(UInt32(1)))))
            }
            return [.datagram(server(1) + server(2) + done(request))]
        }
        let client = IPVSClient(kernel.client())
        var (walk, expected) = try client.beginWalk()
        #expect(expected == services)
        #expect(kernel.datagrams.count == 2, "the family, the services")
        #expect(walk.remainingCount == 5)
        let first = try client.advance(&walk, services: 2)
        #expect(first.map(\.identity) == Array(services[0..<2]))
        #expect(first.map(\.destinations.count) == [2, 2])
        #expect(kernel.datagrams.count == 4)
        failure = .overrun
        #expect(throws: NetlinkError.overrun) { try client.advance(&walk, services: 2) }
        #expect(walk.remainingCount == 3, "the walk stands where it stood")
        failure = nil
        #expect(try client.advance(&walk, services: 9, servers: 3).map(\.identity) == Array(services[2..<4]))
        #expect(try client.advance(&walk).map(\.identity) == [services[4]])
        #expect(walk.isComplete)
        #expect(try client.advance(&walk).isEmpty)
    }
}
