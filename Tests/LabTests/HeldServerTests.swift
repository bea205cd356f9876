// `flap_limit` in the kernel's table: what is held down leaves it, or has weight 0 with `inhibit_on_failure`; the quorum counts without it and the
// sorry server steps in; a checkd or an ipvsd that is killed meanwhile changes nothing of that.
import Glibc
import Platform
import Testing

@Suite(.serialized, .enabled(if: inTheLab))
final class HeldServerTests {
    private static let window = 12

    private let guest: Guest
    private let administration: Administration
    private var programs: [String: Program] = [:]

    init() throws {
        guest = try Guest()
        administration = try Administration(in: guest)
        for name in ["run/private", "state"] {
            try FileSystem.makeDirectory("\(guest.directory)/\(name)", mode: 0o755)
        }
    }

    deinit { for program in programs.values { program.signal(SIGKILL) } }

    private var path: String { guest.directory + "/held.conf" }

    private func start(_ name: String) throws {
        var words = ["\(Program.directory)/\(name)", "--run-dir", "\(guest.directory)/run"]
        words += ["--state-dir", "\(guest.directory)/state"]
        if name != "busd" { words += ["--config", path] }
        programs[name] = try Program(
            words, in: Administrator.lbctl.rawValue, log: "\(guest.directory)/\(name).log", loop: guest.loop)
    }

    private func kill(_ name: String) throws {
        programs[name]?.signal(SIGKILL)
        try guest.eventually("\(name) ends", within: .seconds(10)) { programs[name]?.exit != nil }
    }

    /// Server 1 or 2 is good or bad, for both services.
    private func write(_ server: Int, good: Bool) throws {
        try FileSystem.replace(
            "\(guest.directory)/\(server)", with: Array(good ? "0\n".utf8 : "1\n".utf8), durable: false)
    }

    /// The weights of a service's servers by the last octet of their addresses; 9 is the sorry server.
    private func weights(_ service: Int) throws -> [String: String] {
        var weights: [String: String] = [:]
        for line in try administration.run(.lbctl, ["-Sn"], on: .lbctl).output.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            guard words.contains("192.0.2.\(service):80"), let server = words.firstIndex(of: "-r"),
                let weight = words.firstIndex(of: "-w")
            else { continue }
            weights[String(words[server + 1].dropLast(3).split(separator: ".").last ?? "")] = words[weight + 1]
        }
        return weights
    }

    /// What the table has of the plain service and of the one with `inhibit_on_failure`.
    private func become(_ plain: [String: String], _ inhibited: [String: String], _ step: String) throws {
        var last: [[String: String]] = []
        do {
            try guest.eventually(step, within: .seconds(30)) {
                last = [try weights(1), try weights(2)]
                return last == [plain, inhibited]
            }
        } catch {
            Issue.record("\(step): \(last), expected \([plain, inhibited])")
        }
    }

    private func service(_ number: Int, _ words: String) -> String {
        let servers = (1...2).map {
            "real_server 10.0.0.\($0) 80 {\n weight 3\n FILE_CHECK {\n track_file f\($0)\n }\n }\n"
        }
        return """
            virtual_server 192.0.2.\(number) 80 {
             lvs_sched rr
             lvs_method DR
             protocol TCP
             quorum 4
             flap_limit 2 \(Self.window)
             sorry_server 10.0.0.9 80
             \(words)
             \(servers.joined())
            }

            """
    }

    /// Three changes, and it is good then.
    private func flap(_ server: Int, _ down: ([String: String], [String: String])) throws {
        try write(server, good: false)
        try become(down.0, down.1, "server \(server) is down")
        try write(server, good: true)
        try guest.observe(for: .seconds(1))
        try write(server, good: false)
        try guest.observe(for: .seconds(1))
        try write(server, good: true)
    }

    @Test func `what is held down is out of the table, of the quorum too, whoever is killed meanwhile`() throws {
        for server in 1...2 { try write(server, good: true) }
        let files = (1...2).map { "track_file f\($0) {\n file \"\(guest.directory)/\($0)\"\n weight 0\n}\n" }
        let text = files.joined() + service(1, "") + service(2, "inhibit_on_failure")
        try FileSystem.replace(path, with: Array(text.utf8), durable: false)
        for name in ["busd", "ipvsd", "checkd"] { try start(name) }
        let all = ["1": "3", "2": "3"]
        try become(all, all, "both are there")
        // One alone is no quorum of 4.
        try flap(1, (["9": "1"], ["1": "0", "2": "0", "9": "1"]))
        try guest.observe(for: .seconds(2))
        let held = [try weights(1), try weights(2)]
        #expect(held[0] == ["9": "1"])
        #expect(held[1]["1"] == "0" && held[1]["9"] == "1")
        try kill("checkd")
        try start("checkd")
        try guest.observe(for: .seconds(2))
        #expect(try [weights(1), weights(2)] == held)
        try kill("ipvsd")
        try start("ipvsd")
        try guest.observe(for: .seconds(2))
        #expect(try [weights(1), weights(2)] == held)
        try become(all, all, "it has kept still")
    }
}
