// scriptd and users that are not root: the daemons get what the configuration names for them, nobody else gets anything, and nobody is taken
// for somebody else because he says so.
import Foundation
import Glibc
import Testing

@Suite(.serialized, .enabled(if: canBeOthers), .timeLimit(.minutes(2))) struct ScriptStrangerTests {
    private static let configuration = """
        global_defs {
            script_user nobody
        }
        virtual_server 192.0.2.1 80 {
            protocol TCP
            quorum_down "/usr/bin/touch DIRECTORY/never"
            real_server 192.0.2.10 80 {
                MISC_CHECK {
                    misc_path "/usr/bin/id -u"
                }
            }
        }
        """

    /// What calls of scriptd in Python are made of.
    private static let run = """
        def run(*arguments, user="nobody", lies=False):
            s = connect(sys.argv[1])
            flags = {"io.evenkeel.caller": {"uid": 0, "gid": 0, "pid": 1}} if lies else {}
            try: call(s, "io.evenkeel.Script.Run",
                {"arguments": arguments, "user": user, "secure": False, "environment": {}}, **flags)
            except (BrokenPipeError, ConnectionResetError): pass
            r = reply(s)
            if r is None: return "end"
            return r.get("error", "done").split(".")[-1] + " " + str(r["parameters"].get("lastLine", ""))

        """

    private func scriptd() throws -> ScriptProgram {
        try ScriptProgram { directory in
            Self.configuration.replacingOccurrences(of: "DIRECTORY", with: directory)
        }
    }

    @Test func `a daemon gets its programs as the configuration names them, and no others`() throws {
        let scriptd = try scriptd()
        let calls = """
            print(run("/usr/bin/id", "-u"))
            print(run("/usr/bin/id", "-u", user="root"))
            print(run("/usr/bin/id", "-g"))
            print(run("/usr/bin/id", "-u", lies=True, user="root"))
            print(run("/usr/bin/id", "-u"))
            """
        let answers = try Person.checkd.run(Self.run + calls, [scriptd.socket]).split(separator: "\n").map(String.init)
        #expect(answers.first == "done 65534")
        #expect(answers[1...3].allSatisfy { $0.hasPrefix("Unable") })
        #expect(answers.last == "done 65534")
        #expect(
            try Person.ipvsd.run(Self.run + "print(run('/usr/bin/id', '-u'))", [scriptd.socket]).hasPrefix("Unable"))
        let lists = "s = connect(sys.argv[1]); call(s, 'io.evenkeel.Script.List'); print(error(s))"
        #expect(try Person.checkd.run(lists, [scriptd.socket]) == "NotAllowed")
    }

    @Test(arguments: [Person.stranger, .reader, .administrator, .member])
    func `whoever is none of the daemons gets nothing, in whatever group`(_ person: Person) throws {
        let scriptd = try scriptd()
        let answer = try person.run(
            Self.run + "print(run('/usr/bin/id', '-u'), run('/usr/bin/id', '-u', lies=True))", [scriptd.socket])
        #expect(answer == "end end")
    }

    @Test func `an edit counts when somebody asks for what it names`() throws {
        let scriptd = try scriptd()
        let ask = Self.run + "print(run('/usr/bin/id', '-un'))"
        #expect(try Person.checkd.run(ask, [scriptd.socket]).hasPrefix("Unable"))
        try scriptd.configure(Self.configuration.replacingOccurrences(of: "id -u", with: "id -un"))
        #expect(try Person.checkd.run(ask, [scriptd.socket]) == "done nobody")
        // A daemon that has not been reloaded yet goes on with what it has.
        #expect(try Person.checkd.run(Self.run + "print(run('/usr/bin/id', '-u'))", [scriptd.socket]) == "done 65534")
        try scriptd.configure("virtual_server {")
        #expect(try Person.checkd.run(ask, [scriptd.socket]) == "done nobody")
        #expect(try Person.checkd.run(Self.run + "print(run('/usr/bin/id'))", [scriptd.socket]).hasPrefix("Unable"))
    }

    @Test func `a daemon does not get more connections than there are for it`() throws {
        let scriptd = try scriptd()
        let crowd = """
            held = []
            for _ in range(600):
                s = connect(sys.argv[1]); held.append(s)
            ends = 0
            for s in held:
                s.settimeout(0.01)
                try: ends += s.recv(1) == b""
                except ConnectionResetError: ends += 1
                except TimeoutError: pass
            print(ends)
            """
        #expect(try Int(Person.checkd.run(crowd, [scriptd.socket])) ?? 0 >= 300)
    }
}

/// A running scriptd that knows the users of `Person`.
private final class ScriptProgram {
    let directory: String
    private let process = Process()

    var socket: String { directory + "/private/scriptd.sock" }

    init(_ configuration: (String) -> String) throws {
        directory = NSTemporaryDirectory() + "/script-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: directory + "/private", withIntermediateDirectories: true)
        chmod(directory + "/private", 0o1777)
        try Person.writeAccounts(in: directory)
        let users = try String(contentsOfFile: directory + "/passwd", encoding: .utf8)
        try (users + "nobody:x:65534:65534::/:\n").write(
            toFile: directory + "/passwd", atomically: false, encoding: .utf8)
        try configure(configuration(directory))
        let disguise = """
            mount --bind "$0/passwd" /etc/passwd; mount --bind "$0/group" /etc/group; exec "$@"
            """
        process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
        process.arguments = [
            "-m", "/bin/sh", "-c", disguise, directory, try BusProgram.path(of: "scriptd"), "--run-dir", directory,
            "--config", directory + "/script.conf",
        ]
        try process.run()
        try eventually("scriptd listens") { access(socket, F_OK) == 0 }
    }

    func configure(_ text: String) throws {
        try text.write(toFile: directory + "/script.conf", atomically: true, encoding: .utf8)
    }

    deinit {
        process.terminate()
        process.waitUntilExit()
        try? FileManager.default.removeItem(atPath: directory)
    }
}
