// State files without waiting for a disk. One thread writes; the loop hands over what a file is to hold and hears when it is there. A disk
// that is slow delays only what depends on it, one that hangs delays nothing else. Only the latest content of a file waits, and a failed
// write is tried again, so that what is on the disk is what the daemon said last as soon as the disk allows it.
import CLinux
import Glibc
import Net
import Synchronization

/// The state files of one directory.
public final class Ledger {
    fileprivate let loop: EventLoop
    private let directory: String
    private let desk = Desk()
    private var files: [LedgerFile] = []
    private var watch: Watch?
    private var isRunning = false

    /// The files in `directory`, which is made with the first write where it is missing. No thread runs before that.
    public init(directory: String, on loop: EventLoop) {
        self.directory = directory
        self.loop = loop
    }

    /// The file `name`. A durable one survives a power cut once its write is confirmed (fdatasync, rename, the directory synced).
    public func file(_ name: String, durable: Bool) -> LedgerFile {
        keep(at: "\(directory)/\(name)", durable: durable)
    }

    /// A file elsewhere, which need not survive a power cut.
    public func copy(_ path: String) -> LedgerFile {
        keep(at: path, durable: false)
    }

    private func keep(at path: String, durable: Bool) -> LedgerFile {
        let file = LedgerFile(path: path, durable: durable, number: files.count, ledger: self)
        files.append(file)
        return file
    }

    /// Waits for what is queued, at most `limit`: for the end of a program.
    public func flush(within limit: Duration) {
        let end = SystemClock.now + limit
        while files.contains(where: \.isWriting), SystemClock.now < end, isRunning {
            _ = desk.bell.wait(until: end)
            deliver()
        }
    }

    fileprivate func submit(_ order: Desk.Order) {
        if !isRunning { start() }
        desk.put(order)
    }

    private func start() {
        do throws(Errno) {
            watch = try loop.watch(desk.bell.number, .read) { [weak self] _ in self?.deliver() }
            try Background.start { [desk, directory] in desk.serve(directory) }
            isRunning = true
        } catch {
            watch = nil  // What is queued waits for the next write, which tries again.
        }
    }

    private func deliver() {
        desk.bell.silence()
        for result in desk.takeResults() { files[result.file].finished(result) }
    }

    deinit { desk.close() }
}

/// One file of a `Ledger`.
public final class LedgerFile {
    /// Where it is.
    public let path: String
    /// Why the last write failed; nil when it succeeded.
    public private(set) var failure: Errno?
    /// Called when `failure` changes.
    public var failureChanged: ((Errno?) -> Void)?

    /// How long reading at the start waits for the disk.
    private static let readLimit = Duration.seconds(2)
    /// A larger file is not believed.
    private static let sizeLimit = 64 << 20

    private let durable: Bool
    private let number: Int
    private unowned let ledger: Ledger
    private var make: (@Sendable () -> [UInt8])?
    /// Counts the contents that were handed over, and the last of them that was finished.
    private var latest = 0
    private var finished = 0
    private var waiting: [(content: Int, done: (Errno?) -> Void)] = []
    private var pace = RetryPace()
    private var retry: LoopTimer?

    fileprivate init(path: String, durable: Bool, number: Int, ledger: Ledger) {
        self.path = path
        self.durable = durable
        self.number = number
        self.ledger = ledger
        retry = ledger.loop.timer { [weak self] in self?.submit() }
    }

    /// Some content waits for the disk and may still get there.
    fileprivate var isWriting: Bool { finished < latest && failure == nil }

    /// The content; nil when there is no such file. Waits: for the start of a program.
    /// - Throws: ETIMEDOUT when the disk does not answer within two seconds; ELOOP for a link, EPERM for a file of somebody else, EINVAL for
    ///   what is no regular file, EFBIG.
    public func read() throws(Errno) -> [UInt8]? {
        let path = self.path
        let result = try Background.run(within: Self.readLimit) {
            Result { () throws(Errno) in try FileSystem.ownContents(of: path, limit: Self.sizeLimit) }
        }
        return try result.get()
    }

    /// Renames a file that is not understood to `NAME.damaged-TIME` and returns that path. Waits: for the start of a program.
    public func setAside() throws(Errno) -> String {
        let aside = "\(path).damaged-\(SystemClock.timestamp)"
        guard rename(path, aside) == 0 else { throw Errno(errno, "rename") }
        return aside
    }

    /// Gives what the file has now a second name, `NAME.older`, under which it stays when the file is replaced; returns that path. Waits: for
    /// the start of a program.
    public func keepOlder() throws(Errno) -> String {
        let older = "\(path).older"
        unlink(older)
        guard link(path, older) == 0 else { throw Errno(errno, "link") }
        return older
    }

    /// Replaces the content. `make` gives it on the ledger's thread, when the content's turn comes and no later one has replaced it. `done`
    /// is called on the loop once: with nil when this content or a later one is on the disk, with the error when writing failed; it is
    /// then tried again after 1, 2, 4 … 60 s until it or a later one is there.
    public func write(_ make: @escaping @Sendable () -> [UInt8], done: ((Errno?) -> Void)? = nil) {
        latest += 1
        self.make = make
        if let done { waiting.append((latest, done)) }
        submit()
    }

    private func submit() {
        guard let make else { return }
        ledger.submit(Desk.Order(file: number, content: latest, path: path, durable: durable, make: make))
    }

    fileprivate func finished(_ result: Desk.Result) {
        finished = max(finished, result.content)
        if result.failure == nil {
            pace.reset()
            retry?.disarm()
            if finished == latest { make = nil }
        } else if result.content == latest {
            retry?.arm(at: ledger.loop.refreshNow() + pace.next())
        }
        let answered = waiting.filter { $0.content <= result.content }
        waiting.removeAll { $0.content <= result.content }
        if failure?.code != result.failure?.code {
            failure = result.failure
            failureChanged?(failure)
        }
        for (_, done) in answered { done(result.failure) }
    }
}

/// Where the loop and the writing thread meet.
private final class Desk: Sendable {
    /// A file to be written.
    struct Order: Sendable {
        let file: Int
        let content: Int
        let path: String
        let durable: Bool
        let make: @Sendable () -> [UInt8]
    }

    /// What became of an order.
    struct Result: Sendable {
        let file: Int
        let content: Int
        let failure: Errno?
    }

    private struct State {
        /// At most one order for each file.
        var orders: [Order] = []
        var results: [Result] = []
        var isClosed = false
    }

    /// Rings the loop when there are results.
    let bell = Bell()
    private let work = Bell()
    private let state = Mutex(State())

    func put(_ order: Order) {
        state.withLock { state in
            if let index = state.orders.firstIndex(where: { $0.file == order.file }) {
                state.orders[index] = order
            } else {
                state.orders.append(order)
            }
        }
        work.ring()
    }

    func takeResults() -> [Result] {
        state.withLock { state in
            defer { state.results = [] }
            return state.results
        }
    }

    func close() {
        state.withLock { $0.isClosed = true }
        work.ring()
    }

    /// The writing thread.
    func serve(_ directory: String) {
        while true {
            let (order, isClosed) = state.withLock { ($0.orders.isEmpty ? nil : $0.orders.removeFirst(), $0.isClosed) }
            guard let order else {
                if isClosed { return }
                _ = work.wait(until: nil)
                work.silence()
                continue
            }
            let failure = Self.carryOut(order, directory)
            state.withLock { $0.results.append(Result(file: order.file, content: order.content, failure: failure)) }
            bell.ring()
        }
    }

    private static func carryOut(_ order: Order, _ directory: String) -> Errno? {
        do throws(Errno) {
            try FileSystem.makeDirectory(directory, mode: 0o750)
            try FileSystem.replace(order.path, with: order.make(), durable: order.durable)
            return nil
        } catch {
            return error
        }
    }
}
