// The words of a command line before the parser sees them: options of the bus may stand before the command (`lbctl --socket
// X status`), and a command that does not exist is answered with the one that was meant.
import ArgumentParser
import Configuration

enum CommandWords {
    /// Options that nearly every command has, and whether a value follows.
    private static let shared = [
        "--socket": true, "--instance": true, "--timeout": true, "--direct": false, "--json": false,
    ]

    /// The same command line with those options behind the command's words.
    static func arranged(_ arguments: [String]) throws(Failure) -> [String] {
        var rest = arguments[...]
        var options: [String] = []
        var path: [String] = []
        var command: any ParsableCommand.Type = Lbctl.self
        while let word = rest.first, !command.configuration.subcommands.isEmpty {
            let name = String(word.prefix { $0 != "=" })
            if let takesValue = shared[name] {
                options.append(word)
                rest.removeFirst()
                if takesValue, name == word, let value = rest.popFirst() { options.append(value) }
            } else if let next = command.configuration.subcommands.first(where: { Self.name(of: $0) == word }) {
                path.append(word)
                rest.removeFirst()
                command = next
            } else if word.hasPrefix("-") || (path.isEmpty && word == "help") {
                break
            } else {
                throw unknown(word, after: path, of: command)
            }
        }
        // The parser takes a negative number for an option and says that the number is missing.
        if command != IpvsCommand.self,
            let word = rest.prefix(while: { $0 != "--" }).first(where: isNegative)
        {
            let before = (["lbctl"] + path).joined(separator: " ")
            throw .usage("'\(word)' is no option, and no number here is negative; '\(before) --help' explains them")
        }
        return path + options + rest
    }

    private static func isNegative(_ word: String) -> Bool {
        word.count > 1 && word.hasPrefix("-") && word.dropFirst().allSatisfy { ("0"..."9").contains($0) }
    }

    private static func name(of command: any ParsableCommand.Type) -> String {
        command.configuration.commandName ?? "\(command)".lowercased()
    }

    private static func unknown(
        _ word: String, after path: [String], of command: any ParsableCommand.Type
    ) -> Failure {
        let names = command.configuration.subcommands.filter { $0.configuration.shouldDisplay }.map(name)
        let before = (["lbctl"] + path).joined(separator: " ")
        let meant = closest(to: word, in: names).map { "did you mean '\(before) \($0)'?" }
        return .usage(
            "there is no command '\(before) \(word.printable)'; "
                + (meant ?? "there are \(names.joined(separator: ", "));") + " '\(before) --help' explains them")
    }
}
