// The configurations that were good: a daemon keeps the one in force, and the one before it, in its state directory. `lbctl reload --rollback`
// goes back to them, `lbctl config diff` compares with them, and a daemon whose unit says --last-good starts with one when its file is refused.
public import Configuration
import Glibc
import Net

/// Why a configuration that is kept cannot be used.
public enum KeptProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file cannot be read.
    case unreadable(path: String, Errno)
    /// The file is there, and is not what a daemon wrote.
    case damaged(path: String)

    /// For people.
    public var description: String {
        switch self {
        case .unreadable(let path, let error): "\(path) cannot be read: \(error)"
        case .damaged(let path): "\(path) is damaged: it was cut or changed"
        }
    }
}

/// The configurations that a daemon keeps.
public struct KeptConfigurations: Sendable {
    /// No bundle is larger.
    private static let sizeLimit = 256 << 20

    private let directory: String

    /// Those in a daemon's state directory.
    public init(directory: String) {
        self.directory = directory
    }

    /// Where the one in force is.
    public var path: String { "\(directory)/configuration.good" }
    private var pathBefore: String { "\(directory)/configuration.before" }

    /// The one in force, or that was when the daemon ended; nil when there is none. Only files of this process's user, or of root, are believed.
    public func inForce() throws(KeptProblem) -> ConfigurationBundle? {
        if let bundle = try bundle(at: path) { return bundle }
        // The host fell between two renames.
        return (try? bundle(at: FileSystem.successor(of: path))) ?? nil
    }

    /// The one that was in force before it.
    public func before() throws(KeptProblem) -> ConfigurationBundle? { try bundle(at: pathBefore) }

    /// Keeps what is in force now. Waits for the disk. Where that fails, what was kept before stays as it is: the new one is on the disk before
    /// the old ones move. One that is damaged is replaced, and is no "one before".
    public func keep(_ bundle: ConfigurationBundle) throws(Errno) {
        let old = (try? self.bundle(at: path)) ?? nil
        let isSame = old == bundle
        guard !isSame || old?.digest != bundle.digest else { return }
        try FileSystem.makeDirectory(directory, mode: 0o750)
        try FileSystem.replace(
            path, with: bundle.encoded, durable: true, movingOldTo: old == nil || isSame ? nil : pathBefore)
    }

    private func bundle(at path: String) throws(KeptProblem) -> ConfigurationBundle? {
        let octets: [UInt8]?
        do throws(Errno) {
            octets = try FileSystem.ownContents(of: path, limit: Self.sizeLimit)
        } catch {
            throw .unreadable(path: path, error)
        }
        guard let octets else { return nil }
        guard let bundle = ConfigurationBundle(octets) else { throw .damaged(path: path) }
        return bundle
    }
}

/// Keeps configurations off the loop: one at a time, the latest one last. What cannot be written is tried again until it or a later one is there.
public final class ConfigurationKeeper {
    /// Why what is in force is not kept; nil when it is, or is on its way.
    public private(set) var failure: Errno?
    /// Called when `failure` changes.
    public var failureChanged: (() -> Void)?

    private let kept: KeptConfigurations
    private let loop: EventLoop
    private var isWriting = false
    private var next: ConfigurationBundle?
    private var pace = RetryPace()
    private var retry: LoopTimer?

    /// Keeps them in a state directory.
    public init(directory: String, loop: EventLoop) {
        kept = KeptConfigurations(directory: directory)
        self.loop = loop
        retry = loop.timer { [weak self] in self?.write() }
    }

    /// Keeps one as soon as the disk has the one before it.
    public func keep(_ bundle: ConfigurationBundle) {
        next = bundle
        write()
    }

    private func write() {
        guard !isWriting, let bundle = next else { return }
        next = nil
        let work: @Sendable () -> Errno? = { [kept] in
            do throws(Errno) {
                try kept.keep(bundle)
                return nil
            } catch {
                return error
            }
        }
        do throws(Errno) {
            isWriting = true
            try Background.run(on: loop, work) { [weak self] in self?.written(bundle, $0) }
        } catch {
            written(bundle, error)
        }
    }

    private func written(_ bundle: ConfigurationBundle, _ failure: Errno?) {
        isWriting = false
        if failure == nil {
            pace.reset()
            retry?.disarm()
            write()
        } else {
            next = next ?? bundle
            retry?.arm(at: loop.refreshNow() + pace.next())
        }
        guard self.failure?.code != failure?.code else { return }
        self.failure = failure
        failureChanged?()
    }
}
