// What is asked wrongly, and help that can be copied: a command line that is not right is answered with what is.
import ArgumentParser
import JSON
import Testing
import Varlink

@testable import lbctl

@Suite struct MistakeTests {
    @Test func `no example of any command's help is broken at 80 columns`() throws {
        let dump = try JSONValue(
            parsing: Array(Lbctl._dumpHelp().utf8), limits: JSONLimits(octets: 16 << 20, depth: 64))
        var looked = 0
        func check(_ command: JSONObject) {
            let lines = (command["discussion"]?.string ?? "").split(separator: "\n", omittingEmptySubsequences: false)
            for line in lines.drop(while: { $0 != "Examples:" }) {
                looked += 1
                #expect(line.count <= 76, "\(line)")
                // What goes on in the next line is pasted as one command.
                #expect(!line.hasSuffix("&&") && !line.hasSuffix(" "), "\(line)")
            }
            for subcommand in (command["subcommands"]?.array ?? []).compactMap(\.object) { check(subcommand) }
        }
        check(try #require(dump.object?["command"]?.object))
        #expect(looked > 100)
    }

    @Test func `a negative number is called that`() {
        #expect(
            failure { _ = try CommandWords.arranged(["server", "weight", "192.0.2.1:80", "-1"]) }
                == .usage(
                    "'-1' is no option, and no number here is negative; 'lbctl server weight --help' explains them"))
        #expect(failure { _ = try CommandWords.arranged(["ipvs", "-6"]) } == nil)
        #expect(failure { _ = try CommandWords.arranged(["call", "a.B", "--", "-1"]) } == nil)
    }

    @Test func `a type of events that does not exist is refused with those that do`() throws {
        let daemons = ScriptedDaemons()
        var notes: [String] = []
        let command = try EventsCommand.parse(["--type", "nosuch.type"])
        let failure = failure { try command.follow(daemons, print: { _ in }, note: { notes.append($0) }) }
        #expect(failure?.status == .usage)
        #expect(failure?.description.contains("events of type 'nosuch.type'; there are bus.interface, ") == true)
        #expect(daemons.calls == [] && notes == [])
        #expect(EventsCommand.unknown("vrrp.instanze")?.contains("; did you mean 'vrrp.instance'? There are ") == true)
    }

    @Test func `somebody else's type of events is only remarked upon`() throws {
        let daemons = ScriptedDaemons()
        daemons["Bus.Subscribe"] = .replies([["snapshotComplete": true, "seq": 7]])
        var notes: [String] = []
        try EventsCommand.parse(["--type", "org.example.thing"])
            .follow(daemons, print: { _ in }, note: { notes.append($0) })
        #expect(notes.first?.contains("org.example.thing") == true)
    }

    @Test func `a parameter of a wrong name is set against the one that is needed`() throws {
        let daemons = ScriptedDaemons()
        daemons["Vrrp.Show"] = .failure(
            .refused(
                method: "io.evenkeel.Vrrp.Show", error: "org.varlink.service.InvalidParameter",
                parameters: ["parameter": "name"]))
        func said(_ parameters: String) throws -> String? {
            let command = try CallCommand.parse(["io.evenkeel.Vrrp.Show", parameters])
            return failure { try command.call(daemons) { _ in } }?.description
        }
        #expect(
            try said(#"{"nam":"VI_1"}"#)
                == "io.evenkeel.Vrrp.Show needs the parameter 'name', and was given nam; "
                + "'lbctl introspect io.evenkeel.Vrrp' shows its parameters")
        #expect(try said("{}")?.contains("was given none") == true)
        #expect(try said(#"{"name":1}"#)?.contains("does not take 'name' like that") == true)
    }

    @Test func `a file that cannot be read to be formatted is refused with the reason`() throws {
        let command = try ConfigCommand.Format.parse(["/nonexistent"])
        let failure = failure { try command.run() }
        #expect(failure?.status == .usage)
        #expect(failure?.description.hasPrefix("/nonexistent cannot be read: open: No such file") == true)
    }

    @Test func `without vrrpd and ipvsd the verdict does not say that nothing is configured`() throws {
        var status = Status.well
        (status.instances, status.services) = ([], [])
        for daemon in [Daemon.vrrpd, .ipvsd] { status.presence[daemon] = .absent(nil) }
        let text = shown { $0.add(status) }
        #expect(text.contains("roles and services are not known, vrrpd and ipvsd do not answer\n"), "\(text)")
        #expect(!text.contains("nothing is configured"))
    }
}
