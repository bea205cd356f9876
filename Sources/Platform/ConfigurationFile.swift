// The configuration file as every program reads it: from the disk, with the digest by which the daemons see that they
// read the same bytes.
import CLinux
import CPcre
public import Configuration
import Glibc
public import Net

/// A configuration that may be used.
public struct ConfigurationFile: Sendable {
    /// What it says.
    public let configuration: Configuration
    /// What there is to say about it; no errors.
    public let warnings: [Diagnostic]
    /// Of the file and everything it includes, 32 hexadecimal digits. Equal in all daemons that read the same bytes.
    public let digest: String
    /// Everything that was read.
    public let bundle: ConfigurationBundle?
    /// Why this one, the last good one, is here in place of what the file says now; nil = it is the file.
    public private(set) var refusal: ConfigurationRefusal?

    /// Reads a file and what it includes.
    public init(path: String) throws(ConfigurationRefusal) {
        try self.init(path: path, from: DiskFiles())
    }

    /// What a daemon starts with: its file, or with --last-good the last good one where the file is refused.
    public init(atStart options: DaemonOptions) throws(ConfigurationRefusal) {
        do throws(ConfigurationRefusal) {
            try self.init(path: options.config)
        } catch {
            guard options.startsWithLastGood else { throw error }
            self = try Self.lastGood(of: KeptConfigurations(directory: options.stateDirectory), insteadOf: error)
        }
    }

    /// The last good one. Where there is none the refusal says so beside the file's own mistakes.
    private static func lastGood(
        of kept: KeptConfigurations, insteadOf refusal: ConfigurationRefusal
    ) throws(ConfigurationRefusal) -> ConfigurationFile {
        func neither(_ problem: String, _ remedy: String) -> ConfigurationRefusal {
            let note = Diagnostic.ofFile(kept.path, .machine, "--last-good does not help: \(problem)", remedy: remedy)
            return ConfigurationRefusal(diagnostics: refusal.diagnostics + [note])
        }
        let bundle: ConfigurationBundle?
        do throws(KeptProblem) {
            bundle = try kept.inForce()
        } catch {
            throw neither("\(error)", "mend the mistakes above; the daemon keeps it anew when it has started")
        }
        guard let bundle else { throw refusal }
        do throws(ConfigurationRefusal) {
            var last = try ConfigurationFile(path: bundle.path, from: bundle)
            last.refusal = refusal
            return last
        } catch {
            // What was good before an upgrade need not be good after it.
            let first = error.diagnostics.first { $0.severity == .error }
            throw neither(
                "what was good is refused by this version: \(first.map { "\($0.position): \($0.message)" } ?? "")",
                "mend the mistakes above")
        }
    }

    private init(path: String, from files: some FileLoader) throws(ConfigurationRefusal) {
        let loaded = Configuration.load(files: files, path: path, machine: ThisMachine(isExamined: false))
        guard let configuration = loaded.configuration else {
            throw ConfigurationRefusal(diagnostics: loaded.diagnostics)
        }
        self.configuration = configuration
        warnings = loaded.diagnostics
        digest = loaded.digest
        var bundle = loaded.bundle
        bundle?.digest = digest
        self.bundle = bundle
    }

    /// Reads what a process that runs is to go over to: refused where it is for another network.
    public init(path: String, after running: GlobalDefinitions) throws(ConfigurationRefusal) {
        try self.init(path: path)
        try check(after: running, in: path)
    }

    /// Refused where it is for another network than a process that runs.
    public func check(after running: GlobalDefinitions, in path: String) throws(ConfigurationRefusal) {
        if let obstacle = configuration.global.obstacle(after: running, in: path) {
            throw ConfigurationRefusal(diagnostics: [obstacle])
        }
    }

}

/// Why a configuration cannot be used.
public struct ConfigurationRefusal: Error, Sendable, CustomStringConvertible {
    /// Errors and warnings in the order of the text.
    public let diagnostics: [Diagnostic]

    /// Everything for people, with lines and carets.
    public var description: String { diagnostics.map { $0.rendered() }.joined() }
}

/// Reads configuration files from the disk.
public struct DiskFiles: FileLoader, Sendable {
    /// Paths are as they are given.
    public init() {}

    public func read(_ path: String, limit: Int) throws(FileLoaderError) -> [UInt8] {
        let bytes: [UInt8]?
        do {
            bytes = try FileSystem.contents(of: path, limit: limit)
        } catch {
            throw FileLoaderError(error)
        }
        guard let bytes else { throw FileLoaderError(reason: "no such file") }
        return bytes
    }

    public func paths(matching pattern: String) throws(FileLoaderError) -> [String] {
        var found = glob_t()
        defer { globfree(&found) }
        let result = glob(pattern, 0, { _, error in error == ENOENT || error == ENOTDIR ? 0 : 1 }, &found)
        if result == GLOB_ABORTED { throw FileLoaderError(Errno(errno, "opendir")) }
        guard result == 0, let paths = found.gl_pathv else { return [] }
        return (0..<Int(found.gl_pathc)).compactMap { paths[$0].map { String(cString: $0) } }
    }
}

extension FileLoaderError {
    fileprivate init(_ error: Errno) {
        let kind: Kind =
            switch error.code {
            case EACCES, EPERM: .forbidden
            case EISDIR: .directory
            default: .other
            }
        self.init(reason: error.description, kind: kind)
    }
}

/// What is true of this machine.
public struct ThisMachine: MachineFacts, Sendable {
    /// False = only the host name and the environment are told: a daemon copes with what is missing when it is missing.
    private let isExamined: Bool

    /// Interfaces, users and programs are looked for when `isExamined`.
    public init(isExamined: Bool) {
        self.isExamined = isExamined
    }

    public func hasInterface(_ name: String, in namespace: NetworkNamespaceName?) -> Bool? {
        guard isExamined else { return nil }
        guard let namespace else { return if_nametoindex(name) != 0 }
        return try? NetworkNamespace.inside(namespace.path) { if_nametoindex(name) != 0 }
    }

    public func networks(in namespace: NetworkNamespaceName?) -> [String: [IPPrefix]]? {
        guard isExamined else { return nil }
        guard let namespace else { return InterfaceAddresses.networks() }
        return try? NetworkNamespace.inside(namespace.path) { InterfaceAddresses.networks() }
    }

    public func problem(withNamespace name: NetworkNamespaceName) -> (problem: String, remedy: String)? {
        guard isExamined, case .named = name else { return nil }
        var (file, own) = (stat(), stat())
        guard stat(name.path, &file) == 0 else {
            let error = Errno(errno, "stat")
            let isAbsent = error.code == ENOENT
            return (
                isAbsent ? "there is no network namespace \(name)" : "network namespace \(name): \(error)",
                isAbsent ? "make it first: ip netns add \(name)" : "name one that \"ip netns list\" shows"
            )
        }
        // All namespaces are files of one file system.
        guard stat("/proc/self/ns/net", &own) == 0, file.st_dev != own.st_dev else { return nil }
        return ("\(name.path) is no network namespace", "ip netns del \(name), then ip netns add \(name)")
    }

    public func hasUser(_ name: String) -> Bool? {
        isExamined ? getpwnam(name) != nil || UInt32(name).map { getpwuid($0) != nil } ?? false : nil
    }

    public func hasGroup(_ name: String) -> Bool? {
        isExamined ? getgrnam(name) != nil || UInt32(name).map { getgrgid($0) != nil } ?? false : nil
    }

    public func problem(withProgram program: String) -> String? {
        guard isExamined else { return nil }
        let candidates = paths(of: program)
        if candidates.contains(where: { access($0, X_OK) == 0 }) { return nil }
        if candidates.contains(where: { access($0, F_OK) == 0 }) { return "it is not executable" }
        return "there is no such file"
    }

    public func problem(withFile path: String) -> String? {
        guard isExamined, access(path, F_OK) != 0 else { return nil }
        // What this user may not look into is no fault of the file.
        return errno == ENOENT || errno == ENOTDIR ? Errno.words(for: errno) : nil
    }

    public func replaceablePart(ofProgram program: String) -> String? {
        guard isExamined, let path = paths(of: program).first(where: { access($0, X_OK) == 0 }) else { return nil }
        var part = [CChar](repeating: 0, count: Int(PATH_MAX))
        guard ek_program_replaceable(path, &part) == 1 else { return nil }
        return part.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    public func problem(withPattern pattern: RegexCheck) -> String? {
        guard isExamined else { return nil }
        var problem = [CChar](repeating: 0, count: 256)
        let options = pattern.options.reduce(0) { $0 | ek_regex_option($1) }
        guard ek_regex_is_refused(pattern.pattern, options, &problem, problem.count) != 0 else { return nil }
        return problem.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// Where a program may be.
    private func paths(of program: String) -> [String] {
        program.contains("/")
            ? [program] : (environment("PATH") ?? "/usr/bin:/bin").split(separator: ":").map { "\($0)/\(program)" }
    }

    public func routingNames(_ file: RoutingNames) -> [String: UInt32]? {
        let paths =
            ["/etc/iproute2/\(file.rawValue)"]
            + ((try? DiskFiles().paths(matching: "/etc/iproute2/\(file.rawValue).d/*.conf")) ?? [])
        var names: [String: UInt32] = [:]
        for path in paths {
            guard let bytes = try? FileSystem.contents(of: path, limit: 1 << 20) else { continue }
            for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
                let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
                guard words.count >= 2, let number = UInt32(routing: words[0]) else { continue }
                names[String(words[1])] = number
            }
        }
        return names
    }

    /// Only root reads secrets, from files that are root's alone.
    public func secret(inFile path: String, limit: Int) -> SecretFile {
        guard geteuid() == 0 else { return .unknown }
        do throws(Errno) {
            return try FileSystem.secret(of: path, limit: limit).map(SecretFile.content) ?? .unusable("no such file")
        } catch {
            switch error.code {
            case EPERM: return .unusable("it does not belong to root, or others may read it")
            case EFBIG: return .unusable("it is too long for a key")
            case EINVAL: return .unusable("it is no regular file")
            default: return .unusable("\(error)")
            }
        }
    }

    public func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// From the environment, which is that of the daemons (daemons.env), or else from that file.
    public var configID: String? {
        let name = "EVENKEEL_CONFIG_ID"
        if let id = environment(name) { return id.isEmpty ? nil : id }
        let text = (try? FileSystem.contents(of: "/etc/evenkeel/daemons.env", limit: 1 << 16)) ?? nil
        let lines = (text ?? []).split(separator: UInt8(ascii: "\n"))
        guard let line = lines.last(where: { $0.starts(with: "\(name)=".utf8) }) else { return nil }
        let id = String(decoding: line.dropFirst(name.utf8.count + 1), as: UTF8.self).filter { !"\"' \t".contains($0) }
        return id.isEmpty ? nil : id
    }

    public var hostName: String {
        var name = utsname()
        guard uname(&name) == 0 else { return "localhost" }
        return withUnsafeBytes(of: name.nodename) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
