// keepalived 2.2.7 as the judge: what it accepts without an error we accept, what it calls an error we name.
import Foundation
import Testing

@testable import Configuration

@Suite struct DifferentialTests {
    /// `keepalived -t` says 0 for nothing wrong, 4 and up for problems it would mostly run with.
    private func verdict(_ file: URL, id: String = "left") throws -> (status: Int32, text: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/sbin/keepalived")
        process.arguments = ["-t", "-i", id, "-f", file.path]
        let pipe = Pipe()
        process.standardError = pipe
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }

    private static let accepted = Fixtures.configurations("accepted")
    private static let refused = Fixtures.configurations("refused")

    @Test func `keepalived is installed`() {
        #expect(FileManager.default.isExecutableFile(atPath: "/usr/sbin/keepalived"), "apt-get install keepalived")
    }

    @Test(arguments: accepted)
    func `what keepalived accepts is accepted`(_ path: String) throws {
        let (status, text) = try verdict(Fixtures.folder.appending(path: path))
        #expect(status == 0, "\(text)")
        let loaded = Configuration.load(
            files: MemoryFiles([path: try Fixtures.text(path)]), path: path, options: LoadOptions(configID: "left"))
        #expect(loaded.configuration != nil, "\(loaded.diagnostics.map { $0.rendered() }.joined())")
    }

    @Test(arguments: refused)
    func `what keepalived complains about is refused, with a place`(_ path: String) throws {
        let (status, _) = try verdict(Fixtures.folder.appending(path: path))
        #expect(status != 0)
        let loaded = try Fixtures.load(path)
        #expect(loaded.configuration == nil)
        #expect(loaded.diagnostics.allSatisfy { $0.position.line > 0 })
    }

    @Test(arguments: Fixtures.configurations("scenarios").filter { !$0.contains("as-published") })
    func `the scenarios are no worse to us than to keepalived`(_ path: String) throws {
        let (status, text) = try verdict(Fixtures.folder.appending(path: path))
        let known = ["doesn't exist", "Truncating auth_pass", "Unknown keyword 'nb_get_retry'"]
        #expect(status == 0 || known.contains { text.contains($0) }, "\(text)")
        #expect(try Fixtures.load(path).configuration != nil)
    }
}
