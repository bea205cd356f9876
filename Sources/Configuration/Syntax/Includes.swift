// `include FILE` and its variants: globs, csh braces, relative to the including file's directory. The letter of a variant
// says what must hold: r every file readable, m something matches, w every wildcard matches, b every brace alternative
// matches, a all of these. A file named outright must exist under every variant.

/// An include line.
struct Include {
    let pattern: Word
    /// What holds for this one: what its letter says, besides what `include_check` said above.
    var checks: IncludeCheck

    /// Nil when the line is something else.
    init?(_ line: LogicalLine) {
        guard line.bytes.starts(with: "include".utf8) else { return nil }
        let end = line.bytes.firstIndex(where: isBlank) ?? line.bytes.count
        let variant = String(decoding: line.bytes["include".utf8.count..<end], as: UTF8.self)
        guard ["", "r", "m", "w", "b", "a"].contains(variant) else { return nil }
        let rest = line.from(end).trimmed()
        let text = rest.bytes.filter { $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "'") }
        pattern = Word(
            text: String(decoding: text, as: UTF8.self), place: rest.bytes.isEmpty ? line.place(0) : rest.place(0),
            length: rest.bytes.isEmpty ? line.bytes.count : rest.length(0..<rest.bytes.count))
        checks =
            [
                "r": IncludeCheck.readable, "m": .match, "w": .wildcards, "b": .alternatives, "a": .all,
            ][variant] ?? []
    }
}

extension Preprocessor {
    /// Reads what an include names, in place.
    mutating func processInclude(_ line: Include) {
        var include = line
        include.checks.formUnion(includeChecks)
        guard !include.pattern.text.isEmpty else {
            reporter.error(.missingValue, at: include.pattern, "include needs the name of a file")
            return
        }
        guard includeStack.count < limits.includeDepth else {
            reporter.error(
                .limitExceeded, at: include.pattern, "files include each other more than \(limits.includeDepth) deep")
            return
        }
        let base = includeStack.last.map(directory) ?? "."
        let alternatives = expandBraces(include.pattern.text, limit: 256)
        let isLiteral = alternatives.count == 1 && !hasWildcard(alternatives[0])
        var paths: [String] = []
        for alternative in alternatives {
            let path = alternative.hasPrefix("/") || base == "." ? alternative : base + "/" + alternative
            let found: [String]
            do throws(FileLoaderError) {
                found = try loader.paths(matching: path)
            } catch {
                unreadable("a directory of \(path)", error, include, isSkipped: false)
                continue
            }
            patterns[path] = found
            if found.isEmpty {
                complain(include, alternative, isLiteral: isLiteral, isFromBraces: alternatives.count > 1)
            }
            paths += found
        }
        if paths.isEmpty, include.checks.contains(.match), !isLiteral {
            reporter.error(.fileNotFound, at: include.pattern, "no file matches \(include.pattern.text)")
        }
        for path in paths { readIncluded(path, include) }
    }

    private mutating func complain(_ include: Include, _ alternative: String, isLiteral: Bool, isFromBraces: Bool) {
        let isRequired =
            isLiteral || (isFromBraces && include.checks.contains(.alternatives))
            || (hasWildcard(alternative) && include.checks.contains(.wildcards))
        guard isRequired else { return }
        reporter.error(
            .fileNotFound, at: include.pattern, "there is no file \(alternative)",
            remedy: isLiteral ? "create it, or include a pattern such as conf.d/*.conf, which may match nothing" : nil)
    }

    private mutating func readIncluded(_ path: String, _ include: Include) {
        guard !includeStack.contains(path) else {
            reporter.error(.fileNotFound, at: include.pattern, "\(path) includes itself")
            return
        }
        guard reporter.sources.files.count < limits.files else {
            reporter.error(.limitExceeded, at: include.pattern, "more than \(limits.files) files")
            return
        }
        do {
            try readFile(path)
        } catch {
            let isFound = hasWildcard(include.pattern.text) && !include.checks.contains(.readable)
            unreadable(path, error, include, isSkipped: isFound && error.kind == .directory)
        }
    }

    /// What a pattern finds and cannot be read is as wrong as a file that is named: a service that is in it would go. keepalived skips it.
    private mutating func unreadable(_ what: String, _ error: FileLoaderError, _ include: Include, isSkipped: Bool) {
        let remedy =
            switch error.kind {
            case .forbidden:
                "the daemons read it as members of group evenkeel-private: give it to that group, chmod g+r"
            case .directory: "include the files in it: \(what)/*.conf"
            case .other: "mend it, or move it to where \(include.pattern.text) does not find it"
            }
        reporter.report(
            isSkipped ? .warning : .error, .fileNotFound, at: include.pattern.place, length: include.pattern.length,
            "\(what) cannot be read: \(error.reason)\(isSkipped ? "; what is in it does not count" : "")",
            remedy: remedy)
    }
}

/// True when glob(7) would look for other names than this one.
func hasWildcard(_ text: String) -> Bool {
    text.utf8.contains { [UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "[")].contains($0) }
}

/// csh braces: `a{b,c}d` → abd, acd; nested. At most `limit` results; unbalanced braces stay as they are.
func expandBraces(_ text: String, limit: Int) -> [String] {
    var done: [String] = []
    var open: [[UInt8]] = [Array(text.utf8)]
    while let next = open.popLast() {
        guard done.count + open.count < limit, let (range, items) = firstBraces(next) else {
            done.append(String(decoding: next, as: UTF8.self))
            if done.count >= limit { break }
            continue
        }
        for item in items.reversed() {
            open.append(Array(next[..<range.lowerBound]) + item + Array(next[range.upperBound...]))
        }
    }
    return done
}

/// The first `{…,…}` and its alternatives.
private func firstBraces(_ bytes: [UInt8]) -> (Range<Int>, [[UInt8]])? {
    guard let start = bytes.firstIndex(of: UInt8(ascii: "{")) else { return nil }
    var depth = 0
    var items: [[UInt8]] = [[]]
    for index in start..<bytes.count {
        let byte = bytes[index]
        if byte == UInt8(ascii: "{") {
            depth += 1
            if depth == 1 { continue }
        } else if byte == UInt8(ascii: "}") {
            depth -= 1
            if depth == 0 { return (start..<index + 1, items) }
        } else if byte == UInt8(ascii: ","), depth == 1 {
            items.append([])
            continue
        }
        items[items.count - 1].append(byte)
    }
    return nil
}
