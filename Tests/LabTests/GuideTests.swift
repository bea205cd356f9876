// docs/GUIDE.md, word for word: what its code blocks say is typed on the directors that its sentences name, in its order, and after each part the world must be
// as it promises. keepalived and Evenkeel are a pair in the middle of it.
import Glibc
import Net
import Platform
import Testing

@Suite(
    .serialized, .enabled(if: inTheLab && packages != nil, "deploy/test makes the packages that this installs"),
    .timeLimit(.minutes(15)))
struct GuideTests {
    /// A code block, or the commands of the table.
    private struct Step {
        /// The heading above it.
        var part: String
        var hosts: [Host]
        var commands: [String]
    }

    private let lab: Lab
    private let machines: [Host: Machine]
    private let servers: [WebServer]

    init() throws {
        lab = try Lab()
        servers = [try WebServer(on: .web1, loop: lab.loop), try WebServer(on: .web2, loop: lab.loop)]
        machines = [.director1: try Machine(.director1, lab: lab), .director2: try Machine(.director2, lab: lab)]
    }

    /// What the guide has its reader do.
    private func steps() throws -> [Step] {
        let text = try FileSystem.contents(of: "\(Guest.repository)/docs/GUIDE.md", limit: 1 << 20) ?? []
        var (part, hosts): (String, [Host]) = ("", [])
        var steps: [Step] = []
        var isInBlock = false
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("## ") { (part, hosts) = (String(line.dropFirst(3)), []) }
            if line.hasPrefix("    ") {
                if !isInBlock { steps.append(Step(part: part, hosts: hosts, commands: [])) }
                steps[steps.count - 1].commands.append(String(line.dropFirst(4)))
            } else if line.hasPrefix("| "), let cell = line.split(separator: "|").dropFirst().first {
                let commands = cell.split(separator: "`", omittingEmptySubsequences: false).enumerated()
                    .filter { $0.offset % 2 == 1 && !$0.element.hasPrefix("http") }.map { String($0.element) }
                steps.append(Step(part: part, hosts: [.director1], commands: commands))
            } else if line.contains("On both directors") {
                hosts = [.director1, .director2]
            } else {
                // "On `director2`, and then the same on `director1`": in the order in which they are named.
                let named = line.split(separator: "`").compactMap { Host(rawValue: String($0)) }
                if !named.isEmpty, line.contains("On `") || line.contains("on `") {
                    hosts = named.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
                }
            }
            isInBlock = line.hasPrefix("    ")
        }
        return steps.filter { !$0.commands.isEmpty }
    }

    private func machine(_ host: Host) throws -> Machine { try #require(machines[host]) }

    /// What was said by the last command of each kind.
    private func type(_ step: Step) throws -> [String: String] {
        var said: [String: String] = [:]
        for host in step.hosts {
            for command in step.commands {
                said[command] = try machine(host).run("cd /packages/first; shopt -s expand_aliases\n\(command)")
            }
        }
        return said
    }

    private func expectHolder(_ host: Host, _ why: String) throws {
        try lab.eventually("\(host) alone holds the address: \(why)", within: .seconds(30)) {
            try lab.holders() == [host]
        }
        let traffic = Traffic(every: .milliseconds(50), limit: .seconds(10), loop: lab.loop)
        try lab.eventually("clients are answered through \(host): \(why)", within: .seconds(30)) {
            Traffic.answers(Array(traffic.requests.suffix(10))).count == 10
        }
    }

    @Test func `the guide holds, word for word`() throws {
        for (host, fixture) in [(Host.director1, "master.conf"), (.director2, "backup.conf")] {
            try machine(host).install(fixture, as: "/etc/keepalived/keepalived.conf")
            try machine(host).install(host == .director1 ? "backup.conf" : "master.conf", as: "/tmp/other.conf")
            // As careful people have it.
            try machine(host).run("chmod 600 /etc/keepalived/keepalived.conf; systemctl enable --now keepalived")
        }
        try expectHolder(.director1, "keepalived on both")

        var rest = try steps()[...]
        /// The steps of a part, from the front.
        func part(_ number: String) throws -> [Step] {
            let steps = rest.prefix { $0.part.hasPrefix(number) }
            rest = rest.dropFirst(steps.count)
            #expect(!steps.isEmpty && steps.allSatisfy { !$0.hosts.isEmpty }, "\(number): \(steps)")
            return Array(steps)
        }

        for step in try part("1.") { _ = try type(step) }
        for machine in machines.values {
            #expect(try machine.run("systemctl is-active keepalived") == "active\n")
        }
        try expectHolder(.director1, "nothing is started")

        for step in try part("2.") {
            let said = try type(step)
            #expect(said["sudo lbctl status"] != nil)
        }
        try lab.eventually("director2 knows who is master", within: .seconds(20)) {
            let status = try machine(.director2).run("lbctl status")
            return status.contains("VI_1 is backup") && status.contains(Host.director1.address)
        }
        #expect(try machine(.director2).attempt("systemctl is-active keepalived").output == "inactive\n")
        #expect(try machine(.director2).attempt("systemctl is-enabled keepalived").output == "disabled\n")
        try expectHolder(.director1, "the backup has changed over")
        try lab.eventually("the table is that of the file", within: .seconds(20)) {
            try lab.table(of: .director1) == lab.table(of: .director2)
        }

        let mixed = try part("3.")
        #expect(mixed.count == 3)
        for (index, step) in mixed.enumerated() {
            let said = try type(step)
            switch index {
            case 0: try expectHolder(.director2, "keepalived has handed over to Evenkeel")
            case 1: #expect(said["sudo lbctl status"]?.contains("VI_1 is MASTER") == true, "\(said)")
            default: try expectHolder(.director1, "keepalived has taken them back")
            }
        }

        for step in try part("4.") { _ = try type(step) }
        try expectHolder(.director1, "Evenkeel on both")
        #expect(try machine(.director1).attempt("systemctl is-active keepalived").output == "inactive\n")
        let status = try machine(.director1).run("lbctl status")
        #expect(status.contains("VI_1 is MASTER") && !status.contains("WRONG"), "\(status)")

        for step in try part("5.") {
            if step.commands.contains("lbctl reload") {
                try machine(.director1).run("sed -i 's/delay_loop 6/delay_loop 5/' /etc/keepalived/keepalived.conf")
            }
            _ = try type(step)
        }
        try expectHolder(.director1, "after all wishes")

        for step in try part("Back") {
            #expect(step.hosts == [.director2, .director1])
            for host in step.hosts {
                _ = try type(Step(part: step.part, hosts: [host], commands: step.commands))
                try expectHolder(.director1, "back to keepalived on \(host)")
            }
        }
        #expect(rest.isEmpty, "not typed: \(rest)")
    }
}
