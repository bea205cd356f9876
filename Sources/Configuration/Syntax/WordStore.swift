// Words as records of 24 bytes.

/// All words of a configuration, and the text of each.
struct WordStore: Sendable {
    /// A word; its text is `start..<start + count` of the file it stands in, or of `made`.
    private struct Record: Sendable {
        var place: Place
        var length: Int32
        var start: UInt32
        /// The number of bytes, times 8, and flags.
        var size: UInt32

        static let quoted: UInt32 = 1
        static let unclosed: UInt32 = 2
        static let made: UInt32 = 4

        var count: Int { Int(size >> 3) }
        func has(_ flag: UInt32) -> Bool { size & flag != 0 }
    }

    /// The bytes of the files, by `Place.file`.
    var files: [[UInt8]] = []
    /// Text that stands in no file like this: quotes are gone, or it comes from a parameter.
    private(set) var made: [UInt8] = []
    private var records: [Record] = []

    var count: UInt32 { UInt32(clamping: records.count) }

    subscript(index: Int) -> Word {
        let record = records[index]
        return Word(
            text: text(index), place: record.place, length: Int(record.length), isQuoted: record.has(Record.quoted),
            isUnclosed: record.has(Record.unclosed))
    }

    func text(_ index: Int) -> String { withBytes(index) { String(decoding: $0, as: UTF8.self) } }
    func isQuoted(_ index: Int) -> Bool { records[index].has(Record.quoted) }

    /// Looks at a word's text.
    func withBytes<Result>(_ index: Int, _ look: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        let record = records[index]
        let start = Int(record.start)
        func part(_ bytes: UnsafeBufferPointer<UInt8>) -> Result {
            look(UnsafeBufferPointer(rebasing: bytes[start..<start + record.count]))
        }
        return record.has(Record.made)
            ? made.withUnsafeBufferPointer(part) : files[Int(record.place.file)].withUnsafeBufferPointer(part)
    }

    /// A word as it stands in its file, `start` bytes from the file's begin.
    mutating func append(at place: Place, start: Int, count: Int) {
        records.append(
            Record(
                place: place, length: Int32(clamping: count), start: UInt32(clamping: start),
                size: UInt32(clamping: count) << 3))
    }

    /// A word whose text comes from elsewhere.
    mutating func append(_ text: some Sequence<UInt8>, at place: Place, length: Int, isQuoted: Bool, isUnclosed: Bool) {
        let start = made.count
        made.append(contentsOf: text)
        let flags = Record.made | (isQuoted ? Record.quoted : 0) | (isUnclosed ? Record.unclosed : 0)
        records.append(
            Record(
                place: place, length: Int32(clamping: length), start: UInt32(clamping: start),
                size: UInt32(clamping: made.count - start) << 3 | flags))
    }

    mutating func append(_ word: Word) {
        append(
            word.text.utf8, at: word.place, length: word.length, isQuoted: word.isQuoted, isUnclosed: word.isUnclosed)
    }

    /// Forgets the words from `index` on.
    mutating func drop(from index: UInt32) { records.removeLast(records.count - Int(index)) }

    /// Makes room for about as many words as so many lines have.
    mutating func reserve(lines: Int) { records.reserveCapacity(2 * lines) }
}
