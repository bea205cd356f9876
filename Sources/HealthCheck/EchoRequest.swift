// The ICMP echo of PING_CHECK (RFC 792, RFC 4443 §4): as long as keepalived's, and the reply must bring back number and content. The kernel
// fills in the checksum, and the identifier, by which it finds the socket.
import Net

/// One ping.
public struct EchoRequest: Hashable, Sendable {
    private static let headerLength = 8
    private static let contentLength = 128

    /// As it is sent.
    public let message: [UInt8]
    private let isIPv6: Bool

    /// Under a number and with a content that nobody can guess.
    public init(isIPv6: Bool, using generator: inout some RandomNumberGenerator) {
        self.isIPv6 = isIPv6
        let kind: UInt8 = isIPv6 ? 128 : 8
        let rest = (6..<Self.headerLength + Self.contentLength).map { _ in UInt8.random(in: 0...255, using: &generator)
        }
        message = [kind, 0, 0, 0, 0, 0] + rest
    }

    /// Success when `datagram` is the reply; nil when it is anything else.
    public func outcome(of datagram: [UInt8]) -> ProbeOutcome? {
        let kind: UInt8 = isIPv6 ? 129 : 0
        return datagram.count == message.count && datagram[0] == kind && datagram[1] == 0
            && datagram[6...].elementsEqual(message[6...]) ? .success : nil
    }

    /// How much of a reply is read, in octets: enough to tell that it is too long.
    public var replyCapacity: Int { message.count + 1 }
}
