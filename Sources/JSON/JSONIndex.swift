// One strict pass over a JSON text that builds no values: it validates everything json-c is lenient about (control
// characters, surrogates, NaN, ranges, duplicate and NUL-bearing names: reference/recipes.md §4) and leaves a flat list
// of nodes with octet ranges. busd routes and fans out on those ranges alone; `JSONValue` parses only what has passed
// here.

/// Where each value of a JSON text begins and ends, in document order.
///
/// An object's node is followed by its members, name and value alternating; an array's node by its elements. Reusing
/// one index for many texts reuses its memory.
public struct JSONIndex: Sendable {
    /// What a node is.
    public enum Kind: UInt8, Sendable {
        case null, bool, int, double, string, array, object
    }

    /// One value or member name. A string's range is what stands between the quotes.
    public struct Node: Sendable {
        /// What it is.
        public let kind: Kind
        /// The string contains backslash escapes: its octets are not its text.
        public let isEscaped: Bool
        /// First octet.
        public let start: Int
        /// One past the last octet.
        public internal(set) var end: Int
        /// Index of the node after this value and everything in it.
        public internal(set) var next: Int
    }

    /// All nodes; the first is the text's one value.
    public internal(set) var nodes: [Node] = []

    /// An empty index, for `scan`.
    public init() {}

    /// Nodes for which room is kept by `giveBack`: 64 KiB.
    private static let keptNodes = (1 << 16) / MemoryLayout<Node>.stride

    /// Lets go of the room that one large text took; a small index keeps its own. The nodes mean nothing afterwards.
    /// Octets let go of.
    @discardableResult
    public mutating func giveBack() -> Int {
        guard nodes.capacity > Self.keptNodes else { return 0 }
        defer { nodes = [] }
        return nodes.capacity * MemoryLayout<Node>.stride
    }

    /// Validates `text` and replaces the nodes by its own. After an error the nodes mean nothing.
    public mutating func scan(_ text: UnsafeRawBufferPointer, limits: JSONLimits = .message) throws(JSONError) {
        guard text.count <= limits.octets else { throw .tooLarge(limit: limits.octets) }
        nodes.removeAll(keepingCapacity: true)
        var scanner = JSONScanner(text: text, depthLimit: limits.depth, nodes: nodes)
        nodes = []  // The scanner holds the only reference: appending does not copy.
        defer { nodes = scanner.nodes }
        try scanner.scanText()
    }

    /// The node of the value named `key` in the object at `object`; nil when absent or not an object. Escaped names are
    /// compared by their text.
    public func member(_ key: StaticString, of object: Int, in text: UnsafeRawBufferPointer) -> Int? {
        guard object < nodes.count, nodes[object].kind == .object else { return nil }
        var position = object + 1
        while position < nodes[object].next {
            if name(at: position, in: text, equals: key) { return position + 1 }
            position = nodes[position + 1].next
        }
        return nil
    }

    /// Whether the string at `node` is `expected`.
    public func name(at node: Int, in text: UnsafeRawBufferPointer, equals expected: StaticString) -> Bool {
        let name = nodes[node]
        guard !name.isEscaped else { return string(at: node, in: text) == expected.description }
        let count = expected.utf8CodeUnitCount
        guard name.end - name.start == count else { return false }
        let octets = expected.utf8Start
        for offset in 0..<count where text[name.start + offset] != octets[offset] { return false }
        return true
    }

    /// The text of the string at `node`, escapes resolved.
    public func string(at node: Int, in text: UnsafeRawBufferPointer) -> String {
        let string = nodes[node]
        let octets = UnsafeRawBufferPointer(rebasing: text[string.start..<string.end])
        return string.isEscaped
            ? String(decoding: JSONEscapes.resolve(octets), as: UTF8.self) : String(decoding: octets, as: UTF8.self)
    }

    /// The octets of the value at `node` as they stand in the text, quotes included.
    public func range(of node: Int) -> Range<Int> {
        let value = nodes[node]
        return value.kind == .string ? value.start - 1..<value.end + 1 : value.start..<value.end
    }
}
