// How the reader gets at files: injected, so that this module does no I/O and tests need no disk.

/// Why a file could not be read.
public struct FileLoaderError: Error, Equatable, Sendable {
    /// What it means for whoever included it.
    public enum Kind: Sendable {
        /// Its rights, or those of a directory, keep this process from it.
        case forbidden
        /// It is a directory.
        case directory
        case other
    }

    /// The system's words, e.g. "No such file or directory".
    public var reason: String
    public var kind: Kind

    /// A failure with its reason.
    public init(reason: String, kind: Kind = .other) {
        self.reason = reason
        self.kind = kind
    }
}

/// Gives the reader the bytes of files. The driver's reads the disk; a test's is a dictionary.
public protocol FileLoader {
    /// The whole file, or why not. A loader refuses what is larger than `limit` bytes.
    func read(_ path: String, limit: Int) throws(FileLoaderError) -> [UInt8]

    /// Files that match a glob(7) pattern without braces, sorted; the path itself when it has no wildcard and exists. Throws when there is a
    /// directory to look into and it cannot be read.
    func paths(matching pattern: String) throws(FileLoaderError) -> [String]
}

/// How much a configuration may cost to read. Beyond these it is refused with a diagnostic.
public struct ReadingLimits: Equatable, Sendable {
    /// Includes within includes.
    public var includeDepth = 16
    /// Files altogether.
    public var files = 4096
    /// Bytes of one file.
    public var fileBytes = 64 << 20
    /// Bytes of a line after substitution.
    public var lineBytes = 16 << 10
    /// Text that parameters, sequences and quotes make, altogether.
    public var madeBytes = 1 << 30
    /// Lines after substitution, sequences and lists.
    public var lines = 4_000_000
    /// Substitutions within substitutions.
    public var substitutionDepth = 64

    /// Enough for a hundred thousand servers.
    public init() {}
}
