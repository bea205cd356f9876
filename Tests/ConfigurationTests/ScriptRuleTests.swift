// What holds for all scripts: who may read their files, which groups they have, and the scripts of the beginning and the end.
import Testing

@testable import Configuration

@Suite struct ScriptRuleTests {
    private func global(_ lines: String) -> GlobalDefinitions? {
        let result = load("global_defs {\n\(lines)\n}\n")
        #expect(result.diagnostics.isEmpty, "\(result.diagnostics)")
        return result.configuration?.global
    }

    @Test(arguments: [
        ("022", 0o022), ("0177", 0o177), ("18", 0o022), ("0x3f", 0o077), ("IWGRP|IWOTH", 0o022), ("IXUSR", 0o100),
        ("0", 0),
    ])
    func `umask is a number or names of permissions`(text: String, mode: Int) {
        #expect(global("umask \(text)")?.scriptRules.umask == mode)
    }

    @Test(arguments: ["01000", "rwx", "-1", "IWGRP|nobody", "08", ""])
    func `anything else is an error`(text: String) {
        let result = load("global_defs {\numask \(text)\n}\n")
        #expect(result.configuration == nil || result.diagnostics.contains { $0.severity == .error })
    }

    @Test func `scripts of the beginning and the end have a user and ten seconds`() {
        let bare = global("script_user root\nstartup_script \"/bin/true now\"\nshutdown_script /bin/true")
        #expect(bare?.startupScript?.command.arguments == ["/bin/true", "now"])
        #expect(bare?.startupScript?.timeout == .seconds(10))
        #expect(bare?.shutdownScript?.command.user?.user == "root")
        let timed = global(
            "shutdown_script_timeout 7\nstartup_script /bin/true\nshutdown_script /bin/true\nscript_user root\n"
                + "startup_script_timeout 3")
        #expect(timed?.startupScript?.timeout == .seconds(3))
        #expect(timed?.shutdownScript?.timeout == .seconds(7))
        #expect(timed?.startupScript?.command.user?.user == "root")
        #expect(global("startup_script_timeout 3")?.startupScript == nil)
    }

    @Test func `these words act, and nothing is said of them`() {
        let all = global("set_supplementary_groups\nuse_symlink_paths\nfifo_write_vrrp_states_on_reload\numask 077")
        #expect(all?.scriptRules.haveAllGroups == true)
        #expect(all?.writesStatesOnReload == true)
    }
}
