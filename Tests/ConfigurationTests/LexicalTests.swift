// The lexical rules of keepalived.conf, one by one.
import Net
import Testing

@testable import Configuration

@Suite struct LexicalTests {
    @Test(arguments: [
        "router_id A # comment", "router_id A ! comment", "router_id A#comment", "router_id \"A\" # \"x",
        "router_id A\t",
        "router_id \"A\"", "router_id \"\"A\"\"", "   router_id   A   ", "router_id A\r",
    ])
    func `comments, quotes and blanks around a word go away`(_ line: String) {
        #expect(load("global_defs {\n\(line)\n}\n").configuration?.global.routerID == "A")
    }

    @Test(arguments: [
        ("\"a b\"", "a b"), ("a\"b c\"d", "ab cd"), ("\"a\"b\"c\"", "abc"), ("\"a#b!c\"", "a#b!c"),
        ("a\\#b", "a#b"), ("a\\!b", "a!b"), ("\"a'b\"", "a'b"), ("'ab'", "'ab'"), ("\"{x}\"", "{x}"),
        ("a\\b", "a\\b"),
    ])
    func `quotes join and protect`(_ text: String, _ expected: String) {
        #expect(load("global_defs {\nrouter_id \(text)\n}\n").configuration?.global.routerID == expected)
    }

    @Test(arguments: [
        ("\\x41\\x42", ["AB"]), ("a\\ b", ["a", "b"]), ("\"a\\tb\"", ["a", "b"]), ("\"/x 'a b'\"", ["/x", "a b"]),
        ("\\101\\102", ["AB"]), ("\"/x \\\"q r\\\"\"", ["/x", "q r"]),
        ("\"/bin/sh -c 'echo $HOME'\"", ["/bin/sh", "-c", "echo $HOME"]),
        ("\"/x {a,b}\"", ["/x", "{a,b}"]),
    ])
    func `escapes are decoded in scripts`(_ text: String, _ expected: [String]) {
        let loaded = load("vrrp_script s {\nscript \(text)\n}\n")
        #expect(loaded.configuration?.scripts.first?.command.arguments == expected)
    }

    @Test(arguments: [
        "global_defs {\nrouter_id A\n}", "global_defs\n{\nrouter_id A\n}", "global_defs { router_id A }",
        "global_defs{router_id A}", "global_defs\n\n# why\n{\n\nrouter_id A }", "global_defs {\nrouter_id A }\n\n",
    ])
    func `braces may stand on the line, on the next or inline`(_ text: String) {
        let loaded = load(text)
        #expect(loaded.configuration?.global.routerID == "A")
        #expect(loaded.diagnostics == [])
    }

    @Test func `a server may be one line`() throws {
        let text = "virtual_server 192.0.2.1 80 {\nprotocol TCP\nreal_server 192.0.2.2 80 { weight 7 }\n}\n"
        #expect(load(text).configuration?.virtualServers.first?.realServers.first?.weight == 7)
    }

    @Test func `a parameter is replaced at use by its latest value, recursively`() throws {
        let text = """
            $BASE=10.2.${SUB}
            $SUB=0
            $EMPTY=
            vrrp_instance V {
                interface eth0 $EMPTY
                virtual_router_id 1
                virtual_ipaddress {
                    ${BASE}.100/32
                    $SUB=10
                    ${BASE}.100/32
                }
            }
            """
        let instance = try #require(load(text).configuration?.instances.first)
        #expect(instance.virtualAddresses.map(\.prefix.description) == ["10.2.0.100/32", "10.2.10.100/32"])
        #expect(instance.interface == "eth0")
    }

    @Test func `a definition of several lines is a template`() throws {
        let text = """
            $INSTANCE= \\
            vrrp_instance VI_${NUM} { \\
                interface eth0 \\
                virtual_router_id ${NUM} \\
                @left priority 130 \\
                @right priority 120 \\
                virtual_ipaddress { \\
                    10.0.${NUM}.254/24 \\
                } \\
            }

            $NUM=1
            $INSTANCE

            $NUM=2
            $INSTANCE
            """
        let configuration = try #require(load(text, options: LoadOptions(configID: "right")).configuration)
        #expect(configuration.instances.map(\.name) == ["VI_1", "VI_2"])
        #expect(configuration.instances.map(\.priority) == [120, 120])
        #expect(configuration.instances[1].virtualAddresses.first?.prefix.description == "10.0.2.254/24")
    }

    @Test func `an empty line or a comment ends a definition`() {
        let rest = "global_defs {\nrouter_id A\n}\n"
        #expect(load("$X= \\\nnonsense \\\n\n" + rest).configuration?.global.routerID == "A")
        #expect(load("$X= \\\nnonsense \\\n# end\n" + rest).configuration?.global.routerID == "A")
    }

    @Test func `single quotes quote in scripts only, as keepalived reads them`() {
        let loaded = load("global_defs {\nrouter_id 'a\n}\nvrrp_script s {\nscript '/bin/x y'\n}\n")
        #expect(loaded.configuration?.global.routerID == "'a")
        #expect(loaded.configuration?.scripts.first?.command.arguments == ["/bin/x", "y"])
        #expect(summary(loaded) == ["2:11 warning badCharacter"])
        #expect(summary(load("vrrp_script s {\nscript '/bin/x\n}\n")) == ["2:8 error unmatchedQuote"])
    }

    @Test func `templates nest and set parameters`() throws {
        let text = """
            $RS= \\
            real_server 192.0.2.${N} 80 { \\
                weight ${N} \\
            }
            $VS= \\
            virtual_server 192.0.2.1 80 { \\
                protocol TCP \\
                $N=7 \\
                $RS \\
                $N=8 \\
                $RS \\
            }
            $VS
            """
        let service = try #require(load(text).configuration?.virtualServers.first)
        #expect(service.realServers.map(\.weight) == [7, 8])
    }

    @Test(arguments: [("left", 10), ("right", 20), ("other", 30)])
    func `a line may be for one director only`(_ id: String, _ expected: Int) throws {
        let text = "@left $P=10\n@right $P=20\n@^left @^right $P=30\n"
        let instance = instanceText("priority $P")
        #expect(
            load(text + instance, options: LoadOptions(configID: id)).configuration?.instances.first?.priority
                == UInt8(expected))
    }

    @Test func `without a config id the host name's first label counts`() {
        let text = "global_defs {\n@left router_id L\n@^left router_id other\n}\n"
        #expect(load(text, machine: SmallMachine()).configuration?.global.routerID == "L")
    }

    @Test func `a condition may come out of a parameter`() {
        let text = "$ONLY=@left\nglobal_defs {\n$ONLY router_id L\n}\n"
        #expect(load(text, options: LoadOptions(configID: "left")).configuration?.global.routerID == "L")
        #expect(load(text, options: LoadOptions(configID: "right")).configuration?.global.routerID == nil)
    }

    @Test(arguments: [
        ("~SEQ(N, 0, 3) 10.0.${N}.1", ["10.0.0.1", "10.0.1.1", "10.0.2.1", "10.0.3.1"]),
        ("~SEQ(N, 2) 10.0.0.${N}", ["10.0.0.1", "10.0.0.2"]),
        ("~SEQ(N, 5, -2, 1) 10.0.0.${N}", ["10.0.0.5", "10.0.0.3", "10.0.0.1"]),
        ("~SEQx(N, 0x90, 0x10, 0xb0) fe80::${N}", ["fe80::90", "fe80::a0", "fe80::b0"]),
        ("~LST(A, 1, 2) ~LST(B,5,6) 10.0.${A}.${B}", ["10.0.1.5", "10.0.1.6", "10.0.2.5", "10.0.2.6"]),
        ("~LST({A, B}, {10,1},{20,4}) 192.168.${A}.${B}", ["192.168.10.1", "192.168.20.4"]),
    ])
    func `sequences and lists repeat the line`(_ line: String, _ expected: [String]) {
        let loaded = load(
            "vrrp_instance V {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress_excluded {\n\(line)\n}\n}\n")
        let addresses = loaded.configuration?.instances.first?.excludedAddresses.map(\.prefix.address.description) ?? []
        #expect(addresses == expected)
    }

    @Test(arguments: [
        "~SEQ(N)", "~SEQ(N,1,0,5) x", "~SEQ(N,1,-1,5) x", "~SEQ(N,a) x", "~LST(N) x", "~LST({A,B},{1}) x",
        "~SEQ(N,--9223372036854775808) x", "~SEQ(N,-0x-8000000000000000) x",
    ])
    func `a sequence that makes no sense is said`(_ line: String) {
        #expect(summary(load(line + "\n")).contains { $0.hasPrefix("1:1 error") })
    }

    @Test func `predefined parameters`() {
        let text = """
            global_defs {
                router_id "a${_HASH}b${_BANG}c-${_INSTANCE}-${_PWD}-${_ENV ROLE}"
            }
            """
        let loaded = load(text, machine: SmallMachine())
        #expect(loaded.configuration?.global.routerID == "a#b!c-left-.-standby")
    }

    @Test func `random numbers are in range, and the same for every reader of the same text`() throws {
        let template = "$S= \\\nvrrp_script s${N} { \\\nscript /x \\\ninterval ${_RANDOM 5 9} \\\n}\n~SEQ(N,40) $S\n"
        let first = try #require(load(template).configuration?.scripts.map(\.interval))
        #expect(first.count == 40)
        #expect(first.allSatisfy { (.seconds(5) ... .seconds(9)).contains($0) })
        #expect(Set(first).count > 1)
        #expect(load(template).configuration?.scripts.map(\.interval) == first)
    }

    @Test func `a byte order mark is not text`() {
        #expect(load("\u{FEFF}global_defs {\nrouter_id A\n}\n").configuration?.global.routerID == "A")
    }
}
