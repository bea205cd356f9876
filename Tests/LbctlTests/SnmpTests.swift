// `lbctl snmp`: what snmpd is answered, of a director that is made up.
import Bus
import Testing

@testable import lbctl

struct SnmpTests {
    private static let root = ".1.3.6.1.4.1.9586.100.5"

    private let objects: ObjectTree = {
        var status = Status.troubled
        status.instances[0].context.syncGroup = "G"
        status.instances[1].context.syncGroup = "G"
        status.services[0].servers[0].runtime.counters = .init(
            connections: 1 << 33, packetsIn: (1 << 32) + 5, packetsOut: 0, bytesIn: 1 << 40, bytesOut: 0,
            connectionsPerSecond: 7)
        return ObjectTree(KeepalivedObjects(of: status).values)
    }()

    /// What is answered to these lines.
    private func answer(_ lines: String...) -> String? {
        var rest = lines[...]
        let agent = PassPersist { objects }
        return agent.answer(rest.removeFirst()) { rest.popFirst() }
    }

    @Test func `the conversation of snmpd`() {
        #expect(answer("PING") == "PONG\n")
        #expect(answer("") == nil)
        #expect(answer("get", "\(Self.root).2.3.1.2.1") == "\(Self.root).2.3.1.2.1\nstring\nVI_1\n")
        #expect(answer("get", "\(Self.root).2.3.1.2.9") == "NONE\n")
        #expect(answer("get", "no object") == "NONE\n")
        #expect(answer("get") == "NONE\n")
        #expect(answer("getnext", "\(Self.root).2.3.1.2") == "\(Self.root).2.3.1.2.1\nstring\nVI_1\n")
        #expect(answer("getnext", "\(Self.root).4") == "NONE\n")
        #expect(answer("set", "\(Self.root).2.3.1.7.1", "integer 3") == "not-writable\n")
        #expect(answer("what") == "NONE\n")
    }

    @Test func `states, groups, addresses and servers are where the MIB has them`() {
        func value(_ place: String) -> ManagedValue? { OID("\(Self.root).\(place)").flatMap { objects[$0] } }
        // VrrpState: master, fault, backup.
        #expect((1...3).map { value("2.3.1.4.\($0)") } == [.integer(2), .integer(3), .integer(1)])
        // Its address is missing.
        #expect(value("2.3.1.9.1") == .integer(2) && value("2.6.1.10.1.1") == .integer(2))
        #expect(value("2.6.1.3.1.1") == .octets([192, 168, 200, 254]) && value("2.6.1.5.1.1") == .gauge(24))
        #expect(value("2.1.1.2.1") == .string("G") && value("2.1.1.3.1") == .integer(3))
        #expect(value("2.2.1.2.1.2") == .string("VI_2"))
        #expect(value("3.3.1.8.1") == .integer(1) && value("3.3.1.7.2") == .gauge(80))
        #expect(value("3.3.1.23.2") == .integer(2))
        // The sorry server is the first.
        #expect(value("3.4.1.2.2.1") == .integer(2) && value("3.4.1.2.2.2") == .integer(1))
        #expect(value("3.4.1.6.2.1") == nil && value("3.4.1.6.2.2") == .integer(2))
        #expect(value("3.4.1.14.1.1")?.lines == "gauge\n4294967295")
        #expect(value("3.4.1.18.1.1")?.lines == "counter\n5")
        #expect(value("3.4.1.20.1.1")?.lines == "counter64\n1099511627776")
        #expect(value("3.4.1.30.1.1") == .gauge(7) && value("3.4.1.32.1.1") == nil)
    }

    @Test func `a walk ends, and is in order`() throws {
        var at = try #require(OID(Self.root))
        var seen = 0
        while let (id, value) = objects.next(after: at) {
            #expect(at < id && objects[id] == value && id.description.hasPrefix(Self.root))
            #expect(value.lines.split(separator: "\n", omittingEmptySubsequences: false).count == 2)
            (at, seen) = (id, seen + 1)
        }
        #expect(seen > 100)
    }

    @Test func `text stays on its line`() {
        #expect(ManagedValue.string("a\nb\u{7}c").lines == "string\nabc")
        #expect(ManagedValue.octets([0, 10, 255]).lines == "octet\n00 0a ff")
    }
}
