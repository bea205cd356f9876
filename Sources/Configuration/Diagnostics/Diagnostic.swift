// What the reader of a configuration has to say about it. Every problem of a file is collected, none stops the reading:
// a person who fixes a file wants the whole list. Text for people is made here and only here.

/// A place in a file, counted from 1; the column counts characters.
public struct SourcePosition: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The file as it was named: the main file's path, or the path an include found.
    public var file: String
    /// From 1; 0 when the file as a whole is meant.
    public var line: Int
    /// From 1, in characters; 0 when the file as a whole is meant.
    public var column: Int

    /// A place.
    public init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    public static func < (left: SourcePosition, right: SourcePosition) -> Bool {
        (left.file, left.line, left.column) < (right.file, right.line, right.column)
    }

    public var description: String { line > 0 ? "\(file):\(line):\(column)" : file }
}

/// One problem, where it is, and what to do about it.
public struct Diagnostic: Equatable, Sendable {
    /// Whether the configuration can be used.
    public enum Severity: String, Equatable, Sendable {
        /// The configuration is refused.
        case error
        /// It is used, but perhaps not as its author thinks.
        case warning
    }

    /// The kind of problem, for programs.
    public enum Code: String, Equatable, Sendable, CaseIterable {
        case unknownKeyword, misplacedKeyword, missingValue, badValue, outOfRange, extraWords, duplicateKeyword
        case duplicateName, missingKeyword, unknownReference, unclosedBlock, unexpectedBrace, missingBlock
        case unmatchedQuote, typographicQuote, badCharacter, limitExceeded, fileNotFound, undefinedParameter
        case notActedOn, deprecated, adjusted, contradiction, unused, machine
    }

    /// A second place that belongs to the problem.
    public struct Note: Equatable, Sendable {
        /// Where.
        public var source: SourceExcerpt
        /// What is there.
        public var message: String
    }

    /// Error or warning.
    public var severity: Severity
    /// The kind of problem.
    public var code: Code
    /// Where, with the line.
    public var source: SourceExcerpt
    /// What is wrong, in one sentence without a full stop.
    public var message: String
    /// What to do about it, in one sentence without a full stop.
    public var remedy: String?
    /// Other places that belong to it.
    public var notes: [Note]

    /// About a file as a whole.
    public static func ofFile(
        _ path: String, _ code: Code, _ message: String, remedy: String, severity: Severity = .error
    ) -> Diagnostic {
        let position = SourcePosition(file: path, line: 0, column: 0)
        return Diagnostic(
            severity: severity, code: code, source: SourceExcerpt(position: position, length: 1, line: ""),
            message: message, remedy: remedy, notes: [])
    }

    /// Where it is.
    public var position: SourcePosition { source.position }

    /// The text for people: place and message, the line, a caret under the words meant, remedy, notes. Ends in a newline.
    public func rendered(color: Bool = false) -> String {
        let paint = Paint(isOn: color)
        let word = severity == .error ? paint.red(severity.rawValue) : paint.yellow(severity.rawValue)
        var text = "\(paint.bold(source.position.description)): \(word): \(paint.bold(message))\n"
        text += source.rendered(paint)
        if let remedy { text += "      = \(remedy)\n" }
        for note in notes {
            text += "\(note.source.position): note: \(note.message)\n" + note.source.rendered(paint)
        }
        return text
    }
}

/// A place and the line it is in.
public struct SourceExcerpt: Equatable, Sendable {
    /// Where the words meant begin.
    public var position: SourcePosition
    /// How many characters are meant, at least 1.
    public var length: Int
    /// The line as it stands in the file, without its end.
    public var line: String

    /// The line with its number, and a caret below. Empty when there is no line (a file that cannot be read).
    fileprivate func rendered(_ paint: Paint) -> String {
        guard position.line > 0, !line.isEmpty else { return "" }
        let number = String(position.line)
        let margin = String(repeating: " ", count: max(0, 5 - number.utf8.count))
        var pad = ""
        var carets = ""
        for (index, character) in line.enumerated() {
            let width = character == "\t" ? "\t" : String(repeating: " ", count: displayWidth(character))
            if index < position.column - 1 {
                pad += width
            } else if index < position.column - 1 + length {
                carets += String(repeating: carets.isEmpty ? "^" : "~", count: character == "\t" ? 1 : width.utf8.count)
            } else {
                break
            }
        }
        let caret = paint.green(wide(carets))
        return "\(margin)\(number) | \(line)\n\(String(repeating: " ", count: 5)) | \(pad)\(caret)\n"
    }

    /// A caret and tildes; a wide first character gives two carets otherwise.
    private func wide(_ carets: String) -> String {
        "^" + String(repeating: "~", count: max(0, carets.utf8.count - 1))
    }
}

/// Columns that a character takes on a terminal: 2 for East Asian wide forms, else 1.
private func displayWidth(_ character: Character) -> Int {
    guard let scalar = character.unicodeScalars.first?.value else { return 1 }
    let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
        0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD,
    ]
    return wide.contains { $0.contains(scalar) } ? 2 : 1
}

/// Terminal colours, or none.
private struct Paint {
    let isOn: Bool
    private func with(_ code: String, _ text: String) -> String { isOn ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text }
    func bold(_ text: String) -> String { with("1", text) }
    func red(_ text: String) -> String { with("1;31", text) }
    func yellow(_ text: String) -> String { with("1;33", text) }
    func green(_ text: String) -> String { with("32", text) }
}
