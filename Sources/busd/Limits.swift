// Every limit of the bus, and why it is what it is. docs/busd.md and io.evenkeel.Bus.varlink say the same to people.
import Bus
import Net
import Varlink

/// Limits that do not depend on who asks.
enum Limits {
    // MARK: Messages

    /// Octets of a stranger's message: enough for a call to be refused by name.
    static let strangerMessage = 4 << 10
    /// Octets of a call by somebody who only reads, and of any call that busd answers itself: a hundred times the
    /// longest that anybody needs. Publish, and what administrators have passed on, may have 1 MiB.
    static let callOctets = 64 << 10
    /// JSON values in such a call: what reading them costs goes by their number more than by their octets.
    static let callValues = 1024
    /// Octets of one event with what Subscribe puts around it, so that it fits into a message whatever its place.
    static let event = VarlinkFramer.messageLimit - 128

    // MARK: The loop

    /// All clients in one turn: a few milliseconds, so that an event is never late by more.
    static let turn = TurnAllowance(calls: 512, octets: 1 << 18)
    /// One client before the next one.
    static let visit = TurnAllowance(calls: 64, octets: 1 << 16)
    /// Octets that a reader of a snapshot is sent at a time, and a channel gathers at most.
    static let outputPiece = 1 << 18
    /// Kept events that are looked at for a reader before others have their turn.
    static let snapshotStep = 4096
    /// Input held for a busy client before it is no longer read from.
    static let inputHighWater = 1 << 16
    /// Output queued before no further call is taken.
    static let outputHighWater = 1 << 20
    /// The same for strangers, who get nothing but refusals.
    static let strangerOutput = 1 << 14

    // MARK: Events

    /// Octets of events queued for a subscriber before it counts as too slow.
    static let subscriberBudget = 4 << 20
    /// Patterns of one subscription: every event is held against each that ends in `*`.
    static let patterns = 64
    /// Octets of these patterns together.
    static let patternOctets = 4 << 10
    /// Removals that are remembered for readers of a snapshot before the slowest of them are ended.
    static let removals = 1 << 16

    // MARK: Daemons

    /// Connections to one daemon: it is not to run out of descriptors or memory because of what clients do.
    static let upstreams = 64
    /// Of these, those that only root and the daemons get.
    static let reservedUpstreams = 16
    /// A connection to a daemon that nobody uses is closed after this; longer than a client that asks every second
    /// pauses.
    static let idleUpstream: Duration = .seconds(2)
    /// One that carried a change stays with its client for this long, because the daemon may keep something for it
    /// (PrepareReload); as long as a person thinks before the second step.
    static let keptUpstream: Duration = .seconds(60)
    /// One that carried a change is not taken from its client for others this soon: the second step of a reload follows the first.
    static let undisturbedUpstream: Duration = .seconds(10)
    /// What a daemon gets to finish a call whose caller is gone.
    static let orphanedUpstream: Duration = .seconds(5)
    /// Oneway calls of one client that a daemon has not finished before no further call is taken from the client.
    static let onewayCalls = 16

    // MARK: Connections

    /// Descriptors that are left for root and the daemons when everybody else has theirs.
    static let reservedDescriptors = 64
    /// Strangers together get this part of the descriptors, and no more than so many connections: each may hold 80 KiB.
    static let strangersPart = 4
    static let strangers = 512
    /// Octets held for all users together for whom no room is kept; each gets its part of them. Beside what root and
    /// the daemons may have, it stays under MemoryMax= of the unit.
    static let queuedByOthers = 64 << 20
    /// Connections beyond a user's quota that are told so; more are closed without a word.
    static let refusedConnections = 8
}
