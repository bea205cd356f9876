// What `lbctl config check --sarif` prints: SARIF 2.1.0 (OASIS), which code hosts and editors show beside the lines that are meant.
import Configuration
import JSON
import Platform

extension LoadedConfiguration {
    /// One run with a result for each diagnostic.
    var sarif: JSONValue {
        let rules = Diagnostic.Code.allCases.map { code -> JSONValue in
            [
                "id": .string(code.rawValue), "name": .string(code.ruleName),
                "shortDescription": ["text": .string(code.meaning)],
            ]
        }
        return [
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
            "runs": [
                [
                    "tool": [
                        "driver": [
                            "name": "lbctl config check", "organization": "Evenkeel",
                            "version": .string(evenkeelVersion),
                            "rules": .array(rules),
                        ]
                    ],
                    "columnKind": "unicodeCodePoints", "results": .array(diagnostics.map(\.sarif)),
                ]
            ],
        ]
    }
}

extension Diagnostic {
    fileprivate var sarif: JSONValue {
        let text = message + (remedy.map { ". What to do: \($0)" } ?? "") + "."
        var result: JSONObject = [
            "ruleId": .string(code.rawValue),
            "ruleIndex": .int(Int64(Code.allCases.firstIndex(of: code) ?? 0)),
            "level": .string(severity.rawValue), "message": ["text": .string(text)],
            "locations": [["physicalLocation": source.sarif]],
        ]
        if !notes.isEmpty {
            result["relatedLocations"] = .array(
                notes.enumerated().map { index, note in
                    [
                        "id": .int(Int64(index)), "physicalLocation": note.source.sarif,
                        "message": ["text": .string(note.message)],
                    ]
                })
        }
        return .object(result)
    }
}

extension SourceExcerpt {
    /// The file, and the words meant in it; a file as a whole has no region.
    fileprivate var sarif: JSONValue {
        var location: JSONObject = ["artifactLocation": ["uri": .string(position.file.asReference)]]
        if position.line > 0 {
            location["region"] = [
                "startLine": .int(Int64(position.line)), "startColumn": .int(Int64(position.column)),
                "endColumn": .int(Int64(position.column + length)),
            ]
        }
        return .object(location)
    }
}

extension String {
    /// A path as a URI reference (RFC 3986 §4.1): whole paths as file:, others relative to where lbctl was called.
    fileprivate var asReference: String {
        let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/".utf8)
        let escaped = utf8.map { octet -> String in
            if plain.contains(octet) { return String(UnicodeScalar(octet)) }
            let digits = String(octet, radix: 16, uppercase: true)
            return "%" + (digits.utf8.count < 2 ? "0" : "") + digits
        }.joined()
        return hasPrefix("/") ? "file://" + escaped : escaped
    }
}

extension Diagnostic.Code {
    /// As SARIF wants it: in Pascal case.
    fileprivate var ruleName: String { rawValue.prefix(1).uppercased() + rawValue.dropFirst() }

    /// The rule in a sentence.
    fileprivate var meaning: String {
        switch self {
        case .unknownKeyword: "A word that keepalived.conf does not have."
        case .misplacedKeyword: "A word in a block that does not take it."
        case .missingValue: "A word without what has to follow it."
        case .badValue: "A value of the wrong kind."
        case .outOfRange: "A number beyond its range."
        case .extraWords: "More words on a line than count."
        case .duplicateKeyword: "A word that stands twice."
        case .duplicateName: "Two things of one name."
        case .missingKeyword: "A block without a word that it needs."
        case .unknownReference: "A name that nothing has."
        case .unclosedBlock: "A block that is not closed."
        case .unexpectedBrace: "A brace that does not belong there."
        case .missingBlock: "A word without its block."
        case .unmatchedQuote: "A quote that is not closed."
        case .typographicQuote: "A quote that does not quote."
        case .badCharacter: "A character that has no place in a configuration."
        case .limitExceeded: "More than the reader takes."
        case .fileNotFound: "A file that cannot be read."
        case .undefinedParameter: "A parameter that nothing defines."
        case .notActedOn: "A word that Evenkeel does not act on."
        case .deprecated: "An old spelling."
        case .adjusted: "A value that is taken for another one."
        case .contradiction: "Words that contradict each other, or hurt together."
        case .unused: "Something that nothing uses."
        case .machine: "Something that this machine lacks."
        }
    }
}
