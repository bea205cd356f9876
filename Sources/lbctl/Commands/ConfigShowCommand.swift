// `lbctl config show`: what counts for every word of the configuration, and where that comes from.
import ArgumentParser
import Configuration
import JSON
import Platform

extension ConfigCommand {
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "The values that count: as written, inherited, or keepalived's default, each with its line.",
            discussion: """
                Block by block every word with its value, the line that it comes from, and its default. A value in force that is \
                not the one that was written (intervals that a version cannot carry, a quorum above all weights) is shown \
                with what was written. Passwords and keys are shown as stars. A ^ before a \
                line: that block hands the value down; derived: it follows from other words. Words that are rare, off or open \
                stand there when somebody wrote them.

                Examples:
                  lbctl config show                        of the file that the daemons read
                  lbctl config show ./keepalived.conf --block VI_1
                  lbctl config show --all                  every word
                  lbctl config show --json | \\
                      jq -r '.settings[] | select(.origin != "default") | .word'
                """)

        @Argument(help: "The file, or - for standard input; without it, the one the daemons read.", completion: .file())
        var file: String?

        @Option(help: ArgumentHelp("Only blocks whose first line has this in it.", valueName: "text"))
        var block: String?

        @Flag(help: "Also words that are rare, off or open and that nobody wrote.")
        var all = false

        @OptionGroup var reader: ReaderOptions
        @OptionGroup var instanceOptions: InstanceOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            let path = ConfigCommand.path(file, instanceOptions)
            let loaded = try ConfigCommand.values(of: path, id: reader.configID)
            try StandardOutput.show(answer(loaded.blocks, in: path), json: output.json)
        }

        /// What is shown of a file that was read.
        func answer(_ blocks: [EffectiveBlock], in path: String) throws(Failure) -> Shown {
            let titles = blocks.map(\.title)
            let wanted = blocks.filter { block.map($0.title.contains) ?? true }.map { block in
                var block = block
                block.settings.removeAll { !all && !$0.isCommon && $0.origin == .standard }
                return block
            }.filter { !$0.settings.isEmpty }
            if let block, wanted.isEmpty {
                throw .unknownName(kind: "block", name: block, known: titles.filter { $0 != titles.first })
            }
            return Shown(wire: wanted.map(\.wire)) { screen in for block in wanted { screen.add(block, in: path) } }
        }
    }
}

extension Screen {
    /// One block.
    fileprivate mutating func add(_ block: EffectiveBlock, in path: String) {
        let directory = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        func short(_ position: SourcePosition) -> String {
            let name = directory.isEmpty ? position.file : String(position.file.trimmingPrefix(directory + "/"))
            return position.line > 0 ? "\(name):\(position.line)" : name
        }
        let indent = 2 * max(0, block.depth - 1)
        if !lines.isEmpty { add("") }
        add(
            Cell(String(repeating: " ", count: indent)), Cell(block.depth == 0 ? "the file" : block.title, .strong),
            Cell("  \(short(block.position))", .faint))
        var table = Table("WORD", "VALUE", "FROM", "DEFAULT")
        for setting in block.settings {
            let unit = setting.value.first?.isNumber == true && !setting.value.contains(" ") ? setting.unit : nil
            let value = setting.value + (unit.map { " \($0)" } ?? "")
            table.row(
                Cell(setting.word), Cell(value, setting.written == nil ? .plain : .warning),
                setting.origin.cell(short), Cell(setting.note, .faint))
        }
        add(table, indent: indent + 2)
    }
}

extension EffectiveSetting {
    /// The default where it is another one, and what was written where that does not count.
    fileprivate var note: String {
        let isTelling = standard != value && standard != "none" && !standard.hasPrefix("required")
        var standard: String?
        if case .written = origin, isTelling { standard = self.standard }
        return [written.map { "written: \($0)" }, standard].compactMap(\.self).joined(separator: "; ")
    }

    /// As JSON.
    fileprivate var wire: JSONObject {
        var object: JSONObject = [
            "word": .string(word), "value": .string(value), "default": .string(standard),
            "origin": .string(origin.text),
        ]
        if let unit { object["unit"] = .string(unit) }
        if let written { object["written"] = .string(written) }
        if case .inherited = origin { object["inherited"] = .bool(true) }
        return object
    }
}

extension EffectiveSetting.Origin {
    /// For programs.
    fileprivate var text: String {
        switch self {
        case .standard: "default"
        case .derived: "derived"
        case .written(let position), .inherited(let position): "\(position.file):\(position.line)"
        }
    }

    fileprivate func cell(_ short: (SourcePosition) -> String) -> Cell {
        switch self {
        case .standard: Cell("default", .faint)
        case .derived: Cell("derived", .faint)
        case .written(let position): Cell(short(position))
        case .inherited(let position): Cell("^ \(short(position))")
        }
    }
}

extension EffectiveBlock {
    /// As JSON.
    fileprivate var wire: JSONObject {
        [
            "block": .string(title), "kind": .string(kind), "file": .string(position.file),
            "line": .int(Int64(position.line)), "depth": .int(Int64(depth)),
            "settings": .array(settings.map { .object($0.wire) }),
        ]
    }
}
