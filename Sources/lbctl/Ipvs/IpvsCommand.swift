// `lbctl ipvs`: ipvsadm's command line, taken as it is. The parser of lbctl's own commands never sees it, because -h, -v, --timeout and the
// like are ipvsadm's there; it only knows that there is such a command.
import ArgumentParser
import Glibc

struct IpvsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ipvs",
        abstract: "The command line of ipvsadm 1.31, with the same output and exit status.",
        discussion: """
            'lbctl ipvs -h' lists its commands and options. It goes through ipvsd, which keeps and repairs what it is told. \
            'lbctl ipvs --direct …' talks to the kernel itself, as ipvsadm does (as root). --direct, --socket PATH and --instance NAME \
            stand before ipvsadm's own words.

            alias ipvsadm='lbctl ipvs' serves a shell; for scripts, which know no aliases, link the name: \
            ln -s "$(command -v lbctl)" /usr/local/sbin/ipvsadm

            Examples:
              lbctl ipvs -L -n
              lbctl ipvs -A -t 192.168.200.254:80 -s wrr
              lbctl ipvs -S -n > /etc/ipvsadm.rules
            """)

    @Argument(parsing: .captureForPassthrough, help: "ipvsadm's command and options.")
    var arguments: [String] = []

    func run() throws {
        Glibc.exit(DialectLine(program: "lbctl ipvs", arguments).run())
    }
}
