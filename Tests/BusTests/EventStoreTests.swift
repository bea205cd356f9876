// The order of events and what is kept of it, by itself.
import Testing

@testable import busd

@Suite struct EventStoreTests {
    private func add(
        _ subject: String, to store: inout EventStore, isRemoval: Bool = false, source: String = "/s",
        from number: Int = 1,
        _ account: Account? = nil
    ) -> String {
        let key = EventKey(type: "io.x", subject: subject)
        return Array("{\"subject\":\"\(subject)\"".utf8).withUnsafeBytes { open in
            let event = IncomingEvent(key: key, source: source, isRemoval: isRemoval, open: open)
            return String(decoding: store.add(event, from: number, account).content?.frame ?? [], as: UTF8.self)
        }
    }

    private func subjects(_ store: EventStore, after seq: Int = 0) -> [String] {
        var found: [String] = []
        _ = store.read(after: seq) { key, content in
            found.append((content.isRemoval ? "-" : "") + key.subject)
            return true
        }
        return found
    }

    @Test func `an event becomes a reply with its place`() {
        var store = EventStore(startingAt: 41)
        #expect(
            add("a", to: &store) == "{\"parameters\":{\"event\":{\"subject\":\"a\",\"seq\":42}},\"continues\":true}\0")
    }

    @Test func `the latest of each subject is read in the order of events`() {
        var store = EventStore(startingAt: 0)
        for subject in ["a", "b", "a", "c", "b"] { _ = add(subject, to: &store) }
        #expect(subjects(store) == ["a", "c", "b"])
        #expect(subjects(store, after: 4) == ["b"])
        #expect(subjects(store, after: 5) == [])
        #expect(store.kept == 3)
    }

    @Test func `a removal reaches a reader that is under way and nobody else`() {
        var store = EventStore(startingAt: 0)
        _ = add("a", to: &store)
        _ = add("a", to: &store, isRemoval: true)
        #expect(subjects(store) == [])
        _ = add("a", to: &store)
        store.readerBegins()
        _ = add("a", to: &store, isRemoval: true)
        #expect(subjects(store, after: 3) == ["-a"])
        #expect(store.kept == 0)
    }

    @Test func `a hundred thousand changes of few subjects keep the log short and the places right`() {
        var store = EventStore(startingAt: 0)
        let account = Account(uid: 1, isReserved: false)
        for number in 0..<100_000 { _ = add("s\(number % 7)", to: &store, account) }
        #expect(store.seq == 100_000)
        #expect(subjects(store) == (0..<7).map { "s\((99_993 + $0) % 7)" })
        #expect(account.kept == 7)
        #expect(account.keptOctets == store.keptOctets)
        for number in 0..<7 { _ = add("s\(number)", to: &store, isRemoval: true, account) }
        #expect(account.kept == 0)
        #expect(account.keptOctets == 0)
        #expect(store.keptOctets == 0)
    }

    @Test func `removals kept for a reader that is gone are no burden to the next one`() {
        var store = EventStore(startingAt: 0)
        store.readerBegins()
        for number in 0..<65_537 {
            _ = add("s\(number)", to: &store)
            _ = add("s\(number)", to: &store, isRemoval: true)
        }
        #expect(store.removals == 65_537)
        store.readerEnds()
        store.readerBegins()
        #expect(store.removals == 0)
        _ = add("a", to: &store)
        _ = add("a", to: &store, isRemoval: true)
        #expect(store.removals == 1)
    }

    @Test func `a sweep keeps the removals that a reader still needs`() {
        var store = EventStore(startingAt: 0)
        store.readerBegins()
        for subject in ["a", "b", "c"] { _ = add(subject, to: &store) }
        for subject in ["a", "b", "c"] { _ = add(subject, to: &store, isRemoval: true) }
        #expect(store.place(ofRemoval: 2) == 5)
        store.sweep(removalsNeededAfter: 5)
        #expect(subjects(store) == ["-c"])
        #expect(store.removals == 1)
    }

    @Test func `an event that changes hands is charged to its new publisher alone`() {
        var store = EventStore(startingAt: 0)
        let (first, second) = (Account(uid: 1, isReserved: false), Account(uid: 2, isReserved: false))
        _ = add("a", to: &store, first)
        _ = add("a", to: &store, second)
        #expect([first.kept, first.keptOctets] == [0, 0])
        #expect([second.kept, second.keptOctets] == [1, store.keptOctets])
    }

    @Test func `a subject that was told is found by its octets until it is removed`() {
        var store = EventStore(startingAt: 0)
        func found(_ type: String, _ subject: String) -> Bool {
            Array(type.utf8).withUnsafeBytes { type in
                Array(subject.utf8).withUnsafeBytes { store.recent(type, $0) != nil }
            }
        }
        #expect(!found("io.x", "tcp/192.0.2.1:80"))
        _ = add("tcp/192.0.2.1:80", to: &store)
        #expect(found("io.x", "tcp/192.0.2.1:80"))
        #expect(!found("io.y", "tcp/192.0.2.1:80"))
        #expect(!found("io.x", "tcp/192.0.2.1:8"))
        _ = add("tcp/192.0.2.1:80", to: &store, isRemoval: true)
        #expect(!found("io.x", "tcp/192.0.2.1:80"))
        for number in 0..<10_000 {
            _ = add("s\(number)", to: &store)
            #expect(found("io.x", "s\(number)"))
        }
        #expect((0..<10_000).count { found("io.x", "s\($0)") } > 1000)
    }

    @Test func `what a source said on other connections is found`() {
        var store = EventStore(startingAt: 0)
        _ = add("old", to: &store, source: "/a", from: 1)
        _ = add("other", to: &store, source: "/b", from: 1)
        _ = add("new", to: &store, source: "/a", from: 2)
        #expect(store.keys(of: "/a", notFrom: 2).map(\.subject) == ["old"])
    }
}
