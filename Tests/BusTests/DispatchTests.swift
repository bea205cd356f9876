// Every method that an interface declares reaches the one who answers it, by its name on the wire; a name that nobody
// declares, or that a newer interface declares, gets the error of org.varlink.service.
import Bus
import JSON
import Platform
import Testing
import Varlink

/// Answers each call with the name of the method that it was taken for.
private final class Recorder<API: ReloadableAPI>: ReloadHandler {
    func prepareReload(_ call: API.PrepareReload, _ responder: Responder<API.PrepareReload>) { responder.reached() }
    func commitReload(_ call: API.CommitReload, _ responder: Responder<API.CommitReload>) { responder.reached() }
    func abortReload(_ call: API.AbortReload, _ responder: Responder<API.AbortReload>) { responder.reached() }
}

private struct Reached: VarlinkFailure {
    static let error = "io.evenkeel.Test.Reached"
    let method: String

    init(method: String) { self.method = method }
    init(members: inout JSONMembers) throws(JSONCodingError) { method = try members.required("method") }
    var object: JSONObject { ["method": .string(method)] }
}

extension Responder {
    fileprivate func reached() { fail(Reached(method: Method.method)) }
}

extension Recorder: VrrpAPI.Handler where API == VrrpAPI {
    func list(_ call: VrrpAPI.List, _ responder: Responder<VrrpAPI.List>) { responder.reached() }
    func show(_ call: VrrpAPI.Show, _ responder: Responder<VrrpAPI.Show>) { responder.reached() }
    func failover(_ call: VrrpAPI.Failover, _ responder: Responder<VrrpAPI.Failover>) { responder.reached() }
    func resume(_ call: VrrpAPI.Resume, _ responder: Responder<VrrpAPI.Resume>) { responder.reached() }
}

extension Recorder: IpvsAPI.Handler where API == IpvsAPI {
    func listServices(_ call: IpvsAPI.ListServices, _ responder: Responder<IpvsAPI.ListServices>) {
        responder.reached()
    }
    func showService(_ call: IpvsAPI.ShowService, _ responder: Responder<IpvsAPI.ShowService>) { responder.reached() }
    func listTraffic(_ call: IpvsAPI.ListTraffic, _ responder: Responder<IpvsAPI.ListTraffic>) { responder.reached() }
    func listTable(_ call: IpvsAPI.ListTable, _ responder: Responder<IpvsAPI.ListTable>) { responder.reached() }
    func changeTable(_ call: IpvsAPI.ChangeTable, _ responder: Responder<IpvsAPI.ChangeTable>) { responder.reached() }
    func setWeight(_ call: IpvsAPI.SetWeight, _ responder: Responder<IpvsAPI.SetWeight>) { responder.reached() }
    func drain(_ call: IpvsAPI.Drain, _ responder: Responder<IpvsAPI.Drain>) { responder.reached() }
    func disable(_ call: IpvsAPI.Disable, _ responder: Responder<IpvsAPI.Disable>) { responder.reached() }
    func enable(_ call: IpvsAPI.Enable, _ responder: Responder<IpvsAPI.Enable>) { responder.reached() }
    func reset(_ call: IpvsAPI.Reset, _ responder: Responder<IpvsAPI.Reset>) { responder.reached() }
    func cutDepartures(_ call: IpvsAPI.CutDepartures, _ responder: Responder<IpvsAPI.CutDepartures>) {
        responder.reached()
    }
}

extension Recorder: CheckAPI.Handler where API == CheckAPI {
    func list(_ call: CheckAPI.List, _ responder: Responder<CheckAPI.List>) { responder.reached() }
    func run(_ call: CheckAPI.Run, _ responder: Responder<CheckAPI.Run>) { responder.reached() }
    func showHistory(_ call: CheckAPI.ShowHistory, _ responder: Responder<CheckAPI.ShowHistory>) { responder.reached() }
    func computeDigest(_ call: CheckAPI.ComputeDigest, _ responder: Responder<CheckAPI.ComputeDigest>) {
        responder.reached()
    }
    func listLatencies(_ call: CheckAPI.ListLatencies, _ responder: Responder<CheckAPI.ListLatencies>) {
        responder.reached()
    }
    func probeOnce(_ call: CheckAPI.ProbeOnce, _ responder: Responder<CheckAPI.ProbeOnce>) { responder.reached() }
    func testAlerts(_ call: CheckAPI.TestAlerts, _ responder: Responder<CheckAPI.TestAlerts>) { responder.reached() }
}

@Suite(.timeLimit(.minutes(1))) struct DispatchTests {
    /// Replies to `calls` of a daemon that serves `interface`, asked at its private socket.
    private func replies(
        to calls: [VarlinkCall], _ interface: InterfaceDefinition, _ dispatch: @escaping Dispatch
    ) throws -> [VarlinkReply] {
        let bus = try BusProgram()
        let loop = try EventLoop()
        let options = try bus.options()
        let service = DaemonService(
            name: "testd", interface: interface, options: options, loop: loop, logger: Logger(level: .error))
        try service.start(dispatch)
        let socket = options.privateSocket(of: "testd")
        return try loop.run {
            let connection = try RawConnection(path: socket)
            return try calls.map { call in
                try connection.send(try call.encoded())
                guard let message = try connection.message() else { throw Missing(description: "no reply to \(call)") }
                return try VarlinkReply(parsing: Array(message.utf8)[...])
            }
        }
    }

    private static func call(_ member: InterfaceDefinition.Member, of interface: InterfaceDefinition) -> VarlinkCall? {
        guard case .method(let input, _) = member.declaration else { return nil }
        var parameters: JSONObject = [:]
        for field in input {
            switch field.type {
            case .int: parameters[field.name] = 1
            case .string: parameters[field.name] = "x"
            case .array: parameters[field.name] = []
            case .bool: parameters[field.name] = false
            case .float, .object, .named, .structure, .enumeration, .map, .optional: break
            }
        }
        return VarlinkCall(method: "\(interface.name).\(member.name)", parameters: parameters)
    }

    @Test func `every method of a daemon's interface reaches its requirement`() throws {
        let (vrrp, ipvs, check) = (Recorder<VrrpAPI>(), Recorder<IpvsAPI>(), Recorder<CheckAPI>())
        let daemons: [(InterfaceDefinition, Dispatch)] = [
            (try Interfaces.vrrp(), VrrpAPI.dispatch(to: vrrp, reload: vrrp)),
            (try Interfaces.ipvs(), IpvsAPI.dispatch(to: ipvs, reload: ipvs)),
            (try Interfaces.check(), CheckAPI.dispatch(to: check, reload: check)),
        ]
        for (interface, dispatch) in daemons {
            let calls = interface.members.compactMap { Self.call($0, of: interface) }
            let replies = try replies(to: calls, interface, dispatch)
            #expect(replies == calls.map { VarlinkReply(Reached(method: $0.method)) })
            #expect(calls.count > 4)
        }
        withExtendedLifetime((vrrp, ipvs, check)) {}
    }

    @Test func `what is not declared, and what only a newer interface declares, is refused`() throws {
        let recorder = Recorder<VrrpAPI>()
        let newer = try InterfaceDefinition(parsing: "interface io.evenkeel.Vrrp\nmethod Newer() -> ()")
        let calls = ["io.evenkeel.Vrrp.None", "io.evenkeel.Vrrp.Newer"].map { VarlinkCall(method: $0) }
        let replies = try replies(to: calls, newer, VrrpAPI.dispatch(to: recorder, reload: recorder))
        #expect(
            replies == [
                VarlinkServiceError.methodNotFound(calls[0].method).reply,
                VarlinkServiceError.methodNotImplemented(calls[1].method).reply,
            ])
        withExtendedLifetime(recorder) {}
    }

    @Test func `a call whose handler is gone is answered`() throws {
        var recorder: Recorder<VrrpAPI>? = Recorder()
        let dispatch = try #require(recorder.map { VrrpAPI.dispatch(to: $0, reload: $0) })
        recorder = nil
        let replies = try replies(to: [VarlinkCall(method: VrrpAPI.List.method)], try Interfaces.vrrp(), dispatch)
        #expect(replies == [VarlinkReply(BusAPI.ServiceUnavailable(interface: VrrpAPI.interface))])
    }

    @Test func `busd answers every method of its interfaces`() throws {
        let bus = try BusProgram()
        let interfaces = [try Interfaces.bus(), try Interfaces.resolver()]
        let calls = interfaces.flatMap { interface in interface.members.compactMap { Self.call($0, of: interface) } }
        for var call in calls {
            call.more = Interfaces.needMore.contains(call.method)
            let connection = try bus.rawConnection()
            try connection.send(try call.encoded())
            let message = try #require(try connection.message(), "\(call.method) is answered")
            let error = try VarlinkReply(parsing: Array(message.utf8)[...]).error ?? ""
            #expect(!error.contains(".MethodNot"), "\(call.method)")
        }
    }
}
