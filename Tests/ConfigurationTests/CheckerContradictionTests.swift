// Checkers that can never succeed, or not as they are written, are errors with their place.
import Net
import Testing

@testable import Configuration

@Suite struct CheckerContradictionTests {
    /// A machine whose PCRE2 refuses one pattern.
    private struct Patterns: MachineFacts {
        var hostName = "left"
        func hasInterface(_ name: String, in namespace: NetworkNamespaceName?) -> Bool? { nil }
        func problem(withNamespace name: NetworkNamespaceName) -> (problem: String, remedy: String)? { nil }
        func hasUser(_ name: String) -> Bool? { nil }
        func hasGroup(_ name: String) -> Bool? { nil }
        func problem(withProgram program: String) -> String? { nil }
        func problem(withPattern pattern: RegexCheck) -> String? { pattern.pattern == "a(" ? "missing )" : nil }
        func replaceablePart(ofProgram program: String) -> String? { nil }
        func environment(_ name: String) -> String? { nil }
        func routingNames(_ file: RoutingNames) -> [String: UInt32]? { nil }
        func secret(inFile path: String, limit: Int) -> SecretFile { .unknown }
    }

    private func said(_ checker: String, server: String = "192.0.2.11 80") -> [String] {
        let text = "virtual_server 192.0.2.1 80 {\nprotocol TCP\nreal_server \(server) {\n\(checker)\n}\n}\n"
        let loaded = load(text, machine: Patterns())
        return summary(loaded)
    }

    private static func page(_ lines: String) -> String { "HTTP_GET {\nurl {\npath /\n\(lines)\n}\n}" }

    @Test(
        arguments: [
            (page("regex a\nregex_min_offset 10\nregex_max_offset 9"), ["9:18 error contradiction"]),
            (page("regex a\nregex_min_offset 10\nregex_max_offset 10"), []),
            (page("regex a\nregex_min_offset 10"), []),
            (page("regex a("), ["7:7 error machine"]), (page("regex a"), []),
            (
                "UDP_CHECK {\nrequire_reply 01 02 03\nmax_reply_length 2\n}", ["5:15 error contradiction"]
            ),
            ("UDP_CHECK {\nrequire_reply 01 02\nmax_reply_length 2\n}", []),
            ("UDP_CHECK {\nrequire_reply\nmax_reply_length 2\n}", []),
            ("TCP_CHECK {\nbindto 2001:db8::1\n}", ["5:8 error contradiction"]),
            ("TCP_CHECK {\nconnect_ip 2001:db8::1\nbindto 192.0.2.9\n}", ["6:8 error contradiction"]),
            ("TCP_CHECK {\nconnect_ip 2001:db8::1\nbindto 2001:db8::9\n}", []),
            ("SMTP_CHECK {\nhost {\nconnect_ip 2001:db8::1\nbindto 192.0.2.9\n}\n}", ["4:1 error contradiction"]),
        ] as [(String, [String])])
    func `each contradiction has its place`(_ checker: String, _ expected: [String]) {
        #expect(said(checker) == expected)
    }
}
