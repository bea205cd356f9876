// Hosts on wires, in simulated time: packets are delayed, lost, doubled and cut off, and nothing happens but what is due next.

import HeapModule
import Net
import VRRP

/// Wires and the hosts on them.
final class SimulatedNetwork {
    private struct Due: Comparable {
        enum What {
            case turn(Int)
            case packet([UInt8], IPAddress, MACAddress?, host: Int, segment: Int)
        }
        let at: Instant
        let ordinal: Int
        let what: What

        static func < (left: Due, right: Due) -> Bool { (left.at, left.ordinal) < (right.at, right.ordinal) }
        static func == (left: Due, right: Due) -> Bool { left.ordinal == right.ordinal }
    }

    private(set) var now = Instant(nanoseconds: 1_000_000_000)
    var random: SplitMix
    var hosts: [ScriptedHost] = []
    var lossPercent = 0
    var duplicatePercent = 0
    private var queue = Heap<Due>()
    private var lastOrdinal = 0

    init(seed: UInt64 = 1) {
        random = SplitMix(seed: seed)
    }

    /// The host gets a turn at the time.
    func wake(_ host: ScriptedHost, at time: Instant) {
        push(.turn(host.number), at: max(time, now))
    }

    /// A packet goes out to all other hosts on the wire.
    func transmit(
        _ packet: [UInt8], to destination: IPAddress, from sender: ScriptedHost, on segment: Int, mac: MACAddress? = nil
    ) {
        for host in hosts where host !== sender && host.side == sender.side {
            guard Int.random(in: 0..<100, using: &random) >= lossPercent else { continue }
            let copies = Int.random(in: 0..<100, using: &random) < duplicatePercent ? 2 : 1
            for _ in 0..<copies {
                let delay = Duration.microseconds(Int.random(in: 20...500, using: &random))
                push(.packet(packet, destination, mac, host: host.number, segment: segment), at: now + delay)
            }
        }
    }

    private func push(_ what: Due.What, at time: Instant) {
        lastOrdinal += 1
        queue.insert(Due(at: time, ordinal: lastOrdinal, what: what))
    }

    /// Runs for a time; calls `step` after everything that happened.
    func run(_ duration: Duration, _ step: (SimulatedNetwork) -> Void = { _ in }) {
        let end = now + duration
        while let due = queue.min, due.at <= end {
            queue.removeMin()
            now = max(now, due.at)
            switch due.what {
            case .turn(let number):
                let host = hosts[number]
                if host.pausedUntil > now {
                    wake(host, at: host.pausedUntil)
                    continue
                }
                host.turn()
            case .packet(let packet, let destination, let mac, let number, let segment):
                for (index, place) in hosts[number].segments where place == segment {
                    hosts[number].arrive(packet, to: destination, at: index, from: mac)
                }
            }
            step(self)
        }
        now = end
    }
}
