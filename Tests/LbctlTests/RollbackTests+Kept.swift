// What `lbctl reload --rollback` takes for the configuration in force, what it refuses, and when one that was killed half-way is over.
import ArgumentParser
import Foundation
import JSON
import Platform
import Testing

@testable import Configuration
@testable import lbctl

extension RollbackTests {
    @Test(arguments: [Daemon.vrrpd, .checkd])
    func `what no daemon runs on is not taken for the configuration in force`(_ daemon: Daemon) throws {
        _ = try kept()
        let digest = try #require(try KeptConfigurations(directory: "\(directory)/state").inForce()?.digest)
        _ = try write("vrrp_instance {", "conf.d/vi.conf")
        let failure = #expect(throws: Failure.self) {
            try reload(from: director([daemon: "feedbeefdeadbeef"]))
        }
        let said = failure?.description ?? ""
        #expect(
            said.contains("(\(digest.prefix(8))) is not what the daemons run (\(daemon.rawValue) feedbeef)"), "\(said)")
        #expect(
            said.contains(daemon == .vrrpd ? "'lbctl status' says why" : "'install -m 600 \(directory)/checkd/"),
            "\(said)")
        #expect(content(file) == "vrrp_instance {")
        #expect(!isThere(note))
    }

    @Test func `of a director whose daemons differ it says in which what it goes to is in force`() throws {
        _ = try kept()
        let digest = try #require(try KeptConfigurations(directory: "\(directory)/state").inForce()?.digest)
        _ = try write("vrrp_instance {", "conf.d/vi.conf")
        let answer = try reload("--dry-run", from: director([.vrrpd: digest, .checkd: "feedbeef"]))
        #expect(try text(answer).contains("to the configuration in force in vrrpd ("))
    }

    @Test func `where the daemons read something else than what was put back, it is undone`() throws {
        _ = try kept()
        let daemons = try director()
        daemons["Vrrp.PrepareReload"] = .replies([["digest": "d1", "changes": []]])
        daemons["Vrrp.AbortReload"] = .replies([[:]])
        daemons.onCall = { _ in }
        let failure = #expect(throws: Failure.self) { try reload(from: daemons) }
        #expect(failure?.description.hasPrefix("the daemons read something else (d1) than what was put back (") == true)
        #expect(daemons.calls.last == "Vrrp.AbortReload")
        #expect(content(file)?.contains("priority 60") == true)
    }

    @Test func `what was read by a relative name is not written into whichever directory this is`() throws {
        let bundle = ConfigurationBundle(files: [.init(path: "main.conf", bytes: Array("! x\n".utf8))], patterns: [:])
        try KeptConfigurations(directory: "\(directory)/state").keep(bundle)
        let options = try KeptOptions.parse(["--state-dir", "\(directory)/state"])
        let failure = #expect(throws: Failure.self) { try Rollback(options.pair(of: nil), nil) }
        #expect(failure?.description.hasPrefix("main.conf was read under that name") == true)
    }

    @Test func `what is damaged is called so, and the one before it is offered`() throws {
        _ = try kept()
        let good = "\(directory)/state/configuration.good"
        let octets = try FileSystem.presentContents(of: good, limit: 1 << 20)
        try FileSystem.replace(good, with: Array(octets.dropLast(10)), durable: false)
        let daemons = try director([.vrrpd: "feedbeef"])
        let failure = #expect(throws: Failure.self) { try reload(from: daemons) }
        let said = failure?.description ?? ""
        #expect(said.hasPrefix("\(good) is damaged: it was cut or changed: 'lbctl reload' has it kept anew"), "\(said)")
        #expect(said.contains("'lbctl reload --rollback --before' goes to the one before it ("), "\(said)")
        #expect(try text(reload("--before", from: daemons)).hasPrefix("Back to the one before it ("))
        #expect(content(file)?.contains("priority 50") == true)
        #expect(!isThere(note))
    }

    @Test func `with --before it goes to the one before, whatever the files say`() throws {
        _ = try kept()
        _ = try write("vrrp_instance {", "conf.d/vi.conf")
        _ = try reload("--before")
        #expect(content(file)?.contains("priority 50") == true)
        #expect(throws: (any Error).self) { try ReloadCommand.parse(["--before"]) }
    }

    // MARK: The end of one that was killed half-way

    @Test func `an ordinary reload ends one that was killed half-way`() throws {
        let options = try kept()
        var rollback = try Rollback(options.pair(of: nil), nil)
        try rollback.carryOut()
        #expect(isThere(note))
        // The daemons have it, and vrrpd has kept it.
        let reload = try ReloadCommand.parse(["--state-dir", "\(directory)/state"])
        _ = try reload.answer(from: director())
        _ = try kept("priority 50")
        #expect(!isThere(note))
        rollback = try Rollback(options.pair(of: nil), nil)
        #expect(rollback.destination == .before && !rollback.isContinued)
    }

    @Test func `one that had got there since is not turned round, and says so`() throws {
        let options = try kept()
        var rollback = try Rollback(options.pair(of: nil), nil)
        try rollback.carryOut()
        _ = try kept("priority 50")
        #expect(isThere(note))
        #expect(try text(reload()).contains("It had got there since: nothing changes."))
        #expect(content(file)?.contains("priority 50") == true)
        _ = try reload()
        #expect(content(file)?.contains("priority 60") == true)
    }
}
