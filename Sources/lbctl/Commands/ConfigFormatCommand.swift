// `lbctl config format`: a file in the one layout, on standard output.
import ArgumentParser
import Configuration
import Glibc
import Platform

extension ConfigCommand {
    struct Format: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "format",
            abstract: "Indent a keepalived.conf by its blocks; only blanks change.",
            discussion: """
                Each line is indented by four for each block it is in; blanks at line ends and empty lines beyond one go away. \
                Included files are not touched. A file whose braces do not match is refused: "lbctl config check" says where.

                Examples:
                  lbctl config format ./keepalived.conf
                  lbctl config format ./keepalived.conf | diff ./keepalived.conf -
                """)

        @Argument(help: "The file, or - for standard input; without it, the one the daemons read.", completion: .file())
        var file: String?

        func run() throws {
            let path = file ?? DaemonOptions.defaultConfiguration(exists: FileSystem.mayExist)
            let bytes = try Self.contents(of: path)
            let loaded = Configuration.load(files: GivenFiles(), path: path, machine: ThisMachine(isExamined: false))
            let broken: Set<Diagnostic.Code> = [.unclosedBlock, .unexpectedBrace, .missingBlock, .unmatchedQuote]
            let problems = loaded.diagnostics.filter { $0.severity == .error && broken.contains($0.code) }
            guard problems.isEmpty else {
                throw Failure.configuration(file: path, errors: problems.count, warnings: 0)
            }
            StandardOutput.write(String(decoding: Configuration.formatted(bytes), as: UTF8.self))
        }

        private static func contents(of path: String) throws(Failure) -> [UInt8] {
            if path == GivenFiles.standardInput { return try GivenFiles.input.get() }
            do throws(Errno) {
                return try FileSystem.presentContents(of: path, limit: 64 << 20)
            } catch {
                throw .usage("\(path) cannot be read: \(error); 'lbctl config format FILE' takes another one")
            }
        }
    }
}
