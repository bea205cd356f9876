// What a daemon gives to its private socket. Elections and probes go on beside it, so the unit is what one turn of the
// loop may take: a few milliseconds of a slow machine.
import Varlink

/// The limits of every daemon's private socket.
enum ServiceLimits {
    /// The longest call taken. busd passes on no more than 64 KiB for those who only read; administrators may send 1
    /// MiB, and busd adds the caller.
    static let messageOctets = VarlinkFramer.relayedLimit
    /// All connections together, in one turn: 64 KiB of a list take about 4 ms of a busy machine, which leaves an advertisement in
    /// time at the shortest interval there is, 10 ms.
    static let turn = TurnAllowance(calls: 16, octets: 1 << 16)
    /// One connection before the next one: a call, so that a short question does not wait for a flood on another
    /// connection.
    static let visit = TurnAllowance(calls: 1, octets: 1 << 16)
    /// Octets of the parts in which a long list is made, one after the other as turns come.
    static let listPart = 1 << 14
    /// A client that pipelines beyond this while calls wait is not read from.
    static let inputHighWater = 1 << 16
    /// A client that does not read its replies gets no further call served beyond this.
    static let outputHighWater = 1 << 20
    /// Connections of all users: busd opens at most 64.
    static let connections = 96
    /// Of these, those that are kept for root, so that `lbctl --direct` gets through whatever busd does.
    static let reservedForRoot = 24
}
