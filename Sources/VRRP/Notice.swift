// What is told to the administrator's programs about an instance or a sync group: keepalived's words, arguments and lines.

public import Configuration
internal import Net
internal import Scripts

/// Whom a notice is about, by its name in the configuration.
public enum NoticeSubject: Hashable, Sendable, CustomStringConvertible {
    case instance(String)
    case group(String)

    /// `INSTANCE` or `GROUP`.
    public var type: String {
        switch self {
        case .instance: "INSTANCE"
        case .group: "GROUP"
        }
    }

    /// The name alone.
    public var name: String {
        switch self {
        case .instance(let name), .group(let name): name
        }
    }

    public var description: String { name }
}

/// Whose programs run one at a time: what stays the same when a name does not.
public enum NoticeLane: Hashable, Sendable, CustomStringConvertible {
    case router(VRRPInstanceConfiguration.Identity)
    case group(String)

    /// The same in the next process.
    public var description: String {
        switch self {
        case .router(let identity): "router \(identity)"
        case .group(let name): "group \(name)"
        }
    }
}

/// What has happened to a subject.
public struct Notice: Hashable, Sendable {
    /// keepalived's words.
    public enum Kind: String, Hashable, Sendable {
        case master = "MASTER"
        case backup = "BACKUP"
        case fault = "FAULT"
        case stop = "STOP"
        case deleted = "DELETED"
        case heardLowerPriority = "MASTER_RX_LOWER_PRI"
        case masterPriority = "MASTER_PRIORITY"
        case backupPriority = "BACKUP_PRIORITY"

        /// The state that the subject has from now on; others say something about a state that goes on.
        var isState: Bool {
            switch self {
            case .master, .backup, .fault, .stop, .deleted: true
            case .heardLowerPriority, .masterPriority, .backupPriority: false
            }
        }
    }

    /// Whom it is about.
    public let subject: NoticeSubject
    /// What has happened.
    public let kind: Kind
    /// The state before.
    public let previous: StateName
    /// The effective priority; 0 for a group, as in keepalived.
    public let priority: UInt8
    /// Why, for people.
    public let reason: String

    /// The line in a pipe, without its end: `INSTANCE "VI_1" MASTER 100`.
    public var line: String { "\(subject.type) \"\(subject.name)\" \(kind.rawValue) \(priority)" }

    /// What `notify` gets behind its own arguments.
    var arguments: [String] { [subject.type, subject.name, kind.rawValue, "\(priority)"] }

    /// Variables of every program that is told.
    var environment: [String: String] {
        [
            "EVENKEEL_TYPE": subject.type, "EVENKEEL_NAME": subject.name, "EVENKEEL_STATE": kind.rawValue,
            "EVENKEEL_OLD_STATE": previous == .initialize ? "INIT" : previous.rawValue.uppercased(),
            "EVENKEEL_PRIORITY": "\(priority)", "EVENKEEL_REASON": reason,
        ]
    }

    /// The programs that are told, the specific one first.
    func programs(of commands: NotifyCommands) -> [ToldProgram] {
        let words: [NotifyWord] =
            switch kind {
            case .master: [.master, .any]
            case .backup: [.backup, .any]
            case .fault: [.fault, .any]
            case .stop: [.stop, .any]
            case .deleted: [.deleted, .any]
            case .heardLowerPriority: [.masterHeardLowerPriority]
            // As in keepalived, for the pipes alone.
            case .masterPriority, .backupPriority: []
            }
        return words.compactMap { word in
            commands[word].map { ToldProgram(word.rawValue, $0, arguments: word == .any ? arguments : []) }
        }
    }
}

/// The keywords that name programs.
enum NotifyWord: String, Hashable, CaseIterable {
    case master = "notify_master"
    case backup = "notify_backup"
    case fault = "notify_fault"
    case stop = "notify_stop"
    case deleted = "notify_deleted"
    case masterHeardLowerPriority = "notify_master_rx_lower_pri"
    case any = "notify"
}

extension NotifyCommands {
    /// The program that a keyword names.
    subscript(word: NotifyWord) -> ScriptCommand? {
        switch word {
        case .master: master
        case .backup: backup
        case .fault: fault
        case .stop: stop
        case .deleted: deleted
        case .masterHeardLowerPriority: masterHeardLowerPriority
        case .any: any
        }
    }
}

extension NoticeQueue where Subject == NoticeSubject {
    /// Goes over to these programs.
    mutating func adopt(_ commands: [NoticeSubject: NotifyCommands]) {
        adopt(
            commands.mapValues { commands in
                NotifyWord.allCases.compactMap { word in commands[word].map { ToldProgram(word.rawValue, $0) } }
            })
    }

    /// Something has happened.
    mutating func add(_ notice: Notice, _ commands: NotifyCommands, in lane: NoticeLane, at now: Instant) {
        add(
            ToldEvent(
                notice.subject, kind: notice.kind.rawValue, isState: notice.kind.isState, isLast: notice.kind == .stop,
                programs: notice.programs(of: commands), environment: notice.environment),
            in: "\(lane)", at: now)
    }

    /// A lane goes on under another key.
    mutating func move(_ old: NoticeLane, to new: NoticeLane) { move("\(old)", to: "\(new)") }
}
