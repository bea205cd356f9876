// Where the schedulers sh, mh and dh send a client: their tables made and looked up as Linux does it (net/netfilter/ipvs/ip_vs_sh.c, _mh.c,
// _dh.c, since 4.18). Nothing random is in them: sh and dh hash with a multiplication, mh with SipHash-1-3 under keys that are written in its
// source. What the kernel does not tell, and so is taken for granted here:
// - the sizes that distributions build with (CONFIG_IP_VS_SH_TAB_BITS and _DH_TAB_BITS 8, CONFIG_IP_VS_MH_TAB_INDEX 12), and 64 bits;
// - the last weight above 0 of a server that has weight 0 now, by which mh goes on giving it places of its table.

internal import Configuration
public import Net

/// Where a hash leads.
public enum HashChoice: Equatable, Sendable {
    /// To this server.
    case server(Endpoint)
    /// To the first one, which takes no connections; so to the second one (sh-fallback, mh-fallback).
    case fallback(from: Endpoint, to: Endpoint)
    /// To this server, which takes no connections: the client is refused.
    case refused(by: Endpoint)
    /// No server is in the scheduler's table.
    case nobody
}

/// The table of a hashing scheduler.
public struct HashScheduler: Sendable {
    /// The three.
    public enum Kind: String, Sendable, CaseIterable { case sh, mh, dh }

    /// Which one.
    public let kind: Kind
    private let service: ServiceSnapshot
    /// Indices of `service.destinations`.
    private let table: [Int]

    private static let tableBits: UInt32 = 8
    private static let maglevSize: UInt32 = 4093
    private static let maglevBits = 6
    private static let maglevKeys: (UInt64, UInt64) = (2_654_435_761, 2_654_446_892)

    /// The table of a service; nil when its scheduler does not hash. `lastWeights`: of servers whose weight is 0 now, for mh.
    public init?(_ service: ServiceSnapshot, lastWeights: [Endpoint: Int32] = [:]) {
        guard let kind = Kind(rawValue: service.attributes.scheduler) else { return nil }
        self.kind = kind
        self.service = service
        let servers = service.destinations
        table =
            switch kind {
            case .sh: Self.fill(servers.map { max(Int($0.attributes.weight), 1) })
            case .dh: Self.fill(servers.map { _ in 1 })
            case .mh: Self.maglev(service, lastWeights)
            }
    }

    /// True when the client's port counts.
    public var usesPort: Bool { kind != .dh && service.attributes.flags.contains(.flag2) }

    /// Where a client is sent. `port` counts only with sh-port and mh-port, `virtual` only with dh.
    public func choice(client: IPAddress, port: UInt16, virtual: IPAddress) -> HashChoice {
        guard !table.isEmpty else { return .nobody }
        let number: UInt32
        switch kind {
        case .dh: number = Self.folded(virtual, service.identity.family)
        case .sh, .mh:
            number = Self.folded(client, service.identity.family) &+ (usesPort ? UInt32(port) : 0)
        }
        let first = place(number, offset: 0)
        let chosen = service.destinations[table[first]]
        if chosen.takesConnections { return .server(chosen.endpoint) }
        guard kind != .dh, service.attributes.flags.contains(.flag1) else { return .refused(by: chosen.endpoint) }
        for offset in 0..<table.count {
            let next = service.destinations[table[place(number, offset: UInt32((offset + first) % table.count))]]
            if next.takesConnections { return .fallback(from: chosen.endpoint, to: next.endpoint) }
        }
        return .refused(by: chosen.endpoint)
    }

    private func place(_ number: UInt32, offset: UInt32) -> Int {
        switch kind {
        case .sh, .dh: Int((offset &+ Self.multiplicative(number)) & ((1 << Self.tableBits) - 1))
        case .mh: Int(Self.sipHash(number &+ offset, key: Self.maglevKeys.0) % Self.maglevSize)
        }
    }

    /// An address as 32 bits: IPv6 is folded.
    private static func folded(_ address: IPAddress, _ family: AddressFamily) -> UInt32 {
        let octets = address.octets + Array(repeating: 0, count: 16 - address.octets.count)
        let words = stride(from: 0, to: 16, by: 4).map { start in
            octets[start..<start + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        }
        return family == .inet ? words[0] : words.reduce(0, ^)
    }

    /// hash_32() of linux/hash.h.
    private static func multiplicative(_ number: UInt32) -> UInt32 {
        (number &* 0x61C8_8647) >> (32 - tableBits)
    }

    /// As many places one after the other for each server as it has turns, over and over.
    private static func fill(_ turns: [Int]) -> [Int] {
        guard !turns.isEmpty else { return [] }
        var table: [Int] = []
        while true {
            for (server, count) in turns.enumerated() {
                for _ in 0..<count {
                    table.append(server)
                    if table.count == 1 << tableBits { return table }
                }
            }
        }
    }

    /// Maglev's table: the servers take places in turn, each in an order of its own.
    private static func maglev(_ service: ServiceSnapshot, _ lastWeights: [Endpoint: Int32]) -> [Int] {
        let weights = service.destinations.map {
            Int($0.attributes.weight > 0 ? $0.attributes.weight : lastWeights[$0.endpoint] ?? 1)
        }
        let divisor = weights.reduce(0, gcd)
        guard divisor > 0, let heaviest = weights.max() else { return [] }
        let shift = max(Int.bitWidth - (heaviest / divisor).leadingZeroBitCount - maglevBits, 0)
        let turns = weights.map { weight in
            let turns = (weight / divisor) >> shift
            return turns == 0 && weight > 0 ? 1 : turns
        }
        let orders = service.destinations.map { server -> (start: Int, step: Int) in
            let number = folded(server.endpoint.address, service.identity.family) &+ UInt32(server.endpoint.port)
            return (
                Int(sipHash(number, key: maglevKeys.0) % maglevSize),
                Int(sipHash(number, key: maglevKeys.1) % (maglevSize - 1) + 1)
            )
        }
        let size = Int(maglevSize)
        var places = orders.map(\.start)
        var table = [Int](repeating: -1, count: size)
        var taken = 0
        while true {
            for (server, count) in turns.enumerated() {
                for _ in 0..<count {
                    while table[places[server]] >= 0 { places[server] = (places[server] + orders[server].step) % size }
                    table[places[server]] = server
                    taken += 1
                    if taken == size { return table }
                }
            }
        }
    }

    private static func gcd(_ left: Int, _ right: Int) -> Int { right == 0 ? left : gcd(right, left % right) }

    /// SipHash-1-3 of four octets under a key of one word twice, cut to 32 bits: hsiphash_1u32() of linux/siphash.h on 64 bits.
    private static func sipHash(_ word: UInt32, key: UInt64) -> UInt32 {
        var v0 = 0x736f_6d65_7073_6575 ^ key
        var v1 = 0x646f_7261_6e64_6f6d ^ key
        var v2 = 0x6c79_6765_6e65_7261 ^ key
        var v3 = 0x7465_6462_7974_6573 ^ key
        func round() {
            v0 &+= v1
            v1 = (v1 << 13 | v1 >> 51) ^ v0
            v0 = v0 << 32 | v0 >> 32
            v2 &+= v3
            v3 = (v3 << 16 | v3 >> 48) ^ v2
            v0 &+= v3
            v3 = (v3 << 21 | v3 >> 43) ^ v0
            v2 &+= v1
            v1 = (v1 << 17 | v1 >> 47) ^ v2
            v2 = v2 << 32 | v2 >> 32
        }
        let block = UInt64(4) << 56 | UInt64(word)
        v3 ^= block
        round()
        v0 ^= block
        v2 ^= 0xff
        for _ in 0..<3 { round() }
        return UInt32(truncatingIfNeeded: v0 ^ v1 ^ v2 ^ v3)
    }
}

extension DestinationSnapshot {
    /// True when it gets new connections: it has a weight, and its connections are below `upperThreshold`. Between the two thresholds the
    /// kernel does not tell; it is taken for one that does.
    public var takesConnections: Bool {
        guard attributes.weight > 0 else { return false }
        return attributes.upperThreshold == 0 || activeConnections + inactiveConnections < attributes.upperThreshold
    }
}
