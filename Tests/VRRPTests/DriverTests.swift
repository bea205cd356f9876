// What the driver does beside elections: the notes for the next process are begun as soon as they can be, what another vrrpd of the same
// network namespace holds is left alone, neighbours hear whether this host is a router, and unicast waits for its source address.

import Configuration
import Net
import Testing
import VRRP

@testable import vrrpd

@Suite struct DriverTests {
    // MARK: Notes

    @Test func `notes that could not be begun at the start are begun while nothing else happens`() {
        let (network, host) = lone()
        host.notesFail = true
        host.start()
        network.run(.seconds(14))
        #expect(host.state() == .master)
        #expect(host.trouble.notes != nil)
        host.notesFail = false
        network.run(.seconds(2))
        #expect(host.trouble.notes == nil)
        host.crash()
        host.start()
        #expect(host.state() == .master, "it goes on from its notes")
    }

    @Test func `notes that nobody can read any more are begun again`() {
        let (network, host) = loneMaster()
        host.loseNotes()
        network.run(.seconds(3))
        #expect(host.trouble.notes == nil)
        host.crash()
        host.start()
        #expect(host.state() == .master)
    }

    @Test func `notes are tried once a second at most, however many advertise`() {
        let blocks = (1...20).map { block("VI_\($0)", router: UInt8($0), addresses: ["10.0.0.\(100 + $0)/24"]) }
        let (network, host) = lone(blocks)
        host.notesFail = true
        host.start()
        network.run(.seconds(14))
        let before = host.notesBegun
        network.run(.seconds(10))
        #expect(host.notesBegun - before <= 11)
    }

    // MARK: Another vrrpd of the same namespace

    @Test(arguments: [true, false])
    func `marked addresses that no router has are taken off by a vrrpd that is alone`(_ isAlone: Bool) {
        let (network, host) = lone()
        host.isAlone = isAlone
        host.add("10.0.0.77/24", to: 2, origin: InterfaceAddress.ofVRRP)
        host.start()
        network.run(.seconds(5))
        #expect(host.state() == .master)
        #expect(host.shown(2).contains("10.0.0.77/24") == !isAlone)
        host.stop()
        #expect(host.shown(2) == (isAlone ? ["10.0.0.1/24"] : ["10.0.0.1/24", "10.0.0.77/24"]))
    }

    // MARK: Neighbour advertisements

    @Test func `a neighbour advertisement says whether its interface forwards, as it is at that time`() throws {
        var both = block()
        both.excludedAddresses = [AddressLine(prefix("fd00::100/64"), device: "eth0")]
        both.excludedAddresses += [AddressLine(prefix("fd01::100/64"), device: "eth1")]
        both.excludedAddresses[1].isTracked = false
        let (network, host) = lone([both])
        host.set(3, "eth1", segment: 1)
        host.forwarding = ["eth1"]
        host.start()
        network.run(.seconds(4))
        func flags(_ link: Int32) -> Set<UInt8> {
            Set(host.frames.filter { $0.link == link && $0.bytes[12..<14] == [0x86, 0xDD] }.map { $0.bytes[58] })
        }
        #expect(flags(2) == [0x20])
        #expect(flags(3) == [0xA0])
        host.forget()
        host.forwarding = ["eth0"]
        network.run(.seconds(6))
        #expect(flags(2) == [0xA0])
        #expect(flags(3) == [0x20])
    }

    // MARK: Unicast

    /// An instance that speaks to one peer from an address.
    private func unicast(from source: String) -> VRRPInstanceConfiguration {
        var given = block()
        given.delivery = .unicast(peers: [UnicastPeer(address("10.0.0.2"))], timeToLive: 255)
        given.sourceAddress = address(source)
        return given
    }

    @Test func `a unicast instance whose source is not on the host is in FAULT, until it is`() {
        let (network, host) = lone([unicast(from: "10.0.0.9")])
        host.start()
        network.run(.seconds(10))
        #expect(host.state() == .fault)
        #expect(host.concerns().faults == [.noSourceAddress("eth0")])
        #expect(host.shown(2) == ["10.0.0.1/24"])
        host.add("10.0.0.9/24", to: 2)
        network.run(.seconds(5))
        #expect(host.state() == .master)
        #expect(host.concerns().isEmpty)
        host.forget()
        host.remove("10.0.0.9/24", from: 2)
        network.run(.milliseconds(10))
        #expect(host.state() == .fault)
        #expect(!host.shown(2).contains("10.0.0.100/24"))
    }

    @Test func `multicast speaks from an address that is not there unless it is tracked`() {
        var elsewhere = block()
        elsewhere.sourceAddress = address("10.0.0.9")
        let (network, host) = lone([elsewhere])
        host.start()
        network.run(.seconds(10))
        #expect(host.state() == .master)
        elsewhere.tracksSourceAddress = true
        host.reload(Configuration(instances: [elsewhere]))
        network.run(.milliseconds(10))
        #expect(host.state() == .fault)
    }
}
