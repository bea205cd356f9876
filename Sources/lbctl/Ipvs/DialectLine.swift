// Which command lines are ipvsadm's: `lbctl ipvs …`, options of the bus before or behind the word, and whatever is called when lbctl is
// linked as `ipvsadm`.
import Glibc
import Platform

struct DialectLine: Equatable {
    /// What the user typed to get here, for messages.
    let program: String
    /// Talk to the kernel without ipvsd.
    private(set) var isDirect = false
    /// The bus, when it is not the usual one.
    private(set) var socket: String?
    /// ipvsadm's words.
    private(set) var arguments: ArraySlice<String>

    /// A line whose words may begin with --direct, --socket and --instance.
    init(program: String, _ arguments: [String]) {
        self.program = program
        self.arguments = arguments[...]
        while takeOption() {}
    }

    /// nil when the process was called for something else.
    /// - Parameter words: the whole command line, the program's name first.
    init?(process words: [String]) {
        guard let called = words.first else { return nil }
        if called.split(separator: "/").last == "ipvsadm" {
            self.init(program: called, Array(words.dropFirst()))
            return
        }
        self.init(program: "lbctl ipvs", Array(words.dropFirst()))
        guard arguments.popFirst() == "ipvs" else { return nil }
        while takeOption() {}
    }

    private mutating func takeOption() -> Bool {
        guard let word = arguments.first else { return false }
        if word == "--direct" {
            isDirect = true
        } else if let path = takeValue(of: "--socket") {
            socket = path
        } else if let name = takeValue(of: "--instance") {
            socket = Instance.socket(of: name)
        } else {
            return false
        }
        arguments.removeFirst()
        return true
    }

    /// The value of an option that stands first, `OPTION VALUE` or `OPTION=VALUE`; nil: another word does. One word remains of it.
    private mutating func takeValue(of option: String) -> String? {
        guard let word = arguments.first else { return nil }
        if word.hasPrefix(option + "=") { return String(word.dropFirst(option.utf8.count + 1)) }
        guard word == option, arguments.count > 1 else { return nil }
        arguments.removeFirst()
        return arguments.first
    }

    /// Carries it out; the exit status.
    func run() -> Int32 {
        guard !isDirect else { return run(DirectTable()) }
        let link = Link(
            socket: socket ?? Link.usualSocket, isDirect: false, timeout: .seconds(30))
        return run(BusTable(link, notice: Self.complain))
    }

    private func run(_ table: some TableAccess) -> Int32 {
        var run = DialectRun(
            program: program, table: table, names: SystemNames(), print: { StandardOutput.write($0) },
            complain: Self.complain)
        return run.run(Array(arguments))
    }

    private static func complain(_ text: String) { Console.write(text, to: STDERR_FILENO) }
}
