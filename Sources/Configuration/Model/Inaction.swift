// What a configuration asks for and this version does not do. A file full of it loads, and may protect nothing: whoever
// checks it has to be told, with the place and with what it means for them.

/// One thing that will not act.
public struct Inaction: Equatable, Sendable, CustomStringConvertible {
    /// What it costs that it does not act.
    public enum Cost: String, Equatable, Sendable {
        /// An address or a service is not protected as the file says: an instance does not run, a failure is not noticed or
        /// moves nothing, the new master lacks a route.
        case protection
        /// Something is not done that nobody's traffic waits for: a mail, a program, a limit.
        case convenience
    }

    /// What does not act, as the file names it: `vrrp_instance VI_6`, `track_script`.
    public var subject: String
    /// How often it stands in the file.
    public var places: Int
    /// Where it stands first.
    public var source: SourceExcerpt
    /// What happens instead, e.g. "a script that fails does not move the addresses".
    public var consequence: String
    public var cost: Cost

    /// As a sentence.
    public var description: String {
        "\(subject) is not acted on yet\(places > 1 ? " (\(places) places)" : ""): \(consequence)"
    }
}
