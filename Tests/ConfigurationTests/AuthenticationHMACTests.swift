// `auth_hmac`: keys as text, hexadecimal and in files, what is refused, and that no message shows a key.
import Net
import Testing

@testable import Configuration

private let secret = "correct-horse-battery-staple-32-bytes"

@Suite struct AuthenticationHMACTests {
    private func loaded(_ lines: String, more: String = "") -> LoadedConfiguration {
        load(instanceText("version 3\n\(more)\nauth_hmac {\n\(lines)\n}"), machine: SmallMachine())
    }

    private func rules(_ lines: String, more: String = "") throws -> AuthenticationHMACConfiguration {
        let loaded = loaded(lines, more: more)
        return try #require(loaded.configuration?.instances.first?.authenticationHMAC, "\(loaded.diagnostics)")
    }

    @Test func `keys in every form, and keepalived's defaults`() throws {
        let rules = try rules(
            "key 1 \(secret)\nkey 2 hex:\(String(repeating: "C3", count: 64))\nkey 3 file:/keys/good\nactive_key 3")
        #expect(rules.keys.map(\.id) == [1, 2, 3])
        #expect(rules.secret(of: 1)?.octets == Array(secret.utf8))
        #expect(rules.secret(of: 2)?.octets == [UInt8](repeating: 0xC3, count: 64))
        #expect(rules.secret(of: 3)?.octets == [UInt8](repeating: 0xA5, count: 32))
        #expect(rules.activeKey == 3)
        #expect((rules.window, rules.antiReplay, rules.mode) == (5, .time, .enforce))
        #expect(loaded("key 1 \(secret)\nactive_key 1").diagnostics.isEmpty, "nothing is said of what acts")
    }

    @Test(arguments: [
        ("advert_int 10", 30), ("advert_int 1.9", 5), ("advert_int 40", 120), ("version 2\nadvert_int 200", 300),
    ])
    func `the window follows the interval`(_ interval: String, _ window: Int) throws {
        #expect(try rules("key 1 \(secret)\nactive_key 1", more: interval).window == window)
    }

    @Test func `what is written counts`() throws {
        let rules = try rules(
            "key 7 \(secret)\nactive_key 7\ntime_window 60\nanti_replay monotonic\nmode receive-only")
        #expect((rules.window, rules.antiReplay, rules.mode) == (60, .monotonic, .receiveOnly))
    }

    @Test(arguments: [
        ("active_key 1", "auth_hmac has no key"), ("key 1 short", "5 bytes; it takes 32 to 64"),
        ("key 1 \(secret)\nkey 1 \(secret)", "there is a key 1 already"), ("key 0 \(secret)", "out of range"),
        ("key 1 \(secret)\nactive_key 2", "no key 2"), ("key 1 hex:c3c", "pair of hexadecimal digits"),
        ("key 1 hex:\(String(repeating: "zz", count: 32))", "pair of hexadecimal digits"),
        ("key 1 file:/keys/open", "others may read it"), ("key 1 file:/keys/short", "9 bytes"),
        ("key 1 \(String(repeating: "x", count: 65))", "65 bytes"), ("key 1", "needs a value"),
        ("key 1 \(secret) more words", "one word"), ("key 1 \(secret)\nmode off", "cannot be"),
        ("key 1 \(secret)\ntime_window 301", "out of range"),
    ])
    func `what is wrong is an error`(_ lines: String, _ words: String) {
        let loaded = loaded(lines)
        #expect(loaded.configuration == nil)
        #expect(loaded.diagnostics.contains { $0.severity == .error && $0.message.contains(words) })
    }

    @Test(arguments: [
        "key 1 \(secret) more", "key 1 \(secret)\nkey 1 other-\(secret)", "key x \(secret)", "key 300 \(secret)",
        "key 1 short # before: \(secret)",
        "key 1 \"\(secret) with blanks\" x", "key 1 hex:\(secret)", "key 1 \(secret)\(secret)\(secret)",
    ])
    func `no message shows a key`(_ lines: String) {
        let loaded = loaded(lines)
        #expect(!loaded.diagnostics.isEmpty)
        let text = loaded.diagnostics.map { $0.rendered() }.joined()
        #expect(!text.contains("correct-horse"), "\(text)")
        #expect(text.contains("***"))
    }

    @Test func `a machine of which nothing is known has no key files`() throws {
        let loaded = load(instanceText("auth_hmac {\nkey 1 file:/etc/evenkeel/vrrp.key\nactive_key 1\n}"))
        #expect(loaded.configuration?.instances.first?.authenticationHMAC?.keys.first?.secret.octets == [])
    }

    @Test func `it takes the place of authentication, and a missing active_key is said`() {
        let loaded = load(
            instanceText(
                "version 2\nauthentication {\nauth_type PASS\nauth_pass x\n}\nauth_hmac {\nkey 4 \(secret)\n}"))
        #expect(loaded.configuration?.instances.first?.authentication == VRRPAuthentication.none)
        #expect(loaded.configuration?.instances.first?.authenticationHMAC?.activeKey == 4)
        #expect(loaded.diagnostics.map(\.severity) == [.warning, .warning])
        #expect(loaded.diagnostics.contains { $0.message.contains("does not go with auth_hmac") })
        #expect(loaded.diagnostics.contains { $0.message.contains("no active_key: key 4 signs") })
    }

    @Test func `strict mode drops what is not signed`() {
        for (mode, count) in [("enforce", 0), ("permissive", 1), ("receive-only", 1)] {
            let loaded = load(
                instanceText("strict_mode on\nauth_hmac {\nkey 1 \(secret)\nactive_key 1\nmode \(mode)\n}"))
            #expect(loaded.configuration?.instances.first?.authenticationHMAC?.mode == .enforce)
            let said = loaded.diagnostics.filter { $0.message.contains("mode enforce is used") }
            #expect(said.count == count)
        }
    }

    @Test func `old_unicast_checksum`() {
        func form(_ line: String) -> OldUnicastChecksum? {
            load(instanceText(line)).configuration?.instances.first?.oldUnicastChecksum
        }
        #expect(form("") == .automatic)
        #expect(form("old_unicast_checksum") == .always)
        #expect(form("old_unicast_checksum never") == .never)
        #expect(form("old_unicast_checksum ever") == nil)
    }
}
