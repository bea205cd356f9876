// Random takeovers: services with servers of somebody else, reloads to other servers, refused replacements, restarts with and without the file
// and with and without checkd. Every step is carried out before the next, so what a command finds is known, and a stricter rule can be asked for
// than in the simulation with lost answers: nobody who serves leaves a service empty while one of the pool may yet serve.

import Bus
import Configuration
import IPVS
import Net
import Platform
import Testing

@testable import ipvsd

@Suite struct TakeoverTests {
    @Test(arguments: 0..<20)
    func `nobody leaves a service empty while one of its pool may yet serve`(_ hundred: Int) throws {
        for seed in UInt64(hundred * 100)..<UInt64(hundred * 100 + 100) {
            let takeover = try Takeover(seed)
            try takeover.run()
            if let failure = takeover.failure {
                Issue.record("seed \(seed): \(failure)")
                return
            }
        }
    }
}

private final class Takeover {
    private static let sorry = Endpoint(.v4(IPv4Address(10, 0, 0, 9)), port: 80)

    private var random: SplitMix
    private let rig = KeeperRig()
    private let web: VirtualServerIdentity
    private var decided: [ServerIdentity: ServerOverride] = [:]
    private var history: [String] = []
    private(set) var failure: String?

    init(_ seed: UInt64) throws {
        random = SplitMix(state: seed)
        web = try service("tcp/192.0.2.1:80")
        rig.kernel.executed = { [unowned self] in check($0, $1) }
    }

    func run() throws {
        rig.kernel.table.services[web] = found()
        for _ in 0..<Int.random(in: 5...25, using: &random) where failure == nil {
            try step()
            rig.pass(.milliseconds(Int.random(in: 0...12_000, using: &random)))
        }
    }

    private func endpoint() -> Endpoint {
        Endpoint(.v4(IPv4Address(10, 0, 0, .random(in: 1...6, using: &random))), port: 80)
    }

    private func found() -> ServiceEntry {
        var entry = ServiceEntry(attributes: ServiceAttributes())
        for _ in 0..<Int.random(in: 0...4, using: &random) {
            entry.destinations[endpoint()] = routed(.random(in: 0...2, using: &random))
        }
        return entry
    }

    private func step() throws {
        let target = ServerIdentity(web, endpoint())
        switch Int.random(in: 0...9, using: &random) {
        case 0...2:
            let isUp = Bool.random(using: &random)
            history.append("\(target) is \(isUp ? "up" : "down")")
            rig.say(target, isUp: isUp)
        case 3...4: configure()
        case 5...6: restart()
        case 7:
            let override = ServerOverride(mode: Bool.random(using: &random) ? .enabled : .disabled)
            history.append("\(target) \(override.mode)")
            decided[target] = override
            let decision = override.isEmpty ? nil : Decision(override: override, since: "2026", uid: 0)
            rig.keeper.decide(target, decision, at: rig.now) { _ in }
        case 8:
            history.append("edited")
            rig.kernel.table.services[web]?.destinations[endpoint()] = routed(1)
            rig.pass(.seconds(11))
        default:
            let refused = Set((0..<Int.random(in: 0...3, using: &random)).map { _ in endpoint() })
            history.append("refused: \(refused)")
            rig.kernel.refuses = {
                if case .addDestination(_, let endpoint, _) = $0 { refused.contains(endpoint) } else { false }
            }
        }
    }

    private func configure() {
        var server = VirtualServerConfiguration(identity: web)
        server.forwarding = .directRouting
        for endpoint in Set((0..<Int.random(in: 1...4, using: &random)).map { _ in endpoint() }) {
            var real = RealServerConfiguration(endpoint: endpoint)
            real.forwarding = .directRouting
            real.weight = .random(in: 0...2, using: &random)
            real.alpha = Int.random(in: 0...3, using: &random) == 0
            real.inhibitOnFailure = Int.random(in: 0...3, using: &random) == 0
            real.checkers = [CheckerConfiguration(probe: .tcp, target: CheckTarget(endpoint: endpoint))]
            server.realServers.append(real)
        }
        if Int.random(in: 0...2, using: &random) == 0 {
            server.sorryServer = SorryServerConfiguration(endpoint: Self.sorry, forwarding: .directRouting)
        }
        let servers = server.realServers.map { "\($0.endpoint) weight \($0.weight) alpha \($0.alpha)" }
        history.append("configured: \(servers), sorry \(server.sorryServer != nil)")
        rig.configure([server])
    }

    private func restart() {
        let isLost = Int.random(in: 0...2, using: &random) == 0
        let isChecked = Bool.random(using: &random)
        history.append("restarted, file lost: \(isLost), checkd: \(isChecked)")
        if Int.random(in: 0...3, using: &random) == 0 { rig.kernel.table.services[web] = found() }
        rig.restart(standings: isLost ? ScriptedFile("standings.state") : nil)
        if isChecked { for server in rig.said.keys { rig.sayAgain(server) } }
    }

    private func mayServe(_ endpoint: Endpoint) -> Bool {
        let server = ServerIdentity(web, endpoint)
        return rig.said[server]?.state != .down && decided[server]?.mode ?? .enabled == .enabled
    }

    private func check(_ command: Command, _ before: KernelTable) {
        let found = before.services[web]?.destinations ?? [:]
        let served = found.filter { $0.value.weight > 0 && $0.key != Self.sorry }
        let serves = rig.kernel.table.services[web]?.destinations.values.contains { $0.weight > 0 } ?? false
        guard let pool = rig.servers.first, !serves, failure == nil else { return }
        // One who left may serve, as far as anybody knows, and so may one of the pool.
        let left = served.keys.filter { endpoint in
            let isConfigured = pool.realServers.contains { $0.endpoint == endpoint }
            return isConfigured ? mayServe(endpoint) : decided[ServerIdentity(web, endpoint)]?.mode != .disabled
        }
        let isLeft = pool.realServers.contains { $0.weight > 0 && mayServe($0.endpoint) }
        guard !left.isEmpty, isLeft else { return }
        failure = "\(command) empties \(before.services[web] as Any)\n" + history.joined(separator: "\n")
    }
}
