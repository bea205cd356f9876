// The configurations that were good: a daemon keeps the one in force, and the one before it, in its state directory. `lbctl reload --rollback`
// goes back to them, `lbctl config diff` compares with them, and a daemon whose unit says --last-good starts with one when its file is refused.
public import Configuration
import Glibc

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
    public func inForce() throws(Errno) -> ConfigurationBundle? { try bundle(at: path) }

    /// The one that was in force before it.
    public func before() throws(Errno) -> ConfigurationBundle? { try bundle(at: pathBefore) }

    /// Keeps what is in force now. Waits for the disk.
    public func keep(_ bundle: ConfigurationBundle) throws(Errno) {
        let old = try? inForce()
        guard old != bundle else { return }
        try FileSystem.makeDirectory(directory, mode: 0o750)
        if let old { try FileSystem.replace(pathBefore, with: old.encoded, durable: false) }
        try FileSystem.replace(path, with: bundle.encoded, durable: true)
    }

    private func bundle(at path: String) throws(Errno) -> ConfigurationBundle? {
        try FileSystem.ownContents(of: path, limit: Self.sizeLimit).flatMap { ConfigurationBundle($0) }
    }
}

/// Keeps configurations off the loop: one at a time, the latest one last.
public final class ConfigurationKeeper {
    private let kept: KeptConfigurations
    private let loop: EventLoop
    private let logger: Logger
    private var isWriting = false
    private var next: ConfigurationBundle?

    /// Keeps them in a state directory.
    public init(directory: String, loop: EventLoop, logger: Logger) {
        kept = KeptConfigurations(directory: directory)
        self.loop = loop
        self.logger = logger
    }

    /// Keeps one as soon as the disk has the one before it.
    public func keep(_ bundle: ConfigurationBundle) {
        next = bundle
        if !isWriting { write() }
    }

    private func write() {
        guard let bundle = next else { return }
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
            try Background.run(on: loop, work) { [weak self] in self?.written($0) }
        } catch {
            written(error)
        }
    }

    private func written(_ failure: Errno?) {
        isWriting = false
        if let failure {
            logger.warning(
                "the configuration in force is not kept: \(failure); 'lbctl reload --rollback' and --last-good have an older one"
            )
        }
        write()
    }
}
