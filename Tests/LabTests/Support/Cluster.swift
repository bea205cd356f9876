// Both directors and both web servers of the published files, started and seen to serve.
import Glibc
import Testing

final class Cluster {
    let lab: Lab
    let web1: WebServer
    let web2: WebServer
    /// director1, priority 100.
    let master: Director
    /// director2, priority 50.
    let backup: Director
    private let keepalived: Bool

    init(by implementation: DRClusterTests.Implementation) throws {
        keepalived = implementation == .keepalived
        lab = try Lab()
        web1 = try WebServer(on: .web1, loop: lab.loop)
        web2 = try WebServer(on: .web2, loop: lab.loop)
        master = try Director(on: .director1, configuration: "master.conf", lab: lab)
        backup = try Director(on: .director2, configuration: "backup.conf", lab: lab)
        for director in [master, backup] {
            if keepalived { try director.startKeepalived() } else { try director.start() }
        }
    }

    /// Waits until director 1 holds the address and both tables are `table`.
    func isServing(_ table: [String]) throws {
        try lab.eventually("director 1 serves", within: .seconds(15)) {
            try lab.holders() == [.director1]
                && lab.table(of: .director1) == table && lab.table(of: .director2) == table
        }
    }

    /// Kills what holds elections on a director: vrrpd, or the whole of keepalived.
    func killElection(of director: Director) throws {
        try director.kill(keepalived ? "keepalived" : Daemon.vrrpd.rawValue)
    }

    /// Starts it again.
    func startElection(of director: Director) throws {
        if keepalived { try director.startKeepalived() } else { try director.start(.vrrpd) }
    }
}
