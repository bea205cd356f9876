// What is said of virtual routers: what they track, who stepped down, and who is master then.
import ArgumentParser
import Bus
import JSON
import Testing

@testable import lbctl

@Suite struct VrrpCommandTests {
    private let daemons = ScriptedDaemons()

    /// A pair of virtual routers that move together, and one beside them.
    private func routers(_ state: VrrpAPI.State, master: String? = nil) -> ScriptedDaemons.Answer {
        let instances = ["A", "B", "C"].map { name in
            var instance = VrrpAPI.Instance.sample(
                name, state, reason: "asked to step down", effective: 1, master: master, steppedDown: true)
            instance.context.syncGroup = name == "C" ? nil : "G"
            instance.runtime.masterDownIntervalMilliseconds = 1
            return instance
        }
        return .replies([VrrpAPI.List.Reply(instances: instances).object])
    }

    @Test func `failover says who went along, and who took over or that nobody did`() throws {
        daemons["Vrrp.Failover"] = .replies([["seq": 9]])
        daemons["Vrrp.List"] = routers(.backup, master: "192.0.2.2")
        func told(_ name: String) throws -> String {
            try text(VrrpCommand.Failover.parse([name]).answer(from: daemons))
        }
        #expect(
            try told("A") == """
                A, B have stepped down and stay out until 'lbctl vrrp resume A'.
                A: 192.0.2.2 is master.
                B: 192.0.2.2 is master.

                """)
        #expect(try told("C").hasPrefix("C has stepped down and stays out until 'lbctl vrrp resume C'.\nC: 192.0.2.2"))
        daemons["Vrrp.List"] = routers(.master)
        #expect(try told("C").contains("C: no other director took over; this one is master again, with priority 1."))
        daemons["Vrrp.List"] = routers(.backup)
        #expect(try told("C").contains("C: no other director was heard as master yet"), "after a second or two")
        daemons["Vrrp.List"] = nil
        #expect(try told("C") == "C has stepped down and stays out until 'lbctl vrrp resume C'.\n", "it is done")
        daemons["Vrrp.List"] = routers(.backup)
        let before = daemons.calls.count
        #expect(wire(try VrrpCommand.Failover.parse(["C"]).answer(from: daemons)) == [#"{"seq":9}"#])
        #expect(daemons.calls.count == before + 1, "--json waits for nobody")
    }

    @Test func `the name of a sync group is answered with its members`() {
        daemons["Vrrp.List"] = routers(.backup)
        for method in ["Show", "Failover", "Resume"] {
            daemons["Vrrp.\(method)"] = .failure(
                .refused(
                    method: "io.evenkeel.Vrrp.\(method)", error: "io.evenkeel.Vrrp.InstanceNotFound", parameters: [:]))
        }
        let commands: [(String) throws -> Void] = [
            { _ = try VrrpCommand.Show.parse([$0]).answer(from: daemons) },
            { _ = try VrrpCommand.Failover.parse([$0]).answer(from: daemons) },
            { _ = try VrrpCommand.Resume.parse([$0]).answer(from: daemons) },
        ]
        for command in commands {
            let refused = failure { try command("G") }?.description
            #expect(
                refused?.contains("  A\n  B\n") == true && refused?.contains("sync group") == true, "\(refused ?? "")")
            #expect(failure { try command("H") }?.description.contains("sync group") == false)
        }
    }

    @Test func `what is tracked and costs priority is out of order, whatever it is and which way round`() {
        func script(_ state: VrrpAPI.ScriptState, _ weight: Int, reverse: Bool = false) -> VrrpAPI.TrackedScript {
            VrrpAPI.TrackedScript(
                name: "s", state: state, since: before(5), weight: weight, reverse: reverse, running: false,
                lastResult: "exit status 1")
        }
        func tracker(
            _ kind: VrrpAPI.TrackerKind, _ state: VrrpAPI.TrackerState, _ weight: Int, reverse: Bool = false,
            effect: Int, fault: Bool = false
        ) -> VrrpAPI.Tracker {
            VrrpAPI.Tracker(
                kind: kind, name: "t", state: state, since: before(5), detail: "so", weight: weight, reverse: reverse,
                effect: effect, fault: fault)
        }
        func texts(_ scripts: [VrrpAPI.TrackedScript], _ trackers: [VrrpAPI.Tracker] = []) -> [String] {
            var status = Status.well
            (status.instances[0].runtime.scripts, status.instances[0].runtime.trackers) = (scripts, trackers)
            let problems = status.problems(at: now)
            #expect(problems.allSatisfy { $0.severity == .degraded && $0.subject == "VI_1" })
            return problems.map(\.text)
        }
        #expect(
            texts([script(.failed, -20), script(.failed, 50), script(.good, 50), script(.unknown, 50)]) == [
                "track_script s has failed for 5 s (weight -20): exit status 1",
                "track_script s has failed for 5 s (weight 50): exit status 1",
            ])
        // The usual flag of maintenance: it is well while the file is not there.
        #expect(
            texts([script(.good, 50, reverse: true), script(.good, -20, reverse: true)]) == [
                "track_script s costs priority for 5 s (weight 50 reverse): exit status 1",
                "track_script s costs priority for 5 s (weight -20 reverse): exit status 1",
            ])
        #expect(texts([script(.failed, 50, reverse: true), script(.failed, -20, reverse: true)]) == [])
        #expect(
            texts(
                [],
                [
                    tracker(.interface, .failed, -60, effect: -60), tracker(.bfd, .failed, 20, effect: 0),
                    tracker(.process, .good, 10, reverse: true, effect: -10), tracker(.file, .number, 1, effect: -30),
                ]) == [
                    "track_interface t has failed for 5 s (weight -60: -60): so",
                    "track_bfd t has failed for 5 s (weight 20: 0): so",
                    "track_process t costs priority for 5 s (weight 10 reverse: -10): so",
                    "track_file t costs priority for 5 s (weight 1: -30): so",
                ])
        #expect(
            texts(
                [],
                [
                    tracker(.interface, .good, -60, effect: 0), tracker(.bfd, .unknown, 20, effect: 0),
                    tracker(.process, .failed, -5, reverse: true, effect: 5), tracker(.file, .number, 1, effect: 30),
                ]) == [])
        // Faults are told with the state, and what has weight beside them.
        var status = Status.well
        status.instances = [
            .sample("VI_1", .fault, reason: "track_unit t has failed", faults: ["track_unit t has failed"])
        ]
        status.instances[0].runtime.trackers = [
            tracker(.file, .number, -1, effect: 0, fault: true), tracker(.unit, .failed, 0, effect: 0, fault: true),
            tracker(.interface, .failed, -60, effect: -60),
        ]
        #expect(status.problems(at: now).map(\.severity) == [.critical, .degraded])
    }

    @Test func `stepped down says whether anybody else is master`() {
        var status = Status.well
        func problem(_ state: VrrpAPI.State, master: String? = nil) -> Problem? {
            status.instances = [
                .sample("VI_1", state, reason: "asked to step down", effective: 1, master: master, steppedDown: true)
            ]
            #expect(status.problems(at: now).count == 1)
            return status.problems(at: now).first
        }
        #expect(problem(.backup, master: "192.0.2.2")?.severity == .byHand)
        let alone = problem(.backup)
        #expect(alone?.severity == .degraded && alone?.text.contains("nobody holds the addresses") == true)
        #expect(shown { $0.add(status) }.hasPrefix("1 out of order: "))
        let master = problem(.master)
        #expect(master?.severity == .byHand && master?.text.contains("master all the same for 3 min") == true)
        #expect(shown { $0.add(status) }.contains("VI_1      MASTER, stepped down"))
        #expect(shown { $0.add(status.instances[0]) }.contains("1 (configured 100, stepped down by hand)"))
    }
}
