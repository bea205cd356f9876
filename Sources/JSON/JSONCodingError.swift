// A value that does not have the shape a Swift type asks for. The path names the place in the words of the wire, which
// is what Varlink's InvalidParameter wants.

/// Where and why a JSON value and a Swift type do not fit.
public struct JSONCodingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Member names and `[index]`es from the outermost value inwards: `events[0].type`.
    public let path: String
    /// What was found or wanted there.
    public let problem: String

    /// An error at a place.
    public init(path: String, problem: String) {
        self.path = path
        self.problem = problem
    }

    public var description: String { path.isEmpty ? problem : "\(path): \(problem)" }
}

extension JSONCodingError {
    static func mismatch(_ wanted: String, _ found: JSONValue) -> JSONCodingError {
        JSONCodingError(path: "", problem: "expected \(wanted), found \(found.kind)")
    }

    /// The error, in the value of a member, or in an element: `[0]`.
    func within(_ place: String) -> JSONCodingError {
        let isMember = !path.isEmpty && !path.hasPrefix("[")
        return JSONCodingError(path: place + (isMember ? "." : "") + path, problem: problem)
    }
}
