// The files of SSL_GETs (certificate and key of the `SSL` block, `ca`), read on a thread of their own and handed to curl as memory: a file system that
// hangs holds up no probe. They are read again every 10 s and at a reload. What is new in one counts when it has been the same for a second, in a
// certificate and its key when both have, so that these change together however they are replaced (a link that is moved, one file after the other). A
// file that cannot be used leaves what was read before in force.
import CCurl
import CLinux
import Configuration
import HealthCheck
import Net
import Platform

/// What a file holds, at a place that stays.
final class TLSFileContent {
    let octets: UnsafeRawBufferPointer
    /// Told apart from other contents by it.
    private let number: Int
    /// Once somebody has asked for `path`.
    private var file: FileDescriptor?

    init(_ content: [UInt8], number: Int = 0) {
        self.number = number
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: content.count, alignment: 1)
        copy.copyBytes(from: content)
        octets = UnsafeRawBufferPointer(copy)
    }

    deinit { octets.deallocate() }

    /// For curl, as long as this is kept.
    var blob: ek_blob { ek_blob(octets: octets.baseAddress, count: octets.count) }

    /// The same as a file in memory, as long as this is kept. curl keeps the authorities that it has parsed last by their path: the slashes tell this
    /// content from the earlier ones that had its descriptor.
    func path() throws(Errno) -> String {
        let descriptor: Int32
        if let known = file?.number {
            descriptor = known
        } else {
            descriptor = try Errno.check(ek_memory_file(octets.baseAddress, octets.count), "memfd_create")
            file = FileDescriptor(owning: descriptor)
        }
        return "/proc/self/fd/\(String(repeating: "/", count: number % 1000))\(descriptor)"
    }
}

/// A file that cannot be used.
struct TLSFileProblem: Equatable {
    let path: String
    let reason: String
    /// What was read before is in force.
    let hasFormer: Bool
}

/// All of them.
final class TLSFiles {
    private static let interval = Duration.seconds(10)
    private static let settling = Duration.seconds(1)

    /// What was found at a path.
    private enum Look: Equatable, Sendable {
        case content([UInt8])
        case refused(String)

        private static let limit = 1 << 20

        static func at(_ path: String) -> Look {
            guard !FileSystem.isSpecial(path) else { return .refused("it is no regular file") }
            do throws(Errno) {
                guard let content = try FileSystem.contents(of: path, limit: limit) else {
                    return .refused("there is no such file")
                }
                return String(decoding: content, as: UTF8.self).contains("-----BEGIN ")
                    ? .content(content) : .refused("it is no PEM file")
            } catch {
                return .refused("\(error)")
            }
        }
    }

    private struct File {
        /// nil: nobody has looked yet.
        var latest: Look?
        var content: TLSFileContent?
        var problem: String?
        /// What was new in the last looks counts from then on.
        var settledAt = Instant.zero
        /// Change together with it.
        var partners: Set<String> = []
    }

    /// Waits until files have been looked at, as long as it is kept.
    final class Waiter {
        fileprivate let paths: [String]
        fileprivate let known: () -> Void

        fileprivate init(_ paths: [String], _ known: @escaping () -> Void) { (self.paths, self.known) = (paths, known) }
    }

    private struct WeakWaiter { weak var waiter: Waiter? }

    private let loop: EventLoop
    private var files: [String: File] = [:]
    private var waiters: [WeakWaiter] = []
    /// Contents so far.
    private var count = 0
    private var isLooking = false
    private var looksAgain = false
    private var timer: LoopTimer?
    private var told: TLSFileProblem?
    /// Called when `problem` is different.
    var problemChanged: (TLSFileProblem?) -> Void = { _ in }

    init(on loop: EventLoop) {
        self.loop = loop
        timer = loop.timer { [weak self] in self?.look() }
    }

    /// Keeps the files that a configuration names, and no others; all are read again.
    func adopt(_ configuration: Configuration) {
        var named: [String: Set<String>] = [:]
        for checker in configuration.virtualServers.lazy.flatMap(\.realServers).flatMap(\.checkers) {
            guard case .http(let probe) = checker.probe, let tls = probe.tls else { continue }
            for path in tls.files { named[path, default: []].formUnion(tls.pair.contains(path) ? tls.pair : []) }
        }
        files = files.filter { named[$0.key] != nil }
        for (path, partners) in named { files[path, default: File()].partners = partners }
        look()
        tell()
    }

    /// Calls back once all of `paths` have been looked at, as long as the result is kept; nil when they have been.
    func wait(for paths: [String], _ known: @escaping () -> Void) -> Waiter? {
        let unknown = paths.filter { files[$0]?.latest == nil }
        guard !unknown.isEmpty else { return nil }
        let isNew = unknown.contains { files[$0] == nil }
        for path in unknown where files[path] == nil { files[path] = File() }
        if isNew { look() }
        let waiter = Waiter(paths, known)
        waiters.append(WeakWaiter(waiter: waiter))
        return waiter
    }

    /// What a file holds.
    func content(of path: String) throws(ProbeObstacle) -> TLSFileContent {
        if let content = files[path]?.content { return content }
        throw ProbeObstacle(.library("\(path): \(files[path]?.problem ?? "not read yet")"))
    }

    /// What is wrong with one of the files.
    private var problem: TLSFileProblem? {
        let bad = files.filter { $0.value.problem != nil }.min { $0.key < $1.key }
        return bad.flatMap { path, file in
            file.problem.map { TLSFileProblem(path: path, reason: $0, hasFormer: file.content != nil) }
        }
    }

    private func look() {
        guard !isLooking else { return looksAgain = true }
        guard !files.isEmpty else { return }
        isLooking = true
        do throws(Errno) {
            try Background.run(
                on: loop, { [paths = Array(files.keys)] in paths.map { ($0, Look.at($0)) } },
                done: { [weak self] in self?.found($0) })
        } catch {
            isLooking = false
            timer?.arm(after: Self.settling)
        }
    }

    private func found(_ looks: [(path: String, look: Look)]) {
        isLooking = false
        let now = loop.refreshNow()
        for (path, look) in looks {
            if let latest = files[path]?.latest, latest != look { files[path]?.settledAt = now + Self.settling }
        }
        for (path, look) in looks {
            guard let file = files[path] else { continue }
            let isSettled = file.partners.union([path]).allSatisfy { files[$0]?.settledAt ?? .zero <= now }
            if isSettled || file.latest == nil { take(look, path) }
            files[path]?.latest = look
        }
        timer?.arm(at: files.values.map(\.settledAt).filter { $0 > now }.min() ?? now + Self.interval)
        if looksAgain {
            looksAgain = false
            look()
        }
        tell()
        callWaiters()
    }

    private func take(_ look: Look, _ path: String) {
        switch look {
        case .refused(let why): files[path]?.problem = why
        case .content(let octets):
            files[path]?.problem = nil
            if files[path]?.content?.octets.elementsEqual(octets) != true {
                count += 1
                files[path]?.content = TLSFileContent(octets, number: count)
            }
        }
    }

    private func tell() {
        let problem = problem
        guard told != problem else { return }
        told = problem
        problemChanged(problem)
    }

    private func callWaiters() {
        let waiting = waiters.compactMap(\.waiter)
        waiters = []
        for waiter in waiting {
            if waiter.paths.allSatisfy({ files[$0]?.latest != nil }) {
                waiter.known()
            } else {
                waiters.append(WeakWaiter(waiter: waiter))
            }
        }
    }
}

extension HTTPProbe.TLS {
    /// Paths of all files.
    var files: [String] {
        [verifies ? authorities : nil, identity?.certificate, identity?.key].compactMap(\.self)
    }

    /// Those that belong together.
    fileprivate var pair: [String] { [identity?.certificate, identity?.key].compactMap(\.self) }
}
