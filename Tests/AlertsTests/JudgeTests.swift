// What is news: states are shown, in any order and as often as the bus likes, and what differs from what was told is told once.
import Configuration
import Net
import Testing

@testable import Alerts

@Suite struct JudgeTests {
    private static let text = """
        global_defs {
         router_id lb1
         notification_email {
          ops@example.com
         }
         smtp_server 192.0.2.25
         WORDS
        }
        vrrp_sync_group G {
         group {
          A
          B
         }
         smtp_alert
        }
        vrrp_instance A {
         interface eth0
         virtual_router_id 1
         smtp_alert
         virtual_ipaddress {
          192.0.2.1
         }
        }
        vrrp_instance B {
         interface eth0
         virtual_router_id 2
         virtual_ipaddress {
          192.0.2.2
         }
        }
        virtual_server 192.0.2.1 80 {
         protocol TCP
         quorum 2
         smtp_alert
         real_server 192.0.2.10 80 {
          TCP_CHECK {
          }
         }
         real_server 192.0.2.11 80 {
          smtp_alert off
          TCP_CHECK {
          }
         }
         real_server 192.0.2.12 80 {
          alpha
          TCP_CHECK {
          }
          MISC_CHECK {
           misc_path /bin/true
          }
         }
        }
        """

    private func configuration(_ words: String = "", without part: String? = nil) throws -> Configuration {
        var text = Self.text.replacing("WORDS", with: words)
        if let part { text = text.replacing(part, with: "192.0.2.99 80") }
        let loaded = Configuration.load(files: OneFile(text: text), path: "a.conf")
        return try #require(loaded.configuration, "\(loaded.diagnostics)")
    }

    private func judge(_ words: String = "", told: ToldAlerts = ToldAlerts(), isStart: Bool = true) throws -> AlertJudge
    {
        var judge = AlertJudge(told: told)
        let configuration = try configuration(words)
        _ = judge.adopt(.mail(configuration), of: configuration, isStart: isStart, time: "")
        return judge
    }

    private func router(_ state: RouterLook.State) -> RouterLook { RouterLook(state, reason: "why", since: "then") }

    private func server(_ isUp: Bool, verified: Bool = true, _ checkers: [(String, Bool)]? = nil) -> ServerLook {
        let checkers = (checkers ?? [("TCP_CHECK", isUp)]).map {
            ServerLook.Checker(kind: $0.0, identity: $0.0, isUp: $0.1)
        }
        return ServerLook(isUp: isUp, isVerified: verified, checkers: checkers, reason: "refused", since: "then")
    }

    private let first = "tcp/192.0.2.1:80/192.0.2.10:80"
    private let alpha = "tcp/192.0.2.1:80/192.0.2.12:80"

    @Test func `an instance is told as keepalived tells it, each state once`() throws {
        var judge = try judge()
        var lines: [String] = []
        for state in [.initialize, .backup, .backup, .master, .master, .fault, .backup] as [RouterLook.State] {
            lines += judge.see(.instance("A", router(state))).map(\.line)
        }
        #expect(
            lines == [
                "VRRP Instance A - Entering BACKUP state", "VRRP Instance A - Entering MASTER state",
                "VRRP Instance A - Entering FAULT state", "VRRP Group G - Entering FAULT state",
                "VRRP Instance A - Entering BACKUP state",
            ])
        #expect(judge.see(.instance("unknown", router(.master))).isEmpty)
    }

    @Test func `a group is what its members agree on, also those that are not told of`() throws {
        var judge = try judge()
        #expect(judge.see(.instance("B", router(.backup))).isEmpty)
        #expect(judge.see(.instance("A", router(.backup))).map(\.subject.kind) == [.instance, .group])
        #expect(judge.see(.instance("B", router(.master))).isEmpty)
        let changes = judge.see(.instance("A", router(.master)))
        #expect(changes.last?.text == "=> All VRRP group instances are now in MASTER state <=")
    }

    @Test(arguments: ["", "no_checker_emails"])
    func `a server that is held down is told once, and once when it is not any more`(words: String) throws {
        var judge = try judge(words)
        func look(_ isUp: Bool, held: Bool) -> ServerLook {
            var look = server(isUp)
            if held { (look.isUp, look.isHeld) = (false, true) }
            return look
        }
        #expect(judge.see(.server(first, look(false, held: false))).map(\.headline) == ["DOWN"])
        let held = judge.see(.server(first, look(true, held: true)))
        #expect(held.map(\.headline) == ["HELD DOWN"] && held.map(\.state) == ["down"])
        #expect(held.first?.text == "=> Held down: it changes its state too often <=")
        for isUp in [false, true, false, true] {
            #expect(judge.see(.server(first, look(isUp, held: true))).isEmpty)
        }
        var other = judge
        #expect(judge.see(.server(first, look(true, held: false))).map(\.headline) == ["UP"])
        #expect(
            other.see(.server(first, look(false, held: false))).map(\.text) == [
                "=> Held down no longer: it has kept still <="
            ])
    }

    @Test func `a snapshot after a restart of checkd, busd or vrrpd is no news, and what happened meanwhile is`() throws
    {
        var before = try judge()
        _ = before.see(.instance("A", router(.master)))
        _ = before.see(.server(first, server(false)))
        var after = try judge(told: before.told)
        #expect(after.see(.vrrp(isThere: true)).isEmpty)
        #expect(after.see(.instance("A", router(.master))).isEmpty)
        #expect(after.see(.server(first, server(false, verified: false))).isEmpty)
        #expect(after.see(.server(first, server(false))).isEmpty)
        #expect(after.see(.everythingOnBus).isEmpty)
        #expect(after.see(.instance("A", router(.initialize))).isEmpty)
        #expect(after.see(.instance("A", router(.master))).isEmpty)
        var later = try judge(told: before.told)
        #expect(later.see(.instance("A", router(.backup))).map(\.headline) == ["Entering BACKUP state"])
        #expect(later.see(.server(first, server(true))).map(\.headline) == ["UP"])
        // After a boot the director says what it is, as keepalived does.
        var told = before.told
        told.forgetDirector()
        var booted = try judge(told: told)
        #expect(booted.see(.instance("A", router(.master))).map(\.headline) == ["Entering MASTER state"])
        #expect(booted.see(.server(first, server(false))).isEmpty)
    }

    @Test func `an instance has stopped when it gave up and vrrpd went, in either order`() throws {
        for order in [true, false] {
            var judge = try judge()
            _ = judge.see(.instance("A", router(.master)))
            let sights: [AlertSight] = [.instance("A", router(.initialize)), .vrrp(isThere: false)]
            let lines = (order ? sights : sights.reversed()).flatMap { judge.see($0) }.map(\.line)
            #expect(lines == ["VRRP Instance A - Stopping"])
        }
        // A vrrpd that hands over to its successor stops nothing.
        var judge = try judge()
        _ = judge.see(.instance("A", router(.master)))
        #expect(judge.see(.vrrp(isThere: false)).isEmpty)
        #expect(judge.see(.vrrp(isThere: true)).isEmpty)
    }

    @Test func `no_email_faults leaves out FAULT, and the way back from it`() throws {
        var judge = try judge("no_email_faults")
        var lines: [String] = []
        for state in [.master, .fault, .master, .backup] as [RouterLook.State] {
            lines += judge.see(.instance("A", router(state))).map(\.headline)
        }
        #expect(lines == ["Entering MASTER state", "Entering BACKUP state"])
    }

    @Test func `a quorum is told with keepalived's numbers`() throws {
        var judge = try judge()
        func look(_ hasQuorum: Bool, _ weight: Int) -> AlertSight {
            .service(
                "tcp/192.0.2.1:80",
                ServiceLook(
                    hasQuorum: hasQuorum, quorum: 2, hysteresis: 1, weightUp: weight, reason: "why", since: "then"))
        }
        let changes = [look(true, 3), look(true, 2), look(false, 0), look(true, 3)].flatMap { judge.see($0) }
        #expect(changes.map(\.line) == ["UP", "DOWN", "UP"].map { "Virtualserver [192.0.2.1]:tcp:80 - \($0)" })
        #expect(
            changes.map(\.text) == [
                "=> Starting with quorum up 2+1=3 <= 3 <=", "=> Lost quorum 2+1=1 <= 0 <=",
                "=> Gained quorum 2+1=3 <= 3 <=",
            ])
        // Nobody is told that it starts without a quorum, unless a sorry server steps in.
        var other = try self.judge()
        #expect(other.see(look(false, 0)).isEmpty)
    }

    @Test func `a real server is told with its checker; not before it was probed; not where smtp_alert is off`() throws
    {
        var judge = try judge()
        #expect(judge.see(.server(first, server(true, verified: false))).isEmpty)
        #expect(judge.see(.server(first, server(false, verified: false))).isEmpty)
        let changes = judge.see(.server(first, server(false)))
        #expect(changes.map(\.line) == ["Realserver [192.0.2.10]:tcp:80 of virtual server [192.0.2.1]:tcp:80 - DOWN"])
        #expect(changes.map(\.text) == ["=> TCP CHECK failed on service <="])
        #expect(judge.see(.server(first, server(false))).isEmpty)
        #expect(judge.see(.server(first, server(true))).map(\.text) == ["=> TCP CHECK succeed on service <="])
        #expect(judge.see(.server("tcp/192.0.2.1:80/192.0.2.11:80", server(false))).isEmpty)
    }

    @Test func `alpha: that it is down at first is no news, that it comes up is`() throws {
        var judge = try judge()
        let both = [("TCP_CHECK", false), ("MISC_CHECK", false)]
        #expect(judge.see(.server(alpha, server(false, both))).isEmpty)
        let up = [("TCP_CHECK", true), ("MISC_CHECK", true)]
        #expect(judge.see(.server(alpha, server(true, up))).map(\.headline) == ["UP"])
    }

    @Test(arguments: [("", 3), ("no_checker_emails", 2)])
    func `a checker that changes nothing about its server is told unless no_checker_emails`(
        _ words: String, _ expected: Int
    ) throws {
        var judge = try judge(words)
        _ = judge.see(.server(alpha, server(true, [("TCP_CHECK", true), ("MISC_CHECK", true)])))
        let changes =
            judge.see(.server(alpha, server(false, [("TCP_CHECK", false), ("MISC_CHECK", true)])))
            + judge.see(.server(alpha, server(false, [("TCP_CHECK", false), ("MISC_CHECK", false)])))
            + judge.see(.server(alpha, server(true, [("TCP_CHECK", true), ("MISC_CHECK", true)])))
        #expect(changes.count == expected)
        #expect(changes.first?.text == "=> TCP CHECK failed on service <=")
        if expected == 3 { #expect(changes[1].text == "=> MISC CHECK failed on service <=") }
        #expect(changes.last?.headline == "UP")
    }

    @Test func `alerts that a reload brings do not tell how things stand already`() throws {
        var judge = try judge(isStart: false)
        #expect(judge.see(.server(first, server(false))).isEmpty)
        #expect(judge.see(.everyServer).isEmpty)
        #expect(judge.see(.instance("A", router(.master))).isEmpty)
        #expect(judge.see(.everythingOnBus).isEmpty)
        #expect(judge.see(.instance("A", router(.backup))).count == 1)
        #expect(judge.see(.server(first, server(true))).map(\.headline) == ["UP"])
    }

    @Test func `what leaves the configuration is told while it was up`() throws {
        var judge = try judge()
        _ = judge.see(.server(alpha, server(true, [("TCP_CHECK", true), ("MISC_CHECK", true)])))
        let without = try configuration(without: "192.0.2.12 80")
        let changes = judge.adopt(.mail(without), of: without, isStart: false, time: "now")
        #expect(changes.map(\.text) == ["=> Removing <="])
        #expect(changes.map(\.headline) == ["DOWN"])
        #expect(judge.adopt(.mail(without), of: without, isStart: false, time: "now").isEmpty)
    }

    @Test func `webhooks are told of everything`() throws {
        let configuration = try configuration("notify_webhook https://hooks.example.com/x")
        let policy = AlertPolicy.webhooks(configuration)
        #expect(policy.instances == ["A", "B"])
        #expect(policy.servers.count == 3)
        #expect(AlertPolicy.webhooks(try self.configuration()).isEmpty)
    }
}

/// A file system of one file.
private struct OneFile: FileLoader {
    let text: String

    func read(_ path: String, limit: Int) throws(FileLoaderError) -> [UInt8] { Array(text.utf8) }
    func paths(matching pattern: String) -> [String] { [pattern] }
}
