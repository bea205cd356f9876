// `lbctl ipvs --direct` against ipvsadm 1.31: the same command lines in two network namespaces must have the same output, errors, exit
// status and kernel table. Thousands of random lines go through -R, a few processes' worth; what is particular about a command line of its
// own is a list.
import Glibc
import Testing

@Suite(.serialized, .enabled(if: inTheLab))
final class DialectDifferentialTests {
    private let administration: Administration
    private let guest: Guest

    init() throws {
        guest = try Guest()
        administration = try Administration(in: guest)
    }

    /// What the two make of an input for -R; nil when it is the same.
    private func difference(_ lines: [String]) throws -> String? {
        let input = lines.map { $0 + "\n" }.joined()
        let peer = try administration.run(.ipvsadm, ["-R"], input: input)
        let ours = try administration.run(.lbctl, ["-R"], input: input)
        guard peer != ours else { return nil }
        return "══ ipvsadm: \(peer)\n══ lbctl: \(ours)"
    }

    /// The fewest lines found that still differ, in at most so many runs.
    private func shrunk(_ lines: [String], runs: Int = 120) throws -> [String] {
        var lines = lines
        var runs = runs
        var step = lines.count / 2
        while step > 0 {
            var start = 0
            while start < lines.count, runs > 0 {
                var fewer = lines
                fewer.removeSubrange(start..<min(start + step, lines.count))
                runs -= 1
                if try difference(fewer) != nil { lines = fewer } else { start += step }
            }
            step /= 2
        }
        return lines
    }

    @Test func `thousands of random command lines do the same`() throws {
        let first = UInt64(getenv("EVENKEEL_FIRST_SEED").map { String(cString: $0) } ?? "") ?? 1
        let rounds = UInt64(getenv("EVENKEEL_SEEDS").map { String(cString: $0) } ?? "") ?? 30
        print("lab: seeds \(first)…\(first + rounds - 1), EVENKEEL_FIRST_SEED and EVENKEEL_SEEDS choose others")
        var count = 0
        var entries = 0
        for seed in first..<first + rounds {
            var generator = CommandGenerator(seed: seed)
            let lines = generator.sequence(of: 60)
            count += lines.count
            guard let found = try difference(lines) else {
                entries += try administration.run(.lbctl, ["-v"]).table.count
                continue
            }
            let few = try shrunk(["-C"] + lines)
            Issue.record("seed \(seed): after\n\(few.joined(separator: "\n"))\n\(try difference(few) ?? found)")
            break
        }
        print("lab: \(count) command lines, \(entries) entries at the ends")
        #expect(entries > 3 * rounds, "the sequences leave tables that say something")
    }

    @Test func `the published sequence does the same, command by command`() throws {
        let path = Guest.repository + "/Tests/LabTests/Fixtures/ipvs-rules"
        for line in try guest.lines(of: "\(path)/commands.txt") {
            let words = line.split(separator: " ").dropFirst().map(String.init)
            let peer = try administration.run(.ipvsadm, words)
            #expect(try administration.run(.lbctl, words) == peer, "\(line)")
            #expect(peer.status == 0, "\(line)")
        }
        let rules = try guest.lines(of: "\(path)/saved.rules").joined(separator: "\n") + "\n"
        for arguments in [["-C"], ["-R"], ["-S"], ["-L"]] {
            let peer = try administration.run(.ipvsadm, arguments, input: rules)
            #expect(try administration.run(.lbctl, arguments, input: rules) == peer, "\(arguments)")
        }
    }

    @Test func `what is particular about single command lines is the same`() throws {
        for line in OddCommandLines.all {
            let peer = try administration.run(.ipvsadm, line)
            #expect(try administration.run(.lbctl, line) == peer, "\(line)")
        }
    }

    @Test func `what is particular about input for -R is the same`() throws {
        for input in OddCommandLines.inputs {
            let peer = try administration.run(.ipvsadm, ["-R"], input: "-C\n\(input)")
            #expect(try administration.run(.lbctl, ["-R"], input: "-C\n\(input)") == peer, "\(input)")
        }
    }

    @Test func `listings of one table in the kernel's order are the same`() throws {
        var input = ""
        for service in [
            "-t 10.0.0.1:80", "-u 10.0.0.1:53", "-t 192.168.1.1:443", "-f 3", "-f 4 -6", "--sctp-service 10.1:9",
        ] {
            input += "-A \(service) -s wrr\n"
            for server in ["192.168.7.21:80", "10.9.9.9:8080", "200.1.1.1:81", "127.0.0.1:25"] {
                input += "-a \(service) -r \(server) -i -w \(server.utf8.count)\n"
            }
        }
        #expect(try administration.run(.lbctl, ["-R"], input: input).status == 0)
        for arguments in [["-Ln", "--nosort"], ["-L", "--nosort"], ["-Ln", "--nosort", "--stats"]] {
            let peer = try administration.run(.ipvsadm, arguments, on: .lbctl)
            #expect(try administration.run(.lbctl, arguments, on: .lbctl) == peer)
            #expect(peer.table.count > 20)
        }
    }

    @Test func `thresholds survive saving and restoring`() throws {
        let rules = "-A -t 10.0.0.1:80 -s wlc\n-a -t 10.0.0.1:80 -r 192.168.7.21:80 -m -w 1 -x 1000 -y 800\n"
        _ = try administration.run(.lbctl, ["-R"], input: rules)
        let listing = try administration.run(.lbctl, ["-Ln", "--thresholds"]).output
        #expect(listing.contains("  -> 192.168.7.21:80              1000       800        0          0         \n"))
        let saved = try guest.run(
            ["/sbin/ip", "netns", "exec", "lbctl"] + Administrator.lbctl.command + ["-S", "-n"])
        #expect(saved == rules)
        _ = try administration.run(.lbctl, ["-C"])
        #expect(try administration.run(.ipvsadm, ["-R"], input: saved, on: .lbctl).status == 0)
        #expect(try administration.run(.ipvsadm, ["-Ln", "--thresholds"], on: .lbctl).output == listing)
    }

    @Test func `10,000 rules are restored in few system calls`() throws {
        var input = ""
        for service in 0..<1000 {
            input += "-A -t 10.1.\(service / 250).\(service % 250):80 -s rr\n"
            for server in 1...9 {
                input += "-a -t 10.1.\(service / 250).\(service % 250):80 -r 10.2.0.\(server):80 -m\n"
            }
        }
        let clock = ContinuousClock()
        for administrator in Administrator.allCases {
            var result: AdministrationResult?
            let restoring = try clock.measure { result = try administration.run(administrator, ["-R"], input: input) }
            #expect(result?.status == 0)
            let listing = try clock.measure { result = try administration.run(administrator, ["-Ln"]) }
            // Three lines are the heading. The kernel's /proc/net/ip_vs leaves lines of a large table out while another namespace has services.
            #expect(result?.output.split(separator: "\n").count == 10_003)
            let clearing = try clock.measure { result = try administration.run(administrator, ["-C"]) }
            print("lab: 1,000 × 9 by \(administrator): -R \(restoring), -Ln \(listing), -C \(clearing)")
        }
    }
}
