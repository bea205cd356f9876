// Which addresses and ports have a mark: asked for every line of a group, so answered by binary search.
import Net

/// Addresses and ports of one protocol that are marked.
struct MarkedSpans: Sendable {
    /// Addresses that follow each other; port 0 = every port.
    struct Range: Hashable, Sendable {
        var first: IPAddress
        var last: IPAddress
        var port: UInt16

        /// Whether a packet can be of both.
        func overlaps(_ other: Range) -> Bool {
            (port == other.port || port == 0 || other.port == 0) && first <= other.last && other.first <= last
        }
    }

    /// What is marked, in the order in which it was, and the group that it is in.
    private var ranges: [(range: Range, group: Word)] = []
    /// The addresses of each port, and under nil those of all ports together.
    private var spans: [UInt16?: AddressSpans] = [:]

    /// The group of the first range that a packet can be of as well as of this one.
    func overlap(with range: Range) -> Word? {
        let ports: [UInt16?] = range.port == 0 ? [nil] : [range.port, 0]
        guard ports.contains(where: { spans[$0]?.overlaps(range.first, range.last) == true }) else { return nil }
        return ranges.first { $0.range.overlaps(range) }?.group
    }

    /// Marks a range.
    mutating func insert(_ range: Range, of group: Word) {
        ranges.append((range, group))
        for port: UInt16? in [range.port, nil] { spans[port, default: AddressSpans()].insert(range.first, range.last) }
    }
}

/// A set of addresses as stretches in order, none touching another that it overlaps.
private struct AddressSpans: Sendable {
    private var spans: [(first: IPAddress, last: IPAddress)] = []

    /// Index of the first stretch that ends at `address` or later.
    private func index(from address: IPAddress) -> Int {
        var (low, high) = (0, spans.count)
        while low < high {
            let middle = (low + high) / 2
            if spans[middle].last < address { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func overlaps(_ first: IPAddress, _ last: IPAddress) -> Bool {
        let index = index(from: first)
        return index < spans.count && spans[index].first <= last
    }

    mutating func insert(_ first: IPAddress, _ last: IPAddress) {
        let start = index(from: first)
        var end = start
        var joined = (first: first, last: last)
        while end < spans.count, spans[end].first <= last {
            joined = (min(joined.first, spans[end].first), max(joined.last, spans[end].last))
            end += 1
        }
        spans.replaceSubrange(start..<end, with: CollectionOfOne(joined))
    }
}
