// The methods of io.evenkeel.Bus and org.varlink.resolver.
import Bus
import JSON
import Platform
import Varlink

extension Broker {
    /// Answers a call to an interface of busd itself, or to one that nobody serves.
    func serveOwn(_ message: ArraySlice<UInt8>, _ envelope: CallEnvelope, from client: Client) {
        let call: VarlinkCall
        do throws(VarlinkProtocolError) {
            call = try VarlinkCall(parsing: message)
        } catch {
            // `CallEnvelope` has accepted the same octets.
            return client.reply(VarlinkServiceError.invalidParameter("parameters").reply, to: envelope)
        }
        switch (ownService.dispatch(call), call.method) {
        case (.answer(let reply), "org.varlink.service.GetInfo") where reply.error == nil:
            client.reply(information(), to: envelope)
        case (.answer(let reply), _): client.reply(reply, to: envelope)
        case (.handle, _):
            do throws(JSONCodingError) {
                try handle(call, envelope, from: client)
            } catch {
                client.reply(VarlinkServiceError.invalidParameter(error.path).reply, to: envelope)
            }
        }
    }

    private func handle(
        _ call: VarlinkCall, _ envelope: CallEnvelope, from client: Client
    ) throws(JSONCodingError) {
        let parameters = JSONValue.object(call.parameters)
        switch BusAPI.MethodName(rawValue: call.method) {
        case .subscribe: subscribe(client, try parameters.decode(), envelope)
        case .publish: return  // Answered before a value is made of the call: `publish`.
        case .register: register(client, try parameters.decode(), envelope)
        case .listServices:
            let attached = Dictionary(grouping: services.values) { ObjectIdentifier($0) }.compactMap(\.value.first)
            let sorted = attached.map(\.description).sorted { $0.name < $1.name }
            client.reply(VarlinkReply(encoding: BusAPI.ListServices.Reply(services: sorted)), to: envelope)
        case .getStatistics:
            let reply = BusAPI.GetStatistics.Reply(statistics: statistics())
            client.reply(VarlinkReply(encoding: reply), to: envelope)
        case nil where call.method == "org.varlink.resolver.GetInfo": client.reply(information(), to: envelope)
        case nil: resolve(call.parameters["interface"]?.string ?? "", envelope, for: client)
        }
    }

    private var interfaces: [String] {
        [VarlinkService.interface, "org.varlink.resolver", BusAPI.interface] + services.keys.sorted()
    }

    private func information() -> VarlinkReply {
        VarlinkServiceInfo.evenkeel("busd").reply(interfaces: interfaces)
    }

    /// Everything is reached through busd, so that is the address of every interface.
    private func resolve(_ interface: String, _ envelope: CallEnvelope, for client: Client) {
        let reply =
            interfaces.contains(interface)
            ? VarlinkReply(["address": .string(address)])
            : VarlinkReply(error: "org.varlink.resolver.InterfaceNotFound", ["interface": .string(interface)])
        client.reply(reply, to: envelope)
    }

    private func statistics() -> BusAPI.Statistics {
        BusAPI.Statistics(
            seq: store.seq, connections: clients.count,
            subscriptions: clients.values.count {
                switch $0.activity {
                case .reading, .following: true
                case .idle, .waiting, .forwarding, .registered, .ending: false
                }
            },
            kept: store.kept, queuedBytes: clients.values.reduce(0) { $0 + $1.queued }, published: published,
            overruns: overruns, refused: refused)
    }

    // MARK: Registration

    private func register(_ client: Client, _ registration: BusAPI.Register, _ envelope: CallEnvelope) {
        func refuse(_ reply: VarlinkReply) { client.refuse(reply, BusAPI.Register.method, envelope) }
        guard Self.isName(registration.name) else { return refuse(VarlinkServiceError.invalidParameter("name").reply) }
        let interfaces = registration.interfaces
        guard (1...16).contains(interfaces.count), Set(interfaces).count == interfaces.count,
            interfaces.allSatisfy({ IDLNames.isInterface($0) })
        else { return refuse(VarlinkServiceError.invalidParameter("interfaces").reply) }
        guard interfaces.allSatisfy({ client.claim.covers(interface: $0) }) else {
            return refuse(VarlinkServiceError.permissionDenied.reply)
        }
        guard let path = VarlinkAddress(registration.address)?.socketPath, privateDirectory.contains(path) else {
            return refuse(VarlinkServiceError.invalidParameter("address").reply)
        }
        if let taken = interfaces.first(where: { services[$0] != nil }) {
            return refuse(VarlinkReply(BusAPI.AlreadyRegistered(interface: taken)))
        }
        let service = AttachedService(registration, at: path, client.peer, self)
        do throws(Upstream.Failure) {
            try service.upstreams.connect()
        } catch {
            service.upstreams.broken(error.description)
            return refuse(VarlinkServiceError.invalidParameter("address").reply)
        }
        for interface in interfaces { services[interface] = service }
        client.activity = .registered(service)
        client.send(VarlinkReply(continues: true))
        announce(service, .attached)
    }

    /// Whether a daemon's name is one: letters, digits, `-`, `_` and `.`, at most 64.
    private static func isName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { octet in
                switch octet {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    /// The lease of a daemon has ended.
    func detach(_ service: AttachedService) {
        for interface in service.registration.interfaces { services[interface] = nil }
        service.upstreams.close()
        announce(service, .lost)
    }

    private func announce(_ service: AttachedService, _ state: BusAPI.Attachment) {
        logger.notice("\(service.registration.name) \(state.rawValue)")
        for interface in service.registration.interfaces {
            say(
                EventKey(type: EventType.interface, subject: interface), source: "/busd",
                data: ["state": .string(state.rawValue), "service": .string(service.registration.name)])
        }
    }
}
