// A short list of labelled values: `lbctl vrrp show`, `lbctl service show`.

/// Labels at the left, values lined up at the right of them. Labels without a value are left out.
struct Facts {
    private var rows: [(label: String, value: Cell)] = []

    /// Adds a value; nil and empty ones are not shown.
    mutating func add(_ label: String, _ value: Cell?) {
        if let value, !value.text.isEmpty { rows.append((label, value)) }
    }

    /// Adds a value of no particular tone.
    mutating func add(_ label: String, _ value: String?) {
        add(label, value.map { Cell($0) })
    }

    /// Adds one value per line under one label.
    mutating func add(_ label: String, each values: [String], _ tone: Tone = .plain) {
        for (index, value) in values.enumerated() { rows.append((index == 0 ? label : "", Cell(value, tone))) }
    }

    func lines(_ style: Style, indent: Int = 0, width: Int? = nil) -> [String] {
        let column = rows.reduce(0) { max($0, $1.label.count) } + 2
        return rows.flatMap { row in
            let gap = Cell(Wrap.blanks(column - row.label.count))
            return Wrap.lines(
                [Cell(row.label, .faint), gap, row.value], style, width: width, indent: indent,
                hanging: indent + column)
        }
    }
}
