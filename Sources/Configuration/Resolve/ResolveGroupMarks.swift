// `nftables_ipvs`: a virtual_server_group without marks of its own becomes one service for each protocol, whose packets nftables marks. The marks
// count up in the order of the virtual_server blocks, so that every daemon that reads the file gives the same ones.
import Net

/// Marks as they are given out.
struct GroupMarks {
    /// Nil: groups are not marked. Beyond 32 bits there is none left.
    private var next: UInt64?
    /// By group, then by protocol.
    private var given: [String: [VirtualServerIdentity.TransportProtocol: UInt64]] = [:]
    /// What is marked, by protocol.
    fileprivate var taken: [VirtualServerIdentity.TransportProtocol: MarkedSpans] = [:]

    init(_ global: GlobalDefinitions) {
        next = global.groupMarkTable.map { _ in UInt64(global.firstGroupMark) }
    }

    /// The group's mark; nil = it is a service for each of its addresses.
    mutating func mark(of group: ServerGroupDraft, _ transport: VirtualServerIdentity.TransportProtocol) -> UInt64? {
        let hasMarks = group.members.contains { if case .firewallMark = $0 { true } else { false } }
        guard !hasMarks, !group.members.isEmpty else { return nil }
        if let mark = given[group.name.text]?[transport] { return mark }
        guard let mark = next else { return nil }
        next = mark + 1
        given[group.name.text, default: [:]][transport] = mark
        return mark
    }
}

extension Interpreter {
    /// A group's service, one for each family of its addresses.
    mutating func marked(
        _ group: ServerGroupDraft, _ draft: VirtualServerDraft, _ mark: UInt64, _ name: Word, _ marks: inout GroupMarks
    ) -> [(VirtualServerIdentity, group: String?, marked: MarkedAddresses?)] {
        guard let mark = UInt32(exactly: mark) else {
            reporter.error(
                .badValue, at: name, "there is no mark left for \(name.text): they have 32 bits",
                remedy: "lower nftables_ipvs_start_fwmark")
            return []
        }
        let transport = transport(draft)
        var ranges: [AddressFamily: [MarkedAddresses.Range]] = [:]
        var own: Set<MarkedSpans.Range> = []
        for member in group.members {
            guard case .addresses(let addresses, let port) = member, let first = addresses.first else { continue }
            let range = MarkedSpans.Range(first: first, last: addresses.last ?? first, port: port)
            guard own.insert(range).inserted else { continue }
            if let other = marks.taken[transport]?.overlap(with: range) {
                reporter.error(
                    .contradiction, at: name,
                    "\(first) has two marks: it is in \(other.text) already, or twice here",
                    remedy: "with nftables_ipvs an address and port belongs to one line of one group",
                    notes: [(other, "the other one")])
                return []
            }
            marks.taken[transport, default: MarkedSpans()].insert(range, of: name)
            ranges[first.family, default: []].append(MarkedAddresses.Range(addresses: addresses, port: port))
        }
        return AddressFamily.allCases.compactMap { family in
            ranges[family].map {
                (.firewallMark(mark, family), group.name.text, MarkedAddresses(transport: transport, ranges: $0))
            }
        }
    }
}
