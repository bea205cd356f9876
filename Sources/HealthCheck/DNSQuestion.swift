// The question of DNS_CHECK and what answers it (RFC 1035 §4.1; keepalived check_dns.c): recursion is wanted; the answer has the id, the QR
// bit and RCODE 0, records or not. Whatever else arrives is no answer, and the wait goes on.
public import Configuration
import Net

/// One question to a name server.
public struct DNSQuestion: Hashable, Sendable {
    /// The longest answer that is looked at, in octets; only the header counts.
    public static let capacity = 512
    private static let headerLength = 12

    /// As it is sent.
    public let message: [UInt8]
    private let id: UInt16

    /// The question of `probe` under an id that nobody can guess.
    public init(_ probe: DNSProbe, id: UInt16) {
        self.id = id
        let recursionDesired: UInt16 = 0x0100
        let internet: UInt16 = 1
        var message: [UInt8] = []
        for field in [id, recursionDesired, 1, 0, 0, 0] { message.append(bigEndian: field) }
        for label in probe.name.utf8.split(separator: UInt8(ascii: ".")) {
            message.append(UInt8(truncatingIfNeeded: label.count))
            message += label
        }
        message.append(0)
        message.append(bigEndian: probe.recordType.rawValue)
        message.append(bigEndian: internet)
        self.message = message
    }

    /// What a datagram says about the server; nil: it does not answer this question.
    public func outcome(of datagram: some Collection<UInt8>) -> ProbeOutcome? {
        let header = Array(datagram.prefix(Self.headerLength))
        guard header.count == Self.headerLength, UInt16(header[0]) << 8 | UInt16(header[1]) == id,
            header[2] & 0x80 != 0
        else { return nil }
        let code = Int(header[3] & 0x0F)
        guard code != 0 else { return .success }
        let names = ["FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"]
        return .failure(.answer(names.indices.contains(code - 1) ? names[code - 1] : "RCODE \(code)"))
    }
}
