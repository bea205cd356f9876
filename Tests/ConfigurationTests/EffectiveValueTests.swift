// The values that count, and where they come from: what `lbctl config show` and `lbctl config diff` are made of.
import Testing

@testable import Configuration

@Suite struct EffectiveValueTests {
    private static let pair = """
        vrrp_instance VI_1 {
            state MASTER
            interface eth0
            virtual_router_id 51
            advert_int 0.4
            nopreempt
            authentication {
                auth_type PASS
                auth_pass sesame
            }
            virtual_ipaddress {
                192.0.2.1/24 dev eth0
            }
        }
        global_defs {
            vrrp_garp_master_delay 10
        }
        virtual_server 192.0.2.1 80 {
            delay_loop 6
            quorum 5
            protocol TCP
            real_server 192.0.2.11 80 {
                weight 2
                HTTP_GET {
                    url {
                        path /
                    }
                }
            }
        }

        """

    private func read(_ text: String) -> LoadedConfiguration {
        var options = LoadOptions()
        options.collectsValues = true
        return load(text, options: options)
    }

    private func setting(_ word: String, of title: String) throws -> EffectiveSetting {
        let block = try #require(read(Self.pair).blocks.first { $0.title == title })
        return try #require(block.settings.first { $0.word == word })
    }

    @Test(arguments: [
        ("vrrp_instance VI_1", "virtual_router_id", "51", "test.conf:4"),
        ("vrrp_instance VI_1", "down_timer_adverts", "3", "default"),
        ("vrrp_instance VI_1", "virtual_ipaddress", "192.0.2.1/24 dev eth0", "test.conf:12"),
        // From global_defs, though that stands below.
        ("vrrp_instance VI_1", "garp_master_delay", "10", "^ test.conf:16"),
        // MASTER without a priority.
        ("vrrp_instance VI_1", "priority", "255", "derived"),
        ("real_server 192.0.2.11 80", "delay_loop", "6", "^ test.conf:19"),
        ("HTTP_GET", "delay_loop", "6", "^ test.conf:19"), ("HTTP_GET", "delay_before_retry", "3", "derived"),
        ("HTTP_GET", "warmup", "6", "derived"), ("HTTP_GET", "connect_timeout", "5", "default"),
        ("url", "path", "/", "test.conf:26"), ("authentication", "auth_pass", "********", "test.conf:9"),
    ])
    func `a value has its origin`(_ title: String, _ word: String, _ value: String, _ origin: String) throws {
        let setting = try setting(word, of: title)
        #expect(setting.value == value)
        let said =
            switch setting.origin {
            case .standard: "default"
            case .derived: "derived"
            case .written(let place): "\(place.file):\(place.line)"
            case .inherited(let place): "^ \(place.file):\(place.line)"
            }
        #expect(said == origin)
    }

    @Test(arguments: [
        ("vrrp_instance VI_1", "advert_int", "1", "0.4"), ("vrrp_instance VI_1", "nopreempt", "off", "on"),
        ("virtual_server 192.0.2.1 80", "quorum", "2", "5"),
    ])
    func `what was written and does not count is told`(
        _ title: String, _ word: String, _ value: String, _ written: String
    ) throws {
        let setting = try setting(word, of: title)
        #expect(setting.value == value)
        #expect(setting.written == written)
    }

    @Test func `each block that a parameter makes has its own values`() {
        let router =
            "$ROUTER= \\\nvrrp_instance V${N} { \\\ninterface eth0 \\\nvirtual_router_id ${N} \\\nstate MASTER \\\n"
            + "virtual_ipaddress { \\\n192.0.2.${N} \\\n} \\\n}\n"
        let server =
            "$SERVER= \\\nreal_server 192.0.2.1${N} 80 { \\\nTCP_CHECK { \\\nconnect_timeout ${N} \\\n} \\\n}\n"
        let blocks = read(
            router + server + "$N=1\n$ROUTER\n$N=2\n$ROUTER\nvirtual_server 192.0.2.1 80 {\nprotocol TCP\n"
                + "$SERVER\n$N=3\n$SERVER\n}\n"
        ).blocks
        func values(_ word: String, _ kind: String) -> [String] {
            blocks.filter { $0.kind == kind }.compactMap { $0.settings.first { $0.word == word }?.value }
        }
        #expect(values("virtual_router_id", "vrrp_instance") == ["1", "2"])
        #expect(values("priority", "vrrp_instance") == ["255", "255"])
        #expect(values("connect_ip", "TCP_CHECK") == ["192.0.2.12", "192.0.2.13"])
        #expect(values("connect_timeout", "TCP_CHECK") == ["2", "3"])
    }

    @Test func `daemons collect nothing`() {
        #expect(load(Self.pair).blocks.isEmpty)
    }

    @Test func `secrets of every kind are stars`() {
        let text =
            Self.pair.replacing(
                "authentication {",
                with: "auth_hmac {\nkey 1 hex:\(String(repeating: "a5", count: 32))\n}\nauthentication {")
            + "SSL {\npassword sesame\ncertificate /c\n}\n"
        let shown = read(text).blocks.flatMap(\.settings).map(\.value)
        #expect(shown.contains("1 ********"))
        #expect(!shown.contains { $0.contains("sesame") || $0.contains("a5a5") })
    }

    // MARK: Differences

    private func differences(_ edit: (String) -> String) -> [String] {
        read(Self.pair).differences(to: read(edit(Self.pair))).map { difference in
            let words = difference.words.map { "\($0.word) \($0.before ?? "+") > \($0.after ?? "-")" }
            return
                "\(difference.kind.rawValue) \(difference.path.joined(separator: " / ")): \(words.joined(separator: ", "))"
        }
    }

    @Test func `the same said otherwise is no difference`() {
        #expect(differences { $0 }.isEmpty)
        #expect(
            differences {
                "! a remark\n\n"
                    + $0.replacing("    delay_loop 6\n    quorum 5\n", with: "    quorum 5\n  delay_loop 6\n")
            }.isEmpty)
        #expect(
            differences { $0.replacing("interface eth0", with: "interface eth0\naccept\ndown_timer_adverts 3") }.isEmpty
        )
    }

    @Test(arguments: [
        ("advert_int 0.4", "advert_int 2", "changed vrrp_instance VI_1: advert_int 1 > 2"),
        ("weight 2", "weight 7", "real_server 192.0.2.11 80: weight 2 > 7"),
        (
            "192.0.2.1/24 dev eth0\n", "192.0.2.1/24 dev eth0\n192.0.2.9\n",
            "changed vrrp_instance VI_1: virtual_ipaddress + > 192.0.2.9"
        ),
        ("auth_pass sesame", "auth_pass open", "authentication: auth_pass ******** > ********"),
        ("path /", "path /x", "url: path / > /x"),
        (
            "real_server 192.0.2.11 80", "real_server 192.0.2.12 80",
            "added virtual_server 192.0.2.1 80 / real_server 192.0.2.12 80: "
        ),
        (
            "vrrp_instance VI_1", "vrrp_instance VI_2",
            "changed vrrp_instance VI_2: name vrrp_instance VI_1 > vrrp_instance VI_2"
        ),
        ("virtual_router_id 51", "virtual_router_id 52", "removed vrrp_instance VI_1: "),
        ("virtual_router_id 51", "virtual_router_id 52", "added vrrp_instance VI_1: "),
    ])
    func `a difference has its block and word`(_ old: String, _ new: String, _ expected: String) {
        let found = differences { $0.replacing(old, with: new) }
        #expect(found.contains { $0.hasSuffix(expected) }, "\(found)")
    }

    @Test func `what a difference touches is said`() {
        func effects(_ old: String, _ new: String) -> [String] {
            read(Self.pair).differences(to: read(Self.pair.replacing(old, with: new))).map(\.effect)
        }
        #expect(effects("weight 2", "weight 7").contains("its share of new clients changes; connections stay"))
        #expect(effects("virtual_router_id 51", "virtual_router_id 52").count == 2)
        #expect(effects("path /", "path /x") == ["the last verdict stays until the changed check has one"])
    }

    // MARK: Bundles

    @Test func `a bundle gives back what was read, includes and all`() throws {
        let loaded = load(
            "include conf.d/*.conf\ninclude none.d/*.conf\n",
            ["conf.d/a.conf": instanceText("priority 50"), "conf.d/b.conf": serviceText()])
        let bundle = try #require(loaded.bundle)
        #expect(bundle.files.map(\.path) == ["test.conf", "conf.d/a.conf", "conf.d/b.conf"])
        let again = try #require(ConfigurationBundle(bundle.encoded))
        #expect(again == bundle && again.digest == nil)
        var named = bundle
        named.digest = loaded.digest
        #expect(named == bundle && ConfigurationBundle(named.encoded)?.digest == loaded.digest)
        #expect(Configuration.load(files: again, path: again.path).configuration == loaded.configuration)
    }

    @Test func `a bundle of the form without a last line is read`() {
        let bundle = ConfigurationBundle(Array("evenkeel configuration 1\nfile 4 3\n/a.b! x\n".utf8))
        #expect(bundle?.files == [.init(path: "/a.b", bytes: Array("! x".utf8))])
    }

    @Test func `what is no bundle is none, however it is cut`() throws {
        let bundle = try #require(load(Self.pair).bundle)
        let octets = bundle.encoded
        for count in 0..<octets.count { #expect(ConfigurationBundle(Array(octets.prefix(count))) == nil) }
        for index in octets.indices.prefix(80) {
            var damaged = octets
            damaged[index] ^= 0x15
            #expect(ConfigurationBundle(damaged) == nil)
        }
        var changed = octets
        changed[octets.count / 2] ^= 0x15
        #expect(ConfigurationBundle(changed) == nil, "what was changed is no bundle either")
        #expect(
            ConfigurationBundle(Array("evenkeel configuration 1\nfile 9223372036854775807 9223372036854775807\n".utf8))
                == nil)
    }
}
