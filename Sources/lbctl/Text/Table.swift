// Columns that line up. A cell is text plus its tone; widths count characters, so colour does not shift anything.

/// One cell.
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

    let columns: [Column]
    private(set) var rows: [[Cell]] = []

    init(_ columns: Column...) {
        self.columns = columns
    }

    /// Adds a row; cells that are missing at the end are empty.
    mutating func row(_ cells: Cell...) {
        rows.append(cells)
    }

    /// The lines, each indented.
    func lines(_ style: Style, indent: Int = 0) -> [String] {
        let used = columns.indices.filter { column in rows.contains { !Self.cell($0, column).text.isEmpty } }
        let widths = columns.indices.map { column in
            rows.reduce(columns[column].title.count) { max($0, Self.cell($1, column).text.count) }
        }
        func line(_ cells: [Cell]) -> String {
            var line = String(repeating: " ", count: indent)
            var owed = 0
            for column in used {
                let cell = Self.cell(cells, column)
                let padding = widths[column] - cell.text.count
                let before = columns[column].isNumeric ? padding : 0
                if !cell.text.isEmpty {
                    line += String(repeating: " ", count: owed + before) + style.paint(cell.text, cell.tone)
                    owed = 0
                } else {
                    owed += before
                }
                owed += padding - before + 2
            }
            return line
        }
        return [line(columns.map { Cell($0.title, .faint) })] + rows.map(line)
    }

    private static func cell(_ row: [Cell], _ column: Int) -> Cell {
        column < row.count ? row[column] : ""
    }
}
