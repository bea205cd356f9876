// The file of what ipvsd remembers of its services: written after a turn that changed something, and not again before twenty times as long as
// that took, so that a large table under a storm of verdicts costs 5 % of a processor and a small one is never behind. It is worth nothing after
// a boot and never synced.

import Configuration
import IPVS
import Net
import Platform

final class StandingKeeper {
    private static let restRatio = 20
    private static let longestRest = Duration.seconds(2)

    private let store: any StateStore
    private let boot: String
    /// What an earlier process of this boot knew.
    let memory: Memory
    /// Why it could not be read at the start; nil once it was replaced.
    private var readFailure: Errno?
    /// Since when each service is on its side of the quorum.
    private(set) var since: [VirtualServerIdentity: SideSince]
    private var isSinceNew = false
    private var handedOver = 0
    private var isWriting = false
    private var notBefore: Instant

    /// Reads `store`; where there is none, the file of 0.1.0. Writes it from `start` on.
    init(_ store: any StateStore, old: any StateStore, boot: String, from start: Instant = .zero) {
        self.store = store
        self.boot = boot
        notBefore = start
        var text = ""
        do throws(Errno) {
            var octets = try store.read()
            if octets == nil { octets = try old.read() }
            text = String(decoding: octets ?? [], as: UTF8.self)
            readFailure = nil
        } catch {
            readFailure = error
        }
        memory = Memory(parsing: text, boot: boot)
        since = memory.services.compactMapValues(\.since)
    }

    /// Where it is.
    var path: String { store.path }
    /// Why it could not be read, or be written last.
    var failure: Errno? { store.failure ?? readFailure }
    /// A service came to a side; nil: it is gone.
    func note(_ service: VirtualServerIdentity, _ since: SideSince?) {
        guard self.since[service] != since else { return }
        self.since[service] = since
        isSinceNew = true
    }

    private func hasNews(_ version: Int) -> Bool { version != handedOver || isSinceNew }

    /// When `write` has something to do.
    func deadline(for version: Int) -> Instant { hasNews(version) && !isWriting ? notBefore : .distantFuture }

    /// Hands what changed since the last version to the disk if it is time, or for the last time. `clock` tells how long that took.
    func write(
        _ standings: [VirtualServerIdentity: Standing], version: Int, at now: Instant, isLast: Bool = false,
        clock: @escaping () -> Instant
    ) {
        guard hasNews(version), isLast || !isWriting && now >= notBefore else { return }
        handedOver = version
        isSinceNew = false
        isWriting = true
        store.write({ [boot, since] in Array(Memory.text(of: standings, since: since, boot: boot).utf8) }) {
            [weak self] error in
            guard let self else { return }
            isWriting = false
            if error == nil { readFailure = nil }
            let done = clock()
            notBefore = done + min((done - now) * Self.restRatio, Self.longestRest)
        }
    }
}
