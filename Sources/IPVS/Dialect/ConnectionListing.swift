// `ipvsadm -L -c`: the lines of /proc/net/ip_vs_conn as text. The kernel writes IPv4 addresses as hexadecimal numbers and IPv6 addresses
// as text, each with its port behind it.

internal import Configuration
internal import Net

/// Writes connections.
public struct ConnectionListing<Names: NameResolver> {
    private let text: ListingText<Names>
    private let showsEngines: Bool

    /// Names are looked up in `names` unless `format` is numeric.
    public init(_ names: Names, _ format: ListFormat) {
        text = ListingText(names: names, format: format)
        showsEngines = format.contains(.persistentConnections)
    }

    /// The heading.
    public var title: String {
        let columns = "pro expire \("state".padded(11)) \("source".padded(18)) \("virtual".padded(18)) "
        let rest =
            showsEngines ? "\("destination".padded(18)) \("pe name".padded(16)) pe_data" : "destination"
        return "IPVS connection entries\n\(columns)\(rest)\n"
    }

    /// A line of the kernel's; nil for one that is none.
    public func row(_ line: some StringProtocol) -> String? {
        let fields = line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\n" })
        guard fields.count >= 9, let expires = Int(fields[8]) else { return nil }
        let transport = IPTransport(rawValue: fields[0].lowercased())
        var endpoints: [String] = []
        for index in [1, 3, 5] {
            guard let address = Self.address(fields[index]), let port = UInt16(fields[index + 1], radix: 16) else {
                return nil
            }
            endpoints.append(text.endpoint(Endpoint(address, port: port), transport))
        }
        let time = [expires / 60, expires % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
        var row = "\(String(fields[0]).padded(3)) \(time.padded(6)) \(String(fields[7]).padded(11)) "
        row += "\(endpoints[0].padded(18)) \(endpoints[1].padded(18)) "
        guard showsEngines, fields.count >= 11 else { return row + "\(endpoints[2])\n" }
        row += "\(endpoints[2].padded(16)) \(String(fields[9]).padded(18)) \(fields[10])\n"
        return row
    }

    private static func address(_ text: some StringProtocol) -> IPAddress? {
        if text.utf8.contains(UInt8(ascii: ":")) { return IPv6Address(String(text)).map(IPAddress.v6) }
        return UInt32(text, radix: 16).map { .v4(IPv4Address(rawValue: $0)) }
    }
}
