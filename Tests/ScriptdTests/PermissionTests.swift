// When scriptd reads the configuration for those who are not root, and what counts when it cannot.

import Testing

@testable import scriptd

@Suite(.timeLimit(.minutes(1))) struct PermissionTests {
    private let bench: Bench
    private let path: String
    private let permissions: Permissions

    init() throws {
        bench = try Bench()
        path = bench.directory + "/permissions.conf"
        permissions = Permissions(on: bench.loop, path: path, users: [:])
    }

    private func write(_ text: String) throws {
        _ = try bench.script(text, "permissions.conf")
    }

    private func isGranted(_ pipe: String) throws -> Bool {
        var isGranted: Bool?
        permissions.ask {
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
}
