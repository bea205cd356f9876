// ipvsadm and `lbctl ipvs --direct` side by side, each in a network namespace of its own, and what came of a run of either: output, errors,
// exit status, and the table as the kernel shows it.
import CLinux
import Glibc
import Platform

/// One of the two programs.
enum Administrator: String, CaseIterable {
    case ipvsadm
    case lbctl

    /// Everything before ipvsadm's own words.
    var command: [String] {
        switch self {
        case .ipvsadm: ["/sbin/ipvsadm"]
        case .lbctl: ["\(Program.directory)/lbctl", "ipvs", "--direct"]
        }
    }

    /// The program's name in its messages.
    var name: String {
        switch self {
        case .ipvsadm: "/sbin/ipvsadm"
        case .lbctl: "lbctl ipvs"
        }
    }
}

/// What a run did.
struct AdministrationResult: Equatable, CustomStringConvertible {
    var status: Int32
    var output: String
    var errors: String
    var table: [String]

    var description: String {
        "exit status \(status)\n── output\n\(output)── errors\n\(errors)── table\n\(table.joined(separator: "\n"))"
    }
}

/// Runs them, without a shell: a process is 50 ms here.
final class Administration {
    private let directory: String
    /// The bus by which lbctl goes; nil = it talks to the kernel itself.
    var bus: String?

    init(in guest: Guest) throws {
        directory = guest.directory
        for administrator in Administrator.allCases {
            _ = try? guest.run(["/sbin/ip", "netns", "del", administrator.rawValue])
            try guest.run(["/sbin/ip", "netns", "add", administrator.rawValue])
            try guest.run(["/sbin/ip", "-n", administrator.rawValue, "link", "set", "lo", "up"])
        }
    }

    /// Runs one program on a command line.
    /// - Parameters:
    ///   - namespace: whose table; its own if nil.
    func run(
        _ administrator: Administrator, _ arguments: [String], input: String = "", on namespace: Administrator? = nil
    ) throws -> AdministrationResult {
        let path = "\(directory)/\(administrator)"
        try FileSystem.replace("\(path).in", with: Array(input.utf8), durable: false)
        return try NetworkNamespace.inside("/run/netns/\((namespace ?? administrator).rawValue)") {
            let command = administrator == .lbctl ? lbctl : administrator.command
            let status = try Self.spawn(command + arguments, files: path)
            return AdministrationResult(
                status: status, output: try text("\(path).out", administrator),
                errors: try text("\(path).err", administrator), table: try table())
        }
    }

    private var lbctl: [String] {
        bus.map { ["\(Program.directory)/lbctl", "ipvs", "--socket", $0] } ?? Administrator.lbctl.command
    }

    private static func spawn(_ words: [String], files path: String) throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let create = O_WRONLY | O_CREAT | O_TRUNC
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "\(path).in", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "\(path).out", create, 0o600)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "\(path).err", create, 0o600)
        let arguments = CStringArray(words)
        let environment = CStringArray(Program.environment)
        var child: pid_t = 0
        let code = posix_spawn(&child, words[0], &actions, nil, arguments.pointers, environment.pointers)
        guard code == 0 else { throw Errno(code, "posix_spawn") }
        // A program that waits for an answer that never comes (ipvsadm has such cases) fails its test, not the whole run.
        var ended = pollfd(fd: try Errno.check(ek_pidfd_open(child), "pidfd_open"), events: Int16(POLLIN), revents: 0)
        defer { close(ended.fd) }
        if poll(&ended, 1, 60_000) == 0 { kill(child, SIGKILL) }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        return status & 0x7F == 0 ? status >> 8 & 0xFF : -(status & 0x7F)
    }

    /// A file, with the program's name made the same for both and without what `-S` of lbctl has more: thresholds.
    private func text(_ path: String, _ administrator: Administrator) throws -> String {
        let all = String(decoding: try FileSystem.contents(of: path, limit: 1 << 24) ?? [], as: UTF8.self)
        var lines: [String] = []
        for line in all.split(separator: "\n", omittingEmptySubsequences: false) {
            var line = line
            if line.hasPrefix("-a ") {
                for option in [" -x ", " -y "] {
                    guard let range = line.range(of: option) else { continue }
                    let end = line[range.upperBound...].firstIndex(of: " ") ?? line.endIndex
                    line.removeSubrange(range.lowerBound..<end)
                }
            }
            lines.append(Self.renamed(line, administrator.name))
        }
        return lines.joined(separator: "\n")
    }

    private static func renamed(_ line: Substring, _ name: String) -> String {
        var rest = line
        var result = ""
        while let range = rest.range(of: name) {
            result += rest[..<range.lowerBound] + "PROGRAM"
            rest = rest[range.upperBound...]
        }
        return result + rest
    }

    /// Services in an order of their own (the kernel's differs from one namespace to the next), servers as they lie.
    private func table() throws -> [String] {
        let content = try FileSystem.contents(of: "/proc/thread-self/net/ip_vs", limit: 1 << 24) ?? []
        var services: [[String]] = []
        for line in String(decoding: content, as: UTF8.self).split(separator: "\n").dropFirst(3) {
            if line.hasPrefix("  ->"), !services.isEmpty {
                services[services.count - 1].append(String(line))
            } else {
                services.append([String(line)])
            }
        }
        return services.sorted { $0[0] < $1[0] }.flatMap { $0 }
    }
}

extension Substring {
    /// Where `text` is found first.
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
