// The parameters of Publish, checked where they lie: CloudEvents 1.0 as io.evenkeel.Bus.varlink has it, and only what
// the publisher may say. Nothing is copied but the key of each event.
import Bus
import JSON
import Varlink

/// What one Publish says.
struct Publication {
    var events: [IncomingEvent] = []
    /// The source that has said all it has to say.
    var completeSource: String?
}

/// Reads the parameters of one Publish.
struct EventReader {
    /// Octets of a subject; the longest of the suite's own has 100.
    private static let subjectLimit = 1024
    /// Octets of id, source and type.
    private static let nameLimit = 255

    let index: JSONIndex
    let text: UnsafeRawBufferPointer
    /// Who publishes: what it may say, and the number of its connection.
    let claim: Claim
    let publisher: Int
    let broker: Broker

    /// All events, or what is wrong with the first that is not right.
    func read(_ parameters: Int?) throws(VarlinkServiceError) -> Publication {
        guard let parameters, let list = index.member("events", of: parameters, in: text),
            index.nodes[list].kind == .array
        else { throw .invalidParameter("events") }
        var publication = Publication()
        var node = parameters + 1
        while node < index.nodes[parameters].next {
            if index.name(at: node, in: text, equals: "completeSource") {
                let source = try string(node + 1) { .invalidParameter("completeSource") }
                guard claim.covers(source: source) else { throw .permissionDenied }
                publication.completeSource = source
            } else if !index.name(at: node, in: text, equals: "events") {
                throw .invalidParameter(index.string(at: node, in: text))
            }
            node = index.nodes[node + 1].next
        }
        var element = list + 1
        while element < index.nodes[list].next {
            publication.events.append(try event(element, number: publication.events.count))
            element = index.nodes[element].next
        }
        return publication
    }

    private func event(_ node: Int, number: Int) throws(VarlinkServiceError) -> IncomingEvent {
        func wrong(_ member: String) -> VarlinkServiceError { .invalidParameter("events[\(number)].\(member)") }
        guard index.nodes[node].kind == .object else { throw .invalidParameter("events[\(number)]") }
        var type: Int?
        var subject: Int?
        var source: Int?
        var others = 0
        var hasData = false
        var name = node + 1
        while name < index.nodes[node].next {
            let value = name + 1
            switch member(name) {
            case .type: type = value
            case .subject: subject = value
            case .source: source = value
            case .data:
                hasData = index.nodes[value].kind == .object
                guard hasData || index.nodes[value].kind == .null else { throw wrong("data") }
            case .id:
                others += 1
                guard isName(value) else { throw wrong("id") }
            case .time:
                others += 1
                guard isPlain(value), EventTime.isValid(octets(value)) else { throw wrong("time") }
            case .specversion:
                others += 1
                guard index.nodes[value].kind == .string, index.name(at: value, in: text, equals: "1.0") else {
                    throw wrong("specversion")
                }
            case nil: throw wrong(index.string(at: name, in: text))
            }
            name = index.nodes[value].next
        }
        let known = told(type, subject, source)
        let key: EventKey
        let speaker: String
        if let known, let content = known.content {
            (key, speaker) = (known.key, content.source)
        } else {
            (key, speaker) = try names(type, subject, source, wrong)
        }
        guard others == 3 else { throw wrong("specversion, id, time") }
        let mayBeSaid =
            known != nil || claim.covers(source: speaker) && claim.covers(type: key.type, subject: key.subject)
        guard mayBeSaid else { throw .permissionDenied }
        let range = index.range(of: node)
        guard range.count <= Limits.event else { throw .invalidParameter("events[\(number)]") }
        return IncomingEvent(
            key: key, source: speaker, isRemoval: !hasData,
            open: UnsafeRawBufferPointer(rebasing: text[range.lowerBound..<range.upperBound - 1]), record: known)
    }

    /// The key and the source of an event whose names are as they should be.
    private func names(
        _ type: Int?, _ subject: Int?, _ source: Int?, _ wrong: (String) -> VarlinkServiceError
    ) throws(VarlinkServiceError) -> (EventKey, String) {
        let type = try string(type) { wrong("type") }
        guard IDLNames.isInterface(type), type.utf8.count <= Self.nameLimit else { throw wrong("type") }
        let subject = try string(subject) { wrong("subject") }
        guard isPrintable(subject), subject.utf8.count <= Self.subjectLimit else { throw wrong("subject") }
        let source = try string(source) { wrong("source") }
        guard isPrintable(source), source.utf8.count <= Self.nameLimit else { throw wrong("source") }
        return (EventKey(type: type, subject: subject), source)
    }

    /// The record of these names when this connection was the last that told it, from the same source: all that is to be said of the names was
    /// found right then.
    private func told(_ type: Int?, _ subject: Int?, _ source: Int?) -> EventRecord? {
        guard let type, let subject, let source, isPlain(type), isPlain(subject), isPlain(source),
            let record = broker.store.recent(octets(type), octets(subject)), let content = record.content,
            content.publisher == publisher, content.source.isEqual(to: octets(source))
        else { return nil }
        return record
    }

    // MARK: Members

    private enum Member {
        case id, time, specversion, type, subject, source, data
    }

    /// Which member a name is. The length decides what it can be, so most names are compared once.
    private func member(_ name: Int) -> Member? {
        func `is`(_ expected: StaticString) -> Bool { index.name(at: name, in: text, equals: expected) }
        guard !index.nodes[name].isEscaped else { return nil }
        switch index.nodes[name].end - index.nodes[name].start {
        case 2: return `is`("id") ? .id : nil
        case 4: return `is`("type") ? .type : `is`("data") ? .data : `is`("time") ? .time : nil
        case 6: return `is`("source") ? .source : nil
        case 7: return `is`("subject") ? .subject : nil
        case 11: return `is`("specversion") ? .specversion : nil
        default: return nil
        }
    }

    private func octets(_ node: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: text[index.nodes[node].start..<index.nodes[node].end])
    }

    private func string(_ node: Int?, orThrow error: () -> VarlinkServiceError) throws(VarlinkServiceError) -> String {
        guard let node, index.nodes[node].kind == .string else { throw error() }
        return index.string(at: node, in: text)
    }

    /// A string whose octets are its text: without escapes there are no control characters in it.
    private func isPlain(_ node: Int) -> Bool { index.nodes[node].kind == .string && !index.nodes[node].isEscaped }

    private func isName(_ node: Int) -> Bool { isPlain(node) && (1...Self.nameLimit).contains(octets(node).count) }

    /// Not empty, and nothing that a terminal or a log would act on.
    private func isPrintable(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }
}

/// The form of a time.
enum EventTime {
    /// Whether octets are a time of RFC 3339 §5.6: `2026-11-21T15:00:00Z`, with a fraction or an offset if need be.
    static func isValid(_ octets: UnsafeRawBufferPointer) -> Bool {
        guard octets.count >= 20, octets.count <= 64 else { return false }
        func number(_ start: Int, _ count: Int) -> Int? {
            var value = 0
            for octet in octets[start..<start + count] {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octet) else { return nil }
                value = value * 10 + Int(octet - UInt8(ascii: "0"))
            }
            return value
        }
        func mark(_ position: Int, _ expected: UInt8...) -> Bool { expected.contains(octets[position]) }
        guard number(0, 4) != nil, mark(4, UInt8(ascii: "-")), mark(7, UInt8(ascii: "-")),
            mark(10, UInt8(ascii: "T"), UInt8(ascii: "t")), mark(13, UInt8(ascii: ":")), mark(16, UInt8(ascii: ":")),
            let month = number(5, 2), let day = number(8, 2), let hour = number(11, 2), let minute = number(14, 2),
            let second = number(17, 2), (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60,
            second <= 60
        else { return false }
        var end = 19
        if mark(end, UInt8(ascii: ".")) {
            end += 1
            let start = end
            while end < octets.count, number(end, 1) != nil { end += 1 }
            guard end > start else { return false }
        }
        guard end < octets.count else { return false }
        if octets.count == end + 1 { return mark(end, UInt8(ascii: "Z"), UInt8(ascii: "z")) }
        guard octets.count == end + 6, mark(end, UInt8(ascii: "+"), UInt8(ascii: "-")),
            mark(end + 3, UInt8(ascii: ":")),
            let hours = number(end + 1, 2), let minutes = number(end + 4, 2)
        else { return false }
        return hours < 24 && minutes < 60
    }
}
