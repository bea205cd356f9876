// What checkd must know of an answer's header lines: whether they ended, and how long the body is. libcurl reads HTTP; but it takes an
// answer that breaks off inside its headers for a whole one, and refuses one whose Content-Length is no number (keepalived does neither).

/// The header lines of an answer so far.
public struct HTTPHeaders: Hashable, Sendable {
    /// True once the empty line of the latest block was seen.
    public private(set) var areComplete = false
    /// Octets of the body by Content-Length; nil when there is none or when it is no number: the body goes on until the end.
    public private(set) var bodyLength: Int?
    private var isInterim = false

    /// No line yet.
    public init() {}

    /// True when nothing follows the headers.
    public var endTheAnswer: Bool { areComplete && bodyLength == 0 }

    /// One line with its end. A status line begins a block: the one after an interim answer (100) counts. Lines after the block's end
    /// (trailers) change nothing.
    public mutating func take(line: some Collection<UInt8>) {
        if line.starts(with: "HTTP/".utf8) {
            self = HTTPHeaders()
            let status = line.drop { $0 != UInt8(ascii: " ") }.dropFirst()
            isInterim = status.first == UInt8(ascii: "1")
        } else if line.elementsEqual("\r\n".utf8) || line.elementsEqual("\n".utf8) {
            areComplete = true
        } else if !areComplete, !isInterim, bodyLength == nil {
            bodyLength = Self.length(in: line)
        }
    }

    private static func length(in line: some Collection<UInt8>) -> Int? {
        let name = "content-length:".utf8
        guard line.prefix(name.count).map({ $0 | 0x20 }).elementsEqual(name.map { $0 | 0x20 }) else { return nil }
        var digits = line.dropFirst(name.count).filter { !" \t\r\n".utf8.contains($0) }[...]
        guard !digits.isEmpty, digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        var length = 0
        while let digit = digits.popFirst() {
            let (scaled, overflow) = length.multipliedReportingOverflow(by: 10)
            let (sum, carried) = scaled.addingReportingOverflow(Int(digit - UInt8(ascii: "0")))
            guard !overflow, !carried else { return nil }
            length = sum
        }
        return length
    }
}
