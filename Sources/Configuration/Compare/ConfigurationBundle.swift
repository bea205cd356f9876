// A configuration as it was read: the bytes of every file and what its includes found, in one piece. Kept by the daemons while it is good, so
// that it can be loaded again, compared and put back when the files say something else.

/// The files of one configuration.
public struct ConfigurationBundle: Equatable, Sendable, FileLoader {
    /// A file.
    public struct File: Equatable, Sendable {
        /// As it was named.
        public var path: String
        /// What was in it.
        public var bytes: [UInt8]
    }

    /// The first is the main file; each path once.
    public private(set) var files: [File] = []
    /// What include patterns found, by pattern.
    public private(set) var patterns: [String: [String]] = [:]
    /// The digest that who loaded it gave it; nil where nobody said. No part of what makes two of them equal.
    public var digest: String?

    private static let heading = "evenkeel configuration 2\n"
    /// Of bundles without the last line.
    private static let oldHeading = "evenkeel configuration 1\n"
    /// A bundle of more files or patterns is not believed.
    private static let limit = 10_000

    init(files: [File], patterns: [String: [String]]) {
        var seen: Set<String> = []
        self.files = files.filter { seen.insert($0.path).inserted }
        self.patterns = patterns
    }

    public static func == (one: ConfigurationBundle, other: ConfigurationBundle) -> Bool {
        one.files == other.files && one.patterns == other.patterns
    }

    /// The main file's path.
    public var path: String { files.first?.path ?? "" }

    public func read(_ path: String, limit: Int) throws(FileLoaderError) -> [UInt8] {
        guard let file = files.first(where: { $0.path == path }) else {
            throw FileLoaderError(reason: "it was not there")
        }
        guard file.bytes.count <= limit else { throw FileLoaderError(reason: "larger than \(limit) bytes") }
        return file.bytes
    }

    public func paths(matching pattern: String) -> [String] { patterns[pattern] ?? [] }

    /// The values that count in it; for `LoadedConfiguration.differences`.
    public func values(machine: some MachineFacts = UnknownMachine()) -> LoadedConfiguration {
        var options = LoadOptions()
        options.collectsValues = true
        return Configuration.load(files: self, path: path, machine: machine, options: options)
    }

    /// As octets: a heading; for each file a line `file LENGTH LENGTH`, then its path and its bytes; for each pattern a line
    /// `pattern COUNT`, then itself and what it found as `file` is written, without bytes. The last line, `end COUNT DIGEST SUM`, counts the
    /// others, has `digest` (or `-`) and the `contentDigest` of all that stands before the sum: what was cut or changed is not taken for whole.
    public var encoded: [UInt8] {
        var octets = Array(Self.heading.utf8)
        var count = 0
        func add(_ word: String, _ path: String, _ bytes: [UInt8]) {
            count += 1
            octets += "\(word) \(path.utf8.count) \(bytes.count)\n".utf8
            octets += path.utf8
            octets += bytes
            octets.append(UInt8(ascii: "\n"))
        }
        for file in files { add("file", file.path, file.bytes) }
        for (pattern, found) in patterns.sorted(by: { $0.key < $1.key }) {
            add("pattern", pattern, [])
            for path in found { add("found", path, []) }
        }
        octets += "end \(count) \(digest ?? "-") ".utf8
        return octets + "\(contentDigest([octets]))\n".utf8
    }

    /// Nil for octets that are no whole bundle. Total.
    public init?(_ octets: [UInt8]) {
        let isOld = octets.starts(with: Self.oldHeading.utf8)
        guard isOld || octets.starts(with: Self.heading.utf8) else { return nil }
        var rest = octets[Self.heading.utf8.count...]
        var pattern: String?
        var count = 0
        var isEnded = isOld
        while !rest.isEmpty {
            guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
            let words = String(decoding: rest[..<end], as: UTF8.self).split(separator: " ")
            if !isOld, words.first == "end" {
                guard words.count == 4, Int(words[1]) == count, end == octets.index(before: octets.endIndex),
                    contentDigest([Array(octets[..<(end - words[3].utf8.count)])]) == words[3]
                else { return nil }
                digest = words[2] == "-" ? nil : String(words[2])
                isEnded = true
                break
            }
            count += 1
            rest = rest[(end + 1)...]
            guard count <= Self.limit, words.count == 3, let name = Int(words[1]), let length = Int(words[2]),
                name >= 0, length >= 0,
                name <= rest.count, length < rest.count - name,
                rest[rest.startIndex + name + length] == UInt8(ascii: "\n")
            else { return nil }
            let path = String(decoding: rest.prefix(name), as: UTF8.self)
            let bytes = Array(rest.dropFirst(name).prefix(length))
            rest = rest.dropFirst(name + length + 1)
            switch words[0] {
            case "file": files.append(File(path: path, bytes: bytes))
            case "pattern":
                pattern = path
                patterns[path] = []
            case "found":
                guard let pattern else { return nil }
                patterns[pattern]?.append(path)
            default: return nil
            }
        }
        guard isEnded, !files.isEmpty else { return nil }
    }
}
