// lbctl as a program against a real busd, with a daemon of this test behind it: exit statuses, streams, and what happens
// when somebody goes away.
import Foundation
import Glibc
import Net
import Platform
import Testing

@Suite(.serialized) struct ProgramTests {
    @Test func `without a bus the status is 3 and the message says what to do`() throws {
        let result = try run(["status", "--socket", "/nowhere/bus.sock"])
        #expect(result.status == 3)
        #expect(result.output.isEmpty)
        #expect(result.errors.hasPrefix("lbctl: busd is not reachable at /nowhere/bus.sock (connect: No such file"))
        #expect(result.errors.contains("--direct asks the daemons without it"))
        #expect(try run(["vrrp", "list", "--direct", "--socket", "/nowhere/bus.sock"]).status == 3)
        let other = try run(["--instance", "blue", "status"])
        #expect(other.status == 3)
        #expect(other.errors.contains("/run/evenkeel@blue/bus.sock"))
        #expect(other.errors.contains("'systemctl start evenkeel-busd@blue'"))
        #expect(try run(["status", "--instance", "blue", "--socket", "/nowhere/bus.sock"]).status == 2)
        #expect(try run(["status", "--instance", "../x"]).status == 2)
        #expect(try run(["--instance", "none", "config", "check"]).errors.contains("/etc/evenkeel/none.conf"))
        #expect(try run(["status"], environment: ["EVENKEEL_BUS": "/elsewhere"]).errors.contains("/elsewhere"))
    }

    @Test(arguments: [
        ["nosuch"], ["vrrp", "show"], ["server", "weight", "a", "x"], ["server", "weight", "a", "--", "-1"],
        ["events", "--count", "0"], ["status", "--timeout", "0"], ["call", "x"], ["call", "a.b.C", "[]"],
        ["config", "check", "/nowhere.conf"], ["events", "--direct"],
    ])
    func `a wrong command line is 2, with a message on standard error only`(_ arguments: [String]) throws {
        let result = try run(arguments)
        #expect(result.status == 2)
        #expect(!result.errors.isEmpty)
    }

    @Test(arguments: [
        [], ["status"], ["top"], ["events"], ["vrrp"], ["vrrp", "list"], ["vrrp", "show"], ["vrrp", "failover"],
        ["vrrp", "resume"], ["service"], ["service", "list"], ["service", "show"], ["server"], ["server", "list"],
        ["server", "weight"], ["server", "drain"], ["server", "disable"], ["server", "enable"], ["server", "reset"],
        ["service", "add"], ["service", "edit"], ["service", "delete"], ["server", "add"], ["server", "edit"],
        ["server", "delete"],
        ["check"], ["check", "list"], ["check", "run"], ["check", "show"], ["check", "digest"], ["alert"],
        ["alert", "test"],
        ["config"], ["config", "check"], ["config", "format"],
        ["config", "explain"],
        ["reload"], ["call"], ["introspect"],
    ])
    func `every command has help with examples`(_ command: [String]) throws {
        let result = try run(command + ["--help"])
        #expect(result.status == 0)
        #expect(
            result.output.contains("Examples:\n") && result.output.contains("lbctl " + command.joined(separator: " ")))
        #expect(result.errors.isEmpty)
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func `completions are generated`(_ shell: String) throws {
        let result = try run(["--generate-completion-script", shell])
        #expect(result.status == 0)
        #expect(result.output.contains("lbctl") && result.output.contains("failover"))
    }

    @Test func `what cannot make its completions is not installed`() throws {
        let root = NSTemporaryDirectory() + "/lbctl-install-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: root) }
        try FileManager.default.createDirectory(atPath: root + "/built", withIntermediateDirectories: true)
        for name in ["busd", "vrrpd", "ipvsd", "checkd", "lbctl"] {
            try "#!/bin/sh\nexit 1\n".write(toFile: "\(root)/built/\(name)", atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o755], ofItemAtPath: "\(root)/built/\(name)")
        }
        let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        let result = try Program.run(
            "/usr/bin/env", ["DESTDIR=\(root)/root", "EVENKEEL_PROGRAMS=\(root)/built", "\(repository)/deploy/install"])
        #expect(result.status != 0)
        #expect(!FileManager.default.fileExists(atPath: root + "/root"))
    }

    @Test func `config check prints the place and the remedy, and refuses with 2`() throws {
        let file = NSTemporaryDirectory() + "/lbctl-\(getpid()).conf"
        defer { try? FileManager.default.removeItem(atPath: file) }
        try "vrrp_instance A {\n  interface nosuch0\n  virtual_router_idd 5\n}\n".write(
            toFile: file, atomically: true, encoding: .utf8)
        let refused = try run(["config", "check", file])
        #expect(refused.status == 2)
        #expect(refused.output.contains("\(file):3:3: error: "))
        #expect(refused.output.contains("    3 |   virtual_router_idd 5\n      |   ^~~~"))
        #expect(refused.errors.hasSuffix("it would be refused; correct it and check again\n"))
        let lines = try run(["config", "check", file, "--json"]).output.split(separator: "\n")
        #expect(lines.contains { $0.contains(#""line":3,"column":3,"severity":"error""#) })
        try "vrrp_instance A {\n  interface nosuch0\n  virtual_router_id 5\n  virtual_ipaddress { 192.0.2.1 }\n}\n"
            .write(toFile: file, atomically: true, encoding: .utf8)
        let good = try run(["config", "check", file])
        #expect(good.status == 0)
        #expect(good.output.hasSuffix("\(file): good, 1 warning: 1 VRRP instance, 0 virtual servers, 0 real servers\n"))
    }

    @Test func `a configuration comes from standard input too`() throws {
        let program = try Program.path(of: "lbctl")
        for (text, command, status, said) in [
            ("vrrp_instance {", "check -", 2, "-:1:"), (sampleInstance, "check -", 0, "-: "),
            (sampleInstance, "format -", 0, "vrrp_instance VI_1 {"), (sampleInstance, "show -", 0, "virtual_router_id"),
            (sampleInstance, "diff - -", 0, ""),
        ] as [(String, String, Int32, String)] {
            let shell = "printf '%s' \"$0\" | \"$1\" config \(command)"
            let result = try Program.run("/bin/sh", ["-c", shell, text, program])
            #expect(result.status == status && (said.isEmpty || result.output.contains(said)), "\(command): \(result)")
        }
    }

    @Test func `config check never calls good what will not act, and fails with strict`() throws {
        let file = NSTemporaryDirectory() + "/lbctl-idle-\(getpid()).conf"
        defer { try? FileManager.default.removeItem(atPath: file) }
        try """
        virtual_server 192.0.2.1 80 {
          snmp_name x
          protocol TCP
          real_server 192.0.2.2 80 {
          }
        }
        vrrp_instance A {
          interface lo0
          virtual_router_id 5
          virtual_ipaddress { 192.0.2.1 }
        }

        """
        .write(toFile: file, atomically: true, encoding: .utf8)
        let checked = try run(["config", "check", file])
        #expect(checked.status == 0)
        #expect(!checked.output.contains("good"))
        #expect(checked.output.hasSuffix("  not acted on yet: snmp_name\n"))
        let strict = try run(["config", "check", file, "--strict"])
        #expect(strict.status == 2)
        #expect(strict.output.contains(": error: snmp_name is not acted on yet: "))
    }

    @Test func `what config check leaves out of JSON and SARIF is said beside it`() throws {
        let file = NSTemporaryDirectory() + "/lbctl-many-\(getpid()).conf"
        defer { try? FileManager.default.removeItem(atPath: file) }
        try String(repeating: "global_defs {\nrouter_id A B\n}\n", count: 1000)
            .write(toFile: file, atomically: true, encoding: .utf8)
        for form in ["--json", "--sarif"] {
            let many = try run(["config", "check", file, form])
            #expect(many.status == 0)
            #expect(many.errors.contains(/there are [0-9]+ more that are not listed/), "\(form): \(many.errors)")
        }
        #expect(try run(["config", "check", file]).output.contains(/… and [0-9]+ more/))
        try "global_defs {\nrouter_id A B\n}\n".write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try run(["config", "check", file, "--json"]).errors.isEmpty)
    }

    @Test func `a configuration that cannot be read is no difference`() throws {
        let file = NSTemporaryDirectory() + "/lbctl-diff-\(getpid()).conf"
        defer { try? FileManager.default.removeItem(atPath: file) }
        try "global_defs {\n}\n".write(toFile: file, atomically: true, encoding: .utf8)
        for words in [
            [file, "/nowhere.conf"], ["/nowhere.conf", file], ["--state-dir", "/nowhere", file],
            ["--state-dir", "/nowhere", "/nowhere.conf"],
        ] {
            let result = try run(["config", "diff"] + words)
            #expect(
                result.status == 2 && result.output.isEmpty && result.errors.contains("/nowhere"), "\(words): \(result)"
            )
        }
        #expect(try run(["config", "diff", file, file]).status == 0)
    }

    @Test func `an empty configuration is not passed over in silence`() throws {
        let file = NSTemporaryDirectory() + "/lbctl-empty-\(getpid()).conf"
        defer { try? FileManager.default.removeItem(atPath: file) }
        for content in ["", "# nothing\n\n! at all\n"] {
            try content.write(toFile: file, atomically: true, encoding: .utf8)
            let empty = try run(["config", "check", file])
            // As keepalived -t, which says nothing either way.
            #expect(empty.status == 0)
            #expect(empty.output.hasPrefix("\(file): warning: says nothing: "), "\(empty.output)")
            #expect(empty.output.contains("good, 1 warning: 0 VRRP instances"))
        }
    }

    @Test func `explain knows words within lines`() throws {
        let via = try run(["config", "explain", "via"])
        #expect(via.status == 0)
        #expect(via.output.contains("via ADDR\n") && via.output.contains("lines of virtual_routes and static_routes"))
        let device = try run(["config", "explain", "dev"]).output
        #expect(device.contains("words of address and track lines") && device.contains("ip-rule(8)"))
        let value = try run(["config", "explain", "MASTER"])
        #expect(value.status == 0 && value.output.hasPrefix("state "), "\(value.output)\(value.errors)")
        #expect(try run(["config", "explain", "encap"]).output.contains("does nothing yet"))
        #expect(try run(["config", "explain", "via", "--json"]).output.contains(#""block":"lines of virtual_routes"#))
        #expect(try run(["config", "explain", "nosuchword"]).status == 1)
    }

    @Test func `commands reach a daemon through the bus`() throws {
        let director = try Director()
        let list = try director.lbctl("vrrp", "list")
        #expect(list.status == 0)
        #expect(list.output.contains("VI_1      MASTER  "))
        #expect(try director.lbctl("vrrp", "list", "--json").output.hasPrefix(#"{"instances":[{"name":"VI_1","#))
        let missing = try director.lbctl("vrrp", "show", "VI_7")
        #expect(missing.status == 1)
        #expect(missing.errors == "lbctl: no VRRP instance is called 'VI_7'; did you mean 'VI_1'?\n")
        #expect(try director.lbctl("vrrp", "show", "nosuch").errors.hasSuffix("called 'nosuch'; there is VI_1\n"))
        let absent = try director.lbctl("service", "list")
        #expect(absent.status == 3)
        #expect(absent.errors.hasPrefix("lbctl: ipvsd, which serves io.evenkeel.Ipvs, is not attached to the bus"))
        let status = try director.lbctl("status")
        #expect(status.status == 0)
        #expect(status.output.hasPrefix("2 WRONG: VI_1 is MASTER\n"))
        #expect(
            try director.lbctl("reload", "--dry-run").output.hasPrefix("vrrpd: 1 change\n  VI_1: priority 100 -> 150\n")
        )
        let introspection = try director.lbctl("introspect", "io.evenkeel.Vrrp").output
        #expect(introspection.contains("\nmethod Failover("))
        #expect(try director.lbctl("introspect").output.contains("  io.evenkeel.Bus\n"))
    }

    @Test func `call makes any call`() throws {
        let director = try Director()
        let shown = try director.lbctl("call", "io.evenkeel.Vrrp.Show", #"{"name":"VI_1"}"#)
        #expect(shown.output.hasPrefix("{\n  \"instance\": {\n    \"name\": \"VI_1\","))
        #expect(try director.lbctl("call", "io.evenkeel.Bus.Ping").status == 1)
        let wrong = try director.lbctl("call", "io.evenkeel.Vrrp.Show", #"{"name":7}"#)
        #expect(wrong.status == 1)
        #expect(wrong.errors.contains("does not take 'name' like that; 'lbctl introspect io.evenkeel.Vrrp' shows"))
        let more = try director.lbctl("call", "io.evenkeel.Vrrp.List", "--more", "--json")
        #expect(more.output.split(separator: "\n").count == 1)
    }

    @Test func `events come as lines, the kept ones first, and end after the count`() throws {
        let director = try Director()
        let text = try director.lbctl("events", "--type", "vrrp.instance", "--count", "1")
        #expect(text.status == 0)
        #expect(text.output.contains("  vrrp.instance   VI_1  MASTER  "))
        let json = try director.lbctl("events", "--type", "vrrp.instance", "--count", "1", "--json")
        #expect(json.output.hasPrefix(#"{"event":{"specversion":"1.0","#))
        #expect(json.output.split(separator: "\n").count == 1)
    }

    @Test func `a reader that goes away ends the events quietly, without another event`() throws {
        let director = try Director()
        let shell = "\"$0\" events --type vrrp.instance --socket \"$1\" | head -n 1; echo \"${PIPESTATUS[0]}\""
        let result = try Program.run("/bin/bash", ["-c", shell, try Program.path(of: "lbctl"), director.socket])
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.last == "\(128 + SIGPIPE)")
        #expect(result.errors.isEmpty)
    }

    @Test func `when busd is gone, --direct still reaches the daemons`() throws {
        let director = try Director()
        director.stopBus()
        #expect(try director.lbctl("vrrp", "list").status == 3)
        let list = try director.lbctl("vrrp", "list", "--direct")
        #expect(list.status == 0)
        #expect(list.output.contains("VI_1"))
        let status = try director.lbctl("status", "--direct")
        #expect(status.status == 0)
        #expect(status.output.contains("vrrpd   answers"))
    }

    @Test func `a daemon that does not answer is given up after the time limit`() throws {
        let director = try Director()
        let result = try director.lbctl("vrrp", "failover", "VI_1", "--timeout", "0.2")
        #expect(result.status == 3)
        #expect(
            result.errors.hasPrefix(
                "lbctl: no answer to io.evenkeel.Vrrp.Failover within 0.2 s: vrrpd is stuck or very busy; 'systemctl"))
    }

    @Test(arguments: [["vrrp", "list"], ["status"], ["events"], ["introspect"], ["call", "io.evenkeel.Vrrp.List"]])
    func `a busd that stands still is given up after the time limit, and named`(_ command: [String]) throws {
        let director = try Director()
        let result = try director.withSuspendedBus {
            try Program("lbctl", command + ["--timeout", "0.2", "--socket", director.socket]).finish(
                within: .seconds(5))
        }
        #expect(result.status == 3)
        #expect(result.errors.contains(" within 0.2 s: busd is stuck or very busy; 'systemctl status evenkeel-busd'"))
    }

    @Test(arguments: [["vrrp", "list"], ["status"], ["events"], ["call", "io.evenkeel.Bus.Subscribe", "--more"]])
    func `a socket where nobody accepts is given up after the time limit`(_ command: [String]) throws {
        let full = try FullSocket()
        let start = SystemClock.now
        let result = try Program("lbctl", command + ["--timeout", "0.3", "--socket", full.path])
            .finish(within: .seconds(5))
        #expect(SystemClock.now - start < .seconds(2))
        #expect(result.status == 3)
        #expect(result.errors.contains("within 0.3 s: busd is stuck or very busy"))
        let direct = try Program("lbctl", ["vrrp", "list", "--direct", "--timeout", "0.3", "--socket", full.path])
            .finish(within: .seconds(5))
        #expect(direct.status == 3)
        #expect(direct.errors.contains("within 0.3 s: vrrpd is stuck or very busy"))
    }

    @Test func `options of the bus may stand before the command`() throws {
        let director = try Director()
        let before = try run(["--socket", director.socket, "vrrp", "--timeout=5", "list", "--json"])
        #expect(before.status == 0)
        #expect(before.output == (try director.lbctl("vrrp", "list", "--json").output))
        #expect(try run(["--json", "config", "explain", "quorum"]).output.hasPrefix("{"))
        #expect(try run(["--socket"]).status == 2)
        #expect(try run(["--version"]).status == 0)
        #expect(try run(["help", "vrrp"]).output.contains("failover"))
    }

    @Test(arguments: [
        (["statsu"], "there is no command 'lbctl statsu'; did you mean 'lbctl status'? 'lbctl --help' explains them"),
        (["vrrp", "lst"], "did you mean 'lbctl vrrp list'? 'lbctl vrrp --help' explains them"),
        (
            ["server", "xyzzy", "1"],
            "there are list, weight, drain, disable, enable, reset, add, edit, delete; 'lbctl server --help'"
        ),
    ])
    func `a mistyped command is answered with the one that was meant`(_ arguments: [String], _ text: String) throws {
        let result = try run(arguments)
        #expect(result.status == 2)
        #expect(result.errors.contains(text))
    }

    @Test func `an interface that nobody has is a failure, with the one that was meant`() throws {
        let director = try Director()
        let result = try director.lbctl("introspect", "io.evenkeel.Vrpp")
        #expect(result.status == 1)
        #expect(
            result.errors.hasPrefix(
                "lbctl: no interface is called 'io.evenkeel.Vrpp'; did you mean 'io.evenkeel.Vrrp'?"))
        #expect(try director.lbctl("introspect", "NOPE").status == 1)
        #expect(try director.lbctl("introspect", "NOPE", "--direct").status == 1)
        #expect(try director.lbctl("introspect", "io.evenkeel.Ipvs").status == 3)
        #expect(try director.lbctl("call", "a.b.C").status == 1)
    }

    @Test func `events of a type that nobody publishes are not waited for`() throws {
        let director = try Director()
        let result = try director.lbctl("events", "--type", "vrrp.instanec", "--count", "1")
        #expect(result.status == 2)
        #expect(result.output.isEmpty)
        #expect(
            result.errors.hasPrefix(
                "lbctl: no daemon of this version publishes events of type 'vrrp.instanec'; did you mean 'vrrp.instance'? "
                    + "There are bus.interface, "))
    }

    @Test func `a bus that ends the events is an error that scripts see`() throws {
        let director = try Director()
        let follower = try Program("lbctl", ["events", "--changes", "--socket", director.socket])
        try director.waitForSubscriptions(1)
        director.stopBus()
        let result = follower.finish()
        #expect(result.status == 3)
        #expect(result.errors.hasPrefix("lbctl: the connection ended"))
    }

    private func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Program.Result {
        try Program("lbctl", arguments, environment: environment).finish(within: .seconds(10))
    }
}

/// Sockets of a bus and of vrrpd where connections wait and nobody accepts, as when busd is stopped.
private final class FullSocket {
    private let directory = NSTemporaryDirectory() + "/lbctl-full-\(UInt32.random(in: 0 ... .max))"
    private var held: [Int32] = []
    var path: String { directory + "/bus.sock" }

    init() throws {
        try FileManager.default.createDirectory(atPath: directory + "/private", withIntermediateDirectories: true)
        for path in [path, directory + "/private/vrrpd.sock"] {
            let listener = try UnixSocket.listen(at: path, mode: 0o666).release()
            held.append(listener)
            Glibc.listen(listener, 0)
            while let connection = try? UnixSocket.connect(to: path) { held.append(connection.release()) }
        }
    }

    deinit {
        for descriptor in held { close(descriptor) }
        try? FileManager.default.removeItem(atPath: directory)
    }
}
