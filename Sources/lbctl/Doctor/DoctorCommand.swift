// `lbctl doctor`: what will hurt on this host, from the daemons' alarms and from what the daemons cannot know.
import ArgumentParser
import Bus
import Configuration
import JSON
import Platform

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "What will hurt on this host, why, and the command that mends it.",
        discussion: """
            The daemons' alarms come first (kernel, modules, settings, forwarding, tunnels). Then what they cannot know: firewall rules \
            that drop advertisements, clients' packets or servers' answers; bridges that snoop multicast; other managers of the addresses \
            or the table; rights of the configuration's files; what overrides of the units break; the clock. Nothing is changed. Run it \
            as root, in the director's network namespace. Exit status 1 when something will hurt.

            Examples:
              lbctl doctor
              lbctl doctor --json | jq -r '.findings[] | .remedy // empty'
            """)

    @Option(
        help: ArgumentHelp("The configuration (default: the one the daemons read).", valueName: "file"),
        completion: .file())
    var config: String?

    @OptionGroup var bus: BusOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let heard = Heard(from: bus.link)
        let path = config ?? heard.files.first ?? ConfigCommand.path(nil, bus.instanceOptions)
        let diagnosis = Self.diagnosis(
            facts: DoctorFacts(configurationAt: path, instance: bus.instanceOptions.instance), heard)
        try StandardOutput.show(
            Shown(wire: [diagnosis.wire]) { screen in screen.add(diagnosis) }, json: output.json)
        if diagnosis.willHurt { throw ExitCode(ExitStatus.failed.rawValue) }
    }

    /// What the daemons say.
    struct Heard {
        private(set) var findings: [Finding] = []
        private(set) var gaps: [String] = []
        /// The files that they have read, vrrpd's first; none where nobody could be asked.
        private(set) var files: [String] = []

        init(from daemons: some Daemons) {
            do throws(Failure) {
                let status = try StatusReport(from: daemons, keepsWire: false).status
                findings = status.problems(at: .now).compactMap(Finding.init)
                for daemon in Daemon.allCases {
                    guard let file = status.configurations[daemon.rawValue]?.file, !files.contains(file) else {
                        continue
                    }
                    files.append(file)
                }
                if status.isDirect {
                    gaps.append("alarms of the daemons: they go by the bus, and --direct leaves it out")
                }
            } catch .denied {
                gaps.append(
                    "what the daemons say: this user may not ask them: run lbctl as root, or belong to group evenkeel")
            } catch {
                findings.append(
                    Finding(
                        severity: .willHurt, subject: "daemons", what: error.description,
                        why: "what the daemons would say is not known: kernel, modules, settings, forwarding, tunnels",
                        remedy: "systemctl start \(daemons.instance.map { "evenkeel@\($0)" } ?? "evenkeel").target"))
            }
        }
    }

    /// What the daemons say, and what the facts say; the worst first.
    static func diagnosis(facts: DoctorFacts, _ heard: Heard) -> Diagnosis {
        let findings = heard.findings + facts.findings()
        let ordered = findings.filter { $0.severity == .willHurt } + findings.filter { $0.severity == .mayHurt }
        let others = heard.files.filter { $0 != facts.configurationPath }
        var gaps = facts.gaps + heard.gaps
        if !others.isEmpty {
            gaps.append(
                "\(others.joined(separator: ", ")), which daemons run on: this is about \(facts.configurationPath); "
                    + "'lbctl doctor --config FILE' looks at another")
        }
        if facts.configuration == nil {
            gaps.append(
                "firewall, bridges, addresses and routes: what they have to let through and keep is in "
                    + "\(facts.configurationPath), which could not be used")
        }
        return Diagnosis(findings: ordered, gaps: gaps)
    }
}

extension Finding {
    /// A problem of `lbctl status`; what a person decided is none.
    init?(_ problem: Problem) {
        switch problem.severity {
        case .critical: severity = .willHurt
        case .degraded: severity = .mayHurt
        case .byHand: return nil
        }
        (subject, what, why, remedy) = (problem.subject, problem.text, nil, problem.remedy)
    }
}
