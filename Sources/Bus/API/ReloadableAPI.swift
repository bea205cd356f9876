// Generated from Sources/Bus/interfaces: change that and run `make generate`.
// Reloading, which is the same in every daemon's interface: `VrrpAPI.PrepareReload` is
// `Reloading<VrrpAPI>.PrepareReload`, and so on.
public import JSON
public import Varlink

/// An interface with PrepareReload, CommitReload, AbortReload, ConfigurationRefused, NotPrepared.
public protocol ReloadableAPI: Sendable {
    /// The interface.
    static var interface: String { get }
}

extension ReloadableAPI {
    public typealias PrepareReload = Reloading<Self>.PrepareReload
    public typealias CommitReload = Reloading<Self>.CommitReload
    public typealias AbortReload = Reloading<Self>.AbortReload
    public typealias ConfigurationRefused = Reloading<Self>.ConfigurationRefused
    public typealias NotPrepared = Reloading<Self>.NotPrepared
}

/// Answers the calls of a reload of the interface `API`.
public protocol ReloadHandler<API>: AnyObject {
    associatedtype API: ReloadableAPI
    func prepareReload(_ call: API.PrepareReload, _ responder: Responder<API.PrepareReload>)
    func commitReload(_ call: API.CommitReload, _ responder: Responder<API.CommitReload>)
    func abortReload(_ call: API.AbortReload, _ responder: Responder<API.AbortReload>)
}

/// The members of a reload in the interface `API`.
public enum Reloading<API: ReloadableAPI> {
    /// Reads and checks the configuration file without acting on it. A second call replaces what the first prepared.
    public struct PrepareReload: VarlinkMethod {
        public static var method: String { API.interface + ".PrepareReload" }

        public init() {}

        /// What it returns.
        public struct Reply: JSONStructure, Hashable, Sendable {
            /// Digest of the configuration text that was read, to be compared between the daemons.
            public var digest: String
            /// What a commit would change, one line each, for people.
            public var changes: [String]

            public init(digest: String, changes: [String]) {
                self.digest = digest
                self.changes = changes
            }
        }
    }

    /// Acts on the difference between the running and the prepared configuration.
    public struct CommitReload: VarlinkMethod {
        public static var method: String { API.interface + ".CommitReload" }
        /// What PrepareReload returned.
        public var digest: String

        public init(digest: String) {
            self.digest = digest
        }

        /// What it returns.
        public struct Reply: JSONStructure, Hashable, Sendable {
            public init() {}
        }
    }

    /// Forgets the prepared configuration; nothing prepared is not an error.
    public struct AbortReload: VarlinkMethod {
        public static var method: String { API.interface + ".AbortReload" }

        public init() {}

        /// What it returns.
        public struct Reply: JSONStructure, Hashable, Sendable {
            public init() {}
        }
    }

    /// The configuration file cannot be used; the running one stays.
    public struct ConfigurationRefused: VarlinkFailure, Hashable {
        public static var error: String { API.interface + ".ConfigurationRefused" }
        /// Everything that is wrong, each as FILE:LINE:COLUMN: text.
        public var diagnostics: [String]

        public init(diagnostics: [String]) {
            self.diagnostics = diagnostics
        }
    }

    /// The configuration of that digest is not prepared; prepare again.
    public struct NotPrepared: VarlinkFailure, Hashable {
        public static var error: String { API.interface + ".NotPrepared" }
        /// What the caller asked for.
        public var digest: String

        public init(digest: String) {
            self.digest = digest
        }
    }
}

extension Reloading.PrepareReload {
    public init(members: inout JSONMembers) {}
    public var object: JSONObject { JSONObject() }
}

extension Reloading.PrepareReload.Reply {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.digest = try members.required("digest")
        self.changes = try members.required("changes")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 2)
        object.add("digest", self.digest)
        object.add("changes", self.changes)
        return object
    }
}

extension Reloading.CommitReload {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.digest = try members.required("digest")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("digest", self.digest)
        return object
    }
}

extension Reloading.CommitReload.Reply {
    public init(members: inout JSONMembers) {}
    public var object: JSONObject { JSONObject() }
}

extension Reloading.AbortReload {
    public init(members: inout JSONMembers) {}
    public var object: JSONObject { JSONObject() }
}

extension Reloading.AbortReload.Reply {
    public init(members: inout JSONMembers) {}
    public var object: JSONObject { JSONObject() }
}

extension Reloading.ConfigurationRefused {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.diagnostics = try members.required("diagnostics")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("diagnostics", self.diagnostics)
        return object
    }
}

extension Reloading.NotPrepared {
    public init(members: inout JSONMembers) throws(JSONCodingError) {
        self.digest = try members.required("digest")
    }

    public var object: JSONObject {
        var object = JSONObject(capacity: 1)
        object.add("digest", self.digest)
        return object
    }
}
