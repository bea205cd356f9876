// The input of `ipvsadm -R`, cut into command lines: words between blanks, one command line to a line, the word `ipvsadm` skipped wherever
// it stands. There are no quotes and, in spite of its manual, no comments: a `#` is a word like any other.

/// Cuts input into command lines as it comes.
public struct RestoreLines: Sendable {
    private var words: [String] = []
    /// The beginning of a word whose end has not come yet.
    private var begun: [UInt8] = []
    /// Blanks since the last word.
    private var blanks = 0

    /// Nothing has come yet.
    public init() {}

    /// The command lines that `octets` complete. Lines without a word are left out.
    public mutating func add(_ octets: ArraySlice<UInt8>) -> [[String]] {
        var lines: [[String]] = []
        octets.withUnsafeBufferPointer { octets in
            // Where the current word begins.
            var start = 0
            for index in octets.indices where Self.isBlank(octets[index]) {
                end(UnsafeBufferPointer(rebasing: octets[start..<index]))
                start = index + 1
                if octets[index] == UInt8(ascii: "\n") {
                    if !words.isEmpty { lines.append(words) }
                    words = []
                    blanks = 0
                } else {
                    blanks += 1
                }
            }
            if start < octets.count {
                begun += octets[start...]
                blanks = 0
            }
        }
        return lines
    }

    /// The last line, when its newline is missing. ipvsadm loses such a line when more than one blank ends it.
    public mutating func end() -> [String]? {
        end(UnsafeBufferPointer(start: nil, count: 0))
        defer { self = RestoreLines() }
        return words.isEmpty || blanks > 1 ? nil : words
    }

    private static func isBlank(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "\n"), UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): true
        case _: false
        }
    }

    /// What has begun ends with `rest`.
    private mutating func end(_ rest: UnsafeBufferPointer<UInt8>) {
        guard !begun.isEmpty || !rest.isEmpty else { return }
        var text = String(decoding: rest, as: UTF8.self)
        if !begun.isEmpty {
            text = String(decoding: begun + rest, as: UTF8.self)
            begun = []
        }
        blanks = 0
        if text != "ipvsadm" { words.append(text) }
    }
}
