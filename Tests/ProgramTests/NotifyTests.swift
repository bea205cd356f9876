// Notify programs and pipes beside keepalived 2.2.7: the same configuration, the same events; what the programs are told is the same, and
// the lines in the pipe are, octet for octet. And that programs that hang, flapping and a scriptd that dies lose no last word.

import Bus
import Glibc
import Net
import Platform
import Testing

/// A router whose programs write down what they are told.
final class NotifyRoom {
    let segment: Segment
    let router: Router
    private var scriptd: Program?
    private var reader: Program?
    let directory: String

    init(_ implementation: Implementation, pipe: Bool = true, _ instances: (String) -> String) throws {
        segment = try Segment(hosts: 2)
        directory = "/run/evenkeel-tests-\(segment.hosts[0].namespace)"
        try FileSystem.makeDirectory(directory, mode: 0o755)
        let global = "global_defs {\n script_user root\n \(pipe ? "vrrp_notify_fifo \(directory)/pipe" : "")\n}\n"
        router = try Router(implementation, on: segment.hosts[0], of: segment, global + instances(directory + "/tell"))
        try write("echo \"$*\" >>\(directory)/told")
        mkfifo(directory + "/pipe", 0o600)
        // Open both ways, so that the reader outlives those who write.
        if pipe {
            reader = try Program(
                ["/bin/bash", "-c", "exec cat <>\(directory)/pipe"], on: nil, log: directory + "/lines",
                loop: segment.loop)
        }
        if implementation == .vrrpd { try startScriptd() }
    }

    deinit {
        reader?.signal(SIGKILL)
        scriptd?.signal(SIGKILL)
        try? segment.run(["/bin/rm", "-rf", directory])
    }

    func startScriptd() throws {
        scriptd = try Program(
            [Program.directory + "/scriptd", "--run-dir", router.directory + "/run", "--log-level", "debug"],
            on: segment.hosts[0], log: router.directory + "/scriptd.log", loop: segment.loop)
    }

    func signalScriptd(_ number: Int32) { scriptd?.signal(number) }

    func killScriptd() throws {
        scriptd?.signal(SIGKILL)
        try segment.eventually("scriptd ends", within: .seconds(5)) { scriptd?.exit != nil }
    }

    func write(_ text: String) throws {
        try FileSystem.replace(directory + "/tell", with: Array("#!/bin/sh\n\(text)\n".utf8), durable: false)
        chmod(directory + "/tell", 0o755)
    }

    /// Goes over to another configuration.
    func reload(_ text: String) throws {
        try router.configure(text)
        router.signal(SIGHUP)
    }

    func lines(of file: String) -> [String] {
        let bytes = (try? FileSystem.contents(of: "\(directory)/\(file)", limit: 1 << 20)) ?? nil
        return String(decoding: bytes ?? [], as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// What the programs were told, in the order of their end.
    var told: [String] { lines(of: "told") }
    /// Programs that have ended well, by scriptd's log: a line is told before its program is gone.
    var ended: Int { scriptd?.output.split(separator: "\n").count { $0.hasSuffix(": exited(0)") } ?? 0 }
    /// What came out of the pipe.
    var piped: [String] { lines(of: "lines") }

    func eventually(_ what: String, within limit: Duration = .seconds(15), _ condition: () throws -> Bool) throws {
        do {
            try segment.eventually(what, within: limit + segment.slack, condition)
        } catch {
            Issue.record(
                "told: \(told)\npiped: \(piped)\n\(router.log.suffix(3000))\n\(scriptd?.output.suffix(3000) ?? "")")
            throw error
        }
    }
}

@Suite(.serialized, .enabled(if: canMakeNetworks), .timeLimit(.minutes(3)))
struct NotifyTests {
    /// A group of two and one alone, each with every word.
    private func instances(_ program: String) -> String {
        func words(_ name: String) -> String {
            ["master", "backup", "fault", "stop"].map { " notify_\($0) \"\(program) \(name) \($0)\"\n" }.joined()
                + " notify \"\(program) \(name) 'two words'\"\n"
        }
        func instance(_ name: String, _ number: Int, _ priority: Int) -> String {
            """
            vrrp_instance \(name) {
             interface eth0
             virtual_router_id \(number)
             priority \(priority)
             advert_int 1
             virtual_ipaddress {
             10.77.0.\(number)
             }
            \(words(name))}

            """
        }
        return "vrrp_sync_group G {\n group {\n A\n B\n }\n\(words("G"))}\n" + instance("A", 51, 100)
            + instance("B", 52, 101) + instance("C", 53, 102)
    }

    /// Starts, becomes master, loses its link, gets it back, stops; gives what was told and piped.
    private func life(_ implementation: Implementation) throws -> (told: [String], piped: [String]) {
        let room = try NotifyRoom(implementation, instances)
        try room.router.start()
        try room.eventually("all are master") { room.piped.count { $0.contains(" MASTER ") } == 4 }
        try room.segment.cable(room.segment.hosts[0], in: false)
        try room.eventually("all are in fault") { room.piped.count { $0.contains(" FAULT ") } == 4 }
        try room.segment.cable(room.segment.hosts[0], in: true)
        try room.eventually("all are master again") { room.piped.count { $0.contains(" MASTER ") } == 8 }
        try room.eventually("all of that was told") { room.told.count == 5 * 8 }
        try room.router.end(SIGTERM)
        try room.eventually("the end is told") { room.told.count == 6 * 8 }
        return (room.told, room.piped)
    }

    @Test func `programs and pipe are told what keepalived tells them`() throws {
        let ours = try life(.vrrpd)
        let theirs = try life(.keepalived)
        #expect(ours.told.sorted() == theirs.told.sorted())
        // Who is master first depends on timers; what is said of each does not.
        for name in ["A", "B", "C", "G"] {
            func of(_ lines: [String]) -> [String] {
                lines.filter { $0.contains("\"\(name)\"") && !$0.contains("STOP") }
            }
            #expect(of(ours.piped) == of(theirs.piped))
        }
        #expect(ours.piped.prefix(4) == theirs.piped.prefix(4))
        for name in ["A", "B", "C", "G"] {
            let type = name == "G" ? "GROUP" : "INSTANCE"
            let priority = ["A": 100, "B": 101, "C": 102, "G": 0][name] ?? 0
            let expected = ["backup", "master", "fault", "backup", "master", "stop"].flatMap {
                ["\(name) \($0)", "\(name) two words \(type) \(name) \($0.uppercased()) \(priority)"]
            }
            #expect(ours.told.filter { $0.hasPrefix(name + " ") } == expected)
        }
    }

    /// What is told around a life with a startup and a shutdown script.
    private func life(between implementation: Implementation, _ more: String = "") throws -> [String] {
        let room = try NotifyRoom(implementation, pipe: false) { program in
            """
            global_defs {
             startup_script "\(program) begins"
             shutdown_script "\(program) is over"
            }
            \(alone(program))
            """
        }
        try room.write("sleep 0.5; echo \"$1 $2 $3\" >>\(room.directory)/told")
        try room.router.start()
        try room.eventually("master is told") { room.told.last?.contains("MASTER") == true }
        room.router.signal(SIGHUP)
        try room.segment.observe(for: .seconds(1))
        try room.router.end(SIGTERM)
        try room.eventually("the end is told") {
            room.told.contains { $0.hasPrefix("is over") } && room.told.contains { $0.contains("STOP") }
        }
        return room.told
    }

    @Test func `startup and shutdown scripts run once, before and after everything, as keepalived's`() throws {
        let ours = try life(between: .vrrpd)
        #expect(ours.first == "begins  ")
        #expect(ours.suffix(2) == ["INSTANCE VI_1 STOP", "is over "])
        #expect(ours.count == 5)
        // keepalived waits for no notify program, and goes through FAULT at a reload now and then.
        let theirs = try life(between: .keepalived)
        #expect(theirs.first == ours.first)
        for word in ["begins  ", "is over "] { #expect(theirs.count { $0 == word } == 1) }
    }

    private func alone(_ program: String) -> String {
        """
        vrrp_instance VI_1 {
         interface eth0
         version 3
         virtual_router_id 51
         advert_int 0.1
         virtual_ipaddress {
         10.77.0.100/24
         }
         notify "\(program)"
        }

        """
    }

    @Test func `a slow program is told everything in order under flapping`() throws {
        let room = try NotifyRoom(.vrrpd, pipe: false, alone)
        try room.write("sleep 0.$(($$ % 5)); echo \"$3\" >>\(room.directory)/told")
        try room.router.start()
        for _ in 0..<3 {
            try room.eventually("master") { (try? room.router.show().runtime.state) == .master }
            try room.segment.cable(room.segment.hosts[0], in: false)
            try room.eventually("fault") { try room.router.show().runtime.state == .fault }
            try room.segment.cable(room.segment.hosts[0], in: true)
        }
        try room.eventually("master") { try room.router.show().runtime.state == .master }
        try room.eventually("the last is told") { room.told.count == 11 }
        #expect(room.told == ["BACKUP", "MASTER"] + (0..<3).flatMap { _ in ["FAULT", "BACKUP", "MASTER"] })
    }

    @Test func `scriptd's death loses no word`() throws {
        let room = try NotifyRoom(.vrrpd, alone)
        try room.router.start()
        try room.eventually("master is told") { room.told.last?.contains("MASTER") == true }
        try room.killScriptd()
        try room.segment.cable(room.segment.hosts[0], in: false)
        try room.eventually("fault") { try room.router.show().runtime.state == .fault }
        try room.startScriptd()
        try room.eventually("it is told") { room.told.last?.contains("FAULT") == true }
        try room.eventually("and piped") { room.piped.last == #"INSTANCE "VI_1" FAULT 100"# }
    }

    @Test func `a program that hangs at the end holds up nothing for long, and goes on`() throws {
        let room = try NotifyRoom(.vrrpd, pipe: false, alone)
        try room.write("[ $3 = STOP ] && sleep 3; echo \"$3 $EVENKEEL_OLD_STATE\" >>\(room.directory)/told")
        try room.router.start()
        try room.eventually("master is told") { room.told == ["BACKUP INIT", "MASTER BACKUP"] }
        try room.router.end(SIGTERM)
        try room.eventually("the program has gone on") { room.told.last == "STOP MASTER" }
    }

    @Test func `at the end come priority 0, the addresses, then the last words, within three seconds`() throws {
        let room = try NotifyRoom(.vrrpd, pipe: false, alone)
        let wire = try Wire(on: room.segment.hosts[1], loop: room.segment.loop)
        // Whether the address is there when the program runs; the one that is told the end hangs.
        try room.write(
            "ip -o address show | grep -q \(virtualAddress)/ && held=held || held=gone; "
                + "echo \"$3 $held\" >>\(room.directory)/told; [ $3 = STOP ] && exec sleep 4")
        try room.router.start()
        try room.eventually("master is told") { room.told.last == "MASTER held" }
        let asked = room.segment.loop.refreshNow()
        room.router.signal(SIGTERM)
        try room.eventually("it ends") { room.router.exit != nil }
        #expect(room.segment.loop.refreshNow() - asked < .seconds(3) + room.segment.slack)
        #expect(room.router.exit == .exited(0))
        #expect(wire.heard.last { $0.source == room.router.host.address }?.priority == 0)
        #expect(room.told.last == "STOP gone")
    }

    @Test func `a pipe that nobody reads loses lines with an alarm, never an advertisement`() throws {
        let room = try NotifyRoom(.vrrpd, pipe: false) { program in
            "global_defs {\n notify_fifo \(program).pipe\n}\n" + alone(program)
        }
        // A pipe of one page is full soon.
        mkfifo(room.directory + "/tell.pipe", 0o600)
        let holder = open(room.directory + "/tell.pipe", O_RDWR | O_NONBLOCK)
        defer { close(holder) }
        let filling = [UInt8](repeating: 10, count: 4096)
        while Glibc.write(holder, filling, filling.count) > 0 {}
        try room.router.start()
        try room.eventually("the alarm stands") { room.router.log.contains("nobody reads it") }
        var sink = [UInt8](repeating: 0, count: 1 << 17)
        var text = ""
        // Nothing else happens: what waited is written.
        try room.eventually("the last state arrives") {
            let count = read(holder, &sink, sink.count)
            if count > 0 { text += String(decoding: sink[..<count], as: UTF8.self) }
            return text.contains(" MASTER ")
        }
        try room.eventually("the alarm is over") { room.router.log.contains("tell.pipe: over") }
    }

    @Test func `a scriptd that hangs is an alarm in seconds, although nothing newer happens`() throws {
        let room = try NotifyRoom(.vrrpd, pipe: false, alone)
        try room.router.start()
        try room.eventually("master is told, and who told it is gone") {
            room.told.last?.contains("MASTER") == true && room.ended == room.told.count
        }
        // scriptd logs the end before vrrpd has heard of it, which nothing shows from outside: to vrrpd it would run on.
        let told = SystemClock.now
        try room.eventually("vrrpd has heard of it") { SystemClock.now - told > .milliseconds(500) }
        room.signalScriptd(SIGSTOP)
        try room.segment.cable(room.segment.hosts[0], in: false)
        try room.eventually("the alarm stands") {
            room.router.log.contains("scripts: scripts are not run")
        }
        room.signalScriptd(SIGCONT)
        try room.eventually("it is told") { room.told.last?.contains("FAULT") == true }
        try room.eventually("the alarm is over") { room.router.log.contains("scripts: over") }
    }

    @Test func `programs of a vrrpd that is started again wait for those of the one before`() throws {
        let room = try NotifyRoom(.vrrpd, pipe: false, alone)
        try room.write("echo \"begin $3\" >>\(room.directory)/told; sleep 2; echo \"end $3\" >>\(room.directory)/told")
        for round in 1...2 {
            try room.router.start()
            try room.eventually("\(round): master is being told") { room.told.last == "begin MASTER" }
            try room.router.end(SIGTERM)
        }
        try room.eventually("all is over") { room.told.count { $0 == "end STOP" } == 2 }
        let told = room.told
        let second = told.lastIndex(of: "begin BACKUP") ?? 0
        // The stop overtakes what runs; that is all that runs beside something.
        #expect(told[..<second].contains("end STOP"))
        #expect(told[..<second].count { $0.hasPrefix("begin") } == told[..<second].count { $0.hasPrefix("end") })
    }
}
