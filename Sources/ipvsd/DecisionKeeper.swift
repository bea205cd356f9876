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
    /// There was no file, or an older one than the copy, which was in force; where the older one is kept.
    case behind(path: String, isMissing: Bool, older: String? = nil)
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
    /// Of the latest content.
    private var serial: UInt64 = 0
    private var isDirty = false {
        didSet { if !isDirty { intents.end() } }
    }
    private var intents: HandIntents

    /// Reads `store` and the copy of it that an earlier process left: the later one counts, since a disk may have been full for one of them
    /// or gone. Where there is neither, the decisions are in the file of 0.1.0. What that process was adding by hand when it was killed is in
    /// `intents`, and is as good as kept.
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
        // A copy that cannot be written stays as it is: it counts where it is the later one of the two, or the only one.
        let copied = (try? copy.read()).flatMap { $0 }.map {
            DecisionText(parsing: String(decoding: $0, as: UTF8.self))
        }
        do throws(Errno) {
            try take(copied?.isWhole == true ? copied : nil)
        } catch {
            if readTrouble == nil { readTrouble = .unreadable(path: store.path, error) }
        }
        takeBegun()
        initial.serial = serial
        copyOut(initial)
    }

    private func take(_ copied: DecisionText?) throws(Errno) {
        func takeCopy() {
            guard let copied else { return }
            (initial, serial, isFromCopy) = (copied, copied.serial, true)
        }
        let octets: [UInt8]?
        do throws(Errno) {
            octets = try store.read()
        } catch {
            takeCopy()
            throw error
        }
        guard let octets else {
            guard copied?.isEmpty == false else { return try migrate() }
            takeCopy()
            readTrouble = .behind(path: store.path, isMissing: true)
            return save(initial)
        }
        let content = DecisionText(parsing: String(decoding: octets, as: UTF8.self))
        (initial, serial) = (DecisionText(content.decisions, handMade: content.handMade), content.serial)
        guard content.isWhole else {
            takeCopy()
            // If it cannot be put in safety, it is not written over.
            let path = try store.setAside()
            readTrouble = .damaged(path: path, understood: content.decisions.count + content.handMade.count)
            return save(initial)
        }
        if let copied, copied.serial > content.serial {
            takeCopy()
            // A disk that was full leaves one, and so does a person who puts a backup back.
            readTrouble = .behind(path: store.path, isMissing: false, older: try? store.keepOlder())
            save(initial)
        }
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
    /// Why decisions that are not on the disk would not survive a restart of ipvsd either; nil when they would.
    var copyTrouble: String? {
        copy.failure.map { "nor is the copy for a restart of ipvsd, which would forget it too: \(copy.path): \($0)" }
    }
    /// What a person must know about the file.
    var trouble: DecisionTrouble? {
        store.failure.map { .unwritable(path: store.path, $0) } ?? readTrouble
    }

    /// Keeps `decisions`. `done` hears when they are on the disk, or why they are not.
    func save(_ decisions: DecisionText, _ done: @escaping (Errno?) -> Void = { _ in }) {
        isDirty = true
        serial &+= 1
        let content = DecisionText(decisions.decisions, handMade: decisions.handMade, serial: serial)
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
