// The command line that all four daemons share.
import Glibc

/// The suite's version.
public let evenkeelVersion = "0.1.0"

/// What a daemon says about itself in --help.
public struct ProgramDescription: Sendable {
    /// `vrrpd`
    public let name: String
    /// One line on what it does.
    public let summary: String
    /// Lines of options that it alone has, each ended by a newline.
    public let more: String

    /// A program's name, its one-line purpose, its own options.
    public init(name: String, summary: String, more: String = "") {
        self.name = name
        self.summary = summary
        self.more = more
    }
}

/// Options common to the daemons.
public struct DaemonOptions: Hashable, Sendable {
    /// The configuration file.
    public var config: String
    /// Where the sockets are.
    public var runDirectory = "/run/evenkeel"
    /// Where state that survives restarts is.
    public var stateDirectory = "/var/lib/evenkeel"
    /// A configuration that is refused at the start is replaced by the last good one.
    public var startsWithLastGood = false
    /// What `@NAME` lines of the configuration compare with; nil: what the machine says.
    public var configID: String?
    /// The least important level that is logged.
    public var logLevel = LogLevel.info

    /// The defaults.
    public init(config: String) {
        self.config = config
    }

    /// Where the bus listens.
    public var busSocket: String { runDirectory + "/bus.sock" }
    /// Where a daemon's own socket is.
    public func privateSocket(of daemon: String) -> String { "\(runDirectory)/private/\(daemon).sock" }

    /// The same with whole paths: those of sockets and of the configuration are told to others, who have another working directory.
    public func resolved(in workingDirectory: String) -> DaemonOptions {
        func whole(_ path: String) -> String { path.hasPrefix("/") ? path : "\(workingDirectory)/\(path)" }
        var options = self
        options.config = whole(config)
        options.runDirectory = whole(runDirectory)
        options.stateDirectory = whole(stateDirectory)
        return options
    }

    /// What parsing found.
    public enum Outcome: Hashable, Sendable {
        /// Run with these.
        case run(DaemonOptions)
        /// Print this on standard output and exit 0.
        case answer(String)
        /// Print this on standard error and exit 2.
        case refuse(String)
    }

    /// The file read when none is named: Evenkeel's own if it is there, else keepalived's.
    public static func defaultConfiguration(exists: (String) -> Bool) -> String {
        let own = "/etc/evenkeel/evenkeel.conf"
        let theirs = "/etc/keepalived/keepalived.conf"
        return !exists(own) && exists(theirs) ? theirs : own
    }

    /// Reads the arguments after the program's name. `--option VALUE` and `--option=VALUE` are both taken.
    public static func parse(
        _ arguments: some Sequence<String>, for program: ProgramDescription, exists: (String) -> Bool
    ) -> Outcome {
        var options = DaemonOptions(config: defaultConfiguration(exists: exists))
        var rest = Array(arguments)[...]
        while let argument = rest.popFirst() {
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = argument.hasPrefix("--") ? String(parts[0]) : argument
            switch name {
            case "--help", "-h": return .answer(help(program))
            case "--last-good": options.startsWithLastGood = true
            case "--version": return .answer("\(program.name) (Evenkeel) \(evenkeelVersion)\n")
            case "--config", "--config-id", "--run-dir", "--state-dir", "--log-level":
                guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst(), !value.isEmpty else {
                    return .refuse("\(program.name): \(name) needs a value; see '\(program.name) --help'\n")
                }
                switch name {
                case "--config": options.config = value
                case "--config-id": options.configID = value
                case "--run-dir": options.runDirectory = value
                case "--state-dir": options.stateDirectory = value
                default:
                    guard let level = LogLevel(value) else {
                        let known = LogLevel.allCases.map(\.name).joined(separator: ", ")
                        return .refuse("\(program.name): unknown log level '\(value)'; use one of \(known)\n")
                    }
                    options.logLevel = level
                }
            default:
                return .refuse("\(program.name): unknown argument '\(argument)'; see '\(program.name) --help'\n")
            }
        }
        return .run(options)
    }

    /// Parses this process's own arguments; prints and exits where there is nothing to run.
    public static func fromCommandLine(_ program: ProgramDescription) -> DaemonOptions {
        switch parse(CommandLine.arguments.dropFirst(), for: program, exists: FileSystem.mayExist) {
        case .run(let options):
            // For everything that reads the configuration in this process (`ThisMachine`).
            if let id = options.configID { setenv("EVENKEEL_CONFIG_ID", id, 1) }
            guard let path = getcwd(nil, 0) else { return options }
            defer { free(path) }
            return options.resolved(in: String(cString: path))
        case .answer(let text):
            Console.write(text, to: STDOUT_FILENO)
            exit(0)
        case .refuse(let text):
            Console.write(text, to: STDERR_FILENO)
            exit(2)
        }
    }

    private static func help(_ program: ProgramDescription) -> String {
        """
        \(program.name): \(program.summary)

        Runs in the foreground and logs to standard error. Usually started by systemd (evenkeel-\(program.name).service).

        Usage: \(program.name) [options]
          --config FILE      the configuration (default /etc/evenkeel/evenkeel.conf,
                             else /etc/keepalived/keepalived.conf)
          --config-id NAME   the name that @NAME lines of the configuration are for (default
                             EVENKEEL_CONFIG_ID, else the host name up to its first dot)
          --run-dir DIR      where the sockets are (default /run/evenkeel)
          --state-dir DIR    where state that survives restarts is (default /var/lib/evenkeel)
          --last-good        start with the last configuration that was good when the
                             file is refused; an alarm stands until it is mended
          --log-level L      error, warning, notice, info (default) or debug
        \(program.more)  --version          print the version
          --help             print this

        Signals: HUP reads the configuration again; TERM and INT end it; USR1 ends it for a restart, which others do not notice.
        Exit status: 0 it was told to end; 1 it cannot run here; 2 the command line is wrong, or the configuration is refused.

        Example: \(program.name) --config ./keepalived.conf --run-dir /tmp/ek/run --state-dir /tmp/ek/state

        """
    }
}

/// Whole texts to a standard stream.
public enum Console {
    /// Writes all of `text`, waiting where it must.
    public static func write(_ text: String, to descriptor: Int32) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let written = Glibc.write(descriptor, rest.baseAddress, rest.count)
                guard written > 0 else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest[written...])
            }
        }
    }
}
