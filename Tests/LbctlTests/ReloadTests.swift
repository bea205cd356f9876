// `lbctl reload`: all daemons or none, whatever one of them answers.
import ArgumentParser
import JSON
import Testing

@testable import lbctl

@Suite struct ReloadTests {
    private let daemons = ScriptedDaemons()

    init() {
        daemons.attach(.vrrpd, .ipvsd, .checkd)
        daemons["Vrrp.PrepareReload"] = .replies([["digest": "d1", "changes": ["VI_1: priority 100 -> 150"]]])
        for name in ["Ipvs", "Check"] {
            daemons["\(name).PrepareReload"] = .replies([["digest": "d1", "changes": []]])
        }
        for name in ["Vrrp", "Ipvs", "Check"] {
            daemons["\(name).CommitReload"] = .replies([[:]])
            daemons["\(name).AbortReload"] = .replies([[:]])
        }
    }

    private func reload(_ arguments: String...) throws -> Shown {
        try ReloadCommand.parse(arguments).answer(from: daemons)
    }

    private func failure(_ arguments: String...) -> Failure? {
        do {
            _ = try ReloadCommand.parse(arguments).answer(from: daemons)
            return nil
        } catch {
            return error as? Failure
        }
    }

    @Test func `all daemons prepare before any commits`() throws {
        let answer = try reload()
        #expect(
            daemons.calls == [
                "Bus.ListServices", "Vrrp.PrepareReload", "Ipvs.PrepareReload", "Check.PrepareReload",
                #"Vrrp.CommitReload {"digest":"d1"}"#, #"Ipvs.CommitReload {"digest":"d1"}"#,
                #"Check.CommitReload {"digest":"d1"}"#,
            ])
        #expect(
            try text(answer) == """
                vrrpd: 1 change
                  VI_1: priority 100 -> 150
                ipvsd: nothing changes
                checkd: nothing changes
                Loaded in vrrpd, ipvsd, checkd (d1).

                """)
        #expect(wire(answer)[0].hasPrefix(#"{"committed":true,"digest":"d1","daemons":[{"name":"vrrpd","#))
    }

    @Test func `a dry run commits nowhere and leaves nothing prepared`() throws {
        let answer = try reload("--dry-run")
        #expect(daemons.calls.suffix(3) == ["Vrrp.AbortReload", "Ipvs.AbortReload", "Check.AbortReload"])
        #expect(try text(answer).hasSuffix("Not loaded: a dry run (d1).\n"))
    }

    @Test func `what left is cut off once all have the new configuration, and is counted`() throws {
        daemons["Ipvs.CutDepartures"] = .replies([["servers": 2]])
        let answer = try reload("--cut")
        #expect(daemons.calls.suffix(2) == [#"Check.CommitReload {"digest":"d1"}"#, "Ipvs.CutDepartures"])
        #expect(try text(answer).hasSuffix("Loaded in vrrpd, ipvsd, checkd (d1).\n2 removed servers cut off.\n"))
        #expect(wire(answer)[0].hasSuffix(#","cut":2}"#))
        #expect(throws: (any Error).self) { try ReloadCommand.parse(["--cut", "--dry-run"]) }
    }

    @Test func `nothing is cut off where the reload fails, or without ipvsd`() throws {
        daemons["Ipvs.CutDepartures"] = .replies([["servers": 2]])
        daemons["Check.CommitReload"] = .failure(.disconnected(method: "io.evenkeel.Check.CommitReload", by: .busd))
        #expect(failure("--cut")?.status == .inPart)
        daemons.attach(.vrrpd)
        #expect(try !wire(reload("--cut"))[0].contains("cut"))
        #expect(!daemons.calls.contains("Ipvs.CutDepartures"))
    }

    @Test func `a refusal in one daemon aborts in all and is a configuration error`() {
        let error = "io.evenkeel.Ipvs.ConfigurationRefused"
        daemons["Ipvs.PrepareReload"] = .failure(
            .refused(
                method: "io.evenkeel.Ipvs.PrepareReload", error: error,
                parameters: ["diagnostics": ["k.conf:3:1: unknown word"]]))
        let failure = failure()
        #expect(failure?.status == .usage)
        #expect(failure?.description.contains("  k.conf:3:1: unknown word\n") == true)
        #expect(daemons.calls.suffix(2) == ["Vrrp.AbortReload", "Ipvs.AbortReload"])
        #expect(!daemons.calls.contains { $0.contains("Commit") })
    }

    @Test func `daemons that read different bytes load nothing`() {
        daemons["Check.PrepareReload"] = .replies([["digest": "d2", "changes": []]])
        let failure = failure()
        #expect(failure == .differentConfigurations(["vrrpd d1", "ipvsd d1", "checkd d2"]))
        #expect(failure?.status == .failed)
        #expect(daemons.calls.suffix(3) == ["Vrrp.AbortReload", "Ipvs.AbortReload", "Check.AbortReload"])
    }

    @Test func `a daemon lost between prepare and commit leaves it done in part, and says which`() {
        daemons["Ipvs.CommitReload"] = .failure(.disconnected(method: "io.evenkeel.Ipvs.CommitReload", by: .busd))
        let failure = failure()
        #expect(failure?.status == .inPart)
        #expect(failure?.description.hasPrefix("done in part: vrrpd, checkd yes; ipvsd (") == true)
    }

    @Test func `a daemon that is not attached is named and does not hinder the others`() throws {
        daemons.attach(.vrrpd, .ipvsd)
        #expect(try text(reload()).hasSuffix("Not there: checkd; reads it when it starts.\n"))
    }

    @Test func `with nobody attached the exit status says unreachable`() {
        daemons.attach()
        #expect(failure()?.status == .unreachable)
    }
}
