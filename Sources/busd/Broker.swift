// What busd knows: its clients and their users, the daemons that are attached, the order of events. One method per
// thing that can happen; the connections call in, nothing here waits.
import Bus
import JSON
import Net
import Platform
import Varlink

/// A daemon that holds a Register call.
final class AttachedService {
    let registration: BusAPI.Register
    let socketPath: String
    let description: BusAPI.Service

    init(_ registration: BusAPI.Register, socketPath: String, peer: PeerCredentials) {
        self.registration = registration
        self.socketPath = socketPath
        description = BusAPI.Service(
            name: registration.name, interfaces: registration.interfaces, address: registration.address,
            uid: Int(peer.uid), pid: Int(peer.pid), since: SystemClock.timestamp)
    }
}

/// A call as it lies in the client's buffer, scanned by `Broker.index`.
struct IncomingCall {
    let envelope: CallEnvelope
    let text: UnsafeRawBufferPointer
}

final class Broker {
    let loop: EventLoop
    let logger: Logger
    /// The scan of the call being served; shared so that its memory is.
    var index = JSONIndex()
    var policy = Policy()
    var store: EventStore
    var channels: [EventFilter: Channel] = [:]
    var services: [String: AttachedService] = [:]
    var published = 0
    var overruns = 0
    var refused = 0
    let ownService: VarlinkService
    let address: String
    private(set) var clients: [ObjectIdentifier: Client] = [:]
    private var accounts: [UInt32: Account] = [:]
    private var dirtyChannels: [Channel] = []
    private let ownUser: UInt32
    private var accepts = 0

    init(address: String, loop: EventLoop, logger: Logger, ownUser: UInt32) throws(IDLError) {
        self.address = address
        self.loop = loop
        self.logger = logger
        self.ownUser = ownUser
        // Places grow across restarts: microseconds since boot outrun any rate of events.
        store = EventStore(startingAt: Int(SystemClock.sinceBoot.nanoseconds / 1000))
        ownService = VarlinkService(
            info: .evenkeel("busd"), interfaces: [try Interfaces.resolver(), try Interfaces.bus()],
            implemented: [
                "org.varlink.resolver.GetInfo", "org.varlink.resolver.Resolve", BusAPI.Subscribe.method,
                BusAPI.Publish.method, BusAPI.Register.method, BusAPI.ListServices.method,
                BusAPI.GetStatistics.method,
            ], streaming: Interfaces.needMore)
    }

    // MARK: Connections

    /// A client has connected.
    func accepted(_ descriptor: consuming FileDescriptor) {
        do throws(Errno) {
            let peer = try PeerCredentials(of: descriptor.number)
            let account = account(of: peer.uid)
            accepts += 1
            let client = try Client(descriptor, number: accepts, peer, policy.role(of: peer), account, self)
            clients[ObjectIdentifier(client)] = client
            account.connections += 1
            if account.connections > account.quota.connections {
                refused += 1
                client.end(with: BusAPI.QuotaExceeded(quota: "connections", limit: account.quota.connections))
            }
        } catch {
            logger.warning("connection not accepted: \(error)")
        }
    }

    /// A client's connection is over.
    func closed(_ client: Client) {
        guard clients.removeValue(forKey: ObjectIdentifier(client)) != nil else { return }
        release(client)
        client.activity = .ending
        client.close()
        let account = client.account
        account.connections -= 1
        if account.isSettled { accounts[account.uid] = nil }
    }

    /// Gives back what a client's activity holds.
    func release(_ client: Client) {
        switch client.activity {
        case .idle, .ending: break
        case .forwarding: client.account.calls -= 1
        case .reading:
            store.readersUnderWay -= 1
            client.account.subscriptions -= 1
        case .following(let channel):
            channel.leave(client)
            client.account.subscriptions -= 1
            if channel.members.isEmpty { channels[channel.filter] = nil }
        case .registered(let service): detach(service)
        }
    }

    private func account(of uid: UInt32) -> Account {
        if let account = accounts[uid] { return account }
        let account = Account(uid: uid, quota: uid == 0 || uid == ownUser ? .reserved : .ordinary)
        accounts[uid] = account
        return account
    }

    /// Closes everything.
    func shutDown() {
        for client in clients.values { client.close() }
        clients = [:]
    }

    // MARK: Calls

    /// A client has called.
    func serve(_ call: IncomingCall, from client: Client, _ message: ArraySlice<UInt8>) {
        let envelope = call.envelope
        guard client.role >= Interfaces.role(for: envelope.method) else {
            return client.refuse(VarlinkServiceError.permissionDenied.reply, envelope)
        }
        for name in envelope.extensions where index.string(at: name, in: call.text) == Caller.member {
            return client.refuse(VarlinkServiceError.invalidParameter(Caller.member).reply, envelope)
        }
        if envelope.method == BusAPI.Publish.method { return publish(call, from: client) }
        guard let target = target(of: call) else { return serveOwn(message, envelope, from: client) }
        guard !envelope.upgrade else {
            return client.reply(VarlinkServiceError.invalidParameter("upgrade").reply, to: envelope)
        }
        if Interfaces.role(for: envelope.method) == .administrator {
            logger.notice("\(envelope.method) called by uid \(client.peer.uid), pid \(client.peer.pid)")
        }
        forward(call, to: target.service, target.interface, from: client)
    }

    /// The attached daemon that a call is for, if it is not for busd itself.
    private func target(of call: IncomingCall) -> (service: AttachedService, interface: String)? {
        var interface = call.envelope.interface
        if call.envelope.method == "org.varlink.service.GetInterfaceDescription" {
            guard let parameters = call.envelope.parameters,
                let name = index.member("interface", of: parameters, in: call.text), index.nodes[name].kind == .string
            else { return nil }
            interface = index.string(at: name, in: call.text)
        }
        return services[interface].map { ($0, interface) }
    }

    private func forward(
        _ call: IncomingCall, to service: AttachedService, _ interface: String, from client: Client
    ) {
        let account = client.account
        guard account.calls < account.quota.calls else {
            return client.refuse(
                VarlinkReply(BusAPI.QuotaExceeded(quota: "calls", limit: account.quota.calls)), call.envelope)
        }
        do throws(Errno) {
            let upstream = try client.upstream(to: service, for: interface)
            // The caller goes in before the closing brace; everything else passes as it is.
            let peer = client.peer
            var octets = Array(call.text[..<(index.nodes[0].end - 1)])
            octets += ",\"\(Caller.member)\":{\"uid\":\(peer.uid),\"gid\":\(peer.gid),\"pid\":\(peer.pid)}}\0".utf8
            upstream.send(octets)
            guard !call.envelope.oneway else { return }
            account.calls += 1
            client.activity = .forwarding(upstream)
        } catch {
            logger.warning("\(service.registration.name): \(service.socketPath): \(error)")
            client.reply(VarlinkReply(BusAPI.ServiceUnavailable(interface: interface)), to: call.envelope)
        }
    }

    // MARK: Events

    /// Gives an event its place and hands it to the channels that want it.
    func add(_ event: IncomingEvent, from client: Client?) {
        let frame = store.add(event, from: client?.number ?? 0, client?.account)
        published += 1
        for channel in channels.values where channel.filter.matches(event.key) {
            guard channel.add(frame, store.seq) else { continue }
            if dirtyChannels.isEmpty {
                loop.soon { [unowned self] in flushChannels() }  // The broker outlives its loop's turns.
            }
            dirtyChannels.append(channel)
        }
    }

    private func flushChannels() {
        let channels = dirtyChannels
        dirtyChannels = []
        for channel in channels { channel.flush() }
    }
}
