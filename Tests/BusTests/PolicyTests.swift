// Who may call what, without needing other users: the rules on made-up peers.
import Bus
import Glibc
import Platform
import Testing
import Varlink

@testable import busd

@Suite struct PolicyTests {
    let policy = Policy(readers: 100, daemons: 200, administrators: 300, ownUser: 42)

    @Test(
        arguments: [
            (0, 0, [], Role.administrator), (42, 42, [], .administrator), (1000, 300, [], .administrator),
            (1000, 1, [5, 300], .administrator), (1000, 1, [200], .daemon), (1000, 1, [100], .reader),
            (1000, 1, [100, 200], .daemon), (1000, 1, [], .stranger),
        ] as [(UInt32, UInt32, [UInt32], Role)])
    func `the role follows from user and groups`(_ uid: UInt32, _ gid: UInt32, _ groups: [UInt32], _ role: Role) {
        #expect(policy.role(of: PeerCredentials(uid: uid, gid: gid, pid: 1, groups: groups)) == role)
    }

    @Test func `groups that a host does not have grant nothing`() {
        let policy = Policy(readers: nil, daemons: nil, administrators: nil, ownUser: 42)
        #expect(policy.role(of: PeerCredentials(uid: 1, gid: 1, pid: 1, groups: [0])) == .stranger)
    }

    @Test(arguments: [
        ("io.evenkeel.Vrrp.List", Role.reader), ("io.evenkeel.Vrrp.Failover", .administrator),
        ("io.evenkeel.Bus.Subscribe", .reader), ("io.evenkeel.Bus.Publish", .daemon),
        ("io.evenkeel.Bus.Register", .daemon), ("org.varlink.service.GetInfo", .reader),
        ("org.example.Unknown.Do", .administrator), ("io.evenkeel.Ipvs.Drain", .administrator),
    ])
    func `a method needs its role`(_ method: String, _ role: Role) {
        #expect(Interfaces.role(for: method) == role)
    }

    /// Every method of the suite that does not change anything is readable, every other one is not.
    @Test func `methods that only read are those whose names say so`() throws {
        for definition in [try Interfaces.vrrp(), try Interfaces.ipvs(), try Interfaces.check()] {
            for member in definition.members {
                guard case .method = member.declaration else { continue }
                let reads = member.name.hasPrefix("List") || member.name.hasPrefix("Show")
                let needed = Interfaces.role(for: "\(definition.name).\(member.name)")
                #expect(needed == (reads ? .reader : .administrator), "\(definition.name).\(member.name)")
            }
        }
    }

    @Test func `one user's connections share one quota`() throws {
        let bus = try BusProgram()
        var limit = rlimit(rlim_cur: 4096, rlim_max: 4096)
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let subscribe = #"{"method":"io.evenkeel.Bus.Subscribe","more":true}"#
        var held: [RawConnection] = []
        for _ in 0..<Quota.reserved.subscriptions {
            let raw = try bus.rawConnection()
            try raw.send(subscribe)
            #expect(try raw.message()?.contains("snapshotComplete") == true)
            held.append(raw)
        }
        let refused = try bus.rawConnection()
        try refused.send(subscribe)
        #expect(
            try refused.message()
                == #"{"error":"io.evenkeel.Bus.QuotaExceeded","parameters":{"quota":"subscriptions","limit":512}}"#)
        // The refused connection is of use, and a share given back can be had again.
        held.removeLast()
        try eventually("the subscription has ended") {
            try bus.client().call(BusAPI.GetStatistics()).statistics.subscriptions < Quota.reserved.subscriptions
        }
        try refused.send(subscribe)
        #expect(try refused.message()?.contains("snapshotComplete") == true)
        for _ in held.count..<Quota.reserved.connections { held.append(try bus.rawConnection()) }
        let beyond = try bus.rawConnection()
        #expect(try beyond.message()?.contains(#""quota":"connections""#) == true)
        #expect(try beyond.message() == nil)
    }

    @Test(.enabled(if: geteuid() == 0, "only root can become somebody else"))
    func `a stranger is refused everything`() throws {
        let bus = try BusProgram()
        let script = """
            import os, socket, sys
            os.setgroups([]); os.setgid(65534); os.setuid(65534)
            s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.settimeout(10)
            for method in sys.argv[2:]:
                s.sendall(b'{"method":"' + method.encode() + b'"}\\0')
                print(s.recv(4096).rstrip(b"\\0").decode())
            """
        let methods = ["org.varlink.service.GetInfo", "io.evenkeel.Bus.Publish", "io.evenkeel.Vrrp.List"]
        let (output, status) = try python(["-c", script, bus.socket] + methods)
        #expect(status == 0)
        let denied = #"{"error":"org.varlink.service.PermissionDenied","parameters":{}}"#
        #expect(output.split(separator: "\n").map(String.init) == [denied, denied, denied])
    }
}
