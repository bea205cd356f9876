// The published pairs of two routers, files and scripts as their authors wrote them: ha-pair (a master and a backup) and warm-standby (a
// group of two nopreempt unicast instances with a check and notify programs). With Evenkeel on both hosts, and with keepalived 2.2.7 in each role.

import Glibc
import Net
import Platform
import Testing

@Suite(.serialized, .enabled(if: inTheLab), .timeLimit(.minutes(5)))
struct PublishedPairTests {
    private static let roles: [[DRClusterTests.Implementation]] = [
        [.evenkeel, .evenkeel], [.evenkeel, .keepalived], [.keepalived, .evenkeel],
    ]

    /// All pairs come to this; what they said is part of a failure.
    private func eventually(
        _ what: String, _ lab: Guest, _ pairs: [PublishedPair], within limit: Duration = .seconds(20),
        _ condition: (PublishedPair) throws -> Bool
    ) throws {
        var late = pairs.map(\.name)
        do {
            try lab.eventually(what, within: limit) {
                late = try pairs.filter { try !condition($0) }.map(\.name)
                return late.isEmpty
            }
        } catch {
            Issue.record("\(what): not \(late)")
            throw error
        }
    }

    @Test func `ha-pair: the master holds the address, is replaced within the RFC's limit, and has it back`() throws {
        let lab = try Guest()
        try PublishedPair.clear(lab)
        let pairs = try Self.roles.enumerated().map { number, programs in
            try PublishedPair(
                programs, number: number, scenario: "ha-pair", files: ["master.conf", "backup.conf"],
                wires: [.init(interface: "enp0s3", addresses: ["10.9.2.121/24", "10.9.2.122/24"])], in: lab)
        }
        let address = "10.9.2.120"
        func hold(_ hosts: [Int], within limit: Duration = .seconds(20)) throws {
            try eventually("\(hosts) hold it", lab, pairs, within: limit) { try $0.holders(of: address) == hosts }
        }
        for pair in pairs { for host in [0, 1] { try pair.start(host) } }
        try hold([0])
        // Both understand each other: nobody else is master for longer than a master-down interval.
        var seen: Set<[Int]> = []
        try lab.observe(for: .seconds(4)) { for pair in pairs { seen.insert(try pair.holders(of: address)) } }
        #expect(seen == [[0]])

        // The first host is switched off.
        for pair in pairs {
            try pair.cable(0, in: false)
            try pair.end(0, SIGKILL)
            // A link that has gone was a fault to it: it may have let the address go already.
            if try pair.holders(of: address) == [0] { try pair.forget(0, [(address, interface: "enp0s3")]) }
        }
        // 3 × 1 s + (256 − 90) / 256 s from the last advertisement, and what the slow guest needed for the above.
        try hold([1], within: .seconds(5))
        for pair in pairs {
            try pair.cable(0, in: true)
            try pair.start(0)
        }
        try hold([0])

        // A host that is shut down in order says so: the other waits the skew only, 0.65 s.
        for pair in pairs {
            let begin = lab.loop.refreshNow()
            try pair.end(0, SIGTERM)
            try lab.eventually("\(pair.name): the second one holds it", within: .seconds(5)) {
                try pair.holders(of: address) == [1]
            }
            if pair.programs[0] == .evenkeel { #expect(lab.loop.refreshNow() - begin < .seconds(2), "\(pair.name)") }
            try pair.start(0)
        }
        try hold([0])
        for pair in pairs { for host in [0, 1] { try pair.end(host, SIGTERM) } }
        try hold([])
    }

    @Test func `warm-standby: all four addresses move together, only when they must, and the programs are told`() throws
    {
        let lab = try Guest()
        try PublishedPair.clear(lab)
        let directory = "/run/standby"
        try lab.run([
            "/bin/bash", "-c",
            """
            mountpoint -q /etc/keepalived || mount -t tmpfs -o mode=755 none /etc/keepalived
            cp \(Guest.repository)/Tests/LabTests/Fixtures/warm-standby/* /etc/keepalived/
            rm -rf \(directory); mkdir \(directory)
            """,
        ])
        let pairs = try Self.roles.enumerated().map { number, programs in
            try PublishedPair(
                programs, number: number, scenario: "warm-standby", files: ["first.conf", "second.conf"],
                wires: [
                    .init(interface: "bond0", addresses: ["20.31.250.10/24", "20.31.250.11/24"]),
                    .init(interface: "eth2", addresses: ["192.168.10.10/24", "192.168.10.11/24"]),
                ], in: lab)
        }
        let addresses = ["20.31.250.13", "20.31.250.14", "192.168.10.13", "192.168.10.14"]
        func hold(_ hosts: [Int], within limit: Duration = .seconds(30)) throws {
            try eventually("\(hosts) hold all four", lab, pairs, within: limit) { pair in
                try addresses.allSatisfy { try pair.holders(of: $0) == hosts }
            }
        }
        /// For longer than a master-down interval nothing moves.
        func stays(_ host: Int) throws {
            var seen: Set<[Int]> = []
            try lab.observe(for: .seconds(5)) {
                for pair in pairs { for address in addresses { seen.insert(try pair.holders(of: address)) } }
            }
            #expect(seen == [[host]])
        }
        func restarts(_ host: Int, _ count: Int, secondsAgo: Int) throws {
            let text = String(
                repeating: "\(lab.loop.now.nanoseconds / 1_000_000_000 - Int64(secondsAgo))\n", count: count)
            for pair in pairs {
                try FileSystem.replace(
                    "\(directory)/restarts.\(pair.namespace(host))", with: Array(text.utf8), durable: false)
            }
        }
        func told(_ pair: PublishedPair, _ host: Int) throws -> [String] {
            let bytes = try FileSystem.contents(of: "\(directory)/told.\(pair.namespace(host))", limit: 1 << 16)
            return String(decoding: bytes ?? [], as: UTF8.self).split(separator: "\n").map(String.init)
        }

        for host in [0, 1] { try restarts(host, 0, secondsAgo: 0) }
        for pair in pairs { try pair.start(0) }
        try hold([0])
        // One after the other: the guest has one processor, and a check has two seconds.
        for pair in pairs {
            try pair.start(1)
            try lab.eventually("\(pair.name): the second is backup", within: .seconds(20)) {
                try told(pair, 1).count == 1
            }
        }
        try stays(0)

        // One interface of the first host is dead: both instances go.
        for pair in pairs { try pair.cable(0, wire: 1, in: false) }
        try hold([1])
        for pair in pairs { try pair.cable(0, wire: 1, in: true) }
        try stays(1)

        // Five restarts in ten minutes are borne, and so are six of which one is longer ago.
        try restarts(1, 5, secondsAgo: 0)
        try stays(1)
        try restarts(1, 6, secondsAgo: 0)
        try hold([0])
        try restarts(1, 6, secondsAgo: 700)
        try stays(0)

        // The first host dies, and leaves its addresses to the second one when it returns.
        for pair in pairs {
            try pair.end(0, SIGKILL)
            try pair.forget(0, addresses.map { ($0, interface: $0.hasPrefix("20") ? "bond0" : "eth2") })
        }
        try hold([1])
        for pair in pairs { try pair.start(0) }
        try stays(1)

        let words = [
            ["backup", "master", "fault", "backup", "master", "backup"],
            ["backup", "master", "fault", "backup", "master"],
        ]
        for pair in pairs {
            for host in [0, 1] {
                try lab.eventually("\(pair.name): all is told", within: .seconds(10)) {
                    try told(pair, host).count >= words[host].count
                }
                var old = "INIT"
                let expected = words[host].enumerated().map { index, word in
                    guard pair.programs[host] == .evenkeel else { return word }
                    // The last one of the first host is another process.
                    if host == 0, index == 5 { old = "INIT" }
                    defer { old = word.uppercased() }
                    return "\(word) GROUP VG_1 \(word.uppercased()) \(old)"
                }
                let found = try told(pair, host).map { line in
                    var line = line
                    while line.last == " " { line.removeLast() }
                    return line
                }
                #expect(found == expected, "\(pair.name), \(host)")
            }
        }
        for pair in pairs { for host in [0, 1] { try pair.end(host, SIGTERM) } }
        try hold([])
    }
}
