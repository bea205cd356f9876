// The way in: bytes → `Configuration` with everything that is to be said about them. Total: no input traps, loops without
// end or reads more than `ReadingLimits` allow.
public import Net

/// What is true of the machine that a configuration is for. A nil answer means "not known" and is not complained about.
public protocol MachineFacts {
    /// Whether an interface of this name exists, where this program works or in another network namespace.
    func hasInterface(_ name: String, in namespace: NetworkNamespaceName?) -> Bool?
    /// The addresses of the interfaces with their networks; nil = the machine is not known.
    func networks(in namespace: NetworkNamespaceName?) -> [String: [IPPrefix]]?
    /// What keeps a daemon from going to a network namespace, and what to do; nil = nothing, or it is not known.
    func problem(withNamespace name: NetworkNamespaceName) -> (problem: String, remedy: String)?
    /// Whether a user of this name or number exists.
    func hasUser(_ name: String) -> Bool?
    /// Whether a group of this name or number exists.
    func hasGroup(_ name: String) -> Bool?
    /// Why a program (a path, or a name to find in PATH) cannot be run; nil = it can, or it is not known.
    func problem(withProgram program: String) -> String?
    /// The part of the way to a program that others than root can replace; nil = there is none, or it is not known.
    func replaceablePart(ofProgram program: String) -> String?
    /// Why a file that is read later cannot be; nil = nothing is known against it.
    func problem(withFile path: String) -> String?
    /// What PCRE2 says against a pattern; nil = nothing, or there is no PCRE2 here.
    func problem(withPattern pattern: RegexCheck) -> String?
    /// An environment variable, for `${_ENV NAME}`.
    func environment(_ name: String) -> String?
    /// The numbers of names in a file of /etc/iproute2.
    func routingNames(_ file: RoutingNames) -> [String: UInt32]?
    /// What is in a file of at most `limit` bytes that holds a secret.
    func secret(inFile path: String, limit: Int) -> SecretFile
    /// What `@NAME` lines compare with (keepalived's -i); nil: the first label of the host name.
    var configID: String? { get }
    /// The host name.
    var hostName: String { get }
}

extension MachineFacts {
    public func networks(in namespace: NetworkNamespaceName?) -> [String: [IPPrefix]]? { nil }
    public var configID: String? { nil }
    public func problem(withFile path: String) -> String? { nil }
}

/// A machine nothing is known about: a configuration is checked by itself.
public struct UnknownMachine: MachineFacts, Sendable {
    public var hostName: String

    /// The host name still matters for `@ID`.
    public init(hostName: String = "localhost") {
        self.hostName = hostName
    }

    public func hasInterface(_ name: String, in namespace: NetworkNamespaceName?) -> Bool? { nil }
    public func problem(withNamespace name: NetworkNamespaceName) -> (problem: String, remedy: String)? { nil }
    public func hasUser(_ name: String) -> Bool? { nil }
    public func hasGroup(_ name: String) -> Bool? { nil }
    public func problem(withProgram program: String) -> String? { nil }
    public func problem(withPattern pattern: RegexCheck) -> String? { nil }
    public func replaceablePart(ofProgram program: String) -> String? { nil }
    public func environment(_ name: String) -> String? { nil }
    public func routingNames(_ file: RoutingNames) -> [String: UInt32]? { nil }
    public func secret(inFile path: String, limit: Int) -> SecretFile { .unknown }
}

/// What a reading gives.
public struct LoadedConfiguration: Equatable, Sendable {
    /// Nil when there is an error among the diagnostics.
    public var configuration: Configuration?
    /// In the order of the text.
    public var diagnostics: [Diagnostic]
    /// What it asks for and this version does not do, in the order of the text; each is a diagnostic too. A configuration with
    /// any of it is not good as it stands, one with `Inaction.Cost.protection` does not protect as it says.
    public var inactions: [Inaction] = []
    /// The values that count, block by block in the order of the text, global_defs first; empty unless `LoadOptions.collectsValues`.
    public var blocks: [EffectiveBlock] = []
    /// Diagnostics beyond what is kept.
    public var droppedDiagnostics: Int
    /// The files that were read; nil when the main file could not be.
    public var bundle: ConfigurationBundle?
    /// What a digest of the configuration is made of: every file's path and bytes, in order of reading. The bytes are the bundle's.
    var digestParts: [[UInt8]] = []

    /// Of every file's path and bytes: equal in all who read the same.
    public var digest: String { contentDigest(digestParts) }

    /// True when the configuration is refused.
    public var hasErrors: Bool { configuration == nil }
}

/// How to read.
public struct LoadOptions: Equatable, Sendable {
    /// What `@ID` compares with; nil = the host name's first label.
    public var configID: String?
    /// What depends on the machine, and what will not act, is an error.
    public var isStrict = false
    /// The values that count are wanted too.
    public var collectsValues = false
    /// How much it may cost.
    public var limits = ReadingLimits()

    /// keepalived's.
    public init(configID: String? = nil, isStrict: Bool = false) {
        self.configID = configID
        self.isStrict = isStrict
    }
}

extension Configuration {
    /// Reads a keepalived.conf and everything it includes.
    public static func load(
        files: some FileLoader, path: String, machine: some MachineFacts = UnknownMachine(),
        options: LoadOptions = LoadOptions()
    ) -> LoadedConfiguration {
        let host = machine.hostName.split(separator: ".").first.map(String.init) ?? machine.hostName
        let id = options.configID ?? machine.configID ?? host
        var preprocessor = Preprocessor(
            loader: files,
            environment: ReadingEnvironment(configID: id, instance: id, variable: machine.environment),
            limits: options.limits)
        do {
            try preprocessor.readFile(path)
        } catch {
            let diagnostic = Diagnostic.ofFile(
                path, .fileNotFound, "cannot be read: \(error.reason)",
                remedy: "name a file that can be read; without a name it is /etc/evenkeel/evenkeel.conf, else "
                    + "/etc/keepalived/keepalived.conf")
            return LoadedConfiguration(
                configuration: nil, diagnostics: [diagnostic], droppedDiagnostics: 0)
        }
        let tree = preprocessor.finish()
        let bundle = ConfigurationBundle(
            files: preprocessor.reporter.sources.files.map { .init(path: $0.path, bytes: $0.bytes) },
            patterns: preprocessor.patterns)
        var interpreter = Interpreter(reporter: preprocessor.reporter)
        if options.collectsValues { interpreter.effective = EffectiveValues() }
        interpreter.routingNames = machine.routingNames
        interpreter.secretFile = { machine.secret(inFile: $0, limit: Interpreter.keyFileLimit) }
        let file = interpreter.read(tree.root, Grammars.file, from: FileDraft())
        let configuration = interpreter.resolve(file.draft)
        interpreter.checkMachine(machine, isStrict: options.isStrict)
        interpreter.finish(isStrict: options.isStrict)
        var loaded = interpreter.reporter.result(configuration)
        if !tree.root.children.contains(where: { _ in true }), loaded.diagnostics.isEmpty {
            // keepalived takes it without a word; it is what a full disk or a template that broke leaves, more often than what is meant.
            loaded.diagnostics = [
                .ofFile(
                    path, .missingKeyword, "says nothing: whoever loads it gives up every address and every service",
                    remedy: "restore the file if that is not meant; stop the daemons if it is", severity: .warning)
            ]
        }
        loaded.digestParts = preprocessor.digestParts
        loaded.inactions = interpreter.inactions.inOrder(of: interpreter.reporter.sources) { $0.source.position }
        loaded.bundle = bundle
        loaded.blocks = interpreter.effective?.inOrder ?? []
        return loaded
    }
}

/// FNV-1a of 128 bits over all parts, as 32 hexadecimal digits. It guards against mistakes, not against forgery.
public func contentDigest(_ parts: [[UInt8]]) -> String {
    var hash: UInt128 = 0x6C62_272E_07BB_0142_62B8_2175_6295_C58D
    let prime: UInt128 = 0x0000_0000_0100_0000_0000_0000_0000_013B
    for part in parts {
        for byte in part { hash = (hash ^ UInt128(byte)) &* prime }
    }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 32 - digits.utf8.count) + digits
}

extension Reporter {
    /// Diagnostics in the order of the text; no configuration when one is an error.
    fileprivate func result(_ configuration: Configuration) -> LoadedConfiguration {
        LoadedConfiguration(
            configuration: errors > 0 ? nil : configuration,
            diagnostics: diagnostics.inOrder(of: sources) { $0.position },
            droppedDiagnostics: dropped)
    }
}

extension Array {
    /// Sorted by place: files in order of reading, then line and column.
    fileprivate func inOrder(of sources: SourceMap, _ position: (Element) -> SourcePosition) -> [Element] {
        let order = Dictionary(zip(sources.files.map(\.path), 0...), uniquingKeysWith: { first, _ in first })
        return enumerated().map { index, element in
            let place = position(element)
            return (key: (order[place.file] ?? 0, place.line, place.column, index), element)
        }
        .sorted { $0.key < $1.key }.map(\.1)
    }
}
