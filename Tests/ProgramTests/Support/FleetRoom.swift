// checkd over a fleet of servers in a network namespace of its own, with scriptd and busd, and what is heard of them.
import Bus
import JSON
import Net
import Platform

/// A fleet under watch.
final class FleetRoom {
    let room: CheckRoom
    let segment: Segment
    let fleet: Fleet
    private let tap: EventTap
    /// How many events were looked at.
    private var seen = 0

    /// `timeout`: connect_timeout of all checkers, in seconds; `types`: the events that are followed.
    init(_ counts: [FleetServer.Kind: Int], timeout: Double, following types: [String]) throws {
        room = try CheckRoom(bus: true)
        segment = try Segment(hosts: 1, loop: room.loop)
        fleet = try Fleet(counts, timeout: timeout, on: segment.hosts[0], in: room)
        tap = try room.listen(types)
    }

    /// What runs a command where the fleet is.
    private var prefix: [String] { ["/sbin/ip", "netns", "exec", segment.hosts[0].namespace] }

    /// Writes the configuration, and starts scriptd and checkd.
    func start(_ configuration: String) throws {
        try room.configure(configuration)
        try room.startScriptd()
        try restart()
    }

    /// Starts checkd (again).
    func restart() throws { try room.restart(prefix) }

    /// Runs a command in the namespace.
    func run(_ words: [String]) throws { try segment.run(prefix + words) }

    /// The events that have come since this was asked last.
    func news() -> ArraySlice<JSONObject> {
        defer { seen = tap.events.count }
        return tap.events[seen...]
    }

    /// Runs the loop for some time.
    func run(for time: Duration) throws {
        let end = room.loop.refreshNow() + time
        while room.loop.now < end { try room.loop.turn(timeoutMilliseconds: 5) }
    }
}
