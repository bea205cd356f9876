// Building one netlink message with libnl: header, optional fixed part, attributes, nests. Errors are sticky: a message that grew too
// long is refused once, when it is appended to a batch or sent, so that encoders read as plain lists of attributes.

internal import CNl
internal import CNlGenl

/// A message being built; owns a libnl `nl_msg`.
public struct NetlinkMessage: ~Copyable {
    let raw: OpaquePointer?
    private var overflowed = false

    /// Room in a generic netlink request; those of IPVS take a quarter of it. libnl's own measure is a page, which it clears for each.
    private static let genericOctets = 1 << 10

    /// Takes over a message that a libnl builder made, such as `rtnl_addr_build_add_request`.
    public init(owning raw: OpaquePointer) {
        self.raw = raw
    }

    /// A generic netlink request: NLM_F_REQUEST plus `flags`, then the generic header.
    public init(family: UInt16, command: UInt8, version: UInt8, flags: Int32 = 0) {
        raw = nlmsg_alloc_size(Self.genericOctets)
        guard let raw else { return }
        overflowed =
            genlmsg_put(raw, 0, 0, Int32(family), 0, NLM_F_REQUEST | flags, command, version) == nil
    }

    deinit {
        if let raw { nlmsg_free(raw) }
    }

    /// Appends an attribute of 8 bits.
    public mutating func put(_ attribute: Int, _ value: UInt8) { putBytes(of: value, attribute) }
    /// Appends an attribute of 16 bits in host order.
    public mutating func put(_ attribute: Int, _ value: UInt16) { putBytes(of: value, attribute) }
    /// Appends an attribute of 32 bits in host order.
    public mutating func put(_ attribute: Int, _ value: UInt32) { putBytes(of: value, attribute) }

    /// Appends text with its terminating NUL.
    public mutating func put(_ attribute: Int, _ text: String) {
        guard let raw, nla_put_string(raw, Int32(attribute), text) == 0 else {
            overflowed = true
            return
        }
    }

    /// Appends raw octets.
    public mutating func put(_ attribute: Int, octets: [UInt8]) {
        octets.withUnsafeBytes { put(attribute, $0) }
    }

    /// Appends an attribute that holds the attributes which `content` appends.
    public mutating func nest(_ attribute: Int, _ content: (inout NetlinkMessage) -> Void) {
        guard let raw, let start = nla_nest_start(raw, Int32(attribute)) else {
            overflowed = true
            return
        }
        content(&self)
        nla_nest_end(raw, start)
    }

    /// The finished message, its header included.
    func withBytes<Result>(
        _ body: (UnsafeMutablePointer<nlmsghdr>, UnsafeRawBufferPointer) throws(NetlinkError) -> Result
    ) throws(NetlinkError) -> Result {
        guard !overflowed, let raw, let header = nlmsg_hdr(raw) else { throw .messageTooLong }
        return try body(header, UnsafeRawBufferPointer(start: header, count: Int(header.pointee.nlmsg_len)))
    }

    private mutating func putBytes<Value: FixedWidthInteger>(of value: Value, _ attribute: Int) {
        withUnsafeBytes(of: value) { put(attribute, $0) }
    }

    private mutating func put(_ attribute: Int, _ bytes: UnsafeRawBufferPointer) {
        guard let raw, nla_put(raw, Int32(attribute), Int32(bytes.count), bytes.baseAddress) == 0 else {
            overflowed = true
            return
        }
    }
}
