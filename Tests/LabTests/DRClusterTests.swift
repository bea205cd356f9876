// The published DR cluster, both configuration files unchanged: two directors, two real servers, a client. What is said
// of Evenkeel here is also run with keepalived 2.2.7, so that a surprise in the lab is not taken for one in the product.
import Glibc
import Net
import Platform
import Testing

@Suite(.serialized, .enabled(if: inTheLab))
struct DRClusterTests {
    /// Who runs the directors.
    enum Implementation: CaseIterable {
        case evenkeel, keepalived
    }

    /// RFC 3768 §6.1: 3 × Advertisement_Interval + (256 − Priority) / 256, for the backup's priority 50.
    private let masterDownInterval = Duration.milliseconds(3805)
    /// What the lab's clock may add (recipes: 20 ms), and the client's own interval.
    private let slack = Duration.milliseconds(20 + 25)

    private let full = [
        "tcp 192.168.200.254:80 rr", "  192.168.200.103:80 Route 1", "  192.168.200.104:80 Route 1",
    ]

    @Test(arguments: Implementation.allCases)
    func `requests alternate, and a stopped server leaves the table and returns`(_ by: Implementation) throws {
        let cluster = try Cluster(by: by)
        let (lab, master) = (cluster.lab, cluster.master)
        try cluster.isServing(full)

        let traffic = Traffic(every: .milliseconds(50), loop: lab.loop)
        try lab.eventually("20 requests", within: .seconds(5)) { traffic.requests.count >= 20 }
        let answers = Traffic.answers(traffic.requests)
        #expect(Traffic.failures(traffic.requests).isEmpty, "\(traffic.requests)")
        #expect(zip(answers, answers.dropFirst()).allSatisfy { $0 != $1 }, "round robin alternates: \(answers)")

        cluster.web2.stop()
        // delay_loop 6, then three retries 3 s apart; the first probe may still be before the stop.
        try lab.eventually("web2 leaves the table", within: .seconds(6 + 3 * 3 + 1)) {
            try lab.table(of: master.host) == Array(full.dropLast())
        }
        let gone = lab.loop.refreshNow()
        try lab.observe(for: .seconds(2))
        #expect(Traffic.failures(traffic.since(gone)).isEmpty, "no request fails any more")
        #expect(Set(Traffic.answers(traffic.since(gone))) == ["web1"])

        try cluster.web2.start()
        try lab.eventually("web2 returns", within: .seconds(6 + 1)) { try lab.table(of: master.host) == full }
        let back = lab.loop.refreshNow()
        try lab.observe(for: .seconds(1))
        #expect(Set(Traffic.answers(traffic.since(back))) == ["web1", "web2"])
        #expect(Traffic.failures(traffic.since(gone)).isEmpty)
    }

    @Test(arguments: Implementation.allCases)
    func `a dead master is replaced within the RFC's limit, and preempts when it is back`(_ by: Implementation) throws {
        let cluster = try Cluster(by: by)
        let lab = cluster.lab
        try cluster.isServing(full)
        let traffic = Traffic(every: .milliseconds(20), limit: .milliseconds(500), loop: lab.loop)
        try lab.eventually("10 requests", within: .seconds(5)) { traffic.requests.count >= 10 }

        let death = lab.loop.refreshNow()
        try cluster.killElection(of: cluster.master)
        try lab.link(of: .director1, up: false)
        try lab.eventually("director 2 holds the address", within: masterDownInterval + slack) {
            try lab.holders().contains(.director2)
        }
        let takeover = lab.loop.refreshNow() - death
        try lab.eventually("director 2 serves", within: .seconds(1)) {
            traffic.requests.last.map { $0.sent > death && Traffic.failures([$0]).isEmpty } ?? false
        }
        let served = lab.loop.refreshNow()
        print("lab: \(by) took over after \(takeover), limit \(masterDownInterval)")
        try lab.observe(for: .seconds(1))
        #expect(Traffic.failures(traffic.since(served)).isEmpty)

        try cluster.startElection(of: cluster.master)
        try lab.link(of: .director1, up: true)
        try lab.eventually("director 1 preempts", within: .seconds(12)) {
            try lab.holders() == [.director1]
        }
        let preempted = lab.loop.refreshNow() + .milliseconds(200)
        try lab.observe(for: .seconds(1))
        #expect(Traffic.failures(traffic.since(preempted)).isEmpty)
        #expect(try lab.table(of: .director1) == full)
    }
}
