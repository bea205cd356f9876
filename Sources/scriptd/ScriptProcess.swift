// One program: a session of its own, its output drained, its end heard through a pidfd, its time limited. What it forks belongs to its
// process group and is ended with it when it runs out of time; what it leaves behind when it ends by itself is left alone, and may go on
// printing.
//
// A process that has ended is not reaped before its group has had its SIGKILL, so that the group's number is nobody else's meanwhile.

import CLinux
import Glibc
import Net
import Platform

/// A program to run.
struct ScriptRequest {
    /// The program and its arguments; not empty.
    var arguments: [String]
    /// Where the program may be: absolute paths.
    var paths: [String]
    var environment: [String]
    var user: ScriptUser
    /// Not to be run as root when somebody else can replace it.
    var isSecure: Bool
    var timeout: Duration?
    /// Permissions that its files do not get.
    var umask: UInt32 = 0o022
    /// The network namespace that it runs in; nil: this process's.
    var networkNamespace: String?

    /// What it is called in the log's memory.
    var script: String { arguments.joined(separator: " ") }
}

/// A program that was started.
final class ScriptProcess {
    /// What is heard of it, in this order.
    enum News {
        /// Its time is up; it is being ended.
        case timedOut
        /// It has ended, or never ran.
        case ended(End)
        /// It has been reaped; something that it left behind may still write.
        case leftBehind
        /// It can be forgotten: reaped, and nothing of it writes any more.
        case gone
    }

    /// How it ended.
    enum End {
        case exited(Int)
        case signalled(Int)
        /// It did not become the program.
        case notStarted(stage: Int32, code: Int32, path: String)
    }

    /// From SIGTERM to SIGKILL, as in keepalived.
    static let mercy = Duration.seconds(2)
    /// Octets read in one turn, so that one that prints without end leaves time for the others.
    private static let chunk = 1 << 16

    let request: ScriptRequest
    /// The process, and its group.
    let pid: Int32
    let began: Instant
    /// Somebody but root can replace this part of the way to it.
    private(set) var culprit: String?
    /// Its time was up.
    private(set) var isTimedOut = false
    /// It has had SIGTERM.
    private(set) var isEnding = false
    /// Its group has had SIGKILL.
    private var isKilled = false
    /// It has ended; what it left behind may still print.
    private(set) var hasEnded = false
    private var tail = OutputTail()
    private var failure: End?
    private var isReaped = false
    private let loop: EventLoop
    private let heard: (ScriptProcess, News) -> Void
    private var process: FileDescriptor?
    private var output: FileDescriptor?
    private var reports: FileDescriptor?
    private var processWatch: Watch?
    private var outputWatch: Watch?
    private var reportWatch: Watch?
    private var timer: LoopTimer?
    private var allowance: TimeAllowance?

    /// Starts it. Errno: this host has no process, memory or descriptor left.
    init(_ request: ScriptRequest, on loop: EventLoop, _ heard: @escaping (ScriptProcess, News) -> Void) throws(Errno) {
        self.request = request
        self.loop = loop
        self.heard = heard
        began = loop.now
        let paths = CStringArray(request.paths)
        let arguments = CStringArray(request.arguments)
        let environment = CStringArray(request.environment)
        let namespace = CStringArray([request.networkNamespace])
        var out: Int32 = -1
        var says: Int32 = -1
        pid = try paths.withConstant { paths throws(Errno) in
            var program = ek_program()
            program.paths = paths
            program.argv = UnsafePointer(arguments.pointers)
            program.environment = UnsafePointer(environment.pointers)
            program.uid = request.user.identity?.uid ?? .max
            program.gid = request.user.identity?.gid ?? .max
            program.umask = request.umask
            program.network_namespace = namespace[0]
            program.is_checked = request.user.isRoot ? 1 : 0
            program.is_secure = request.isSecure ? 1 : 0
            return try request.user.groups.withUnsafeBufferPointer { groups throws(Errno) in
                program.groups = groups.baseAddress
                program.group_count = groups.count
                return try Errno.check(ek_program_start(&program, &out, &says), "fork")
            }
        }
        output = FileDescriptor(owning: out)
        reports = FileDescriptor(owning: says)
        do throws(Errno) {
            let number = try Errno.check(ek_pidfd_open(pid), "pidfd_open")
            process = FileDescriptor(owning: number)
            processWatch = try loop.watch(number, .read) { [weak self] _ in self?.exited() }
            outputWatch = try loop.watch(out, .read) { [weak self] _ in self?.readOutput() }
            reportWatch = try loop.watch(says, .read) { [weak self] _ in self?.readReports() }
        } catch {
            signal(SIGKILL)
            var status: Int32 = 0
            waitpid(pid, &status, 0)
            throw error
        }
        let timer = loop.timer { [weak self] in self?.timeIsUp() }
        self.timer = timer
        allowance = request.timeout.map(TimeAllowance.init)
        if let deadline = allowance?.begin(at: loop.now) { timer.arm(at: deadline) }
    }

    deinit { if !isReaped { signal(SIGKILL) } }

    /// The last line that it printed.
    var lastLine: String { tail.text }

    /// Ends its process group: SIGTERM now, SIGKILL after a while.
    func end() {
        guard !isEnding, !hasEnded else { return }
        isEnding = true
        signal(SIGTERM)
        timer?.arm(after: Self.mercy)
    }

    /// Reads no more: who still writes gets SIGPIPE.
    func closeOutput() {
        outputWatch = nil
        output = nil
    }

    /// Signals the group, and the process itself, which may not have its group yet.
    private func signal(_ number: Int32) {
        kill(-pid, number)
        kill(pid, number)
    }

    private func timeIsUp() {
        guard isEnding else {
            switch allowance?.expire(at: loop.now) {
            case .extended(let deadline)?: timer?.arm(at: deadline)
            // Nobody knows how much of its time it has had: it gets all of it again.
            case .paused?: if let deadline = allowance?.begin(at: loop.now) { timer?.arm(at: deadline) }
            case .over?, nil:
                isTimedOut = true
                end()
                heard(self, .timedOut)
            }
            return
        }
        signal(SIGKILL)
        isKilled = true
        if hasEnded { reap() }
    }

    private func exited() {
        var status: Int32 = 0
        guard !hasEnded, ek_peek(pid, &status) == 1 else { return }
        hasEnded = true
        processWatch = nil
        readReports()
        // A pipe holds a chunk; the second time shows whether that was all.
        for _ in 0..<2 { readOutput() }
        heard(self, .ended(failure ?? (status < 256 ? .exited(Int(status)) : .signalled(Int(status - 256)))))
        if !isEnding || isKilled { reap() }
    }

    private func reap() {
        var status: Int32 = 0
        guard !isReaped, ek_reap(pid, &status) == 1 else { return }
        isReaped = true
        timer?.disarm()
        process = nil
        heard(self, outputWatch == nil ? .gone : .leftBehind)
    }

    private func readOutput() {
        guard let number = output?.number else { return }
        let isOver = withUnsafeTemporaryAllocation(byteCount: Self.chunk, alignment: 1) { buffer in
            let count = ek_read(number, buffer.baseAddress, buffer.count)
            if count > 0, !isReaped { tail.append(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
            return count == 0 || count < 0 && count != -Int(EAGAIN)
        }
        guard isOver else { return }
        closeOutput()
        if isReaped { heard(self, .gone) }
    }

    private func readReports() {
        while let number = reports?.number {
            var report = ek_program_report()
            let size = MemoryLayout<ek_program_report>.size
            let count = ek_read(number, &report, size)
            if count == -Int(EAGAIN) { return }
            guard count == size else {
                reportWatch = nil
                reports = nil
                return
            }
            let path = withUnsafeBytes(of: report.path) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if report.stage == Int32(EK_PROGRAM_INSECURE), !request.isSecure {
                culprit = path
            } else {
                failure = .notStarted(stage: report.stage, code: report.error, path: path)
            }
        }
    }
}
