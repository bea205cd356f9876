// What is told to the administrator's programs about an instance or a sync group: keepalived's words, arguments and lines.

public import Configuration

/// Whom a notice is about, by its name in the configuration.
public enum NoticeSubject: Hashable, Sendable, CustomStringConvertible {
    case instance(String)
    case group(String)

    /// `INSTANCE` or `GROUP`.
    var type: String {
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
    func programs(of commands: NotifyCommands) -> [(word: String, command: ScriptCommand)] {
        var any = commands.any
        any?.arguments += arguments
        let list: [(String, ScriptCommand?)] =
            switch kind {
            case .master: [("notify_master", commands.master), ("notify", any)]
            case .backup: [("notify_backup", commands.backup), ("notify", any)]
            case .fault: [("notify_fault", commands.fault), ("notify", any)]
            case .stop: [("notify_stop", commands.stop), ("notify", any)]
            case .deleted: [("notify_deleted", commands.deleted), ("notify", any)]
            case .heardLowerPriority: [("notify_master_rx_lower_pri", commands.masterHeardLowerPriority)]
            case .masterPriority, .backupPriority: [("notify", any)]
            }
        return list.compactMap { word, command in command.map { (word, $0) } }
    }
}

/// A program that is to be told.
public struct NotifyJob: Equatable, Sendable {
    /// Never the same for two.
    public let number: Int
    /// Whom it is about.
    public let subject: NoticeSubject
    /// The keyword that names the program.
    public let word: String
    /// The program, all arguments appended.
    public let command: ScriptCommand
    /// Its variables.
    public let environment: [String: String]
}
