// What is kept of a program's output: its last line, however much it prints.

/// The last line of a stream.
struct OutputTail {
    /// Octets of a line that are kept.
    static let limit = 256

    private var line: [UInt8] = []
    private var current: [UInt8] = []

    /// The last line that holds more than blanks. Damaged UTF-8 is replaced; control characters are blanks.
    var text: String {
        let octets = Self.isBlank(current) ? line : current
        var text = String(decoding: octets.map { $0 < 32 || $0 == 127 ? 32 : $0 }, as: UTF8.self)
        while text.utf8.count > Self.limit { text.removeLast() }
        while text.last == " " { text.removeLast() }
        return String(text.drop { $0 == " " })
    }

    /// More output.
    mutating func append(_ octets: UnsafeRawBufferPointer) {
        // What lies before the last two lines can show no more.
        for octet in octets.suffix(4 * Self.limit) {
            guard octet == UInt8(ascii: "\n") else {
                if current.count < Self.limit { current.append(octet) }
                continue
            }
            if !Self.isBlank(current) { line = current }
            current.removeAll(keepingCapacity: true)
        }
    }

    private static func isBlank(_ octets: [UInt8]) -> Bool { octets.allSatisfy { $0 <= 32 || $0 == 127 } }
}
