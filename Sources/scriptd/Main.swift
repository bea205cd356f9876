// scriptd: runs the programs of the configuration for the other daemons, which may start none. It remembers no call: each one says everything.
// The configuration says only what the daemons that are not root may ask for.

import Bus
import Platform

@main
enum Main {
    static func main() {
        DaemonProgram.run(
            ProgramDescription(name: "scriptd", summary: "runs track scripts and notify scripts for the other daemons")
        ) { context in
            try ScriptProgram(context)
        }
    }
}

/// scriptd as a process.
private final class ScriptProgram: RunningDaemon {
    private let loop: EventLoop
    private let service: DaemonService
    private let runner: ScriptRunner
    private let permissions: Permissions

    init(_ context: DaemonContext) throws {
        loop = context.loop
        service = DaemonService(
            name: "scriptd", interface: try Interfaces.script(), options: context.options, loop: loop,
            logger: context.logger, joinsBus: false, connections: Asker.administrator.limit,
            clients: ServiceClients(accounts: Asker.accounts, connections: Asker.ipvsd.limit + 16))
        permissions = Permissions(on: loop, options: context.options, logger: context.logger)
        runner = ScriptRunner(on: loop, logger: context.logger, permissions: permissions)
    }

    func start() throws {
        try service.start(ScriptAPI.dispatch(to: runner))
    }

    /// SIGHUP: only what the configuration says now is granted.
    func reload() { permissions.forget() }

    func stop(_ reason: StopReason) {
        runner.end { [loop] in loop.stop() }
    }
}
