// scriptd: runs the programs of the configuration for the other daemons, which may start none. It keeps nothing and reads no configuration:
// each call says everything.

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

    init(_ context: DaemonContext) throws {
        loop = context.loop
        service = DaemonService(
            name: "scriptd", interface: try Interfaces.script(), options: context.options, loop: loop,
            logger: context.logger, joinsBus: false, connections: ScriptRunner.limit)
        runner = ScriptRunner(on: loop, logger: context.logger)
    }

    func start() throws {
        try service.start(ScriptAPI.dispatch(to: runner))
    }

    func reload() {}

    func stop(_ reason: StopReason) {
        runner.end { [loop] in loop.stop() }
    }
}
