// PCRE2 over a body in pieces: wherever it is cut, the answer is that of the whole; and no pattern and no body takes for ever.
import CPcre
import Testing

@Suite struct RegexTests {
    /// The search for `pattern` in `body`, `piece` octets at a time.
    private func search(
        _ pattern: String, _ options: [String] = [], from first: Int = 0, to last: Int = .max, in body: [UInt8],
        piece: Int = 4096
    ) throws -> ek_regex_answer {
        var problem = [CChar](repeating: 0, count: 256)
        let bits = options.reduce(0) { $0 | ek_regex_option($1) }
        let regex = try #require(ek_regex_new(pattern, bits, first, last, &problem, problem.count))
        defer { ek_regex_free(regex) }
        for start in stride(from: 0, to: body.count, by: piece) {
            let part = body[start..<min(start + piece, body.count)]
            _ = part.withUnsafeBytes { ek_regex_feed(regex, $0.baseAddress, $0.count) }
        }
        return ek_regex_finish(regex)
    }

    private static let found = true
    private static let cases: [(String, [String], Int, Int, Bool)] = [
        ("wor.d", [], 0, .max, found), ("^foo", [], 0, .max, !found), ("^foo", ["multiline"], 0, .max, found),
        ("(?<=ld\\n)foo", [], 0, .max, found), ("FOO", [], 0, .max, !found), ("FOO", ["caseless"], 0, .max, found),
        ("bäh", ["utf"], 0, .max, found), ("b.h", ["utf"], 0, .max, found), ("b.h", [], 0, .max, !found),
        ("end$", [], 0, .max, found), ("foo$", [], 0, .max, !found), ("\\Ahello", [], 0, .max, found),
        ("\\Aworld", [], 6, .max, !found), ("world", [], 6, 6, found), ("world", [], 7, .max, !found),
        ("world", [], 0, 5, !found), ("hello.*end", [], 0, .max, !found), ("hello.*end", ["dotall"], 0, .max, found),
        ("", [], 0, .max, found), ("", [], 1000, .max, !found),
        ("foo", ["firstline"], 0, .max, !found), ("wor", ["firstline"], 0, .max, found),
        ("foo", ["firstline"], 12, .max, found),
    ]

    @Test(arguments: 1...40) func `a body in pieces is the same body`(piece: Int) throws {
        let body = Array("hello world\nfoo bar bäh end".utf8)
        for (pattern, options, first, last, isFound) in Self.cases {
            let answer = try search(pattern, options, from: first, to: last, in: body, piece: piece)
            #expect(answer == (isFound ? EK_REGEX_FOUND : EK_REGEX_NOWHERE), "\(pattern) \(options)")
        }
    }

    @Test func `limits end what would not end`() throws {
        let large = [UInt8](repeating: 0x78, count: 4 << 20)
        #expect(try search("(a+)+$", in: Array(repeating: 0x61, count: 40) + [0x62]) == EK_REGEX_TOO_HARD)
        #expect(try search("y", in: large) == EK_REGEX_NOWHERE)
        #expect(try search("x.*y", ["dotall"], in: large) == EK_REGEX_TOO_LONG)
        #expect(try search("y", from: 1 << 30, in: large) == EK_REGEX_NOWHERE)
        #expect(try search("x", ["utf"], in: [0xFF, 0xFF, 0x78]) == EK_REGEX_BAD_TEXT)
        #expect(try search("x", in: []) == EK_REGEX_NOWHERE)
    }

    @Test(arguments: ["[a-z]+[0-9]", ".*[a-z]+[0-9]", "[a-z]+?[0-9]"])
    func `a pattern that runs through the rest of the body at each place is given up`(pattern: String) throws {
        let letters = [UInt8](repeating: 0x61, count: 1_000_000)
        #expect(try search(pattern, in: letters) == EK_REGEX_TOO_HARD)
    }

    @Test func `what is no pattern is said with its place`() {
        var problem = [CChar](repeating: 0, count: 256)
        #expect(ek_regex_new("ab(", 0, 0, .max, &problem, problem.count) == nil)
        let words = String(decoding: problem.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        #expect(words.contains("missing closing parenthesis, at octet 3"))
        #expect(ek_regex_option("caseless") != 0 && ek_regex_option("nonsense") == 0)
    }
}
