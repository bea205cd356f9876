// Words and braces → blocks. The builder knows which keyword may stand in which block (from the keyword table), so that
// a missing `}` is found where the next sibling betrays it, and reading goes on with the right block.

/// Builds the tree line by line.
struct TreeBuilder {
    /// A block that is still open.
    private struct Frame {
        /// What opened it; nil for the file itself.
        var opener: Statement?
        let kind: BlockKind
        /// What opens a block in it.
        private let openers: [String: BlockKind]
        var block = Block()

        init(opener: Statement? = nil, kind: BlockKind) {
            self.opener = opener
            self.kind = kind
            openers = Structure.openers(in: kind)
        }

        /// The kind of block that `word` opens in it; nil when it opens none.
        func child(_ word: Word) -> BlockKind? { word.isQuoted ? nil : openers[word.text] }
    }

    /// Blocks within blocks; keepalived's deepest is five.
    private static let maximumDepth = 32

    private var frames = [Frame(opener: nil, kind: .file)]
    /// Blocks beyond the maximum depth, skipped.
    private var skippedDepth = 0

    /// Takes a line in.
    mutating func take(_ line: LogicalLine, _ reporter: inout Reporter) {
        var splitter = WordSplitter(line, isScript: false)
        let tokens = splitter.tokens()
        for problem in splitter.problems { reporter.report(problem) }
        let scripts = line.needsScriptReading ? scriptSegments(line, matching: tokens) : nil
        var segment = 0
        var words: [Word] = []
        words.reserveCapacity(tokens.count)
        for token in tokens {
            switch token {
            case .word(let word): words.append(word)
            case .open(let brace):
                open(words, scripts?[segment], brace, &reporter)
                words = []
                segment += 1
            case .close(let brace):
                add(words, scripts?[segment], &reporter)
                close(brace, &reporter)
                words = []
                segment += 1
            }
        }
        add(words, scripts?[segment], &reporter)
    }

    /// Ends the file: whatever is open now was not closed.
    mutating func finish(_ reporter: inout Reporter) -> Block {
        while frames.count > 1, let frame = frames.popLast() {
            if let opener = frame.opener {
                reporter.error(
                    .unclosedBlock, at: opener.keyword, "\(opener.title) is opened here and not closed",
                    remedy: "add the missing } before the end of the file")
            }
            attach(frame)
        }
        return frames[0].block
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

    /// A statement that ends with its line, or before a `}`.
    private mutating func add(_ words: [Word], _ script: [Word]?, _ reporter: inout Reporter) {
        guard !words.isEmpty, skippedDepth == 0 else { return }
        openForgotten(&reporter)
        frames[top].block.statements.append(
            Statement(words: words, scriptWords: script, block: nil))
    }

    /// A block-taking keyword without `{`, followed by more: its block is taken as open from here.
    private mutating func openForgotten(_ reporter: inout Reporter) {
        guard let last = frames[top].block.statements.last, last.block == nil,
            let kind = frames[top].child(last.keyword), frames.count < TreeBuilder.maximumDepth
        else { return }
        reporter.error(
            .missingBlock, at: last.keyword, "\(last.title) has no { on its line or the next",
            remedy: "write \(last.title) {")
        frames[top].block.statements.removeLast()
        frames.append(Frame(opener: last, kind: kind))
    }

    private mutating func open(_ words: [Word], _ script: [Word]?, _ brace: Word, _ reporter: inout Reporter) {
        guard skippedDepth == 0 else {
            skippedDepth += 1
            return
        }
        var opener: Statement
        if let first = words.first {
            closeForgotten(before: first, words, &reporter)
            openForgotten(&reporter)
            opener = Statement(words: words, scriptWords: script, block: nil)
        } else if let last = frames[top].block.statements.last, last.block == nil {
            opener = last
            frames[top].block.statements.removeLast()
        } else {
            reporter.error(.unexpectedBrace, at: brace, "this { belongs to no keyword", remedy: "remove it and its }")
            opener = Statement(words: [brace], scriptWords: nil, block: nil)
        }
        guard frames.count < TreeBuilder.maximumDepth else {
            reporter.error(
                .limitExceeded, at: brace, "blocks are nested more than \(TreeBuilder.maximumDepth) deep")
            skippedDepth = 1
            return
        }
        frames.append(Frame(opener: opener, kind: frames[top].child(opener.keyword) ?? .unknown))
    }

    /// A block that cannot be here but could be further out: everything between was not closed.
    private mutating func closeForgotten(before word: Word, _ words: [Word], _ reporter: inout Reporter) {
        guard frames[top].child(word) == nil else { return }
        let candidates = frames.indices.dropLast().reversed().filter { frames[top].kind != .unknown || $0 == 0 }
        guard let outer = candidates.first(where: { frames[$0].child(word) != nil }) else { return }
        let sibling = Statement(words: words, scriptWords: nil, block: nil)
        while top > outer, let frame = frames.popLast() {
            if let opener = frame.opener {
                reporter.error(
                    .unclosedBlock, at: opener.keyword,
                    "\(opener.title) is opened here and not closed before \(sibling.title)",
                    remedy: "add the missing } before \(sibling.title)",
                    notes: [(word, "\(sibling.title) cannot be inside \(opener.title)")])
            }
            attach(frame)
        }
    }

    private mutating func close(_ brace: Word, _ reporter: inout Reporter) {
        if skippedDepth > 0 {
            skippedDepth -= 1
        } else if frames.count > 1, let frame = frames.popLast() {
            attach(frame)
        } else {
            reporter.error(
                .unexpectedBrace, at: brace, "this } closes nothing",
                remedy: "remove it, or look for a { that is missing above")
        }
    }

    private mutating func attach(_ frame: Frame) {
        guard var statement = frame.opener else { return }
        statement.block = frame.block
        frames[top].block.statements.append(statement)
    }
}
