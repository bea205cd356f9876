// Files → logical lines: comments, conditions (@ID), definitions ($NAME=…), sequences (~SEQ, ~LST), substitution, includes.
// The order for one line is keepalived's: comment, condition, definition, sequence, substitution (then again from the
// condition on, because a parameter may hold any of them), include, words. Every loop is bounded by `ReadingLimits`.

/// What a configuration may ask about where it is read.
struct ReadingEnvironment {
    /// What `@ID` compares with.
    var configID: String
    /// `${_INSTANCE}`.
    var instance: String
    /// `${_ENV NAME}`.
    var variable: (String) -> String?
}

/// Reads the main file and all it includes into a syntax tree.
struct Preprocessor {
    let loader: any FileLoader
    let environment: ReadingEnvironment
    let limits: ReadingLimits
    var reporter = Reporter()
    var builder = TreeBuilder()
    /// What the digest is made of: each file's path and bytes, and the environment that was asked for.
    var digestParts: [[UInt8]] = []
    /// What `include_check` says so far.
    var includeChecks: IncludeCheck = []
    /// What the patterns of includes found.
    var patterns: [String: [String]] = [:]

    var definitions: [String: [LogicalLine]] = [:]
    var includeStack: [String] = []
    private var openDefinition: OpenDefinition?
    private var conditions = Conditions()
    private var linesLeft: Int
    private var saidTooMany = false
    var randomState: UInt64 = 0xCBF2_9CE4_8422_2325

    /// A `$NAME= \` whose lines are still coming; a nil name belongs to another config id and is dropped.
    private struct OpenDefinition {
        var name: String?
        var lines: [LogicalLine]
    }

    /// What is known of the `@NAME` lines.
    private struct Conditions {
        var first: (place: Place, length: Int)?
        /// One of them is for this director, or for all but another.
        var concernUs = false
    }

    init(loader: any FileLoader, environment: ReadingEnvironment, limits: ReadingLimits) {
        self.loader = loader
        self.environment = environment
        self.limits = limits
        linesLeft = limits.lines
    }

    /// Reads a file into the tree; false when it cannot be read (the caller says so where it was named).
    mutating func readFile(_ path: String) throws(FileLoaderError) {
        let bytes = try loader.read(path, limit: limits.fileBytes)
        digestParts += [Array(path.utf8) + [0], bytes, [0]]
        for byte in bytes.prefix(4096) { randomState = (randomState ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        let file = reporter.sources.add(path: path, bytes: bytes)
        includeStack.append(path)
        let outer = openDefinition
        openDefinition = nil
        let source = reporter.sources.files[Int(file)]
        builder.add(bytes, lines: source.lineStarts.count)
        bytes.withUnsafeBufferPointer { bytes in
            for index in source.lineStarts.indices {
                let whole = source.range(ofLine: index)
                var (start, end) = (whole.lowerBound, whole.upperBound)
                if index == 0, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { start += 3 }
                while start < end, isBlank(bytes[start]) { start += 1 }
                while start < end, isBlank(bytes[end - 1]) { end -= 1 }
                let place = Place(
                    file: file, line: Int32(clamping: index), byte: Int32(clamping: start - whole.lowerBound))
                guard start < end || openDefinition != nil else { continue }
                let line = UnsafeBufferPointer(rebasing: bytes[start..<end])
                if !readPlain(line, at: place, start: start) {
                    readLine(LogicalLine(bytes: Array(line), start: place))
                }
            }
        }
        finishDefinition()
        openDefinition = outer
        includeStack.removeLast()
    }

    /// The tree, when the main file has been read.
    mutating func finish() -> SyntaxTree {
        if let first = conditions.first, !conditions.concernUs {
            reporter.report(
                .warning, .unused, at: first.place, length: first.length,
                "no @NAME line is for this director, which is \"\(environment.configID)\"",
                remedy: "write its name, or name it as keepalived -i does: EVENKEEL_CONFIG_ID=NAME in "
                    + "/etc/evenkeel/daemons.env, --config-id NAME")
        }
        return builder.finish(&reporter)
    }

    /// A line as it stands in a file that is nothing but words and braces, as most are; false when it may be more.
    private mutating func readPlain(_ line: UnsafeBufferPointer<UInt8>, at place: Place, start: Int) -> Bool {
        guard openDefinition == nil, linesLeft > 0, line.count <= limits.lineBytes else { return false }
        switch line[0] {
        case UInt8(ascii: "@"), UInt8(ascii: "~"): return false
        case UInt8(ascii: "i"): if line.starts(with: "include".utf8) { return false }
        case UInt8(ascii: "r"): if line.starts(with: "random_seed".utf8) { return false }
        default: break
        }
        guard let count = builder.takePlain(line, at: place, start: start, &reporter) else { return false }
        if count > 0 { linesLeft -= 1 }
        return true
    }

    /// One line as it stands in a file, without blanks at its ends.
    private mutating func readLine(_ raw: LogicalLine) {
        if let index = raw.bytes.firstIndex(of: 0) {
            reporter.report(
                .error, .badCharacter, at: raw.place(index), length: 1, "a NUL byte is not text",
                remedy: "remove it; is this a configuration file?")
            return
        }
        let stripped = raw.withoutComment()
        var line = stripped.trimmed()
        if stripped.runs == nil, stripped.bytes.count < raw.bytes.count, let last = stripped.bytes.last,
            isWordByte(last)
        {
            reporter.report(
                .warning, .badCharacter, at: raw.place(stripped.bytes.count), length: 1,
                "a comment begins here, in the middle of a word; what follows is ignored, as keepalived does",
                remedy: "put the word in double quotes if it is all meant, else a blank before the comment")
        }
        // In a definition a backslash at the end of a comment counts too.
        let goesOnInComment = line.bytes.last != UInt8(ascii: "\\") && raw.bytes.last == UInt8(ascii: "\\")
        if openDefinition != nil {
            let goesOn = line.removeContinuation() || goesOnInComment
            if !line.bytes.isEmpty { openDefinition?.lines.append(line) }
            if !goesOn { finishDefinition() }
            return
        }
        if goesOnInComment, line.definition() != nil { line = line.continued() }
        process(line, depth: 0)
    }

    /// Not a blank, a brace or a quote.
    private func isWordByte(_ byte: UInt8) -> Bool { !isBlank(byte) && !"{}\"\\;".utf8.contains(byte) }

    private mutating func finishDefinition() {
        guard let definition = openDefinition else { return }
        openDefinition = nil
        if let name = definition.name { definitions[name] = definition.lines }
    }

    /// A line without comment, possibly made by a substitution.
    mutating func process(_ line: LogicalLine, depth: Int) {
        guard !line.bytes.isEmpty, spend(line, depth) else { return }
        if line.bytes[0] == UInt8(ascii: "@") {
            processCondition(line, depth: depth)
        } else if let (name, value) = line.definition() {
            define(name, value)
        } else if line.bytes[0] == UInt8(ascii: "~"), let sequence = LineSequence(line) {
            processSequence(sequence, line, depth: depth)
        } else if let substituted = substitute(line) {
            substituted.enumerated().forEach { process($0.element, depth: depth + 1) }
        } else if let include = Include(line) {
            processInclude(include)
        } else {
            if line.bytes.last == UInt8(ascii: "\\") {
                reporter.report(
                    .error, .badCharacter, at: line.place(line.bytes.count - 1), length: 1,
                    "a backslash does not continue a line",
                    remedy: "write it on one line; only $NAME= definitions go over several")
            }
            actOn(line)
            builder.take(line, &reporter)
        }
    }

    /// Counts a line against the limits.
    private mutating func spend(_ line: LogicalLine, _ depth: Int) -> Bool {
        linesLeft -= 1
        let problem: String? =
            if linesLeft < 0 {
                "the configuration becomes more than \(limits.lines) lines"
            } else if builder.records.words.made.count > limits.madeBytes {
                "parameters make more than \(limits.madeBytes) bytes of the configuration"
            } else if line.bytes.count > limits.lineBytes {
                "the line is longer than \(limits.lineBytes) bytes"
            } else if depth > limits.substitutionDepth {
                "parameters are nested more than \(limits.substitutionDepth) deep; one may contain itself"
            } else {
                nil
            }
        guard let problem else { return true }
        if linesLeft >= 0 || !saidTooMany {
            reporter.report(.error, .limitExceeded, at: line.place(0), length: 1, problem)
        }
        if linesLeft < 0 { saidTooMany = true }
        return false
    }

    /// `@ID rest` and `@^ID rest`.
    private mutating func processCondition(_ line: LogicalLine, depth: Int) {
        var index = 1
        let isNegated = line.bytes.count > 1 && line.bytes[1] == UInt8(ascii: "^")
        if isNegated { index = 2 }
        let start = index
        while index < line.bytes.count, !isBlank(line.bytes[index]) { index += 1 }
        let id = String(decoding: line.bytes[start..<index], as: UTF8.self)
        let rest = line.from(index).trimmed()
        if conditions.first == nil {
            conditions.first = (line.place(0), index)
            digestParts.append(Array("@\(environment.configID)".utf8) + [0])
        }
        conditions.concernUs = conditions.concernUs || isNegated || id == environment.configID
        if (id == environment.configID) != isNegated {
            process(rest, depth: depth)
        } else if let (_, value) = rest.definition(), value.bytes.last == UInt8(ascii: "\\") {
            openDefinition = OpenDefinition(name: nil, lines: [])
        }
    }

    private mutating func define(_ name: String, _ value: LogicalLine) {
        var value = value
        if value.removeContinuation() {
            openDefinition = OpenDefinition(name: name, lines: value.bytes.isEmpty ? [] : [value])
        } else {
            definitions[name] = [value]
        }
    }

    /// Runs the rest of the line once for every value.
    private mutating func processSequence(_ sequence: LineSequence, _ line: LogicalLine, depth: Int) {
        let text = substituteText(sequence.arguments)
        let rest = line.from(sequence.end).trimmed()
        let rounds: LineSequence.Rounds
        do {
            rounds = try sequence.rounds(of: text, limit: max(0, linesLeft))
        } catch {
            reporter.report(.error, .badValue, at: line.place(0), length: sequence.end, error.description)
            return
        }
        let saved = rounds.names.map { definitions[$0] }
        for values in rounds.values where linesLeft >= 0 {
            for (name, value) in zip(rounds.names, values) {
                definitions[name] = [LogicalLine(bytes: Array(value.utf8), start: line.place(0))]
            }
            process(rest, depth: depth + 1)
        }
        for (name, value) in zip(rounds.names, saved) { definitions[name] = value }
    }

    /// Numbers that are the same in every daemon that reads the same files.
    mutating func nextRandom(_ range: ClosedRange<Int>) -> Int {
        randomState = randomState &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let (width, overflow) = range.upperBound.subtractingReportingOverflow(range.lowerBound)
        guard !overflow, width < .max else { return range.lowerBound }
        return range.lowerBound + Int((randomState >> 33) % UInt64(width + 1))
    }
}
