// What can be written about virtual and real servers, in many small blocks: each its own service, so that a table tells which word was
// understood differently. Nothing is checked, so everything is in the table at once.

struct ServiceWords {
    /// `virtual_server HEAD {`; `ADDRESS` is one of its own.
    var head = "ADDRESS 80"
    /// Lines of the virtual server, separated by commas.
    var lines = ""
    /// Nil: two of the service's family.
    var servers: [String]?
    /// A line of each real server.
    var server = ""
    /// The service is one of IPv6.
    var six = false

    /// The block.
    func block(_ number: Int) -> String {
        let address = six ? "fd02::\(number)" : "10.2.\(number / 250).\(number % 250 + 1)"
        let servers = servers ?? (six ? ["fd01::1 80", "fd01::2 80"] : ["10.1.0.1 80", "10.1.0.2 80"])
        let head = head.replacing("ADDRESS", with: address).replacing("NUMBER", with: "\(number)")
        return "virtual_server \(head) {\n protocol TCP\n" + lines.replacing(",", with: "\n")
            + servers.map { "\nreal_server \($0) {\n\(server.replacing(",", with: "\n"))\n}" }.joined() + "\n}\n"
    }

    private static func each(_ lines: [String], _ rest: ServiceWords = ServiceWords()) -> [ServiceWords] {
        lines.map { line in
            var words = rest
            words.lines = line
            return words
        }
    }

    /// Blocks and the groups that they name, as one file.
    static func file(_ words: [ServiceWords]) -> String {
        let groups = groups.map { "virtual_server_group \($0) {\n\($1.replacing(",", with: "\n"))\n}\n" }
        return groups.joined() + words.enumerated().map { $1.block($0 + 1) }.joined()
    }

    private static let groups: KeyValuePairs = [
        "pair": "10.3.0.1 80,10.3.0.2 81", "ports": "10.3.1.1 80,10.3.1.1 443", "range": "10.3.2.1-4 80",
        "range-of-two-addresses": "10.3.3.1-10.3.3.3 80", "range6": "fd03::9-c 80",
        "carrying-range6": "fd03:1::fe-101 53",
        "marks": "fwmark 901,fwmark 902", "marks-of-both": "fwmark 903 inet6,fwmark 904 inet", "portless": "10.3.4.1",
        "portless-range-and-mark": "10.3.5.1-3,fwmark 906", "mark6-and-address": "fwmark 907 inet6,10.3.6.1 80",
        "direct": "10.3.7.1 80,10.3.7.2 81",
    ]

    /// What keepalived 2.2.7 writes as we do.
    static let all: [ServiceWords] = [
        each(schedulers), flags, persistence, methods, weights, sorryServers, marks, groupUsers,
    ].flatMap { $0 }

    private static let schedulers = [
        "rr", "wrr", "lc", "wlc", "lblc", "lblcr", "sh", "mh", "dh", "fo", "ovf", "sed", "nq",
    ].map { "lvs_sched \($0)" }

    private static let flags: [ServiceWords] = {
        var lines = [
            "lvs_sched wrr,sh-port", "lvs_sched sh,mh-port", "lvs_sched wrr,flag-1,flag-2", "lvs_sched sh,hashed",
            "lvs_sched rr,ops", "protocol UDP,lvs_sched rr,ops", "protocol UDP,lvs_sched rr,ops,persistence_timeout 50",
            "protocol SCTP", "protocol UDP",
        ]
        for scheduler in ["sh", "mh"] {
            let (port, fallback) = ("\(scheduler)-port", "\(scheduler)-fallback")
            let flags = [port, fallback, "\(port),\(fallback)", "flag-1", "flag-2", "flag-3", "flag-1,flag-2,flag-3"]
            lines += flags.map { "lvs_sched \(scheduler),\($0)" }
        }
        return each(lines)
    }()

    private static let persistence: [ServiceWords] = {
        let timeout99 = "persistence_timeout 99"
        let four = each([
            "persistence_timeout", "persistence_timeout 77", "persistence_timeout 0",
            "persistence_granularity 255.255.255.0", "\(timeout99),persistence_granularity 255.255.0.0",
            "persistence_granularity 255.255.0.0,\(timeout99)", "persistence_engine sip,protocol UDP",
            "\(timeout99),persistence_engine sip,protocol UDP", "\(timeout99),persistence_engine sip,protocol TCP",
        ])
        let six = ["persistence_timeout", "persistence_granularity 64", "\(timeout99),persistence_granularity 48"]
        return four + each(six, ServiceWords(six: true))
    }()

    private static let methods: [ServiceWords] = {
        let tunnels = [
            "TUN", "TUN type ipip", "TUN type gue port 6080", "TUN type gue port 6080 nocsum",
            "TUN type gue port 6080 csum", "TUN type gue csum port 6080", "TUN port 6080 type gue",
            "TUN type gue port 6080 remcsum", "TUN type gre", "TUN type gre nocsum", "TUN type gre csum",
        ].map { "lvs_method \($0)" }
        let plain = ["lvs_method NAT", "lvs_method DR"]
        var words = each(plain + tunnels) + each(plain + tunnels, ServiceWords(six: true))
        words += each(tunnels, ServiceWords(servers: ["fd01::1 80", "10.1.0.2 80"]))
        words += each(tunnels, ServiceWords(servers: ["10.1.0.1 80", "fd01::2 80"], six: true))
        let ports = ["10.1.0.1 81", "10.1.0.2"]
        for method in ["NAT", "DR", "TUN"].map({ "lvs_method \($0)" }) {
            words += each([method], ServiceWords(servers: ports))
            words += each(["\(method),persistence_timeout 5"], ServiceWords(head: "ADDRESS", servers: ports))
            words += each([method], ServiceWords(head: "ADDRESS 0", servers: ports))
            for own in ["NAT", "DR", "TUN type gre csum", "TUN type gue port 8 remcsum"] {
                words.append(ServiceWords(lines: method, servers: ports, server: "lvs_method \(own)"))
            }
        }
        return words
    }()

    private static let weights: [ServiceWords] = {
        let servers = [
            "weight 0", "weight 65535", "weight 70000", "uthreshold 100", "uthreshold 100,lthreshold 80",
            "lthreshold 100,uthreshold 100", "uthreshold 0", "uthreshold 4294967295",
        ].map { ServiceWords(server: $0) }
        let services = each([
            "weight 9", "quorum 3,sorry_server 10.9.0.1 80", "alpha,inhibit_on_failure", "inhibit_on_failure",
        ])
        return servers + services + [ServiceWords(lines: "weight 9", server: "weight 3")]
    }()

    private static let sorryServers: [ServiceWords] = {
        let endings = [
            "", "sorry_server_inhibit", "sorry_server_inhibit,sorry_server_lvs_method TUN type gue port 77 csum",
            "sorry_server_inhibit,sorry_server_lvs_method NAT",
        ]
        var words = each(
            ["sorry_server 10.9.0.1 80,sorry_server_inhibit"], ServiceWords(servers: ["10.9.0.1 80", "10.1.0.2 80"]))
        words += each(["lvs_method TUN,sorry_server fd01::9,sorry_server_inhibit"])
        for method in ["NAT", "DR", "TUN type gre csum"] {
            for port in [80, 81] {
                words += each(endings.map { "lvs_method \(method),sorry_server 10.9.0.1 \(port),\($0)" })
            }
        }
        return words
    }()

    private static let marks: [ServiceWords] = {
        func mark(_ lines: String, _ servers: String...) -> ServiceWords {
            ServiceWords(head: "fwmark NUMBER", lines: lines, servers: servers)
        }
        return [
            mark("lvs_method NAT", "10.1.0.1 80", "10.1.0.2 81"), mark("lvs_method DR", "10.1.0.1 80", "10.1.0.2 81"),
            mark("lvs_method DR,ip_family inet", "10.1.0.1 80", "10.1.0.2"),
            mark("lvs_method DR,ip_family inet6", "fd01::1 80", "fd01::2"),
            mark("lvs_method DR", "fd01::1 80", "fd01::2"),
            mark("lvs_method TUN,ip_family inet6", "10.1.0.1 80", "fd01::2"),
            mark("lvs_method TUN,ip_family inet", "fd01::1 80", "10.1.0.2"),
            mark("lvs_method TUN", "10.1.0.1", "fd01::2"), mark("lvs_sched rr,ops", "10.1.0.1", "10.1.0.2"),
            mark("lvs_sched sh,sh-port,persistence_timeout 9,persistence_granularity 255.255.255.0", "10.1.0.1"),
            mark("persistence_timeout 10,persistence_granularity 64,ip_family inet6", "fd01::1"),
        ]
    }()

    private static let groupUsers: [ServiceWords] = {
        func group(_ name: String, _ lines: String = "", _ servers: [String]? = nil, six: Bool = false) -> ServiceWords
        {
            ServiceWords(head: "group \(name)", lines: lines, servers: servers, six: six)
        }
        return [
            group("pair", "lvs_method NAT"), group("pair", "protocol UDP"), group("direct", "lvs_method DR"),
            group("ports"),
            group("range"), group("range-of-two-addresses"), group("range6", six: true),
            group("carrying-range6", "protocol UDP,lvs_sched rr,ops", six: true),
            group("marks", "", ["10.1.0.1 80", "10.1.0.2"]),
            group("marks-of-both", "lvs_method TUN", ["fd01::1 80"]), group("portless"),
            group("portless-range-and-mark", "lvs_method DR,persistence_timeout 20", ["10.1.0.1 80", "10.1.0.2"]),
            group("mark6-and-address", "lvs_method TUN", ["10.1.0.1 80", "fd01::1 80"]),
        ]
    }()

    /// What docs/MIGRATION.md says is different, with what keepalived 2.2.7 writes of it and what we do.
    static let different: [(words: ServiceWords, theirs: [String], ours: [String])] = [
        (
            ServiceWords(head: "10.4.0.1 80", servers: ["10.1.0.1 80"], server: "lthreshold 80"), [],
            ["-a -t 10.4.0.1:80 -r 10.1.0.1:80 -m -w 1"]
        ),
        (
            ServiceWords(head: "10.4.0.2 80", lines: "sorry_server 10.9.0.1", servers: []), [],
            ["-A -t 10.4.0.2:80 -s wlc", "-a -t 10.4.0.2:80 -r 10.9.0.1:80 -m -w 1"]
        ),
        (
            ServiceWords(head: "10.4.0.4 80", lines: "sorry_server 10.9.0.1,sorry_server_inhibit"),
            ["-a -t 10.4.0.4:80 -r 10.9.0.1:0 -m -w 0"], ["-a -t 10.4.0.4:80 -r 10.9.0.1:80 -m -w 0"]
        ),
        (
            ServiceWords(head: "10.4.0.5 80", lines: "persistence_granularity 24"),
            ["-A -t 10.4.0.5:80 -s wlc -p 360 -M 0.0.0.24"], ["-A -t 10.4.0.5:80 -s wlc -p 360 -M 255.255.255.0"]
        ),
        (
            ServiceWords(head: "10.4.0.6 80", lines: "sh-port,lvs_sched sh"), ["-A -t 10.4.0.6:80 -s sh"],
            ["-A -t 10.4.0.6:80 -s sh -b sh-port"]
        ),
    ]
}
