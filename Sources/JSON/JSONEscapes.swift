// The escapes of RFC 8259 §7, resolved for strings that the scanner has accepted. Needed for member names and for the
// strings of values.

enum JSONEscapes {
    /// The octets that the escaped `string` stands for. `string` must have passed `JSONScanner`; anything malformed is
    /// left out.
    static func resolve(_ string: UnsafeRawBufferPointer) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(string.count)
        var position = 0
        while position < string.count {
            guard string[position] == UInt8(ascii: "\\"), position + 1 < string.count else {
                result.append(string[position])
                position += 1
                continue
            }
            let escape = string[position + 1]
            position += 2
            guard escape == UInt8(ascii: "u") else {
                result.append(simple(escape))
                continue
            }
            guard var scalar = hex(string, at: position) else { continue }
            position += 4
            if (0xD800..<0xDC00).contains(scalar), let low = hex(string, at: position + 2) {
                scalar = 0x10000 + (scalar - 0xD800) << 10 + (low & 0x3FF)
                position += 6
            }
            result.append(contentsOf: Unicode.Scalar(scalar).map { UTF8.encode($0).map(Array.init) ?? [] } ?? [])
        }
        return result
    }

    /// The value of four hexadecimal digits at `position`; nil when they are not all there.
    static func hex(_ text: UnsafeRawBufferPointer, at position: Int) -> UInt32? {
        guard position + 4 <= text.count else { return nil }
        var value: UInt32 = 0
        for offset in position..<position + 4 {
            let digit: UInt8
            switch text[offset] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = text[offset] - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = text[offset] - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = text[offset] - UInt8(ascii: "A") + 10
            default: return nil
            }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    private static func simple(_ escape: UInt8) -> UInt8 {
        switch escape {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: escape
        }
    }
}
