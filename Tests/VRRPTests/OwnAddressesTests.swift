// What the kernel does to our addresses because of what we do: the primary of a subnet takes its secondaries with it, and an address has to be
// made anew for another label. Neither is anybody else's doing.

import Net
import Testing

@testable import VRRP

@Suite struct OwnAddressesTests {
    private let first = RouterID(number: 1)
    private let second = RouterID(number: 2)
    private let now = Instant(nanoseconds: 10_000_000_000)

    private func address(_ text: String, flags: UInt32 = 0, label: String = "") throws -> InterfaceAddress {
        let host = try #require(IPAddress(text))
        return InterfaceAddress(link: 2, prefix: try #require(IPPrefix(host, length: 24)), label: label, flags: flags)
    }

    private func table(_ addresses: [InterfaceAddress]) -> LinkTable {
        var table = LinkTable()
        table.apply(.link(Link(index: 2, name: "eth0", flags: Link.up | Link.running)))
        for address in addresses { table.apply(.address(address)) }
        return table
    }

    /// A keeper that holds the addresses for the routers.
    private func keeper(_ wanted: [(InterfaceAddress, RouterID)], _ table: LinkTable) -> AddressKeeper {
        var keeper = AddressKeeper()
        for (address, router) in wanted { keeper.held.want(address, by: router) }
        for change in keeper.plan(against: self.table([]), at: now) { keeper.done(change) }
        #expect(keeper.plan(against: table, at: now).isEmpty)
        _ = keeper.held.news(at: now)
        return keeper
    }

    @Test func `an address that goes with another of ours is added in the same round trip and blamed on nobody`() throws
    {
        let primary = try address("192.0.2.1")
        let secondary = try address("192.0.2.2", flags: InterfaceAddress.secondary)
        let wanted = try address("192.0.2.2")
        var keeper = keeper([(primary, first), (wanted, second)], table([primary, secondary]))
        keeper.held.release(primary.key, by: first)
        let changes = keeper.plan(against: table([primary, secondary]), at: now)
        #expect(changes == [.delete(primary), .add(wanted)])
        for change in changes { keeper.done(change) }
        // The kernel's notifications: both gone, one back.
        for _ in 0..<8 { keeper.held.heard(wanted.key, isGone: true, at: now + .milliseconds(5)) }
        keeper.held.heard(wanted.key, isGone: false, at: now + .milliseconds(5))
        #expect(keeper.held.news(at: now + .milliseconds(5)).taken.isEmpty)
        #expect(keeper.held.trouble(with: wanted.key, at: now + .milliseconds(5)) == nil)
        #expect(keeper.plan(against: table([wanted]), at: now + .milliseconds(5)).isEmpty)
        #expect(keeper.held.isOurs(wanted.key))
        // Somebody else's doing is still told apart.
        keeper.held.heard(wanted.key, isGone: true, at: now + .seconds(2))
        #expect(keeper.held.news(at: now + .seconds(2)).taken.count == 1)
        #expect(keeper.plan(against: table([]), at: now + .seconds(2)) == [.add(wanted)])
    }

    @Test func `an address of the host that came unheard and went with ours is put back`() throws {
        let primary = try address("192.0.2.1")
        let unheard = try address("192.0.2.9", flags: InterfaceAddress.secondary)
        let elsewhere = try address("198.51.100.9", flags: InterfaceAddress.secondary)
        var keeper = keeper([(primary, first)], table([primary]))
        keeper.held.release(primary.key, by: first)
        #expect(keeper.plan(against: table([primary]), at: now) == [.delete(primary)])
        keeper.done(.delete(primary))
        // What waited: it had come, it went, another one was taken off, ours went.
        for gone in [unheard, elsewhere, primary] { keeper.heardGone(gone, at: now) }
        #expect(keeper.plan(against: table([]), at: now) == [.add(unheard)])
        keeper.done(.add(unheard))
        // From then on who takes it off means it.
        keeper.heardGone(unheard, at: now)
        #expect(keeper.plan(against: table([]), at: now).isEmpty)
    }

    @Test func `another label makes the address anew`() throws {
        let before = try address("192.0.2.1")
        let after = try address("192.0.2.1", label: "eth0:1")
        var keeper = keeper([(before, first)], table([before]))
        keeper.held.want(after, by: first)
        let changes = keeper.plan(against: table([before]), at: now)
        #expect(changes == [.delete(after), .add(after)])
        for change in changes { keeper.done(change) }
        keeper.held.heard(after.key, isGone: true, at: now)
        keeper.held.heard(after.key, isGone: false, at: now)
        #expect(keeper.held.news(at: now).taken.isEmpty)
        #expect(keeper.plan(against: table([after]), at: now).isEmpty)
    }
}
