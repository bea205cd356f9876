// What a tracked file says (keepalived's track_file.c): the number at its beginning, as strtol(3) with base 0 reads it. A file that is missing,
// not readable, or begins with no number says 0; a number that is too large says nothing, and what was read before stands.

/// What was found at a tracked file's path.
public enum TrackedContent: Hashable, Sendable {
    /// Its first octets.
    case octets([UInt8])
    case missing
    /// Why it cannot be read.
    case unreadable(String)
}

/// The rules of tracked files.
public enum TrackedFile {
    /// What counts is among the first octets.
    public static let limit = 127

    /// How the file stands after a look at it.
    public static func report(_ content: TrackedContent, after before: TrackerReport?) -> TrackerReport {
        switch content {
        case .missing: return TrackerReport(.number(0), "no such file, which counts as 0")
        case .unreadable(let why): return TrackerReport(.number(0), "not readable, which counts as 0: \(why)")
        case .octets(let octets):
            switch number(octets.prefix(limit)) {
            case .value(let value): return TrackerReport(.number(value), "\(value)")
            case .none: return TrackerReport(.number(0), "begins with no number, which counts as 0")
            case .tooLarge:
                var report = before ?? TrackerReport(.number(0), "begins with no number that fits, which counts as 0")
                report.hindrance = "its number does not fit 32 bits"
                return report
            }
        }
    }

    enum Reading: Equatable {
        case value(Int)
        case none
        case tooLarge
    }

    /// strtol(3): blanks, a sign, then decimal, octal after 0, hexadecimal after 0x; what follows is ignored.
    static func number(_ octets: ArraySlice<UInt8>) -> Reading {
        var rest = octets.drop { $0 == 0x20 || (0x09...0x0D).contains($0) }
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        var base = 10
        if rest.first == UInt8(ascii: "0") {
            let second = rest.dropFirst()
            let isHexadecimal = second.first == UInt8(ascii: "x") || second.first == UInt8(ascii: "X")
            if isHexadecimal, second.dropFirst().first.flatMap(digit).map({ $0 < 16 }) ?? false {
                base = 16
                rest = second.dropFirst()
            } else {
                base = 8
            }
        }
        var value = 0
        var hasDigits = false
        for octet in rest {
            guard let digit = digit(octet), digit < base else { break }
            hasDigits = true
            value = min(value * base + digit, 1 << 40)
        }
        guard hasDigits else { return .none }
        let number = isNegative ? -value : value
        return Int(Int32.min)...Int(Int32.max) + 1 ~= number ? .value(number) : .tooLarge
    }

    private static func digit(_ octet: UInt8) -> Int? {
        switch octet {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(octet - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(octet - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(octet - UInt8(ascii: "A")) + 10
        default: nil
        }
    }
}
