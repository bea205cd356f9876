// One thing that people are told of: what it is about and what became of it, in keepalived's words and in ours.

/// Whom an alert is about.
public struct AlertSubject: Hashable, Sendable {
    /// Kinds of it.
    public enum Kind: String, Hashable, Sendable {
        case instance, group, service, server
    }

    public var kind: Kind
    /// The name on the bus; of a group, in the configuration.
    public var name: String

    /// A subject.
    public init(_ kind: Kind, _ name: String) {
        (self.kind, self.name) = (kind, name)
    }
}

/// A change that people are told of. No part of it has control characters: what it says goes into headers.
public struct AlertChange: Hashable, Sendable {
    /// What is longer than this, in characters, is cut: reasons come from servers and scripts.
    private static let longest = 300

    /// Ascending among the changes of one kind of alert.
    public var number: Int
    public var subject: AlertSubject
    /// The state now, as the bus has it: `master`, `down`; or `deleted`, `stopped`.
    public var state: String
    /// keepalived's name of the subject: `Realserver [192.0.2.10]:tcp:80 of virtual server [192.0.2.1]:tcp:80`.
    public var title: String
    /// keepalived's word for what happened: `DOWN`, `Entering MASTER state`.
    public var headline: String
    /// keepalived's text: `=> TCP CHECK failed on service <=`.
    public var text: String
    /// Why, for people; may be empty.
    public var reason: String
    /// When: RFC 3339, UTC.
    public var time: String

    /// A change.
    public init(
        number: Int, _ subject: AlertSubject, state: String, title: String, headline: String, text: String,
        reason: String, time: String
    ) {
        self.number = number
        self.subject = subject
        self.state = state
        self.title = Self.printable(title)
        self.headline = Self.printable(headline)
        self.text = Self.printable(text)
        self.reason = Self.printable(reason)
        self.time = Self.printable(time)
    }

    /// As a line: `Realserver … - DOWN`.
    public var line: String { "\(title) - \(headline)" }

    private static func printable(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(longest + 1) {
            let isControl = scalar.properties.generalCategory == .control || [0x2028, 0x2029].contains(scalar.value)
            scalars.append(isControl ? " " : scalar)
        }
        return scalars.count > longest ? String(scalars.dropLast()) + "…" : String(scalars)
    }
}
