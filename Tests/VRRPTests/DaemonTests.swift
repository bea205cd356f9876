// The whole daemon on a scripted host: what it asks of the kernel and the wire, and in which order.

import Configuration
import Net
import Netlink
import Testing
import VRRP

@testable import vrrpd

extension ScriptedHost {
    /// Addresses announced by gratuitous ARP, each once.
    fileprivate var announced: Set<IPAddress> {
        Set(frames.compactMap { IPAddress(octets: $0.bytes[28..<32]) })
    }
}

@Suite struct DaemonTests {
    @Test func `a takeover advertises, adds the address, announces it, in this order`() {
        let (network, host) = lone()
        host.start()
        network.run(.seconds(4))
        #expect(host.state() == .master)
        #expect(host.shown(2) == ["10.0.0.1/24", "10.0.0.100/24"])
        #expect(host.sent.first?.priority == 100)
        #expect(host.frames.count == 5)
    }

    @Test(arguments: [100, 700, 1300, 2500])
    func `priority 0 is followed after the skew, whenever it comes`(milliseconds: Int) {
        let network = hosts([[block(priority: 150)], [block(priority: 100)]])
        for host in network.hosts { host.start() }
        network.run(.seconds(10) + .milliseconds(milliseconds))
        network.hosts[0].stop()
        network.run(.milliseconds(609) + .milliseconds(2))
        #expect(network.hosts[1].state() == .master)
    }

    @Test func `an interval that was shortened counts at once`() {
        var slow = block()
        slow.advertInterval = .seconds(10)
        let (network, host) = lone([slow])
        host.start()
        network.run(.seconds(2))
        host.reload(Configuration(instances: [block()]))
        network.run(.milliseconds(3610))
        #expect(host.state() == .master)
    }

    @Test func `a failed dump is read again after a second`() {
        let (network, host) = loneMaster()
        host.capacity = 0
        host.failingDumps = 2
        host.set(2, "eth0", up: false)
        network.run(.milliseconds(100))
        #expect(host.trouble.table != nil)
        host.capacity = 1000
        network.run(.seconds(3))
        #expect(host.state() == .fault)
        #expect(host.trouble.table == nil)
    }

    @Test func `an instance of the same name and another identity is a new one`() {
        let (network, host) = loneMaster()
        host.reload(Configuration(instances: [block(router: 61)]))
        #expect(host.sent.map(\.priority) == [0])
        network.run(.seconds(5))
        #expect(host.state() == .master)
        #expect(host.shown(2) == ["10.0.0.1/24", "10.0.0.100/24"])
    }

    @Test func `a refused address is asked for every second, then announced alone`() {
        let both = block(addresses: ["10.0.0.100/24", "10.0.0.101/24"])
        let (network, host) = lone([both])
        host.refuses = { $0.object.prefix.address == address("10.0.0.101") ? .refused(code: 1, message: "") : nil }
        host.start()
        network.run(.seconds(12))
        #expect(host.announced == [address("10.0.0.100")])
        #expect(host.concerns().addresses.count == 1)
        #expect(host.view()?.held.map { "\($0)" } == ["10.0.0.100/24"])
        host.forget()
        host.refuses = { _ in nil }
        network.run(.seconds(1))
        #expect(host.announced == [address("10.0.0.101")])
        #expect(host.concerns().isEmpty)
    }

    @Test func `a refused removal is asked for every second`() {
        let (network, host) = loneMaster()
        host.refuses = { if case .delete = $0 { .refused(code: 1, message: "") } else { nil } }
        host.tell { daemon in _ = daemon.director.order.map { daemon.stepDown($0) } }
        network.run(.seconds(2))
        #expect(host.shown(2).contains("10.0.0.100/24"))
        #expect(!host.concerns().addresses.isEmpty)
        host.refuses = { _ in nil }
        network.run(.milliseconds(1100))
        #expect(host.shown(2) == ["10.0.0.1/24"])
        #expect(host.concerns().isEmpty)
    }

    @Test func `on a renamed interface the address is taken off where it is`() {
        let (network, host) = loneMaster()
        host.set(2, "lan0")
        network.run(.milliseconds(10))
        #expect(host.state() == .fault)
        #expect(host.sent.map(\.priority) == [0])
        #expect(host.shown(2) == ["10.0.0.1/24"])
    }

    @Test func `an address whose interface comes late is added and announced alone`() {
        var late = block(addresses: ["10.0.0.100/24"])
        late.virtualAddresses.append(contentsOf: block(addresses: ["10.7.0.1/24"], device: "late0").virtualAddresses)
        late.virtualAddresses[1].isTracked = false
        let (network, host) = loneMaster([late])
        #expect(host.concerns().addresses == [.noInterface(prefix("10.7.0.1/24"), "late0")])
        host.set(7, "late0", segment: 3)
        network.run(.milliseconds(10))
        #expect(host.shown(7) == ["10.7.0.1/24"])
        #expect(host.announced == [address("10.7.0.1")])
        #expect(host.concerns().isEmpty)
    }

    @Test func `a master whose own address goes says priority 0 from it`() {
        let (network, host) = loneMaster([block(addresses: ["10.0.0.100/32"])])
        host.remove("10.0.0.1/24", from: 2)
        network.run(.milliseconds(10))
        #expect(host.sent.map(\.priority) == [0])
        #expect(host.sent.map(\.source) == [address("10.0.0.1")])
        #expect(host.state() == .fault)
    }

    @Test func `another hardware address is announced`() {
        let (network, host) = loneMaster()
        host.set(2, "eth0", mac: 0x0200_0000_0077)
        network.run(.milliseconds(10))
        #expect(host.announced == [address("10.0.0.100")])
        #expect(host.frames.allSatisfy { $0.bytes[11] == 0x77 })
    }

    @Test func `an interface made again in one batch gets its address, sockets and announcement`() {
        let (network, host) = loneMaster()
        host.pausedUntil = network.now + .milliseconds(500)
        host.delete(2)
        host.set(5, "eth0")
        host.add("10.0.0.1/24", to: 5)
        network.run(.seconds(2))
        #expect(host.state() == .master)
        #expect(host.shown(5) == ["10.0.0.1/24", "10.0.0.100/24"])
        #expect(host.announced == [address("10.0.0.100")])
    }

    @Test func `an interface made again under its old number is heard again`() {
        let network = hosts([[block(priority: 100)], [block(priority: 150)]])
        for host in network.hosts { host.start() }
        network.run(.seconds(10))
        let host = network.hosts[0]
        host.pausedUntil = network.now + .milliseconds(100)
        host.delete(2)
        host.set(2, "eth0")
        host.add("10.0.0.1/24", to: 2)
        network.run(.seconds(10))
        #expect(host.state() == .backup)
    }

    @Test func `the host's own address counts although it is a secondary`() {
        let (network, host) = loneMaster()
        host.promotesSecondaries = true
        host.pausedUntil = network.now + .milliseconds(100)
        host.remove("10.0.0.1/24", from: 2)
        host.add("10.0.0.1/24", to: 2)
        network.run(.seconds(2))
        #expect(host.state() == .master)
        #expect(host.view()?.source == address("10.0.0.1"))
    }

    @Test func `a virtual address that goes does not take the host's own with it`() {
        var given = block()
        given.sourceAddress = address("10.0.0.1")
        let (network, host) = lone([given])
        host.remove("10.0.0.1/24", from: 2)
        host.start()
        network.run(.seconds(5))
        host.add("10.0.0.1/24", to: 2)
        network.run(.milliseconds(10))
        #expect(host.shown(2) == ["10.0.0.100/24", "10.0.0.1/24"])
        host.tell { daemon in _ = daemon.director.order.map { daemon.stepDown($0) } }
        network.run(.milliseconds(10))
        #expect(host.shown(2) == ["10.0.0.1/24"])
    }

    @Test func `what was there before is never taken off`() {
        let (network, host) = lone([block(priority: 255, addresses: ["10.0.0.1/24", "10.0.0.2/24"])])
        host.add("10.0.0.2/24", to: 2)
        host.start()
        network.run(.seconds(2))
        #expect(host.state() == .master)
        #expect(host.announced == [address("10.0.0.1"), address("10.0.0.2")])
        host.stop()
        #expect(host.shown(2) == ["10.0.0.1/24", "10.0.0.2/24"])
        #expect(host.requests.isEmpty)
    }

    @Test func `an administrator's address that is virtual stays, and an alarm says so`() {
        let (network, host) = lone([block(addresses: ["10.0.0.50/24"])])
        host.add("10.0.0.50/24", to: 2)
        host.start()
        network.run(.seconds(1))
        #expect(host.concerns().addresses == [.wasThereBefore(prefix("10.0.0.50/24"))])
        network.run(.seconds(5))
        host.stop()
        #expect(host.shown(2) == ["10.0.0.1/24", "10.0.0.50/24"])
    }

    @Test func `what a crashed process left is taken off, or kept when nobody has missed it`() {
        let (network, host) = loneMaster()
        host.crash()
        network.run(.milliseconds(1500))
        host.start()
        #expect(host.state() == .master)
        #expect(host.shown(2).contains("10.0.0.100/24"))
        host.crash()
        network.run(.milliseconds(3100))
        host.start()
        #expect(host.state() == .backup)
        #expect(host.shown(2) == ["10.0.0.1/24"])
    }

    @Test func `put-backs of a fight become slower and an alarm names it`() {
        let (network, host) = loneMaster()
        for _ in 0..<4 {
            host.remove("10.0.0.100/24", from: 2)
            network.run(.milliseconds(10))
            #expect(host.shown(2).contains("10.0.0.100/24"))
        }
        host.remove("10.0.0.100/24", from: 2)
        network.run(.milliseconds(500))
        #expect(!host.shown(2).contains("10.0.0.100/24"))
        #expect(host.concerns().addresses == [.takenOffAgainAndAgain(prefix("10.0.0.100/24"))])
        network.run(.seconds(1))
        #expect(host.shown(2).contains("10.0.0.100/24"))
        network.run(.seconds(70))
        #expect(host.concerns().isEmpty)
    }

    @Test func `advertisements that cannot be sent are an alarm`() {
        let (network, host) = loneMaster()
        host.sendingFails = 1
        network.run(.seconds(2))
        #expect(host.concerns().muteness != nil)
        host.sendingFails = nil
        network.run(.seconds(2))
        #expect(host.concerns().isEmpty)
    }

    @Test func `what does not fit the MTU is held but not advertised`() {
        let many = (1...200).map { "10.1.0.\($0)/32" }
        let (network, host) = lone([block(addresses: many)])
        host.set(2, "eth0", mtu: 576)
        host.start()
        network.run(.seconds(5))
        #expect(host.state() == .master)
        #expect(host.shown(2).count == 201)
        #expect(host.concerns().muteness == nil)
        #expect(host.concerns().unadvertised == 200 - 137)
    }

    @Test func `a lost answer is followed by a look at the table`() {
        let (network, host) = lone()
        host.lostAnswers = 1
        host.start()
        network.run(.seconds(5))
        #expect(host.shown(2) == ["10.0.0.1/24", "10.0.0.100/24"])
        host.stop()
        #expect(host.shown(2) == ["10.0.0.1/24"])
    }

    @Test func `every master says priority 0 before the first address goes`() {
        let (_, host) = loneMaster([block(), block("VI_2", router: 52, addresses: ["10.0.0.110/24", "10.0.0.111/32"])])
        var said: [Int] = []
        host.refuses = { [unowned host] change in
            if case .delete = change { said.append(host.sent.count { $0.priority == 0 }) }
            return nil
        }
        host.stop()
        #expect(said.count == 3 && said.allSatisfy { $0 == 2 }, "\(said)")
        #expect(host.shown(2) == ["10.0.0.1/24"])
    }

    @Test func `after the end nothing starts again`() {
        let (_, host) = loneMaster()
        host.tell { $0.stop() }
        host.reload(
            Configuration(instances: [block(), block("VI_2", router: 52, priority: 255, addresses: ["10.0.0.200/24"])]))
        #expect(host.shown(2) == ["10.0.0.1/24"])
    }

    @Test func `notes that cannot be begun leave the old ones in force`() {
        let (network, host) = loneMaster()
        host.notesFail = true
        host.reload(Configuration(instances: [block(), block("VI_2", router: 52, addresses: ["10.0.0.200/24"])]))
        network.run(.seconds(2))
        #expect(host.trouble.notes != nil)
        host.notesFail = false
        network.run(.seconds(10))
        #expect(host.trouble.notes == nil)
        host.crash()
        host.start()
        #expect(host.state("VI_2") == .master)
    }

    // MARK: Sync groups

    private static let pair = [block(), block("VI_2", router: 52, addresses: ["10.0.0.200/24"])]
    private static let group = SyncGroupConfiguration(name: "VG", members: ["VI_1", "VI_2"])

    @Test func `every member that steps down says priority 0, and a reload remembers who did`() {
        let (network, host) = loneMaster(Self.pair, groups: [Self.group])
        #expect(host.state("VI_2") == .master)
        host.tell { daemon in _ = daemon.director.router(named: "VI_1").map { daemon.stepDown($0) } }
        #expect(host.sent.map(\.router).sorted() == [51, 52])
        #expect(host.sent.allSatisfy { $0.priority == 0 })
        #expect(host.steppedDown.count == 2)
        host.reload(Configuration())
        host.reload(Configuration(instances: Self.pair))
        network.run(.milliseconds(10))
        #expect(host.view("VI_2")?.machine.isSteppedDown == true)
        host.reload(Configuration(instances: [block("VI_2", router: 99, addresses: ["10.0.0.200/24"])]))
        #expect(host.view("VI_2")?.machine.isSteppedDown == true)
    }

    @Test func `a fault of one is a fault of all, as long as the group exists`() {
        let blocks = [block(), block("VI_2", router: 52, interface: "eth9", addresses: ["10.9.0.200/24"])]
        let (network, host) = lone(blocks, groups: [Self.group])
        host.start()
        network.run(.seconds(5))
        #expect(host.view()?.machine.faults == [.group("VG")])
        host.reload(Configuration(instances: blocks))
        network.run(.seconds(5))
        #expect(host.state() == .master)
    }

    @Test func `what a reload lets the group track counts at once`() {
        let (_, host) = loneMaster(Self.pair, groups: [Self.group])
        host.set(3, "eth1", segment: 1, up: false)
        host.turn()
        var tracking = Self.group
        tracking.trackedInterfaces = [TrackedObject("eth1")]
        host.reload(Configuration(instances: Self.pair, syncGroups: [tracking]))
        #expect(host.state() == .fault)
        #expect(host.state("VI_2") == .fault)
    }

    @Test func `a master and a backup that a reload groups become backup together, with priority 0`() {
        let network = hosts([
            Self.pair, [block("VI_2", router: 52, priority: 150, addresses: ["10.0.0.200/24"])],
        ])
        for host in network.hosts { host.start() }
        network.run(.seconds(10))
        let host = network.hosts[0]
        #expect([host.state(), host.state("VI_2")] == [.master, .backup])
        host.forget()
        host.reload(Configuration(instances: Self.pair, syncGroups: [Self.group]))
        #expect([host.state(), host.state("VI_2")] == [.backup, .backup])
        #expect(host.sent.last?.priority == 0)
    }

    @Test func `names that two instances of a group swap are only names`() {
        let (network, host) = loneMaster(Self.pair, groups: [Self.group])
        var swapped = [block("VI_2"), block("VI_1", router: 52, addresses: ["10.0.0.200/24"])]
        swapped[0].priority = 120
        host.reload(Configuration(instances: swapped, syncGroups: [Self.group]))
        network.run(.seconds(1))
        #expect([host.state(), host.state("VI_2")] == [.master, .master])
        #expect(host.shown(2) == ["10.0.0.1/24", "10.0.0.100/24", "10.0.0.200/24"])
    }

    @Test func `a member waits until all are ready, and one that is outranked takes the others along`() {
        let network = hosts(
            [100, 150].map { priority in
                [
                    block(priority: priority),
                    block("VI_2", router: 52, priority: priority, addresses: ["10.0.0.200/24"]),
                ]
            }, groups: [Self.group])
        network.hosts[0].start()
        network.run(.seconds(10))
        network.hosts[1].start()
        network.run(.seconds(10)) { network in
            for host in network.hosts where host.isAlive { #expect(host.state() == host.state("VI_2")) }
        }
        #expect(network.hosts.map { $0.state() } == [.backup, .master])
    }
}
