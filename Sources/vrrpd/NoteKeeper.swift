// What the next process is told about each router: kept in memory, and written with one system call for all advertisements of a turn. A
// file that cannot be written, or that somebody took away, is begun anew with the next change or advertisement, once a second.

import Net
import Platform
import VRRP

/// Notes and how writing them goes.
struct NoteKeeper {
    private let notes: any MastershipNotes
    private var noted: [RouterID: MastershipNote] = [:]
    private var fresh: [(router: RouterID, note: MastershipNote)] = []
    /// The file is there and has these routers.
    private(set) var isBegun = false
    private var retryAt = Instant.zero
    /// Why the notes cannot be written.
    private(set) var failure: String?

    init(_ notes: any MastershipNotes) {
        self.notes = notes
    }

    /// What is noted of a router; nil when the file does not have it.
    subscript(router: RouterID) -> MastershipNote? { noted[router] }

    /// A file that could not be begun is to be tried again.
    func isToBegin(at now: Instant) -> Bool { !isBegun && retryAt <= now }

    /// Changes a note; `write` puts it into the file.
    mutating func set(_ router: RouterID, _ note: MastershipNote) {
        guard let before = noted[router], before != note else { return }
        noted[router] = note
        fresh.append((router, note))
    }

    /// Writes what was set.
    mutating func write() {
        guard !fresh.isEmpty else { return }
        do throws(Errno) {
            try notes.write(fresh)
            failure = nil
        } catch {
            isBegun = false
            failure = "\(error)"
        }
        fresh.removeAll(keepingCapacity: true)
    }

    /// Starts the file over.
    mutating func begin(_ wanted: [(router: RouterID, identity: String, note: MastershipNote)], at now: Instant) {
        retryAt = now + .seconds(1)
        fresh.removeAll(keepingCapacity: true)
        do throws(Errno) {
            try notes.begin(wanted)
            noted = Dictionary(uniqueKeysWithValues: wanted.map { ($0.router, $0.note) })
            isBegun = true
            failure = nil
        } catch {
            isBegun = false
            failure = "\(error)"
        }
    }
}
