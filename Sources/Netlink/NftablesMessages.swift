// nf_tables' messages as far as Nftables needs them: table, set, elements, chain, rule with its expressions. Numbers on this wire are in
// network order.

internal import CNl
internal import Glibc
internal import Net

/// NFPROTO_*.
enum NftablesFamily: UInt8 {
    case inet = 1, ipv4 = 2, ipv6 = 10

    /// That of one family's packets alone.
    init(_ family: AddressFamily) { self = family == .inet ? .ipv4 : .ipv6 }
}

/// The two sets.
enum NftablesSet {
    case ipv4, ipv6

    var name: String { self == .ipv4 ? "refused4" : "refused6" }
    var addressFamily: AddressFamily { self == .ipv4 ? .inet : .inet6 }
    /// ipv4_addr and ipv6_addr of nft(8), which only people read.
    var keyType: UInt32 { self == .ipv4 ? 7 : 8 }
    var keyLength: UInt32 { self == .ipv4 ? 4 : 16 }
    /// Within a transaction.
    var identifier: UInt32 { self == .ipv4 ? 1 : 2 }
    /// NFPROTO_IPV4, NFPROTO_IPV6.
    var netfilterProtocol: UInt8 { self == .ipv4 ? 2 : 10 }

    /// Where source and destination are in the header.
    func offset(isSource: Bool) -> UInt32 {
        switch self {
        case .ipv4: isSource ? 12 : 16
        case .ipv6: isSource ? 8 : 24
        }
    }
}

/// The two chains.
enum NftablesChain {
    case input, output

    var name: String { self == .input ? "in" : "out" }
    /// NF_INET_LOCAL_IN, NF_INET_LOCAL_OUT.
    var hook: UInt32 { self == .input ? 1 : 3 }
}

/// Attributes (NFTA_*) are numbered within their message; here with the message's name.
extension NetlinkMessage {
    enum Act { case new, delete }

    /// NFT_MSG_* of subsystem 10.
    private enum Command: Int {
        case newTable = 0, deleteTable = 2, newChain = 3, newRule = 6, newSet = 9, newElement = 12
    }

    private static func request(
        _ command: Command, _ family: NftablesFamily = .inet, flags: Int32 = 0
    ) throws(NetlinkError) -> NetlinkMessage {
        let header = nfgenmsg(nfgen_family: family.rawValue, version: 0, res_id: 0)
        return try NetlinkMessage(type: 10 << 8 | command.rawValue, flags: flags, header: header)
    }

    /// NFNL_MSG_BATCH_BEGIN or _END, for subsystem 10.
    static func batch(begin: Bool) throws(NetlinkError) -> NetlinkMessage {
        let header = nfgenmsg(nfgen_family: 0, version: 0, res_id: UInt16(10).bigEndian)
        return try NetlinkMessage(type: begin ? 0x10 : 0x11, flags: 0, header: header)
    }

    static func table(
        _ act: Act, _ name: String, _ family: NftablesFamily = .inet
    ) throws(NetlinkError) -> NetlinkMessage {
        var message = try Self.request(
            act == .new ? .newTable : .deleteTable, family, flags: act == .new ? NLM_F_CREATE : 0)
        message.put(1, name)
        return message
    }

    static func set(_ set: NftablesSet, in table: String) throws(NetlinkError) -> NetlinkMessage {
        var message = try Self.request(.newSet, flags: NLM_F_CREATE)
        message.put(1, table)
        message.put(2, set.name)
        message.put(3, network: 0)
        message.put(4, network: set.keyType)
        message.put(5, network: set.keyLength)
        message.put(10, network: set.identifier)
        return message
    }

    static func elements(_ keys: ArraySlice<[UInt8]>, of set: NftablesSet, in table: String) throws(NetlinkError)
        -> NetlinkMessage
    {
        var message = try Self.request(.newElement, flags: NLM_F_CREATE)
        message.put(1, table)
        message.put(2, set.name)
        message.put(4, network: set.identifier)
        message.nest(3) { list in
            for key in keys {
                list.nest(1) { element in element.nest(1) { $0.put(1, octets: key) } }
            }
        }
        return message
    }

    /// A base chain of type filter; those of priority `filter` (0) come behind -1.
    static func chain(
        _ chain: NftablesChain, _ priority: Int32, in table: String, _ family: NftablesFamily = .inet
    ) throws(NetlinkError) -> NetlinkMessage {
        var message = try Self.request(.newChain, family, flags: NLM_F_CREATE)
        message.put(1, table)
        message.put(3, chain.name)
        message.nest(4) { hook in
            hook.put(1, network: chain.hook)
            hook.put(2, network: UInt32(bitPattern: priority))
        }
        message.put(5, network: 1)
        message.put(7, "filter")
        return message
    }

    /// Packets from (output) or to (input) an address of the set are dropped.
    static func dropping(
        _ set: NftablesSet, _ chain: NftablesChain, isCounting: Bool, in table: String
    ) throws(NetlinkError) -> NetlinkMessage {
        try rule(chain, in: table) { rule in
            rule.meta(15)
            rule.compare([set.netfilterProtocol])
            rule.payload(base: 1, offset: set.offset(isSource: chain == .output), length: set.keyLength)
            rule.expression("lookup") { data in
                data.put(1, set.name)
                data.put(2, network: 1)
                data.put(4, network: set.identifier)
            }
            if isCounting { rule.expression("counter") { _ in } }
            rule.verdict(0)
        }
    }

    /// ICMPv6 of a type passes.
    static func acceptingICMPv6(_ type: UInt8, _ chain: NftablesChain, in table: String) throws(NetlinkError)
        -> NetlinkMessage
    {
        try rule(chain, in: table) { rule in
            rule.meta(16)
            rule.compare([58])
            rule.payload(base: 2, offset: 0, length: 1)
            rule.compare([type])
            rule.verdict(1)
        }
    }

    private static func rule(
        _ chain: NftablesChain, in table: String, _ family: NftablesFamily = .inet,
        _ expressions: (inout NetlinkMessage) -> Void
    ) throws(NetlinkError) -> NetlinkMessage {
        var message = try Self.request(.newRule, family, flags: NLM_F_CREATE | NLM_F_APPEND)
        message.put(1, table)
        message.put(2, chain.name)
        message.nest(4, expressions)
        return message
    }

    // MARK: Marks

    /// A map of ranges of addresses and ports to marks.
    static func map(
        _ map: NftablesMarkMap, isCounting: Bool, in table: String
    ) throws(NetlinkError) -> NetlinkMessage {
        var message = try Self.request(.newSet, map.family, flags: NLM_F_CREATE)
        message.put(1, table)
        message.put(2, map.name)
        // NFT_SET_INTERVAL, NFT_SET_MAP, NFT_SET_CONCAT.
        message.put(3, network: 0x4 | 0x8 | 0x80)
        message.put(4, network: map.keyType)
        message.put(5, network: map.addressLength + 4)
        // mark of nft(8).
        message.put(6, network: 19)
        message.put(7, network: 4)
        message.nest(9) { description in
            description.nest(2) { fields in
                for length in [map.addressLength, 2] {
                    fields.nest(1) { $0.put(1, network: length) }
                }
            }
        }
        message.put(10, network: map.identifier)
        // For nft(8): marks are numbers of this host (NFTNL_UDATA_SET_DATABYTEORDER, BYTEORDER_HOST_ENDIAN).
        message.put(13, octets: [1, 4] + withUnsafeBytes(of: UInt32(1)) { Array($0) })
        // NFTA_SET_EXPR: each element has a counter.
        if isCounting {
            message.nest(17) { counter in
                counter.put(1, "counter")
                counter.nest(2) { _ in }
            }
        }
        return message
    }

    static func elements(
        _ elements: ArraySlice<NftablesMarkMap.Element>, of map: NftablesMarkMap, in table: String
    ) throws(NetlinkError) -> NetlinkMessage {
        var message = try Self.request(.newElement, map.family, flags: NLM_F_CREATE)
        message.put(1, table)
        message.put(2, map.name)
        message.put(4, network: map.identifier)
        message.nest(3) { list in
            for value in elements {
                list.nest(1) { element in
                    element.nest(1) { $0.put(1, octets: value.first) }
                    element.nest(2) { $0.put(1, value.mark) }
                    element.nest(10) { $0.put(1, octets: value.last) }
                }
            }
        }
        return message
    }

    /// Packets to an address and port of the map get its mark.
    static func marking(
        _ map: NftablesMarkMap, isCounting: Bool, in table: String
    ) throws(NetlinkError) -> NetlinkMessage {
        try rule(.input, in: table, map.family) { rule in
            rule.meta(16)
            rule.compare([map.transportNumber])
            rule.payload(base: 1, offset: map.addressOffset, length: map.addressLength)
            // The port comes right behind the address: registers are of 16 octets (1 …) and also of 4 (8 …).
            rule.payload(base: 2, offset: 2, length: 2, into: map.portRegister)
            rule.expression("lookup") { data in
                data.put(1, map.name)
                data.put(2, network: 1)
                data.put(3, network: 1)
                data.put(4, network: map.identifier)
            }
            rule.expression("meta") { data in
                // NFT_META_MARK, from register 1.
                data.put(2, network: 3)
                data.put(3, network: 1)
            }
            if isCounting { rule.expression("counter") { _ in } }
            // NFT_RETURN
            rule.verdict(UInt32(bitPattern: -5))
        }
    }

    // MARK: Expressions; all work on register 1

    private mutating func expression(_ name: String, _ data: (inout NetlinkMessage) -> Void) {
        nest(1) { element in
            element.put(1, name)
            element.nest(2, data)
        }
    }

    /// Loads NFT_META_NFPROTO (15) or NFT_META_L4PROTO (16).
    private mutating func meta(_ key: UInt32) {
        expression("meta") { data in
            data.put(1, network: 1)
            data.put(2, network: key)
        }
    }

    /// Loads octets of the network (1) or transport (2) header.
    private mutating func payload(base: UInt32, offset: UInt32, length: UInt32, into register: UInt32 = 1) {
        expression("payload") { data in
            data.put(1, network: register)
            data.put(2, network: base)
            data.put(3, network: offset)
            data.put(4, network: length)
        }
    }

    /// Goes on when the register holds these octets.
    private mutating func compare(_ octets: [UInt8]) {
        expression("cmp") { data in
            data.put(1, network: 1)
            data.put(2, network: 0)
            data.nest(3) { $0.put(1, octets: octets) }
        }
    }

    /// NF_DROP (0), NF_ACCEPT (1) or one of NFT_….
    private mutating func verdict(_ code: UInt32) {
        expression("immediate") { data in
            data.put(1, network: 0)
            data.nest(2) { value in value.nest(2) { $0.put(1, network: code) } }
        }
    }

    private mutating func put(_ attribute: Int, network value: UInt32) { put(attribute, value.bigEndian) }
}
