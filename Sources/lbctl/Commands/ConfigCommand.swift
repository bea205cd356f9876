// `lbctl config`: the configuration file, without any daemon.
import ArgumentParser
import Configuration
import Glibc
import JSON
import Platform

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Check and format a configuration, and explain its words; needs no daemon.",
        discussion: """
            Examples:
              lbctl config check
              lbctl config check ./keepalived.conf --strict
              lbctl config explain advert_int
              lbctl config format ./keepalived.conf
            """,
        subcommands: [Check.self, Explain.self, Format.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read a keepalived.conf as the daemons would, and say everything that is wrong with it.",
            discussion: """
                Each problem comes with its place, the line, and what to do. What depends on the machine (interfaces, scripts, \
                users) and what the file asks for but would not act yet are warnings, with --strict errors. Exit status 0 when \
                the configuration can be used, 2 when it would be refused.

                Examples:
                  lbctl config check                       /etc/evenkeel/evenkeel.conf, else /etc/keepalived/keepalived.conf
                  lbctl config check ./keepalived.conf --strict
                  lbctl config check ./keepalived.conf --json | jq -r 'select(.severity == "error") | .message'
                """)

        @Argument(help: "The file; without it, the one the daemons read.", completion: .file())
        var file: String?

        @Flag(help: "What this machine lacks and what would not act yet are errors too.")
        var strict = false

        @OptionGroup var instanceOptions: InstanceOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            let path =
                file ?? instanceOptions.instance.map(Instance.configuration)
                ?? DaemonOptions.defaultConfiguration { access($0, R_OK) == 0 }
            let loaded = Configuration.load(
                files: DiskFiles(), path: path, machine: ThisMachine(isExamined: true),
                options: LoadOptions(isStrict: strict))
            if output.json {
                for diagnostic in loaded.diagnostics { try StandardOutput.json(.object(diagnostic.wire)) }
            } else {
                StandardOutput.write(ConfigCommand.report(loaded, path, .detect()))
            }
            if loaded.hasErrors {
                throw Failure.configuration(
                    file: path, errors: loaded.count(of: .error), warnings: loaded.count(of: .warning),
                    isStrict: strict)
            }
        }
    }

    struct Explain: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What a word of the configuration means: where it stands, its values, its default.",
            discussion: """
                Examples:
                  lbctl config explain advert_int
                  lbctl config explain quorum --json
                """)

        @Argument(
            help: "A keyword of keepalived.conf.", completion: .custom { _, _, _ in KeywordTable.entries.map(\.word) })
        var word: String

        @OptionGroup var output: OutputOptions

        func run() throws {
            let entries = KeywordTable.explain(word)
            guard !entries.isEmpty else { throw Failure.unknownKeyword(word, KeywordTable.suggestion(for: word)) }
            try StandardOutput.show(
                Shown(wire: entries.map(\.wire)) { screen in for entry in entries { screen.add(entry) } },
                json: output.json)
        }
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

extension LoadedConfiguration {
    fileprivate func count(of severity: Diagnostic.Severity) -> Int {
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
