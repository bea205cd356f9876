// Generated from Sources/Bus/interfaces/io.evenkeel.Script.varlink: change that and run `make generate`.
// The types of `io.evenkeel.Script`; methods and errors are in ScriptAPI+Methods.swift.
public import JSON

/// Programs of the configuration (track scripts, notify scripts), run for the other daemons: none of them may start a
/// program, and none waits for one. Served on scriptd's own socket only, never through the bus. Root may ask for
/// everything; ipvsd and checkd for what the configuration names for them, as it names it (docs/scriptd.md).
public enum ScriptAPI {
    /// The interface.
    public static let interface = "io.evenkeel.Script"

    /// Programs that follow each other although different processes ask for them.
    public struct Lane: JSONStructure, Hashable, Sendable {
        /// Which ones.
        public var name: String
        /// Who asks. One that another owner asked for earlier is waited for, half a minute at most; then it is ended.
        /// An owner's own are not: it knows their order.
        public var owner: String

        public init(name: String, owner: String) {
            self.name = name
            self.owner = owner
        }
    }

    /// A program that runs.
    public struct Program: JSONStructure, Hashable, Sendable {
        /// The program and its arguments.
        public var arguments: [String]
        /// The process, and its process group.
        public var pid: Int
        /// Since when, in milliseconds.
        public var runningMilliseconds: Int
        /// Its time is up, or who asked for it has gone: it is being ended.
        public var isEnding: Bool

        public init(arguments: [String], pid: Int, runningMilliseconds: Int, isEnding: Bool) {
            self.arguments = arguments
            self.pid = pid
            self.runningMilliseconds = runningMilliseconds
            self.isEnding = isEnding
        }
    }
}
