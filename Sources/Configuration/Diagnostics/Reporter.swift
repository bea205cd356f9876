// Collects diagnostics while a configuration is read, so that reading code says what is wrong in one line. It holds the
// sources because a diagnostic is made with its line: afterwards nobody needs the files. Bounded by severity, so that a
// thousand warnings do not hide an error.

/// The files read so far and what was said about them.
struct Reporter: Sendable {
    /// More than this many of one severity are counted, not kept: nobody reads them, and hostile input must not fill memory.
    static let limit = 250

    var sources = SourceMap()
    private(set) var diagnostics: [Diagnostic] = []
    private(set) var errors = 0
    private(set) var warnings = 0
    /// Where something stands whose value is not known: nothing more is said about it.
    private var spoiled: Set<Place> = []
    /// Those that were counted only.
    var dropped: Int { errors + warnings - diagnostics.count }

    /// True when further errors are only counted: then nobody needs to look for what was meant.
    var isFull: Bool { errors >= Reporter.limit }

    mutating func report(
        _ severity: Diagnostic.Severity, _ code: Diagnostic.Code, at place: Place, length: Int, _ message: String,
        remedy: String? = nil, notes: [(Word, String)] = []
    ) {
        guard spoiled.isEmpty || !spoiled.contains(place) else { return }
        guard (severity == .error ? errors : warnings) < Reporter.limit else { return count(severity) }
        let diagnostic = Diagnostic(
            severity: severity, code: code, source: sources.excerpt(place, length: length), message: message,
            remedy: remedy,
            notes: notes.map {
                Diagnostic.Note(source: sources.excerpt($0.0.place, length: $0.0.length), message: $0.1)
            })
        // A block that is read once for each address of a group says everything as often.
        guard !diagnostics.contains(diagnostic) else { return }
        count(severity)
        diagnostics.append(diagnostic)
    }

    /// An error about what stands at a place, and the last word about it: what it would have been is not known.
    mutating func spoil(
        _ code: Diagnostic.Code, at place: Place, length: Int, _ message: String, remedy: String
    ) {
        report(.error, code, at: place, length: length, message, remedy: remedy)
        spoiled.insert(place)
    }

    private mutating func count(_ severity: Diagnostic.Severity) {
        switch severity {
        case .error: errors += 1
        case .warning: warnings += 1
        }
    }

    /// The configuration cannot be used.
    mutating func error(
        _ code: Diagnostic.Code, at word: Word, _ message: String, remedy: String? = nil, notes: [(Word, String)] = []
    ) {
        report(.error, code, at: word.place, length: word.length, message, remedy: remedy, notes: notes)
    }

    /// The configuration can be used.
    mutating func warning(
        _ code: Diagnostic.Code, at word: Word, _ message: String, remedy: String? = nil, notes: [(Word, String)] = []
    ) {
        report(.warning, code, at: word.place, length: word.length, message, remedy: remedy, notes: notes)
    }

    /// A quote that does not quote what it seems to.
    mutating func report(_ problem: WordSplitter.Problem) {
        switch problem {
        case .unmatched(let place):
            report(
                .error, .unmatchedQuote, at: place, length: 1, "the quote that opens here is not closed on its line",
                remedy: "close it before the end of the line, or leave the quotes out")
        case .typographic(let place, let length, let character):
            let code = character.unicodeScalars.first.map { String($0.value, radix: 16, uppercase: true) } ?? ""
            report(
                .error, .typographicQuote, at: place, length: length,
                "\(character) (U+\(code)) is a typographic quote, it does not quote anything",
                remedy: "type a plain \" (U+0022) in its place; word processors and web pages change it")
        }
    }
}
