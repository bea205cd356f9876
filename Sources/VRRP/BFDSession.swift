// One BFD session with one neighbor in asynchronous mode (RFC 5880 §6.8): packets and the time come in, packets to send come out. No echo, no
// authentication, and no demand mode of our own; a neighbor that asks for demand mode gets it.

public import Configuration
public import Net

/// A session.
public struct BFDSession: Sendable {
    /// Its block.
    public private(set) var configuration: BFDConfiguration
    /// Ours.
    public private(set) var state = BFDState.down
    /// Why it went down last.
    public private(set) var diagnostic = BFDDiagnostic.none
    /// Our number for it, which the neighbor repeats.
    public let discriminator: UInt32

    // What the neighbor said last.
    private var remoteDiscriminator: UInt32 = 0
    private var remoteState = BFDState.down
    private var remoteMultiplier: UInt8 = 1
    private var remoteTransmit = Duration.zero
    /// RFC 5880 §6.8.1: 1 µs until something was heard.
    private var remoteReceive = Duration.microseconds(1)
    private var remoteDemands = false

    /// A poll sequence is under way: the neighbor has not confirmed our intervals yet.
    private var isPolling = false
    private var transmitAt: Instant
    private var detectAt: Instant?
    /// Until then being down says nothing about the neighbor: the session has just begun, or this host did not run for so long that the
    /// neighbor gave it up.
    private var excusedUntil: Instant?
    private var random: UInt64

    /// A session that begins to send at once, unless it is passive.
    /// - Parameter seed: spreads the packets of sessions that began together.
    public init(_ configuration: BFDConfiguration, discriminator: UInt32, seed: UInt64, at now: Instant) {
        self.configuration = configuration
        self.discriminator = max(1, discriminator)
        random = seed
        transmitAt = now
        excusedUntil = now + excuse
    }

    /// Goes on under another block that the neighbor cannot tell from its own: `BFDConfiguration.isSameSession`.
    public mutating func adopt(_ block: BFDConfiguration) { configuration = block }

    /// When to call `due`; nil while it only waits.
    public var deadline: Instant? {
        [isSending ? transmitAt : nil, detectAt, state == .up ? nil : excusedUntil].compactMap(\.self).min()
    }

    /// What of it is up is `good` for those that track it.
    public var report: TrackerReport {
        switch state {
        case .up: TrackerReport(.good, "up")
        case .adminDown, .down, .initialize:
            TrackerReport(.failed, diagnostic == .none ? "down, never up yet" : "down: \(diagnostic)")
        }
    }

    /// What it says about the neighbor to those that must not be misled by what happens to this host: nothing for five packets of a session
    /// that is down, after it began or this host did not run. Who tracks it hears `report`, as from keepalived.
    public var verdict: TrackerStanding {
        switch state {
        case .up: .good
        case .adminDown, .down, .initialize: excusedUntil == nil ? .failed : .unknown
        }
    }

    private var excuse: Duration { idleTransmit * 5 }

    private var idleTransmit: Duration { max(configuration.idleTransmit, .seconds(1), configuration.transmit) }

    /// What a session that is up and one that is not would like to send at.
    private var desiredTransmit: Duration { state == .up ? configuration.transmit : idleTransmit }

    /// Periodic packets are sent: RFC 5880 §6.8.7.
    private var isSending: Bool {
        if configuration.isPassive && remoteDiscriminator == 0 { return false }
        if remoteReceive == .zero { return false }
        return !(remoteDemands && state == .up && remoteState == .up && !isPolling)
    }

    private var detectionTime: Duration {
        max(configuration.receive, remoteTransmit) * Int(remoteMultiplier)
    }

    // MARK: Events

    /// A packet for this session that came with an acceptable TTL. Gives what to send at once.
    public mutating func received(_ packet: BFDPacket, at now: Instant) -> [BFDPacket] {
        guard packet.yours == discriminator || packet.yours == 0 else { return [] }
        excuseLateness(at: now)
        let before = (state, transmitInterval)
        let wasSending = isSending
        remoteDiscriminator = packet.mine
        remoteState = packet.state
        remoteMultiplier = packet.multiplier
        remoteTransmit = .microseconds(Int(packet.desiredTransmit))
        remoteReceive = .microseconds(Int(packet.requiredReceive))
        remoteDemands = packet.isDemand
        if packet.isFinal { isPolling = false }
        follow(packet.state)
        detectAt = now + detectionTime
        var packets: [BFDPacket] = []
        if packet.isPoll {
            var answer = self.packet
            (answer.isPoll, answer.isFinal) = (false, true)
            packets.append(answer)
        }
        if state != before.0 {
            if state == .up { (isPolling, excusedUntil) = (true, nil) }
            if isSending { packets.append(self.packet) }
            transmitAt = now + jittered(transmitInterval)
        } else if !wasSending {
            // Not that it was late until now.
            transmitAt = now
        } else if transmitInterval < before.1 {
            transmitAt = min(transmitAt, now + jittered(transmitInterval))
        }
        return packets
    }

    /// The state machine of RFC 5880 §6.8.6.
    private mutating func follow(_ remote: BFDState) {
        switch (state, remote) {
        case (.adminDown, _): return
        case (.initialize, .adminDown), (.up, .adminDown), (.up, .down): goDown(.neighborSignalled)
        case (.down, .adminDown), (.down, .up), (.initialize, .down), (.up, .initialize), (.up, .up): return
        case (.down, .down): state = .initialize
        case (.down, .initialize), (.initialize, .initialize), (.initialize, .up): state = .up
        }
    }

    private mutating func goDown(_ why: BFDDiagnostic) {
        state = .down
        diagnostic = why
        isPolling = false
    }

    /// `deadline` has come. Gives what to send.
    public mutating func due(at now: Instant) -> [BFDPacket] {
        excuseLateness(at: now)
        if let detectAt, detectAt <= now {
            self.detectAt = nil
            // RFC 5880 §6.8.1: it may be another session when it is heard again.
            remoteDiscriminator = 0
            remoteReceive = .microseconds(1)
            remoteDemands = false
            if state == .up || state == .initialize {
                goDown(.detectionTimeExpired)
                transmitAt = now
            }
        }
        guard isSending, transmitAt <= now else { return [] }
        transmitAt = now + jittered(transmitInterval)
        return [packet]
    }

    /// This host was silent for as long as the neighbor waits: whatever the neighbor did then is no fault of its own.
    private mutating func excuseLateness(at now: Instant) {
        if let excusedUntil, excusedUntil <= now { self.excusedUntil = nil }
        let missed = max(transmitInterval * (Int(configuration.multiplier) - 1), transmitInterval / 4)
        if isSending, now - transmitAt >= missed { excusedUntil = now + excuse }
    }

    /// The last packet: this end goes, which is no failure of the path.
    public mutating func end() -> BFDPacket? {
        guard remoteDiscriminator != 0 else { return nil }
        goDown(.administrativelyDown)
        state = .adminDown
        return packet
    }

    // MARK: Sending

    /// The neighbor is never sent more than it can take.
    private var transmitInterval: Duration { max(desiredTransmit, remoteReceive) }

    /// Between 75 and 100 percent of it, 75 to 90 where none may be lost (RFC 5880 §6.8.7).
    private mutating func jittered(_ interval: Duration) -> Duration {
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let share = Int64(random >> 33) % (configuration.multiplier == 1 ? 151 : 251)
        return .nanoseconds(interval.nanoseconds / 1000 * (750 + share))
    }

    private var packet: BFDPacket {
        var packet = BFDPacket(
            state: state, multiplier: configuration.multiplier, mine: discriminator, yours: remoteDiscriminator,
            desiredTransmit: microseconds(desiredTransmit), requiredReceive: microseconds(configuration.receive))
        packet.diagnostic = diagnostic
        packet.isPoll = isPolling
        return packet
    }

    private func microseconds(_ duration: Duration) -> UInt32 { UInt32(clamping: duration.nanoseconds / 1000) }
}
