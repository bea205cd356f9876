// No bytes make the reader trap, hang or read without end: mutations of the fixtures, for a bounded time.
import Testing

@testable import Configuration

/// A small deterministic generator, so that a failure can be repeated.
private struct Randomness: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}

@Suite struct TotalityTests {
    private static let pieces: [String] = [
        "{", "}", "\"", "'", "\\", "#", "!", "$", "${", "$A=", "$A", "~SEQ(", "~LST(", "@", "\n", "\n\n", " ", "\t",
        "\0", "“", "\u{FF}",
        "include x\n", "include test.conf\n", "$A= \\\n", "$A=$A $A\n", "${A}", "~SEQ(A,1,9999999) x\n",
        "~SEQx(A,-9,-1,-99999) ${A}\n",
        "~LST({A,B},{1,2}) $A\n", "vrrp_instance V {\n", "virtual_server 1.2.3.4 80 {\n", "real_server 1.2.3.4 80 {\n",
        "TCP_CHECK {\n",
        "99999999999999999999", "-1", "0", "1.5", "::", "255.255.255.255", "${_RANDOM 9 1}", "virtual_ipaddress {\n",
        "group {\n",
    ]

    private func check(_ text: [UInt8], _ limits: ReadingLimits) {
        var files = MemoryFiles([:])
        files.files = ["test.conf": text, "x": Array("router_id A\n".utf8)]
        var options = LoadOptions(configID: "left")
        options.limits = limits
        let loaded = Configuration.load(files: files, path: "test.conf", options: options)
        #expect(loaded.diagnostics.count <= 2 * Reporter.limit)
        #expect((loaded.configuration == nil) == (loaded.diagnostics.contains { $0.severity == .error }))
        for diagnostic in loaded.diagnostics { _ = diagnostic.rendered() }
    }

    private var limits: ReadingLimits {
        var limits = ReadingLimits()
        limits.lines = 2000
        limits.lineBytes = 2048
        return limits
    }

    @Test(arguments: 1...8)
    func `mutated configurations are read to the end`(_ seed: Int) throws {
        var random = Randomness(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15)
        let seeds = try Fixtures.configurations("").map { Array(try Fixtures.text($0).utf8) }
        let end = ContinuousClock.now + .seconds(1)
        while ContinuousClock.now < end {
            var text = try #require(seeds.randomElement(using: &random))
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let place = Int.random(in: 0...text.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0:
                    let piece = Self.pieces.randomElement(using: &random) ?? ""
                    text.insert(contentsOf: Array(piece.utf8), at: place)
                case 1: text.removeSubrange(place..<min(text.count, place + Int.random(in: 0...40, using: &random)))
                case 2:
                    let length = min(text.count - place, Int.random(in: 0...200, using: &random))
                    text.insert(
                        contentsOf: text[place..<place + length], at: Int.random(in: 0...text.count, using: &random))
                default:
                    if place < text.count { text[place] = UInt8.random(in: 0...255, using: &random) }
                }
            }
            check(text, limits)
        }
    }

    @Test func `random pieces are read to the end`() {
        var random = Randomness(state: 42)
        let end = ContinuousClock.now + .seconds(1)
        while ContinuousClock.now < end {
            let text = (0..<Int.random(in: 0...60, using: &random)).map { _ in
                Self.pieces.randomElement(using: &random) ?? ""
            }
            check(Array(text.joined().utf8), limits)
        }
    }

    @Test(arguments: [
        "$A=$A\n$A\n", "$A=$B $B\n$B=$C $C\n$C=$A $A\n$A\n", "$A= \\\n$A \\\n$A\n$A\n",
        "~SEQ(A,1,1000000000) ~SEQ(B,1,1000000000) x\n",
        String(repeating: "x {\n", count: 100_000), String(repeating: "}", count: 100_000),
        String(repeating: "\"", count: 100_001),
        String(repeating: "{", count: 5000) + String(repeating: "}", count: 5000),
        String(repeating: "a", count: 1_000_000),
        "virtual_server_group G {\n1.2.3.4-255.255.255.255\n::-ffff\n}\n",
    ])
    func `what would grow without end is refused`(_ text: String) {
        check(Array(text.utf8), limits)
    }

    @Test func `a large configuration is read whole`() throws {
        var large = ""
        for service in 0..<200 {
            large += "virtual_server 10.0.\(service).1 80 {\n    protocol TCP\n"
            for server in 2...11 {
                large +=
                    "    real_server 10.0.\(service).\(server) 80 {\n        TCP_CHECK {\n            retry 3\n        }\n    }\n"
            }
            large += "}\n"
        }
        let configuration = try #require(load(large).configuration)
        #expect(configuration.virtualServers.count == 200)
        #expect(configuration.virtualServers.allSatisfy { $0.realServers.count == 10 })
    }
}
