// Pieces of ipvsadm's listings: columns, numbers, addresses and ports by name or number.

internal import Configuration
internal import Net

extension String {
    /// The text, and blanks up to so many octets.
    func padded(_ width: Int) -> String {
        let missing = width - utf8.count
        return missing > 0 ? self + String(repeating: " ", count: missing) : self
    }

    /// Blanks up to so many octets, and the text.
    func indented(_ width: Int) -> String {
        let missing = width - utf8.count
        return missing > 0 ? String(repeating: " ", count: missing) + self : self
    }

    /// At most so many octets.
    func cut(_ octets: Int) -> String {
        utf8.count <= octets ? self : String(decoding: utf8.prefix(octets), as: UTF8.self)
    }
}

extension IPAddress {
    /// As inet_ntop(3) writes it: the last 32 bits of an IPv4-mapped or -compatible address with dots.
    var numericText: String {
        guard case .v6(let address) = self, address.high == 0 else { return description }
        let tail = IPv4Address(rawValue: UInt32(truncatingIfNeeded: address.low))
        switch address.low >> 32 {
        case 0 where tail.rawValue > 0xFFFF: return "::\(tail)"
        case 0xFFFF: return "::ffff:\(tail)"
        case _: return description
        }
    }
}

/// How endpoints and numbers are written in one listing.
struct ListingText<Names: NameResolver> {
    let names: Names
    let format: ListFormat

    /// `192.0.2.1:80`, `[2001:db8::1]:http`, at most 59 octets.
    /// - Parameter transport: whose services a port may be of; nil = its number stands.
    func endpoint(_ endpoint: Endpoint, _ transport: IPTransport?) -> String {
        var host = endpoint.address.numericText
        var port = String(endpoint.port)
        if !format.contains(.numeric) {
            host = names.hostName(of: endpoint.address) ?? host
            port = transport.flatMap { names.serviceName(ofPort: endpoint.port, $0) } ?? port
        }
        if endpoint.address.family == .inet6 { host = "[\(host)]" }
        return "\(host):\(port)".cut(59)
    }

    /// A counter in nine columns, with K, M, G or T when it is large; with `--exact` in full.
    func large(_ number: UInt64) -> String {
        if format.contains(.exact) {
            let text = String(number)
            return text.indented(max(9, text.utf8.count + 1))
        }
        return switch number {
        case ..<100_000_000: String(number).indented(9)
        case ..<1_000_000_000: String(number / 1000).indented(8) + "K"
        case ..<100_000_000_000: String(number / 1_000_000).indented(8) + "M"
        case ..<100_000_000_000_000: String(number / 1_000_000_000).indented(8) + "G"
        case _: String(number / 1_000_000_000_000).indented(8) + "T"
        }
    }

    func traffic(_ counters: Counters) -> String {
        [counters.connections, counters.inPackets, counters.outPackets, counters.inBytes, counters.outBytes]
            .map(large).joined()
    }

    func rates(_ counters: Counters) -> String {
        [
            counters.connectionRate, counters.inPacketRate, counters.outPacketRate, counters.inByteRate,
            counters.outByteRate,
        ].map(large).joined()
    }

    /// A server's: ipvsadm shortens only the octets.
    func serverRates(_ counters: Counters) -> String {
        [counters.connectionRate, counters.inPacketRate, counters.outPacketRate]
            .map { " " + String($0).indented(8) }.joined() + large(counters.inByteRate) + large(counters.outByteRate)
    }
}

extension ServiceSnapshot {
    /// The transport whose services ports are shown as; a service with a mark has none.
    var transport: IPTransport? {
        switch identity {
        case .address(let transport, _): transport
        case .firewallMark: nil
        }
    }

    /// The netmask as ` WORD MASK`, when clients are not told apart by their whole address.
    func mask(_ word: String) -> String {
        guard netmask != identity.family.hostNetmask else { return "" }
        switch identity.family {
        case .inet: return " \(word) \(IPv4Address(rawValue: netmask))"
        case .inet6: return " \(word) \(netmask)"
        }
    }

    /// `sh-fallback,sh-port`; empty when none is set that the scheduler has a name for.
    var flagNames: String {
        let names =
            switch attributes.scheduler {
            case "sh": ["sh-fallback", "sh-port"]
            case "mh": ["mh-fallback", "mh-port"]
            case _: ["flag-1", "flag-2", "flag-3"]
            }
        let flags: [SchedulerFlags] = [.flag1, .flag2, .flag3]
        return zip(flags, names).filter { attributes.flags.contains($0.0) }.map(\.1).joined(separator: ",")
    }

    var hasSchedulerFlags: Bool { !attributes.flags.isDisjoint(with: [.flag1, .flag2, .flag3]) }
}

extension PacketForwarding {
    /// The column `Forward`.
    var columnText: String {
        switch self {
        case .method(.masquerade): "Masq"
        case .method(.directRouting): "Route"
        case .method(.tunnel): "Tunnel"
        case .local: "Local"
        case .bypass: "(null)"
        }
    }

    /// The column `TunnelInfo`.
    var tunnelText: String {
        guard case .method(.tunnel(let kind)) = self else { return "n/a" }
        switch kind {
        case .ipip: return "ipip"
        case .gue(let port, let checksum): return "gue:\(port):\(checksum.columnText)".cut(15)
        case .gre(let checksum): return "gre:\(checksum.columnText)"
        }
    }

    /// `-m`, `-g`, `-i --tun-type ipip` around `middle`, which is the weight.
    func ruleText(_ middle: String) -> String {
        switch self {
        case .method(.masquerade): return "-m\(middle)"
        case .method(.directRouting), .local: return "-g\(middle)"
        case .bypass: return "(null)\(middle)"
        case .method(.tunnel(.ipip)): return "-i\(middle) --tun-type ipip"
        case .method(.tunnel(.gue(let port, let checksum))):
            return "-i\(middle) --tun-type gue --tun-port \(port) --tun-\(checksum.rawValue)"
        case .method(.tunnel(.gre(let checksum))): return "-i\(middle) --tun-type gre --tun-\(checksum.rawValue)"
        }
    }
}

extension TunnelKind.Checksum {
    fileprivate var columnText: String {
        switch self {
        case .none: "-c"
        case .whole: "+c"
        case .remote: "r+c"
        }
    }
}
