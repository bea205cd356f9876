// When scriptd reads the configuration for those who are not root, and what counts when it cannot.

import Glibc
import Platform
import Testing

@testable import scriptd

@Suite(.timeLimit(.minutes(1))) struct PermissionTests {
    private let bench: Bench
    private let permissions: Permissions

    init() throws {
        bench = try Bench()
        permissions = Self.permissions(bench)
    }

    /// Those of a process that begins.
    private static func permissions(_ bench: Bench, lastGood: Bool = false) -> Permissions {
        var options = DaemonOptions(config: bench.directory + "/permissions.conf")
        options.stateDirectory = bench.directory + "/state"
        options.startsWithLastGood = lastGood
        return Permissions(on: bench.loop, options: options, logger: Logger(level: .error), users: [:])
    }

    private func write(_ text: String) throws {
        _ = try bench.script(text, "permissions.conf")
    }

    private func isGranted(_ pipe: String, by other: Permissions? = nil) throws -> Bool {
        var isGranted: Bool?
        (other ?? permissions).ask {
            $0.hasPipe(pipe, user: nil, group: nil, for: .ipvsd)
        } _: {
            if case .granted = $0 { isGranted = true } else { isGranted = false }
        }
        try bench.wait { isGranted != nil }
        return isGranted ?? false
    }

    @Test func `what was granted stays while the configuration is broken, told to forget or not`() throws {
        try write("global_defs {\n lvs_notify_fifo /one\n}\n")
        #expect(try isGranted("/one"))
        try write("global_defs {\n lvs_notify_fifo /two\n}\n}\n")
        permissions.forget()
        #expect(try isGranted("/one"))
        #expect(try !isGranted("/two"))
        try write("global_defs {\n lvs_notify_fifo /two\n}\n")
        #expect(try isGranted("/two"))
        #expect(try !isGranted("/one"))
    }

    @Test func `with --last-good a process begins with what another one could read`() throws {
        try write("global_defs {\n lvs_notify_fifo /one\n}\n")
        #expect(try isGranted("/one"))
        var status = stat()
        #expect(stat(bench.directory + "/state/configuration.good", &status) == 0)
        #expect(status.st_mode & 0o077 == 0, "it holds passwords")
        try write("global_defs {\n lvs_notify_fifo /two\n}\n}\n")
        #expect(try !isGranted("/one", by: Self.permissions(bench)))
        let careful = Self.permissions(bench, lastGood: true)
        #expect(try isGranted("/one", by: careful))
        #expect(try !isGranted("/two", by: careful))
        // Mended, the file counts, and is what is kept.
        try write("global_defs {\n lvs_notify_fifo /two\n}\n")
        #expect(try isGranted("/two", by: careful))
        try write("nonsense\n")
        #expect(try isGranted("/two", by: Self.permissions(bench, lastGood: true)))
    }
}
