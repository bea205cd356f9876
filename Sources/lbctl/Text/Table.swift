// Columns that line up. Widths count characters, so colour does not shift anything. The last column is the one with the long
// text: where the terminal is too narrow it goes on below, under the row or under itself; where even the other columns do not
// fit, each row becomes a short paragraph.

/// One cell: text plus its tone.
struct Cell: ExpressibleByStringInterpolation, Sendable {
    let text: String
    let tone: Tone

    init(_ text: String, _ tone: Tone = .plain) {
        self.text = text.printable
        self.tone = tone
    }

    init(stringLiteral text: String) {
        self.init(text)
    }

    /// A number.
    init(_ number: some BinaryInteger, _ tone: Tone = .plain) {
        self.init(String(number), tone)
    }
}

/// Rows under titles. Columns that are empty in every row are left out; nothing trails a line.
struct Table {
    /// One column.
    struct Column: ExpressibleByStringLiteral {
        let title: String
        var isNumeric = false

        init(stringLiteral title: String) {
            self.title = title
        }

        /// A column of numbers, aligned at the right.
        static func number(_ title: String) -> Column {
            var column = Column(stringLiteral: title)
            column.isNumeric = true
            return column
        }
    }

    /// The lines of a table: titles, and those of each row.
    struct Lines {
        let titles: [String]
        let rows: [[String]]
        var all: [String] { titles + rows.flatMap(\.self) }
    }

    /// Fewer characters than this beside the other columns, and the last one goes below the row.
    private static let narrowest = 24

    let columns: [Column]
    private(set) var rows: [[Cell]] = []

    init(_ columns: Column...) {
        self.init(columns)
    }

    init(_ columns: [Column]) {
        self.columns = columns
    }

    /// Adds a row; cells that are missing at the end are empty.
    mutating func row(_ cells: Cell...) {
        row(cells)
    }

    mutating func row(_ cells: [Cell]) {
        rows.append(cells)
    }

    /// Characters of its longest line.
    var width: Int { lines(Style(isColoured: false)).all.reduce(0) { max($0, $1.count) } }

    /// The lines, each indented; `width` is the terminal's, nil when it does not matter.
    func lines(_ style: Style, indent: Int = 0, width: Int? = nil) -> Lines {
        let used = columns.indices.filter { column in rows.contains { !Self.cell($0, column).text.isEmpty } }
        let widths = columns.indices.map { column in
            rows.reduce(columns[column].title.count) { max($0, Self.cell($1, column).text.count) }
        }
        let others = used.dropLast().reduce(indent) { $0 + widths[$1] + 2 }
        guard let width, let last = used.last, others + widths[last] > width else {
            return inline(used, widths, style, indent, others, width: nil)
        }
        if others + Self.narrowest <= width { return inline(used, widths, style, indent, others, width: width) }
        if others - 2 <= width, used.count > 1 {
            return below(Array(used.dropLast()), last, widths, style, indent, width)
        }
        return paragraphs(used, style, indent, width)
    }

    /// The last column beside the others, wrapped there.
    private func inline(
        _ used: [Int], _ widths: [Int], _ style: Style, _ indent: Int, _ start: Int, width: Int?
    ) -> Lines {
        func lines(_ cells: [Cell]) -> [String] {
            guard let width, let last = used.last, !Self.cell(cells, last).text.isEmpty else {
                return [line(cells, used, widths, style, indent)]
            }
            let before = line(cells, used.dropLast(), widths, style, indent, filled: true)
            let text = Wrap.lines([Self.cell(cells, last)], style, width: width - start, hanging: 0)
            return [before + (text.first ?? "")] + text.dropFirst().map { Wrap.blanks(start) + $0 }
        }
        return Lines(titles: lines(columns.map { Cell($0.title, .faint) }), rows: rows.map(lines))
    }

    /// The last column on lines of its own under each row.
    private func below(
        _ used: [Int], _ last: Int, _ widths: [Int], _ style: Style, _ indent: Int, _ width: Int
    ) -> Lines {
        let rows = rows.map { row -> [String] in
            let text = Self.cell(row, last)
            let first = line(row, used, widths, style, indent)
            guard !text.text.isEmpty else { return [first] }
            return [first] + Wrap.lines([text], style, width: width, indent: indent + 4, hanging: indent + 4)
        }
        return Lines(titles: [line(columns.map { Cell($0.title, .faint) }, used, widths, style, indent)], rows: rows)
    }

    /// Each row as its first two cells, then the others after their titles.
    private func paragraphs(_ used: [Int], _ style: Style, _ indent: Int, _ width: Int) -> Lines {
        let rows = rows.map { row -> [String] in
            let cells = used.map { (columns[$0].title, Self.cell(row, $0)) }
            let head = cells.prefix(2).map(\.1).filter { !$0.text.isEmpty }.flatMap { ["  ", $0] as [Cell] }.dropFirst()
            let rest = cells.dropFirst(2).filter { !$0.1.text.isEmpty }
                .flatMap { title, cell -> [Cell] in
                    // A title stays with the first word of its value where there is room for both.
                    let together = indent + 3 + title.count + cell.text.prefix { $0 != " " }.count
                    return [
                        ", ",
                        Cell(together <= width ? "\(title) ".replacing(" ", with: "\u{A0}") : title + " ", .faint),
                        cell,
                    ]
                }.dropFirst()
            let lines = Wrap.lines(Array(head), style, width: width, indent: indent, hanging: indent + 2)
            guard !rest.isEmpty else { return lines }
            return lines + Wrap.lines(Array(rest), style, width: width, indent: indent + 2, hanging: indent + 2)
        }
        return Lines(titles: [], rows: rows)
    }

    /// One line of these columns; `filled` keeps the blanks at its end.
    private func line(
        _ cells: [Cell], _ used: some Sequence<Int>, _ widths: [Int], _ style: Style, _ indent: Int,
        filled: Bool = false
    ) -> String {
        var line = Wrap.blanks(indent)
        var owed = 0
        for column in used {
            let cell = Self.cell(cells, column)
            let padding = widths[column] - cell.text.count
            let before = columns[column].isNumeric ? padding : 0
            if !cell.text.isEmpty {
                line += Wrap.blanks(owed + before) + style.paint(cell.text, cell.tone)
                owed = 0
            } else {
                owed += before
            }
            owed += padding - before + 2
        }
        return filled ? line + Wrap.blanks(owed) : line
    }

    private static func cell(_ row: [Cell], _ column: Int) -> Cell {
        column < row.count ? row[column] : ""
    }
}
