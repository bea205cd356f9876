// The record of `lbctl real-server start`: whose it is, what becomes of a damaged one, and what the exit status makes of several addresses.

import Glibc
import Net
import Platform
import Testing
import VRRP

@testable import lbctl

@Suite struct RealServerRecordTests {
    private let directory: String
    private let here = NamespaceIdentity(inode: 4_026_532_000, boot: "aaaa-bbbb", cookie: 7)
    private let entry = RealServerRecord.Started(address: "10.0.0.1", addedAddress: true, addedRoute: true)

    init() throws {
        var template = Array("/tmp/real-server-XXXXXX".utf8CString)
        directory = String(cString: try #require(mkdtemp(&template)))
    }

    private func keeper(of namespace: NamespaceIdentity) -> RealServerRecord.Keeper {
        RealServerRecord.Keeper(of: namespace, in: directory)
    }

    @Test func `what was written is read, by everybody`() throws {
        var record = try keeper(of: here).read()
        #expect(record.isEmpty)
        try keeper(of: here).note(entry, in: &record)
        #expect(try keeper(of: here).read().addresses == [entry])
        var status = stat()
        #expect(stat("\(directory)/4026532000.json", &status) == 0)
        #expect(status.st_mode & 0o444 == 0o444)
        try keeper(of: here).forget(.v4(IPv4Address(10, 0, 0, 1)), in: &record)
        #expect(stat("\(directory)/4026532000.json", &status) == -1)
    }

    @Test func `a record of another namespace with the same inode number says nothing and is replaced`() throws {
        for other in [
            NamespaceIdentity(inode: here.inode, boot: here.boot, cookie: 8),
            NamespaceIdentity(inode: here.inode, boot: "cccc-dddd", cookie: 7),
            NamespaceIdentity(inode: here.inode, boot: here.boot, cookie: nil),
        ] {
            var old = try keeper(of: other).read()
            old.settings = [RealServerRecord.Setting(path: "net/ipv4/conf/all/arp_ignore", before: 0, set: 1)]
            try keeper(of: other).note(entry, in: &old)
            var record = try keeper(of: here).read()
            #expect(record == RealServerRecord(namespace: here.text))
            var mine = entry
            mine.addedAddress = false
            try keeper(of: here).note(mine, in: &record)
            #expect(try keeper(of: here).read().addresses == [mine])
            #expect(try keeper(of: other).read().isEmpty)
        }
    }

    @Test func `this namespace is the same each time`() throws {
        let first = try NamespaceIdentity.current()
        #expect(try NamespaceIdentity.current() == first)
        #expect(!first.boot.isEmpty && first.inode > 0)
    }

    @Test(arguments: ["", "garbage", "[]", #"{"addresses":[]}"#, #"{"namespace":1,"addresses":[],"settings":[]}"#])
    func `a damaged record says its path and what helps`(_ text: String) throws {
        let path = "\(directory)/4026532000.json"
        try FileSystem.replace(path, with: Array(text.utf8), durable: false)
        let failure = #expect(throws: Failure.self) { _ = try keeper(of: here).read() }
        #expect(failure?.description.contains("\(path) is damaged") == true)
        #expect(failure?.description.contains(": rm \(path);") == true)
    }

    @Test func `the exit status says how far it went`() {
        let refused = RealServerOutcome(
            refused: .v4(IPv4Address(10, 0, 0, 1)), .hostRefused("lo is down", remedy: "ip link set lo up"))
        #expect(refused == .refused("10.0.0.1: lo is down: ip link set lo up"))
        #expect([RealServerOutcome.done("a"), .done("b")].status == .done)
        #expect([refused, refused].status == .failed)
        #expect([refused, .done("b")].status == .inPart)
        let faulty = RealServerOutcome.faulty(
            RealServerState(.v4(IPv4Address(10, 0, 0, 1)), .init()) { _ in nil })
        #expect([faulty].status == .inPart)
        #expect([faulty, refused].status == .inPart)
    }
}
