// Publish and Subscribe. A published event is checked where it lies and passed on without being rebuilt.
import Bus
import JSON
import Platform
import Varlink

extension Broker {
    /// Removals that are remembered for readers of a snapshot before these count as too slow.
    private static let removalLimit = 1 << 16

    // MARK: Publishing

    /// A client publishes events. Nothing is published unless all of them are right.
    func publish(_ call: IncomingCall, from client: Client) {
        do throws(VarlinkServiceError) {
            let (events, complete) = try read(call)
            let account = client.account
            guard account.kept + events.count <= account.quota.kept || !overfill(events, account) else {
                let failure = BusAPI.QuotaExceeded(quota: "kept", limit: account.quota.kept)
                return client.refuse(VarlinkReply(failure), call.envelope)
            }
            for event in events { add(event, from: client) }
            if !call.envelope.oneway {
                client.send(octets: Self.publishReply(store.seq))
            }
            if let complete { forget(complete, exceptFrom: client) }
            if store.removals > Self.removalLimit { endReaders() }
        } catch {
            client.reply(error.reply, to: call.envelope)
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

    /// Whether events bring an account over its quota; asked only near it.
    private func overfill(_ events: [IncomingEvent], _ account: Account) -> Bool {
        let new = events.filter { !$0.isRemoval && !store.keeps($0.key) }
        return account.kept + Set(new.map(\.key)).count > account.quota.kept
    }

    private func read(_ call: IncomingCall) throws(VarlinkServiceError) -> ([IncomingEvent], String?) {
        let index = self.index
        var events: [IncomingEvent] = []
        events.reserveCapacity(4)
        var complete: String?
        guard let parameters = call.envelope.parameters,
            let list = index.member("events", of: parameters, in: call.text), index.nodes[list].kind == .array
        else { throw .invalidParameter("events") }
        var node = parameters + 1
        while node < index.nodes[parameters].next {
            switch index.string(at: node, in: call.text) {
            case "events": break
            case "completeSource":
                complete = try string(node + 1, index, call.text) { .invalidParameter("completeSource") }
            case let other: throw .invalidParameter(other)
            }
            node = index.nodes[node + 1].next
        }
        var element = list + 1
        while element < index.nodes[list].next {
            events.append(try event(element, index, call.text, number: events.count))
            element = index.nodes[element].next
        }
        return (events, complete)
    }

    /// One event; the checks are those of the type `Event` in io.evenkeel.Bus.varlink.
    private func event(
        _ node: Int, _ index: JSONIndex, _ text: UnsafeRawBufferPointer, number: Int
    ) throws(VarlinkServiceError) -> IncomingEvent {
        func wrong(_ member: String) -> VarlinkServiceError { .invalidParameter("events[\(number)].\(member)") }
        guard index.nodes[node].kind == .object else { throw .invalidParameter("events[\(number)]") }
        var type: String?
        var subject: String?
        var source: String?
        var others = 0
        var hasData = false
        var name = node + 1
        while name < index.nodes[node].next {
            let value = name + 1
            switch member(name, index, text) {
            case .type: type = try string(value, index, text) { wrong("type") }
            case .subject: subject = try string(value, index, text) { wrong("subject") }
            case .source: source = try string(value, index, text) { wrong("source") }
            case .data:
                hasData = index.nodes[value].kind == .object
                guard hasData || index.nodes[value].kind == .null else { throw wrong("data") }
            case .other:
                others += 1
                guard index.nodes[value].kind == .string else { throw wrong(index.string(at: name, in: text)) }
            case nil: throw wrong(index.string(at: name, in: text))
            }
            name = index.nodes[value].next
        }
        guard let type, IDLNames.isInterface(type) else { throw wrong("type") }
        guard let subject else { throw wrong("subject") }
        guard let source else { throw wrong("source") }
        guard others == 3 else { throw wrong("specversion, id, time") }
        let range = index.range(of: node)
        return IncomingEvent(
            key: EventKey(type: type, subject: subject), source: source, isRemoval: !hasData,
            open: UnsafeRawBufferPointer(rebasing: text[range.lowerBound..<range.upperBound - 1]))
    }

    /// The members of a published event; `other` are those that busd only passes on.
    private enum Member {
        case type, subject, source, data, other
    }

    /// Which member a name is. The length decides what it can be, so most names are compared once.
    private func member(_ name: Int, _ index: JSONIndex, _ text: UnsafeRawBufferPointer) -> Member? {
        func `is`(_ expected: StaticString) -> Bool { index.name(at: name, in: text, equals: expected) }
        guard !index.nodes[name].isEscaped else { return nil }
        switch index.nodes[name].end - index.nodes[name].start {
        case 2: return `is`("id") ? .other : nil
        case 4: return `is`("type") ? .type : `is`("data") ? .data : `is`("time") ? .other : nil
        case 6: return `is`("source") ? .source : nil
        case 7: return `is`("subject") ? .subject : nil
        case 11: return `is`("specversion") ? .other : nil
        default: return nil
        }
    }

    private func string(
        _ node: Int, _ index: JSONIndex, _ text: UnsafeRawBufferPointer, orThrow error: () -> VarlinkServiceError
    ) throws(VarlinkServiceError) -> String {
        guard index.nodes[node].kind == .string else { throw error() }
        return index.string(at: node, in: text)
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
        guard account.subscriptions < account.quota.subscriptions else {
            let failure = BusAPI.QuotaExceeded(quota: "subscriptions", limit: account.quota.subscriptions)
            return client.refuse(VarlinkReply(failure), envelope)
        }
        account.subscriptions += 1
        store.readersUnderWay += 1
        client.activity = .reading(EventFilter(request), after: request.retained == false ? store.seq : 0)
        continueSnapshot(of: client)
    }

    /// Sends a reader of the snapshot its next piece, or the mark at its end.
    func continueSnapshot(of client: Client) {
        guard case .reading(let filter, var last) = client.activity else { return }
        var piece: [UInt8] = []
        store.read(after: last) { key, content in
            last = content.seq
            if filter.matches(key) { piece += content.frame }
            return piece.count < Client.outputPiece
        }
        if piece.count >= Client.outputPiece {
            client.activity = .reading(filter, after: last)
            return client.send(octets: piece)
        }
        piece += "{\"parameters\":{\"snapshotComplete\":true,\"seq\":\(store.seq)},\"continues\":true}\0".utf8
        client.send(octets: piece)
        store.readersUnderWay -= 1
        let channel = channels[filter] ?? Channel(filter)
        channels[filter] = channel
        client.activity = .following(channel)
        channel.join(client)
    }

    private func endReaders() {
        for client in clients.values {
            guard case .reading(_, let last) = client.activity else { continue }
            overrun(client, first: last + 1)
        }
    }

    /// A subscriber is too slow: it gets what is queued, then the error, then the end.
    func overrun(_ client: Client, first: Int) {
        overruns += 1
        logger.warning("subscriber too slow, ended: uid \(client.peer.uid), pid \(client.peer.pid)")
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
