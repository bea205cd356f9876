// `lbctl manual`: the manual pages, for those who install (deploy/install).
import ArgumentParser

struct ManualCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manual",
        abstract: "Print a manual page: lbctl, evenkeel.conf, or that of a daemon whose --help is on standard input.",
        discussion: """
            Examples:
              lbctl manual lbctl | man -l -
              lbctl manual evenkeel.conf > evenkeel.conf.5
              /usr/lib/evenkeel/vrrpd --help | lbctl manual vrrpd > vrrpd.8
            """,
        shouldDisplay: false)

    @Argument(help: "The page.")
    var page: String

    func run() throws {
        switch page {
        case "lbctl": StandardOutput.write(try ManualPage.lbctl().text)
        case "evenkeel.conf": StandardOutput.write(ManualPage.configuration().text)
        default:
            let help = String(decoding: try StandardInput.all(), as: UTF8.self)
            guard let manual = ManualPage(daemon: page, help: help) else {
                throw Failure.usage(
                    "'\(page.printable)' is no page: there are lbctl, evenkeel.conf, and those of daemons: "
                        + "'vrrpd --help | lbctl manual vrrpd'")
            }
            StandardOutput.write(manual.text)
        }
    }
}
