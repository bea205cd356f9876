// The rules of nftables_ipvs, in a table for each family:
//
//     table ip keepalived_ipvs {
//         map tcp_map { type ipv4_addr . inet_service : mark; flags interval; elements = { 192.0.2.1-192.0.2.9 . 80 : 1000, … } }
//         chain in { type filter hook input priority -1 (nftables_ipvs_priority);
//                    meta l4proto tcp meta mark set ip daddr . tcp dport map @tcp_map return; … }      (with nftables_counters it and each element has a counter)
//     }
//
// Written as a whole in one transaction: no packet meets half of it.

public import Configuration
internal import Net

/// Which packets get which mark; without any there is no table.
public struct MarkRules: Equatable, Sendable {
    /// Packets of these get the mark.
    public struct Entry: Equatable, Sendable {
        /// What gets it.
        public var addresses: MarkedAddresses
        /// The mark.
        public var mark: UInt32

        /// A service.
        public init(_ addresses: MarkedAddresses, mark: UInt32) {
            self.addresses = addresses
            self.mark = mark
        }
    }

    /// In the order of the configuration.
    public var entries: [Entry]
    /// Of the chains.
    public var priority: Int32
    /// Rules and elements count packets and octets.
    public var isCounting: Bool

    /// Rules.
    public init(_ entries: [Entry] = [], priority: Int32 = -1, isCounting: Bool = false) {
        self.entries = entries
        self.priority = priority
        self.isCounting = isCounting
    }
}

/// A map of one table.
struct NftablesMarkMap {
    let addressFamily: AddressFamily
    let transport: VirtualServerIdentity.TransportProtocol

    /// Two keys and what they have.
    struct Element {
        let first: [UInt8]
        let last: [UInt8]
        let mark: UInt32
    }

    var family: NftablesFamily { NftablesFamily(addressFamily) }
    var name: String { "\(transport.rawValue)_map" }
    /// Types of nft(8), six bits each: ipv4_addr or ipv6_addr, and inet_service.
    var keyType: UInt32 { (addressFamily == .inet ? 7 : 8) << 6 | 13 }
    var addressLength: UInt32 { UInt32(addressFamily.bits / 8) }
    /// Where the destination is in the header.
    var addressOffset: UInt32 { addressFamily == .inet ? 16 : 24 }
    var portRegister: UInt32 { addressFamily == .inet ? 9 : 2 }
    /// Within a transaction about one table.
    var identifier: UInt32 { UInt32(transportNumber) }
    /// IPPROTO_*.
    var transportNumber: UInt8 {
        switch transport {
        case .tcp: 6
        case .udp: 17
        case .sctp: 132
        }
    }

    /// What of the rules belongs into it.
    func elements(of rules: MarkRules) -> [Element] {
        rules.entries.filter { $0.addresses.transport == transport }.flatMap { entry in
            entry.addresses.ranges.compactMap { range in
                guard let first = range.addresses.first, let last = range.addresses.last, first.family == addressFamily
                else { return nil }
                let ports = range.port == 0 ? 0...UInt16.max : range.port...range.port
                return Element(
                    first: Self.key(first, ports.lowerBound), last: Self.key(last, ports.upperBound), mark: entry.mark)
            }
        }
    }

    private static func key(_ address: IPAddress, _ port: UInt16) -> [UInt8] {
        address.octets + [UInt8(port >> 8), UInt8(truncatingIfNeeded: port), 0, 0]
    }
}

extension Nftables {
    /// Marks packets so and no others; without any, there is no table.
    public func mark(_ rules: MarkRules) throws(NetlinkError) {
        var messages = Transaction()
        for family in AddressFamily.allCases {
            let maps = VirtualServerIdentity.TransportProtocol.allCases.map { transport in
                let map = NftablesMarkMap(addressFamily: family, transport: transport)
                return (map, elements: map.elements(of: rules))
            }.filter { !$0.elements.isEmpty }
            let name = NftablesFamily(family)
            try messages.append(.table(.new, table, name))
            try messages.append(.table(.delete, table, name))
            guard !maps.isEmpty else { continue }
            try messages.append(.table(.new, table, name))
            try messages.append(.chain(.input, rules.priority, in: table, name))
            for (map, elements) in maps {
                try messages.append(.map(map, isCounting: rules.isCounting, in: table))
                for start in stride(from: 0, to: elements.count, by: Self.elementsAtOnce) {
                    let chunk = elements[start..<min(start + Self.elementsAtOnce, elements.count)]
                    try messages.append(.elements(chunk, of: map, in: table))
                }
                try messages.append(.marking(map, isCounting: rules.isCounting, in: table))
            }
        }
        try run(messages)
    }
}
