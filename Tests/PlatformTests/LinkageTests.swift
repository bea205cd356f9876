// What the built daemons link, read off the programs themselves: the import rules hold for sources, this for what comes of them.
import Foundation
import Testing

@Suite struct LinkageTests {
    private static let programs =
        ProcessInfo.processInfo.environment["EVENKEEL_PROGRAMS"].map { URL(filePath: $0) }
        ?? URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: ".build/debug")

    @Test(arguments: ["vrrpd", "ipvsd", "checkd", "scriptd", "busd"])
    func `a daemon links no Foundation, no TLS and no HTTP library`(_ daemon: String) throws {
        let ldd = Process()
        let output = Pipe()
        ldd.executableURL = URL(filePath: "/usr/bin/ldd")
        ldd.arguments = [Self.programs.appending(path: daemon).path]
        ldd.standardOutput = output
        try ldd.run()
        let text = String(decoding: try #require(try output.fileHandleForReading.readToEnd()), as: UTF8.self)
        ldd.waitUntilExit()
        #expect(text.contains("libjson-c.so"), "ldd says what is linked: \(text)")
        for library in ["libFoundation", "libcurl", "libssl", "libcrypto"] {
            #expect(!text.contains(library), "\(daemon) links \(library)")
        }
    }

    @Test(arguments: ["vrrpd", "ipvsd", "checkd", "scriptd", "busd"])
    func `a daemon uses no task, no queue and nothing of Foundation`(_ daemon: String) throws {
        let program = try Data(contentsOf: Self.programs.appending(path: daemon))
        #expect(
            program.range(of: Data("json_object_to_json_string_length".utf8)) != nil, "symbols are there to be found")
        for symbol in ["swift_task_create", "dispatch_async", "dispatch_queue_create", "$s10Foundation"] {
            #expect(program.range(of: Data(symbol.utf8)) == nil, "\(daemon) refers to \(symbol)")
        }
    }
}
