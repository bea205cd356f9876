// Who serves a call: busd itself or a daemon. The role is looked at before anything else, and what is not passed on or
// published is small before values are made of it.
import Bus
import JSON
import Platform
import Varlink

extension Broker {
    private static let publisherRole = Interfaces.role(for: BusAPI.Publish.method)

    /// A client has called.
    func serve(_ call: IncomingCall, from client: Client, _ message: ArraySlice<UInt8>) {
        let envelope = call.envelope
        let isPublication = index.name(at: envelope.method, in: call.text, equals: "io.evenkeel.Bus.Publish")
        let method = isPublication ? BusAPI.Publish.method : index.string(at: envelope.method, in: call.text)
        let needed = isPublication ? Self.publisherRole : Interfaces.role(for: method)
        guard client.role >= needed else {
            return client.refuse(VarlinkServiceError.permissionDenied.reply, method, envelope)
        }
        for name in envelope.extensions where index.string(at: name, in: call.text) == Caller.member {
            return client.refuse(VarlinkServiceError.invalidParameter(Caller.member).reply, method, envelope)
        }
        if isPublication { return publish(call, from: client) }
        let target = target(of: call, method)
        if target == nil || client.role < .administrator, let failure = Self.excess(call.text.count, index.nodes.count)
        {
            return client.refuse(VarlinkReply(failure), method, envelope)
        }
        guard let target else { return serveOwn(message, envelope, from: client) }
        guard !envelope.upgrade else {
            return client.reply(VarlinkServiceError.invalidParameter("upgrade").reply, to: envelope)
        }
        forward(call, method, to: target.service, target.interface, from: client, changes: needed == .administrator)
    }

    /// What is too much of a call that is neither Publish nor an administrator's.
    private static func excess(_ octets: Int, _ values: Int) -> BusAPI.QuotaExceeded? {
        if octets > Limits.callOctets { return BusAPI.QuotaExceeded(quota: "callBytes", limit: Limits.callOctets) }
        if values > Limits.callValues { return BusAPI.QuotaExceeded(quota: "callValues", limit: Limits.callValues) }
        return nil
    }

    /// The attached daemon that a call is for, if it is not for busd itself.
    private func target(of call: IncomingCall, _ method: String) -> (service: AttachedService, interface: String)? {
        var interface = VarlinkCall.split(method).map { String($0.interface) } ?? ""
        if method == "org.varlink.service.GetInterfaceDescription" {
            guard let parameters = call.envelope.parameters,
                let name = index.member("interface", of: parameters, in: call.text), index.nodes[name].kind == .string
            else { return nil }
            interface = index.string(at: name, in: call.text)
        }
        return services[interface].map { ($0, interface) }
    }

    private func forward(
        _ call: IncomingCall, _ method: String, to service: AttachedService, _ interface: String, from client: Client,
        changes: Bool
    ) {
        let account = client.account
        guard account.calls < account.quota.calls else {
            return client.refuse(
                VarlinkReply(BusAPI.QuotaExceeded(quota: "calls", limit: account.quota.calls)), method, call.envelope)
        }
        // Said before it is done: whatever becomes of daemon and bus, it is known who wanted it.
        let said = changes ? "\(method) called by uid \(client.peer.uid), pid \(client.peer.pid)" : nil
        if let said { logger.notice(said) }
        do throws(Upstream.Failure) {
            try client.forward(
                WaitingCall(
                    service: service, interface: interface, octets: relayed(call, client.peer),
                    isOneway: call.envelope.oneway, change: said))
        } catch {
            service.upstreams.broken(error.description)
            if let said { logger.notice("\(said): not passed on") }
            client.reply(VarlinkReply(BusAPI.ServiceUnavailable(interface: interface)), to: call.envelope)
        }
    }

    /// The call as the daemon gets it: the caller goes in before the closing brace, `oneway` is taken back, everything
    /// else passes as it is.
    private func relayed(_ call: IncomingCall, _ peer: PeerCredentials) -> [UInt8] {
        var octets = Array(call.text[..<(index.nodes[0].end - 1)])
        if call.envelope.oneway, let flag = index.member("oneway", of: 0, in: call.text) {
            let start = index.nodes[flag].start
            octets.replaceSubrange(start..<index.nodes[flag].end, with: "null".utf8)
        }
        octets += ",\"\(Caller.member)\":{\"uid\":\(peer.uid),\"gid\":\(peer.gid),\"pid\":\(peer.pid)}}\0".utf8
        return octets
    }
}
