// Weights that checks set, in the kernel, beside keepalived 2.2.7: the same configuration and the same programs for both, each with a table of its
// own in a network namespace.
import Glibc
import Platform
import Testing

@Suite(.serialized, .enabled(if: inTheLab))
final class CheckedWeightTests {
    private let guest: Guest
    private let administration: Administration
    private let script: String
    private var programs: [Program] = []

    init() throws {
        guest = try Guest()
        administration = try Administration(in: guest)
        script = guest.directory + "/status"
        try FileSystem.replace(
            script, with: Array("#!/bin/sh\nread status <$0.$1\nexit $status\n".utf8), durable: false)
        chmod(script, 0o755)
        for name in ["run/private", "state"] {
            try FileSystem.makeDirectory("\(guest.directory)/\(name)", mode: 0o755)
        }
    }

    deinit { for program in programs { program.signal(SIGKILL) } }

    private func start(_ text: String) throws {
        let path = guest.directory + "/weights.conf"
        try FileSystem.replace(path, with: Array(text.utf8), durable: false)
        let theirs = [
            "/usr/sbin/keepalived", "-n", "-l", "-C", "-f", path, "-p", "\(path).pid", "-c", "\(path).checkers.pid",
        ]
        programs = [try Program(theirs, in: Administrator.ipvsadm.rawValue, log: "\(path).log", loop: guest.loop)]
        for name in ["busd", "scriptd", "ipvsd", "checkd"] {
            var words = ["\(Program.directory)/\(name)", "--run-dir", "\(guest.directory)/run"]
            if name != "busd" { words += ["--config", path] }
            if name != "scriptd" { words += ["--state-dir", "\(guest.directory)/state"] }
            programs.append(
                try Program(
                    words, in: Administrator.lbctl.rawValue, log: "\(guest.directory)/\(name).log", loop: guest.loop))
        }
    }

    private func write(_ name: String, _ status: Int) throws {
        try FileSystem.replace("\(script).\(name)", with: Array("\(status)\n".utf8), durable: false)
    }

    /// The weight of each real server, nil: not there.
    private func weights(of namespace: Administrator) throws -> [String: String] {
        var weights: [String: String] = [:]
        for line in try administration.run(.lbctl, ["-Sn"], on: namespace).output.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            guard let server = words.firstIndex(of: "-r"), let weight = words.firstIndex(of: "-w") else { continue }
            weights[words[server + 1]] = words[weight + 1]
        }
        return weights
    }

    /// Both tables come to have these weights, and keep them.
    private func become(_ expected: [String: String], _ step: String) throws {
        var (theirs, ours): ([String: String], [String: String]) = ([:], [:])
        do {
            try guest.eventually("\(step): \(expected)", within: .seconds(10)) {
                (theirs, ours) = (try weights(of: .ipvsadm), try weights(of: .lbctl))
                return theirs == expected && ours == expected
            }
        } catch {
            Issue.record("\(step): keepalived has \(theirs), ipvsd has \(ours), expected \(expected)")
        }
    }

    @Test func `a tracked file moves weights as with keepalived, and takes servers out`() throws {
        func server(_ number: Int, _ words: String) -> String {
            " real_server 10.0.0.\(number) 80 {\n  weight 5\n  FILE_CHECK {\n   track_file f\n   \(words)\n  }\n }\n"
        }
        let path = script + ".file"
        // At its start, and only then, keepalived takes no notice of `reverse` with weight 0: the first number is not compared.
        try write("file", 2)
        let words = ["", "weight 10", "weight -2", "weight 3 reverse", "weight 100000"]
        try start(
            """
            track_file f {
             file "\(path)"
             weight 2
            }
            track_file verdict {
             file "\(path)"
             weight 0
            }
            track_file reversed {
             file "\(path)"
             weight 0 reverse
            }
            virtual_server 192.0.2.1 80 {
             delay_loop 1
             lvs_sched rr
             lvs_method DR
             protocol TCP
             alpha
            \(words.enumerated().map { server($0 + 1, $1) }.joined())
            \(server(6, "").replacing("track_file f", with: "track_file verdict"))
            \(server(7, "").replacing("track_file f", with: "track_file reversed"))
            }

            """)
        func expect(_ number: String?, _ weights: [Int?]) throws {
            if let number {
                try FileSystem.replace(path, with: Array("\(number)\n".utf8), durable: false)
            } else {
                unlink(path)
            }
            let expected = weights.enumerated().compactMap { number, weight in
                weight.map { ("10.0.0.\(number + 1):80", "\($0)") }
            }
            try become(Dictionary(uniqueKeysWithValues: expected), "number \(number ?? "none")")
        }
        try guest.eventually("both have read it", within: .seconds(20)) {
            try Administrator.allCases.allSatisfy { try weights(of: $0)["10.0.0.2:80"] == "25" }
        }
        try expect("0", [5, 5, 5, 5, 5, 5, nil])
        try expect("2", [9, 25, 1, 0, 200_005, nil, 5])
        try expect("-2", [1, 0, 9, 11, 0, nil, 5])
        try expect("0x10 more", [37, 165, 0, 0, 1_600_005, nil, 5])
        try expect("99999999999", [37, 165, 0, 0, 1_600_005, nil, 5])
        try expect(nil, [5, 5, 5, 5, 5, 5, nil])
        try expect("1", [7, 15, 3, 2, 100_005, nil, 5])
    }

    @Test func `misc_dynamic sets weights as keepalived does, and several add up`() throws {
        func check(_ name: String) -> String {
            "MISC_CHECK {\n misc_path \"\(script) \(name)\"\n misc_timeout 20\n misc_dynamic\n}\n"
        }
        for name in ["a", "b", "c"] { try write(name, 0) }
        try start(
            """
            global_defs {
             script_user root
            }
            virtual_server 192.0.2.1 80 {
             delay_loop 0.5
             lvs_sched rr
             lvs_method DR
             protocol TCP
             warmup 0
             real_server 10.0.0.1 80 {
              weight 5
              \(check("a"))\(check("b"))
             }
             real_server 10.0.0.2 80 {
              weight 3
              inhibit_on_failure
              \(check("c"))
             }
            }

            """)
        let (one, two) = ("10.0.0.1:80", "10.0.0.2:80")
        try become([one: "5", two: "3"], "status 0")
        let steps: [(a: Int, b: Int, c: Int, weights: [String: String])] = [
            (12, 0, 7, [one: "10", two: "5"]),
            (12, 2, 7, [one: "5", two: "5"]),
            (2, 2, 2, [one: "0", two: "0"]),
            (255, 255, 255, [one: "501", two: "253"]),
            (12, 9, 12, [one: "12", two: "10"]),
            (0, 10, 0, [one: "8", two: "3"]),
            (13, 0, 9, [one: "11", two: "7"]),
            (1, 255, 1, [two: "0"]),
            (0, 255, 0, [one: "253", two: "3"]),
        ]
        for step in steps {
            try write("a", step.a)
            try write("b", step.b)
            try write("c", step.c)
            try become(step.weights, "status \(step.a), \(step.b), \(step.c)")
        }
    }
}
