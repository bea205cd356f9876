// What was made by hand, as lines of the file of decisions:
//
//   service tcp/192.168.200.254:80 wlc flags=0 timeout=300 prefix=32 engine=sip
//   server tcp/192.168.200.254:80/192.168.200.103:80 tun:gue:6080:csum weight=1 upper=0 lower=0

internal import Configuration
internal import Net

extension HandMade {
    /// Its lines.
    func lines(of service: VirtualServerIdentity) -> [String] {
        var lines: [String] = []
        if let attributes { lines.append("service \(service) \(attributes.words)") }
        for (endpoint, attributes) in servers {
            guard case .method(let method) = attributes.forwarding else { continue }
            lines.append(
                "server \(service)/\(endpoint) \(method.word) weight=\(attributes.weight) "
                    + "upper=\(attributes.upperThreshold) lower=\(attributes.lowerThreshold)")
        }
        return lines
    }
}

extension ServiceAttributes {
    fileprivate var words: String {
        var words = "\(scheduler) flags=\(flags.rawValue)"
        if let persistence {
            words += " timeout=\(persistence.timeout.components.seconds) prefix=\(persistence.prefixLength)"
            if let engine = persistence.engine { words += " engine=\(engine)" }
        }
        return words
    }

    /// From the words after the service's name.
    init?(words: ArraySlice<Substring>) {
        guard let scheduler = words.first else { return nil }
        let values = Values(words.dropFirst())
        guard let flags = values.number("flags", UInt32.self) else { return nil }
        self.init(scheduler: String(scheduler), flags: SchedulerFlags(rawValue: flags))
        guard let timeout = values.number("timeout", UInt32.self) else { return }
        guard let prefix = values.number("prefix", UInt8.self), prefix <= 128 else { return nil }
        persistence = Persistence(
            timeout: .seconds(Int64(timeout)), prefixLength: Int(prefix), engine: values.text("engine"))
    }
}

extension DestinationAttributes {
    /// From the words after the server's name.
    init?(words: ArraySlice<Substring>) {
        let values = Values(words.dropFirst())
        guard let method = words.first.flatMap({ ForwardingMethod(word: $0) }),
            let weight = values.number("weight", Int32.self), weight >= 0,
            let upper = values.number("upper", UInt32.self), let lower = values.number("lower", UInt32.self)
        else { return nil }
        self.init(forwarding: .method(method), weight: weight, upperThreshold: upper, lowerThreshold: lower)
    }
}

/// `key=value` words.
private struct Values {
    private let values: [Substring: Substring]

    init(_ words: ArraySlice<Substring>) {
        values = Dictionary(
            words.compactMap { word in
                word.firstIndex(of: "=").map { (word[..<$0], word[word.index(after: $0)...]) }
            }, uniquingKeysWith: { first, _ in first })
    }

    func text(_ key: Substring) -> String? { values[key].map { String($0) } }

    func number<Number: FixedWidthInteger>(_ key: Substring, _: Number.Type) -> Number? {
        values[key].flatMap { Number($0) }
    }
}

extension ForwardingMethod {
    /// `nat`, `dr`, `tun`, `tun:gue:6080:csum`, `tun:gre:nocsum`.
    fileprivate var word: String {
        switch self {
        case .masquerade: "nat"
        case .directRouting: "dr"
        case .tunnel(.ipip): "tun"
        case .tunnel(.gue(let port, let checksum)): "tun:gue:\(port):\(checksum.rawValue)"
        case .tunnel(.gre(let checksum)): "tun:gre:\(checksum.rawValue)"
        }
    }

    fileprivate init?(word: Substring) {
        let parts = word.split(separator: ":", omittingEmptySubsequences: false)
        switch (parts.first, parts.count) {
        case ("nat", 1): self = .masquerade
        case ("dr", 1): self = .directRouting
        case ("tun", 1): self = .tunnel(.ipip)
        case ("tun", 4) where parts[1] == "gue":
            guard let port = UInt16(parts[2]), let checksum = TunnelKind.Checksum(rawValue: String(parts[3])) else {
                return nil
            }
            self = .tunnel(.gue(port: port, checksum))
        case ("tun", 3) where parts[1] == "gre":
            guard let checksum = TunnelKind.Checksum(rawValue: String(parts[2])) else { return nil }
            self = .tunnel(.gre(checksum))
        case (_, _): return nil
        }
    }
}
