// The files of deploy/monitoring: whether those who are to read them can. That what they name is served is in MetricsTests.
import Foundation
import Glibc
import JSON
import Platform
import Testing

struct MonitoringTests {
    private static let folder =
        #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 } + "/deploy/monitoring/"

    /// A file of deploy/monitoring.
    static func contents(_ file: String) throws -> [UInt8] {
        let octets = try FileSystem.contents(of: folder + file, limit: 1 << 20)
        return try #require(octets)
    }

    /// promtool comes with Debian's prometheus, which is not a prerequisite of the tests: 100 MB.
    @Test(.enabled(if: access("/usr/bin/promtool", X_OK) == 0)) func `promtool takes the alert rules`() throws {
        let checked = try Program.run("/usr/bin/promtool", ["check", "rules", Self.folder + "evenkeel.rules.yml"])
        #expect(checked.status == 0, "\(checked.output)\(checked.errors)")
    }

    @Test func `the Zabbix template is whole`() throws {
        let script = "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout, default=str)"
        let read = try Program.run("/usr/bin/python3", ["-c", script, Self.folder + "zabbix.yaml"])
        let export = try JSONValue(parsing: Array(read.output.utf8))["zabbix_export"]
        #expect(export?["version"]?.string == "6.0", "\(read.errors)")
        let template = try #require(export?["templates"]?.array?.first)
        let name = try #require(template["template"]?.string)
        let items = template["items"]?.array ?? []
        let rules = template["discovery_rules"]?.array ?? []
        let prototypes = rules.flatMap { $0["item_prototypes"]?.array ?? [] }
        let keys = (items + rules + prototypes).compactMap { $0["key"]?.string }
        #expect(keys.count == Set(keys).count && keys.count == items.count + rules.count + prototypes.count)
        for item in items + rules + prototypes where item["type"]?.string == "DEPENDENT" {
            let master = item["master_item"]?["key"]?.string
            #expect(items.contains { $0["key"]?.string == master && $0["type"]?.string == "HTTP_AGENT" })
            let step = item["preprocessing"]?.array?.first
            #expect(step?["parameters"]?.array?.first?.string?.hasPrefix("evenkeel_") == true, "\(item)")
        }
        // What a trigger looks at is an item of this template.
        let triggers = (items + prototypes).flatMap { ($0["triggers"] ?? $0["trigger_prototypes"])?.array ?? [] }
        #expect(triggers.count >= 8)
        for trigger in triggers {
            let expression = try #require(trigger["expression"]?.string)
            let asked = expression.components(separatedBy: "/\(name)/").dropFirst()
            #expect(
                !asked.isEmpty && asked.allSatisfy { part in keys.contains { part.hasPrefix($0) } }, "\(expression)")
        }
        // Each prototype has the macros that its rule finds.
        for rule in rules {
            let found = (rule["lld_macro_paths"]?.array ?? []).compactMap { $0["lld_macro"]?.string }
            for prototype in rule["item_prototypes"]?.array ?? [] {
                #expect(found.allSatisfy { prototype["key"]?.string?.contains($0) == true })
            }
        }
        let text = String(decoding: try Self.contents("zabbix.yaml"), as: UTF8.self)
        let identifiers = text.matches(of: /uuid: ([0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15})\n/).map { $0.output.1 }
        #expect(identifiers.count == Set(identifiers).count)
        #expect(identifiers.count == text.matches(of: /uuid:/).count)
    }
}
