// `lbctl server drain --wait`: what it says while it waits, when it returns, and when it gives up.
import ArgumentParser
import Bus
import JSON
import Net
import Testing
import Varlink

@testable import lbctl

@Suite struct DrainWaitTests {
    private let daemons = ScriptedDaemons()
    private let service = "tcp/192.0.2.1:80"
    private let server = "tcp/192.0.2.1:80/10.0.0.1:80"

    /// How ipvsd shows the server.
    private func runtime(
        _ override: IpvsAPI.OverrideKind?, isOver: Bool? = nil, connections: Int? = nil, departure: Bool = false
    ) -> IpvsAPI.ServerRuntime {
        IpvsAPI.ServerRuntime(
            health: .up, since: "", reason: "", stale: false, inKernel: true, effectiveWeight: 0,
            override: override.map { IpvsAPI.Override(kind: $0, since: "", isOver: isOver) },
            activeConnections: connections, inactiveConnections: connections.map { _ in 1 },
            persistentConnections: connections.map { _ in 0 },
            departure: departure ? IpvsAPI.Departure(since: "", limitSeconds: 300) : nil)
    }

    private func show(_ runtime: IpvsAPI.ServerRuntime?) throws -> ScriptedDaemons.Answer {
        let servers = runtime.map { [IpvsAPI.Server(name: server, context: .init(), runtime: $0)] } ?? []
        let shown = IpvsAPI.Service(
            name: service, context: IpvsAPI.ServiceContext(),
            runtime: IpvsAPI.ServiceRuntime(
                state: .up, since: "", reason: "", weightUp: 1, onSorryServer: false, inKernel: true),
            servers: servers)
        return .replies([IpvsAPI.ShowService.Reply(service: shown).object])
    }

    /// Waits while `answers` are given one after the other, a second apart. Returns what was said and how it ended.
    private func wait(
        _ answers: [ScriptedDaemons.Answer], limit: Duration? = nil
    ) -> (said: [String], failure: Failure?) {
        var rest = answers[...]
        var now = Instant.zero
        var said: [String] = []
        daemons["Ipvs.ShowService"] = rest.popFirst()
        let wait = DrainWait(
            limit: limit, clock: { now },
            pause: {
                now = now + .seconds(1)
                if let next = rest.popFirst() { daemons["Ipvs.ShowService"] = next }
            }, say: { said.append($0) })
        do throws(Failure) {
            try wait.wait(for: [server], daemons)
            return (said, nil)
        } catch {
            return (said, error)
        }
    }

    @Test func `it says what is left when that changes, and returns when the server is out`() throws {
        let busy = try show(runtime(.drain, connections: 2))
        let (said, failure) = wait([
            busy, busy, try show(runtime(.drain, connections: 0)), try show(runtime(.drain, isOver: true)),
        ])
        #expect(failure == nil)
        #expect(
            said == [
                "\(server): 3 connections left (2 active), 0 persistent clients",
                "\(server): 1 connection left (0 active), 0 persistent clients",
            ])
    }

    @Test func `it gives up after its limit with a status of its own, and the drain goes on`() throws {
        let (_, failure) = wait([try show(runtime(.drain, connections: 2))], limit: .seconds(3))
        #expect(failure == .stillDraining([server]))
        #expect(failure?.status == .inPart)
        #expect(failure?.description.contains("the drain goes on") == true)
    }

    @Test func `what leaves with a reload is waited for until nobody knows it any more`() throws {
        let leaving = try show(runtime(nil, connections: 1, departure: true))
        #expect(wait([leaving, try show(nil)]).failure == nil)
        let gone = Failure.refused(
            method: IpvsAPI.ShowService.method, error: IpvsAPI.ServiceNotFound.error, parameters: [:])
        #expect(wait([leaving, .failure(gone)]).failure == nil)
    }

    @Test func `somebody else's decision ends the waiting with an error`() throws {
        let (_, failure) = wait([
            try show(runtime(.drain, connections: 2)), try show(runtime(.disable, connections: 2)),
        ])
        #expect(failure?.status == .failed)
    }

    @Test func `a limit without --wait is a wrong command line`() {
        for words in [["--wait-limit", "5"], ["--wait", "--wait-limit", "0"]] {
            #expect(throws: (any Error).self) { try ServerCommand.Drain.parse(["10.0.0.1"] + words) }
        }
    }
}
