/// An IPv6 address. Text follows RFC 4291 §2.2 when read and RFC 5952 when written.
public struct IPv6Address: Hashable, Comparable, Sendable, LosslessStringConvertible {
    /// The first eight octets as a number.
    public var high: UInt64
    /// The last eight octets as a number.
    public var low: UInt64

    /// The unspecified address, ::.
    public static let any = IPv6Address(high: 0, low: 0)

    /// From its two halves, each a number in host order.
    @inlinable
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Parses an address without brackets and without a zone.
    public init?(_ text: String) {
        var groups: [UInt16] = []
        var gap: Int?
        let bytes = Array(text.utf8)
        let colon = UInt8(ascii: ":")
        var index = 0
        if bytes.starts(with: "::".utf8) {
            gap = 0
            index = 2
        } else if bytes.first == colon {
            return nil
        }
        while index < bytes.count {
            let end = bytes[index...].firstIndex(of: colon) ?? bytes.count
            let part = bytes[index..<end]
            if end == bytes.count, part.contains(UInt8(ascii: ".")) {
                guard let tail = IPv4Address(String(decoding: part, as: UTF8.self)) else { return nil }
                groups.append(UInt16(truncatingIfNeeded: tail.rawValue >> 16))
                groups.append(UInt16(truncatingIfNeeded: tail.rawValue))
                index = end
                break
            }
            guard (1...4).contains(part.count), let group = UInt16(String(decoding: part, as: UTF8.self), radix: 16),
                part.first != UInt8(ascii: "+"), part.first != UInt8(ascii: "-")
            else { return nil }
            groups.append(group)
            guard groups.count <= 8 else { return nil }
            index = end
            guard index < bytes.count else { break }
            index += 1
            guard index < bytes.count else { return nil }
            if bytes[index] == colon {
                guard gap == nil else { return nil }
                gap = groups.count
                index += 1
            }
        }
        if let gap {
            guard groups.count < 8 else { return nil }
            groups.insert(contentsOf: repeatElement(0, count: 8 - groups.count), at: gap)
        }
        guard groups.count == 8 else { return nil }
        high = groups[..<4].reduce(0) { $0 << 16 | UInt64($1) }
        low = groups[4...].reduce(0) { $0 << 16 | UInt64($1) }
    }

    /// The eight groups, left to right.
    public var groups: [UInt16] {
        [high, low].flatMap { half in
            [48, 32, 16, 0].map { UInt16(truncatingIfNeeded: half >> UInt64($0)) }
        }
    }

    /// The sixteen octets in network order.
    public var octets: [UInt8] {
        groups.flatMap { [UInt8(truncatingIfNeeded: $0 >> 8), UInt8(truncatingIfNeeded: $0)] }
    }

    /// True for ff00::/8.
    public var isMulticast: Bool { high >> 56 == 0xFF }
    /// True for fe80::/10: means something only together with an interface.
    public var isLinkLocal: Bool { high >> 54 == 0x3FA }
    /// True for ::1.
    public var isLoopback: Bool { high == 0 && low == 1 }

    public static func < (left: IPv6Address, right: IPv6Address) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }

    public var description: String {
        let groups = self.groups
        var longest = 0..<0
        var index = 0
        while index < 8 {
            var end = index
            while end < 8, groups[end] == 0 { end += 1 }
            if end - index > longest.count { longest = index..<end }
            index = max(end, index + 1)
        }
        func text(_ range: Range<Int>) -> String {
            groups[range].map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard longest.count >= 2 else { return text(0..<8) }
        return text(0..<longest.lowerBound) + "::" + text(longest.upperBound..<8)
    }
}
