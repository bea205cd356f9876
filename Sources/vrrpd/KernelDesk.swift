// What the daemon asks of the kernel and hears from it: changes in requests that leave room for their notifications, what was said meanwhile, and
// when tables have to be read again because something may have gone unheard or an answer was lost.

import Net
import Netlink
import Platform
import VRRP

/// The kernel's addresses, interfaces and routes, as events for the director.
final class KernelDesk {
    private let kernel: any AddressKernel
    private let turns: any Turns
    /// What the kernel said, to be handled when the event before it is done.
    private var heard: [Event] = []
    /// Routes may have gone unheard: they are read anew at the end of the event.
    var isRoutingInDoubt = false
    /// When to read the kernel's table again; nil = the table is right.
    private(set) var readTableAt: Instant?
    /// Why the table could not be read.
    private(set) var tableTrouble: String?
    /// Why the rules of `no_accept` could not be set.
    private(set) var rulesTrouble: String?

    /// Answers to so many requests fit the buffer of the socket that asks.
    private static let changesAtOnce = 128
    private static let notificationsAtOnce = 256
    /// Notifications of so many changes fit the monitor's buffer with room to spare.
    private static let unheardChanges = 1024
    /// A table that could not be read is read again after this.
    private static let retryInterval = Duration.seconds(1)

    init(_ kernel: any AddressKernel, _ turns: any Turns) {
        self.kernel = kernel
        self.turns = turns
    }

    /// Reads the table for the first time; `watch` says which routes are to be heard of from then on.
    func begin(_ watch: () -> Void) throws(NetlinkError) {
        let news = kernel.resynchronise()
        if case .stale(let error) = news { throw error }
        watch()
        take(news)
    }

    /// Routes of these makers are heard of from now on; those that are there already are read.
    func watchRoutes(of origins: Set<UInt8>) {
        kernel.watchRoutes(of: origins)
        isRoutingInDoubt = true
    }

    /// Notifications wait. So many are read at once that a flood does not hold up the loop.
    func hear() { take(kernel.update(limit: Self.notificationsAtOnce)) }

    /// What the kernel notifies of after changes of ours.
    func hearOwn() { take(kernel.update(limit: .max)) }

    /// There is something for the director.
    var hasNews: Bool { !heard.isEmpty || isRoutingInDoubt }

    /// Hands over what was heard.
    func takeNews(of origins: @autoclosure () -> Set<UInt8>) -> [Event] {
        if isRoutingInDoubt { readRouting(of: origins()) }
        defer { heard = [] }
        return heard
    }

    /// An answer was lost: the table is read at the next opportunity.
    func doubtTable() {
        readTableAt = turns.now
        forgetTable()
    }

    func readTableIfDue() {
        guard let due = readTableAt, due <= turns.now else { return }
        readTableAt = nil
        take(kernel.resynchronise())
    }

    /// Asks the kernel for changes. What it notifies of is to be heard afterwards, once what waits for the changes is done: reading it takes
    /// longer than the changes. Only where there would be no room for more is it heard in between.
    func change(_ changes: [KernelChange]) -> Event {
        var refused: [KernelChange: String?] = [:]
        var rest = changes[...]
        var unheard = 0
        while !rest.isEmpty {
            let chunk = Array(rest.prefix(Self.changesAtOnce))
            forgetTable()
            do throws(NetlinkError) {
                for refusal in try kernel.apply(chunk) {
                    refused[refusal.change] = .some(refusal.error.isOfLostInterface ? nil : "\(refusal.error)")
                }
            } catch {
                guard error.stateIsUnknown else {
                    for change in rest { refused[change] = .some("\(error)") }
                    return .changed(changes, refused: refused)
                }
                return .changesUnknown(changes, "\(error)")
            }
            rest = rest.dropFirst(chunk.count)
            unheard += chunk.count
            if unheard >= Self.unheardChanges, !rest.isEmpty {
                hearOwn()
                unheard = 0
            }
        }
        return .changed(changes, refused: refused)
    }

    /// Has the kernel drop what these rules say, and nothing else.
    func drop(_ rules: DropRules) -> Event {
        var failure: String?
        do throws(NetlinkError) {
            try kernel.drop(rules)
        } catch {
            failure = "\(error)"
        }
        rulesTrouble = rules.addresses.isEmpty ? nil : failure
        return .dropping(rules, failure: failure)
    }

    /// Asks the kernel for changes of interfaces: few, and each depends on the one before.
    func change(_ changes: [LinkChange]) -> Event {
        var refused: [LinkChange: String] = [:]
        for change in changes {
            forgetTable()
            do throws(NetlinkError) {
                try kernel.apply(change)
            } catch {
                if !error.isOfLostInterface { refused[change] = "\(error)" }
                if error.stateIsUnknown { readTableAt = turns.now }
            }
        }
        hear()
        return .linksChanged(changes, refused: refused)
    }

    /// A table that was read before a change says nothing of it: it is read again.
    private func forgetTable() {
        let before = heard.count
        heard.removeAll { if case .snapshot = $0 { true } else { false } }
        if heard.count < before { readTableAt = turns.now }
    }

    private func take(_ news: RouteMonitor.News) {
        switch news {
        case .nothing:
            return
        case .changed(let events):
            heard.append(.links(events))
        case .replaced(let snapshot, let events):
            readTableAt = nil
            tableTrouble = nil
            heard.append(.snapshot(snapshot, then: events))
        case .stale(let error):
            readTableAt = min(readTableAt ?? .distantFuture, turns.now + Self.retryInterval)
            tableTrouble = "\(error)"
        }
    }

    /// What the kernel said before is older than what is read now.
    private func readRouting(of origins: Set<UInt8>) {
        isRoutingInDoubt = false
        hear()
        do throws(NetlinkError) {
            heard.append(.routing(try kernel.routing(of: origins)))
        } catch {
            readTableAt = turns.now + Self.retryInterval
        }
    }
}

extension NetlinkError {
    /// The interface has just gone: its notification is on the way, and nobody has refused anything.
    fileprivate var isOfLostInterface: Bool { code == lostInterface }
}

/// ENODEV.
private let lostInterface: Int32 = 19
