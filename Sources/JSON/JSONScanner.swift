// The grammar of RFC 8259, recursive descent bounded by the depth limit. Reading past the end yields 0, which no rule
// accepts, so every path ends in an error instead of a trap.

/// Scans one text; used by `JSONIndex.scan` only.
struct JSONScanner {
    let text: UnsafeRawBufferPointer
    let depthLimit: Int
    var nodes: [JSONIndex.Node]
    var position = 0
    private var depth = 0

    init(text: UnsafeRawBufferPointer, depthLimit: Int, nodes: [JSONIndex.Node]) {
        self.text = text
        self.depthLimit = depthLimit
        self.nodes = nodes
    }

    /// The octet at the cursor, 0 at the end.
    @inline(__always)
    var current: UInt8 { position < text.count ? text[position] : 0 }

    /// One value with blanks around it and nothing else.
    mutating func scanText() throws(JSONError) {
        skipBlanks()
        try scanValue()
        skipBlanks()
        guard position == text.count else { throw .syntax(.trailingText, offset: position) }
    }

    private mutating func scanValue() throws(JSONError) {
        switch current {
        case UInt8(ascii: "{"): try scanObject()
        case UInt8(ascii: "["): try scanArray()
        case UInt8(ascii: "\""): _ = try scanString()
        case UInt8(ascii: "t"): try scanWord("true", .bool)
        case UInt8(ascii: "f"): try scanWord("false", .bool)
        case UInt8(ascii: "n"): try scanWord("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try scanNumber()
        default: throw .syntax(.expectedValue, offset: position)
        }
    }

    private mutating func scanObject() throws(JSONError) {
        let object = try open(.object)
        var count = 0
        var escaped = false
        // A bit for each name: names that repeat share one, and few others do.
        var seen: UInt64 = 0
        var mayRepeat = false
        if current != UInt8(ascii: "}") {
            while true {
                guard current == UInt8(ascii: "\"") else { throw .syntax(.expectedKey, offset: position) }
                let name = try scanString()
                if nodes[name].isEscaped {
                    escaped = true
                    try refuseNul(in: nodes[name])
                }
                count += 1
                let bit = Self.bit(of: octets(of: nodes[name]))
                if seen & bit != 0 { mayRepeat = true }
                seen |= bit
                skipBlanks()
                guard current == UInt8(ascii: ":") else { throw .syntax(.expectedColon, offset: position) }
                position += 1
                skipBlanks()
                try scanValue()
                guard try continues(until: UInt8(ascii: "}")) else { break }
            }
        }
        close(object)
        if mayRepeat || escaped { try refuseDuplicates(in: object, count: count, escaped: escaped) }
    }

    private static func bit(of name: UnsafeRawBufferPointer) -> UInt64 {
        guard let first = name.first else { return 1 }
        return 1 << ((UInt64(first) &+ UInt64(name[name.count / 2]) &+ UInt64(name.count) &* 9) & 63)
    }

    private mutating func scanArray() throws(JSONError) {
        let array = try open(.array)
        if current != UInt8(ascii: "]") {
            repeat { try scanValue() } while try continues(until: UInt8(ascii: "]"))
        }
        close(array)
    }

    private mutating func open(_ kind: JSONIndex.Kind) throws(JSONError) -> Int {
        depth += 1
        guard depth <= depthLimit else { throw .tooDeep(limit: depthLimit, offset: position) }
        let node = append(kind, from: position)
        position += 1
        skipBlanks()
        return node
    }

    private mutating func close(_ node: Int) {
        position += 1
        depth -= 1
        nodes[node].end = position
        nodes[node].next = nodes.count
    }

    /// After a value: true over a comma, false at the closing mark.
    private mutating func continues(until end: UInt8) throws(JSONError) -> Bool {
        skipBlanks()
        if current == end { return false }
        guard current == UInt8(ascii: ",") else { throw .syntax(.expectedCommaOrEnd, offset: position) }
        position += 1
        skipBlanks()
        return true
    }

    private mutating func scanWord(_ word: StaticString, _ kind: JSONIndex.Kind) throws(JSONError) {
        let start = position
        for offset in 0..<word.utf8CodeUnitCount {
            guard current == word.utf8Start[offset] else { throw .syntax(.expectedValue, offset: start) }
            position += 1
        }
        append(kind, from: start)
    }

    @inline(__always)
    private mutating func skipBlanks() {
        if current <= 0x20 { skipSomeBlanks() }
    }

    private mutating func skipSomeBlanks() {
        while current == 0x20 || current == 0x0A || current == 0x0D || current == 0x09 { position += 1 }
    }

    /// Adds a leaf that ends at the cursor; `close` corrects arrays and objects.
    @discardableResult
    @inline(__always)
    mutating func append(_ kind: JSONIndex.Kind, from start: Int, isEscaped: Bool = false) -> Int {
        nodes.append(.init(kind: kind, isEscaped: isEscaped, start: start, end: position, next: nodes.count + 1))
        return nodes.count - 1
    }
}

extension JSONScanner {
    private func octets(of name: JSONIndex.Node) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: text[name.start..<name.end])
    }

    private func refuseNul(in name: JSONIndex.Node) throws(JSONError) {
        guard !JSONEscapes.resolve(octets(of: name)).contains(0) else { throw .nulInKey(offset: name.start) }
    }

    /// Few plain names are compared with each other; many or escaped ones go through a set.
    private func refuseDuplicates(in object: Int, count: Int, escaped: Bool) throws(JSONError) {
        guard count > 1 else { return }
        var seen: Set<[UInt8]> = []
        let pairwise = count <= 16 && !escaped
        var position = object + 1
        while position < nodes[object].next {
            let name = nodes[position]
            let isNew =
                pairwise
                ? !precedes(name, from: object + 1, to: position) : seen.insert(resolved(name)).inserted
            guard isNew else {
                throw .duplicateKey(String(decoding: resolved(name), as: UTF8.self), offset: name.start)
            }
            position = nodes[position + 1].next
        }
    }

    private func resolved(_ name: JSONIndex.Node) -> [UInt8] {
        name.isEscaped ? JSONEscapes.resolve(octets(of: name)) : Array(octets(of: name))
    }

    private func precedes(_ name: JSONIndex.Node, from first: Int, to end: Int) -> Bool {
        let length = name.end - name.start
        var position = first
        while position < end {
            let other = nodes[position]
            if other.end - other.start == length, isEqual(other.start, name.start, length) { return true }
            position = nodes[position + 1].next
        }
        return false
    }

    private func isEqual(_ left: Int, _ right: Int, _ length: Int) -> Bool {
        for offset in 0..<length where text[left + offset] != text[right + offset] { return false }
        return true
    }
}
