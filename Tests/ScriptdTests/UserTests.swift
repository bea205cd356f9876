// Who runs a script when users cannot be looked up: never root for want of an answer, and nobody waits for one longer than a moment.

import Bus
import Glibc
import Net
import Platform
import Synchronization
import Testing

@testable import scriptd

/// A data base of one user, which can fail and can be slow.
final class Directory: Sendable {
    struct State {
        var isThere = true
        var code: Int32 = 0
        var delay: UInt32 = 0
        var count = 0
    }

    let state = Mutex(State())

    private func answer<Found>(_ found: Found) throws(Errno) -> Found? {
        let now = state.withLock {
            $0.count += 1
            return $0
        }
        if now.delay > 0 { usleep(now.delay) }
        guard now.code == 0 else { throw Errno(now.code, "getpwnam_r") }
        return now.isThere ? found : nil
    }

    var database: UserDatabase {
        let account = UserDatabase.Account(name: "somebody", uid: 77, gid: 78, home: "/")
        return UserDatabase(
            user: { name throws(Errno) in try self.answer(account).flatMap { name == "0" ? nil : $0 } },
            userNumbered: { uid throws(Errno) in
                uid == 0 ? UserDatabase.Account(name: "root", uid: 0, gid: 0, home: "/root") : nil
            },
            group: { _ throws(Errno) in try self.answer(79) })
    }
}

@Suite(.enabled(if: geteuid() == 0), .timeLimit(.minutes(1))) struct UserTests {
    private static func trouble(_ error: any Error) -> Bool {
        guard let refusal = error as? ScriptRefusal else { return false }
        return refusal.reason == nil
    }

    @Test(arguments: [EIO, ENOENT, ECONNREFUSED, EMFILE])
    func `a data base that cannot be read is this host's trouble, not root's turn`(code: Int32) throws {
        let directory = Directory()
        directory.state.withLock { $0.code = code }
        for user in [nil, "somebody"] {
            for isSecure in [false, true] {
                #expect(
                    performing: {
                        try ScriptUser(user, group: nil, isSecure: isSecure, in: directory.database)
                    }, throws: Self.trouble)
            }
        }
        #expect(
            performing: {
                try ScriptUser("0", group: "somebody", isSecure: false, in: directory.database)
            }, throws: Self.trouble)
    }

    @Test func `the default user where it exists, else root`() throws {
        let directory = Directory()
        #expect(try ScriptUser(nil, group: nil, isSecure: false, in: directory.database).identity?.uid == 77)
        directory.state.withLock { $0.isThere = false }
        #expect(try ScriptUser(nil, group: nil, isSecure: false, in: directory.database).isRoot)
    }

    @Test func `an answer is remembered, and holds while the data base fails or is silent`() throws {
        let bench = try Bench()
        let directory = Directory()
        let cache = UserCache(on: bench.loop, database: directory.database)
        let key = UserCache.Key(user: "somebody", group: nil, isSecure: false)
        var answers: [String] = []
        func ask() {
            cache.find(key) {
                switch $0 {
                case .success(let user): answers.append("\(user.identity?.uid ?? 0)")
                case .failure(let refusal): answers.append(refusal.reason.map { "\($0)" } ?? "trouble")
                }
            }
        }
        directory.state.withLock { $0.code = EIO }
        ask()
        ask()
        #expect(try bench.wait { answers == ["trouble", "trouble"] })
        #expect(directory.state.withLock { $0.count } == 1)
        directory.state.withLock { $0.code = 0 }
        ask()
        #expect(try bench.wait { answers.last == "77" })
        directory.state.withLock { $0.code = EIO }
        ask()
        #expect(answers.last == "77" && answers.count == 4)
        #expect(directory.state.withLock { $0.count } == 2)
    }

    @Test func `a data base that hangs keeps nobody longer than a moment`() throws {
        let bench = try Bench()
        let directory = Directory()
        directory.state.withLock { $0.delay = 4_000_000 }
        let cache = UserCache(on: bench.loop, database: directory.database)
        var answers: [String] = []
        let key = UserCache.Key(user: "somebody", group: nil, isSecure: false)
        let start = bench.loop.refreshNow()
        cache.find(key) { if case .failure(let refusal) = $0, refusal.reason == nil { answers.append("trouble") } }
        #expect(answers.isEmpty)
        #expect(try bench.wait { answers == ["trouble"] })
        #expect(bench.loop.now - start >= UserCache.patience)
        // The next one is told at once.
        cache.find(key) { if case .failure = $0 { answers.append("at once") } }
        #expect(answers == ["trouble", "at once"])
    }

    @Test func `the groups of a user are the system's`() throws {
        #expect(try UserDatabase.system.groups("root", 0)?.contains(0) == true)
    }

    @Test func `trouble is said once, and again when it is another`() {
        var log = TroubleLog()
        let told: [(String?, String)] = [
            ("late", "a"), ("late", "a"), ("late", "b"), ("gone", "a"), (nil, "a"), ("gone", "a"),
        ]
        let isNews = told.map { log.isNews($0.0, of: $0.1) }
        #expect(isNews == [true, false, true, true, false, true])
    }
}
