// Several directors side by side on one host, each in a network namespace: what deploy/systemd/instance.sed makes of the units and their
// directories, seen from a command.
import ArgumentParser
import Platform

/// `--instance NAME`.
struct InstanceOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The daemons of evenkeel@NAME.target.", valueName: "name"))
    var instance: String?

    func validate() throws {
        guard let instance, instance.isEmpty || instance.contains("/") else { return }
        throw ValidationError("--instance takes the name behind the @ of evenkeel@NAME.target.")
    }
}

/// Who reads a configuration.
struct ReaderOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("What @NAME lines are for (keepalived -i); else what the daemons take.", valueName: "name"))
    var configID: String?
}

/// One director of several.
enum Instance {
    /// Its bus.
    static func socket(of name: String) -> String { "\(UnitName.runDirectory(of: name))/bus.sock" }

    /// Where its daemons' state is, or that of the only director.
    static func stateDirectory(of name: String?) -> String { "/var/lib/evenkeel" + (name.map { "@\($0)" } ?? "") }

    /// What its daemons read.
    static func configuration(of name: String) -> String { "/etc/evenkeel/\(name).conf" }
}
