// What instances track besides scripts, with the real vrrpd: interfaces with weights and delays, files, processes.

import Bus
import Glibc
import Net
import Platform
import Testing
import VRRP

@Suite(.serialized, .enabled(if: canMakeNetworks), .timeLimit(.minutes(2)))
struct TrackerTests {
    /// The priority of the last advertisement of vrrpd.
    private func advertised(_ alone: Alone) -> UInt8? {
        alone.wire.heard.last { $0.source == alone.host.address }?.priority
    }

    private func advertises(_ priority: UInt8, _ alone: Alone) throws {
        try alone.eventually("priority \(priority) is advertised") { advertised(alone) == priority }
    }

    private func tracker(_ alone: Alone) throws -> VrrpAPI.Tracker {
        try #require(try alone.router.show().runtime.trackers?.first)
    }

    @Test func `tracked interfaces change the priority as in keepalived`() throws {
        let alone = try Alone(prepare: { segment in
            let name = segment.hosts[0].namespace
            try segment.ip(["-n", name, "link", "add", "eth1", "type", "veth", "peer", "name", "eth2"])
            for link in ["eth1", "eth2"] { try segment.ip(["-n", name, "link", "set", link, "up"]) }
        }) {
            Dialect.version3.text(
                100, on: $0, peer: $1, more: "track_interface {\n eth1 weight -30\n eth2 weight 7 reverse\n }")
        }
        try advertises(93, alone)
        try alone.ip("link set eth2 down")
        try advertises(70, alone)
        let shown = try alone.router.show()
        #expect(shown.runtime.trackers?.map(\.detail) == ["down", "down"])
        #expect(shown.runtime.trackers?.map(\.effect) == [-30, 0])
        #expect(shown.runtime.trackers?.allSatisfy { $0.since != nil } ?? false)
        try alone.ip("link set eth2 up")
        try advertises(93, alone)
    }

    @Test func `a link that flaps moves nothing within its delay`() throws {
        let alone = try Alone {
            Dialect.version3.text(100, on: $0, peer: $1) + "interface_up_down_delays {\n eth0 0.15 1\n}\n"
        }
        try alone.becomes(.master)
        for _ in 0..<3 {
            try alone.segment.cable(alone.host, in: false)
            try alone.segment.cable(alone.host, in: true)
            try alone.segment.observe(for: .milliseconds(200))
        }
        #expect(try alone.router.show().runtime.statistics.becameMaster == 1)
        try alone.segment.cable(alone.host, in: false)
        try alone.becomes(.fault)
        try alone.segment.cable(alone.host, in: true)
        let time = try alone.eventually("it takes part again") { try alone.router.show().runtime.state != .fault }
        #expect(time > .milliseconds(500))
    }

    @Test func `a tracked file moves the priority, and is a fault at -254`() throws {
        let alone = try Alone { host, peer in
            let path = "/run/evenkeel-tests-\(host.namespace)"
            return "track_file load {\n file \(path)/load\n weight -10\n init_file 1\n}\n"
                + Dialect.version3.text(100, on: host, peer: peer, more: "track_file {\n load\n }")
        }
        let directory = "/run/evenkeel-tests-\(alone.host.namespace)"
        defer { _ = try? alone.segment.run(["/bin/rm", "-rf", directory]) }
        // The directory comes late.
        try alone.becomes(.master)
        try FileSystem.makeDirectory(directory, mode: 0o755)
        try advertises(90, alone)
        func write(_ text: String) throws {
            try FileSystem.replace(directory + "/load", with: Array(text.utf8), durable: false)
        }
        try write("4\n")
        try advertises(60, alone)
        #expect(try tracker(alone).detail == "4")
        try write("26\n")
        try alone.becomes(.fault)
        #expect(try alone.router.show().runtime.faults == ["track_file load has failed"])
        #expect(try tracker(alone).fault)
        try write("-5\n")
        try alone.becomes(.master)
        try advertises(150, alone)
        unlink(directory + "/load")
        try advertises(100, alone)
    }

    /// In a network namespace the kernel does not tell: it is looked every second.
    @Test func `a tracked process that ends is a fault until it runs again`() throws {
        let alone = try Alone(prepare: { segment in
            let path = segment.directory + "/ek-worker"
            try segment.run(["/bin/cp", "/bin/sleep", path])
            chmod(path, 0o755)
        }) { host, peer in
            "vrrp_track_process worker {\n process ek-worker\n}\n"
                + Dialect.version3.text(100, on: host, peer: peer, more: "track_process {\n worker\n }")
        }
        try alone.becomes(.fault)
        #expect(try alone.router.show().runtime.faults == ["track_process worker has failed"])
        for _ in 0..<2 {
            let child = try ChildProcess(
                [alone.segment.directory + "/ek-worker", "60"], environment: [], on: alone.segment.loop
            ) {
                _ in
            }
            try alone.becomes(.master)
            #expect(try tracker(alone).detail == "1 process")
            child.signal(SIGKILL)
            try alone.becomes(.fault)
        }
        #expect(try tracker(alone).hindrance?.contains("every second") ?? false)
    }
}
