// Which programs of MISC_CHECK run at once, and which wait. Fewer run than scriptd takes of one daemon; the others wait in the order in which
// they came. A program that is out of time keeps its place until scriptd says that it is gone: what the kernel does not let go (a file system
// that hangs) would else be begun again and again. Nothing else runs that asks the same.
import DequeModule
import Net
import Platform
import Scripts

/// Programs that cannot be ended.
struct StuckPrograms: Equatable {
    /// One of them.
    let first: String
    let count: Int
    /// They have all places: no program runs.
    let haveAllPlaces: Bool
}

/// Programs at once.
final class ProgramPlaces {
    private static let limit = 200
    /// Until scriptd, which had no room, is asked again.
    private static let rest = Duration.seconds(1)

    private var taken = 0
    private var waiting: Deque<MiscRun> = []
    /// Out of time and still there, by what they run.
    private var overdue: [String: [MiscRun]] = [:]
    /// Wait for those that ask the same and are overdue.
    private var behind: [String: [MiscRun]] = [:]
    /// Should be gone and are not.
    private var stuckRuns: [MiscRun] = []
    private var isResting = false
    private var timer: LoopTimer?
    /// Called when `stuck` is different.
    var stuckChanged: ((StuckPrograms?) -> Void)?

    /// Nothing runs yet.
    init(on loop: EventLoop) {
        timer = loop.timer { [weak self] in
            self?.isResting = false
            self?.beginSome()
        }
    }

    /// Begins it as soon as there is a place.
    func admit(_ run: MiscRun) {
        guard stuckRuns.count < Self.limit else { return run.hasNoPlace() }
        waiting.append(run)
        beginSome()
    }

    /// It waits no more.
    func withdraw(_ run: MiscRun) {
        if let index = waiting.firstIndex(where: { $0 === run }) { waiting.remove(at: index) }
        Self.remove(run, from: &behind)
    }

    /// scriptd has no room for it: programs of an earlier checkd may be there.
    func putBack(_ run: MiscRun) {
        taken -= 1
        waiting.prepend(run)
        isResting = true
        timer?.arm(after: Self.rest)
    }

    /// Its time is up, and it is still there.
    func isOverdue(_ run: MiscRun) {
        overdue[run.identity, default: []].append(run)
    }

    /// It should be gone, and scriptd has not said so. When such have all places, nobody knows when others have their turn.
    func isStuck(_ run: MiscRun) {
        stuckRuns.append(run)
        tellStuck()
        guard stuckRuns.count == Self.limit else { return }
        let all = waiting
        waiting = []
        for run in all { run.hasNoPlace() }
    }

    /// Whether a run that asks this is still there, by the word of a scriptd that answers.
    func hasConfirmed(_ identity: String) -> Bool { overdue[identity]?.contains(where: \.isConfirmed) == true }

    /// It is gone.
    func leave(_ run: MiscRun) {
        taken -= 1
        Self.remove(run, from: &overdue)
        if overdue[run.identity] == nil, let next = behind.removeValue(forKey: run.identity) {
            for run in next { run.waitsForPlace() }
            waiting += next
        }
        if let index = stuckRuns.firstIndex(where: { $0 === run }) {
            stuckRuns.remove(at: index)
            tellStuck()
        }
        beginSome()
    }

    private func beginSome() {
        while !isResting, taken < Self.limit, let run = waiting.popFirst() {
            if overdue[run.identity] == nil {
                taken += 1
                run.begin()
            } else {
                behind[run.identity, default: []].append(run)
                run.waitsBehind()
            }
        }
    }

    private func tellStuck() {
        let stuck = stuckRuns.first.map { first in
            StuckPrograms(first: first.title, count: stuckRuns.count, haveAllPlaces: stuckRuns.count == Self.limit)
        }
        stuckChanged?(stuck)
    }

    private static func remove(_ run: MiscRun, from runs: inout [String: [MiscRun]]) {
        runs[run.identity]?.removeAll { $0 === run }
        if runs[run.identity]?.isEmpty == true { runs[run.identity] = nil }
    }
}
