// What the configuration tests share: files in memory, a machine with chosen facts, fixtures.
import Foundation
import Testing

@testable import Configuration

/// Files by path; `*` in a pattern matches within the last component.
struct MemoryFiles: FileLoader {
    var files: [String: [UInt8]]

    init(_ files: [String: String]) {
        self.files = files.mapValues { Array($0.utf8) }
    }

    func read(_ path: String, limit: Int) throws(FileLoaderError) -> [UInt8] {
        guard let bytes = files[path] else { throw FileLoaderError(reason: "no such file") }
        guard bytes.count <= limit else { throw FileLoaderError(reason: "larger than \(limit) bytes") }
        return bytes
    }

    func paths(matching pattern: String) -> [String] {
        guard let star = pattern.firstIndex(of: "*") else { return files[pattern] == nil ? [] : [pattern] }
        let head = pattern[..<star]
        let tail = pattern[pattern.index(after: star)...]
        return files.keys.filter { path in
            guard path.hasPrefix(head), path.hasSuffix(tail), path.count >= pattern.count - 1 else { return false }
            return !path.dropFirst(head.count).dropLast(tail.count).contains("/")
        }.sorted()
    }
}

/// A machine on which exactly these things exist.
struct SmallMachine: MachineFacts {
    var interfaces: Set<String> = ["lo", "eth0"]
    var hostName = "left.example.net"
    func hasInterface(_ name: String, in namespace: NetworkNamespaceName?) -> Bool? { interfaces.contains(name) }
    func problem(withNamespace name: NetworkNamespaceName) -> (problem: String, remedy: String)? {
        name == .named("gone") ? ("there is no network namespace gone", "make it first") : nil
    }
    func hasUser(_ name: String) -> Bool? { name == "root" }
    func hasGroup(_ name: String) -> Bool? { name == "root" }
    func problem(withPattern pattern: RegexCheck) -> String? { nil }
    func problem(withProgram program: String) -> String? { program.hasPrefix("/bin/") ? nil : "there is no such file" }
    func replaceablePart(ofProgram program: String) -> String? { program == "/bin/open" ? "/bin/open" : nil }
    func routingNames(_ file: RoutingNames) -> [String: UInt32]? { nil }
    func secret(inFile path: String, limit: Int) -> SecretFile {
        switch path {
        case "/keys/good": .content(Array("hex:\(String(repeating: "a5", count: 32))\n".utf8))
        case "/keys/short": .content(Array("too short".utf8))
        default: .unusable("it does not belong to root, or others may read it")
        }
    }
    func environment(_ name: String) -> String? { name == "ROLE" ? "standby" : nil }
}

/// Reads one text as `test.conf`.
func load(
    _ text: String, _ more: [String: String] = [:], machine: some MachineFacts = UnknownMachine(),
    options: LoadOptions = LoadOptions()
) -> LoadedConfiguration {
    var files = more
    files["test.conf"] = text
    return Configuration.load(files: MemoryFiles(files), path: "test.conf", machine: machine, options: options)
}

/// `line:column severity code`, one for each diagnostic but those on keywords that nothing acts on yet: they come and go.
func summary(_ loaded: LoadedConfiguration) -> [String] {
    loaded.diagnostics.filter { $0.code != .notActedOn }.map {
        "\($0.position.line):\($0.position.column) \($0.severity.rawValue) \($0.code.rawValue)"
    }
}

/// A minimal instance with more lines in its block.
func instanceText(_ lines: String, name: String = "VI_1", id: Int = 51, interface: String? = "eth0") -> String {
    """
    vrrp_instance \(name) {
        virtual_router_id \(id)
        \(interface.map { "interface \($0)" } ?? "")
        virtual_ipaddress {
            192.0.2.\(id)
        }
        \(lines)
    }

    """
}

/// The instance of a minimal block with more lines.
func instance(_ lines: String, _ context: String = "") throws -> VRRPInstanceConfiguration {
    let loaded = load(context + instanceText(lines))
    let configuration = try #require(loaded.configuration, "\(loaded.diagnostics.map { $0.rendered() })")
    return try #require(configuration.instances.first)
}

/// A service with more lines in its block and one server with lines in its.
func serviceText(_ lines: String = "", server: String = "", kind: String = "NAT", protocol: String = "TCP") -> String {
    """
    virtual_server 192.0.2.1 80 {
        protocol \(`protocol`)
        lb_kind \(kind)
        \(lines)
        real_server 192.0.2.11 80 {
            \(server)
        }
    }

    """
}

/// The service of such a text.
func service(_ lines: String = "", server: String = "", kind: String = "NAT") throws -> VirtualServerConfiguration {
    let loaded = load(serviceText(lines, server: server, kind: kind))
    let configuration = try #require(loaded.configuration, "\(loaded.diagnostics.map { $0.rendered() })")
    return try #require(configuration.virtualServers.first)
}

/// The files beside the tests.
enum Fixtures {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
    static let repository = folder.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func text(_ path: String) throws -> String {
        try String(contentsOf: folder.appending(path: path), encoding: .utf8)
    }

    /// Every .conf file below a folder of the fixtures, by its path there.
    static func configurations(_ path: String) -> [String] {
        let base = folder.appending(path: path)
        let found = FileManager.default.enumerator(at: base, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL }
        return (found ?? []).filter { $0.pathExtension == "conf" }
            .map { String($0.path.dropFirst(folder.path.count + 1)) }.sorted()
    }

    /// Reads a fixture as if it were in the current directory.
    static func load(_ path: String, machine: some MachineFacts = UnknownMachine()) throws -> LoadedConfiguration {
        Configuration.load(files: MemoryFiles([path: try text(path)]), path: path, machine: machine)
    }
}
