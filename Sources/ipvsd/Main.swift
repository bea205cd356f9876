// ipvsd: keeps the kernel's IPVS table as configuration, checks and people want it.

import Platform

@main
struct Main {
    static func main() {
        DaemonProgram.run(
            ProgramDescription(
                name: "ipvsd", summary: "keeps the kernel's IPVS table as configuration, checks and people want it")
        ) { context in try IPVSDaemon(context) }
    }
}
