// lbctl(1): the command tree as the parser knows it.
import ArgumentParser
import JSON

extension ManualPage {
    /// All of lbctl.
    static func lbctl() throws(Failure) -> ManualPage {
        let dump: JSONValue
        do throws(JSONError) {
            dump = try JSONValue(
                parsing: Array(Lbctl._dumpHelp().utf8), limits: JSONLimits(octets: 16 << 20, depth: 64))
        } catch {
            throw .protocolViolation("the commands of lbctl cannot be read: \(error)")
        }
        guard let root = (dump.object?["command"]?.object).map({ CommandHelp($0, behind: []) }) else {
            throw .protocolViolation("the commands of lbctl cannot be read: there is no command")
        }
        return ManualPage(root)
    }

    private init(_ root: CommandHelp) {
        self.init("lbctl", section: 1, summary: root.abstract)
        let commands = root.tree.filter { !$0.isGroup }
        // Options that most commands have are told once.
        let common = commands.reduce(into: [ArgumentHelp: Int]()) { counts, command in
            for argument in command.arguments { counts[argument, default: 0] += 1 }
        }.filter { $0.value * 2 > commands.count }
        heading("Synopsis")
        prose("lbctl COMMAND [ARGUMENT]…")
        let (beginning, sections) = Self.parts(of: root.discussion)
        heading("Description")
        prose(beginning)
        heading("Commands")
        for command in root.tree.dropFirst() {
            let own = command.arguments.filter { common[$0] == nil }
            subheading(([command.words.joined(separator: " ")] + own.map(\.usage)).joined(separator: " "))
            prose(command.abstract)
            prose(command.discussion)
            for argument in own { item(argument.words, argument.value, argument.text) }
        }
        heading("Options of most commands")
        var told: Set<ArgumentHelp> = []
        for argument in commands.flatMap(\.arguments) where common[argument] != nil && told.insert(argument).inserted {
            item(argument.words, argument.value, argument.text)
        }
        for (title, text) in sections {
            heading(title)
            prose(text)
        }
        heading("See also")
        prose("evenkeel.conf(5), vrrpd(8), ipvsd(8), checkd(8), scriptd(8), busd(8), /usr/share/doc/evenkeel/lbctl.md")
    }
}

/// A command as it describes itself.
private struct CommandHelp {
    var words: [String]
    var abstract: String
    var discussion: String
    var arguments: [ArgumentHelp]
    var subcommands: [CommandHelp]

    init(_ command: JSONObject, behind words: [String]) {
        self.words = words + [command["commandName"]?.string ?? ""]
        abstract = command["abstract"]?.string ?? ""
        discussion = command["discussion"]?.string ?? ""
        arguments = (command["arguments"]?.array ?? []).compactMap(\.object).filter(\.isShown).map(ArgumentHelp.init)
        subcommands = (command["subcommands"]?.array ?? []).compactMap(\.object)
            .filter { $0.isShown && $0["commandName"]?.string != "help" }
            .map { [words = self.words] in CommandHelp($0, behind: words) }
    }

    /// Does nothing itself.
    var isGroup: Bool { !subcommands.isEmpty }

    /// It, and what is below it.
    var tree: [CommandHelp] { [self] + subcommands.flatMap(\.tree) }
}

/// An argument or option.
private struct ArgumentHelp: Hashable {
    /// Nil: an argument that is told by its place.
    var names: [String]
    var placeholder: String
    var isOptional: Bool
    var isRepeating: Bool
    var about: String
    var values: [String]
    var standard: String?

    init(_ argument: JSONObject) {
        names = (argument["names"]?.array ?? []).compactMap(\.object).map {
            ($0["kind"]?.string == "long" ? "--" : "-") + ($0["name"]?.string ?? "")
        }.sorted { $0.count < $1.count }
        placeholder = argument["kind"]?.string == "flag" ? "" : (argument["valueName"]?.string ?? "").uppercased()
        (isOptional, isRepeating) = (argument["isOptional"]?.bool == true, argument["isRepeating"]?.bool == true)
        about = [argument["abstract"]?.string, argument["discussion"]?.string].compactMap(\.self).joined(separator: " ")
        values = (argument["allValues"]?.array ?? []).compactMap(\.string)
        standard = argument["defaultValue"]?.string
    }

    var words: String { names.isEmpty ? placeholder : names.joined(separator: ", ") }
    var value: String { names.isEmpty ? "" : placeholder }

    /// In the line of its command.
    var usage: String {
        let word = ([names.last, placeholder.isEmpty ? nil : placeholder].compactMap(\.self)).joined(separator: " ")
        return (isOptional ? "[\(word)]" : word) + (isRepeating ? "…" : "")
    }

    var text: String {
        var text = about
        if !values.isEmpty { text += " One of \(values.joined(separator: ", "))." }
        if let standard { text += " Default: \(standard)." }
        return text.split(separator: "\n").joined(separator: " ")
    }
}

extension JSONObject {
    fileprivate var isShown: Bool { self["shouldDisplay"]?.bool != false }
}
