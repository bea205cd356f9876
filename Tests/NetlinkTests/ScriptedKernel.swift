// A kernel made of a function: it is given each datagram we send and says which datagrams come back. Replies are built from the numbers in
// linux/netlink.h, not with the code under test.

import Netlink

/// Answers datagrams with what a script says.
final class ScriptedKernel {
    /// One message of a request, taken apart.
    struct Request: Equatable {
        var type: UInt16
        var flags: UInt16
        var sequence: UInt32
        var payload: [UInt8]
    }

    enum Answer {
        case datagram([UInt8])
        case failure(NetlinkError)
    }

    private let script: ([Request]) -> [Answer]
    private var queue: [Answer] = []
    /// Answers that nobody has read.
    var unread: Int { queue.count }
    /// Every datagram received so far.
    private(set) var datagrams: [[Request]] = []

    init(_ script: @escaping ([Request]) -> [Answer]) {
        self.script = script
    }

    fileprivate func received(_ bytes: [UInt8]) {
        var requests: [Request] = []
        var rest = bytes[...]
        while rest.count >= 16 {
            let length = Int(rest.host32(at: 0))
            guard length >= 16, length <= rest.count else { break }
            requests.append(
                Request(
                    type: UInt16(truncatingIfNeeded: rest.host32(at: 4)),
                    flags: UInt16(truncatingIfNeeded: rest.host32(at: 4) >> 16),
                    sequence: rest.host32(at: 8),
                    payload: Array(rest.dropFirst(16).prefix(length - 16))))
            rest = rest.dropFirst((length + 3) & ~3)
        }
        datagrams.append(requests)
        queue += script(requests)
    }

    fileprivate func nextAnswer() -> Answer {
        queue.isEmpty ? .failure(.timedOut) : queue.removeFirst()
    }

    /// A table that is in this kernel.
    func nftables(_ table: String) -> Nftables {
        Nftables(ScriptedTransport(kernel: self), table: table)
    }

    /// A client that talks to this kernel.
    func client() -> NetlinkClient {
        NetlinkClient(ScriptedTransport(kernel: self))
    }
}

private struct ScriptedTransport: NetlinkTransport, ~Copyable {
    let kernel: ScriptedKernel

    func send(_ datagram: UnsafeRawBufferPointer) throws(NetlinkError) {
        kernel.received(Array(datagram))
    }

    func receive(into buffer: UnsafeMutableRawBufferPointer) throws(NetlinkError) -> Int {
        switch kernel.nextAnswer() {
        case .datagram(let bytes):
            buffer.copyBytes(from: bytes)
            return bytes.count
        case .failure(let error): throw error
        }
    }
}

extension RandomAccessCollection where Element == UInt8, Index == Int {
    /// The little-endian number at `offset`: x86 and arm kernels speak host order.
    fileprivate func host32(at offset: Int) -> UInt32 {
        let start = startIndex + offset
        return UInt32(self[start]) | UInt32(self[start + 1]) << 8 | UInt32(self[start + 2]) << 16
            | UInt32(self[start + 3]) << 24
    }
}

/// `value` as little-endian octets.
func octets<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

/// A netlink message: length, type, flags, sequence, port 0, payload, padding.
func message(type: UInt16, flags: UInt16 = 0, sequence: UInt32, _ payload: [UInt8] = []) -> [UInt8] {
    octets(UInt32(16 + payload.count)) + octets(type) + octets(flags) + octets(sequence) + octets(UInt32(0)) + payload
        + Array(repeating: 0, count: -payload.count & 3)
}

/// An attribute: length, type, content, padding.
func attribute(_ type: UInt16, _ content: [UInt8]) -> [UInt8] {
    octets(UInt16(4 + content.count)) + octets(type) + content + Array(repeating: 0, count: -content.count & 3)
}

/// NLMSG_ERROR (2) for `request`: errno 0 acknowledges. The capped form echoes only the request's header.
func acknowledgement(_ request: ScriptedKernel.Request, errno: Int32 = 0, text: String? = nil) -> [UInt8] {
    let echoed =
        octets(UInt32(16 + request.payload.count)) + octets(request.type) + octets(request.flags)
        + octets(request.sequence) + octets(UInt32(0))
    let explanation = text.map { attribute(1, Array($0.utf8) + [0]) } ?? []
    let flags: UInt16 = 0x100 | (text == nil ? 0 : 0x200)  // NLM_F_CAPPED, NLM_F_ACK_TLVS
    return message(type: 2, flags: flags, sequence: request.sequence, octets(-errno) + echoed + explanation)
}

/// NLMSG_DONE (3) for `request`.
func done(_ request: ScriptedKernel.Request, errno: Int32 = 0) -> [UInt8] {
    message(type: 3, flags: 2, sequence: request.sequence, octets(-errno))
}

func text(_ string: String) -> [UInt8] { Array(string.utf8) + [0] }

/// RTM_NEWLINK (16) or RTM_DELLINK (17): family, pad, type, index, flags, change, then IFLA_IFNAME (3), IFLA_MTU (4), IFLA_ADDRESS (1).
func link(type: UInt16 = 16, index: Int32, name: String, flags: UInt32, sequence: UInt32) -> [UInt8] {
    message(
        type: type, flags: 2, sequence: sequence,
        [0, 0] + octets(UInt16(1)) + octets(index) + octets(flags) + octets(UInt32(0))
            + attribute(3, text(name)) + attribute(4, octets(UInt32(9000))) + attribute(1, [2, 0, 0, 0, 0, 7]))
}

/// RTM_NEWADDR (20) or RTM_DELADDR (21): family, prefix length, flags, scope, index, then IFA_ADDRESS (1), IFA_LOCAL (2), IFA_LABEL (3),
/// IFA_FLAGS (8).
func address(
    type: UInt16 = 20, _ local: [UInt8], peer: [UInt8]? = nil, length: UInt8, index: UInt32, sequence: UInt32
) -> [UInt8] {
    message(
        type: type, flags: 2, sequence: sequence,
        [2, length, 0, 0] + octets(index) + attribute(1, peer ?? local) + attribute(2, local)
            + attribute(3, text("eth0")) + attribute(8, octets(UInt32(0x80))))
}
