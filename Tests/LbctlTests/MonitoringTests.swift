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

    @Test func `what each panel of the dashboard shows is its own, and nothing covers another`() throws {
        let dashboard = try JSONValue(parsing: Self.contents("grafana.json"))
        let panels = dashboard["panels"]?.array ?? []
        #expect(panels.count >= 20)
        #expect(Set(panels.compactMap { $0["id"]?.int }).count == panels.count)
        #expect(Set(panels.compactMap { $0["title"]?.string }).count == panels.count)
        var taken: Set<[Int64]> = []
        for panel in panels {
            let place = try ["x", "y", "w", "h"].map { try #require(panel["gridPos"]?[$0]?.int) }
            #expect(place[0] + place[2] <= 24)
            for x in place[0]..<place[0] + place[2] {
                for y in place[1]..<place[1] + place[3] { #expect(taken.insert([x, y]).inserted, "\(panel)") }
            }
            let asked = (panel["targets"]?.array ?? []).compactMap { $0["expr"]?.string }
            #expect(!asked.isEmpty && asked.allSatisfy { $0.contains(#"job=~"$job""#) }, "\(panel)")
        }
        let text = "\(panels)"
        for metric in [
            "vrrp_latest_takeover_seconds", "server_up", "bus_queued_bytes", "daemon_resident_memory_bytes",
            "check_certificate_days", "service_repairs_total", "vrrp_late_timers_total",
        ] {
            #expect(text.contains("evenkeel_" + metric))
        }
    }

    /// The template as a value.
    private static func template() throws -> JSONValue? {
        let script = "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout, default=str)"
        let read = try Program.run("/usr/bin/python3", ["-c", script, folder + "zabbix.yaml"])
        #expect(read.status == 0, "\(read.errors)")
        return try JSONValue(parsing: Array(read.output.utf8))["zabbix_export"]
    }

    @Test func `Zabbix' importer takes the template`() throws {
        let export = try #require(try Self.template())
        #expect(ZabbixShape.export.problems(with: export, at: "zabbix_export") == [])
        let groups = Set((export["groups"]?.array ?? []).compactMap { $0["name"]?.string })
        for template in export["templates"]?.array ?? [] {
            let own = (template["groups"]?.array ?? []).compactMap { $0["name"]?.string }
            #expect(!own.isEmpty && groups.isSuperset(of: own), "a group that nobody makes")
        }
        // And the rules themselves: what the importer refuses they refuse.
        let item: JSONValue = ["uuid": "25abd89bd67e4d928a8318174d645fa6", "name": "n", "key": "k[a]"]
        let shape = ZabbixShape.item
        #expect(shape.problems(with: item, at: "i") == [])
        for (key, value) in [
            ("uuid", "25abd89b-d67e-4d92-8a83-18174d645fa6"), ("uuid", "25abd89bd67e1d928a8318174d645fa6"),
            ("uuid", "25abd89bd67e4d921a8318174d645fa6"), ("type", "HTTPAGENT"), ("value_type", "NUMBER"),
            ("key", "two words"), ("delay", "often"), ("verify_peer", "true"), ("nonsense", "x"),
        ] as [(String, JSONValue)] {
            var broken = item.object ?? [:]
            broken[key] = value
            #expect(shape.problems(with: .object(broken), at: "i").count == 1, "\(key): \(value)")
        }
        #expect(shape.problems(with: ["name": "n", "key": "k"], at: "i") == ["i has no uuid"])
    }

    @Test func `the Zabbix template is whole`() throws {
        let export = try Self.template()
        #expect(export?["version"]?.string == "6.0")
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
