// Publish and Subscribe. A published event is checked where it lies and passed on without being rebuilt.
import Bus
import JSON
import Platform
import Varlink

extension Broker {
    // MARK: Publishing

    /// A client publishes events. Nothing is published unless all of them are right.
    func publish(_ call: IncomingCall, from client: Client) {
        do throws(VarlinkServiceError) {
            let reader = EventReader(
                index: index, text: call.text, claim: client.claim, publisher: client.number, broker: self)
            let publication = try reader.read(call.envelope.parameters)
            let account = client.account
            if let failure = overfill(publication.events, account, call.text.count) {
                return client.refuse(VarlinkReply(failure), BusAPI.Publish.method, call.envelope)
            }
            for event in publication.events { add(event, from: client) }
            if !call.envelope.oneway { client.send(octets: Self.publishReply(store.seq)) }
            if let complete = publication.completeSource { forget(complete, exceptFrom: client) }
            if store.removals > Limits.removals { endSlowReaders() }
        } catch {
            client.refuse(error.reply, BusAPI.Publish.method, call.envelope)
        }
    }

    private static let publishReplyStart = Array(#"{"parameters":{"seq":"#.utf8)
    private static let publishReplyEnd = Array("}}\0".utf8)

    private static func publishReply(_ seq: Int) -> [UInt8] {
        var reply: [UInt8] = []
        reply.reserveCapacity(48)
        reply += publishReplyStart
        reply += String(seq).utf8
        reply += publishReplyEnd
        return reply
    }

    /// Which quota events would exceed. Exactly asked only near one.
    private func overfill(_ events: [IncomingEvent], _ account: Account, _ octets: Int) -> BusAPI.QuotaExceeded? {
        let most = octets + events.count * EventStore.frameOctets
        let quota = account.quota
        if account.kept + events.count <= quota.kept, account.keptOctets + most <= quota.keptOctets { return nil }
        var sizes: [EventKey: Int] = [:]
        for event in events { sizes[event.key] = event.isRemoval ? 0 : event.open.count + EventStore.frameOctets }
        var kept = account.kept
        var keptOctets = account.keptOctets
        for (key, size) in sizes {
            if let content = store.kept(key), content.account === account {
                kept -= 1
                keptOctets -= content.frame.count
            }
            if size > 0 { kept += 1 }
            keptOctets += size
        }
        if kept > quota.kept { return BusAPI.QuotaExceeded(quota: "kept", limit: quota.kept) }
        guard keptOctets > quota.keptOctets else { return nil }
        return BusAPI.QuotaExceeded(quota: "keptBytes", limit: quota.keptOctets)
    }

    /// A source has said all it has to say: what is kept of it from an earlier connection is gone.
    private func forget(_ source: String, exceptFrom client: Client) {
        for key in store.keys(of: source, notFrom: client.number) {
            say(key, source: source, data: nil)
        }
    }

    // MARK: Subscriptions

    /// A client subscribes.
    func subscribe(_ client: Client, _ request: BusAPI.Subscribe, _ envelope: CallEnvelope) {
        let account = client.account
        func refuse(_ quota: String, _ limit: Int) {
            client.refuse(
                VarlinkReply(BusAPI.QuotaExceeded(quota: quota, limit: limit)), BusAPI.Subscribe.method, envelope)
        }
        let patterns = (request.types ?? []) + (request.subjects ?? [])
        guard patterns.count <= Limits.patterns else { return refuse("patterns", Limits.patterns) }
        guard patterns.reduce(0, { $0 + $1.utf8.count }) <= Limits.patternOctets else {
            return refuse("patternBytes", Limits.patternOctets)
        }
        guard account.subscriptions < account.quota.subscriptions else {
            return refuse("subscriptions", account.quota.subscriptions)
        }
        guard account.patterns + patterns.count <= account.quota.patterns else {
            return refuse("userPatterns", account.quota.patterns)
        }
        let filter = EventFilter(request)
        account.subscriptions += 1
        account.patterns += filter.patterns
        store.readerBegins()
        let start = request.retained == false ? store.seq : 0
        client.activity = .reading(SnapshotReader(filter: filter, startedAt: store.seq, last: start))
        turns.join(client)
    }

    /// Sends a reader of the snapshot its next piece, or the mark at its end.
    func continueSnapshot(of client: Client, _ reader: SnapshotReader, _ allowance: inout TurnAllowance) {
        var reader = reader
        var piece: [UInt8] = []
        var looked = 0
        let isWhole = store.read(after: reader.last) { key, content in
            reader.last = content.seq
            looked += 1
            // What was removed before the subscription began was not part of its snapshot.
            let isKnown = !content.isRemoval || content.seq > reader.startedAt
            if isKnown, reader.filter.matches(key) { piece += content.frame }
            return piece.count < Limits.outputPiece && looked < Limits.snapshotStep
        }
        allowance.spend(octets: piece.count + looked * 16)  // About what a frame of that length costs to copy.
        guard isWhole else {
            client.activity = .reading(reader)
            return client.send(octets: piece)
        }
        piece += "{\"parameters\":{\"snapshotComplete\":true,\"seq\":\(store.seq)},\"continues\":true}\0".utf8
        client.send(octets: piece)
        store.readerEnds()
        let channel = channels[reader.filter] ?? Channel(reader.filter)
        channels[reader.filter] = channel
        client.activity = .following(channel)
        channel.join(client)
    }

    /// Too many removals are kept for readers of the snapshot: those that still need more than half of them are ended.
    private func endSlowReaders() {
        if let place = store.place(ofRemoval: store.removals - Limits.removals / 2) {
            for client in clients.values {
                if case .reading(let reader) = client.activity, reader.needsRemovals < place {
                    overrun(client, first: reader.last + 1)
                }
            }
        }
        let needed = clients.values.compactMap { client in
            if case .reading(let reader) = client.activity { reader.needsRemovals } else { nil }
        }
        store.sweep(removalsNeededAfter: needed.min() ?? .max)
    }

    /// A subscriber is too slow: it gets what is queued, then the error, then the end.
    func overrun(_ client: Client, first: Int) {
        overruns += 1
        peerLog.note("subscriber too slow, ended", client.peer, "it did not read its events")
        client.end(with: BusAPI.Overrun(seq: first))
    }

    // MARK: Events of busd's own making

    /// Gives an event that busd makes its place. No data: the subject is gone.
    func say(_ key: EventKey, source: String, data: JSONValue?) {
        var event: JSONObject = [
            "specversion": "1.0", "id": .string("busd-\(store.seq + 1)"), "source": .string(source),
            "type": .string(key.type), "subject": .string(key.subject), "time": .string(SystemClock.timestamp),
        ]
        event["data"] = data
        do throws(JSONError) {
            try JSONValue.object(event).serialised().withUnsafeBytes { octets in
                let open = UnsafeRawBufferPointer(rebasing: octets.dropLast())
                add(IncomingEvent(key: key, source: source, isRemoval: data == nil, open: open), from: nil)
            }
        } catch {
            logger.error("event \(key.type) of \(key.subject) not published: \(error)")
        }
    }
}

/// A subscription that is being sent the kept events.
struct SnapshotReader {
    let filter: EventFilter
    /// The latest place when it began.
    let startedAt: Int
    /// The last place that it was sent, or that did not concern it.
    var last: Int

    /// The place after which it needs to hear of removals.
    var needsRemovals: Int { max(startedAt, last) }
}
