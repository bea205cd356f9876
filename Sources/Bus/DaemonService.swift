// The daemon's side of the bus: a complete Varlink service on the private socket, registered with busd while busd is
// there, and a publisher that remembers what it has said. Nothing here waits: without busd the daemon goes on, and root
// reaches it through the private socket.
import Glibc
import JSON
public import Platform
public import Varlink

/// Users besides root and busd whom a daemon answers at its private socket, each as itself.
public struct ServiceClients: Sendable {
    let users: Set<UInt32>
    let connections: Int

    /// Nobody.
    public static let none = ServiceClients(accounts: [], connections: 0)

    /// Those of these users that exist; `connections` at once for each of them, beside everybody else's.
    public init(accounts: [String], connections: Int) {
        users = Set(accounts.compactMap(Accounts.user)).subtracting([0, geteuid()])
        self.connections = connections
    }
}

/// Serves one daemon's interface and joins it to the bus.
public final class DaemonService {
    /// The daemon: `vrrpd`.
    public let name: String
    /// Publishes this daemon's events and remembers them.
    public let events: EventPublisher
    let logger: Logger
    private let loop: EventLoop
    let options: DaemonOptions
    private let definition: InterfaceDefinition
    private let trusted: Set<UInt32>
    private let joinsBus: Bool
    private let connectionLimit: Int
    private let clients: ServiceClients
    private let service: VarlinkService
    private var dispatch: Dispatch?
    private var listener: Listener?
    private var connections: [ObjectIdentifier: ServiceConnection] = [:]
    /// Shares the loop among the connections.
    let turns: FairTurns
    let peerLog: PeerLog
    private var registration: BusRegistration?
    /// Why listening failed the last time: said once.
    private var failure: Errno?

    /// A service that does nothing yet.
    /// - Parameters:
    ///   - joinsBus: false = nobody reaches it but root, and the user it runs as, at its private socket; not even busd.
    ///   - connections: how many at once; nil = as many as busd needs, and some for root.
    ///   - clients: who else is answered.
    public init(
        name: String, interface: InterfaceDefinition, options: DaemonOptions, loop: EventLoop, logger: Logger,
        joinsBus: Bool = true, connections: Int? = nil, clients: ServiceClients = .none
    ) {
        self.name = name
        self.options = options
        self.loop = loop
        self.logger = logger
        definition = interface
        self.joinsBus = joinsBus
        self.clients = clients
        connectionLimit = connections ?? ServiceLimits.connections
        trusted = Set([0, geteuid(), joinsBus ? Accounts.user("evenkeel-busd") : nil].compactMap { $0 })
        service = VarlinkService(info: .evenkeel(name), interfaces: [interface])
        turns = FairTurns(on: loop, turn: ServiceLimits.turn, visit: ServiceLimits.visit)
        peerLog = PeerLog(name + ": ", on: loop, logger: logger)
        events = EventPublisher(
            source: "/" + name, socket: options.privateSocket(of: "bus"), loop: loop, logger: logger)
    }

    /// Listens on the private socket and joins the bus, if it is to, now or as soon as it is there. `dispatch` answers the calls. After an
    /// error it may be called again.
    public func start(_ dispatch: @escaping Dispatch) throws(Errno) {
        self.dispatch = dispatch
        let path = options.privateSocket(of: name)
        let socket: FileDescriptor
        do throws(Errno) {
            try FileSystem.makeDirectory(options.runDirectory + "/private", mode: 0o750)
            // The directory keeps strangers out, the peer's credentials decide.
            socket = try UnixSocket.listen(at: path, mode: 0o666)
        } catch {
            if error.code != failure?.code { logger.error(UnixSocket.advice(after: error, listeningAt: path)) }
            failure = error
            throw error
        }
        listener = try Listener(socket, on: loop) { [weak self] in self?.accept($0) }
        guard joinsBus else { return }
        registration = BusRegistration(
            BusAPI.Register(name: name, interfaces: [definition.name], address: "unix:" + path),
            socket: options.privateSocket(of: "bus"), loop: loop, logger: logger)
        events.start()
    }

    /// Follows events of other daemons until the result is released.
    public func subscribe(
        types: [String], subjects: [String]? = nil, _ handler: @escaping (BusSubscription.Update) -> Void
    ) -> BusSubscription {
        BusSubscription(
            BusAPI.Subscribe(types: types, subjects: subjects), socket: options.privateSocket(of: "bus"), loop: loop,
            logger: logger,
            handler)
    }

    private func accept(_ descriptor: consuming FileDescriptor) {
        do throws(Errno) {
            let peer = try PeerCredentials(of: descriptor.number)
            if clients.users.contains(peer.uid) {
                let count = connections.values.count { $0.peer.uid == peer.uid }
                guard count < clients.connections else {
                    return peerLog.note("connection refused", peer, "\(count) are open; close some")
                }
                return try open(descriptor, peer)
            }
            guard trusted.contains(peer.uid) else {
                return peerLog.note("refused at the private socket", peer, "call through the bus instead")
            }
            let room = connectionLimit - (peer.uid == 0 ? 0 : ServiceLimits.reservedForRoot)
            let count =
                clients.users.isEmpty
                ? connections.count : connections.values.count { !clients.users.contains($0.peer.uid) }
            guard count < room else {
                return peerLog.note("connection refused", peer, "\(count) are open; close some")
            }
            try open(descriptor, peer)
        } catch {
            logger.warning("\(name): connection not accepted: \(error)")
        }
    }

    private func open(_ descriptor: consuming FileDescriptor, _ peer: PeerCredentials) throws(Errno) {
        let connection = try ServiceConnection(descriptor, peer, of: self, on: loop)
        connections[ObjectIdentifier(connection)] = connection
    }

    /// Whether a peer may say on whose behalf it calls: root and busd may, and nobody at a socket that busd does not use but root.
    func believes(_ peer: PeerCredentials) -> Bool { trusted.contains(peer.uid) }

    func serve(_ call: VarlinkCall, _ pending: PendingCall) {
        switch service.dispatch(call) {
        case .answer(let reply): pending.answer(reply)
        case .handle: dispatch?(call, pending)
        }
    }

    func drop(_ connection: ServiceConnection) {
        connections[ObjectIdentifier(connection)] = nil
    }
}

extension VarlinkServiceInfo {
    /// A program of this suite.
    public static func evenkeel(_ program: String) -> VarlinkServiceInfo {
        VarlinkServiceInfo(
            vendor: "Evenkeel", product: program, version: evenkeelVersion, url: "https://evenkeel.io/")
    }
}
