// The order in which ipvsadm lists. It compares by subtraction in 32 bits, which wraps: 192.0.2.1 is "less" than 10.0.0.1. Since that is no
// order, what comes out depends on how is sorted, so this is the merge sort of the C library's qsort(3).

internal import Configuration
internal import Net

enum TableOrder {
    /// Services: marks, family, protocol, address, port.
    static func sorted(_ services: [ServiceSnapshot]) -> [ServiceSnapshot] {
        mergeSorted(services[...]) { difference($0.identity, $1.identity) }
    }

    /// Servers of a service: address, port.
    static func sorted(_ servers: [DestinationSnapshot]) -> [DestinationSnapshot] {
        mergeSorted(servers[...]) { difference($0.endpoint, $1.endpoint) }
    }

    private static func difference(_ one: VirtualServerIdentity, _ other: VirtualServerIdentity) -> Int32 {
        let differences = [
            Int32(truncatingIfNeeded: Int64(one.mark) - Int64(other.mark)),
            one.family.number - other.family.number,
            one.protocolNumber - other.protocolNumber,
        ]
        if let first = differences.first(where: { $0 != 0 }) { return first }
        return difference(one.endpoint, other.endpoint)
    }

    /// IPv4 addresses lie in the first word of four, the others being 0.
    private static func difference(_ one: Endpoint, _ other: Endpoint) -> Int32 {
        let words = one.address.family == .inet6 ? 4 : 1
        for (left, right) in zip(one.address.words, other.address.words).prefix(words) where left != right {
            return Int32(bitPattern: left &- right)
        }
        return Int32(one.port) - Int32(other.port)
    }

    private static func mergeSorted<Item>(
        _ items: ArraySlice<Item>, _ difference: (Item, Item) -> Int32
    ) -> [Item] {
        guard items.count > 1 else { return Array(items) }
        let middle = items.startIndex + items.count / 2
        var left = mergeSorted(items[..<middle], difference)[...]
        var right = mergeSorted(items[middle...], difference)[...]
        var merged: [Item] = []
        merged.reserveCapacity(items.count)
        while let first = left.first, let second = right.first {
            if difference(first, second) <= 0 {
                merged.append(first)
                left.removeFirst()
            } else {
                merged.append(second)
                right.removeFirst()
            }
        }
        return merged + left + right
    }
}

extension VirtualServerIdentity {
    fileprivate var mark: UInt32 {
        switch self {
        case .address: 0
        case .firewallMark(let mark, _): mark
        }
    }

    fileprivate var protocolNumber: Int32 {
        switch self {
        case .address(.tcp, _): 6
        case .address(.udp, _): 17
        case .address(.sctp, _): 132
        case .firewallMark: 0
        }
    }

    fileprivate var endpoint: Endpoint {
        switch self {
        case .address(_, let endpoint): endpoint
        case .firewallMark: Endpoint(.v4(.any), port: 0)
        }
    }
}

extension AddressFamily {
    /// AF_INET and AF_INET6, whose difference is all that counts here.
    fileprivate var number: Int32 {
        switch self {
        case .inet: 2
        case .inet6: 10
        }
    }
}

extension IPAddress {
    /// The four words of the kernel's union nf_inet_addr.
    fileprivate var words: [UInt32] {
        switch self {
        case .v4(let address): [address.rawValue, 0, 0, 0]
        case .v6(let address):
            [address.high, address.low].flatMap {
                [UInt32(truncatingIfNeeded: $0 >> 32), UInt32(truncatingIfNeeded: $0)]
            }
        }
    }
}
