// The connection machines: order, pipelining, more, oneway, and what breaks the protocol.
import JSON
import Testing
import Varlink

@Suite struct ServerConnectionTests {
    func server(_ texts: String...) -> VarlinkServer {
        var server = VarlinkServer()
        for text in texts { (Array(text.utf8) + [0]).withUnsafeBytes { server.receive($0) } }
        return server
    }

    @Test func `pipelined calls come out one by one, each after the answer to the one before`() throws {
        var server = server(#"{"method":"a.B"}"#, #"{"method":"a.C"}"#)
        #expect(try server.nextCall()?.method == "a.B")
        #expect(try server.nextCall() == nil)
        #expect(try !server.reply(VarlinkReply()).isEmpty)
        #expect(try server.nextCall()?.method == "a.C")
    }

    @Test func `a oneway call gets no octets, not even for an error`() throws {
        var server = server(#"{"method":"a.B","oneway":true}"#, #"{"method":"a.C"}"#)
        #expect(try server.nextCall()?.oneway == true)
        #expect(try server.reply(VarlinkReply(error: "a.E")).isEmpty)
        #expect(try server.nextCall()?.method == "a.C")
    }

    @Test func `replies continue only where more was asked for`() throws {
        var server = server(#"{"method":"a.B","more":true}"#, #"{"method":"a.C"}"#)
        #expect(try server.nextCall()?.more == true)
        for _ in 0..<3 { #expect(try !server.reply(VarlinkReply(continues: true)).isEmpty) }
        #expect(server.isServing)
        #expect(try !server.reply(VarlinkReply()).isEmpty)
        #expect(try server.nextCall()?.method == "a.C")
        #expect(throws: VarlinkProtocolError.continuesUnasked) { try server.reply(VarlinkReply(continues: true)) }
        #expect(server.isServing)
    }

    @Test func `a reply to nothing is refused`() {
        var server = VarlinkServer()
        #expect(throws: VarlinkProtocolError.unexpectedReply) { try server.reply(VarlinkReply()) }
    }

    @Test func `a stream drip-fed octet by octet gives the same calls`() throws {
        var server = VarlinkServer()
        var methods: [String] = []
        let stream = framed(["a.B", "a.C", "a.D"].map { #"{"method":"\#($0)"}"# })
        for octet in stream {
            [octet].withUnsafeBytes { server.receive($0) }
            while let call = try server.nextCall() {
                methods.append(call.method)
                _ = try server.reply(VarlinkReply())
            }
        }
        #expect(methods == ["a.B", "a.C", "a.D"])
    }
}

@Suite struct ClientConnectionTests {
    func receive(_ client: inout VarlinkClient, _ text: String) {
        (Array(text.utf8) + [0]).withUnsafeBytes { client.receive($0) }
    }

    @Test func `replies belong to the calls in their order`() throws {
        var client = VarlinkClient()
        _ = try client.call(VarlinkCall(method: "a.B", more: true))
        _ = try client.call(VarlinkCall(method: "a.C"))
        _ = try client.call(VarlinkCall(method: "a.D", oneway: true))
        #expect(client.callsWaiting == 2)
        receive(&client, #"{"continues":true}"#)
        receive(&client, "{}")
        receive(&client, #"{"error":"a.E"}"#)
        #expect(try client.nextReply()?.continues == true)
        #expect(try client.nextReply()?.continues == false)
        #expect(client.callsWaiting == 1)
        #expect(try client.nextReply()?.error == "a.E")
        #expect(client.callsWaiting == 0)
    }

    @Test func `a reply that was not asked for breaks the connection`() throws {
        var client = VarlinkClient()
        receive(&client, "{}")
        #expect(throws: VarlinkProtocolError.unexpectedReply) { try client.nextReply() }
        client = VarlinkClient()
        _ = try client.call(VarlinkCall(method: "a.B"))
        receive(&client, #"{"continues":true}"#)
        #expect(throws: VarlinkProtocolError.continuesUnasked) { try client.nextReply() }
    }
}

@Suite struct ServiceTests {
    func dispatch(_ call: VarlinkCall) throws -> VarlinkService.Dispatch {
        let definition = try InterfaceDefinition(
            parsing: "interface a.b\nmethod Do(x: int) -> ()\nmethod Watch() -> ()")
        return VarlinkService(
            info: VarlinkServiceInfo(vendor: "v", product: "p", version: "1", url: "u"), interfaces: [definition],
            streaming: ["a.b.Watch"]
        ).dispatch(call)
    }

    @Test(arguments: [
        (VarlinkCall(method: "a.x.Do"), VarlinkServiceError.interfaceNotFound("a.x")),
        (VarlinkCall(method: "a.b.Nope"), .methodNotFound("a.b.Nope")),
        (VarlinkCall(method: "a.b.Do"), .invalidParameter("x")),
        (VarlinkCall(method: "a.b.Do", parameters: ["x": 1, "y": 2]), .invalidParameter("y")),
        (VarlinkCall(method: "a.b.Do", parameters: ["x": 1], upgrade: true), .invalidParameter("upgrade")),
        (VarlinkCall(method: "a.b.Watch"), .expectedMore),
        (VarlinkCall(method: "org.varlink.service.Nope"), .methodNotFound("org.varlink.service.Nope")),
        (VarlinkCall(method: "org.varlink.service.GetInterfaceDescription"), .invalidParameter("interface")),
        (
            VarlinkCall(method: "org.varlink.service.GetInterfaceDescription", parameters: ["interface": "x.y"]),
            .interfaceNotFound("x.y")
        ),
    ])
    func `a call that no handler should see gets the error of org.varlink.service`(
        _ call: VarlinkCall, _ error: VarlinkServiceError
    ) throws {
        #expect(try dispatch(call) == .answer(error.reply))
    }

    @Test func `a right call reaches its handler and introspection is answered`() throws {
        #expect(try dispatch(VarlinkCall(method: "a.b.Do", parameters: ["x": 1])) == .handle)
        #expect(try dispatch(VarlinkCall(method: "a.b.Watch", more: true)) == .handle)
        guard case .answer(let info) = try dispatch(VarlinkCall(method: "org.varlink.service.GetInfo")) else { return }
        #expect(info.parameters["interfaces"] == ["org.varlink.service", "a.b"])
    }

    @Test(
        arguments: [
            ("unix:/run/x", VarlinkAddress.unix(path: "/run/x")), ("unix:/run/x;mode=0600", .unix(path: "/run/x")),
            ("unix:@name", .abstract(name: "name")), ("/run/x", .unix(path: "/run/x")), ("./x", .unix(path: "./x")),
            ("tcp:127.0.0.1:80", .tcp(host: "127.0.0.1", port: 80)), ("tcp:[::1]:80", .tcp(host: "::1", port: 80)),
            ("device:/dev/x", .device(path: "/dev/x")), ("unix:", nil), ("unix:@", nil), ("tcp:x", nil),
            ("tcp:x:99999", nil), ("exec:/bin/x", nil), ("", nil), ("name", nil),
        ] as [(String, VarlinkAddress?)])
    func `addresses`(_ text: String, _ address: VarlinkAddress?) {
        #expect(VarlinkAddress(text) == address)
    }
}
