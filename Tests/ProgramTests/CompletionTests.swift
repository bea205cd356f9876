// What bash offers behind TAB: the completion as deploy/install puts it together, in a bash on a terminal of its own, with Debian's
// bash-completion and without it. Names of services and servers have colons, at which bash ends a word.

import Bus
import Glibc
import Platform
import Testing

private let hasBashCompletion = access("/usr/share/bash-completion/bash_completion", R_OK) == 0

@Suite(
    .serialized,
    .enabled(if: hasBashCompletion, "there is no /usr/share/bash-completion here: deploy/prerequisites test"),
    .timeLimit(.minutes(2)))
struct CompletionTests {
    private let room: CheckRoom
    private let ipvsd: MadeUpIpvsd

    init() throws {
        room = try CheckRoom(bus: true)
        ipvsd = try MadeUpIpvsd(
            [
                .madeUp("tcp/10.77.0.100:80", perSecond: 1, ["192.168.10.11:8080", "192.168.10.12:8080"]),
                .madeUp("tcp/10.77.0.100:443", perSecond: 1, ["192.168.10.11:8443"]),
                .madeUp("udp/[2001:db8::100]:53", perSecond: 1, ["[2001:db8::1]:53"]),
                .madeUp("fwmark/7/inet", perSecond: 1, ["192.168.20.21:993"]),
            ], runDirectory: room.directory + "/run", loop: room.loop)
        let socket = room.directory + "/run/bus.sock"
        try room.eventually("ipvsd is attached") {
            try BusClient(path: socket).call(BusAPI.ListServices()).services.contains { $0.name == "ipvsd" }
        }
        for name in ["evenkeel.conf", "other.conf"] {
            try FileSystem.replace("\(room.directory)/\(name)", with: [], durable: false)
        }
    }

    /// Types each line and TAB, and says what the line is then.
    private static let driver = #"""
        import os, pty, re, signal, sys
        signal.alarm(100)
        directory, programs, repository, loaded = sys.argv[1:5]
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(directory)
            os.environ.update(PATH=programs + ":/usr/bin:/bin", TERM="dumb", PS1="", PS2="", HOME=directory,
                EVENKEEL_BUS=directory + "/run/bus.sock", INPUTRC="/dev/null", HISTFILE="")
            os.execv("/bin/bash", ["bash", "--norc", "--noprofile", "-i"])
        seen = b""
        def until(pattern):
            global seen
            while not (found := re.search(pattern, seen, re.S)):
                seen += os.read(terminal, 65536)
            seen = seen[found.end():]
            return found
        def say(text):
            os.write(terminal, text.encode())
        say("stty cols 400; bind 'set bell-style none' 'set enable-bracketed-paste off'; "
            + "bind 'set completion-query-items 0' 'set page-completions off'\n")
        # What the line is, without a look at how the terminal shows it.
        say("""tell() { printf '<%s%s|%s\\n' 'line' "" "$READLINE_LINE>"; }; bind -x '"\\C-g": tell'\n""")
        say(f"{loaded} . '{directory}/completion'; printf '%s%s\\n' rea dy\n")
        until(rb"ready\r?\n")
        for line in sys.argv[5:]:
            say("\x15" + line + "\t\x07")
            print("[" + until(rb"<line\|([^\r\n]*)>").group(1).decode() + "]")
        """#

    /// - Parameter withBashCompletion: as in an ordinary shell of Debian.
    private func completed(_ lines: [String], withBashCompletion: Bool = true) throws -> [String] {
        let repository = #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 }
        // As deploy/install does it.
        try room.run([
            "/bin/bash", "-c",
            #""$1" --generate-completion-script bash >"$2/completion" && cat "$3" >>"$2/completion""#,
            "make", Program.directory + "/lbctl", room.directory, repository + "/deploy/lbctl.bash",
        ])
        let loaded = withBashCompletion ? ". /usr/share/bash-completion/bash_completion;" : ":;"
        let log = room.directory + "/typed"
        unlink(log)
        let typist = try Program(
            [
                "/usr/bin/python3", "-c", Self.driver, room.directory, Program.directory, repository, loaded,
            ] + lines, on: nil, log: log, loop: room.loop)
        try room.eventually("all is typed", within: .seconds(100)) { typist.exit != nil }
        #expect(typist.exit == .exited(0), "\(typist.output)")
        return typist.output.split(separator: "\n").map { String($0.dropFirst().dropLast()) }
    }

    @Test func `bash completes names behind their colons, whole, and what has none as ever`() throws {
        let typed = [
            ("lbctl service show tcp/10.77.0.100:8", "lbctl service show tcp/10.77.0.100:80 "),
            ("lbctl service show t", "lbctl service show tcp/10.77.0.100:"),
            ("lbctl service show f", "lbctl service show fwmark/7/inet "),
            (
                "lbctl server drain tcp/10.77.0.100:80/192.168.10.12",
                "lbctl server drain tcp/10.77.0.100:80/192.168.10.12:8080 "
            ),
            ("lbctl server drain tcp/10.77.0.100:80/1", "lbctl server drain tcp/10.77.0.100:80/192.168.10.1"),
            (
                "lbctl server drain tcp/10.77.0.100:443/",
                "lbctl server drain tcp/10.77.0.100:443/192.168.10.11:8443 "
            ),
            ("lbctl server drain f", "lbctl server drain fwmark/7/inet/192.168.20.21:993 "),
            ("lbctl vrrp fail", "lbctl vrrp failover "),
            ("lbctl config check even", "lbctl config check evenkeel.conf "),
            ("lbctl server drain nothing:", "lbctl server drain nothing:"),
        ]
        let lines = try completed(typed.map(\.0))
        #expect(lines == typed.map(\.1))
    }

    @Test func `IPv6 names are completed too`() throws {
        let name = "udp/[2001:db8::100]:53"
        #expect(
            try completed([
                "lbctl service show u", "lbctl service show udp/[2001:db8::1", "lbctl server drain \(name)/",
            ])
                == [
                    "lbctl service show \(name) ", "lbctl service show \(name) ",
                    "lbctl server drain \(name)/[2001:db8::1]:53 ",
                ])
    }

    @Test func `without bash-completion what has no colons is completed`() throws {
        #expect(
            try completed(
                ["lbctl vrrp fail", "lbctl config check even", "lbctl service show f"], withBashCompletion: false)
                == ["lbctl vrrp failover ", "lbctl config check evenkeel.conf ", "lbctl service show fwmark/7/inet "])
    }
}
