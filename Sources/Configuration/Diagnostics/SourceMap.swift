// The files that were read, and how a byte's place becomes file:line:column with its line. Places are kept small (three
// numbers) because every word of a large configuration has one; text is only looked up when something is said about it.

/// A byte in one of the files that were read.
struct Place: Hashable, Sendable {
    /// Index into `SourceMap.files`.
    var file: Int32
    /// From 0.
    var line: Int32
    /// Bytes from the start of the line.
    var byte: Int32

    func advanced(by bytes: Int) -> Place {
        Place(file: file, line: line, byte: byte + Int32(clamping: bytes))
    }
}

/// Every file that was read, in order of reading.
struct SourceMap: Sendable {
    struct File: Sendable {
        var path: String
        var bytes: [UInt8]
        /// Where each line starts.
        var lineStarts: [Int32]

        /// The bytes of a line without its end, and without the carriage return before it.
        func range(ofLine line: Int) -> Range<Int> {
            let start = Int(lineStarts[line])
            var end = line + 1 < lineStarts.count ? Int(lineStarts[line + 1]) - 1 : bytes.count
            if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
            return start..<end
        }
    }

    private(set) var files: [File] = []
    /// From where on lines are shown as stars.
    private var concealed: [Place: Int32] = [:]

    /// Shows stars in place of a word and the rest of its line from now on: it is a secret, and a remark after it may be an older one.
    mutating func conceal(_ word: Word) {
        let line = Place(file: word.place.file, line: word.place.line, byte: 0)
        concealed[line] = min(concealed[line] ?? .max, word.place.byte)
    }

    /// Takes a file in; gives its index.
    mutating func add(path: String, bytes: [UInt8]) -> Int32 {
        var starts: [Int32] = [0]
        bytes.withUnsafeBufferPointer { bytes in
            for index in bytes.indices where bytes[index] == UInt8(ascii: "\n") {
                starts.append(Int32(clamping: index + 1))
            }
        }
        files.append(File(path: path, bytes: bytes, lineStarts: starts))
        return Int32(clamping: files.count - 1)
    }

    /// The bytes of a line without its end.
    func line(_ file: Int32, _ line: Int32) -> ArraySlice<UInt8> {
        guard files.indices.contains(Int(file)) else { return [] }
        let source = files[Int(file)]
        guard source.lineStarts.indices.contains(Int(line)) else { return [] }
        return source.bytes[source.range(ofLine: Int(line))]
    }

    /// The place and its line, for a diagnostic about `length` bytes.
    func excerpt(_ place: Place, length: Int) -> SourceExcerpt {
        var bytes = line(place.file, place.line)
        if let start = concealed[Place(file: place.file, line: place.line, byte: 0)] {
            for index in bytes.indices.dropFirst(Int(start)) { bytes[index] = UInt8(ascii: "*") }
        }
        let byte = min(max(0, Int(place.byte)), bytes.count)
        let before = String(decoding: bytes.prefix(byte), as: UTF8.self)
        let meant = String(decoding: bytes.dropFirst(byte).prefix(max(0, length)), as: UTF8.self)
        let path = files.indices.contains(Int(place.file)) ? files[Int(place.file)].path : ""
        return SourceExcerpt(
            position: SourcePosition(file: path, line: Int(place.line) + 1, column: before.count + 1),
            length: max(1, meant.count), line: String(decoding: bytes, as: UTF8.self))
    }
}
