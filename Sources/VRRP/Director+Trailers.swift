// `auth_hmac`: what the next advertisement is signed with, and which of those heard are believed. In the order of their cost and of what they
// prove: form, time, key, HMAC, and last the sequence number, which nobody without a key may move.

internal import Configuration
internal import Net

extension Director {
    /// What the router's next advertisement is signed with.
    mutating func trailerSignature(_ index: RouterTable.Index, at now: Instant) -> TrailerSignature? {
        guard let rules = routers.values[index].machine.configuration.authenticationHMAC, rules.signs,
            let key = rules.secret(of: rules.activeKey)
        else { return nil }
        let reading = clock.read(wallTime(), at: now)
        let sequence = routers.values[index].replays.next(
            reading.stamp, window: rules.antiReplay == .time ? rules.window : nil)
        return TrailerSignature(keyID: rules.activeKey, key: key, sequence: sequence)
    }

    /// Believes an advertisement's trailer, or says why not.
    mutating func checkTrailer(
        of received: ReceivedAdvertisement, in packet: ArraySlice<UInt8>, for index: RouterTable.Index,
        at now: Instant
    ) throws(DecodeError) {
        guard let rules = routers.values[index].machine.configuration.authenticationHMAC else {
            guard received.trailer == nil else { throw .trailer(.unexpected) }
            return
        }
        guard let trailer = received.trailer else {
            guard rules.mode != .enforce else { throw .trailer(.missing) }
            return
        }
        guard trailer.isWellFormed else { throw .trailer(.malformed) }
        var limit = ReplayGuard.multicastSenders
        if case .unicast(let peers, _) = routers.values[index].block.delivery {
            guard peers.contains(where: { $0.address == received.source }) else { throw .source(received.source) }
            limit = peers.count
        }
        let reading = clock.read(wallTime(), at: now)
        let isTimed = rules.antiReplay == .time
        let difference = reading.difference(of: trailer.sequence.seconds)
        // Cheap, so that a flood of old packets costs no digest each.
        guard !isTimed || difference.magnitude <= rules.window else { throw .trailer(difference < 0 ? .past : .future) }
        guard let key = rules.secret(of: trailer.keyID) else { throw .trailer(.unknownKey(trailer.keyID)) }
        let header: PacketHeader = try PacketHeader(parsing: packet)
        let message = packet.dropFirst(header.length).prefix(header.totalLength - header.length)
        guard sealer.verifies(trailer, of: message, from: received.source, key: key) else {
            throw .trailer(.code(key: trailer.keyID))
        }
        let isNew = routers.values[index].replays.accepts(trailer.sequence, from: received.source, limit: limit) {
            isTimed && reading.difference(of: $0.seconds).magnitude > rules.window
        }
        guard isNew else { throw .trailer(.replay) }
        if isTimed { clock.confirm(trailer.sequence.seconds, within: rules.window, reading, at: now) }
    }
}
