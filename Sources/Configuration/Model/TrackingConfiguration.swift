// What instances watch besides adverts (scripts, files, processes, interfaces), sync groups and notify commands. Tracked names
// exist, and a tracked object carries the weight that counts: its line's, else its block's.

/// A line of `track_script`, `track_interface`, `track_file` or `track_process`.
public struct TrackedObject: Hashable, Sendable {
    /// The script's, interface's, file's or process block's name.
    public var name: String
    /// 0 = a failure puts the instance into FAULT; positive is added while it is well, negative while it is not.
    public var weight: Int
    /// `reverse`: the weight changes its sign; without a weight being well is the fault.
    public var isReversed: Bool

    /// A tracked object; the block's own weight is already filled in.
    public init(_ name: String, weight: Int = 0, isReversed: Bool = false) {
        self.name = name
        self.weight = weight
        self.isReversed = isReversed
    }
}

/// A line of `interface_up_down_delays`: how long a change of a link must last before it counts.
public struct LinkDelays: Equatable, Sendable {
    /// Down for so long.
    public var down: Duration
    /// Up again for so long.
    public var up: Duration

    /// Both delays.
    public init(down: Duration, up: Duration) {
        self.down = down
        self.up = up
    }
}

/// One `vrrp_script` block.
public struct TrackScriptConfiguration: Equatable, Sendable {
    /// The block's name.
    public var name: String
    /// `script`: exit status 0 = success.
    public var command: ScriptCommand
    /// `interval` between runs.
    public var interval = Duration.seconds(1)
    /// `timeout`: a run longer than this has failed; = interval unless given.
    public var timeout = Duration.seconds(1)
    /// `fall`: failures in a row until failed.
    public var fall = 1
    /// `rise`: successes in a row until well.
    public var rise = 1
    /// `weight`, -253...253.
    public var weight = 0
    /// `weight N reverse`.
    public var isReversed = false
    /// `init_fail`: failed until it has succeeded once.
    public var startsFailed = false

    /// keepalived's defaults for one command.
    public init(name: String, command: ScriptCommand) {
        self.name = name
        self.command = command
    }
}

/// One `track_file` block: a number in a file that is weighed into the priority.
public struct TrackFileConfiguration: Equatable, Sendable {
    /// The block's name.
    public var name: String
    /// `file`.
    public var path: String
    /// `weight`, -254...254: effect = value × weight; 0 = any value but 0 is FAULT.
    public var weight = 1
    /// `weight N reverse`.
    public var isReversed = false
    /// `init_file [VALUE]`: create the file with this value when it is missing; nil = do not.
    public var initialValue: Int?
    /// `init_file … overwrite`: write the value at every start.
    public var overwrites = false

    /// keepalived's defaults for one path.
    public init(name: String, path: String) {
        self.name = name
        self.path = path
    }
}

/// One `vrrp_track_process` block: how many processes of a name must run.
public struct TrackProcessConfiguration: Equatable, Sendable {
    /// The block's name.
    public var name: String
    /// `process NAME [ARGS]`.
    public var process: [String]
    /// `weight`, -254...254; 0 = too few is FAULT.
    public var weight = 0
    /// `weight N reverse`.
    public var isReversed = false
    /// `quorum` … `quorum_max`: how many are well.
    public var quorum = 1
    /// `quorum_max`; nil = any number.
    public var maximum: Int?
    /// `terminate_delay`: tolerated after too few run.
    public var terminateDelay = Duration.zero
    /// `fork_delay`: waited for before enough run counts.
    public var forkDelay = Duration.zero
    /// `full_command`: compare the first word of the command line, not the process's name.
    public var matchesFullCommand = false
    /// Which arguments it must have; `any` where none is given.
    public var parameters = ParameterMatch.any

    /// `param_match`.
    public enum ParameterMatch: Equatable, Sendable {
        case any
        /// These and no others.
        case exact
        /// These first.
        case partial
        /// These first, the last of them longer perhaps.
        case initial
    }

    /// keepalived's defaults for one process.
    public init(name: String, process: [String]) {
        self.name = name
        self.process = process
    }
}

/// One `vrrp_sync_group` block: instances that are master or not together.
public struct SyncGroupConfiguration: Equatable, Sendable {
    /// The block's name.
    public var name: String
    /// `group { … }`: at least one instance that exists.
    public var members: [String]
    /// `track_interface { … }` and the others, for all members.
    public var trackedInterfaces: [TrackedObject] = []
    /// `track_script { … }`.
    public var trackedScripts: [TrackedObject] = []
    /// `track_file { … }`.
    public var trackedFiles: [TrackedObject] = []
    /// `track_process { … }`.
    public var trackedProcesses: [TrackedObject] = []
    /// `track_unit { … }`.
    public var trackedUnits: [TrackedObject] = []
    /// `track_bfd { … }`.
    public var trackedSessions: [TrackedObject] = []
    /// `sync_group_tracking_weight`: weights count although they can pull members apart.
    public var usesTrackingWeights = false
    /// `notify*` commands.
    public var notify = NotifyCommands()
    /// `notify_priority_changes`: the pipes are told of changes of the members' effective priorities.
    public var notifiesPriorityChanges = false
    /// `smtp_alert`.
    public var mailAlert = false

    /// A group of instances.
    public init(name: String, members: [String]) {
        self.name = name
        self.members = members
    }
}

/// The commands run on transitions of an instance or a sync group; nil = none.
public struct NotifyCommands: Equatable, Sendable {
    /// `notify_master`.
    public var master: ScriptCommand?
    /// `notify_backup`.
    public var backup: ScriptCommand?
    /// `notify_fault`.
    public var fault: ScriptCommand?
    /// `notify_stop`.
    public var stop: ScriptCommand?
    /// `notify_deleted CMD`.
    public var deleted: ScriptCommand?
    /// `notify_deleted`, with or without a command: a removal is told as DELETED, not as FAULT.
    public var saysDeleted = false
    /// `notify_master_rx_lower_pri`.
    public var masterHeardLowerPriority: ScriptCommand?
    /// `notify`: after the specific one, with `INSTANCE|GROUP NAME STATE PRIORITY` appended.
    public var any: ScriptCommand?

    /// No commands.
    public init() {}
}

/// `track_group NAME { group { INSTANCE… } }`: instances that cannot do without static addresses, routes and rules.
public struct TrackGroupConfiguration: Equatable, Sendable {
    /// What static lines call it.
    public var name: String
    /// Names of instances.
    public var members: Set<String>

    /// A group.
    public init(name: String, members: Set<String>) {
        self.name = name
        self.members = members
    }
}
