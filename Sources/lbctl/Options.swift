// Options that commands share, and how a command runs.
import ArgumentParser
import JSON

/// `--json`, on every command but `config format`, whose answer is the file itself.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print the wire's parameters as JSON, one object per line.")
    var json = false
}

/// How to reach the daemons.
struct BusOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The bus's socket (default: $EVENKEEL_BUS, else \(Link.defaultSocket)).", valueName: "path"),
        completion: .file())
    var socket: String?

    @OptionGroup var instanceOptions: InstanceOptions

    @Flag(help: "Talk to each daemon's own socket, without busd (as root).")
    var direct = false

    @Option(help: ArgumentHelp("Give up after so long without an answer.", valueName: "seconds"))
    var timeout: Double?

    func validate() throws {
        if socket != nil, instanceOptions.instance != nil {
            throw ValidationError("--socket and --instance name two ways to the bus; give one.")
        }
        if let timeout, !(timeout > 0 && timeout <= 86_400) {
            throw ValidationError("--timeout takes seconds, more than 0 and at most 86400.")
        }
    }

    /// --timeout, when it was given.
    var limit: Duration? { timeout.map { .seconds($0) } }

    /// The way to the daemons.
    var link: Link {
        Link(
            socket: socket ?? instanceOptions.instance.map(Instance.socket) ?? Link.usualSocket, isDirect: direct,
            timeout: limit ?? .seconds(5))
    }
}

/// A command that asks the daemons. It says what it does against `Daemons`; where that leads is decided here.
protocol BusCommand: ParsableCommand {
    var bus: BusOptions { get }
    var output: OutputOptions { get }
    /// Does it, and returns what is to be shown.
    func answer(from daemons: some Daemons) throws(Failure) -> Shown
}

/// What a command answers: the wire's objects for --json, and a screen for people that is only made when wanted.
struct Shown {
    var wire: [JSONObject]
    var screen: (inout Screen) throws(Failure) -> Void

    /// `wire` is printed one per line with --json, else `screen`.
    init(wire: [JSONObject], screen: @escaping (inout Screen) throws(Failure) -> Void) {
        self.wire = wire
        self.screen = screen
    }
}

extension BusCommand {
    func run() throws {
        try StandardOutput.show(answer(from: bus.link), json: output.json)
    }
}

extension StandardOutput {
    /// Prints an answer in the form that was asked for.
    static func show(_ shown: Shown, json: Bool) throws(Failure) {
        if json {
            for object in shown.wire { try StandardOutput.json(.object(object)) }
        } else {
            var screen = Screen.current()
            try shown.screen(&screen)
            write(screen.text)
        }
    }
}
