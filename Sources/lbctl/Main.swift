// lbctl: the command line of Evenkeel. One file per family of commands in Commands/, what they show in Screens/, how
// text is laid out in Text/, and the way to the daemons in Bus/.
import ArgumentParser
import Glibc
import Platform

/// The root command.
@main
struct Lbctl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lbctl",
        abstract: "See and steer the daemons of Evenkeel: virtual addresses, virtual services, real servers.",
        discussion: """
            Start with 'lbctl status': what is wrong comes first. Reading needs group evenkeel, changing needs group \
            evenkeel-admin or root.

            Exit status: 0 done; 1 refused or failed; 2 usage or configuration; 3 daemon unreachable; 4 done in part.
            Environment: EVENKEEL_BUS names another bus; NO_COLOR turns colour off.

            Examples:
              lbctl status
              lbctl server drain 192.168.200.103:80
              lbctl events --type vrrp.instance
              lbctl --instance blue status          the daemons of evenkeel@blue.target
              lbctl config check /etc/keepalived/keepalived.conf
            """,
        version: "lbctl (Evenkeel) \(evenkeelVersion)",
        subcommands: [
            StatusCommand.self, TopCommand.self, EventsCommand.self, VrrpCommand.self, ServiceCommand.self,
            ServerCommand.self, CheckCommand.self, AlertCommand.self, ConfigCommand.self, ReloadCommand.self,
            IpvsCommand.self, ServeCommand.self, SnmpCommand.self, DoctorCommand.self,
            RealServerCommand.self, CallCommand.self, IntrospectCommand.self, ManualCommand.self,
        ])

    static func main() {
        signal(SIGPIPE, SIG_IGN)
        if let line = DialectLine(process: CommandLine.arguments) { Glibc.exit(line.run()) }
        Glibc.exit(run(Array(CommandLine.arguments.dropFirst())).rawValue)
    }

    /// Runs one command line; every error becomes a message on standard error and an exit status.
    static func run(_ arguments: [String]) -> ExitStatus {
        do {
            var command = try parseAsRoot(CommandWords.arranged(arguments))
            try command.run()
            return .done
        } catch let failure as Failure {
            StandardError.say(failure.description)
            return failure.status
        } catch let code as ExitCode {
            return ExitStatus(rawValue: code.rawValue) ?? .failed
        } catch {
            let text = fullMessage(for: error)
            guard exitCode(for: error).isSuccess else {
                Console.write(text + "\n", to: STDERR_FILENO)
                return .usage
            }
            StandardOutput.line(text)
            return .done
        }
    }
}
