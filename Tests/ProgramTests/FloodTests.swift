// Elections while users who may only read flood the master with calls: no advertisement is late, and nobody else takes over.

import Bus
import Glibc
import Net
import Platform
import Testing

/// A flood by a user who is in group `evenkeel` of a busd that stands before the router.
private enum Flood: String, CaseIterable, CustomStringConvertible {
    /// Thirty calls of 0.93 MB, all completed at once.
    case long
    /// Thirty connections with as many of the longest calls that a reader may send as they can.
    case full
    /// 64 connections of oneway List calls without end.
    case oneway

    var description: String { rawValue }

    /// Runs for three seconds.
    var script: String {
        let prelude = """
            import os, select, socket, sys, time
            os.setgroups([]); os.setgid(64101); os.setuid(64002)
            def connect():
                s = socket.socket(socket.AF_UNIX); s.settimeout(5); s.connect(sys.argv[1]); return s
            def pour(sockets, octets, end):
                left = {s: octets for s in sockets}
                for s in sockets: s.setblocking(False)
                while left and time.monotonic() < end:
                    readable, writable, _ = select.select(list(left), list(left), [], 0.1)
                    for s in readable:
                        try:
                            if not s.recv(1 << 20): left.pop(s, None)
                        except OSError: left.pop(s, None)
                    for s in writable:
                        if s not in left: continue
                        try: left[s] = left[s][s.send(left[s][:1 << 16]):] or octets
                        except BlockingIOError: pass
                        except OSError: left.pop(s, None)
            end = time.monotonic() + 3

            """
        switch self {
        case .long:
            return prelude + """
                call = (b'{"method":"io.evenkeel.Vrrp.List","parameters":{"a":{'
                        + b",".join(b'"k%06d":1' % n for n in range(77000)) + b'}}}\\0')
                while time.monotonic() < end:
                    sockets = []
                    for _ in range(30):
                        s = connect(); sockets.append(s)
                        try: s.sendall(call[:-50])
                        except OSError: pass
                    for s in sockets:
                        try: s.sendall(call[-50:])
                        except OSError: pass
                    for s in sockets:
                        try: s.recv(4096)
                        except OSError: pass
                        s.close()
                """
        case .full:
            return prelude + """
                pad = b",".join(b'"k%03d":"%s"' % (n, b"x" * 120) for n in range(480))
                call = b'{"method":"io.evenkeel.Vrrp.List","parameters":{"a":{' + pad + b'}}}\\0'
                assert len(call) < 65536
                while time.monotonic() < end: pour([connect() for _ in range(30)], call, end)
                """
        case .oneway:
            return prelude + """
                call = b'{"method":"io.evenkeel.Vrrp.List","oneway":true}\\0' * 1000
                while time.monotonic() < end: pour([connect() for _ in range(64)], call, end)
                """
        }
    }
}

@Suite(.serialized, .enabled(if: canMakeNetworks && access("/usr/bin/python3", X_OK) == 0), .timeLimit(.minutes(3)))
struct FloodTests {
    /// busd with its own /etc/group, in which the flooding user is a reader.
    private func bus(before router: Router, of segment: Segment) throws -> Program {
        let directory = "\(segment.directory)/\(router.host.name)"
        try FileSystem.replace(directory + "/group", with: Array("root:x:0:\nevenkeel:x:64101:\n".utf8), durable: false)
        let script = "mount --bind \"$1/group\" /etc/group; shift; exec \"$@\""
        for path in [segment.directory, directory, directory + "/run"] { chmod(path, 0o755) }
        return try Program(
            [
                "/usr/bin/unshare", "-m", "/bin/sh", "-c", script, "busd", directory, Program.directory + "/busd",
                "--run-dir", directory + "/run", "--state-dir", directory + "/state",
            ], on: nil, log: directory + "/busd.log", loop: segment.loop)
    }

    @Test(arguments: Flood.allCases)
    fileprivate func `a flood by a reader delays no advertisement`(_ flood: Flood) throws {
        let segment = try Segment(hosts: 3)
        let (a, b) = (segment.hosts[0], segment.hosts[1])
        let wire = try Wire(on: segment.hosts[2], loop: segment.loop)
        // Ahead of the flooding processes, so that what is measured is vrrpd's own work and not the machine's two processors. Not
        // of a real-time class: the kernel gives 50 ms of each second to those that wait behind one.
        let ahead = "global_defs {\n vrrp_priority -20\n}\n"
        let first = try Router(.vrrpd, on: a, of: segment, ahead + Dialect.version3.text(150, on: a, peer: b))
        let second = try Router(.vrrpd, on: b, of: segment, Dialect.version3.text(100, on: b, peer: a))
        let busd = try bus(before: first, of: segment)
        try first.start()
        try segment.eventually("a holds the address", within: .seconds(20)) {
            try segment.holders(of: virtualAddress) == ["a"]
        }
        try second.start()
        let socket = "\(segment.directory)/a/run/bus.sock"
        try segment.eventually("vrrpd is attached", within: .seconds(10)) {
            (try? BusClient(path: socket).call(BusAPI.ListServices()).services.map(\.name)) == ["vrrpd"]
        }
        try segment.observe(for: .seconds(1))
        let heard = wire.heard.count
        var ended: ChildExit?
        let child = try ChildProcess(
            ["/usr/bin/python3", "-c", flood.script, socket], environment: Program.environment, on: segment.loop
        ) { ended = $0 }
        try segment.eventually("the flood is over", within: .seconds(20)) { ended != nil }
        withExtendedLifetime((child, busd)) {}
        #expect(ended == .exited(0))
        let during = wire.heard.dropFirst(heard)
        #expect(during.count > 20)
        #expect(!during.contains { $0.source == b.address }, "\(second.log)")
        let gaps = zip(during, during.dropFirst()).map { $1.at - $0.at }
        let interval = Duration.milliseconds(100)
        let longest = try #require(gaps.max())
        #expect(longest < interval + segment.slack, "\(longest), slack \(segment.slack)")
        #expect(try BusClient(path: socket).call(VrrpAPI.List()).instances.count == 1)
    }
}
