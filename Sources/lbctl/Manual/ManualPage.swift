// A manual page in the man(7) macros that groff and mandoc share, made from texts as `--help` prints them: paragraphs between empty lines, and
// lines that are indented stay as they are.
import Platform

/// A page that is being written.
struct ManualPage {
    private(set) var text: String
    /// A paragraph begins here by itself.
    private var isBelowHeading = false

    /// Begins one.
    /// - Parameter summary: what it is, as `apropos` lists it.
    init(_ name: String, section: Int, summary: String) {
        text = ".TH \"\(name.uppercased())\" \(section) \"\" \"Evenkeel \(evenkeelVersion)\" \"Evenkeel\"\n"
        // Commands and words of the configuration are not to be taken apart.
        text += ".nh\n.ad l\n"
        heading("Name")
        line("\(Self.escaped(name)) \\- \(Self.escaped(Self.phrase(summary)))")
    }

    /// A section.
    mutating func heading(_ title: String) {
        line(".SH \"\(Self.escaped(title.uppercased()))\"")
        isBelowHeading = true
    }

    /// A part of one.
    mutating func subheading(_ title: String) {
        line(".SS \"\(Self.escaped(title))\"")
        isBelowHeading = true
    }

    /// A word with what follows it, and what it is about.
    mutating func item(_ word: String, _ value: String = "", _ description: String) {
        line(".TP")
        line("\\fB\(Self.escaped(word))\\fR" + (value.isEmpty ? "" : " \\fI\(Self.escaped(value))\\fR"))
        line(description.isEmpty ? "\\&" : Self.guarded(Self.escaped(description)))
        isBelowHeading = false
    }

    /// Text for people.
    mutating func prose(_ prose: String) {
        enum Kind { case empty, words, example }
        var before = Kind.empty
        for next in prose.split(separator: "\n", omittingEmptySubsequences: false) {
            let kind = next.allSatisfy(\.isWhitespace) ? Kind.empty : next.hasPrefix("  ") ? .example : .words
            if before == .example, kind != .example { text += ".fi\n.RE\n" }
            if kind != .empty, kind != before {
                if !isBelowHeading { line(".PP") }
                if kind == .example { text += ".RS 4\n.nf\n" }
            } else if kind == .words {
                // What was a line of its own there is one here.
                line(".br")
            }
            if kind != .empty {
                line(Self.guarded(Self.escaped(String(kind == .example ? next.dropFirst(2) : next[...]))))
                isBelowHeading = false
            }
            before = kind
        }
        if before == .example { text += ".fi\n.RE\n" }
    }

    private mutating func line(_ line: String) { text += line + "\n" }

    /// Characters that have another meaning, or another look, in roff.
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "\\": escaped += "\\e"
            case "-": escaped += "\\-"
            case "'": escaped += "\\(aq"
            case "\"": escaped += "\\(dq"
            case "^": escaped += "\\(ha"
            case "~": escaped += "\\(ti"
            case "`": escaped += "\\(ga"
            default: escaped.append(character)
            }
        }
        return escaped
    }

    /// A dot at the beginning of a line would be a request.
    private static func guarded(_ line: String) -> String { line.hasPrefix(".") ? "\\&" + line : line }

    /// The summary of a page is no sentence.
    private static func phrase(_ sentence: String) -> String {
        var phrase = Substring(sentence)
        if phrase.hasSuffix(".") { phrase.removeLast() }
        return phrase.prefix(1).lowercased() == phrase.prefix(1).uppercased()
            || phrase.prefix(2).allSatisfy(\.isUppercase)
            ? String(phrase) : phrase.prefix(1).lowercased() + phrase.dropFirst()
    }
}

extension ManualPage {
    /// Help texts name their parts at the beginning of a line ("Exit status: …"): the sections that these become, and what comes before them.
    static func parts(of help: String) -> (beginning: String, sections: [(title: String, text: String)]) {
        let titles = ["Usage", "Exit status", "Environment", "Signals", "Files", "Examples", "Example"]
        var beginning = ""
        var sections: [(title: String, text: String)] = []
        for line in help.split(separator: "\n", omittingEmptySubsequences: false) {
            if let title = titles.first(where: { line.hasPrefix("\($0):") }) {
                let rest = line.dropFirst(title.count + 1).drop { $0 == " " }
                sections.append((title, rest.isEmpty ? "" : rest + "\n"))
            } else if sections.isEmpty {
                beginning += line + "\n"
            } else {
                sections[sections.count - 1].text += line + "\n"
            }
        }
        return (beginning, sections)
    }
}
