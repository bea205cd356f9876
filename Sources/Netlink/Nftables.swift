// Tables of our own over nfnetlink (linux/netfilter/nf_tables.h): here that of `no_accept`, the one of nftables_ipvs in Nftables+Marks.swift. A table is always written as a whole and in one
// transaction: add it, delete it with all that is in it, make it anew. So there is no moment without rules, nothing of an earlier process
// or of somebody else's hand stays in it, and what it holds is known when the kernel has agreed.
//
//     table inet evenkeel_vrrpd {
//         set refused4 { type ipv4_addr; elements = { … } }
//         set refused6 { type ipv6_addr; elements = { … } }
//         chain in  { type filter hook input priority -1 (nftables_priority);  icmpv6 neighbour discovery accept; ip daddr @refused4 drop; ip6 … }
//         chain out { type filter hook output priority -1; icmpv6 neighbour discovery accept; ip saddr @refused4 drop; ip6 … }
//     }

internal import CNl
internal import Glibc
internal import Net
public import VRRP

/// The table of one daemon.
public final class Nftables {
    private let transport: any Carrier
    private let buffer: UnsafeMutableRawBufferPointer
    /// Its name.
    public let table: String
    /// Of its socket: notifications of its own changes have it. Nil: it speaks over something else.
    public private(set) var port: UInt32?
    private var sequence: UInt32 = 0

    /// Elements of a set in one message, which is at most a page long: one of IPv6 with its mark and both ends takes 76 octets.
    static let elementsAtOnce = 48
    /// A transaction is one datagram, and this what the kernel takes in one: 400,000 ranges.
    private static let longest: Int32 = 32 << 20

    /// Opens a socket in the current network namespace.
    /// - Parameter table: the table's name.
    public convenience init(table: String) throws(NetlinkError) {
        let socket = try NetlinkSocket(.netfilter, receiveBuffer: 1 << 20, sendBuffer: Self.longest)
        let port = socket.port
        self.init(socket, table: table)
        self.port = port
    }

    /// Speaks over `transport`.
    public init(_ transport: consuming some NetlinkTransport & ~Copyable, table: String) {
        self.transport = Owner(transport)
        self.table = table
        buffer = .allocate(byteCount: 64 << 10, alignment: 16)
    }

    deinit {
        buffer.deallocate()
    }

    /// Drops packets to and from the addresses of these rules and no others; without any, there is no table.
    public func drop(_ rules: DropRules) throws(NetlinkError) {
        var messages = Transaction()
        try messages.append(.table(.new, table))
        try messages.append(.table(.delete, table))
        if !rules.addresses.isEmpty {
            try messages.append(.table(.new, table))
            for family in [NftablesSet.ipv4, .ipv6] {
                try messages.append(.set(family, in: table))
                let own = rules.addresses.filter { $0.family == family.addressFamily }.sorted().map(\.octets)
                for start in stride(from: 0, to: own.count, by: Self.elementsAtOnce) {
                    let chunk = own[start..<min(start + Self.elementsAtOnce, own.count)]
                    try messages.append(.elements(chunk, of: family, in: table))
                }
            }
            for chain in [NftablesChain.input, .output] {
                try messages.append(.chain(chain, rules.priority, in: table))
                // Neighbour solicitation and advertisement.
                for type in [135, 136] as [UInt8] { try messages.append(.acceptingICMPv6(type, chain, in: table)) }
                for family in [NftablesSet.ipv4, .ipv6] {
                    try messages.append(.dropping(family, chain, isCounting: rules.isCounting, in: table))
                }
            }
        }
        try run(messages)
    }

    /// The kernel checks the messages one by one, and does all or nothing. It answers each that it refuses and the last one; everything is
    /// queued when `send` returns.
    func run(_ messages: Transaction) throws(NetlinkError) {
        let bytes = try messages.finish(after: &sequence)
        transport.discard(into: buffer)
        try bytes.withUnsafeBufferPointer { (space) throws(NetlinkError) in
            try transport.send(UnsafeRawBufferPointer(space))
        }
        var isDone = false
        while true {
            do throws(NetlinkError) {
                let length = try transport.receive(into: buffer)
                for reply in NetlinkDatagram(UnsafeRawBufferPointer(rebasing: buffer[..<length]))
                where Int32(reply.type) == NLMSG_ERROR {
                    guard let code = reply.errorCode else { throw .malformed("short acknowledgement") }
                    guard code == 0 else {
                        transport.discard(into: buffer)
                        throw .refused(code: code, message: reply.errorText)
                    }
                    isDone = true
                }
            } catch .timedOut {
                guard isDone else { throw .timedOut }
                return
            }
        }
    }
}

/// Messages between the begin and the end of a batch.
struct Transaction {
    private var bytes: [UInt8] = []
    private var offsets: [Int] = []

    init() {}

    mutating func append(_ message: borrowing NetlinkMessage) throws(NetlinkError) {
        offsets.append(bytes.count)
        try message.withBytes { (_, octets) throws(NetlinkError) in
            bytes += octets
            bytes += repeatElement(0, count: (4 - octets.count % 4) % 4)
        }
    }

    /// The datagram, numbered from `sequence` on; its last message but the end asks for an acknowledgement.
    fileprivate func finish(after sequence: inout UInt32) throws(NetlinkError) -> [UInt8] {
        var whole = Transaction()
        try whole.append(.batch(begin: true))
        let start = whole.bytes.count
        whole.offsets += offsets.map { $0 + start }
        whole.bytes += bytes
        try whole.append(.batch(begin: false))
        for (index, offset) in whole.offsets.enumerated() {
            sequence &+= 1
            let number = sequence
            let isLast = index == whole.offsets.count - 2
            whole.bytes.withUnsafeMutableBytes { space in
                var header = space.loadUnaligned(fromByteOffset: offset, as: nlmsghdr.self)
                header.nlmsg_seq = number
                header.nlmsg_flags |= UInt16(NLM_F_REQUEST | (isLast ? NLM_F_ACK : 0))
                space.storeBytes(of: header, toByteOffset: offset, as: nlmsghdr.self)
            }
        }
        return whole.bytes
    }
}
