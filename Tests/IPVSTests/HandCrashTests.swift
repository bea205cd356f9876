// Killed between the kernel's write and the disk's: what was added by hand is not somebody else's to the next process.
import Configuration
import IPVS
import Net
import Platform
import Testing

@testable import ipvsd

@Suite struct HandCrashTests {
    private func made(_ rig: KeeperRig, _ name: String) throws -> HandMade? {
        rig.keeper.reconciler.standings[try service(name)]?.handMade
    }

    private func addition(_ name: String = "tcp/192.0.2.7:80", servers: [UInt8] = [1]) throws -> [TableCommand] {
        let identity = try service(name)
        return [.change(.addService(identity, ServiceAttributes(scheduler: "rr")))]
            + (try servers.map { .change(.addDestination(identity, try server($0).endpoint, routed(1))) })
    }

    @Test func `an addition that the disk does not have yet is ours to the next process, and is repaired`() throws {
        let rig = KeeperRig()
        rig.byHand(try addition())
        #expect(rig.decisions.content == nil, "the disk has nothing yet")
        rig.restart()
        rig.settle()
        #expect(try made(rig, "tcp/192.0.2.7:80")?.servers.count == 1)
        rig.kernel.table = KernelTable()
        rig.pass(.seconds(11))
        #expect(rig.kernel.table.services[try service("tcp/192.0.2.7:80")]?.destinations.count == 1)
        rig.restart()
        #expect(try made(rig, "tcp/192.0.2.7:80")?.servers.count == 1, "and it is on the disk now")
        #expect(rig.intents.content == nil)
    }

    @Test func `killed before the kernel was asked, or in the middle, it is done by the next process or not at all`()
        throws
    {
        let rig = KeeperRig()
        var isKilled = false
        rig.kernel.executed = { _, _ in
            // What is on the disk and in memory at the kernel's first command.
            isKilled = isKilled || rig.intents.content != nil
        }
        rig.byHand(try addition())
        #expect(isKilled, "it is noted before the kernel is asked")
    }

    @Test func `a server that was added to a configured service`() throws {
        let rig = KeeperRig([try virtualServer(weights: [1])])
        rig.byHand([.change(.addDestination(try server(1).service, try server(9).endpoint, routed(1)))])
        rig.restart()
        rig.settle()
        #expect(rig.keeper.reconciler.standings[try server(1).service]?.isHandMade(try server(9).endpoint) == true)
        #expect(try weights(rig.kernel.table, 9...9) == [1])
    }

    @Test
    func `nothing is left to note when the disk has it, when the kernel refused it, and when it was deleted again`()
        throws
    {
        let rig = KeeperRig()
        rig.byHand(try addition())
        #expect(rig.intents.content != nil)
        rig.settle()
        #expect(rig.intents.content == nil)
        let writes = rig.intents.writes
        rig.byHand([.change(.editDestination(try service("tcp/192.0.2.7:80"), try server(1).endpoint, routed(2)))])
        #expect(rig.intents.writes == writes, "an edit is lost or done, never somebody else's")
        rig.settle()

        rig.kernel.refuses = { if case .addService = $0 { true } else { false } }
        rig.byHand(try addition("tcp/192.0.2.8:80"))
        #expect(rig.intents.content == nil)
        rig.kernel.refuses = { _ in false }

        rig.decisions.hangs = true
        rig.byHand(try addition("tcp/192.0.2.8:80"))
        rig.byHand([.change(.deleteService(try service("tcp/192.0.2.8:80")))])
        rig.restart()
        rig.settle()
        #expect(rig.kernel.table.services[try service("tcp/192.0.2.8:80")] == nil)
        #expect(try made(rig, "tcp/192.0.2.8:80") == nil)
    }

    @Test func `what somebody else made is not noted as ours before the kernel says that it is there`() throws {
        let foreign = try service("tcp/192.0.2.8:80")
        for isDeletedFirst in [false, true] {
            let rig = KeeperRig()
            rig.kernel.table.services[foreign] = ServiceEntry(attributes: ServiceAttributes(scheduler: "wlc"))
            rig.kernel.table.services[foreign]?.destinations[try server(1).endpoint] = routed(1)
            var noted: [String] = []
            rig.kernel.refuses = { _ in
                noted.append(String(decoding: rig.intents.content ?? [], as: UTF8.self))
                return false
            }
            let own = try addition("tcp/192.0.2.7:80")
            rig.byHand(own + (isDeletedFirst ? [.change(.deleteService(foreign))] : []) + (try addition("\(foreign)")))
            // Killed at any of these moments.
            #expect(noted.contains { $0.contains("192.0.2.7") })
            #expect(noted.contains { $0.contains("192.0.2.8") } == isDeletedFirst)
        }
    }

    @Test func `a full disk keeps the note until it has room`() throws {
        let rig = KeeperRig()
        rig.decisions.writeError = Errno(28, "write")
        rig.byHand(try addition())
        rig.settle()
        #expect(rig.intents.content != nil)
        rig.restart()
        rig.settle()
        #expect(try made(rig, "tcp/192.0.2.7:80")?.attributes != nil)
    }

    @Test func `a file of somebody else, or none, is not believed`() throws {
        let path = "/tmp/evenkeel-adding-\(UInt32.random(in: 0 ... .max))"
        let file = IntentFile(path)
        #expect(file.read() == nil)
        file.replace(Array("evenkeel-decisions 1\n".utf8))
        #expect(file.read()?.isEmpty == false)
        file.replace(nil)
        #expect(file.read() == nil)
    }
}
