// The configuration file on a real disk: includes by glob, the digest, and what is refused.
import Configuration
import Foundation
import Glibc
import Net
import Platform
import Testing

@Suite final class ConfigurationFileTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "evenkeel-\(UUID().uuidString)")

    init() throws {
        try FileManager.default.createDirectory(at: folder.appending(path: "conf.d"), withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: folder)
    }

    private func write(_ text: String, to name: String) throws -> String {
        let file = folder.appending(path: name)
        try text.write(to: file, atomically: true, encoding: .utf8)
        return file.path
    }

    /// Else the daemon that may not read Evenkeel's own file would silently take the old one of keepalived.
    @Test func `a file that cannot be read is there all the same`() throws {
        let file = try write("", to: "main.conf")
        #expect(FileSystem.mayExist(file))
        #expect(!FileSystem.mayExist(file + ".other") && !FileSystem.mayExist(file + "/below"))
        let link = folder.appending(path: "link").path
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/nowhere")
        #expect(FileSystem.mayExist(link))
        let loop = folder.appending(path: "loop").path
        try FileManager.default.createSymbolicLink(atPath: loop, withDestinationPath: loop)
        #expect(FileSystem.mayExist(loop + "/main.conf"))
    }

    @Test func `includes are found beside the file, and every byte of them is in the digest`() throws {
        let main = try write("include conf.d/*.conf\n", to: "main.conf")
        _ = try write("global_defs {\n    router_id left\n}\n", to: "conf.d/a.conf")
        let first = try ConfigurationFile(path: main)
        #expect(first.configuration.global.routerID == "left")
        #expect(first.digest.utf8.count == 32)
        #expect(try ConfigurationFile(path: main).digest == first.digest)
        _ = try write("global_defs {\n    router_id left\n}\n\n", to: "conf.d/a.conf")
        #expect(try ConfigurationFile(path: main).digest != first.digest)
    }

    @Test func `a refusal says everything with its place`() throws {
        let main = try write("nonsense\nvrrp_instance V {\n", to: "main.conf")
        let refusal = #expect(throws: ConfigurationRefusal.self) { try ConfigurationFile(path: main) }
        #expect(refusal?.diagnostics.map(\.code).prefix(2) == [.unknownKeyword, .unclosedBlock])
        #expect(refusal?.description.contains("\(main):1:1: error:") == true)
    }

    @Test func `what was good is kept with the one before it, and stands in for a file that is refused`() throws {
        let kept = KeptConfigurations(directory: folder.appending(path: "state").path)
        #expect(try kept.inForce() == nil)
        let main = try write("include conf.d/*.conf\n", to: "main.conf")
        var good: [ConfigurationFile] = []
        for name in ["left", "right", "right"] {
            _ = try write("global_defs {\nrouter_id \(name)\n}\n", to: "conf.d/a.conf")
            good.append(try ConfigurationFile(path: main))
            try kept.keep(try #require(good.last?.bundle))
        }
        #expect(try kept.inForce() == good[2].bundle)
        #expect(try kept.before() == good[0].bundle)
        _ = try write("global_defs {\nrouter_id\n", to: "conf.d/a.conf")
        func options(_ more: String...) throws -> DaemonOptions {
            let words = ["--config", main, "--state-dir", folder.appending(path: "state").path] + more
            let outcome = DaemonOptions.parse(
                words, for: ProgramDescription(name: "vrrpd", summary: ""), exists: { _ in false })
            guard case .run(let options) = outcome else { throw CancellationError() }
            return options
        }
        let plain = try options()
        #expect(throws: ConfigurationRefusal.self) { try ConfigurationFile(atStart: plain) }
        let careful = try options("--last-good")
        let last = try ConfigurationFile(atStart: careful)
        #expect(last.configuration.global.routerID == "right")
        #expect(last.digest == good[2].digest)
        #expect(last.refusal?.diagnostics.isEmpty == false)
        _ = try write("router_id", to: "state/configuration.good")
        let refusal = #expect(throws: ConfigurationRefusal.self) { try ConfigurationFile(atStart: careful) }
        let said = refusal?.description ?? ""
        #expect(said.contains("\(main.replacing("main.conf", with: "conf.d/a.conf")):"), "its own mistakes first")
        #expect(
            said.contains("--last-good does not help: ") && said.contains("configuration.good is damaged"), "\(said)")
        #expect(throws: KeptProblem.damaged(path: kept.path)) { try kept.inForce() }
    }

    /// Fills a directory's place, so that nothing can be written under that name.
    private func block(_ name: String) throws -> String {
        let path = folder.appending(path: "state/\(name)").path
        try FileSystem.makeDirectory(path, mode: 0o755)
        return path
    }

    private func bundle(_ name: String) throws -> ConfigurationBundle {
        let main = try write("global_defs {\nrouter_id \(name)\n}\n", to: "main.conf")
        return try #require(ConfigurationFile(path: main).bundle)
    }

    @Test func `where the new one cannot be written, both old ones stay`() throws {
        let kept = KeptConfigurations(directory: folder.appending(path: "state").path)
        for name in ["one", "two"] { try kept.keep(bundle(name)) }
        let obstacle = try block("configuration.good.new")
        let three = try bundle("three")
        #expect(throws: Errno.self) { try kept.keep(three) }
        #expect(try kept.before()?.digest != kept.inForce()?.digest)
        rmdir(obstacle)
        try kept.keep(three)
        #expect(try kept.before() == bundle("two"))
        #expect(try kept.inForce() == bundle("three"))
    }

    @Test func `a fall between the two renames loses neither`() throws {
        let kept = KeptConfigurations(directory: folder.appending(path: "state").path)
        for name in ["one", "two"] { try kept.keep(bundle(name)) }
        try FileManager.default.moveItem(atPath: kept.path, toPath: FileSystem.successor(of: kept.path))
        #expect(try kept.inForce() == bundle("two") && kept.before() == bundle("one"))
        try kept.keep(bundle("two"))
        #expect(FileSystem.mayExist(kept.path))
        #expect(try kept.before() == bundle("one"))
    }

    @Test func `what cannot be kept is tried again, and is known until it is`() throws {
        let loop = try EventLoop()
        let directory = folder.appending(path: "state").path
        let obstacle = try block("configuration.good.new")
        let keeper = ConfigurationKeeper(directory: directory, loop: loop)
        var failures: [Int32?] = []
        keeper.failureChanged = { [unowned keeper] in failures.append(keeper.failure?.code) }
        keeper.keep(try bundle("one"))
        func run(until done: () -> Bool) throws {
            let end = SystemClock.now + .seconds(30)
            while !done(), SystemClock.now < end { try loop.turn(timeoutMilliseconds: 20) }
            #expect(done())
        }
        try run { failures.count == 1 }
        #expect(failures == [EISDIR], "and not that something is there, which would tell nobody what to do")
        rmdir(obstacle)
        try run { failures.count == 2 }
        #expect(failures.last == .some(nil))
        #expect(try KeptConfigurations(directory: directory).inForce() == bundle("one"))
    }

    @Test func `a file that is not there is refused by name`() {
        let missing = folder.appending(path: "none.conf").path
        let refusal = #expect(throws: ConfigurationRefusal.self) { try ConfigurationFile(path: missing) }
        #expect(refusal?.description.contains(missing) == true)
    }

    @Test(arguments: [("", "6c62272e07bb014262b821756295c58d"), ("a", "d228cb696f1a8caf78912b704e4a8964")])
    func `the digest is FNV-1a of 128 bits`(_ text: String, _ expected: String) {
        #expect(contentDigest([Array(text.utf8)]) == expected)
    }

    @Test func `this machine knows its interfaces, users and programs when it is asked`() throws {
        let machine = ThisMachine(isExamined: true)
        #expect(machine.hasInterface("lo", in: nil) == true)
        #expect(machine.hasInterface("no-such-if", in: nil) == false)
        let missing = machine.problem(withNamespace: .named("no-such-ns"))
        #expect(missing?.remedy == "make it first: ip netns add no-such-ns")
        #expect(machine.problem(withNamespace: .host) == nil)
        #expect(machine.hasUser("root") == true)
        #expect(machine.hasUser("no-such-user") == false)
        #expect(machine.hasGroup("root") == true)
        #expect(machine.problem(withProgram: "sh") == nil)
        #expect(machine.problem(withProgram: try write("", to: "text")) == "it is not executable")
        #expect(machine.problem(withProgram: "/no/such") == "there is no such file")
        #expect(ThisMachine(isExamined: false).hasInterface("no-such-if", in: nil) == nil)
    }
}
