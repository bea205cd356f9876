// The formatter changes blanks only.
import Testing

@testable import Configuration

@Suite struct FormatTests {
    @Test func `blocks are indented by four, blanks and empty lines go away`() {
        let text =
            "global_defs\n{\n\n\n  router_id ${A}  # why \n      }\n\n\nvrrp_instance V {\n\tvirtual_ipaddress { 192.0.2.1 }\n}}\n\n"
        let expected = """
            global_defs
            {

                router_id ${A}  # why
            }

            vrrp_instance V {
                virtual_ipaddress { 192.0.2.1 }
            }}

            """
        #expect(String(decoding: Configuration.formatted(Array(text.utf8)), as: UTF8.self) == expected)
    }

    @Test(arguments: Fixtures.configurations(""))
    func `a formatted file means the same and stays as it is`(_ path: String) throws {
        let text = try Fixtures.text(path)
        let once = Configuration.formatted(Array(text.utf8))
        let options = LoadOptions(configID: "left")
        let formatted = String(decoding: once, as: UTF8.self)
        #expect(Configuration.formatted(once) == once)
        #expect(load(formatted, options: options).configuration == load(text, options: options).configuration)
        let codes = load(text, options: options).diagnostics.map(\.code)
        #expect(load(formatted, options: options).diagnostics.map(\.code) == codes)
    }
}
