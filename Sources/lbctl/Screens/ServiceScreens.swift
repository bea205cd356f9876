// Virtual services and their real servers: the lists, and one service in full.
import Bus

extension Screen {
    /// Every service with its servers below; one set of columns for all.
    func serviceLines(_ services: [IpvsAPI.Service]) -> [String] {
        var table = Table("SERVER", "STATE", "SINCE", .number("WEIGHT"), .number("ACTIVE"), .number("INACTIVE"), "WHY")
        for server in services.flatMap(\.servers) {
            let runtime = server.runtime
            table.row(
                Cell(server.address), server.state, Cell(server.runtime.since.map(ago) ?? ""), server.weight,
                Cell(runtime.activeConnections.map(String.init) ?? "-"),
                Cell(runtime.inactiveConnections.map(String.init) ?? "-"), Cell(server.reason))
        }
        let servers = table.lines(style, indent: 4, width: width)
        var (titles, rows) = (servers.titles, servers.rows[...])
        var lines: [String] = []
        for service in services {
            lines += Wrap.lines(serviceLine(service), style, width: width, indent: 2, hanging: 4)
            guard !service.servers.isEmpty else { continue }
            lines += titles
            titles = []
            lines += rows.prefix(service.servers.count).flatMap(\.self)
            rows = rows.dropFirst(service.servers.count)
        }
        return lines
    }

    /// `tcp/192.168.200.254:80  up for 3 min, 2 of 2 servers in use, wrr`
    private func serviceLine(_ service: IpvsAPI.Service) -> [Cell] {
        let (context, runtime) = (service.context, service.runtime)
        var words = [service.use("server")]
        if let scheduler = context.scheduler { words.append(scheduler) }
        if let persistence = context.persistenceTimeoutSeconds { words.append("persistent \(persistence) s") }
        if runtime.onSorryServer { words.append("sorry server \(context.sorryServer ?? "") serves") }
        let facts = Cell("\(service.runtime.since.map(duration) ?? ""), \(words.joined(separator: ", "))")
        let line = [Cell(service.name, .strong), "  ", service.state, facts]
        return runtime.inKernel ? line : line + [", ", Cell("NOT IN THE KERNEL", .bad)]
    }

    /// `lbctl service list`: one row per service.
    func serviceTable(_ services: [IpvsAPI.Service]) -> Table {
        var table = Table(
            "SERVICE", "STATE", "SINCE", "SCHEDULER", "SERVERS IN USE", .number("WEIGHT"), .number("QUORUM"),
            .number("ACTIVE"), "WHY")
        for service in services {
            let runtime = service.runtime
            let active = service.servers.compactMap(\.runtime.activeConnections).reduce(0, +)
            table.row(
                Cell(service.name), service.state, Cell(service.runtime.since.map(ago) ?? ""),
                Cell(service.context.scheduler ?? ""),
                Cell(service.use("")), Cell(runtime.weightUp),
                Cell(service.context.quorum.map(String.init) ?? ""), Cell(active),
                Cell(runtime.problem ?? runtime.reason))
        }
        return table
    }

    /// `lbctl server list`: one row per server, under the name that the other commands take.
    func serverTable(_ services: [IpvsAPI.Service]) -> Table {
        var table = Table(
            "SERVER", "STATE", "SINCE", .number("WEIGHT"), .number("ACTIVE"), .number("INACTIVE"), "METHOD", "WHY")
        for server in services.flatMap(\.servers) {
            let runtime = server.runtime
            table.row(
                Cell(server.name), server.state, Cell(server.runtime.since.map(ago) ?? ""), server.weight,
                Cell(runtime.activeConnections.map(String.init) ?? "-"),
                Cell(runtime.inactiveConnections.map(String.init) ?? "-"),
                Cell(server.context.forwarding?.rawValue ?? ""), Cell(server.reason))
        }
        return table
    }

    /// Decisions about servers that are not configured, below `lbctl server list`.
    mutating func add(_ orphans: [IpvsAPI.Orphan]) {
        guard !orphans.isEmpty else { return }
        heading("DECIDED BY HAND, NOT CONFIGURED (lbctl server reset SERVER ends it)")
        var table = Table("SERVER", "BY HAND", .number("WEIGHT"), "SINCE")
        for orphan in orphans {
            table.row(
                Cell(orphan.server), Cell(orphan.override.kind.rawValue, .warning),
                Cell(orphan.override.weight.map(String.init) ?? "-"), Cell(ago(orphan.override.since)))
        }
        add(table)
    }

    /// `lbctl service show`.
    mutating func add(_ service: IpvsAPI.Service) {
        let (context, runtime) = (service.context, service.runtime)
        let since = service.runtime.since.map { ", \(ago($0))" } ?? ""
        add(Cell(service.name, .strong), ": ", service.state, Cell("\(since): \(runtime.reason)"))
        var facts = Facts()
        facts.add("problem", runtime.problem.map { Cell($0, .bad) })
        if !runtime.inKernel { facts.add("kernel", Cell("does not have this service", .bad)) }
        facts.add(
            "scheduler",
            ([context.scheduler].compactMap(\.self) + (context.schedulerFlags ?? [])).joined(separator: " "))
        facts.add("persistence", persistenceText(context))
        if context.onePacket == true { facts.add("one packet", "every datagram is scheduled by itself") }
        let margin = context.hysteresis.map { $0 > 0 ? ", hysteresis \($0)" : "" } ?? ""
        facts.add("quorum", context.quorum.map { "weight \(runtime.weightUp) up, \($0) needed\(margin)" })
        facts.add(
            "sorry server", context.sorryServer.map { Cell($0 + (runtime.onSorryServer ? ", serves now" : "")) })
        facts.add("total", runtime.counters.map(countersText))
        add(facts, indent: 2)
        if service.servers.isEmpty {
            add(Cell("  no servers", .warning))
        } else {
            heading("SERVERS")
            add(serverDetails(service.servers), indent: 2)
        }
    }

    private func serverDetails(_ servers: [IpvsAPI.Server]) -> Table {
        var table = Table(
            "SERVER", "STATE", "SINCE", .number("WEIGHT"), .number("ACTIVE"), .number("INACTIVE"),
            .number("PERSISTENT"),
            .number("TOTAL"), "METHOD", "BY HAND", "WHY")
        for server in servers {
            let runtime = server.runtime
            table.row(
                Cell(server.address), server.state, Cell(server.runtime.since.map(ago) ?? ""), server.weight,
                Cell(runtime.activeConnections.map(String.init) ?? "-"),
                Cell(runtime.inactiveConnections.map(String.init) ?? "-"),
                Cell(runtime.persistentConnections.map(String.init) ?? ""),
                Cell(runtime.counters.map { String($0.connections) } ?? ""),
                Cell(server.context.forwarding?.rawValue ?? ""),
                Cell(runtime.override.map { "\($0.kind.rawValue), \(ago($0.since))" } ?? "", .warning),
                Cell(server.reason))
        }
        return table
    }

    private func persistenceText(_ context: IpvsAPI.ServiceContext) -> String? {
        guard let timeout = context.persistenceTimeoutSeconds else { return nil }
        let prefix = context.persistencePrefixLength.map { ", per /\($0)" } ?? ""
        return "\(timeout) s\(prefix)" + (context.persistenceEngine.map { ", engine \($0)" } ?? "")
    }

    private func countersText(_ counters: IpvsAPI.Counters) -> String {
        "\(counters.connections) connections, \(counters.packetsIn) packets and \(counters.bytesIn) octets in, "
            + "\(counters.packetsOut) and \(counters.bytesOut) out"
    }
}
