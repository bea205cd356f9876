// `lbctl config`: the configuration file, without any daemon.
import ArgumentParser
import Configuration
import Glibc
import JSON
import Platform

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Check, show, compare and format a configuration, and explain its words; needs no daemon.",
        discussion: """
            Examples:
              lbctl config check
              lbctl config check ./keepalived.conf --strict
              lbctl config show --block VI_1
              lbctl config diff ./old.conf ./new.conf
              lbctl config explain advert_int
              lbctl config format ./keepalived.conf
            """,
        subcommands: [Check.self, Show.self, Diff.self, Explain.self, Format.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Read a keepalived.conf as the daemons would, and say everything that is wrong with it.",
            discussion: """
                Each problem comes with its place, the line, and what to do. What depends on the machine (interfaces, scripts, \
                users) and what the file asks for but would not act yet are warnings, with --strict errors. Exit status 0 when \
                the configuration can be used, 2 when it would be refused.

                With --peer the other director's file is read too, and what the two must have in common is compared: a priority \
                that both have, intervals or passwords that differ, addresses and services that one lacks. Where both \
                directors have one file with @NAME lines, --peer-id says who the peer is.

                Examples:
                  lbctl config check               the file that the daemons read
                  lbctl config check ./keepalived.conf --strict
                  lbctl config check ./left.conf --peer ./right.conf
                  lbctl config check ./keepalived.conf --sarif > keepalived.sarif
                  lbctl config check ./keepalived.conf --json | \\
                      jq -r 'select(.severity == "error") | .message'
                """)

        @Argument(help: "The file, or - for standard input; without it, the one the daemons read.", completion: .file())
        var file: String?

        @Flag(help: "What this machine lacks and what would not act yet are errors too.")
        var strict = false

        @Option(help: ArgumentHelp("The other director's file, to compare.", valueName: "file"), completion: .file())
        var peer: String?

        @Option(help: ArgumentHelp("What @NAME lines of the peer's file mean (keepalived -i).", valueName: "name"))
        var peerID: String?

        @Flag(help: "Print SARIF 2.1.0, for code hosts and editors.")
        var sarif = false

        @OptionGroup var reader: ReaderOptions
        @OptionGroup var instanceOptions: InstanceOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            if sarif, output.json { throw ValidationError("--sarif and --json are two forms of one answer; give one.") }
            if peerID != nil, peer == nil { throw ValidationError("--peer-id belongs to --peer FILE.") }
        }

        func run() throws {
            let path = ConfigCommand.path(file, instanceOptions)
            var options = LoadOptions(configID: reader.configID, isStrict: strict)
            options.collectsValues = peer != nil
            var loaded = Configuration.load(
                files: GivenFiles(), path: path, machine: ThisMachine(isExamined: true), options: options)
            if let peer { loaded.diagnostics += try comparison(of: loaded, with: peer) }
            if sarif {
                try StandardOutput.json(loaded.sarif)
            } else if output.json {
                for diagnostic in loaded.diagnostics { try StandardOutput.json(.object(diagnostic.wire)) }
            } else {
                StandardOutput.write(ConfigCommand.report(loaded, path, .detect()))
            }
            if loaded.droppedDiagnostics > 0, sarif || output.json {
                StandardError.say("there are \(loaded.droppedDiagnostics) more that are not listed")
            }
            if loaded.hasErrors {
                throw Failure.configuration(
                    file: path, errors: loaded.count(of: .error), warnings: loaded.count(of: .warning),
                    isStrict: strict)
            }
        }
    }

    /// A file with the values that count; refused where it has errors, which are printed.
    static func values(of path: String, id: String? = nil) throws(Failure) -> LoadedConfiguration {
        var options = LoadOptions(configID: id)
        options.collectsValues = true
        let loaded = Configuration.load(
            files: GivenFiles(), path: path, machine: ThisMachine(isExamined: false), options: options)
        guard loaded.hasErrors else { return loaded }
        StandardError.say(report(loaded, path, Style(isColoured: false)))
        throw .configuration(file: path, errors: loaded.count(of: .error), warnings: loaded.count(of: .warning))
    }

    struct Explain: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "explain",
            abstract: "What a word of the configuration means: where it stands, its values, its default.",
            discussion: """
                Examples:
                  lbctl config explain advert_int
                  lbctl config explain via                 a word within lines of a block
                  lbctl config explain quorum --json
                """)

        @Argument(
            help: "A keyword of keepalived.conf.", completion: .custom { _, _, _ in KeywordTable.entries.map(\.word) })
        var word: String

        @OptionGroup var output: OutputOptions

        func run() throws {
            let entries = KeywordTable.explain(word) + KeywordTable.explainInLine(word)
            guard !entries.isEmpty else { throw Failure.unknownKeyword(word, KeywordTable.suggestion(for: word)) }
            try StandardOutput.show(
                Shown(wire: entries.map(\.wire)) { screen in for entry in entries { screen.add(entry) } },
                json: output.json)
        }
    }

    /// The file that is meant: by name, by director, or the one that the daemons read.
    static func path(_ file: String?, _ options: InstanceOptions) -> String {
        file ?? options.instance.map(Instance.configuration)
            ?? DaemonOptions.defaultConfiguration(exists: FileSystem.mayExist)
    }

    /// Every diagnostic, and for a configuration that can be used one line on what it holds. Only one that acts whole is good.
    static func report(_ loaded: LoadedConfiguration, _ path: String, _ style: Style) -> String {
        var text = loaded.diagnostics.map { $0.rendered(color: style.isColoured) + "\n" }.joined()
        if loaded.droppedDiagnostics > 0 { text += "… and \(loaded.droppedDiagnostics) more\n\n" }
        guard let configuration = loaded.configuration else { return text }
        let warnings = loaded.count(of: .warning)
        let verdict = loaded.inactions.isEmpty ? "good" : "loads, but not all of it acts"
        let isClean = loaded.inactions.isEmpty && warnings == 0
        let servers = configuration.virtualServers.reduce(0) { $0 + $1.realServers.count }
        text += "\(path): "
        text += style.paint(
            warnings > 0 ? "\(verdict), \(counted(warnings, "warning"))" : verdict, isClean ? .good : .warning)
        text += ": \(counted(configuration.instances.count, "VRRP instance")), "
        text += "\(counted(configuration.virtualServers.count, "virtual server")), \(counted(servers, "real server"))\n"
        let unprotected = loaded.subjects(.protection)
        let missing = loaded.subjects(.convenience)
        if !unprotected.isEmpty { text += style.paint("  does not protect as written: \(unprotected)", .bad) + "\n" }
        if !missing.isEmpty { text += "  not acted on yet: \(missing)\n" }
        return text
    }
}

extension ConfigCommand.Check {
    /// What is to be said about both directors' files.
    private func comparison(of loaded: LoadedConfiguration, with peer: String) throws(Failure) -> [Diagnostic] {
        let other = try ConfigCommand.values(of: peer, id: peerID)
        return loaded.disagreements(with: other, named: peerID.map { "\($0) (\(peer))" } ?? peer)
    }
}

extension LoadedConfiguration {
    func count(of severity: Diagnostic.Severity) -> Int {
        diagnostics.count { $0.severity == severity }
    }

    /// What will not act, by name.
    fileprivate func subjects(_ cost: Inaction.Cost) -> String {
        inactions.filter { $0.cost == cost }.map(\.subject).joined(separator: ", ")
    }
}

extension Diagnostic {
    /// As JSON: the place, what is wrong, and what to do.
    fileprivate var wire: JSONObject {
        var object: JSONObject = [
            "file": .string(position.file), "line": .int(Int64(position.line)), "column": .int(Int64(position.column)),
            "severity": .string(severity.rawValue), "code": .string(code.rawValue), "message": .string(message),
        ]
        if let remedy { object["remedy"] = .string(remedy) }
        return object
    }
}
