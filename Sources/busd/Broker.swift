// What busd knows: its clients and their users, the daemons that are attached, the order of events. One method per
// thing that can happen; the connections call in, nothing here waits.
import Bus
import JSON
import Net
import Platform
import Varlink

/// A call as it lies in the client's buffer, scanned by `Broker.index`.
struct IncomingCall {
    let envelope: CallEnvelope
    let text: UnsafeRawBufferPointer
}

final class Broker {
    let loop: EventLoop
    let logger: Logger
    let peerLog: PeerLog
    let turns: FairTurns
    let trimmer: HeapTrimmer
    /// The scan of the call being served; shared so that its memory is.
    var index = JSONIndex()
    var policy = Policy()
    var store: EventStore
    var channels: [EventFilter: Channel] = [:] {
        didSet { channelsVersion += 1 }
    }
    private var channelsVersion = 0
    var services: [String: AttachedService] = [:]
    var published = 0
    var overruns = 0
    var refused = 0
    let ownService: VarlinkService
    let address: String
    let privateDirectory: PrivateDirectory
    private(set) var clients: [ObjectIdentifier: Client] = [:]
    private var strangers = 0
    private var accounts: [UInt32: Account] = [:]
    /// Users that share `Limits.queuedByOthers`.
    private var sharingUsers = 0
    private var dirtyChannels: [Channel] = []
    private let descriptors: Int
    private var accepts = 0

    /// - Parameters:
    ///   - address: where clients find the bus.
    ///   - privateDirectory: where the daemons' sockets are.
    ///   - descriptors: how many files this process may have open.
    init(
        address: String, privateDirectory: String, descriptors: Int, loop: EventLoop, logger: Logger
    ) throws(IDLError) {
        self.address = address
        self.privateDirectory = PrivateDirectory(path: privateDirectory)
        self.descriptors = descriptors
        self.loop = loop
        self.logger = logger
        peerLog = PeerLog("", on: loop, logger: logger)
        turns = FairTurns(on: loop, turn: Limits.turn, visit: Limits.visit)
        trimmer = HeapTrimmer(on: loop)
        // Places grow across restarts: microseconds since boot outrun any rate of events.
        store = EventStore(startingAt: Int(SystemClock.sinceBoot.nanoseconds / 1000))
        ownService = VarlinkService(
            info: .evenkeel("busd"), interfaces: [try Interfaces.resolver(), try Interfaces.bus()],
            streaming: Interfaces.needMore)
    }

    // MARK: Connections

    /// A client has connected; at the private socket only those who may register are heard.
    func accepted(_ descriptor: consuming FileDescriptor, privately: Bool) {
        do throws(Errno) {
            let peer = try PeerCredentials(of: descriptor.number)
            let role = policy.role(of: peer)
            guard !privately || role >= .daemon else {
                return peerLog.note("connection refused", peer, "the private socket is for the daemons")
            }
            guard hasRoom(for: peer, role) else {
                refused += 1
                return peerLog.note("connection refused", peer, "\(clients.count) are open; close some")
            }
            let account = account(of: peer.uid, role)
            guard account.connections < account.quota.connections + Limits.refusedConnections else {
                refused += 1
                return peerLog.note("connection refused", peer, "this user has \(account.connections) open; close some")
            }
            accepts += 1
            let client = try Client(
                descriptor, number: accepts, peer, role, policy.claim(of: peer), account, self)
            clients[ObjectIdentifier(client)] = client
            account.connections += 1
            if role == .stranger { strangers += 1 }
            if account.connections > account.quota.connections {
                refused += 1
                client.end(with: BusAPI.QuotaExceeded(quota: "connections", limit: account.quota.connections))
            }
        } catch {
            logger.warning("connection not accepted: \(error)")
        }
    }

    /// Whether there is a descriptor for one more client of that role.
    private func hasRoom(for peer: PeerCredentials, _ role: Role) -> Bool {
        if policy.isReserved(peer.uid) { return true }
        let toDaemons = services.count * Limits.upstreams
        let reserve = min(Limits.reservedDescriptors + toDaemons, descriptors / 2)
        guard clients.count < descriptors - reserve else { return false }
        return role > .stranger || strangers < min(Limits.strangers, descriptors / Limits.strangersPart)
    }

    /// Octets that may be held for a user.
    func queueLimit(of account: Account) -> Int {
        guard account.shares else { return account.quota.queuedBytes }
        return min(account.quota.queuedBytes, Limits.queuedByOthers / max(1, sharingUsers))
    }

    /// A client's connection is over.
    func closed(_ client: Client) {
        guard clients.removeValue(forKey: ObjectIdentifier(client)) != nil else { return }
        release(client)
        trimmer.note(freed: client.held)
        client.close()
        client.account.connections -= 1
        if client.role == .stranger { strangers -= 1 }
        settle(client.account)
    }

    /// Gives back what a client's activity holds.
    func release(_ client: Client) {
        switch client.activity {
        case .idle, .ending, .forwarding: break
        case .waiting(let call):
            client.stopWaiting(call)
            call.service.upstreams.forget(client)
        case .reading(let reader):
            store.readerEnds()
            unsubscribe(client.account, reader.filter)
        case .following(let channel):
            channel.leave(client)
            unsubscribe(client.account, channel.filter)
            if channel.members.isEmpty { channels[channel.filter] = nil }
        case .registered(let service): detach(service)
        }
    }

    private func unsubscribe(_ account: Account, _ filter: EventFilter) {
        account.subscriptions -= 1
        account.patterns -= filter.patterns
    }

    private func account(of uid: UInt32, _ role: Role) -> Account {
        let account = accounts[uid] ?? Account(uid: uid, isReserved: policy.isReserved(uid))
        accounts[uid] = account
        if account.admit(role) { sharingUsers += 1 }
        return account
    }

    /// Forgets an account that holds nothing.
    func settle(_ account: Account?) {
        guard let account, account.isSettled, accounts.removeValue(forKey: account.uid) != nil else { return }
        if account.shares { sharingUsers -= 1 }
    }

    /// Closes everything.
    func shutDown() {
        for client in clients.values { client.close() }
        clients = [:]
    }

    // MARK: Events

    /// Gives an event its place and hands it to the channels that want it.
    func add(_ event: IncomingEvent, from client: Client?) {
        if event.isRemoval { trimmer.note(freed: store.kept(event.key)?.frame.count ?? 0) }
        let record = store.add(event, from: client?.number ?? 0, client?.account)
        published += 1
        if record.channelsVersion != channelsVersion {
            record.channels = channels.values.filter { $0.filter.matches(record.key) }
            record.channelsVersion = channelsVersion
        }
        guard let content = record.content else { return }
        for channel in record.channels {
            guard channel.add(content.frame, content.seq) else { continue }
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
