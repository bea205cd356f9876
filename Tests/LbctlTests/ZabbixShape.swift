// What Zabbix' importer takes in a template of version 6.0, as far as ours goes: it refuses a key that it does not know, a word that is none of
// the list, an identifier that is no UUID of version 4 in 32 digits, and an object without what it must have. After the manual ("Configuration
// export/import", Templates) and the importer's own rules (ui/include/classes/import/validators/C60XmlValidator.php).
import JSON

/// An object of the template: its keys, and what they hold.
struct ZabbixShape {
    /// What a key holds.
    enum Content {
        case text
        /// Plain words.
        case words(Set<String>)
        /// A text of this form, whole.
        case form(Regex<Substring>)
        /// Another object.
        case object(ZabbixShape)
        /// A list of objects.
        case objects(ZabbixShape)
        /// A list of texts.
        case texts
    }

    let required: Set<String>
    let keys: [String: Content]

    /// What the importer would say, with the place.
    func problems(with value: JSONValue, at place: String) -> [String] {
        guard let object = value.object else { return ["\(place) is no object"] }
        let names = object.members.map(\.key)
        var problems = required.subtracting(names).sorted().map { "\(place) has no \($0)" }
        for member in object.members {
            guard let content = keys[member.key] else {
                problems.append("\(place) has \(member.key), which is not known")
                continue
            }
            problems += Self.problems(with: member.value, as: content, at: "\(place).\(member.key)")
        }
        return problems
    }

    private static func problems(with value: JSONValue, as content: Content, at place: String) -> [String] {
        switch content {
        case .text: return value.string == nil ? ["\(place) is no text"] : []
        case .words(let words): return words.contains(value.string ?? "") ? [] : ["\(place) is \(value)"]
        case .form(let form): return (value.string ?? "").wholeMatch(of: form) == nil ? ["\(place) is \(value)"] : []
        case .object(let shape): return shape.problems(with: value, at: place)
        case .objects(let shape):
            guard let list = value.array, !list.isEmpty else { return ["\(place) is no list"] }
            return list.enumerated().flatMap { shape.problems(with: $0.element, at: "\(place)[\($0.offset)]") }
        case .texts:
            let isRight = value.array?.allSatisfy { $0.string != nil } == true
            return isRight ? [] : ["\(place) is no list of texts"]
        }
    }
}

extension ZabbixShape {
    private static var identifier: Content { .form(/[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}/) }
    private static var time: Content { .form(/[0-9]+[smhdw]?/) }
    private static var itemKey: Content { .form(/[0-9A-Za-z_.\-]+(?:\[.*\])?/) }
    private static var choice: Content { .words(["YES", "NO"]) }

    private static func named(_ more: [String: Content] = [:]) -> [String: Content] {
        ["uuid": identifier, "name": .text].merging(more) { $1 }
    }

    static var export: ZabbixShape {
        ZabbixShape(
            required: ["version"],
            keys: [
                "version": .words(["6.0"]), "date": .form(/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z/),
                "groups": .objects(ZabbixShape(required: ["uuid", "name"], keys: named())),
                "templates": .objects(template),
            ])
    }

    private static var template: ZabbixShape {
        ZabbixShape(
            required: ["uuid", "template", "name", "groups"],
            keys: named([
                "template": .text, "description": .text,
                "groups": .objects(ZabbixShape(required: ["name"], keys: ["name": .text])),
                "macros": .objects(
                    ZabbixShape(
                        required: ["macro"],
                        keys: [
                            "macro": .form(/\{\$[A-Z0-9_.]+\}/), "type": .words(["TEXT", "SECRET_TEXT", "VAULT"]),
                            "value": .text, "description": .text,
                        ])), "items": .objects(item), "discovery_rules": .objects(rule),
            ]))
    }

    /// What items, rules and prototypes have in common.
    private static var source: [String: Content] {
        named([
            "type": .words(["HTTP_AGENT", "DEPENDENT"]), "key": itemKey, "delay": time, "description": .text,
            "master_item": .object(ZabbixShape(required: ["key"], keys: ["key": itemKey])),
            "preprocessing": .objects(
                ZabbixShape(
                    required: ["type", "parameters"],
                    keys: [
                        "type": .words(["PROMETHEUS_PATTERN", "PROMETHEUS_TO_JSON", "CHANGE_PER_SECOND"]),
                        "parameters": .texts,
                    ])),
        ])
    }

    private static var collected: [String: Content] {
        source.merging([
            "history": time, "trends": time, "units": .text,
            "value_type": .words(["FLOAT", "CHAR", "LOG", "UNSIGNED", "TEXT"]),
        ]) { $1 }
    }

    static var item: ZabbixShape {
        ZabbixShape(
            required: ["uuid", "name", "key"],
            keys: collected.merging([
                "url": .text, "timeout": time, "verify_peer": choice, "verify_host": choice,
                "headers": .objects(
                    ZabbixShape(required: ["name", "value"], keys: ["name": .text, "value": .text])),
                "triggers": .objects(trigger),
            ]) { $1 })
    }

    private static var trigger: ZabbixShape {
        ZabbixShape(
            required: ["uuid", "name", "expression"],
            keys: named([
                "expression": .text, "description": .text,
                "priority": .words(["NOT_CLASSIFIED", "INFO", "WARNING", "AVERAGE", "HIGH", "DISASTER"]),
            ]))
    }

    private static var rule: ZabbixShape {
        ZabbixShape(
            required: ["uuid", "name", "key", "item_prototypes"],
            keys: source.merging([
                "lifetime": time,
                "lld_macro_paths": .objects(
                    ZabbixShape(
                        required: ["lld_macro", "path"],
                        keys: ["lld_macro": .form(/\{#[A-Z0-9_.]+\}/), "path": .form(/\$[.\[].*/)])),
                "item_prototypes": .objects(
                    ZabbixShape(
                        required: ["uuid", "name", "key"],
                        keys: collected.merging(["trigger_prototypes": .objects(trigger)]) { $1 })),
            ]) { $1 })
    }
}
