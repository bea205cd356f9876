// `lbctl ipvs` through the bus, with ipvsd between it and the kernel, against ipvsadm 1.31: the same lines must do the same there, too.
import Glibc
import Net
import Platform
import Testing

@Suite(.serialized, .enabled(if: inTheLab))
final class DialectBusTests {
    private let administration: Administration
    private let guest: Guest
    private var daemons: [Program] = []

    /// busd and ipvsd without a service of the configuration.
    init() throws {
        guest = try Guest()
        administration = try Administration(in: guest)
        let run = "\(guest.directory)/run"
        for directory in ["run", "run/private", "state"] {
            try FileSystem.makeDirectory("\(guest.directory)/\(directory)", mode: 0o755)
        }
        let configuration = "\(guest.directory)/empty.conf"
        try FileSystem.replace(configuration, with: Array("global_defs {\n}\n".utf8), durable: false)
        for daemon in [Daemon.busd, .ipvsd] {
            daemons.append(
                try Program(
                    [
                        "\(Program.directory)/\(daemon)", "--config", configuration, "--run-dir", run, "--state-dir",
                        "\(guest.directory)/state",
                    ], in: "lbctl", log: "\(guest.directory)/\(daemon).log", loop: guest.loop))
        }
        administration.bus = "\(run)/bus.sock"
        try guest.eventually("ipvsd answers", within: .seconds(15)) {
            try administration.run(.lbctl, ["-L"]).status == 0
        }
    }

    @Test func `random command lines do the same through ipvsd`() throws {
        let first = UInt64(getenv("EVENKEEL_FIRST_SEED").map { String(cString: $0) } ?? "") ?? 1
        let rounds = UInt64(getenv("EVENKEEL_SEEDS").map { String(cString: $0) } ?? "") ?? 10
        print("lab: through ipvsd, seeds \(first)…\(first + rounds - 1)")
        for seed in first..<first + rounds {
            var generator = CommandGenerator(seed: seed, isForDaemon: true)
            let input = generator.sequence(of: 60).map { $0 + "\n" }.joined()
            let peer = try administration.run(.ipvsadm, ["-R"], input: input)
            let ours = try administration.run(.lbctl, ["-R"], input: input)
            #expect(ours == peer, "seed \(seed)\n\(input)══ ipvsadm: \(peer)\n══ lbctl: \(ours)")
            guard ours == peer else { return }
        }
    }

    @Test func `the published sequence does the same through ipvsd`() throws {
        let path = Guest.repository + "/Tests/LabTests/Fixtures/ipvs-rules"
        for line in try guest.lines(of: "\(path)/commands.txt") {
            let words = line.split(separator: " ").dropFirst().map(String.init)
            let peer = try administration.run(.ipvsadm, words)
            #expect(try administration.run(.lbctl, words) == peer, "\(line)")
        }
        let rules = try guest.lines(of: "\(path)/saved.rules").joined(separator: "\n") + "\n"
        for arguments in [["-C"], ["-R"], ["-S"], ["-L"]] {
            let peer = try administration.run(.ipvsadm, arguments, input: rules)
            #expect(try administration.run(.lbctl, arguments, input: rules) == peer, "\(arguments)")
        }
    }

    @Test func `what ipvsd does not keep is refused with what to do, and the rest is done`() throws {
        let result = try administration.run(
            .lbctl, ["-R"],
            input: """
                -A -t 10.0.0.1:80 -s rr
                -A -t 10.0.0.2:80 -p 60 -M 255.0.255.0
                -A -t 10.0.0.3:80 --pe sip
                -a -t 10.0.0.1:80 -r 192.168.7.21:80 -m -x 10 -y 5
                -A -t 10.0.0.4:80 -p 60 --pe 1234567890123456

                """)
        #expect(
            result.errors.contains("no netmask that is no prefix, 255.0.255.0: give another one, or use --direct\n"))
        #expect(result.errors.contains("a persistence engine does nothing without persistence"))
        #expect(result.errors.contains("ipvsd does not take this: serviceSettings.persistenceEngine\n"))
        #expect(result.status == 255)
        #expect(result.table.count == 2, "\(result)")
        _ = try administration.run(.lbctl, ["-C"])
    }

    @Test func `without ipvsd there is a way that is named`() throws {
        for daemon in daemons.reversed() { daemon.signal(SIGKILL) }
        try guest.eventually("the daemons end", within: .seconds(5)) { daemons.allSatisfy { $0.exit != nil } }
        let result = try administration.run(.lbctl, ["-L"])
        #expect(result.status == 3)
        #expect(result.errors.contains("--direct' talks to the kernel without ipvsd"), "\(result)")
        #expect(result.output == "")
        administration.bus = nil
        #expect(try administration.run(.lbctl, ["-L"]).status == 0)
    }
}
