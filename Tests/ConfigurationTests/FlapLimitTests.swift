// `flap_limit`: what a server gets of it, and what is wrong with it.
import Configuration
import Testing

@Suite struct FlapLimitTests {
    private func loaded(service: String = "", server: String = "") -> LoadedConfiguration {
        load(
            """
            virtual_server 192.0.2.1 80 {
             protocol TCP
             \(service)
             real_server 192.0.2.10 80 {
              \(server)
              TCP_CHECK {
              }
             }
            }

            """)
    }

    private func limit(_ loaded: LoadedConfiguration) -> FlapLimit? {
        #expect(loaded.diagnostics.isEmpty, "\(loaded.diagnostics)")
        return loaded.configuration?.virtualServers.first?.realServers.first?.flapLimit
    }

    @Test func `off unless given, the virtual server's counts for all, the real server's own before it`() {
        #expect(limit(loaded()) == nil)
        #expect(limit(loaded(service: "flap_limit 5 600")) == FlapLimit(changes: 5, window: .seconds(600)))
        #expect(limit(loaded(server: "flap_limit 3 0.5")) == FlapLimit(changes: 3, window: .milliseconds(500)))
        #expect(limit(loaded(service: "flap_limit 5 600", server: "flap_limit 1 60"))?.changes == 1)
        #expect(limit(loaded(service: "flap_limit 5 600", server: "flap_limit 0")) == nil)
    }

    @Test(arguments: ["flap_limit", "flap_limit 5", "flap_limit five 600", "flap_limit 101 600", "flap_limit 5 0"])
    func `what is no limit is an error`(words: String) {
        #expect(loaded(server: words).diagnostics.contains { $0.severity == .error })
    }

    @Test func `seconds that are too many are told how many they may be`() {
        let loaded = loaded(server: "flap_limit 5 31536000")
        #expect(loaded.diagnostics.map(\.remedy) == ["use 0.1 to 4294967 seconds"])
    }

    @Test func `a word too many is ignored, and nobody says that keepalived does that`() {
        let messages = loaded(server: "flap_limit 5 600 up").diagnostics.map(\.message)
        #expect(messages == [#""up" after flap_limit is ignored"#])
        #expect(
            loaded(server: "weight 5 6").diagnostics.map(\.message) == [
                #""6" after weight is ignored, as keepalived does"#
            ])
    }

    @Test func `one change is singular`() {
        #expect(FlapLimit(changes: 1, window: .seconds(60)).description == "more than 1 change in 60 s")
    }
}
