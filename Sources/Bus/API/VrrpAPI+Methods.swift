// Generated from Sources/Bus/interfaces/io.evenkeel.Vrrp.varlink: change that and run `make generate`.
// The methods and errors of `io.evenkeel.Vrrp`: a call is its parameters, `Reply` what comes back.
public import JSON
public import Varlink

extension VrrpAPI {
    /// All virtual routers.
    public struct List: VarlinkMethod {
        public static let method = "io.evenkeel.Vrrp.List"

        public init() {}

        /// What it returns.
        public struct Reply: JSONStructure, Hashable, Sendable {
            /// In the order of the configuration. With more, possibly several replies.
            public var instances: [Instance]

            public init(instances: [Instance]) {
                self.instances = instances
            }
        }
    }

    /// One virtual router.
    public struct Show: VarlinkMethod {
        public static let method = "io.evenkeel.Vrrp.Show"
        /// The instance.
        public var name: String

        public init(name: String) {
            self.name = name
        }

        /// What it returns.
        public struct Reply: JSONStructure, Hashable, Sendable {
            /// As it is now.
            public var instance: Instance

            public init(instance: Instance) {
                self.instance = instance
            }
        }
    }

    /// Steps down: an advert of priority 0, then backup at priority 1 until Resume, which takes over only when nobody
    /// else does. The members of a sync group step down together. Survives a restart.
    public struct Failover: VarlinkMethod {
        public static let method = "io.evenkeel.Vrrp.Failover"
        /// The instance.
        public var name: String

        public init(name: String) {
            self.name = name
        }

        public typealias Reply = ChangeReply
    }

    /// Takes part again after Failover.
    public struct Resume: VarlinkMethod {
        public static let method = "io.evenkeel.Vrrp.Resume"
        /// The instance.
        public var name: String

        public init(name: String) {
            self.name = name
        }

        public typealias Reply = ChangeReply
    }

    /// No virtual router has that name.
    public struct InstanceNotFound: VarlinkFailure, Hashable {
        public static let error = "io.evenkeel.Vrrp.InstanceNotFound"
        /// What was asked for.
        public var name: String

        public init(name: String) {
            self.name = name
        }
    }

    /// The answer does not fit one message; call with more.
    public struct TooLarge: VarlinkFailure, Hashable {
        public static let error = "io.evenkeel.Vrrp.TooLarge"

        public init() {}
    }
}
