// Reads the answer to a request over HTTP/1 as its octets come: lines until the headers are complete, then the body, to where Content-Length,
// the last chunk or the limit ends it. keepalived reads until the connection is closed, and takes every header line for one; so do we.

/// An answer so far.
public struct HTTPReader: Hashable, Sendable {
    /// What more octets made of it.
    public enum Step: Hashable, Sendable {
        /// More may follow.
        case goesOn
        /// It is complete, or longer than anybody wants to know.
        case isOver
        /// No answer over HTTP/1; in words.
        case isMalformed(String)
    }

    /// The longest header or trailer, in octets; libcurl's.
    static let lineLimit = 100 << 10
    /// All lines before a body, interim answers included; libcurl's.
    static let headersLimit = 300 << 10
    static let endless = "a header or a trailer does not end"

    /// Its header lines.
    public private(set) var headers = HTTPHeaders()
    /// Octets of the body.
    public private(set) var received = 0
    /// The body went on beyond the limit and was not read further.
    public var isTruncated: Bool { received > limit }
    /// The headers are complete, and no other answer follows.
    public var isBeingRead: Bool { headers.areComplete && !headers.isInterim }
    /// Something came.
    public var hasBegun: Bool { headerOctets > 0 }

    private let limit: Int
    private var headerOctets = 0
    /// The beginning of a line whose end has not come yet.
    private var line: [UInt8] = []
    private var chunks = HTTPChunks()

    /// An answer of whose body `limit` octets are read.
    public init(limit: Int) {
        self.limit = limit
    }

    /// More octets. `header` gets each line with its end, `body` what belongs to the body.
    public mutating func take(
        _ octets: UnsafeRawBufferPointer, header: (UnsafeRawBufferPointer) -> Void,
        body: (UnsafeRawBufferPointer) -> Void
    ) -> Step {
        var rest = octets
        while !isBeingRead {
            guard rest.count > 0 else { return .goesOn }
            let end = rest.firstIndex(of: UInt8(ascii: "\n"))
            let piece = UnsafeRawBufferPointer(rebasing: rest[..<(end.map { $0 + 1 } ?? rest.count)])
            rest = UnsafeRawBufferPointer(rebasing: rest[piece.count...])
            headerOctets += piece.count
            guard headerOctets <= Self.headersLimit, line.count + piece.count <= Self.lineLimit else {
                return .isMalformed(Self.endless)
            }
            guard end != nil else {
                line += piece
                return line.withUnsafeBytes { mayBegin($0) ? .goesOn : Self.notHTTP($0) }
            }
            let step: Step
            if line.isEmpty {
                step = take(line: piece, header)
            } else {
                let whole = line + piece
                line = []
                step = whole.withUnsafeBytes { take(line: $0, header) }
            }
            guard step == .goesOn else { return step }
        }
        return headers.endTheAnswer ? .isOver : take(body: rest, body)
    }

    private mutating func take(body octets: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) -> Step {
        var (part, isOver) = (octets, false)
        if headers.isChunked {
            switch chunks.take(octets) {
            case .goesOn: break
            case .ends(let count): (part, isOver) = (UnsafeRawBufferPointer(rebasing: octets[..<count]), true)
            case .broken(let text): return .isMalformed(text)
            }
        } else if let length = headers.bodyLength {
            part = UnsafeRawBufferPointer(rebasing: octets.prefix(length - received))
            isOver = received + part.count == length
        }
        received += part.count
        body(part)
        return isOver || isTruncated ? .isOver : .goesOn
    }

    /// A whole line with its end.
    private mutating func take(line: UnsafeRawBufferPointer, _ header: (UnsafeRawBufferPointer) -> Void) -> Step {
        guard !beginsBlock || HTTPHeaders.begins(line, with: "HTTP/") else { return Self.notHTTP(line) }
        headers.take(line: line)
        guard headers.status != nil else { return Self.notHTTP(line) }
        header(line)
        return .goesOn
    }

    /// The next line has to be a status line of HTTP/1.
    private var beginsBlock: Bool { headers.status == nil || headers.areComplete }

    /// Whether what came of a line so far may be one: only a status line has to begin in some way.
    private func mayBegin(_ line: UnsafeRawBufferPointer) -> Bool {
        !beginsBlock || zip(line, "HTTP/".utf8).allSatisfy { $0 == $1 }
    }

    private static func notHTTP(_ line: UnsafeRawBufferPointer) -> Step {
        let text = line.prefix(40).prefix { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }
        let shown = text.map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: "?") }
        return .isMalformed("no status line of HTTP/1: '\(String(decoding: shown, as: UTF8.self))'")
    }
}
