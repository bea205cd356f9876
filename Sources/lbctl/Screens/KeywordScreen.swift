// A row of the keyword table in words.
import Configuration
import JSON

extension Screen {
    /// `lbctl config explain`.
    mutating func add(_ entry: KeywordTable.Entry) {
        heading("\(entry.word)\(entry.value.isEmpty ? "" : " \(entry.value)")")
        var facts = Facts()
        facts.add("means", entry.meaning)
        facts.add("stands in", entry.heading)
        facts.add("values", [entry.range, entry.unit].compactMap(\.self).joined(separator: " "))
        facts.add("default", entry.standard)
        facts.add("in Evenkeel", entry.support.cell)
        if entry.support == .notYet { facts.add("why", KeywordTable.reason(entry.word) ?? "") }
        add(facts, indent: 2)
    }
}

extension KeywordTable.Support {
    fileprivate var cell: Cell {
        switch self {
        case .supported: Cell("acted on", .good)
        case .notYet: Cell("read and checked, but does nothing yet", .warning)
        case .unneeded(let why): Cell("needs no action: \(why)")
        case .deprecated(let current): Cell("an old spelling of \(current)", .warning)
        case .addition: Cell("acted on; keepalived does not know it")
        }
    }

    fileprivate var name: String {
        switch self {
        case .supported: "supported"
        case .notYet: "notYet"
        case .unneeded: "unneeded"
        case .deprecated: "deprecated"
        case .addition: "addition"
        }
    }
}

extension KeywordTable.Entry {
    /// As JSON.
    var wire: JSONObject {
        var object: JSONObject = [
            "word": .string(word), "block": .string(block), "meaning": .string(meaning), "value": .string(value),
            "default": .string(standard), "support": .string(support.name),
        ]
        if let unit { object["unit"] = .string(unit) }
        if let range { object["range"] = .string(range) }
        return object
    }
}
