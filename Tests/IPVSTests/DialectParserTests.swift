// ipvsadm's command line, read: what it asks for, and what is said of one that is wrong. The lab compares with ipvsadm itself; these say what
// was found there, where no kernel is needed.

import Configuration
import IPVS
import Net
import Testing

/// A system with few names.
struct FewNames: NameResolver {
    func address(ofHost name: String) -> IPv4Address? { name == "web1" ? IPv4Address(10, 0, 0, 9) : nil }
    func hostName(of address: IPAddress) -> String? {
        switch address.description {
        case "10.0.0.9": "web1"
        case "2001:db8::9": "a-name-that-is-rather-long.in-a-domain.with-many-parts.example"
        case "10.0.0.8": "a-name-that-is-rather-long.example"
        case _: nil
        }
    }
    func port(ofService name: String, _ transport: IPTransport) -> UInt16? {
        name == "http" && transport == .tcp ? 80 : nil
    }
    func serviceName(ofPort port: UInt16, _ transport: IPTransport) -> String? {
        port == 80 && transport == .tcp ? "http" : nil
    }
}

@Suite struct DialectParserTests {
    private func parse(_ line: String) throws(DialectError) -> DialectCommand {
        try DialectParser(FewNames()).parse(line.split(separator: " ").map(String.init))
    }

    private func change(_ line: String) throws -> TableRequest {
        guard case .change(let request) = try parse(line) else { throw DialectError.tryHelp }
        return request
    }

    private let web = VirtualServerIdentity.address(.tcp, Endpoint(.v4(IPv4Address(10, 0, 0, 9)), port: 80))

    @Test(
        arguments: [
            "-A -t 10.0.0.9:80 -s rr", "-A -t web1:http -s rr", "-At web1:80 -srr", "-A -s=rr -t=10.0.0.9:80",
            "--add-service --tcp-service=10.0.0.9:80 --scheduler rr", "-A --scheduler=rr -t 167772169:80",
        ])
    func `options can be written in many ways`(_ line: String) throws {
        #expect(try change(line) == .addService(ServiceRule(identity: web, scheduler: "rr")))
    }

    @Test func `everything about a service is read`() throws {
        #expect(
            try change("-E -t 10.0.0.9:80 -p -M 255.255.0.255 --pe sip")
                == .editService(
                    ServiceRule(identity: web, persistenceSeconds: 360, netmask: 0xFFFF_00FF, engine: "sip")))
        #expect(
            try change("-A -f 7 -6 -p 60 -M 64 -s sh -b sh-port -o")
                == .addService(
                    ServiceRule(
                        identity: .firewallMark(7, .inet6), scheduler: "sh", flags: [.flag2, .onePacket],
                        persistenceSeconds: 60, netmask: 64)))
    }

    @Test func `the port of a server is the service's but with masquerading`() throws {
        let server = Endpoint(.v4(IPv4Address(10, 1, 0, 1)), port: 8080)
        let sameport = Endpoint(server.address, port: 80)
        #expect(
            try change("-a -t web1:80 -r 10.1.0.1:8080 -m -w 5 -x 9 -y 4")
                == .command(
                    .change(
                        .addDestination(
                            web, server,
                            DestinationAttributes(
                                forwarding: .method(.masquerade), weight: 5, upperThreshold: 9, lowerThreshold: 4)))))
        #expect(
            try change("-e -t web1:80 -r 10.1.0.1:8080")
                == .command(
                    .change(
                        .editDestination(
                            web, sameport, DestinationAttributes(forwarding: .method(.directRouting))))))
        #expect(
            try change("-a -t web1:80 -r 10.1.0.1 -i --tun-type gue --tun-port 6080 --tun-csum")
                == .command(
                    .change(
                        .addDestination(
                            web, sameport,
                            DestinationAttributes(forwarding: .method(.tunnel(.gue(port: 6080, .whole))))))))
        #expect(try change("-d -r 10.1.0.1:8080 -t web1:80") == .command(.change(.deleteDestination(web, server))))
    }

    @Test func `other commands`() throws {
        #expect(try change("-C") == .command(.flush))
        #expect(try change("-Z -t web1:80") == .command(.zero(web)))
        #expect(try change("-Z -t 0.0.0.0") == .command(.zero(nil)))
        #expect(try change("--set 1 2 3") == .command(.setTimeouts(TableTimeouts(tcp: 1, tcpFin: 2, udp: 3))))
        #expect(
            try change(
                "--start-daemon backup --mcast-interface eth1 --syncid 4 --mcast-group ff02::1 --sync-maxlen 900")
                == .command(
                    .synchronise(
                        .start(
                            SyncDaemon(
                                role: .backup, interface: "eth1", syncID: 4, group: try #require(IPAddress("ff02::1")),
                                port: 8848, timeToLive: 1, maximumLength: 900)))))
        #expect(try change("--stop-daemon=master --syncid 3") == .command(.synchronise(.stop(.master))))
        #expect(try parse("") == .list(.table, []))
        #expect(try parse("-Ln --stats --exact") == .list(.table, [.numeric, .stats, .exact]))
        #expect(try parse("-L -t web1:80") == .list(.service(web), []))
        #expect(try parse("-lcn") == .list(.connections, .numeric))
        #expect(try parse("-Sn") == .save(.numeric))
        #expect(try parse("-R") == .restore)
        #expect(try parse("-h --bogus") == .help)
        #expect(try parse("--version") == .version)
    }

    @Test(
        arguments: [
            ("-A -s rr", "You need to supply the 'service-address' option for the 'add-service' command"),
            ("-A -t web1:80 -w 3", "Illegal 'weight' option with the 'add-service' command"),
            ("-L -c --timeout", "The option 'timeout' conflicts with the 'connection' option in the 'list' command"),
            ("-L -c --stats", "options conflicts in the list command"),
            ("-L -n -n", "multiple 'numeric' options specified"),
            ("-L -A", "invalid option `-A'"),
            ("-LnA", "invalid option `-LnA'"),
            ("-L --start-daemon master", "invalid option `master'"),
            ("-L word", "unexpected argument word"),
            ("-L -- -n", "unexpected argument -n"),
            ("-A -t web1", "Zero port specified for non-persistent service"),
            ("-A -t web1:80 -o", "One-Packet Scheduling is only for UDP virtual services"),
            ("-A -t web2:80", "illegal virtual server address[:port] specified"),
            ("-A -t 80", "illegal virtual server address[:port] specified"),
            ("-A -u web1:http", "illegal virtual server address[:port] specified"),
            ("-A -t [2001:db8::1]", "illegal virtual server address[:port] specified"),
            ("-A -t web1:80 -ps", "invalid timeout value `s' specified"),
            ("-A -f 0", "invalid fwmark value `0' specified"),
            ("-A -6 -f 1", "-6 used before -f\n"),
            ("-A -t [2001:db8::1]:80 -p -M 0", "illegal ipv6 netmask specified"),
            ("-A -t web1:80 -p -M 300.0.0.0", "illegal virtual server persistent mask specified"),
            ("-A -t web1:80 -b sh-port", "incompatible scheduler flag `sh-port'"),
            ("-A -t web1:80 -b bogus", "invalid scheduler flag `bogus'"),
            ("-a -t web1:80 -r web1:http -w 2147483648", "illegal weight specified"),
            ("-a -r web1:http -t web1:80", "illegal real server address[:port] specified"),
            (
                "-a -t web1:80 -r [2001:db8::1]:80",
                "Different address family is allowed only for tunneling servers"
            ),
            ("-a -t web1:80 -r web1 --tun-csum", "Tunnel options conflict with forward method"),
            ("-a -t web1:80 -r web1 -i --tun-csum", "Illegal 'tun-csum' option with the 'ipip' tunnel type"),
            (
                "-a -t web1:80 -r web1 -i --tun-type gue",
                "You need to supply the 'tun-port' option for the 'gue' tunnel type"
            ),
            (
                "-a -t web1:80 -r web1 -i --tun-type gre --tun-nocsum --tun-csum",
                "The option 'tun-csum' conflicts with the 'tun-nocsum' option in the 'gre' tunnel type"
            ),
            ("--set 1 2", "--set option requires 3 timeout values"),
            ("--set 1 2 x", "invalid timeout value `x' specified"),
            ("--start-daemon foo", "illegal start-daemon parameter specified"),
            ("--start-daemon master --mcast-group 1.2.3.4", "invalid IPv4 mcast-group `1.2.3.4'"),
            ("--stop-daemon foo", "illegal start_daemon specified"),
        ])
    func `what is wrong is said in ipvsadm's words`(_ line: String, _ text: String) {
        #expect(throws: DialectError.usage(text)) { try parse(line) }
    }

    @Test(
        arguments: [
            ("-L -q", "-q: unknown option"), ("-L --li", "--li: unknown option"), ("-L -t", "-t: missing argument"),
            ("-L -ncx", "-ncx: missing argument"), ("-L -n=c", "-n=c: option does not take an argument"),
            ("-L --numeric=1", "--numeric=1: option does not take an argument"),
        ])
    func `what popt cannot read is said in popt's words`(_ line: String, _ text: String) {
        #expect(throws: DialectError.options(text)) { try parse(line) }
    }

    @Test(arguments: ["-n", "-nL", "word", "--li", "--list=1", "-6", "-t web1:80 -A", "-q", "--start-daemon", "--"])
    func `without a command in front there is only help`(_ line: String) {
        #expect(throws: DialectError.tryHelp) { try parse(line) }
    }

    @Test func `any words at all are read or refused`() {
        var random = SystemRandomNumberGenerator()
        let pieces = [
            "-", "--", "=", "A", "L", "t", "p", "[", "]", ":", "::", "1", "99999999999999999999", ".", "0x", "list",
            "tcp-service", "é", "\u{0}", ",", "b", "6", "f", "set", "M", "r", "i", " ",
        ]
        for _ in 0..<20_000 {
            let words = (0..<Int.random(in: 0..<6, using: &random)).map { _ in
                (0..<Int.random(in: 0..<6, using: &random)).compactMap { _ in pieces.randomElement(using: &random) }
                    .joined()
            }
            let command = ["-A", "-a", "-L"].randomElement(using: &random) ?? ""
            _ = try? DialectParser(FewNames()).parse([command] + words)
        }
    }
}

@Suite struct RestoreLinesTests {
    private func lines(_ text: String, in pieces: Int) -> [[String]] {
        var reader = RestoreLines()
        var all: [[String]] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            all += reader.add(rest.prefix(pieces))
            rest = rest.dropFirst(pieces)
        }
        if let last = reader.end() { all.append(last) }
        return all
    }

    @Test(arguments: [1, 3, 1000])
    func `lines come out whole however the input comes`(_ pieces: Int) {
        #expect(
            lines("-A -t a:80\nipvsadm -a  -r\tb\r\n\n   \n -C", in: pieces)
                == [["-A", "-t", "a:80"], ["-a", "-r", "b"], ["-C"]])
        #expect(lines("# not a comment\n-L ", in: pieces) == [["#", "not", "a", "comment"], ["-L"]])
        #expect(lines("-L  ", in: pieces) == [])
        #expect(lines("ipvsadm\n", in: pieces) == [])
    }
}
