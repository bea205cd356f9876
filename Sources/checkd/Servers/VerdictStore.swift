// Keeps the verdicts on the disk without anybody waiting for it: what changed is noted here at the end of a turn, after it was published,
// and written by the ledger's thread. One write is under way at a time; it takes what is the latest when its turn comes, so a storm of
// changes is a few writes, and a disk that fails or hangs costs nothing here.
import Net
import Platform
import Synchronization

/// Where the verdicts are kept: a file of the ledger.
protocol VerdictFile: AnyObject {
    var path: String { get }
    /// Why the last write failed.
    var failure: Errno? { get }
    var failureChanged: ((Errno?) -> Void)? { get set }
    /// The content at the start.
    func read() throws(Errno) -> [UInt8]?
    /// Replaces the content; tried again by itself until it succeeds.
    func write(_ make: @escaping @Sendable () -> [UInt8], done: ((Errno?) -> Void)?)
}

extension LedgerFile: VerdictFile {}

/// The verdicts of this process on their way to the disk.
final class VerdictStore {
    /// A disk that has not answered for so long is named.
    private static let patience = Duration.seconds(10)

    /// The lines that the file is to have, by server; shared with the thread that writes.
    private final class Sheet: Sendable {
        let lines = Mutex<[String: [UInt8]]>([:])
    }

    private let file: any VerdictFile
    private let boot: String
    private let turns: any Turns
    private let sheet = Sheet()
    private var changed: Set<String> = []
    private var isWriting = false
    private var hasUnwritten = false
    private var isSlow = false
    private var timer: (any AlarmClock)?
    private var endOfTurn: OncePerTurn?
    /// The state of a server now; nil = it is not watched.
    var state: (String) -> SavedServer? = { _ in nil }
    /// Called when `problem` changes.
    var problemChanged: () -> Void = {}

    init(_ file: any VerdictFile, boot: String, on turns: any Turns) {
        self.file = file
        self.boot = boot
        self.turns = turns
        endOfTurn = OncePerTurn(turns) { [weak self] in self?.note() }
        timer = turns.alarmClock { [weak self] in self?.judgeSlow() }
        file.failureChanged = { [weak self] failure in
            if failure == nil { self?.settled(nil) }
            self?.problemChanged()
        }
    }

    /// Why verdicts are not on the disk; nil while they are.
    var problem: String? {
        if let failure = file.failure { return "\(file.path): \(failure)" }
        return isSlow ? "\(file.path): the disk does not answer" : nil
    }

    /// What the last process of this boot left, by server. Called once, before the loop runs.
    func read() throws(VerdictsUnusable) -> [String: SavedServer] {
        do {
            guard let octets = try file.read() else { return [:] }
            let saved = try SavedVerdicts(parsing: octets, boot: boot)
            sheet.lines.withLock { $0 = saved.servers.mapValues(\.line) }
            return saved.servers.mapValues(\.server)
        } catch {
            throw VerdictsUnusable(path: file.path, reason: "\(error)")
        }
    }

    /// What is known about a server changed, or it is not watched any more.
    func changed(_ server: String) {
        changed.insert(server)
        endOfTurn?.plan()
    }

    /// Takes up what changed in this turn, and has it written if it is news.
    private func note() {
        let lines = changed.map { ($0, state($0)?.line) }
        changed.removeAll(keepingCapacity: true)
        let isNews = sheet.lines.withLock { sheet in
            var isNews = false
            for (server, line) in lines where sheet[server] != line {
                sheet[server] = line
                isNews = true
            }
            return isNews
        }
        guard isNews else { return }
        hasUnwritten = true
        write()
    }

    private func write() {
        guard hasUnwritten, !isWriting else { return }
        isWriting = true
        hasUnwritten = false
        timer?.arm(at: turns.refreshNow() + Self.patience)
        file.write(
            { [sheet, boot] in
                let lines = sheet.lines.withLock { $0 }
                return SavedVerdicts.file(boot: boot, lines: lines.values)
            }, done: { [weak self] in self?.settled($0) })
    }

    /// A write has ended. After a failure the ledger tries again by itself, with the lines of then.
    private func settled(_ failure: Errno?) {
        timer?.disarm()
        if isSlow {
            isSlow = false
            problemChanged()
        }
        guard failure == nil else { return }
        isWriting = false
        write()
    }

    private func judgeSlow() {
        isSlow = true
        problemChanged()
    }
}

/// A file of verdicts that is not used; servers start as configured.
struct VerdictsUnusable: Error, CustomStringConvertible {
    let path: String
    let reason: String

    var description: String { "the verdicts in \(path) are not used, servers start as configured: \(reason)" }
}
