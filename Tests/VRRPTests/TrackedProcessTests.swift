// Tracked processes in virtual time: which match, how many count, delays, and events that happen while /proc is looked at.

import Configuration
import Net
import Testing

@testable import VRRP

private func block(
    _ process: [String] = ["nginx"], quorum: Int = 1, maximum: Int? = nil, fork: Duration = .zero,
    terminate: Duration = .zero
) -> TrackProcessConfiguration {
    var block = TrackProcessConfiguration(name: "p", process: process)
    (block.quorum, block.maximum, block.forkDelay, block.terminateDelay) = (quorum, maximum, fork, terminate)
    return block
}

private func at(_ seconds: Double) -> Instant { .zero + .milliseconds(Int64(seconds * 1000)) }

@Suite struct ProcessMatchTests {
    private func matches(
        _ process: [String], _ match: TrackProcessConfiguration.ParameterMatch = .any, full: Bool = false,
        name: String = "nginx", _ arguments: [String] = []
    ) -> Bool {
        var block = block(process)
        (block.parameters, block.matchesFullCommand) = (match, full)
        return block.matches(
            ProcessSight(name: Array(name.utf8), commandLine: arguments.flatMap { Array($0.utf8) + [0] }))
    }

    @Test func `a name is compared as a whole, in the 15 octets that the kernel keeps`() {
        #expect(matches(["nginx"]))
        #expect(!matches(["ngin"]))
        #expect(!matches(["nginx"], name: "nginx2"))
        #expect(matches(["/usr/sbin/nginx"]))
        #expect(matches(["a-very-long-process-name"], name: "a-very-long-pro"))
    }

    @Test func `full_command compares the program of the command line`() {
        #expect(matches(["/usr/sbin/nginx"], full: true, ["/usr/sbin/nginx", "-g"]))
        #expect(!matches(["nginx"], full: true, ["/usr/sbin/nginx", "-g"]))
        #expect(!matches(["nginx"], full: true, []))
    }

    @Test(arguments: [
        (TrackProcessConfiguration.ParameterMatch.exact, [true, false, false, false, false]),
        (.partial, [true, true, false, false, false]),
        (.initial, [true, true, true, false, false]),
    ])
    func `arguments are compared exactly, as the first ones, or as a beginning`(
        _ match: TrackProcessConfiguration.ParameterMatch, _ expected: [Bool]
    ) {
        let lines = [["p", "a", "bc"], ["p", "a", "bc", "d"], ["p", "a", "bcd"], ["p", "a"], ["p", "x", "bc"]]
        #expect(lines.map { matches(["p", "a", "bc"], match, $0) } == expected)
    }

    @Test func `param_match without arguments means that there are none`() {
        #expect(matches(["p"], .exact, ["p"]))
        #expect(!matches(["p"], .exact, ["p", "a"]))
    }
}

@Suite struct TrackedProcessesTests {
    /// A table that has looked at everything, and seen these.
    private func table(
        _ processes: Set<Int32>, of block: TrackProcessConfiguration = block()
    ) -> TrackedProcesses {
        var table = TrackedProcesses()
        table.adopt([block], at: .zero)
        #expect(table.reports.isEmpty)
        #expect(table.nextLook() == .everything)
        #expect(table.nextLook() == nil)
        table.saw(["p": processes], of: .everything, at: .zero)
        return table
    }

    private func standing(_ table: TrackedProcesses) -> TrackerStanding? { table.reports["p"]?.standing }

    @Test func `the last one that ends is missed, and a new one counts when it is known`() {
        var table = table([7, 8])
        table.heard([.exited(7)], at: at(1))
        #expect(standing(table) == .good)
        table.heard([.exited(8), .renamed(9)], at: at(1))
        #expect(table.reports["p"] == TrackerReport(.failed, "0 processes"))
        #expect(table.nextLook() == .these([9]))
        table.saw(["p": [9]], of: .these([9]), at: at(1))
        #expect(table.reports["p"] == TrackerReport(.good, "1 process"))
        // It becomes something else.
        table.heard([.renamed(9)], at: at(2))
        #expect(table.nextLook() == .these([9]))
        table.saw([:], of: .these([9]), at: at(2))
        #expect(standing(table) == .failed)
    }

    @Test func `quorum and quorum_max are both bounds`() {
        var table = table([1], of: block(quorum: 2, maximum: 3))
        let seen = [2, 3, 4].map { (child: Int32) -> TrackerStanding? in
            table.heard([.forked(child: child, of: 1)], at: at(1))
            return standing(table)
        }
        #expect(seen == [.good, .good, .failed])
        table.heard([.exited(4)], at: at(2))
        #expect(standing(table) == .good)
        let none = self.table([], of: block(quorum: 0, maximum: 0))
        #expect(standing(none) == .good)
    }

    @Test func `an end that is followed by a start within terminate_delay moves nothing`() {
        var table = table([5], of: block(terminate: .seconds(2)))
        table.heard([.exited(5), .renamed(6)], at: at(1))
        #expect(standing(table) == .good)
        #expect(table.deadline == at(3))
        #expect(table.nextLook() == .these([6]))
        table.saw(["p": [6]], of: .these([6]), at: at(2))
        #expect(table.deadline == nil)
        table.heard([.exited(6)], at: at(5))
        table.due(at: at(6.9))
        #expect(standing(table) == .good)
        table.due(at: at(7))
        #expect(standing(table) == .failed)
    }

    @Test func `a fork that becomes something else within fork_delay moves nothing`() {
        var table = table([5], of: block(maximum: 1, fork: .seconds(1)))
        table.heard([.forked(child: 6, of: 5)], at: at(1))
        #expect(standing(table) == .good)
        table.heard([.renamed(6)], at: at(1.1))
        #expect(table.nextLook() == .these([6]))
        table.saw([:], of: .these([6]), at: at(1.2))
        table.due(at: at(9))
        #expect(standing(table) == .good)
    }

    @Test func `what happens during a look is not lost`() {
        var table = table([5])
        table.scanAgain()
        #expect(table.nextLook() == .everything)
        // The look has seen 5, which ends before it is done, and missed the child of 7.
        table.heard([.exited(5), .forked(child: 8, of: 7)], at: at(1))
        table.saw(["p": [5, 7]], of: .everything, at: at(1.1))
        #expect(table.reports["p"]?.words == "2 processes")
        table.heard([.exited(7), .exited(8)], at: at(2))
        #expect(standing(table) == .failed)
    }

    @Test func `more than can be looked up one by one is looked at as a whole`() {
        var table = table([5])
        table.heard((1...5000).map { .renamed($0) }, at: at(1))
        #expect(table.nextLook() == .everything)
    }

    @Test func `a reload keeps what means the same processes, and looks for the others`() {
        var table = table([5])
        table.adopt([block(quorum: 2)], at: at(1))
        #expect(table.nextLook() == nil)
        #expect(standing(table) == .failed)
        table.adopt([block(["apache2"])], at: at(1))
        #expect(standing(table) == nil)
        #expect(table.nextLook() == .everything)
    }

    /// Any order of events and looks: when everything is quiet and looked at, the table shows what there is.
    @Test func `after any sequence of events and looks the table shows what there is`() {
        for seed in 0..<300 {
            var random = SplitMix(seed: UInt64(seed))
            var table = TrackedProcesses()
            table.adopt([block()], at: .zero)
            // What there is: each process, and whether it matches.
            var truth: [Int32: Bool] = [1: true, 2: false]
            var look: (TrackedProcesses.Look, [String: Set<Int32>])?
            func found(_ look: TrackedProcesses.Look) -> [String: Set<Int32>] {
                let matching = Set(truth.filter(\.value).keys)
                switch look {
                case .everything: return ["p": matching]
                case .these(let set): return ["p": matching.intersection(set)]
                }
            }
            var next: Int32 = 3
            for _ in 0..<200 {
                let alive = truth.keys.sorted()
                switch random.next() % 5 {
                case 0:
                    guard let parent = alive.randomElement(using: &random) else { break }
                    truth[next] = truth[parent]
                    table.heard([.forked(child: next, of: parent)], at: .zero)
                    next += 1
                case 1:
                    guard let process = alive.randomElement(using: &random) else { break }
                    truth[process] = random.next() % 2 == 0
                    table.heard([.renamed(process)], at: .zero)
                case 2:
                    guard alive.count > 1, let process = alive.randomElement(using: &random) else { break }
                    truth[process] = nil
                    table.heard([.exited(process)], at: .zero)
                case 3:
                    if look == nil, let asked = table.nextLook() { look = (asked, found(asked)) }
                default:
                    if let (asked, answer) = look { table.saw(answer, of: asked, at: .zero) }
                    look = nil
                }
            }
            if let (asked, answer) = look { table.saw(answer, of: asked, at: .zero) }
            while let asked = table.nextLook() { table.saw(found(asked), of: asked, at: .zero) }
            let count = truth.values.count { $0 }
            #expect(table.reports["p"]?.words == (count == 1 ? "1 process" : "\(count) processes"), "seed \(seed)")
        }
    }
}
