// `lvs_sync_daemon`: what is asked of the kernel after every state of the instance, edits of the configuration, and what others or the kernel
// itself did meanwhile.

import Bus
import Configuration
import Glibc
import IPVS
import Net
import Netlink
import Testing

@testable import ipvsd

/// The kernel's daemons: one of each role, none on an interface that is not there.
private final class SyncedKernel: SyncKernel {
    var running: [SyncRole: SyncDaemon] = [:]
    var interfaces: Set<String> = ["eth0"]
    var outage: NetlinkError?
    private(set) var commands: [SyncCommand] = []
    private(set) var looks = 0

    func syncDaemons() throws(NetlinkError) -> [SyncDaemon] {
        looks += 1
        if let outage { throw outage }
        return running.values.sorted { $0.role.rawValue < $1.role.rawValue }
    }

    func apply(_ command: SyncCommand) throws(NetlinkError) {
        if let outage { throw outage }
        switch command {
        case .start(var daemon):
            guard running[daemon.role] == nil else { throw .refused(code: EEXIST, message: "") }
            guard interfaces.contains(daemon.interface) else { throw .refused(code: ENODEV, message: "") }
            // The kernel always has a length, and not always the one that was asked for.
            daemon.maximumLength = max(daemon.maximumLength ?? 1472, 1024)
            running[daemon.role] = daemon
        case .stop(let role):
            guard running.removeValue(forKey: role) != nil else { throw .refused(code: ESRCH, message: "") }
        }
        commands.append(command)
    }
}

private func configuration(_ instance: String? = "VI_1", interface: String = "eth0", id: UInt8 = 51)
    -> SyncDaemonConfiguration
{
    var configuration = SyncDaemonConfiguration(interface: interface)
    configuration.instance = instance
    configuration.syncID = id
    return configuration
}

/// A keeper, its kernel and a clock.
private final class Rig {
    let kernel = SyncedKernel()
    let keeper: SyncKeeper
    var now = Instant(nanoseconds: 1_000_000_000_000)

    init(_ configuration: SyncDaemonConfiguration?) {
        keeper = SyncKeeper(kernel)
        keeper.configure(configuration)
        settle()
    }

    /// Turns until nothing is due.
    func settle() {
        for _ in 0..<20 where keeper.deadline <= now { _ = keeper.turn(at: now) }
    }

    func pass(_ time: Duration) {
        now = now + time
        settle()
    }

    func follow(_ state: VrrpAPI.State) {
        keeper.follow(state)
        settle()
    }

    var roles: Set<SyncRole> { Set(kernel.running.keys) }
}

@Suite struct SyncDaemonTests {
    @Test func `the role is that of the instance; what is not known changes nothing`() {
        let rig = Rig(configuration())
        #expect(rig.roles.isEmpty)
        for (state, role) in [
            (VrrpAPI.State.backup, SyncRole.backup), (.master, .master), (.fault, .backup), (.master, .master),
            (.other("resting"), .master), (.initialize, .backup),
        ] {
            rig.follow(state)
            #expect(rig.roles == [role], "\(state)")
        }
        #expect(rig.kernel.running[.backup]?.syncID == 51)
        let before = rig.kernel.commands.count
        rig.pass(.seconds(60))
        #expect(rig.kernel.commands.count == before, "nothing is started again")
    }

    @Test func `before the state is known, what runs stays`() {
        let rig = Rig(nil)
        rig.kernel.running[.master] = SyncDaemon(configuration(), .master)
        rig.keeper.configure(configuration())
        rig.pass(.seconds(30))
        #expect(rig.roles == [.master])
        #expect(rig.kernel.commands.isEmpty)
        rig.follow(.master)
        #expect(rig.kernel.commands.isEmpty, "it is right already")
        rig.follow(.backup)
        #expect(rig.roles == [.backup])
    }

    @Test func `without an instance both run`() {
        #expect(Rig(configuration(nil)).roles == [.master, .backup])
    }

    @Test func `without the word nothing is looked at or touched`() {
        let rig = Rig(nil)
        rig.kernel.running[.master] = SyncDaemon(configuration(), .master)
        rig.follow(.backup)
        rig.pass(.seconds(60))
        #expect(rig.roles == [.master])
        #expect(rig.kernel.looks == 0)
    }

    @Test func `what others stop, start or change is put right`() {
        let rig = Rig(configuration())
        rig.follow(.master)
        rig.kernel.running = [:]
        rig.pass(.seconds(5))
        #expect(rig.roles == [.master])
        rig.kernel.running[.backup] = SyncDaemon(configuration(), .backup)
        rig.kernel.running[.master]?.syncID = 7
        rig.pass(.seconds(5))
        #expect(rig.roles == [.master])
        #expect(rig.kernel.running[.master]?.syncID == 51)
    }

    @Test func `an edit starts it anew, a reload without one does not`() {
        let rig = Rig(configuration())
        rig.follow(.master)
        let before = rig.kernel.commands.count
        rig.keeper.configure(configuration())
        rig.settle()
        #expect(rig.kernel.commands.count == before)
        rig.keeper.configure(configuration(id: 9))
        rig.settle()
        #expect(rig.kernel.running[.master]?.syncID == 9)
        var longer = configuration(id: 9)
        longer.maximumLength = 1400
        rig.keeper.configure(longer)
        rig.settle()
        #expect(rig.kernel.running[.master]?.maximumLength == 1400)
        let after = rig.kernel.commands.count
        rig.pass(.seconds(60))
        #expect(rig.kernel.commands.count == after)
        rig.keeper.configure(configuration("VI_2", id: 9))
        rig.settle()
        #expect(rig.roles == [.master], "another instance is not known yet")
        rig.follow(.backup)
        #expect(rig.roles == [.backup])
    }

    @Test func `the word goes: what was started here ends`() {
        let rig = Rig(configuration())
        rig.follow(.master)
        rig.keeper.configure(nil)
        rig.settle()
        #expect(rig.roles.isEmpty)
        #expect(rig.keeper.held.isEmpty)
        let looks = rig.kernel.looks
        rig.pass(.seconds(60))
        #expect(rig.kernel.looks == looks)
    }

    @Test func `an interface that is missing is a problem, and it is tried again`() throws {
        let rig = Rig(configuration(interface: "eth9"))
        rig.follow(.master)
        let problem = try #require(rig.keeper.problem)
        #expect(problem.message.contains("eth9"))
        #expect(problem.remedy.contains("there is no interface eth9"))
        rig.pass(.seconds(30))
        #expect(rig.keeper.problem != nil)
        rig.kernel.interfaces.insert("eth9")
        rig.pass(.seconds(10))
        #expect(rig.keeper.problem == nil)
        #expect(rig.roles == [.master])
    }

    @Test func `answers that are lost, and a missing module, are asked again`() {
        let rig = Rig(configuration())
        for error in [NetlinkError.overrun, .noFamily("IPVS"), .refused(code: EPERM, message: "")] {
            rig.kernel.outage = error
            rig.keeper.follow(rig.roles == [.master] ? .backup : .master)
            rig.settle()
            #expect(rig.keeper.problem != nil)
            rig.kernel.outage = nil
            rig.pass(.seconds(10))
            #expect(rig.keeper.problem == nil)
            #expect(rig.roles.count == 1)
        }
    }

    @Test func `at the end goes what was started here, and nothing else`() {
        let rig = Rig(configuration())
        rig.follow(.master)
        rig.keeper.finish()
        #expect(rig.roles.isEmpty)

        let adopting = Rig(nil)
        adopting.kernel.running[.backup] = SyncDaemon(configuration(), .backup)
        adopting.keeper.configure(configuration())
        adopting.follow(.backup)
        adopting.keeper.finish()
        #expect(adopting.roles == [.backup], "somebody else started it")

        let changed = Rig(configuration())
        changed.follow(.backup)
        changed.kernel.running[.backup]?.port = 9999
        changed.keeper.finish()
        #expect(changed.roles == [.backup], "somebody else has it now")
    }

    @Test func `a refusal of a start or a stop by hand is said once, with the remedy`() throws {
        let rig = Rig(nil)
        let daemon = SyncDaemon(configuration(), .master)
        func problem(_ command: SyncCommand, _ code: Int32) throws -> String {
            let failure = try #require(rig.keeper.byHand(command, file: "f"))
            #expect(failure.code == code && !failure.isOurs)
            return failure.problem
        }
        #expect(try problem(.stop(.master), ESRCH).hasPrefix("no sync daemon master runs: "))
        #expect(
            try problem(.start(SyncDaemon(configuration(interface: "eth9"), .master)), ENODEV)
                .contains("eth9"))
        #expect(rig.keeper.byHand(.start(daemon), file: "f") == nil)
        #expect(try problem(.start(daemon), EEXIST).contains("'lbctl ipvs --stop-daemon master' stops it"))
        rig.kernel.outage = .refused(code: EPERM, message: "")
        let text = try problem(.start(daemon), EPERM)
        #expect(text.components(of: "the kernel refused") == 1 && !text.contains("not synchronised"), "\(text)")
    }
}

extension String {
    /// How often a text is in it.
    fileprivate func components(of text: String) -> Int { ranges(of: text).count }
}
