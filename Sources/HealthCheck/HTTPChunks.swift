// Where a body that comes in chunks ends (RFC 9112 §7.1). The octets stay as they are: keepalived makes a digest of sizes and all.

/// The framing of a chunked body so far.
struct HTTPChunks: Hashable, Sendable {
    /// What some more octets of it are.
    enum Finding: Hashable {
        /// All of them belong to it, and there is more to come.
        case goesOn
        /// It ends after so many of them.
        case ends(Int)
        /// They are no chunks; in words.
        case broken(String)
    }

    private enum State: Hashable, Sendable {
        /// Before a size.
        case beginning
        case size(Int)
        /// Between a size and the end of its line.
        case line(Int)
        case data(Int)
        /// Between the octets of a chunk and the end of their line.
        case end
        /// Behind the last chunk: at the beginning of a line, or in one. Octets of trailers so far.
        case trailers(Int)
        case trailer(Int)
    }

    private var state = State.beginning

    mutating func take(_ octets: UnsafeRawBufferPointer) -> Finding {
        var index = 0
        while index < octets.count {
            if case .data(let left) = state {
                let count = min(left, octets.count - index)
                index += count
                state = count == left ? .end : .data(left - count)
                continue
            }
            let octet = octets[index]
            index += 1
            switch state {
            case .beginning, .size:
                if let digit = Self.digit(octet) {
                    let size = if case .size(let size) = state { size } else { 0 }
                    guard size <= Int.max >> 4 else { return .broken("the size of a chunk is out of range") }
                    state = .size(size << 4 | digit)
                } else if case .size(let size) = state {
                    state = octet == UInt8(ascii: "\n") ? Self.after(size) : .line(size)
                } else {
                    return .broken("a chunk without its size")
                }
            case .line(let size):
                if octet == UInt8(ascii: "\n") { state = Self.after(size) }
            case .data: break
            case .end:
                if octet == UInt8(ascii: "\n") {
                    state = .beginning
                } else if octet != UInt8(ascii: "\r") {
                    return .broken("a chunk that is longer than its size")
                }
            case .trailers(let count), .trailer(let count):
                guard count < HTTPReader.lineLimit else { return .broken(HTTPReader.endless) }
                if octet == UInt8(ascii: "\n") {
                    if case .trailers = state { return .ends(index) }
                    state = .trailers(count + 1)
                } else if octet != UInt8(ascii: "\r") {
                    state = .trailer(count + 1)
                }
            }
        }
        return .goesOn
    }

    private static func after(_ size: Int) -> State { size == 0 ? .trailers(0) : .data(size) }

    private static func digit(_ octet: UInt8) -> Int? {
        switch octet {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(octet - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(octet - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(octet - UInt8(ascii: "A")) + 10
        default: nil
        }
    }
}
