// What systemd's units of a director are called. deploy/systemd/instance.sed makes the units of several directors on one host of those of the
// only one, and gives each a run directory of its own; by that a program knows whose units it has to name.

/// Names of units, for what people are told to do.
public enum UnitName {
    private static let directory = "/run/evenkeel@"

    /// Where the sockets of `evenkeel@NAME.target` are.
    public static func runDirectory(of instance: String) -> String { directory + instance }

    /// NAME of the `evenkeel@NAME.target` that has this run directory, or a file in it; nil: the only director, or one without units.
    public static func instance(at path: String) -> String? {
        guard path.hasPrefix(directory) else { return nil }
        return String(path.dropFirst(directory.count).prefix { $0 != "/" })
    }

    /// The unit of a daemon, without `.service`.
    public static func unit(of daemon: String, in instance: String?) -> String {
        "evenkeel-\(daemon)" + (instance.map { "@\($0)" } ?? "")
    }
}

extension DaemonOptions {
    /// The unit of another daemon of the same director.
    public func unit(of daemon: String) -> String {
        UnitName.unit(of: daemon, in: UnitName.instance(at: runDirectory))
    }
}
