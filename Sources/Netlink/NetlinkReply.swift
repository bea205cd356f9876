// Reading what the kernel sent: messages in a datagram, attributes in a message. Total: lengths are checked before every access, a
// malformed piece ends the iteration, and an attribute of the wrong size reads as absent. The views borrow the receive buffer
// and must not outlive the closure they are passed to.

internal import CNl
internal import Glibc

/// One message of a datagram.
public struct NetlinkReply {
    /// nlmsg_type: NLMSG_ERROR, NLMSG_DONE, or what the family defines.
    public let type: UInt16
    /// nlmsg_flags: NLM_F_MULTI and others.
    public let flags: UInt16
    /// nlmsg_seq: which request this answers; 0 in notifications.
    public let sequence: UInt32
    /// nlmsg_pid: whose request this answers or tells of, by the port of its socket.
    public let port: UInt32
    /// Everything after the header.
    public let payload: UnsafeRawBufferPointer

    /// The attributes after a fixed part of `headerLength` octets (4 for generic netlink).
    public func attributes(after headerLength: Int) -> NetlinkAttributes {
        NetlinkAttributes(UnsafeRawBufferPointer(rebasing: payload.dropFirst((headerLength + 3) & ~3)))
    }

    /// The errno of an NLMSG_ERROR or NLMSG_DONE (0 = acknowledged), or nil when it is too short to hold one.
    var errorCode: Int32? {
        guard payload.count >= 4 else { return nil }
        let code = payload.loadUnaligned(as: Int32.self)
        return code == .min ? nil : -code
    }

    /// The kernel's explanation (NLMSGERR_ATTR_MSG), which follows the echoed header; empty when there is none.
    var errorText: String {
        let textFlag: UInt16 = 0x200  // NLM_F_ACK_TLVS
        let echoed = MemoryLayout<nlmsgerr>.size
        guard flags & textFlag != 0, payload.count >= echoed else { return "" }
        return attributes(after: echoed).first { $0.type == 1 }?.string ?? ""
    }
}

/// The messages of one datagram, in order.
public struct NetlinkDatagram: Sequence, IteratorProtocol {
    private var rest: UnsafeRawBufferPointer

    /// Reads `bytes`, which must be aligned to four octets.
    public init(_ bytes: UnsafeRawBufferPointer) {
        rest = bytes
    }

    public mutating func next() -> NetlinkReply? {
        let headerSize = MemoryLayout<nlmsghdr>.size
        guard rest.count >= headerSize else { return nil }
        let header = rest.loadUnaligned(as: nlmsghdr.self)
        let length = Int(header.nlmsg_len)
        guard length >= headerSize, length <= rest.count else { return nil }
        defer { rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst((length + 3) & ~3)) }
        return NetlinkReply(
            type: header.nlmsg_type, flags: header.nlmsg_flags, sequence: header.nlmsg_seq, port: header.nlmsg_pid,
            payload: UnsafeRawBufferPointer(rebasing: rest[headerSize..<length]))
    }
}

/// A run of attributes.
public struct NetlinkAttributes: Sequence, IteratorProtocol {
    private var rest: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) {
        rest = bytes
    }

    public mutating func next() -> NetlinkAttribute? {
        let headerSize = MemoryLayout<nlattr>.size
        guard rest.count >= headerSize else { return nil }
        let header = rest.loadUnaligned(as: nlattr.self)
        let length = Int(header.nla_len)
        guard length >= headerSize, length <= rest.count else { return nil }
        defer { rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst((length + 3) & ~3)) }
        // The two high bits are NLA_F_NESTED and NLA_F_NET_BYTEORDER.
        return NetlinkAttribute(
            type: Int(header.nla_type & 0x3FFF), bytes: UnsafeRawBufferPointer(rebasing: rest[headerSize..<length]))
    }
}

/// One attribute. Each accessor gives nil when the attribute does not have that size.
public struct NetlinkAttribute {
    /// The number the family gives it.
    public let type: Int
    /// Its content.
    public let bytes: UnsafeRawBufferPointer

    /// A number of exactly the size of `Value`, in host order.
    public func number<Value: FixedWidthInteger & BitwiseCopyable>(_: Value.Type = Value.self) -> Value? {
        bytes.count == MemoryLayout<Value>.size ? bytes.loadUnaligned(as: Value.self) : nil
    }

    /// Text up to the first NUL; ill-formed UTF-8 is replaced.
    public var string: String { String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }

    /// The attributes inside.
    public var nested: NetlinkAttributes { NetlinkAttributes(bytes) }
}
