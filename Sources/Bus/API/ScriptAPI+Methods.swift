// Generated from Sources/Bus/interfaces/io.evenkeel.Script.varlink: change that and run `make generate`.
// The methods and errors of `io.evenkeel.Script`: a call is its parameters, `Reply` what comes back.
public import JSON
public import Varlink

extension ScriptAPI {
    /// Runs a program and answers when it is over. No shell: the first argument is a path, or a name to be found in
    /// PATH. The end of the connection ends the program's process group, unless it has an id. With more, accepted is
    /// said at once, so that a caller knows that scriptd does not hang; and a run that is out of time is said at once
    /// (timedOut without status and signal) and again when the process is gone.
    public struct Run: VarlinkMethod {
        public static let method = "io.evenkeel.Script.Run"
        /// The program and its arguments.
        public var arguments: [String]
        /// Who runs it: a name or number; absent: keepalived_script where that user exists, else scriptd's own.
        public var user: String?
        /// Its group; absent: the user's own.
        public var group: String?
        /// Refuse to run as root what somebody else can replace; and run as root only what says so.
        public var secure: Bool
        /// Variables beside PATH, HOME, USER, LOGNAME and SHELL.
        public var environment: [String: String]
        /// After this the process group gets SIGTERM, two seconds later SIGKILL; absent: never.
        public var timeoutMilliseconds: Int?
        /// With a name of its own it goes on when the connection ends; End with that name ends it.
        public var id: String?
        /// What it must not run beside.
        public var lane: Lane?
        /// Permissions that its files do not get, 0 to 511; absent: 18 (022).
        public var umask: Int?
        /// True: it has all groups of its user; else only the one.
        public var allGroups: Bool?
        /// The network namespace that it runs in: /run/netns/NAME; absent: scriptd's own.
        public var networkNamespace: String?

        public init(
            arguments: [String], user: String? = nil, group: String? = nil, secure: Bool, environment: [String: String],
            timeoutMilliseconds: Int? = nil, id: String? = nil, lane: Lane? = nil, umask: Int? = nil,
            allGroups: Bool? = nil, networkNamespace: String? = nil
        ) {
            self.arguments = arguments
            self.user = user
            self.group = group
            self.secure = secure
            self.environment = environment
            self.timeoutMilliseconds = timeoutMilliseconds
            self.id = id
            self.lane = lane
            self.umask = umask
            self.allGroups = allGroups
            self.networkNamespace = networkNamespace
        }

        /// What it returns.
        public struct Reply: JSONStructure, Hashable, Sendable {
            /// How it ended. One that ran out of time stays timedOut.
            public var outcome: Outcome
            /// Its exit status, when it exited.
            public var status: Int?
            /// The signal that ended it, when one did.
            public var signal: Int?
            /// The last line that it printed, at most 256 octets; empty when it printed nothing.
            public var lastLine: String

            public init(outcome: Outcome, status: Int? = nil, signal: Int? = nil, lastLine: String) {
                self.outcome = outcome
                self.status = status
                self.signal = signal
                self.lastLine = lastLine
            }
        }
    }

    /// Ends a program that runs under a name: SIGTERM to its process group, SIGKILL two seconds later; one that has not
    /// begun is not begun (signalled). None of that name is not an error.
    public struct End: VarlinkMethod {
        public static let method = "io.evenkeel.Script.End"
        /// What Run was told.
        public var id: String

        public init(id: String) {
            self.id = id
        }

        /// What it returns.
        public struct Reply: JSONStructure, Hashable, Sendable {
            public init() {}
        }
    }

    /// Writes a line into a pipe, which is made when it is not there. Never waits for a reader.
    public struct Write: VarlinkMethod {
        public static let method = "io.evenkeel.Script.Write"
        /// The pipe.
        public var path: String
        /// Who gets a pipe that is made: a name or number; absent: scriptd's own user.
        public var user: String?
        /// Its group.
        public var group: String?
        /// The line with its end.
        public var line: String

        public init(path: String, user: String? = nil, group: String? = nil, line: String) {
            self.path = path
            self.user = user
            self.group = group
            self.line = line
        }

        /// What it returns.
        public struct Reply: JSONStructure, Hashable, Sendable {
            /// False: nobody has read for so long that there is no room for the line.
            public var written: Bool

            public init(written: Bool) {
                self.written = written
            }
        }
    }

    /// Makes a pipe that is not there, and has it open: its reader sees no end of file while scriptd lives, whether or
    /// not anything is written. The first reply says so; then nothing is said until the connection ends.
    public struct Hold: VarlinkMethod {
        public static let method = "io.evenkeel.Script.Hold"
        /// The pipe.
        public var path: String
        /// Who gets a pipe that is made: a name or number; absent: scriptd's own user.
        public var user: String?
        /// Its group.
        public var group: String?

        public init(path: String, user: String? = nil, group: String? = nil) {
            self.path = path
            self.user = user
            self.group = group
        }

        /// What it returns.
        public struct Reply: JSONStructure, Hashable, Sendable {
            public init() {}
        }
    }

    /// The programs that run now.
    public struct List: VarlinkMethod {
        public static let method = "io.evenkeel.Script.List"

        public init() {}

        /// What it returns.
        public struct Reply: JSONStructure, Hashable, Sendable {
            /// In the order of their start.
            public var programs: [Program]

            public init(programs: [Program]) {
                self.programs = programs
            }
        }
    }

    /// The program cannot be run as the configuration has it. It has failed; trying again does not help.
    public struct Refused: VarlinkFailure, Hashable {
        public static let error = "io.evenkeel.Script.Refused"
        /// Which kind of reason.
        public var reason: Reason
        /// For people: what is wrong, and with which file.
        public var message: String

        public init(reason: Reason, message: String) {
            self.reason = reason
            self.message = message
        }
    }

    /// So many programs run for the caller, or are being ended, that it is not begun: to be asked for again when one of
    /// them is gone.
    public struct Busy: VarlinkFailure, Hashable {
        public static let error = "io.evenkeel.Script.Busy"
        /// How many.
        public var programs: Int

        public init(programs: Int) {
            self.programs = programs
        }
    }

    /// This host cannot run it now: there is no process or memory left, or the configuration does not name it for the
    /// caller. Says nothing about the program.
    public struct Unable: VarlinkFailure, Hashable {
        public static let error = "io.evenkeel.Script.Unable"
        /// For people.
        public var message: String

        public init(message: String) {
            self.message = message
        }
    }

    /// The caller may not ask for that.
    public struct NotAllowed: VarlinkFailure, Hashable {
        public static let error = "io.evenkeel.Script.NotAllowed"
        /// Who called.
        public var uid: Int

        public init(uid: Int) {
            self.uid = uid
        }
    }

    /// The answer does not fit one message; call with more.
    public struct TooLarge: VarlinkFailure, Hashable {
        public static let error = "io.evenkeel.Script.TooLarge"

        public init() {}
    }
}
