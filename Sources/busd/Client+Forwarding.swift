// Calls that a daemon answers, seen from the client.
import Bus
import Platform
import Varlink

/// A call on its way to a daemon for which no connection was free.
struct WaitingCall {
    let service: AttachedService
    let interface: String
    let octets: [UInt8]
    let isOneway: Bool
    /// What the journal says of a call that changes something.
    let change: String?

    var expectation: Upstream.Expectation { isOneway ? .discarded : .relayed }
}

extension Client {
    /// Passes a call on, now or when a connection to the daemon is free.
    func forward(_ call: WaitingCall) throws(Upstream.Failure) {
        if let upstream = upstreams[ObjectIdentifier(call.service)] { return start(call, on: upstream) }
        let pool = call.service.upstreams
        if let upstream = try pool.take(for: self) { return start(call, on: upstream) }
        account.calls += 1
        account.queued.octets += call.octets.count
        activity = .waiting(call)
        pool.wait(self)
    }

    private func start(_ call: WaitingCall, on upstream: Upstream) {
        upstreams[ObjectIdentifier(call.service)] = upstream
        upstream.send(call.octets, call.expectation, change: call.change)
        if call.isOneway {
            onewaysUnderWay += 1
            activity = .idle
        } else {
            activity = .forwarding(upstream, interface: call.interface)
        }
    }

    /// The wait is over: with a connection, or without when there is none to be had.
    func resume(on upstream: Upstream?) {
        guard case .waiting(let call) = activity else { return }
        stopWaiting(call)
        activity = .idle
        if let upstream {
            start(call, on: upstream)
        } else {
            if let change = call.change { broker.logger.notice("\(change): not passed on") }
            if !call.isOneway { send(VarlinkReply(BusAPI.ServiceUnavailable(interface: call.interface))) }
        }
        broker.turns.join(self)
    }

    /// Gives back what a waiting call is charged.
    func stopWaiting(_ call: WaitingCall) {
        account.calls -= 1
        account.queued.octets -= call.octets.count
    }

    /// Passes a reply on.
    func relay(_ octets: [UInt8], isLast: Bool, from upstream: Upstream) {
        guard case .forwarding(let current, _) = activity, current === upstream else { return }
        send(octets: octets)
        if isLast {
            activity = .idle
            broker.turns.join(self)
        } else if queued > Limits.outputHighWater {
            upstream.isReading = false
        }
    }

    /// A daemon has done a oneway call.
    func onewayFinished() {
        onewaysUnderWay -= 1
        broker.turns.join(self)
    }

    /// A connection serves others from now on.
    func lost(_ upstream: Upstream) {
        for (key, own) in upstreams where own === upstream { upstreams[key] = nil }
    }

    /// A daemon's connection is gone, and with it the answers to these calls; whoever waits for a reply is told.
    func upstreamEnded(_ upstream: Upstream, _ unanswered: some Sequence<Upstream.Expectation>) {
        lost(upstream)
        for expectation in unanswered where expectation == .discarded { onewaysUnderWay -= 1 }
        if case .forwarding(let current, let interface) = activity, current === upstream {
            activity = .idle
            send(VarlinkReply(BusAPI.ServiceUnavailable(interface: interface)))
        }
        broker.turns.join(self)
    }
}
