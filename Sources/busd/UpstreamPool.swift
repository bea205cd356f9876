// The connections to one daemon, and the clients that wait for one. There are few, so that no number of clients uses a
// daemon's descriptors up; each user has a share, root keeps a reserve, and users that wait take turns.
import Bus
import DequeModule
import Net
import Platform

final class UpstreamPool {
    private static let look: Duration = .milliseconds(500)

    let loop: EventLoop
    private unowned let broker: Broker
    private let name: String
    private let socketPath: String
    private let uid: UInt32
    private var open: [ObjectIdentifier: Upstream] = [:]
    private var resting: [Upstream] = []
    private var waiting: [UInt32: Deque<Client>] = [:]
    private var order: Deque<UInt32> = []
    private var expiry: LoopTimer?
    private var isServing = false
    private var knownProblem: String?

    /// The daemon `name`, which runs as `uid` and listens at `socketPath`.
    init(_ name: String, at socketPath: String, of uid: UInt32, _ broker: Broker) {
        self.name = name
        self.socketPath = socketPath
        self.uid = uid
        self.broker = broker
        loop = broker.loop
        expiry = loop.timer { [weak self] in self?.expire() }
    }

    /// Connections to the daemon.
    var count: Int { open.count }

    /// Connects once, to see whether the daemon is where it says; the connection serves the first client.
    func connect() throws(Upstream.Failure) {
        resting.append(try make())
    }

    /// A connection for a client's call; nil when none is to be had now: then it may `wait`.
    func take(for client: Client) throws(Upstream.Failure) -> Upstream? {
        guard hasRoom(for: client.account) || yield(to: client.account) else { return nil }
        let upstream: Upstream
        if let rested = resting.popLast() { upstream = rested } else { upstream = try make() }
        upstream.serve(client)
        return upstream
    }

    private func make() throws(Upstream.Failure) -> Upstream {
        let upstream = try Upstream(to: socketPath, of: uid, self)
        open[ObjectIdentifier(upstream)] = upstream
        if expiry?.deadline == nil { expiry?.arm(after: Self.look) }
        return upstream
    }

    /// Whether a user may have one more in use, and there is one or room to make one.
    private func hasRoom(for account: Account) -> Bool {
        let used = open.count - resting.count
        let limit = Limits.upstreams - (account.isReserved ? 0 : Limits.reservedUpstreams)
        guard used < limit else { return false }
        let own = open.values.count { $0.account === account } - resting.count { $0.account === account }
        return own < account.quota.upstreams
    }

    /// Takes a connection that only stays with its client, and is not in use, away from it: the user's own, or else
    /// anybody's.
    private func yield(to account: Account) -> Bool {
        let idle = open.values.filter { $0.isSpare(at: loop.now) }
        guard let victim = idle.first(where: { $0.account === account }) ?? idle.first else { return false }
        victim.close()
        return hasRoom(for: account)
    }

    // MARK: Waiting

    /// The client is served when its user's turn comes.
    func wait(_ client: Client) {
        let uid = client.account.uid
        if waiting[uid] == nil { order.append(uid) }
        waiting[uid, default: []].append(client)
    }

    /// The client waits no more.
    func forget(_ client: Client) {
        let uid = client.account.uid
        waiting[uid]?.removeAll { $0 === client }
        guard waiting[uid]?.isEmpty == true else { return }
        waiting[uid] = nil
        order.removeAll { $0 == uid }
    }

    /// Gives what is free to those who wait.
    func serveWaiting() {
        guard !isServing else { return }
        isServing = true
        defer { isServing = false }
        var turns = order.count
        while turns > 0, let uid = order.first, let client = waiting[uid]?.first {
            turns -= 1
            order.removeFirst()
            guard hasRoom(for: client.account) || yield(to: client.account) else {
                order.append(uid)
                continue
            }
            waiting[uid]?.removeFirst()
            if waiting[uid]?.isEmpty == true { waiting[uid] = nil } else { order.append(uid) }
            turns = order.count
            do throws(Upstream.Failure) {
                client.resume(on: try take(for: client))
            } catch {
                broken(error.description)
                client.resume(on: nil)
                return refuseWaiting()
            }
        }
    }

    /// The daemon cannot be reached.
    private func refuseWaiting() {
        let clients = waiting.values.flatMap { $0 }
        waiting = [:]
        order = []
        for client in clients { client.resume(on: nil) }
    }

    // MARK: What upstreams say

    /// A connection is free for the next client.
    func rested(_ upstream: Upstream) {
        broker.settle(upstream.account)
        resting.append(upstream)
        knownProblem = nil
        serveWaiting()
    }

    /// A connection is over.
    func ended(_ upstream: Upstream) {
        guard open.removeValue(forKey: ObjectIdentifier(upstream)) != nil else { return }
        resting.removeAll { $0 === upstream }
        broker.settle(upstream.account)
        serveWaiting()
    }

    /// For the journal.
    func say(_ text: String) { broker.logger.notice(text) }

    /// The daemon did something wrong. Told again only after it did something right.
    func broken(_ problem: String) {
        if problem != knownProblem { broker.logger.warning("\(name): \(socketPath): \(problem)") }
        knownProblem = problem
    }

    // MARK: The end

    private func expire() {
        for upstream in open.values {
            if let deadline = upstream.deadline, deadline <= loop.now { upstream.close() }
        }
        // One that was not to be had a moment ago may be now.
        if !order.isEmpty { serveWaiting() }
        if !open.isEmpty { expiry?.arm(after: Self.look) }
    }

    /// The daemon has left the bus: what is under way may end by itself.
    func close() {
        refuseWaiting()
        for upstream in resting { upstream.close() }
    }
}
