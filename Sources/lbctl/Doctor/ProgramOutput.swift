// What another program says on standard output, for commands that ask the system's own tools.
import Glibc
import Net
import Platform

/// Why there is no answer.
struct ProgramFailure: Error, CustomStringConvertible {
    let description: String
}

enum ProgramOutput {
    private static let limit = 16 << 20

    /// Runs `words`, a path first, to the end; what it complains of is part of the failure. One that takes longer than `limit` is ended: it waits for something
    /// that is as ill as what is asked about.
    static func of(_ words: [String], within limit: Duration = .seconds(10)) throws -> String {
        var (output, errors): ([Int32], [Int32]) = ([0, 0], [0, 0])
        try Errno.check(pipe(&output), "pipe")
        let readEnd = FileDescriptor(owning: output[0])
        let writeEnd = FileDescriptor(owning: output[1])
        try Errno.check(pipe(&errors), "pipe")
        let complaints = FileDescriptor(owning: errors[0])
        let complaintsEnd = FileDescriptor(owning: errors[1])
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, writeEnd.number, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, complaintsEnd.number, STDERR_FILENO)
        for number in output + errors { posix_spawn_file_actions_addclose(&actions, number) }
        let arguments = CStringArray(words)
        let environment = CStringArray(["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"])
        var child: pid_t = 0
        let code = posix_spawn(&child, words[0], &actions, nil, arguments.pointers, environment.pointers)
        guard code == 0 else { throw Errno(code, "posix_spawn") }
        _ = consume writeEnd
        _ = consume complaintsEnd
        guard let (text, complaint) = read(readEnd.number, complaints.number, until: SystemClock.now + limit) else {
            kill(child, SIGKILL)
            throw ProgramFailure(description: "no answer within \(limit)")
        }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        guard status == 0 else {
            let line = complaint.split(separator: "\n").first.map(String.init)
            throw ProgramFailure(
                description: line ?? (status & 0x7F == 0 ? "exit status \(status >> 8)" : "it was ended"))
        }
        return text
    }

    /// Both, as they come: a program that fills one waits for its reader. Nil: they are still open at `deadline`.
    private static func read(_ first: Int32, _ second: Int32, until deadline: Instant) -> (String, String)? {
        var texts: [[UInt8]] = [[], []]
        var open = [
            pollfd(fd: first, events: Int16(POLLIN), revents: 0), pollfd(fd: second, events: Int16(POLLIN), revents: 0),
        ]
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while open.contains(where: { $0.fd >= 0 }) {
            let left = (deadline - SystemClock.now) / .milliseconds(1)
            guard left > 0 else { return nil }
            guard poll(&open, 2, Int32(left.rounded(.up))) >= 0 || errno == EINTR else { break }
            for index in open.indices where open[index].fd >= 0 && open[index].revents != 0 {
                let count = chunk.withUnsafeMutableBytes { Glibc.read(open[index].fd, $0.baseAddress, $0.count) }
                if count <= 0 {
                    open[index].fd = -1
                } else if texts[index].count < limit {
                    texts[index] += chunk[..<count]
                }
            }
        }
        return (String(decoding: texts[0], as: UTF8.self), String(decoding: texts[1], as: UTF8.self))
    }
}
