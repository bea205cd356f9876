// What checkd must know of an answer's header lines: the status, whether they ended, and where the body ends. Lines that say nothing about
// that may be anything, as for keepalived; and a Content-Length that is no number is none.

/// The header lines of an answer so far.
public struct HTTPHeaders: Hashable, Sendable {
    /// The status code; nil before a status line of HTTP/1, or when its code is not three digits.
    public private(set) var status: UInt16?
    /// True once the empty line of the latest block was seen.
    public private(set) var areComplete = false
    /// Octets of the body by Content-Length; nil when there is none or when it is no number: the body goes on until the end.
    public private(set) var bodyLength: Int?
    /// The body comes in chunks (RFC 9112 §7.1), whatever Content-Length says.
    public private(set) var isChunked = false
    /// An answer that another one follows: 100 and the like.
    public private(set) var isInterim = false

    /// No line yet.
    public init() {}

    /// True when nothing follows the headers.
    public var endTheAnswer: Bool {
        areComplete && !isInterim && ((bodyLength == 0 && !isChunked) || status == 204 || status == 304)
    }

    /// One line with its end. A status line begins a block: the one after an interim answer (100) counts. Lines after the block's end
    /// (trailers) change nothing.
    public mutating func take(line: UnsafeRawBufferPointer) {
        if Self.begins(line, with: "HTTP/") {
            self = HTTPHeaders()
            status = Self.status(in: line)
            isInterim =
                line.firstIndex(of: UInt8(ascii: " ")).map { line[($0 + 1)...].first == UInt8(ascii: "1") } ?? false
        } else if Self.isEmpty(line) {
            areComplete = true
        } else if !areComplete, !isInterim {
            if bodyLength == nil, Self.begins(line, with: "content-length:") {
                bodyLength = Self.number(line[15...])
            } else if Self.begins(line, with: "transfer-encoding:") {
                let value = Self.value(line[18...])
                isChunked = value.count == 7 && Self.begins(UnsafeRawBufferPointer(rebasing: value), with: "chunked")
            }
        }
    }

    private static func isEmpty(_ line: UnsafeRawBufferPointer) -> Bool {
        switch line.count {
        case 1: line[0] == UInt8(ascii: "\n")
        case 2: line[0] == UInt8(ascii: "\r") && line[1] == UInt8(ascii: "\n")
        default: false
        }
    }

    /// Letters of either case are equal where `name` has small ones.
    static func begins(_ line: UnsafeRawBufferPointer, with name: StaticString) -> Bool {
        let count = name.utf8CodeUnitCount
        guard line.count >= count else { return false }
        for index in 0..<count {
            let wanted = name.utf8Start[index]
            let isLetter = wanted >= UInt8(ascii: "a") && wanted <= UInt8(ascii: "z")
            guard line[index] == wanted || (isLetter && line[index] | 0x20 == wanted) else { return false }
        }
        return true
    }

    /// `HTTP/1.1 200 OK`: a digit, a point, a digit, a blank, three digits and no fourth.
    private static func status(in line: UnsafeRawBufferPointer) -> UInt16? {
        guard line.count > 12, begins(line, with: "HTTP/1."), line[8] == UInt8(ascii: " ") else { return nil }
        var code: UInt16 = 0
        for octet in line[9..<12] {
            guard let digit = digit(octet) else { return nil }
            code = code * 10 + UInt16(digit)
        }
        return code == 0 || digit(line[12]) != nil ? nil : code
    }

    private static func digit(_ octet: UInt8) -> Int? {
        octet >= UInt8(ascii: "0") && octet <= UInt8(ascii: "9") ? Int(octet - UInt8(ascii: "0")) : nil
    }

    private static func value(_ octets: Slice<UnsafeRawBufferPointer>) -> Slice<UnsafeRawBufferPointer> {
        var value = octets
        while let last = value.last, last <= UInt8(ascii: " ") { value.removeLast() }
        while let first = value.first, first <= UInt8(ascii: " ") { value.removeFirst() }
        return value
    }

    private static func number(_ octets: Slice<UnsafeRawBufferPointer>) -> Int? {
        let digits = value(octets)
        guard !digits.isEmpty else { return nil }
        var number = 0
        for octet in digits {
            let (scaled, overflow) = number.multipliedReportingOverflow(by: 10)
            guard let digit = digit(octet), !overflow else { return nil }
            let (sum, carried) = scaled.addingReportingOverflow(digit)
            guard !carried else { return nil }
            number = sum
        }
        return number
    }
}
