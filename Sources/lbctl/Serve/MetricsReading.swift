// Asks the daemons for what the metrics are made of.
import Bus
import Glibc
import Net
import Platform

extension MetricsFacts {
    /// A histogram is 17 lines: of more servers they are left out.
    private static let histogramsAtMost = 4000

    /// Asks. A daemon that is not there leaves its part out; a bus that is not is a failure. `bus`: the process of busd.
    init(from daemons: some Daemons, bus process: Int? = nil) throws(Failure) {
        let start = SystemClock.now
        status = try StatusReport(from: daemons, keepsWire: false).status
        bus = try daemons.call(BusAPI.GetStatistics()).decoded().statistics
        if status.presence[.checkd]?.isPresent == true {
            do throws(Failure) {
                checks = try daemons.list(CheckAPI.List()).all(\.servers)
            } catch {
                // It is not up as far as anybody who asks is concerned, and is not asked again.
                status.presence[.checkd] = .silent(error.description)
            }
            if status.presence[.checkd]?.isPresent == true, checks.count <= Self.histogramsAtMost {
                for part in (try? daemons.list(CheckAPI.ListLatencies())) ?? [] {
                    let reply = try part.decoded()
                    latencies += reply.servers
                    latencyLimits = reply.upToMicroseconds
                }
            }
        }
        processes["busd"] = process.flatMap { Process(of: $0) }
        for (daemon, presence) in status.presence {
            if case .present(_, let pid?) = presence { processes[daemon.rawValue] = Process(of: pid) }
        }
        askedSeconds = (SystemClock.now - start).seconds
    }
}

extension MetricsFacts.Process {
    /// Nil when it has ended, or may not be seen.
    fileprivate init?(of pid: Int) {
        guard let line = Self.words(of: "/proc/\(pid)/stat"), let memory = Self.words(of: "/proc/\(pid)/statm"),
            // The name stands in parentheses and may have anything in it.
            let end = line.lastIndex(where: { $0.hasSuffix(")") }), line.count > end + 13, memory.count > 1,
            let user = Double(line[end + 12]), let system = Double(line[end + 13]), let pages = Int(memory[1])
        else { return nil }
        processorSeconds = (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
        residentOctets = pages * sysconf(Int32(_SC_PAGESIZE))
    }

    private static func words(of path: String) -> [Substring]? {
        guard let octets = try? FileSystem.contents(of: path, limit: 4096) else { return nil }
        return String(decoding: octets, as: UTF8.self).split(separator: " ")
    }
}
