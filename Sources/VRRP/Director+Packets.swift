// What arrives: a table of 256 routers per channel, no names, no searching.

internal import Configuration
public import Net

extension Director {
    /// What waited longer says that this process did not run: newer packets may have found no room, so it counts from now.
    private static let promptness = Duration.milliseconds(50)

    mutating func received(_ packet: ArraySlice<UInt8>, through key: ChannelKey, arrived: Instant?, at now: Instant) {
        guard let channel = channels[key] else { return }
        var heardAt = now
        if let arrived, arrived < now, now - arrived < Self.promptness { heardAt = arrived }
        do throws(DecodeError) {
            let received = try ReceivedAdvertisement(packet: packet, group: group4)
            let identifier = received.advertisement.virtualRouterID
            guard let id = router(of: channel.routers[Int(identifier)], hearing: received.source),
                let index = routers.index(forKey: id)
            else {
                return noteForeign(identifier, from: received.source)
            }
            do throws(DecodeError) {
                let remark = try routers.values[index].machine.configuration.admit(received)
                try checkSignature(of: received, in: packet, for: index)
                try checkTrailer(of: received, in: packet, for: index, at: now)
                routers.values[index].peers.heard(received, at: now)
                noteChecksum(of: received, for: index)
                if let remark { refuse(remark, from: received.source, by: id, isAccepted: true, at: now) }
            } catch {
                return refuse(error, from: received.source, by: id, at: now)
            }
            run(id, at: now) { $0.received(received.advertisement, from: received.source, arrived: heardAt, at: now) }
            if received.advertisement.priority > 0 {
                noteRival(of: index, from: received.source, refusal: nil, at: now)
            }
        } catch {
            let source = ReceivedAdvertisement.source(ofPacket: packet)
            // Damage that hides whom it is for counts for every router of the channel.
            if let identifier = ReceivedAdvertisement.virtualRouterID(ofPacket: packet) {
                for id in channel.routers[Int(identifier)] { refuse(error, from: source, by: id, at: now) }
            } else {
                for id in channel.routers.joined() { refuse(error, from: source, by: id, isAttributed: false, at: now) }
            }
        }
    }

    /// `old_unicast_checksum`: a peer gets what it sends.
    private mutating func noteChecksum(
        of received: ReceivedAdvertisement, for index: RouterTable.Index
    ) {
        let isOld = received.checksum == .groupPseudoHeader
        guard isOld || !routers.values[index].oldPeers.isEmpty else { return }
        if !isOld {
            routers.values[index].oldPeers.remove(received.source)
        } else if case .unicast(let peers, _) = routers.values[index].block.delivery,
            peers.contains(where: { $0.address == received.source })
        {
            routers.values[index].oldPeers.insert(received.source)
        }
    }

    private static let signers = 64

    /// `auth_type AH`: the number of what is accepted is the virtual router's from then on.
    private mutating func checkSignature(
        of received: ReceivedAdvertisement, in packet: ArraySlice<UInt8>, for index: RouterTable.Index
    ) throws(DecodeError) {
        guard let key = routers.values[index].machine.configuration.headerKey, let header = received.header else {
            return
        }
        let router = routers.values[index]
        let isUnicast =
            switch router.block.delivery {
            case .multicast: false
            case .unicast: true
            }
        guard case .v4(let source) = received.source, header.parameters == source.rawValue,
            AuthenticationHeader.verifies(packet, key: key, isUnicast: isUnicast, digest)
        else { throw .authentication(.signature) }
        // Only who has the key gets here; more hosts than this are none of a virtual router's.
        let last = router.sequences[received.source] ?? (router.sequences.count < Self.signers ? 0 : .max)
        guard header.sequence > last else { throw .authentication(.replay(header.sequence)) }
        routers.values[index].sequences[received.source] = header.sequence
        routers.values[index].sequence = max(router.sequence, header.sequence)
    }

    /// Virtual routers of others wake this process only where people want to read of them; each is said once.
    private mutating func noteForeign(_ identifier: UInt8, from source: IPAddress) {
        guard hearsForeign, saidForeign.insert(identifier).inserted else { return }
        effects.remarks.append(.foreign(virtualRouterID: identifier, from: source))
    }

    /// Whose an advertisement is: of several the one that has its sender as a peer, else the first, which says what is wrong with it.
    private func router(of ids: [RouterID], hearing source: IPAddress) -> RouterID? {
        guard ids.count > 1 else { return ids.first }
        return ids.first { id in
            guard case .unicast(let peers, _)? = routers[id]?.block.delivery else { return false }
            return peers.contains { $0.address == source }
        } ?? ids.first
    }

    /// - Parameters:
    ///   - isAccepted: the advertisement counts all the same.
    ///   - isAttributed: it is known to be for this router.
    private mutating func refuse(
        _ error: DecodeError, from source: IPAddress?, by id: RouterID, isAccepted: Bool = false,
        isAttributed: Bool = true, at now: Instant
    ) {
        guard let index = routers.index(forKey: id) else { return }
        if let source, isAttributed {
            routers.values[index].peers.refused(error, from: source, isAccepted: isAccepted, at: now)
            // Strangers are kept out on purpose.
            let isStranger = error.reason == .source && !routers.values[index].isMaster
            if !isAccepted, !isStranger { noteRival(of: index, from: source, refusal: error, at: now) }
        }
        guard routers.values[index].machine.refused(error, from: source) else { return }
        effects.remarks.append(.refused(id, error, from: source))
        changed.insert(id)
    }

    /// An advertisement could not be sent, or could again.
    mutating func noteSending(_ id: RouterID, _ failure: String?) {
        guard let index = routers.index(forKey: id) else { return }
        // The last words of a router that gave up may have no interface any more to leave by: nobody waits for the next ones.
        let failure = routers.values[index].isMaster ? failure : nil
        guard routers.values[index].muteness != failure else { return }
        let wasMute = routers.values[index].muteness != nil
        routers.values[index].muteness = failure
        changed.insert(id)
        if wasMute != (failure != nil) { effects.remarks.append(.sending(id, failure)) }
    }

    /// True when the router's last advertisement could not be sent.
    public func isMute(_ id: RouterID) -> Bool { routers[id]?.muteness != nil }

    // MARK: Channels

    /// The channels to have, and what to do to each now.
    public mutating func takeChannels(at now: Instant) -> [ChannelRequest] {
        channelsChanged = false
        return channels.keys.compactMap { key in
            guard let channel = channels[key] else { return nil }
            let work: ChannelRequest.Work =
                switch channel.state {
                case .wanted: .open
                case .open: channel.isMisfiltered ? .filter : .none
                case .failed(_, let retryAt): retryAt <= now ? .open : .none
                }
            let buffer = buffer(of: channel, on: key)
            if work != .none {
                channels[key]?.isMisfiltered = false
                channels[key]?.buffer = buffer
            }
            return ChannelRequest(
                key: key, interface: key.link.flatMap { table.links[$0]?.name }, routers: heard(through: channel),
                buffer: buffer, work: work)
        }
    }

    /// A short packet counts as so many octets in a socket's buffer; keepalived's words do not know that.
    private static let leastRoom = 2304

    /// What `vrrp_rx_bufs_policy` and `kernel_rx_buf_size` of its routers ask for together; room for a packet of each in any case.
    private func buffer(of channel: Channel, on key: ChannelKey) -> Int? {
        var sum: Int?
        for router in channel.routers.joined().compactMap({ routers[$0] }) {
            let octets: Int
            switch router.block.receiveBuffer {
            case .standard: continue
            case .octets(let number): octets = number
            case .advertisements(let count): octets = count * router.block.advertisementLength
            case .mtus(let count): octets = count * Int(key.link.flatMap { table.links[$0]?.mtu } ?? 1500)
            }
            sum = min((sum ?? 0) + octets, Int(Int32.max) / 2)
        }
        return sum.map { max($0, channel.count * Self.leastRoom) }
    }

    /// After a reload: channels whose buffer is to be another one.
    mutating func compareBuffers() {
        for (key, channel) in channels {
            let wanted = buffer(of: channel, on: key)
            guard wanted != channel.buffer else { continue }
            channels[key]?.buffer = wanted
            channels[key]?.isMisfiltered = true
            channelsChanged = true
        }
    }

    private func heard(through channel: Channel) -> VirtualRouterIDs {
        if hearsForeign { return .all }
        return VirtualRouterIDs((0...255).filter { !channel.routers[Int($0)].isEmpty })
    }

    /// Goes over to hearing everybody, or no longer.
    mutating func hearForeign(_ hears: Bool) {
        guard hears != hearsForeign else { return }
        hearsForeign = hears
        saidForeign = []
        for key in channels.keys { channels[key]?.isMisfiltered = true }
        channelsChanged = true
    }

    /// When a channel that could not be opened is tried again.
    var channelRetry: Instant? {
        var first: Instant?
        for key in failedChannels {
            guard case .failed(_, let retryAt)? = channels[key]?.state else { continue }
            first = min(first ?? retryAt, retryAt)
        }
        return first
    }

    mutating func channelAnswered(_ key: ChannelKey, _ failure: String?, at now: Instant) {
        guard let channel = channels[key] else { return }
        if let failure {
            channels[key]?.state = .failed(failure, retryAt: now + .seconds(1))
            failedChannels.insert(key)
        } else {
            channels[key]?.state = .open
            failedChannels.remove(key)
        }
        for id in channel.routers.joined() { derive(id, at: now) }
    }

    /// Moves a router to the channels that it is to hear; a channel that nobody hears is closed.
    mutating func setChannels(_ keys: [ChannelKey], of id: RouterID) {
        guard let router = routers[id], router.channels != keys else { return }
        let identifier = Int(router.block.virtualRouterID)
        for old in router.channels where !keys.contains(old) {
            guard let place = channels[old]?.routers[identifier].firstIndex(of: id) else { continue }
            channels[old]?.routers[identifier].remove(at: place)
            channels[old]?.count -= 1
            channels[old]?.isMisfiltered = true
            if channels[old]?.count == 0 {
                channels[old] = nil
                failedChannels.remove(old)
            }
            channelsChanged = true
        }
        routers[id]?.channels = keys
        for key in keys where !router.channels.contains(key) {
            if channels[key] == nil { channels[key] = Channel() }
            channels[key]?.routers[identifier].append(id)
            channels[key]?.count += 1
            channels[key]?.isMisfiltered = true
            channelsChanged = true
        }
    }
}
