// How text looks on a terminal. Colour says nothing that the words do not say as well: everything also reads right in
// a log file, on a serial console, or with NO_COLOR.
import Glibc
import Platform

/// What a piece of text means to the reader.
enum Tone: Sendable {
    case plain
    /// Headings.
    case strong
    /// What needs no attention.
    case faint
    case good
    case warning
    case bad

    /// The SGR parameters (ECMA-48); nil leaves the text alone.
    fileprivate var parameters: String? {
        switch self {
        case .plain: nil
        case .strong: "1"
        case .faint: "2"
        case .good: "32"
        case .warning: "33"
        case .bad: "1;31"
        }
    }
}

/// Whether there is colour.
struct Style: Sendable {
    let isColoured: Bool

    /// Colour on a terminal, unless NO_COLOR is set to something (no-color.org) or the terminal is `dumb`.
    static func detect(
        isTerminal: Bool = isatty(STDOUT_FILENO) == 1, environment: (String) -> String? = Environment.value
    ) -> Style {
        let refused = !(environment("NO_COLOR") ?? "").isEmpty || environment("TERM") == "dumb"
        return Style(isColoured: isTerminal && !refused)
    }

    func paint(_ text: String, _ tone: Tone) -> String {
        guard isColoured, let parameters = tone.parameters, !text.isEmpty else { return text }
        return "\u{1B}[\(parameters)m\(text)\u{1B}[0m"
    }
}

/// The terminal that text goes to.
enum Terminal {
    /// Characters in a line; nil when the descriptor is not a terminal, or one that does not say.
    static func width(of descriptor: Int32 = STDOUT_FILENO) -> Int? { size(of: descriptor)?.columns }

    /// Characters in a line, and lines.
    static func size(of descriptor: Int32 = STDOUT_FILENO) -> (columns: Int, lines: Int)? {
        var size = winsize()
        guard isatty(descriptor) == 1, ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
            return nil
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }
}

/// Standard error: what a person has to be told beside the answer.
enum StandardError {
    /// Writes `lbctl: ` and the text, broken to the terminal's width.
    static func say(_ text: String) {
        let lines = "lbctl: \(text)".split(separator: "\n", omittingEmptySubsequences: false).flatMap { line in
            Wrap.lines([Cell(String(line))], Style(isColoured: false), width: Terminal.width(of: STDERR_FILENO))
        }
        Console.write(lines.joined(separator: "\n") + "\n", to: STDERR_FILENO)
    }
}

/// The environment of this process.
enum Environment {
    static func value(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// Text is UTF-8, as far as the locale says.
    static var isUnicode: Bool {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap(value).first { !$0.isEmpty } ?? ""
        return locale.lowercased().replacing("-", with: "").contains("utf8")
    }
}

extension String {
    /// The text with control characters replaced, for showing what came from elsewhere: a reason or a name must not be
    /// able to move the cursor.
    var printable: String {
        guard unicodeScalars.contains(where: \.isControl) else { return self }
        return String(String.UnicodeScalarView(unicodeScalars.map { $0.isControl ? "\u{FFFD}" : $0 }))
    }
}

extension Unicode.Scalar {
    /// C0, DEL and C1.
    fileprivate var isControl: Bool { value < 0x20 || (0x7F...0x9F).contains(value) }
}
