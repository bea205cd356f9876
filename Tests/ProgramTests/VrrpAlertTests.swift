// Mail about virtual routers beside keepalived 2.2.7: the same configuration, the same events, the same lines to the same people. checkd has
// nothing to check here; restarts of everybody tell nothing.
import Bus
import Glibc
import JSON
import Net
import Platform
import Testing

@Suite(.serialized, .enabled(if: canMakeNetworks), .timeLimit(.minutes(3))) struct VrrpAlertTests {
    /// A router, its mail server, and for vrrpd a bus and checkd.
    private final class Room {
        let segment: Segment
        let mails: MailServer
        let router: Router
        private(set) var checkd: Program?
        private var busd: Program?
        private var ear: EventTap?
        private let implementation: Implementation

        init(_ implementation: Implementation) throws {
            self.implementation = implementation
            segment = try Segment(hosts: 2)
            let loop = segment.loop
            mails = try segment.hosts[0].inside { try MailServer(on: loop) }
            let configuration = """
                global_defs {
                 router_id lb1
                 notification_email {
                  ops@example.com
                  boss@example.com
                 }
                 notification_email_from director@example.com
                 smtp_server 127.0.0.1 \(mails.port)
                 smtp_alert
                }
                vrrp_sync_group G {
                 group {
                  A
                  B
                 }
                }

                """
            let instances = [("A", 51), ("B", 52)].map { name, number in
                """
                vrrp_instance \(name) {
                 interface eth0
                 version 3
                 virtual_router_id \(number)
                 advert_int 0.1
                 virtual_ipaddress {
                  10.77.0.\(number)
                 }
                }

                """
            }
            router = try Router(
                implementation, on: segment.hosts[0], of: segment, configuration + instances.joined())
        }

        deinit {
            checkd?.signal(SIGKILL)
            busd?.signal(SIGKILL)
        }

        func start() throws {
            if implementation == .vrrpd {
                try startBus()
                try startCheckd()
            }
            try router.start()
        }

        func startBus() throws {
            busd?.signal(SIGKILL)
            unlink(router.directory + "/run/bus.sock")
            (busd, ear) = try router.startBus([EventType.vrrpInstance, EventType.configuration])
        }

        func startCheckd() throws {
            unlink(router.directory + "/run/private/checkd.sock")
            checkd = try Program(
                [
                    Program.directory + "/checkd", "--config", router.directory + "/vrrp.conf", "--run-dir",
                    router.directory + "/run", "--state-dir", router.directory + "/state", "--log-level", "debug",
                ], on: segment.hosts[0], log: router.directory + "/checkd.log", loop: segment.loop)
        }

        func endCheckd(_ signal: Int32) throws {
            checkd?.signal(signal)
            try eventually("checkd ends") { checkd?.exit != nil }
        }

        /// The state of an instance, as the bus has it, or as keepalived's mails tell it.
        func isKnown(_ state: String) -> Bool {
            guard implementation == .vrrpd else {
                return lines(to: "ops@example.com").last?.contains("Entering \(state.uppercased()) state") == true
            }
            let standing = ear?.standing(EventType.vrrpInstance) ?? [:]
            return ["A", "B"].allSatisfy { standing[$0]?["runtime"]?["state"]?.string == state }
        }

        /// What one was told, in order: subjects of mails about one change, lines of the others.
        func lines(to recipient: String) -> [String] {
            mails.mails.filter { $0.recipients.contains(recipient) }.flatMap { mail in
                let isList = mail.subject.contains(" changes: ")
                let body = mail.text.split(separator: "What happened:").last ?? ""
                return isList
                    ? body.split(separator: "\r\n").filter { $0.hasPrefix("VRRP ") }.map(String.init)
                    : [mail.subject.replacing("[lb1] ", with: "")]
            }
        }

        func eventually(_ what: String, within limit: Duration = .seconds(30), _ condition: () throws -> Bool) throws {
            do {
                try segment.eventually(what, within: limit, condition)
            } catch {
                Issue.record(
                    "\(mails.mails.map(\.text))\n\(router.log.suffix(2000))\n\(checkd?.output.suffix(3000) ?? "")")
                throw error
            }
        }
    }

    /// Becomes master, loses its link, gets it back, stops; gives what each of the two was told.
    private func life(_ implementation: Implementation) throws -> [[String]] {
        let room = try Room(implementation)
        try room.start()
        try room.eventually("master") { room.isKnown("master") }
        try room.segment.cable(room.segment.hosts[0], in: false)
        try room.eventually("fault") { room.isKnown("fault") }
        try room.segment.cable(room.segment.hosts[0], in: true)
        try room.eventually("master again") { room.isKnown("master") }
        if implementation == .keepalived {
            // Five states of two instances and their group; its last mails go with it.
            try room.eventually("both are told") { recipients.allSatisfy { room.lines(to: $0).count >= 15 } }
        }
        try room.router.end(SIGTERM)
        if implementation == .vrrpd {
            try room.eventually("checkd knows") { room.isKnown("initialize") }
            try room.segment.observe(for: .milliseconds(500))
            try room.endCheckd(SIGTERM)
        }
        // The last of it may be under way still.
        try room.segment.observe(for: .milliseconds(500))
        return recipients.map { room.lines(to: $0) }
    }

    private let recipients = ["ops@example.com", "boss@example.com"]

    @Test func `people are told what keepalived tells them`() throws {
        let ours = try life(.vrrpd)
        let theirs = try life(.keepalived)
        func of(_ name: String, _ lines: [String]) -> [String] { lines.filter { $0.contains(" \(name) - ") } }
        for name in ["Instance A", "Instance B", "Group G"] {
            let words = ["BACKUP", "MASTER", "FAULT", "BACKUP", "MASTER"].map { "VRRP \(name) - Entering \($0) state" }
            for lines in ours { #expect(of(name, lines) == words + ["VRRP \(name) - Stopping"]) }
            // keepalived does not wait for its last mails.
            for lines in theirs { #expect(of(name, lines).filter { !$0.hasSuffix("Stopping") } == words) }
        }
        #expect(ours[0] == ours[1])
    }

    @Test func `restarts of vrrpd, busd and checkd tell nothing`() throws {
        let room = try Room(.vrrpd)
        try room.start()
        try room.eventually("master") { room.isKnown("master") }
        try room.eventually("it is told") {
            recipients.allSatisfy { room.lines(to: $0).count >= 6 }
        }
        let told = room.lines(to: "ops@example.com")
        try room.router.end(SIGUSR1)
        try room.router.start()
        try room.startBus()
        try room.eventually("the bus knows again") { room.isKnown("master") }
        try room.endCheckd(SIGKILL)
        try room.startCheckd()
        try room.eventually("checkd is back") {
            access(room.router.directory + "/run/private/checkd.sock", F_OK) == 0
        }
        try room.segment.observe(for: .seconds(1))
        try room.endCheckd(SIGTERM)
        #expect(room.lines(to: "ops@example.com") == told)
    }
}
