// From one entry to another: the kernel ends up with what is desired, and no step on the way empties a pool. Randomised over seeds, so that a failure names one.

import Configuration
import IPVS
import Net
import Testing

@Suite struct ChangeTests {
    @Test func `equal tables need no commands`() throws {
        let table = KernelTable(services: [
            try service("tcp/192.0.2.1:80"): ServiceEntry(
                attributes: ServiceAttributes(), destinations: [try endpoint("10.0.0.1:80"): routed(1)])
        ])
        #expect(diff(actual: table, desired: table).isEmpty)
    }

    @Test func `a changed weight is one edit, never delete and add`() throws {
        let web = try service("tcp/192.0.2.1:80")
        let first = try endpoint("10.0.0.1:80")
        let second = try endpoint("10.0.0.2:80")
        let actual = KernelTable(services: [
            web: ServiceEntry(attributes: ServiceAttributes(), destinations: [first: routed(1), second: routed(1)])
        ])
        var desired = actual
        desired.services[web]?.destinations[second] = routed(7)
        #expect(diff(actual: actual, desired: desired) == [.editDestination(web, second, routed(7))])
    }

    @Test func `a changed scheduler is one edit of the service`() throws {
        let web = try service("tcp/192.0.2.1:80")
        let actual = KernelTable(services: [web: ServiceEntry(attributes: ServiceAttributes(scheduler: "rr"))])
        let desired = KernelTable(services: [web: ServiceEntry(attributes: ServiceAttributes(scheduler: "wrr"))])
        #expect(
            diff(actual: actual, desired: desired)
                == [.editService(web, ServiceAttributes(scheduler: "wrr"))])
    }

    @Test func `a new service comes before its destinations, in address order`() throws {
        let web = try service("fwmark/7/inet")
        let attributes = ServiceAttributes(scheduler: "sh", flags: [.flag2])
        let endpoints = try ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.10:80"].map(endpoint)
        let desired = KernelTable(services: [
            web: ServiceEntry(
                attributes: attributes,
                destinations: Dictionary(uniqueKeysWithValues: endpoints.map { ($0, routed(1)) }))
        ])
        #expect(
            diff(actual: KernelTable(), desired: desired)
                == [.addService(web, attributes)] + endpoints.map { .addDestination(web, $0, routed(1)) })
    }

    @Test(arguments: 0..<1000 as Range<UInt64>)
    func `the kernel ends as desired, and no pool is empty on the way`(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let actual = randomTable(&random)
        let desired = randomTable(&random)
        var kernel = actual
        for command in diff(actual: actual, desired: desired) {
            let before = kernel
            kernel.apply(command)
            #expect(kernel != before, "\(command) changed nothing")
            for (service, entry) in desired.services where serves(actual.services[service]) && serves(entry) {
                #expect(serves(kernel.services[service]), "\(service) was empty after \(command)")
            }
            #expect(desired.services[command.service] != nil, "touched a stranger's service")
        }
        let kept = actual.services.filter { desired.services[$0.key] == nil }
        #expect(kernel.services == desired.services.merging(kept) { ours, _ in ours })
        #expect(diff(actual: kernel, desired: desired).isEmpty, "what is as it should be is left alone")
    }

    private func serves(_ entry: ServiceEntry?) -> Bool {
        entry?.destinations.values.contains { $0.weight > 0 } ?? false
    }

    private func randomTable(_ random: inout SplitMix) -> KernelTable {
        var table = KernelTable()
        for _ in 0..<UInt8.random(in: 0...6, using: &random) {
            let address: IPAddress =
                Bool.random(using: &random)
                ? .v4(IPv4Address(192, 0, 2, .random(in: 1...4, using: &random)))
                : .v6(IPv6Address(high: 0x2001_0db8 << 32, low: .random(in: 1...4, using: &random)))
            let identities: [VirtualServerIdentity] = [
                .firewallMark(.random(in: 1...3, using: &random), Bool.random(using: &random) ? .inet : .inet6),
                .address(.tcp, Endpoint(address, port: 80)), .address(.udp, Endpoint(address, port: 80)),
            ]
            var entry = ServiceEntry(attributes: randomAttributes(&random))
            for _ in 0..<Int.random(in: 0...5, using: &random) {
                let server = Endpoint(.v4(IPv4Address(10, 0, 0, .random(in: 1...6, using: &random))), port: 80)
                entry.destinations[server] = randomDestination(&random)
            }
            table.services[identities[Int.random(in: 0..<identities.count, using: &random)]] = entry
        }
        return table
    }

    private func randomAttributes(_ random: inout SplitMix) -> ServiceAttributes {
        var attributes = ServiceAttributes(scheduler: Bool.random(using: &random) ? "mh" : "wlc")
        if Bool.random(using: &random) { attributes.flags = [.flag1] }
        if Bool.random(using: &random) {
            attributes.persistence = Persistence(prefixLength: Bool.random(using: &random) ? 24 : 32)
        }
        return attributes
    }

    private func randomDestination(_ random: inout SplitMix) -> DestinationAttributes {
        let methods: [ForwardingMethod] = [.directRouting, .tunnel(.ipip), .tunnel(.gue(port: 6080, .whole))]
        var destination = DestinationAttributes(
            forwarding: .method(methods[Int.random(in: 0..<methods.count, using: &random)]),
            weight: .random(in: 0...2, using: &random))
        if Int.random(in: 0..<4, using: &random) == 0 { destination.upperThreshold = 100 }
        return destination
    }
}

/// A small seeded generator: a failing seed can be run again.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
