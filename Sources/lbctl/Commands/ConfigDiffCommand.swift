// `lbctl config diff`: what two configurations say differently, and whom that touches.
import ArgumentParser
import Configuration
import JSON
import Platform

extension ConfigCommand {
    struct Diff: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "diff",
            abstract: "What a configuration changes: blocks and words, and whose traffic that touches.",
            discussion: """
                The values that count are compared: a line that was moved, or that says what was the default anyway, is no \
                difference. With one file it is compared to the configuration in force, which the daemons keep in their \
                state directories (root alone reads it); without any file, the one that the daemons read is. What each daemon \
                would do: 'lbctl reload --dry-run'. Exit status 0 where nothing differs, 1 where something does, 2 \
                where one of the two cannot be read or would be refused.

                Examples:
                  lbctl config diff                the configuration in force, and the file
                  lbctl config diff ./new.conf     the one in force, and another file
                  lbctl config diff ./old.conf ./new.conf
                  lbctl config diff --json | jq -r '.path | join(" / ")'
                """)

        @Argument(help: "One file, or the old and the new one; - is standard input.", completion: .file())
        var files: [String] = []

        @OptionGroup var kept: KeptOptions
        @OptionGroup var reader: ReaderOptions
        @OptionGroup var instanceOptions: InstanceOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            if files.count > 2 { throw ValidationError("Give at most two files: the old and the new one.") }
        }

        func run() throws {
            let path = files.last ?? ConfigCommand.path(nil, instanceOptions)
            let old: LoadedConfiguration
            let name: String
            if files.count == 2 {
                (old, name) = (try ConfigCommand.values(of: files[0], id: reader.configID), files[0])
            } else {
                old = try inForce()
                name = "the configuration that vrrpd keeps as the one in force (\(old.digest.prefix(8)))"
            }
            let differences = old.differences(to: try ConfigCommand.values(of: path, id: reader.configID))
            try StandardOutput.show(Self.shown(differences, name, path), json: output.json)
            if !differences.isEmpty { throw ExitCode(ExitStatus.failed.rawValue) }
        }

        /// What the daemons run on. Where it cannot be read nothing is compared: that is not the exit status of a difference.
        private func inForce() throws(Failure) -> LoadedConfiguration {
            do throws(Failure) {
                return try kept.pair(of: instanceOptions.instance).get(.inForce).values()
            } catch {
                throw .usage(error.description)
            }
        }

        /// What is shown.
        static func shown(_ differences: [ConfigurationDifference], _ old: String, _ new: String) -> Shown {
            Shown(wire: differences.map(\.wire)) { screen in
                screen.add(
                    differences.isEmpty
                        ? Cell("\(new) says the same as \(old).") : Cell("\(new), compared to \(old):", .faint))
                for difference in differences { screen.add(difference) }
            }
        }
    }
}

extension Screen {
    fileprivate mutating func add(_ difference: ConfigurationDifference) {
        let sign =
            switch difference.kind {
            case .added: Cell("+ ", .good)
            case .removed: Cell("- ", .bad)
            case .changed: Cell("~ ", .warning)
            }
        add(sign, Cell(difference.path.joined(separator: " / "), .strong), hanging: 4)
        for word in difference.words {
            let text =
                switch (word.before, word.after) {
                case (let before?, let after?) where before == after: "\(word.word): another one"
                case (let before?, let after?): "\(word.word): \(before) -> \(after)"
                case (let before?, nil): "- \(word.word) \(before)"
                case (nil, let after): "+ \(word.word) \(after ?? "")"
                }
            add("    ", Cell(text), hanging: 6)
        }
        add("    ", Cell(difference.effect, .faint), hanging: 4)
    }
}

extension ConfigurationDifference {
    /// As JSON.
    fileprivate var wire: JSONObject {
        [
            "change": .string(kind.rawValue), "path": .array(path.map { .string($0) }), "file": .string(position.file),
            "line": .int(Int64(position.line)),
            "words": .array(
                words.map { word in
                    var object: JSONObject = ["word": .string(word.word)]
                    if let before = word.before { object["before"] = .string(before) }
                    if let after = word.after { object["after"] = .string(after) }
                    return .object(object)
                }),
            "effect": .string(effect),
        ]
    }
}
