// `interface_up_down_delays`: a link's change counts only when it has lasted. What counts is remembered by name; an interface that is gone
// counts as gone at once, and one that is seen for the first time counts as it is.

internal import Configuration
internal import Net

/// Links with delays, and what counts of them.
struct LinkDamping {
    private struct Link {
        /// What counts.
        var isUsable: Bool
        /// When the opposite counts; nil while nothing is different.
        var changesAt: Instant?
    }

    private var delays: [String: LinkDelays] = [:]
    private var links: [String: Link] = [:]

    /// Whether the interface counts as up.
    func isUsable(_ link: VRRP.Link) -> Bool { links[link.name]?.isUsable ?? link.isUsable }

    /// When to call `due`.
    var deadline: Instant? { links.values.lazy.compactMap(\.changesAt).min() }

    /// Goes over to these delays. One that became shorter counts from the next change.
    mutating func adopt(_ delays: [String: LinkDelays]) {
        self.delays = delays
        links = links.filter { delays[$0.key] != nil }
    }

    /// Compares the delayed links with what the table says.
    mutating func observe(_ table: LinkTable, at now: Instant) {
        for (name, delay) in delays {
            guard let isUsable = table.link(named: name)?.isUsable else {
                links[name] = nil
                continue
            }
            guard let before = links[name] else {
                links[name] = Link(isUsable: isUsable)
                continue
            }
            let wait = isUsable ? delay.up : delay.down
            if before.isUsable == isUsable {
                links[name]?.changesAt = nil
            } else if wait == .zero {
                links[name] = Link(isUsable: isUsable)
            } else if before.changesAt == nil {
                links[name]?.changesAt = now + wait
            }
        }
    }

    /// The names of the links whose change counts now.
    mutating func due(at now: Instant) -> [String] {
        let names = links.filter { $0.value.changesAt.map { $0 <= now } ?? false }.keys.sorted()
        for name in names { links[name] = links[name].map { Link(isUsable: !$0.isUsable) } }
        return names
    }
}
