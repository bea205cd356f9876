// Keeps the layers of docs/ARCHITECTURE.md apart, by reading the import lines of every source file.
import Foundation
import Testing

/// The rules of docs/ARCHITECTURE.md, read off the sources themselves.
@Suite struct ImportRulesTests {
    private static let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Sources")

    /// Every import of every Swift file of a module.
    private func imports(of module: String) throws -> Set<String> {
        let folder = Self.sources.appending(path: module)
        let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
        var found: Set<String> = []
        for case let file as URL in files where file.pathExtension == "swift" {
            for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
                let words = line.split(separator: " ").filter { !$0.hasPrefix("@") }
                guard let index = words.firstIndex(of: "import"), index <= 1, index + 1 < words.count else { continue }
                found.insert(String(words[index + 1]))
            }
        }
        return found
    }

    @Test(
        arguments: [
            ("Net", []), ("JSON", ["CJsonC"]), ("Varlink", ["JSON"]), ("Configuration", ["Net"]),
            ("Scripts", ["Net", "Configuration", "DequeModule"]),
            ("VRRP", ["Net", "Configuration", "Scripts", "HeapModule", "DequeModule"]),
            ("IPVS", ["Net", "Configuration", "Scripts"]),
            ("HealthCheck", ["Net", "Configuration", "DequeModule"]),
            ("Alerts", ["Net", "JSON", "Configuration", "IPVS", "DequeModule"]),
        ] as [(String, Set<String>)])
    func `pure modules import no I/O, no clock and no Glibc`(_ module: String, _ allowed: Set<String>) throws {
        #expect(try imports(of: module).subtracting(allowed) == [])
    }

    @Test(arguments: [
        "Platform", "Netlink", "Bus", "IPVSWords", "ScriptClient", "Tracking", "vrrpd", "ipvsd", "checkd", "scriptd",
        "busd",
    ])
    func `daemons and drivers do without Foundation, Dispatch and NIO`(_ module: String) throws {
        let heavy: Set = ["Foundation", "FoundationEssentials", "Dispatch", "NIO", "NIOCore", "ArgumentParser"]
        #expect(try imports(of: module).isDisjoint(with: heavy))
    }
}
