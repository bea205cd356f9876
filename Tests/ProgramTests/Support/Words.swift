// Configurations as text: what differs between the tests, in the words of keepalived.conf.

/// How the routers of a test talk.
enum Dialect: String, CaseIterable, CustomStringConvertible {
    /// Version 2, multicast, a password.
    case version2
    /// Version 3, multicast, 100 ms.
    case version3
    /// Version 3, unicast.
    case unicast

    var description: String { rawValue }

    /// The master-down interval at a priority: what the RFCs allow a takeover to take.
    func limit(priority: Int) -> Duration {
        let interval = self == .version2 ? Duration.seconds(1) : .milliseconds(100)
        return interval * 3 + interval * (256 - priority) / 256
    }

    /// A configuration of VI_1 at a priority on one of two hosts; `seconds` is version 2's advert_int.
    func text(
        _ priority: Int, on host: Host, peer: Host, seconds: Int = 1, more: String = "",
        addresses: [String] = ["10.77.0.100/24"]
    ) -> String {
        let words =
            switch self {
            case .version2: "version 2\n advert_int \(seconds)\n authentication {\n auth_type PASS\n auth_pass 1111\n }"
            case .version3: "version 3\n advert_int 0.1"
            case .unicast:
                "version 3\n advert_int 0.1\n unicast_src_ip \(host.address)\n unicast_peer {\n \(peer.address)\n }"
            }
        return """
            vrrp_instance VI_1 {
             state BACKUP
             interface eth0
             virtual_router_id 51
             priority \(priority)
             \(words)
             \(more)
             virtual_ipaddress {
             \(addresses.joined(separator: "\n "))
             }
            }

            """
    }
}

/// The virtual address of the tests.
let virtualAddress = "10.77.0.100"
