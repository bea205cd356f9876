// Words and braces → blocks. The builder knows which keyword may stand in which block (from the keyword table), so that
// a missing `}` is found where the next sibling betrays it, and reading goes on with the right block.

/// Builds the tree line by line.
struct TreeBuilder {
    /// A block that is still open.
    private struct Frame {
        /// What opened it; 0 for the file itself.
        let opener: Int
        let kind: BlockKind
        /// The words of its grammar; nil where none are known.
        let vocabulary: WordIndex?
        /// The last statement in it; nil before the first.
        var last: Int?

        init(opener: Int, kind: BlockKind) {
            self.opener = opener
            self.kind = kind
            vocabulary = Grammars.words(of: kind)
        }
    }

    /// Blocks within blocks; keepalived's deepest is five.
    private static let maximumDepth = 32

    private(set) var records = SyntaxRecords()
    private var frames = [Frame(opener: 0, kind: .file)]
    /// Blocks beyond the maximum depth, skipped.
    private var skippedDepth = 0
    private var plain = PlainLine()

    init() {
        records.words.append(Word(text: "the file", place: Place(file: 0, line: 0, byte: 0), length: 1))
        records.entries.append(SyntaxRecords.Entry(words: 0..<1, row: -1))
    }

    /// Takes the bytes of a file in, from which lines will come.
    mutating func add(_ file: [UInt8], lines: Int) {
        if records.words.files.isEmpty {
            records.words.reserve(lines: lines)
            records.entries.reserveCapacity(lines)
        }
        records.words.files.append(file)
    }

    /// Takes a line of a file in, a comment perhaps at its end: `bytes` begin at `place`, `start` bytes from the file's begin. Gives
    /// the number of words and braces; nil when the line needs the careful way.
    mutating func takePlain(
        _ bytes: UnsafeBufferPointer<UInt8>, at place: Place, start: Int, _ reporter: inout Reporter
    ) -> Int? {
        guard plain.cut(bytes, hasComment: true) else { return nil }
        let first = records.words.count
        takeParts(from: first, { place.advanced(by: Int($0)) }, &reporter) { words, part in
            words.append(
                at: place.advanced(by: Int(part.start)), start: start + Int(part.start),
                count: Int(part.end - part.start))
        }
        return plain.parts.count
    }

    /// Takes a line in.
    mutating func take(_ line: LogicalLine, _ reporter: inout Reporter) {
        let isPlain = line.bytes.withUnsafeBufferPointer { plain.cut($0, hasComment: false) }
        guard isPlain else { return takeCarefully(line, &reporter) }
        takeParts(from: records.words.count, { line.place(Int($0)) }, &reporter) { words, part in
            let range = Int(part.start)..<Int(part.end)
            words.append(
                line.bytes[range], at: line.place(range.lowerBound), length: line.length(range), isQuoted: false,
                isUnclosed: false)
        }
    }

    private mutating func takeParts(
        from index: UInt32, _ place: (Int32) -> Place, _ reporter: inout Reporter,
        _ append: (inout WordStore, PlainLine.Part) -> Void
    ) {
        var first = index
        for position in plain.parts.indices {
            let part = plain.parts[position]
            switch part.kind {
            case .word: append(&records.words, part)
            case .open:
                open(first, nil, brace("{", place(part.start)), &reporter)
                first = records.words.count
            case .close:
                add(first, nil, &reporter)
                close(brace("}", place(part.start)), &reporter)
                first = records.words.count
            }
        }
        add(first, nil, &reporter)
    }

    private mutating func takeCarefully(_ line: LogicalLine, _ reporter: inout Reporter) {
        var splitter = WordSplitter(line, isScript: false)
        let tokens = splitter.tokens()
        for problem in splitter.problems { reporter.report(problem) }
        let scripts = line.needsScriptReading ? scriptSegments(line, matching: tokens) : nil
        var segment = 0
        var first = records.words.count
        for token in tokens {
            switch token {
            case .word(let word): records.words.append(word)
            case .open(let brace):
                open(first, scripts?[segment], brace, &reporter)
                first = records.words.count
                segment += 1
            case .close(let brace):
                add(first, scripts?[segment], &reporter)
                close(brace, &reporter)
                first = records.words.count
                segment += 1
            }
        }
        add(first, scripts?[segment], &reporter)
    }

    /// Ends the file: whatever is open now was not closed.
    mutating func finish(_ reporter: inout Reporter) -> SyntaxTree {
        while frames.count > 1 {
            let opener = frames[top].opener
            reporter.error(
                .unclosedBlock, at: records.keyword(opener),
                "\(records.title(records.entries[opener].words)) is opened here and not closed",
                remedy: "add the missing } before the end of the file")
            attach()
        }
        records.entries[0].end = UInt32(clamping: records.entries.count)
        defer { records = SyntaxRecords() }
        return SyntaxTree(records)
    }

    /// The words of each stretch as a script has them; nil when that changes where the braces are.
    private func scriptSegments(_ line: LogicalLine, matching tokens: [Token]) -> [[Word]]? {
        var splitter = WordSplitter(line, isScript: true)
        let escaped = segments(splitter.tokens())
        return escaped.count == segments(tokens).count ? escaped : nil
    }

    /// The words of each stretch between braces.
    private func segments(_ tokens: [Token]) -> [[Word]] {
        var result: [[Word]] = [[]]
        for token in tokens {
            switch token {
            case .word(let word): result[result.count - 1].append(word)
            case .open, .close: result.append([])
            }
        }
        return result
    }

    private var top: Int { frames.count - 1 }

    private func brace(_ text: String, _ place: Place) -> Word { Word(text: text, place: place, length: 1) }

    /// A statement of the words from `first` on, and what they are in a script.
    private mutating func append(_ first: UInt32, _ script: [Word]?) -> Int {
        let keyword = Int(first)
        let row = records.words.isQuoted(keyword) ? nil : row(of: keyword, in: frames[top].vocabulary)
        var entry = SyntaxRecords.Entry(words: first..<records.words.count, row: Int16(clamping: row ?? -1))
        if let script {
            entry.script = Int32(clamping: records.scripts.count)
            for word in script { records.words.append(word) }
            records.scripts.append(entry.words.upperBound..<records.words.count)
        }
        records.entries.append(entry)
        return records.entries.count - 1
    }

    private func row(of word: Int, in vocabulary: WordIndex?) -> Int? {
        guard let vocabulary else { return nil }
        return records.words.withBytes(word) { vocabulary.row(of: $0) }
    }

    /// The kind of block that a statement of the innermost block opens; nil when it opens none.
    private func child(_ entry: Int) -> BlockKind? {
        let row = Int(records.entries[entry].row)
        return row < 0 ? nil : frames[top].vocabulary?.children[row]
    }

    /// The kind of block that a word would open in a frame.
    private func child(word: Int, in frame: Frame) -> BlockKind? {
        guard !records.words.isQuoted(word), let row = row(of: word, in: frame.vocabulary) else { return nil }
        return frame.vocabulary?.children[row]
    }

    /// A statement that ends with its line, or before a `}`.
    private mutating func add(_ first: UInt32, _ script: [Word]?, _ reporter: inout Reporter) {
        guard first < records.words.count else { return }
        guard skippedDepth == 0 else { return records.words.drop(from: first) }
        openForgotten(&reporter)
        frames[top].last = append(first, script)
    }

    /// A block-taking keyword without `{`, followed by more: its block is taken as open from here.
    private mutating func openForgotten(_ reporter: inout Reporter) {
        guard let last = frames[top].last, !records.entries[last].hasBlock, let kind = child(last),
            frames.count < TreeBuilder.maximumDepth
        else { return }
        let title = records.title(records.entries[last].words)
        reporter.error(
            .missingBlock, at: records.keyword(last), "\(title) has no { on its line or the next",
            remedy: "write \(title) {")
        frames.append(Frame(opener: last, kind: kind))
    }

    private mutating func open(_ first: UInt32, _ script: [Word]?, _ brace: Word, _ reporter: inout Reporter) {
        guard skippedDepth == 0 else {
            skippedDepth += 1
            return records.words.drop(from: first)
        }
        let opener: Int
        if first < records.words.count {
            closeForgotten(before: first, &reporter)
            openForgotten(&reporter)
            opener = append(first, script)
        } else if let last = frames[top].last, !records.entries[last].hasBlock {
            opener = last
        } else {
            reporter.error(.unexpectedBrace, at: brace, "this { belongs to no keyword", remedy: "remove it and its }")
            records.words.append(brace)
            opener = append(first, nil)
        }
        guard frames.count < TreeBuilder.maximumDepth else {
            reporter.error(
                .limitExceeded, at: brace, "blocks are nested more than \(TreeBuilder.maximumDepth) deep")
            records.entries.removeLast()
            if frames[top].last == opener { frames[top].last = nil }
            skippedDepth = 1
            return
        }
        frames.append(Frame(opener: opener, kind: child(opener) ?? .unknown))
    }

    /// A block that cannot be here but could be further out: everything between was not closed.
    private mutating func closeForgotten(before first: UInt32, _ reporter: inout Reporter) {
        let keyword = Int(first)
        guard child(word: keyword, in: frames[top]) == nil else { return }
        let candidates = frames.indices.dropLast().reversed().filter { frames[top].kind != .unknown || $0 == 0 }
        guard let outer = candidates.first(where: { child(word: keyword, in: frames[$0]) != nil }) else { return }
        let sibling = records.title(first..<records.words.count)
        while top > outer {
            let opener = frames[top].opener
            let title = records.title(records.entries[opener].words)
            reporter.error(
                .unclosedBlock, at: records.keyword(opener), "\(title) is opened here and not closed before \(sibling)",
                remedy: "add the missing } before \(sibling)",
                notes: [(records.words[keyword], "\(sibling) cannot be inside \(title)")])
            attach()
        }
    }

    private mutating func close(_ brace: Word, _ reporter: inout Reporter) {
        if skippedDepth > 0 {
            skippedDepth -= 1
        } else if frames.count > 1 {
            attach()
        } else {
            reporter.error(
                .unexpectedBrace, at: brace, "this } closes nothing",
                remedy: "remove it, or look for a { that is missing above")
        }
    }

    /// Ends the innermost block.
    private mutating func attach() {
        let opener = frames.removeLast().opener
        records.entries[opener].end = UInt32(clamping: records.entries.count)
        frames[top].last = opener
    }
}
