// Several directors side by side on one host, each in a network namespace: what deploy/systemd/instance.sed makes of the units and their
// directories, seen from a command.
import ArgumentParser

/// `--instance NAME`.
struct InstanceOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The daemons of evenkeel@NAME.target.", valueName: "name"))
    var instance: String?

    func validate() throws {
        guard let instance, instance.isEmpty || instance.contains("/") else { return }
        throw ValidationError("--instance takes the name behind the @ of evenkeel@NAME.target.")
    }
}

/// One director of several.
enum Instance {
    private static let directory = "/run/evenkeel@"

    /// Its bus.
    static func socket(of name: String) -> String { "\(directory)\(name)/bus.sock" }

    /// Where its daemons' state is, or that of the only director.
    static func stateDirectory(of name: String?) -> String { "/var/lib/evenkeel" + (name.map { "@\($0)" } ?? "") }

    /// What its daemons read.
    static func configuration(of name: String) -> String { "/etc/evenkeel/\(name).conf" }

    /// The instance whose socket this is; nil: another one, or the only one.
    static func name(at socket: String) -> String? {
        guard socket.hasPrefix(directory) else { return nil }
        return String(socket.dropFirst(directory.count).prefix { $0 != "/" })
    }

    /// The unit of a daemon.
    static func unit(of daemon: String, in instance: String?) -> String {
        "evenkeel-\(daemon)" + (instance.map { "@\($0)" } ?? "")
    }
}
