// vrrpd: holds the elections and the virtual addresses.

import Glibc
import Platform

@main
enum Main {
    static func main() {
        if CommandLine.arguments.dropFirst() == ["--release"] {
            func said(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
            guard Release.isDue(result: said("SERVICE_RESULT"), status: said("EXIT_STATUS")) else { exit(0) }
            exit(Release.run(Logger(level: .info)))
        }
        DaemonProgram.run(
            ProgramDescription(
                name: "vrrpd", summary: "VRRP elections and the virtual addresses of their masters",
                more: "  --release          alone: take off what a vrrpd that is gone has left in the kernel\n")
        ) { context in
            try Program(context)
        }
    }
}
