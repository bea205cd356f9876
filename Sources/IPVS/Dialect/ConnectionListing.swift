// `ipvsadm -L -c`: the lines of /proc/net/ip_vs_conn as text.

internal import Configuration

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
        guard let entry = ConnectionEntry(line) else { return nil }
        let transport = IPTransport(rawValue: entry.transport.lowercased())
        let endpoints = [entry.client, entry.virtual, entry.server].map { text.endpoint($0, transport) }
        let time = [entry.expires / 60, entry.expires % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }
            .joined(separator: ":")
        var row = "\(entry.transport.padded(3)) \(time.padded(6)) \(entry.state.padded(11)) "
        row += "\(endpoints[0].padded(18)) \(endpoints[1].padded(18)) "
        guard showsEngines, let engine = entry.engine, let data = entry.engineData else {
            return row + "\(endpoints[2])\n"
        }
        row += "\(endpoints[2].padded(16)) \(engine.padded(18)) \(data)\n"
        return row
    }
}
