// Swift source as it is written: indented lines, comments and argument lists filled to the width that `swift format`
// checks, so that what is generated passes `make lint` as it comes out.

/// Lines of Swift that are being written.
struct SwiftText {
    private static let width = 120
    private(set) var text = ""
    private var indentation = 0

    /// One line, or an empty one.
    mutating func line(_ line: String = "") {
        if !line.isEmpty { text += String(repeating: " ", count: indentation) + line }
        text += "\n"
    }

    /// `head {`, what `body` writes, `}`. A closure has no head, but `parameters`: ` call in`.
    mutating func block(
        _ head: String, parameters: String = "", _ body: (inout SwiftText) throws(GeneratorError) -> Void
    ) throws(GeneratorError) {
        line((head.isEmpty ? "" : head + " ") + "{" + parameters)
        indentation += 4
        try body(&self)
        indentation -= 4
        line("}")
    }

    /// A documentation comment, filled; an empty line of `comment` ends a paragraph.
    mutating func documentation(_ comment: String) {
        comments("///", comment)
    }

    /// A comment, filled like a documentation comment.
    mutating func comments(_ mark: String, _ comment: String) {
        let paragraphs = comment.split(separator: "\n", omittingEmptySubsequences: false).split(separator: "")
        for (number, paragraph) in paragraphs.enumerated() {
            if number > 0 { line(mark) }
            let words = paragraph.joined(separator: " ").split(separator: " ").map(String.init)
            for filled in fill(words, separator: " ", after: mark.count + 1) { line("\(mark) \(filled)") }
        }
    }

    /// `case NAME, NAME` on one line when it fits, else each on a line of its own.
    mutating func cases(_ names: [String]) {
        let whole = "case " + names.joined(separator: ", ")
        if indentation + whole.count <= Self.width { return line(whole) }
        for name in names { line("case \(name)") }
    }

    /// `head(items)tail` on one line when it fits, else the items filled between the brackets, the last with a comma where the language
    /// has it so.
    mutating func list(_ head: String, _ items: [String], _ tail: String, endsInComma: Bool = false) {
        let whole = head + items.joined(separator: ", ") + tail
        guard indentation + whole.count > Self.width else { return line(whole) }
        line(head)
        indentation += 4
        var lines = fill(items, separator: ", ", after: 0)
        if endsInComma, let last = lines.popLast() { lines.append(last + ",") }
        for filled in lines { line(filled) }
        indentation -= 4
        line(tail)
    }

    /// As many items on each line as fit; a line that is followed by another keeps its separator but for the blank.
    private func fill(_ items: [String], separator: String, after prefix: Int) -> [String] {
        let end = separator.filter { $0 != " " }
        var lines: [String] = []
        var current = ""
        for (number, item) in items.enumerated() {
            let isLast = number == items.count - 1
            let longer = current.isEmpty ? item : current + separator + item
            if !current.isEmpty, indentation + prefix + longer.count + (isLast ? 0 : end.count) > Self.width {
                lines.append(current + end)
                current = item
            } else {
                current = longer
            }
        }
        return lines + [current]
    }
}

extension String {
    /// This name as an identifier: in backquotes where it is a word of the language.
    var identifier: String { Self.reserved.contains(self) ? "`\(self)`" : self }

    private static let reserved = Set(
        """
        as associatedtype break case catch class continue default defer deinit do else enum extension fallthrough false
        fileprivate for func guard if import in init inout internal is let nil operator private protocol public repeat
        rethrows return self static struct subscript super switch throw throws true try typealias var where while
        """.split { $0 == " " || $0 == "\n" }.map(String.init))
}
