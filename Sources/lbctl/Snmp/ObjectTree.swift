// Management objects as SNMP sees them: values at object identifiers, in the order of those (RFC 3416 §4.2.2).

/// An object identifier.
struct OID: Hashable, Comparable, CustomStringConvertible {
    var parts: [UInt32]

    /// The one below `base` with these parts.
    init(_ base: OID? = nil, _ parts: UInt32...) { self.parts = (base?.parts ?? []) + parts }

    /// Reads `.1.3.6`, with or without the first dot.
    init?(_ text: some StringProtocol) {
        parts = []
        for part in text.drop(while: { $0 == "." }).split(separator: ".", omittingEmptySubsequences: false) {
            guard let number = UInt32(part) else { return nil }
            parts.append(number)
        }
    }

    /// `.1.3.6`
    var description: String { parts.map { ".\($0)" }.joined() }

    static func < (left: OID, right: OID) -> Bool { left.parts.lexicographicallyPrecedes(right.parts) }
}

/// A value, in the types that Net-SNMP's pass_persist takes.
enum ManagedValue: Hashable {
    case integer(Int)
    /// Gauge32 and Unsigned32, which are one on the wire; a number that is too large stays at the largest.
    case gauge(Int)
    /// Counter32, which begins anew at 2^32.
    case counter(Int)
    case counter64(Int)
    case string(String)
    /// An InetAddress, say.
    case octets([UInt8])

    /// TruthValue (RFC 2579), and the many enumerations that begin like it.
    static func truth(_ value: Bool) -> Self { .integer(value ? 1 : 2) }

    /// The two lines of pass_persist.
    var lines: String {
        switch self {
        case .integer(let value): "integer\n\(Int32(clamping: value))"
        case .gauge(let value): "gauge\n\(UInt32(clamping: value))"
        case .counter(let value): "counter\n\(UInt32(truncatingIfNeeded: value))"
        case .counter64(let value): "counter64\n\(max(value, 0))"
        case .string(let text):
            "string\n" + String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 32 }))
        case .octets(let octets):
            "octet\n"
                + octets.map { octet in
                    let digits = String(octet, radix: 16)
                    return digits.count == 1 ? "0" + digits : digits
                }.joined(separator: " ")
        }
    }
}

/// Objects in their order.
struct ObjectTree {
    private let objects: [(id: OID, value: ManagedValue)]

    /// Each identifier once.
    init(_ values: [OID: ManagedValue] = [:]) {
        objects = values.map { ($0.key, $0.value) }.sorted { $0.id < $1.id }
    }

    /// The value at an identifier.
    subscript(id: OID) -> ManagedValue? {
        let place = place(notBefore: id)
        return place < objects.count && objects[place].id == id ? objects[place].value : nil
    }

    /// The first object behind an identifier, whether or not there is one at it.
    func next(after id: OID) -> (id: OID, value: ManagedValue)? {
        var place = place(notBefore: id)
        if place < objects.count, objects[place].id == id { place += 1 }
        return place < objects.count ? objects[place] : nil
    }

    private func place(notBefore id: OID) -> Int {
        var (low, high) = (0, objects.count)
        while low < high {
            let middle = (low + high) / 2
            if objects[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
