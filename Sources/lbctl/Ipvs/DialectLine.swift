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

    /// A line whose words may begin with --direct and --socket.
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
        } else if word == "--socket", arguments.count > 1 {
            arguments.removeFirst()
            socket = arguments.first
        } else if word.hasPrefix("--socket=") {
            socket = String(word.dropFirst("--socket=".count))
        } else {
            return false
        }
        arguments.removeFirst()
        return true
    }

    /// Carries it out; the exit status.
    func run() -> Int32 {
        guard !isDirect else { return run(DirectTable()) }
        let link = Link(
            socket: socket ?? Environment.value("EVENKEEL_BUS") ?? Link.defaultSocket, isDirect: false,
            timeout: .seconds(30))
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
