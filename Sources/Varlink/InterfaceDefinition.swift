// An interface as its .varlink text declares it: the one definition of an API, from which calls are checked and which
// introspection serves. Grammar: varlink.org/Interface-Definition.

/// A parsed interface definition.
public struct InterfaceDefinition: Hashable, Sendable {
    /// The reverse-domain name: `io.evenkeel.Vrrp`.
    public let name: String
    /// The comment above the interface.
    public let documentation: String
    /// Types, methods and errors in the order of the text; they share one namespace.
    public let members: [Member]
    /// The text itself, as GetInterfaceDescription gives it.
    public let text: String

    /// One declaration.
    public struct Member: Hashable, Sendable {
        /// The name: `ListServices`.
        public let name: String
        /// The comment above it.
        public let documentation: String
        /// What is declared.
        public let declaration: Declaration
    }

    /// What a member declares.
    public enum Declaration: Hashable, Sendable {
        case type(IDLType)
        case method(input: [IDLField], output: [IDLField])
        case error([IDLField])
    }

    /// The member of that name.
    public subscript(member: String) -> Member? { members.first { $0.name == member } }
}

/// A type expression.
public indirect enum IDLType: Hashable, Sendable {
    case bool, int, float, string
    /// Any JSON object.
    case object
    /// A string out of a fixed set.
    case enumeration([String])
    case structure([IDLField])
    /// A `type` of the same interface.
    case named(String)
    case array(IDLType)
    /// An object whose names are free and whose values share a type.
    case map(IDLType)
    /// The value may be null or absent.
    case optional(IDLType)
}

/// A field of a struct, or a parameter.
public struct IDLField: Hashable, Sendable {
    /// The name: `weight`.
    public let name: String
    /// Its type.
    public let type: IDLType
    /// The comment above it.
    public let documentation: String
}

/// A text that is not an interface definition.
public struct IDLError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Line, from 1.
    public let line: Int
    /// Column in octets, from 1.
    public let column: Int
    /// What was wanted.
    public let problem: String

    public var description: String { "\(line):\(column): \(problem)" }
}
