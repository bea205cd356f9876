// vrrpd: holds the elections and the virtual addresses.

import Platform

@main
enum Main {
    static func main() {
        DaemonProgram.run(
            ProgramDescription(name: "vrrpd", summary: "VRRP elections and the virtual addresses of their masters")
        ) { context in
            try Program(context)
        }
    }
}
