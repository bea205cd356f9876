// `lbctl top`: one line for each service and server, never more than the terminal has room for.
import Bus

extension Screen {
    /// The totals, and the table; of at most `height` lines.
    mutating func add(_ traffic: [ServiceTraffic], height: Int? = nil, note: Cell? = nil) {
        add(total(traffic))
        if let note { add(note) }
        guard !traffic.isEmpty else { return }
        add("")
        let room = height.map { max(0, $0 - lines.count - 1) }
        let shown = chosen(traffic, room)
        let tables = Self.layouts.lazy.map { $0.table(shown.lines) }
        let fitting = tables.first { table in width.map { table.width <= $0 } ?? true }
        let table = fitting ?? TopLayout.narrow.table(shown.lines, width: width)
        let rows = table.lines(style, width: width).all
        add(lines: height.map { Array(rows.prefix(max(0, $0 - lines.count))) } ?? rows)
        if let left = shown.left, height.map({ lines.count < $0 }) ?? true { add(Cell(left, .faint)) }
    }

    /// From the widest to the one whose names are shortened when nothing fits.
    private static let layouts = [
        TopLayout(packets: true, past: 30), TopLayout(packets: true, past: 15), TopLayout(packets: false, past: 30),
        TopLayout(packets: false, past: 10), TopLayout(packets: false, past: 0), .narrow,
    ]

    /// `3 services: 120 connections, 341 new/s; 1.2k packets/s, 4.1MB/s in`
    private func total(_ traffic: [ServiceTraffic]) -> Cell {
        guard !traffic.isEmpty else { return "No virtual service is configured." }
        var rates = TrafficRates()
        for service in traffic { if let own = service.service.rates { rates += own } }
        let active = traffic.compactMap(\.service.activeConnections).reduce(0, +)
        let answers = traffic.contains { $0.service.countsAnswers } ? ", \(rates.bytesOut.short)B/s out" : ""
        return Cell(
            "\(counted(traffic.count, "service")): \(counted(active, "connection")), \(rates.connections.short) new/s; "
                + "\(rates.packetsIn.short) packets/s, \(rates.bytesIn.short)B/s in\(answers)", .strong)
    }

    /// The lines for which there is room, and what was left out.
    private func chosen(_ traffic: [ServiceTraffic], _ room: Int?) -> (
        lines: [(line: TrafficLine, indent: Int)], left: String?
    ) {
        let all = traffic.reduce(0) { $0 + 1 + $1.servers.count }
        guard let room, all > room - 1 else {
            return (traffic.flatMap { Self.lines($0, $0.servers.count) }, nil)
        }
        // Of many servers those of one service leave room for the next.
        let most = traffic.count > 1 ? max(2, room / 4) : room
        var lines: [(line: TrafficLine, indent: Int)] = []
        for service in traffic {
            let free = room - 1 - lines.count
            guard free > 1 || service.servers.isEmpty && free > 0 else { break }
            lines += Self.lines(service, min(most, free - 1))
        }
        return (lines, "and \(all - lines.count) more lines, less busy; 'lbctl top SERVICE' shows one service")
    }

    private static func lines(_ service: ServiceTraffic, _ servers: Int) -> [(line: TrafficLine, indent: Int)] {
        [(service.service, 0)] + service.servers.prefix(servers).map { ($0, 2) }
    }
}

/// Which columns there are.
private struct TopLayout {
    /// Packets and the peak of the last minutes too.
    var packets: Bool
    /// Characters of the last minutes.
    var past: Int
    /// What comes back too.
    var answers = true

    static let narrow = TopLayout(packets: false, past: 0, answers: false)

    /// - Parameter width: where it would be wider, names lose characters of their middle: a line that is broken is not found again.
    func table(_ rows: [(line: TrafficLine, indent: Int)], width: Int? = nil) -> Table {
        let whole = table(rows, names: .max)
        guard let width, whole.width > width else { return whole }
        let longest = rows.reduce(0) { max($0, $1.indent + $1.line.name.count) }
        return table(rows, names: max(Self.shortestName, longest - (whole.width - width)))
    }

    /// Shorter ones say nothing.
    private static let shortestName = 12

    private func table(_ rows: [(line: TrafficLine, indent: Int)], names: Int) -> Table {
        var columns: [Table.Column] = ["SERVICE", "STATE", .number("ACTIVE"), .number("CONN/S")]
        if packets { columns += [.number("PKT/S IN"), .number("OUT"), .number("PEAK IN")] }
        columns.append(.number("B/S IN"))
        if answers { columns.append(.number("OUT")) }
        if past > 0 { columns.append("LAST 5 MIN") }
        var table = Table(columns)
        for (line, indent) in rows {
            func rate(_ rate: KeyPath<TrafficRates, Double>) -> Cell { Cell(line.rates?[keyPath: rate].short ?? "-") }
            func answer(_ rate: KeyPath<TrafficRates, Double>) -> Cell {
                line.countsAnswers ? Cell(line.rates?[keyPath: rate].short ?? "-") : Cell("-", .faint)
            }
            var cells = [
                Cell(Wrap.blanks(indent) + line.name.shortened(to: names - indent), indent == 0 ? .strong : .plain),
                line.state,
                Cell(line.activeConnections.map(String.init) ?? "-"), rate(\.connections),
            ]
            if packets {
                cells += [rate(\.packetsIn), answer(\.packetsOut), Cell(line.past.max()?.short ?? "")]
            }
            cells.append(rate(\.bytesIn))
            if answers { cells.append(answer(\.bytesOut)) }
            if past > 0 { cells.append(Cell(Sparkline.text(line.past, length: past))) }
            table.row(cells)
        }
        return table
    }
}

/// A row of numbers as a row of characters, each as high as its number is in proportion to the greatest.
enum Sparkline {
    private static let blocks: [Character] = Array("▁▂▃▄▅▆▇█")
    /// Where the terminal has no blocks.
    private static let plain: [Character] = Array("_.-=+*#@")

    /// The last numbers at the right; `length` characters at most, of which each stands for the greatest of its share of five minutes.
    static func text(_ values: [Double], length: Int, isUnicode: Bool = Environment.isUnicode) -> String {
        guard !values.isEmpty else { return "" }
        let share = max(1, 30 / max(length, 1))
        var groups: [Double] = []
        for end in stride(from: values.count, to: 0, by: -share) {
            groups.append(values[max(0, end - share)..<end].max() ?? 0)
        }
        let greatest = groups.max() ?? 0
        let levels = isUnicode ? blocks : plain
        let text = groups.prefix(length).reversed().map { value in
            greatest > 0 ? levels[Int((value / greatest * Double(levels.count - 1)).rounded(.up))] : levels[0]
        }
        return Wrap.blanks(min(length, 30 / share) - text.count) + String(text)
    }
}

extension String {
    /// At most so many characters: of a longer one the beginning and the end, which has the port.
    fileprivate func shortened(to length: Int) -> String {
        guard count > length else { return self }
        let mark = Environment.isUnicode ? "…" : ".."
        let kept = max(0, length - mark.count)
        return prefix(kept / 2) + mark + suffix(kept - kept / 2)
    }
}

extension Double {
    /// `0`, `0.5`, `12`, `1.2k`, `340M`: at most five characters.
    fileprivate var short: String {
        var (value, unit) = (self, "")
        for next in ["k", "M", "G", "T"] where value >= 999.5 { (value, unit) = (value / 1000, next) }
        let tenths = (value * 10).rounded() / 10
        return (value < 9.95 && tenths != tenths.rounded() ? String(tenths) : String(Int(value.rounded()))) + unit
    }
}
