// org.varlink.certification, served with the server machine on a blocking socket: what Python's certification client is
// run against. Each method checks that it got what the method before it returned.
import Glibc
import JSON
import Platform
import Varlink

/// Serves one connection. Sendable because only its own thread uses it after `init`.
final class CertificationServer: @unchecked Sendable {
    private let listener: FileDescriptor
    private let service: VarlinkService
    private var server = VarlinkServer()
    private var expected = "Start"
    private static let id: JSONValue = "test-client"
    private static let order =
        ["Start"] + (1...11).map { "Test" + ($0 < 10 ? "0" : "") + "\($0)" } + ["End"]

    init(path: String, definition: InterfaceDefinition) throws {
        listener = try UnixSocket.listen(at: path, mode: 0o600)
        service = VarlinkService(
            info: VarlinkServiceInfo(vendor: "Evenkeel", product: "certification", version: "1", url: ""),
            interfaces: [definition])
    }

    func serveOneConnection() {
        do {
            var entry = pollfd(fd: listener.number, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, 30_000) == 1, let connection = try UnixSocket.accept(listener.number) else { return }
            var chunk = [UInt8](repeating: 0, count: 4096)
            while true {
                entry = pollfd(fd: connection.number, events: Int16(POLLIN), revents: 0)
                guard poll(&entry, 1, 30_000) == 1 else { return }
                let count = try chunk.withUnsafeMutableBytes { try connection.read(into: $0) }
                guard count > 0 else { return }
                chunk[..<count].withUnsafeBytes { server.receive($0) }
                while let call = try server.nextCall() {
                    for reply in replies(to: call) {
                        let octets = try server.reply(reply)
                        if !octets.isEmpty { _ = try octets.withUnsafeBytes { try connection.write($0) } }
                    }
                }
            }
        } catch {
            return  // The client sees the closed connection and fails.
        }
    }

    private func replies(to call: VarlinkCall) -> [VarlinkReply] {
        switch service.dispatch(call) {
        case .answer(let reply): return [reply]
        case .handle: break
        }
        let member = String(VarlinkCall.split(call.method)?.member ?? "")
        guard member == expected else { return [failure("call to \(expected)", call)] }
        var wanted = Self.parameters[member] ?? [:]
        if member != "Start" { wanted["client_id"] = Self.id }
        guard sorted(.object(call.parameters)) == sorted(.object(wanted)), call.more == (member == "Test10"),
            call.oneway == (member == "Test11")
        else { return [failure("\(wanted)", call)] }
        expected = Self.order[((Self.order.firstIndex(of: member) ?? 0) + 1) % Self.order.count]
        if member == "Test10" {
            return (1...10).map { VarlinkReply(["string": .string("Reply number \($0)")], continues: $0 < 10) }
        }
        return [VarlinkReply(Self.results[member] ?? [:])]
    }

    private func failure(_ wants: String, _ call: VarlinkCall) -> VarlinkReply {
        VarlinkReply(
            error: "org.varlink.certification.CertificationError",
            ["wants": ["text": .string(wants)], "got": .object(call.parameters)])
    }

    /// The same value with members in order of their names and without nulls.
    private func sorted(_ value: JSONValue) -> JSONValue {
        guard let object = value.object else { return value.array.map { .array($0.map(sorted)) } ?? value }
        var result = JSONObject()
        for member in object.members.sorted(by: { $0.key < $1.key }) where !member.value.isNull {
            result[member.key] = sorted(member.value)
        }
        return .object(result)
    }

    private static let scalars: JSONObject = [
        "bool": false, "int": 2, "float": .double(.pi), "string": "a lot of string",
    ]

    private static let set: JSONValue = ["one": [:], "two": [:], "three": [:]]

    private static let myType: JSONValue = [
        "object": ["method": "org.varlink.certification.Test09", "parameters": ["map": ["foo": "Foo", "bar": "Bar"]]],
        "enum": "two", "struct": ["first": 1, "second": "2"], "array": ["one", "two", "three"],
        "dictionary": ["foo": "Foo", "bar": "Bar"], "stringset": set, "nullable": nil, "nullable_array_struct": nil,
        "interface": [
            "foo": [nil, ["foo": "foo", "bar": "bar"], nil, ["one": "foo", "two": "bar"]],
            "anon": ["foo": true, "bar": false],
        ],
    ]

    /// What each method returns.
    private static let results: [String: JSONObject] = [
        "Start": ["client_id": id], "Test01": ["bool": true], "Test02": ["int": 1], "Test03": ["float": 1.0],
        "Test04": ["string": "ping"], "Test05": scalars, "Test06": ["struct": .object(scalars)],
        "Test07": ["map": ["foo": "Foo", "bar": "Bar"]], "Test08": ["set": set], "Test09": ["mytype": myType],
        "End": ["all_ok": true],
    ]

    /// What each method must be called with, besides the client's id.
    private static let parameters: [String: JSONObject] = [
        "Test02": ["bool": true], "Test03": ["int": 1], "Test04": ["float": 1.0], "Test05": ["string": "ping"],
        "Test06": scalars, "Test07": ["struct": .object(scalars)], "Test08": ["map": ["foo": "Foo", "bar": "Bar"]],
        "Test09": ["set": set], "Test10": ["mytype": myType],
        "Test11": ["last_more_replies": .array((1...10).map { .string("Reply number \($0)") })],
    ]
}
