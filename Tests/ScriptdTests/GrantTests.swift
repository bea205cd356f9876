// What ipvsd and checkd may ask scriptd for: what the configuration names for them, as it names it, and nothing else.

import Bus
import Configuration
import Net
import Testing

@testable import scriptd

@Suite struct GrantTests {
    private let grants: Grants

    init() throws {
        var up = RealServerConfiguration(endpoint: Endpoint(try #require(IPAddress("192.0.2.10")), port: 80))
        up.notifyUp = ScriptCommand(arguments: ["/up", "one"], user: ScriptUser(user: "app", group: "www"))
        let misc = MiscProbe(command: ScriptCommand(arguments: ["/check", "a"]), timeout: .seconds(5))
        up.checkers = [CheckerConfiguration(probe: .misc(misc), target: CheckTarget(endpoint: up.endpoint))]
        var service = VirtualServerConfiguration(
            identity: .address(.tcp, Endpoint(try #require(IPAddress("192.0.2.1")), port: 80)))
        service.quorumDown = ScriptCommand(arguments: ["/down"])
        service.realServers = [up]
        var global = GlobalDefinitions()
        global.scriptSecurity = true
        global.umask = 0o077
        global.networkNamespace = .named("blue")
        global.notifyPipe = NotifyPipeConfiguration(path: "/all", script: ScriptCommand(arguments: ["/reader"]))
        global.serverNotifyPipe = NotifyPipeConfiguration(path: "/lvs", user: ScriptUser(user: "app"))
        global.vrrpNotifyPipe = NotifyPipeConfiguration(path: "/vrrp")
        grants = Grants(Configuration(global: global, virtualServers: [service]))
    }

    private func call(
        _ arguments: [String], user: String? = nil, group: String? = nil, environment: [String: String] = [:],
        _ edit: (inout ScriptAPI.Run) -> Void = { _ in }
    ) -> ScriptAPI.Run {
        var call = ScriptAPI.Run(
            arguments: arguments, user: user, group: group, secure: true, environment: environment,
            timeoutMilliseconds: nil, id: "1", lane: ScriptAPI.Lane(name: "vrrpd/router", owner: "x"), umask: 0o077,
            allGroups: false, networkNamespace: "/run/netns/blue")
        edit(&call)
        return call
    }

    @Test func `each daemon gets its own programs, whole, and as the user that the configuration names`() {
        #expect(grants.granted(call(["/down"]), to: .ipvsd) != nil)
        #expect(grants.granted(call(["/up", "one"], user: "app", group: "www"), to: .ipvsd) != nil)
        #expect(grants.granted(call(["/check", "a"]), to: .checkd) != nil)
        for asker in [Asker.ipvsd, .checkd] {
            #expect(grants.granted(call(["/bin/sh", "-c", "id"]), to: asker) == nil)
            #expect(grants.granted(call(["/down", "more"]), to: asker) == nil)
            #expect(grants.granted(call(["/down"], user: "root"), to: asker) == nil)
            #expect(grants.granted(call(["/up", "one"]), to: asker) == nil)
            #expect(grants.granted(call([]), to: asker) == nil)
        }
        #expect(grants.granted(call(["/check", "a"]), to: .ipvsd) == nil)
        #expect(grants.granted(call(["/down"]), to: .checkd) == nil)
    }

    @Test func `how it runs is what the configuration says, not the caller`() throws {
        let granted = try #require(grants.granted(call(["/check", "a"]), to: .checkd))
        #expect(granted.timeoutMilliseconds == Grants.longest)
        let edits: [(inout ScriptAPI.Run) -> Void] = [
            { $0.secure = false }, { $0.umask = 0 }, { $0.umask = nil }, { $0.allGroups = true },
            { $0.networkNamespace = "/run/netns/elsewhere" }, { $0.networkNamespace = nil },
        ]
        for edit in edits {
            #expect(grants.granted(call(["/check", "a"], edit), to: .checkd) == nil)
            #expect(grants.granted(call(["/down"], edit), to: .ipvsd) == nil)
            #expect(grants.granted(call(["/reader", "/all"], edit), to: .ipvsd) == nil)
        }
    }

    @Test func `names are the daemon's own, so that nobody ends or delays another's programs`() throws {
        let granted = try #require(grants.granted(call(["/check", "a"]), to: .checkd))
        #expect(granted.id == "checkd: 1")
        #expect(granted.lane?.name == "checkd: vrrpd/router")
        #expect(Asker.administrator.named("1") == "1")
    }

    @Test func `variables that change what a program does are refused`() {
        for name in ["PATH", "LD_PRELOAD", "BASH_ENV", "IFS"] {
            #expect(grants.granted(call(["/check", "a"], environment: [name: "x"]), to: .checkd) == nil, "\(name)")
        }
        #expect(grants.granted(call(["/check", "a"], environment: ["EVENKEEL_STATE": "UP"]), to: .checkd) != nil)
    }

    @Test func `pipes are ipvsd's where it writes into them, and the reader of the shared one where vrrpd has none`() {
        #expect(grants.hasPipe("/all", user: nil, group: nil, for: .ipvsd))
        #expect(grants.hasPipe("/lvs", user: "app", group: nil, for: .ipvsd))
        #expect(!grants.hasPipe("/lvs", user: nil, group: nil, for: .ipvsd))
        #expect(!grants.hasPipe("/vrrp", user: nil, group: nil, for: .ipvsd))
        #expect(!grants.hasPipe("/all", user: nil, group: nil, for: .checkd))
        let reader = grants.granted(call(["/reader", "/all"]), to: .ipvsd)
        #expect(reader != nil)
        #expect(reader?.timeoutMilliseconds == nil)
        #expect(grants.granted(call(["/reader", "/etc/shadow"]), to: .ipvsd) == nil)
    }

    @Test func `what an earlier configuration named stays until it is forgotten`() {
        var later = Grants(Configuration())
        #expect(later.granted(call(["/down"]), to: .ipvsd) == nil)
        later.join(grants)
        #expect(later.granted(call(["/down"]), to: .ipvsd) != nil)
    }

    @Test func `an edit of the rules reaches a program when its daemon has gone over to it`() throws {
        var service = VirtualServerConfiguration(
            identity: .address(.tcp, Endpoint(try #require(IPAddress("192.0.2.1")), port: 80)))
        service.quorumDown = ScriptCommand(arguments: ["/down"])
        var edited = Grants(Configuration(virtualServers: [service]))
        let (before, after) = (
            call(["/down"]),
            call(["/down"]) {
                ($0.secure, $0.umask, $0.networkNamespace) = (false, nil, nil)
            }
        )
        #expect(grants.granted(after, to: .ipvsd) == nil)
        edited.join(grants)
        #expect(edited.granted(after, to: .ipvsd)?.secure == false)
        #expect(edited.granted(before, to: .ipvsd)?.secure == true)
    }
}
