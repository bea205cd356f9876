// A line of /proc/net/ip_vs_conn. The kernel writes IPv4 addresses as hexadecimal numbers and IPv6 addresses as text, each with its port
// behind it:
//
//   Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData
//   TCP CB007107 C93A 0A000009 0050 C0A80A01 0050 ESTABLISHED     898

public import Net

/// A connection, or a persistence template, which is one of port 0 of its clients.
public struct ConnectionEntry: Equatable, Sendable {
    /// TCP, UDP, SCTP; IP for templates of every port or of a firewall mark.
    public var transport: String
    /// Who connects; of a template the network of the clients, port 0.
    public var client: Endpoint
    /// To whom; of a template of a firewall mark the mark as an address.
    public var virtual: Endpoint
    /// Who serves it.
    public var server: Endpoint
    /// ESTABLISHED, FIN_WAIT ….
    public var state: String
    /// Seconds until it is forgotten.
    public var expires: Int
    /// The persistence engine and what it found, as the kernel writes them.
    public var engine: String?
    public var engineData: String?

    /// Reads a line; nil for one that is none.
    public init?(_ line: some StringProtocol) {
        let fields = line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\n" })
        guard fields.count >= 9, let expires = Int(fields[8]), let client = Self.endpoint(fields[1], fields[2]),
            let virtual = Self.endpoint(fields[3], fields[4]), let server = Self.endpoint(fields[5], fields[6])
        else { return nil }
        (self.client, self.virtual, self.server) = (client, virtual, server)
        transport = String(fields[0])
        state = String(fields[7])
        self.expires = expires
        guard fields.count >= 11 else { return }
        engine = String(fields[9])
        engineData = String(fields[10])
    }

    private static func endpoint(_ address: some StringProtocol, _ port: some StringProtocol) -> Endpoint? {
        guard let port = UInt16(port, radix: 16) else { return nil }
        if address.utf8.contains(UInt8(ascii: ":")) {
            return IPv6Address(String(address)).map { Endpoint(.v6($0), port: port) }
        }
        return UInt32(address, radix: 16).map { Endpoint(.v4(IPv4Address(rawValue: $0)), port: port) }
    }
}
