// The same configuration to keepalived 2.2.7 and to ipvsd, each in a network namespace: every word about services must come out in the
// kernel's table as it does there, but for the differences that docs/MIGRATION.md names.
import Glibc
import Platform
import Testing

@Suite(.serialized, .enabled(if: inTheLab))
final class ServiceWordsTests {
    private let guest: Guest
    private let administration: Administration
    private var programs: [Program] = []

    init() throws {
        guest = try Guest()
        administration = try Administration(in: guest)
    }

    deinit { for program in programs { program.signal(SIGKILL) } }

    /// The rules of one namespace's table.
    private func rules(of namespace: Administrator) throws -> Set<String> {
        let saved = try administration.run(.lbctl, ["-Sn"], on: namespace)
        return Set(saved.output.split(separator: "\n").map(String.init))
    }

    @Test func `every word of virtual and real servers comes out as with keepalived`() throws {
        let path = guest.directory + "/words.conf"
        let text = ServiceWords.file(ServiceWords.all + ServiceWords.different.map(\.words))
        try FileSystem.replace(path, with: Array(text.utf8), durable: false)
        for name in ["run/private", "state"] {
            try FileSystem.makeDirectory("\(guest.directory)/\(name)", mode: 0o755)
        }
        let commands: [(Administrator, [String])] = [
            (
                .ipvsadm,
                [
                    "/usr/sbin/keepalived", "-n", "-l", "-C", "-f", path, "-p", "\(path).pid", "-c",
                    "\(path).checkers.pid",
                ]
            ),
            (
                .lbctl,
                [
                    "\(Program.directory)/ipvsd", "--config", path, "--run-dir", "\(guest.directory)/run",
                    "--state-dir",
                    "\(guest.directory)/state",
                ]
            ),
        ]
        programs = try commands.map { namespace, words in
            try Program(words, in: namespace.rawValue, log: "\(path).\(namespace).log", loop: guest.loop)
        }
        var (theirs, ours): (Set<String>, Set<String>) = ([], [])
        let expected = (
            theirs: Set(ServiceWords.different.flatMap(\.theirs)), ours: Set(ServiceWords.different.flatMap(\.ours))
        )
        do {
            try guest.eventually("both have written their tables", within: .seconds(30)) {
                try guest.observe(for: .milliseconds(500))
                (theirs, ours) = (try rules(of: .ipvsadm), try rules(of: .lbctl))
                return theirs.subtracting(ours) == expected.theirs && ours.subtracting(theirs) == expected.ours
            }
        } catch {
            Issue.record(
                """
                only keepalived: \(theirs.subtracting(ours).subtracting(expected.theirs).sorted())
                only ipvsd: \(ours.subtracting(theirs).subtracting(expected.ours).sorted())
                not different: \(expected.theirs.intersection(ours).union(expected.ours.intersection(theirs)).sorted())
                missing: \(expected.theirs.subtracting(theirs).union(expected.ours.subtracting(ours)).sorted())
                """)
            throw error
        }
        #expect(ours.count > 400)
    }
}
