// The benchmarks: each subcommand measures one thing, ours and the peer's alternately, and prints rows (see Row). Run by
// deploy/bench, which knows where each has to run (this machine as root, or the lab); not part of ordinary builds.
import Glibc
import Platform

@main
enum Benchmarks {
    static let usage = """
        usage: bench WHAT [--rounds N]    print rows; WHAT is
                   failover | routers | load        as root, on this machine
                   memory | table | commands | checks   in the lab
                   fanout | reading
               bench flood SOCKET         publish to a busd until ended
               bench serve                answer checks until ended
               bench render FILE…         rows to docs/BENCHMARKS.md on standard output

        """

    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        do {
            switch arguments.first {
            case "failover": try Failover(Options(arguments.dropFirst())).run()
            case "routers": try VirtualRouters(Options(arguments.dropFirst())).run()
            case "memory": try Memory(Options(arguments.dropFirst())).run()
            case "reading": try Reading(Options(arguments.dropFirst())).run()
            case "fanout": try FanOut(Options(arguments.dropFirst())).run()
            case "table": try Table(Options(arguments.dropFirst())).run()
            case "commands": try TableCommands(Options(arguments.dropFirst())).run()
            case "checks": try Checks(Options(arguments.dropFirst())).run()
            case "load": try CheckLoad(Options(arguments.dropFirst())).run()
            case "serve" where arguments.count == 1: try CheckTarget.serve()
            case "flood" where arguments.count == 2: try flood(Array(arguments)[1])
            case "render" where arguments.count >= 2: try Report(files: Array(arguments.dropFirst())).print()
            default: throw BenchmarkFailure("", status: 2)
            }
        } catch let failure as BenchmarkFailure where failure.status == 2 {
            Console.write(usage, to: STDERR_FILENO)
            exit(2)
        } catch {
            Console.write("bench: \(error)\n", to: STDERR_FILENO)
            exit(1)
        }
    }
}

/// What the measuring subcommands are told.
struct Options {
    /// How often each pair is measured; nil leaves it to the benchmark.
    var rounds: Int?

    init(_ arguments: some Sequence<String>) throws {
        var rest = Array(arguments)[...]
        while let word = rest.popFirst() {
            guard word == "--rounds", let value = rest.popFirst(), let number = Int(value), number > 0 else {
                throw BenchmarkFailure("", status: 2)
            }
            rounds = number
        }
    }

    /// Where `make build` left the programs: EVENKEEL_PROGRAMS.
    static let programs = getenv("EVENKEEL_PROGRAMS").map { String(cString: $0) } ?? ".build/release"
}

/// Why there is no measurement.
struct BenchmarkFailure: Error, CustomStringConvertible {
    let description: String
    let status: Int32

    init(_ description: String, status: Int32 = 1) {
        self.description = description
        self.status = status
    }
}
