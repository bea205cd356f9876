// The .varlink files and the Swift types say the same. For every method, error and event a full and a minimal sample is made from
// the declaration; Swift must read it, write it back unchanged, and fill every field it has.
import Bus
import JSON
import Testing
import Varlink

/// One Swift type and its place in an interface.
struct Pairing: Sendable, CustomTestStringConvertible {
    let interface: String
    let member: String
    let isReply: Bool
    let roundTrip: @Sendable (JSONValue) throws -> (json: JSONValue, unset: [String])
    var testDescription: String { "\(interface).\(member)\(isReply ? " reply" : "")" }

    static func method<Method: VarlinkMethod>(_ method: Method.Type) -> [Pairing] {
        let (interface, member) = VarlinkCall.split(Method.method) ?? ("", "")
        let names = (String(interface), String(member))
        return [
            Pairing(interface: names.0, member: names.1, isReply: false) { try Self.coded($0, Method.self) },
            Pairing(interface: names.0, member: names.1, isReply: true) { try Self.coded($0, Method.Reply.self) },
        ]
    }

    static func error<Failure: VarlinkFailure>(_ failure: Failure.Type) -> Pairing {
        let (interface, member) = VarlinkCall.split(Failure.error) ?? ("", "")
        return Pairing(interface: String(interface), member: String(member), isReply: false) {
            try Self.coded($0, Failure.self)
        }
    }

    private static func coded<Value: JSONStructure>(
        _ json: JSONValue, _ type: Value.Type
    ) throws -> (json: JSONValue, unset: [String]) {
        let value: Value = try json.decode()
        return (value.json, unset(value))
    }

    /// Optional fields without a value, at any depth.
    private static func unset(_ value: Any) -> [String] {
        Mirror(reflecting: value).children.flatMap { child -> [String] in
            let mirror = Mirror(reflecting: child.value)
            if child.value is JSONValue { return [] }
            if mirror.displayStyle == .optional, mirror.children.isEmpty { return [child.label ?? "?"] }
            return unset(child.value)
        }
    }

    static let all: [Pairing] =
        [
            method(BusAPI.Subscribe.self), method(BusAPI.Publish.self), method(BusAPI.Register.self),
            method(BusAPI.ListServices.self), method(BusAPI.GetStatistics.self),
            method(VrrpAPI.List.self), method(VrrpAPI.Show.self), method(VrrpAPI.Failover.self),
            method(VrrpAPI.Resume.self), method(VrrpAPI.PrepareReload.self), method(VrrpAPI.CommitReload.self),
            method(VrrpAPI.AbortReload.self),
            method(IpvsAPI.ListServices.self), method(IpvsAPI.ShowService.self), method(IpvsAPI.SetWeight.self),
            method(IpvsAPI.ListTable.self), method(IpvsAPI.ChangeTable.self), method(IpvsAPI.ListTraffic.self),
            method(IpvsAPI.Drain.self), method(IpvsAPI.Disable.self), method(IpvsAPI.Enable.self),
            method(IpvsAPI.Reset.self), method(IpvsAPI.CutDepartures.self),
            method(IpvsAPI.PrepareReload.self), method(IpvsAPI.CommitReload.self),
            method(IpvsAPI.AbortReload.self),
            method(CheckAPI.List.self), method(CheckAPI.Run.self), method(CheckAPI.TestAlerts.self),
            method(CheckAPI.ShowHistory.self), method(CheckAPI.ListLatencies.self),
            method(CheckAPI.ProbeOnce.self), method(CheckAPI.ComputeDigest.self), method(CheckAPI.PrepareReload.self),
            method(CheckAPI.CommitReload.self), method(CheckAPI.AbortReload.self),
            method(ScriptAPI.Run.self), method(ScriptAPI.List.self), method(ScriptAPI.End.self),
            method(ScriptAPI.Write.self),
        ].flatMap(\.self) + [
            error(BusAPI.ServiceUnavailable.self), error(BusAPI.Overrun.self), error(BusAPI.QuotaExceeded.self),
            error(BusAPI.AlreadyRegistered.self),
            error(VrrpAPI.InstanceNotFound.self), error(VrrpAPI.TooLarge.self),
            error(VrrpAPI.ConfigurationRefused.self), error(VrrpAPI.NotPrepared.self),
            error(IpvsAPI.ServiceNotFound.self), error(IpvsAPI.ServerNotFound.self), error(IpvsAPI.TooLarge.self),
            error(IpvsAPI.NotKept.self), error(IpvsAPI.NotTaken.self), error(IpvsAPI.Leaving.self),
            error(IpvsAPI.NoTable.self),
            error(IpvsAPI.ConfigurationRefused.self), error(IpvsAPI.NotPrepared.self),
            error(CheckAPI.ServerNotFound.self), error(CheckAPI.TooLarge.self), error(CheckAPI.NoPage.self),
            error(CheckAPI.TestUnderWay.self),
            error(CheckAPI.ConfigurationRefused.self), error(CheckAPI.NotPrepared.self),
            error(ScriptAPI.Refused.self), error(ScriptAPI.Unable.self), error(ScriptAPI.NotAllowed.self),
            error(ScriptAPI.TooLarge.self),
        ]
}

@Suite struct InterfaceTests {
    static func definition(_ name: String) throws -> InterfaceDefinition {
        let all = [
            try Interfaces.bus(), try Interfaces.vrrp(), try Interfaces.ipvs(), try Interfaces.check(),
            try Interfaces.script(),
        ]
        return try #require(all.first { $0.name == name })
    }

    @Test(arguments: Pairing.all)
    func `a Swift type and its declaration have the same fields`(_ pairing: Pairing) throws {
        let definition = try Self.definition(pairing.interface)
        let fields: [IDLField]
        switch try #require(definition[pairing.member]).declaration {
        case .method(let input, let output): fields = pairing.isReply ? output : input
        case .error(let parameters): fields = parameters
        case .type:
            Issue.record("\(pairing.member) is a type")
            return
        }
        for variant in 0..<6 {
            let full = Sample(definition, variant: variant, isFull: true).object(fields)
            try definition.check(full, against: fields)
            let (json, unset) = try pairing.roundTrip(.object(full))
            #expect(sorted(json) == sorted(.object(full)))
            #expect(unset == [], "fields that the interface does not declare")
        }
        let minimal = Sample(definition, variant: 0, isFull: false).object(fields)
        let (json, _) = try pairing.roundTrip(.object(minimal))
        #expect(sorted(json) == sorted(.object(minimal)))
        try definition.check(try #require(json.object), against: fields)
    }

    @Test func `the names of the events for Swift are those of the interfaces`() {
        #expect(
            Set(Interfaces.events) == [
                EventType.vrrpInstance, EventType.checkServer, EventType.checkHeartbeat, EventType.ipvsService,
                EventType.ipvsServer, EventType.alarm, EventType.configuration, EventType.interface, EventType.vrrpLate,
                EventType.vrrpMasters, EventType.vrrpDropped, EventType.vrrpSession, EventType.vrrpHeartbeat,
                EventType.alert,
            ])
    }

    @Test(arguments: ["io.evenkeel.Bus", "io.evenkeel.Vrrp", "io.evenkeel.Ipvs", "io.evenkeel.Check"])
    func `every declaration has a Swift type and a comment`(_ name: String) throws {
        let definition = try Self.definition(name)
        #expect(!definition.documentation.isEmpty)
        for member in definition.members {
            #expect(!member.documentation.isEmpty, "\(member.name) has no comment")
            switch member.declaration {
            case .type(.structure(let fields)):
                for field in fields { #expect(!field.documentation.isEmpty, "\(member.name).\(field.name)") }
            case .type: break
            case .method(let input, let output):
                for field in input + output { #expect(!field.documentation.isEmpty, "\(member.name).\(field.name)") }
                fallthrough
            case .error:
                #expect(
                    Pairing.all.contains { $0.interface == name && $0.member == member.name },
                    "\(member.name) is not in the table of this test")
            }
        }
    }

    @Test(arguments: [
        ("io.evenkeel.Bus", "Attachment", BusAPI.Attachment.known.map(\.rawValue)),
        ("io.evenkeel.Vrrp", "State", VrrpAPI.State.known.map(\.rawValue)),
        ("io.evenkeel.Vrrp", "Family", VrrpAPI.Family.known.map(\.rawValue)),
        ("io.evenkeel.Ipvs", "Transport", IpvsAPI.Transport.known.map(\.rawValue)),
        ("io.evenkeel.Ipvs", "Family", IpvsAPI.Family.known.map(\.rawValue)),
        ("io.evenkeel.Ipvs", "Forwarding", IpvsAPI.Forwarding.known.map(\.rawValue)),
        ("io.evenkeel.Ipvs", "ServiceState", IpvsAPI.ServiceState.known.map(\.rawValue)),
        ("io.evenkeel.Ipvs", "Health", IpvsAPI.Health.known.map(\.rawValue)),
        ("io.evenkeel.Ipvs", "OverrideKind", IpvsAPI.OverrideKind.known.map(\.rawValue)),
        ("io.evenkeel.Check", "Health", CheckAPI.Health.known.map(\.rawValue)),
        ("io.evenkeel.Check", "TrialOutcome", CheckAPI.TrialOutcome.known.map(\.rawValue)),
    ])
    func `an enumeration has the declared cases`(_ interface: String, _ type: String, _ cases: [String]) throws {
        let declared = try Self.definition(interface)[type]?.declaration
        #expect(declared == .type(.enumeration(cases)))
    }

    /// The same value with the members of every object in order of their names.
    private func sorted(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let object):
            var result = JSONObject()
            for member in object.members.sorted(by: { $0.key < $1.key }) { result[member.key] = sorted(member.value) }
            return .object(result)
        case .array(let elements): return .array(elements.map(sorted))
        case .null, .bool, .int, .double, .string: return value
        }
    }
}

/// Values made from declarations.
struct Sample {
    private let definition: InterfaceDefinition
    private let variant: Int
    private let isFull: Bool

    /// `variant` chooses among the cases of enumerations; without `isFull` optional fields are left out.
    init(_ definition: InterfaceDefinition, variant: Int, isFull: Bool) {
        self.definition = definition
        self.variant = variant
        self.isFull = isFull
    }

    func object(_ fields: [IDLField]) -> JSONObject {
        var object = JSONObject()
        for field in fields {
            if case .optional = field.type, !isFull { continue }
            object[field.name] = value(field.type, field.name)
        }
        return object
    }

    private func value(_ type: IDLType, _ name: String) -> JSONValue {
        switch type {
        case .bool: return .bool(variant.isMultiple(of: 2))
        case .int: return .int(Int64(name.utf8.count))
        case .float: return .double(0.5)
        case .string: return .string("\(name) \(variant)")
        case .object: return ["anything": [1, "two"]]
        case .enumeration(let cases): return .string(cases[variant % cases.count])
        case .structure(let fields): return .object(object(fields))
        case .array(let element): return [value(element, name), value(element, name)]
        case .map(let element): return ["key": value(element, name)]
        case .optional(let type): return value(type, name)
        case .named(let name):
            guard case .type(let type) = definition[name]?.declaration else { return nil }
            return value(type, name)
        }
    }
}
