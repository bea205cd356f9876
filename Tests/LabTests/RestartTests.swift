// Killing a daemon at any moment loses nothing and flaps nothing: the table is watched at 5 ms distance through every death
// and return, with requests going on.
import Net
import Platform
import Testing

@Suite(.serialized, .enabled(if: inTheLab))
struct RestartTests {
    private let full = [
        "tcp 192.168.200.254:80 rr", "  192.168.200.103:80 Route 1", "  192.168.200.104:80 Route 1",
    ]
    private var withoutWeb2: [String] { Array(full.dropLast()) }

    /// The daemons that die together, in the order of their deaths; they return in the order of `Daemon`.
    static let deaths: [[Daemon]] = [[.checkd], [.busd], [.ipvsd], [.ipvsd, .busd, .checkd]]

    @Test func `killed daemons leave a sick server out and a healthy one in`() throws {
        let cluster = try Cluster(by: .evenkeel)
        let (lab, master) = (cluster.lab, cluster.master)
        try cluster.isServing(full)
        cluster.web2.stop()
        try lab.eventually("web2 leaves", within: .seconds(20)) {
            try lab.table(of: .director1) == withoutWeb2 && lab.table(of: .director2) == withoutWeb2
        }
        // Three seconds: on a busy machine the guest itself stands still for a while; the table's flaps are seen directly.
        let traffic = Traffic(every: .milliseconds(50), limit: .seconds(3), loop: lab.loop)
        let start = lab.loop.refreshNow()

        var seen: Set<[String]> = []
        for deaths in Self.deaths {
            for daemon in deaths {
                try master.kill(daemon)
                try lab.observe(for: .milliseconds(300)) { seen.insert(try lab.table(of: .director1)) }
            }
            for daemon in Daemon.allCases where deaths.contains(daemon) { try master.start(daemon) }
            try lab.observe(for: .seconds(2)) { seen.insert(try lab.table(of: .director1)) }
        }
        #expect(seen == [withoutWeb2], "the table flapped\n\(master.logs)")
        #expect(Traffic.failures(traffic.since(start)).isEmpty)
        #expect(Set(Traffic.answers(traffic.since(start))) == ["web1"])
        #expect(try lab.holders() == [.director1])

        try cluster.web2.start()
        try lab.eventually("the restarted daemons see web2 return", within: .seconds(12)) {
            try lab.table(of: .director1) == full
        }
    }

    @Test func `a change of health while ipvsd is dead reaches the table when it returns`() throws {
        let cluster = try Cluster(by: .evenkeel)
        let (lab, master) = (cluster.lab, cluster.master)
        try cluster.isServing(full)

        try master.kill(.ipvsd)
        cluster.web2.stop()
        // director 2 sees the same server, so its table tells when checkd's verdict has fallen.
        try lab.eventually("director 2 takes web2 out", within: .seconds(20)) {
            try lab.table(of: .director2) == withoutWeb2
        }
        #expect(try lab.table(of: .director1) == full, "nobody touches the table while ipvsd is dead")
        try lab.observe(for: .seconds(7))
        try master.start(.ipvsd)
        try lab.eventually("the new ipvsd takes web2 out", within: .seconds(10)) {
            try lab.table(of: .director1) == withoutWeb2
        }
    }

    @Test func `a restarted vrrpd that is back in time goes on as master`() throws {
        let cluster = try Cluster(by: .evenkeel)
        let (lab, master) = (cluster.lab, cluster.master)
        try cluster.isServing(full)
        let traffic = Traffic(every: .milliseconds(20), limit: .seconds(3), loop: lab.loop)

        // Starting a process takes a busy machine seconds: a round in which the new one was late does not count.
        var rounds = 0
        for _ in 1...10 where rounds < 3 {
            let start = lab.loop.refreshNow()
            let said = master.wordiness(of: .vrrpd)
            try master.kill(.vrrpd)
            try master.start(.vrrpd)
            let absence = try lab.eventually("vrrpd speaks", within: .seconds(20)) {
                master.wordiness(of: .vrrpd) > said
            }
            guard absence < .seconds(2) else {
                try lab.eventually("all is as before", within: .seconds(20)) { try lab.holders() == [.director1] }
                continue
            }
            rounds += 1
            var holders: Set<[Host]> = []
            try lab.observe(for: .seconds(4)) { holders.insert(try lab.holders()) }
            #expect(holders == [[.director1]], "\(master.logs)")
            #expect(Traffic.failures(traffic.since(start)).isEmpty)
        }
        #expect(rounds == 3, "a process takes longer to start here than the master-down interval")
    }
}
