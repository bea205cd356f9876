// The file of people's decisions and of what they made by hand. It is never thrown away: one that is not understood is set aside, one that cannot be read is not written
// until it could be, and whoever decides hears whether the decision is kept. The decisions of 0.1.0 are in `ipvsd.state` and move once.

import Configuration
import IPVS
import Net
import Platform

/// Why decisions may be missing or cannot be kept.
enum DecisionTrouble: Equatable {
    /// The file could not be read when the process started; it is left alone.
    case unreadable(path: String, Errno)
    /// The file was not understood as a whole; it is at the path now, and so many decisions could be read.
    case damaged(path: String, understood: Int)
    /// The file cannot be written.
    case unwritable(path: String, Errno)
}

/// What became of a decision.
enum DecisionOutcome: Equatable {
    /// It is on the disk, or there was nothing to keep.
    case kept
    /// It is in force until the process ends, but not on the disk.
    case notKept(path: String, String)
}

/// A caller who waits for the disk.
final class WaitingCaller {
    let deadline: Instant
    private var done: ((DecisionOutcome) -> Void)?

    init(_ deadline: Instant, _ done: @escaping (DecisionOutcome) -> Void) {
        self.deadline = deadline
        self.done = done
    }

    var isOver: Bool { done == nil }

    func end(_ outcome: DecisionOutcome) {
        done?(outcome)
        done = nil
    }
}

final class DecisionKeeper {
    private let store: any StateStore
    private let old: any StateStore
    /// The same in the run directory, for a start that cannot read the file: the table would follow what is left of the decisions.
    private let copy: any StateStore
    /// What the file said at the start.
    private(set) var initial = DecisionText()
    /// What was wrong with it then; stands until the process ends.
    private(set) var readTrouble: DecisionTrouble?
    /// The copy stands in for what could not be read.
    private(set) var isFromCopy = false
    /// Calls when `trouble` or `isKept` changed by themselves: a write that had failed was repeated.
    var changed: () -> Void = {}
    private var unanswered = 0
    private var isDirty = false {
        didSet { if !isDirty { intents.end() } }
    }
    private var intents: HandIntents

    /// Reads `store`; where there is none, the decisions in the file of 0.1.0; where it cannot be read, the copy of it that an earlier process
    /// left. What that one was adding by hand when it was killed is in `intents`, and is as good as kept.
    init(_ store: any StateStore, old: any StateStore, copy: any StateStore, intents: any IntentStore) {
        self.store = store
        self.old = old
        self.copy = copy
        self.intents = HandIntents(intents)
        store.failureChanged = { [weak self] failure in
            // A repeated write has the latest content.
            if failure == nil, self?.unanswered == 0 { self?.isDirty = false }
            self?.changed()
        }
        do throws(Errno) {
            if let octets = try store.read() {
                try take(DecisionText(parsing: String(decoding: octets, as: UTF8.self)))
            } else {
                try migrate()
            }
        } catch {
            if readTrouble == nil { readTrouble = .unreadable(path: store.path, error) }
            if !isFromCopy { takeCopy() }
        }
        takeBegun()
        copyOut(initial)
    }

    private func takeCopy() {
        guard let octets = (try? copy.read()) ?? nil else { return }
        let content = DecisionText(parsing: String(decoding: octets, as: UTF8.self))
        guard content.isWhole else { return }
        initial = DecisionText(content.decisions, handMade: content.handMade)
        isFromCopy = true
    }

    private func copyOut(_ content: DecisionText) {
        copy.write({ Array(content.text.utf8) }, done: nil)
    }

    private func takeBegun() {
        let begun = intents.begun()
        guard !begun.isEmpty else { return }
        initial.handMade.merge(begun) { _, later in later }
        save(initial)
    }

    /// Commands are about to be carried out, the kernel first; what it has already is `present`.
    func begin(
        _ commands: [TableCommand], _ made: HandIntents.Made, present: [VirtualServerIdentity: Set<Endpoint>]
    ) {
        intents.begin(commands, made, present: present)
    }

    /// They are; `isToBeKept`: `save` follows.
    func carriedOut(isToBeKept: Bool, _ made: HandIntents.Made) {
        if isToBeKept || isDirty { intents.update(made) } else { intents.end() }
    }

    /// Where decisions are kept.
    var path: String { store.path }
    /// The latest decisions are on the disk. Those in a file that cannot be read are unknown, and what it says is not what is in force.
    var isKept: Bool {
        if case .unreadable = readTrouble { false } else { !isDirty }
    }
    /// What a person must know about the file.
    var trouble: DecisionTrouble? {
        store.failure.map { .unwritable(path: store.path, $0) } ?? readTrouble
    }

    /// Keeps `content`. `done` hears when they are on the disk, or why they are not.
    func save(_ content: DecisionText, _ done: @escaping (Errno?) -> Void = { _ in }) {
        isDirty = true
        intents.update { content.handMade[$0] }
        copyOut(content)
        if case .unreadable(_, let error) = readTrouble { return done(error) }
        unanswered += 1
        store.write({ Array(content.text.utf8) }) { [weak self] error in
            if let self {
                unanswered -= 1
                if error == nil, unanswered == 0 { isDirty = false }
            }
            done(error)
        }
    }

    private func take(_ content: DecisionText) throws(Errno) {
        initial = DecisionText(content.decisions, handMade: content.handMade)
        guard !content.isWhole else { return }
        takeCopy()
        let path: String
        // If it cannot be put in safety, it is not written over.
        path = try store.setAside()
        readTrouble = .damaged(path: path, understood: content.decisions.count + content.handMade.count)
        save(initial)
    }

    private func migrate() throws(Errno) {
        let octets: [UInt8]?
        do throws(Errno) {
            octets = try old.read()
        } catch {
            readTrouble = .unreadable(path: old.path, error)
            throw error
        }
        guard let octets else { return }
        let text = String(decoding: octets, as: UTF8.self)
        initial = DecisionText(Memory(parsing: text, boot: "").decisions)
        if !Memory.isOld(text) {
            readTrouble = .damaged(path: try old.setAside(), understood: 0)
        } else if !initial.decisions.isEmpty {
            save(initial)
        }
    }
}
