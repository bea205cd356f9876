// What the comment above a method or a type says to programs: lines `Role: reader` and `Needs: more`, or `Event: TYPE`, at
// its end. They stand in the .varlink file because that is the one definition of the interface, and are served with it.
import Varlink

/// A comment taken apart.
struct Remarks {
    /// The text for people.
    let documentation: String
    /// The least role that may call the method.
    let role: String?
    /// The method makes no sense without `more`.
    let needsMore: Bool
    /// The type of the events whose data this is.
    let event: String?

    /// The roles that a method can ask for; busd's `Role` has the same names.
    private static let roles = ["reader", "daemon", "administrator"]

    /// Takes the comment of `name` apart.
    init(_ comment: String, of name: String) throws(GeneratorError) {
        var lines = comment.split(separator: "\n", omittingEmptySubsequences: false)
        var role: String?
        var needsMore = false
        var event: String?
        while let line = lines.last {
            if line.hasPrefix("Role: ") {
                role = String(line.dropFirst("Role: ".count))
                guard let role, Self.roles.contains(role) else {
                    throw GeneratorError("\(name): \"\(line)\" names none of \(Self.roles.joined(separator: ", "))")
                }
            } else if line.hasPrefix("Event: ") {
                event = String(line.dropFirst("Event: ".count))
            } else if line == "Needs: more" {
                needsMore = true
            } else {
                break
            }
            lines.removeLast()
        }
        documentation = lines.joined(separator: "\n")
        (self.role, self.needsMore, self.event) = (role, needsMore, event)
    }
}

/// An interface that no Swift can be made from, and what to write instead.
public struct GeneratorError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
