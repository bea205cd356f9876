// `ipvsadm -L` and `-S`: the table as text, byte for byte as ipvsadm 1.31 prints it. `-S` has one thing more: thresholds, which ipvsadm
// forgets.

internal import Configuration
internal import Net

extension KernelFacts {
    /// The first line of a listing of the whole table.
    public var firstLine: String {
        let numbers = [16, 8, 0].map { "\(version >> $0 & 0xFF)" }.joined(separator: ".")
        return "IP Virtual Server version \(numbers) (size=\(Int32(bitPattern: connectionTableSize)))\n"
    }

    /// `-L --timeout`.
    public var timeoutListing: String { "Timeout (tcp tcpfin udp): \(tcpTimeout) \(tcpFinTimeout) \(udpTimeout)\n" }
}

/// Writes tables.
public struct TableListing<Names: NameResolver> {
    private let text: ListingText<Names>
    private var format: ListFormat { text.format }

    /// Names are looked up in `names` unless `format` is numeric.
    public init(_ names: Names, _ format: ListFormat) { text = ListingText(names: names, format: format) }

    /// The heading of the columns.
    public var title: String {
        let local = "Prot LocalAddress:Port"
        let remote = "  -> RemoteAddress:Port"
        if format.contains(.stats) || format.contains(.rate) {
            let columns =
                format.contains(.stats)
                ? ["Conns", "InPkts", "OutPkts", "InBytes", "OutBytes"] : ["CPS", "InPPS", "OutPPS", "InBPS", "OutBPS"]
            return local.padded(33) + columns.map { " " + $0.indented(8) }.joined() + "\n\(remote)\n"
        }
        if format.contains(.thresholds) {
            return local.padded(33) + " Uthreshold Lthreshold ActiveConn InActConn \n\(remote)\n"
        }
        if format.contains(.persistentConnections) {
            return local.padded(33) + " Weight    PersistConn ActiveConn InActConn \n\(remote)\n"
        }
        let forward = format.contains(.tunnels) ? "Forward TunnelInfo    Weight" : "Forward Weight"
        return "\(local) Scheduler Flags\n\(remote.padded(34))\(forward) ActiveConn InActConn\n"
    }

    /// Services with their servers, sorted unless the format says otherwise.
    public func rows(_ services: [ServiceSnapshot]) -> String {
        var all = ""
        for service in format.contains(.noSort) ? services : TableOrder.sorted(services) {
            all += row(service)
            for server in servers(service) { all += row(server, of: service) }
        }
        return all
    }

    /// The table as commands for `-R`, sorted.
    public func rules(_ services: [ServiceSnapshot]) -> String {
        var all = ""
        for service in TableOrder.sorted(services) {
            let name = ruleName(service)
            all += "-A \(name) -s \(service.attributes.scheduler)"
            if let persistence = service.attributes.persistence {
                all += " -p \(persistence.timeout.components.seconds)" + service.mask("-M")
            }
            if let engine = service.engine { all += " --pe \(engine)" }
            if service.attributes.flags.contains(.onePacket) { all += " -o" }
            if service.hasSchedulerFlags { all += " -b \(service.flagNames)" }
            all += "\n"
            for server in servers(service) {
                let attributes = server.attributes
                var middle = " -w \(attributes.weight)"
                if attributes.upperThreshold != 0 { middle += " -x \(attributes.upperThreshold)" }
                if attributes.lowerThreshold != 0 { middle += " -y \(attributes.lowerThreshold)" }
                let endpoint = text.endpoint(server.endpoint, service.transport)
                all += "-a \(name) -r \(endpoint) \(attributes.forwarding.ruleText(middle))\n"
            }
        }
        return all
    }

    private func servers(_ service: ServiceSnapshot) -> [DestinationSnapshot] {
        format.contains(.noSort) ? service.destinations : TableOrder.sorted(service.destinations)
    }

    private func ruleName(_ service: ServiceSnapshot) -> String {
        switch service.identity {
        // ipvsadm prints marks as signed numbers, which it does not read back: those above 2147483647 are written out here.
        case .firewallMark(let mark, let family): "-f \(mark)\(family == .inet6 ? " -6" : "")"
        case .address(.tcp, let endpoint): "-t \(text.endpoint(endpoint, .tcp))"
        case .address(.udp, let endpoint): "-u \(text.endpoint(endpoint, .udp))"
        case .address(.sctp, let endpoint): "--sctp-service \(text.endpoint(endpoint, .sctp))"
        }
    }

    private func name(_ service: ServiceSnapshot) -> String {
        switch service.identity {
        case .firewallMark(let mark, let family):
            return "FWM  \(Int32(bitPattern: mark))\(family == .inet6 ? " IPv6" : "")"
        case .address(let transport, let endpoint):
            let name = "\(transport.rawValue.uppercased().padded(4)) \(text.endpoint(endpoint, transport))"
            return endpoint.address.family == .inet ? name.cut(33) : name
        }
    }

    private func row(_ service: ServiceSnapshot) -> String {
        let name = name(service)
        if format.contains(.stats) { return name.padded(33) + text.traffic(service.counters) + "\n" }
        if format.contains(.rate) { return name.padded(33) + text.rates(service.counters) + "\n" }
        var row = "\(name) \(service.attributes.scheduler)"
        if service.hasSchedulerFlags { row += " (\(service.flagNames))" }
        if let persistence = service.attributes.persistence {
            row += " persistent \(persistence.timeout.components.seconds)" + service.mask("mask")
            if let engine = service.engine { row += " pe \(engine)" }
        }
        if service.attributes.flags.contains(.onePacket) { row += " ops" }
        return row + "\n"
    }

    private func row(_ server: DestinationSnapshot, of service: ServiceSnapshot) -> String {
        var name = text.endpoint(server.endpoint, service.transport)
        if server.endpoint.address.family == .inet { name = name.cut(28) }
        let start = "  -> \(name.padded(28))"
        if format.contains(.stats) { return start + text.traffic(server.counters) + "\n" }
        if format.contains(.rate) { return start + text.serverRates(server.counters) + "\n" }
        let attributes = server.attributes
        let connections = [server.activeConnections, server.inactiveConnections].map { " " + "\($0)".padded(10) }
            .joined()
        if format.contains(.thresholds) {
            let thresholds = [attributes.upperThreshold, attributes.lowerThreshold]
            return start + thresholds.map { " " + "\($0)".padded(10) }.joined() + connections + "\n"
        }
        if format.contains(.persistentConnections) {
            let weight = UInt32(bitPattern: attributes.weight)
            return start + " \("\(weight)".padded(9)) \("\(server.persistentConnections)".padded(11))\(connections)\n"
        }
        let tunnel = format.contains(.tunnels) ? " " + attributes.forwarding.tunnelText.padded(13) : ""
        let weight = "\(attributes.weight)".padded(6)
        return "\(start) \(attributes.forwarding.columnText.padded(7))\(tunnel) \(weight)\(connections)\n"
    }
}

extension SyncDaemon {
    /// `-L --daemon`.
    public var listing: String {
        let length = maximumLength.flatMap { $0 == 0 ? nil : ", maxlen=\($0)" } ?? ""
        return "\(role) sync daemon (mcast=\(interface), syncid=\(syncID)\(length), group=\(group.numericText), "
            + "port=\(port), ttl=\(timeToLive))\n"
    }
}
