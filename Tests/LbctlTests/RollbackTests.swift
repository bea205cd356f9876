// `lbctl reload --rollback`: where it goes, what it writes, and that it is all or nothing.
import ArgumentParser
import Foundation
import Glibc
import JSON
import Platform
import Testing

@testable import Configuration
@testable import lbctl

@Suite struct RollbackTests {
    let scratch = ScratchDirectory()
    var directory: String { scratch.path }
    var file: String { "\(directory)/conf.d/vi.conf" }
    private var copy: String { "\(directory)/conf.d/.vi.conf.rolled-back" }
    var note: String { "\(directory)/.main.conf.rolling-back" }

    func write(_ text: String, _ name: String) throws -> String { try scratch.write(text, name) }

    func content(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

    private func status(_ path: String) -> stat? {
        var status = stat()
        return lstat(path, &status) == 0 ? status : nil
    }

    func isThere(_ path: String) -> Bool { status(path) != nil }

    private func names(_ directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
    }

    /// Has configurations kept as vrrpd would; gives the state directory.
    func kept(_ priorities: String...) throws -> KeptOptions {
        let kept = KeptConfigurations(directory: "\(directory)/state")
        for priority in priorities.isEmpty ? ["priority 50", "priority 60"] : priorities {
            let path = try write("include \(directory)/conf.d/*.conf\n", "main.conf")
            _ = try write(sampleInstance.replacing("advert_int 0.4", with: priority), "conf.d/vi.conf")
            try kept.keep(try #require(ConfigurationFile(path: path).bundle))
        }
        return try KeptOptions.parse(["--state-dir", "\(directory)/state"])
    }

    /// A bus with vrrpd, which loads what it finds and runs on what is kept, and with others that run on something.
    func director(_ loaded: [Daemon: String]? = nil) throws -> ScriptedDaemons {
        let kept = (try? KeptConfigurations(directory: "\(directory)/state").inForce()) ?? nil
        let loaded = loaded ?? [.vrrpd: kept?.digest ?? ""]
        let daemons = ScriptedDaemons()
        daemons.attach(loaded.keys.sorted { $0.rawValue > $1.rawValue })
        let events = loaded.map { daemon, digest -> JSONObject in
            [
                "event": [
                    "specversion": "1.0", "id": "1", "source": .string("/\(daemon)"),
                    "type": "io.evenkeel.daemon.config",
                    "subject": .string(daemon.rawValue), "time": "2026-11-21T12:00:00.000Z",
                    "data": ["digest": .string(digest), "file": "/f", "loaded": "2026-11-21T12:00:00.000Z"],
                ]
            ]
        }
        daemons["Bus.Subscribe"] = .replies(events + [["snapshotComplete": true, "seq": 1]])
        for name in ["Vrrp", "Ipvs", "Check"] { daemons["\(name).CommitReload"] = .replies([[:]]) }
        daemons.onCall = { [unowned daemons, directory = directory] name in
            guard name.hasSuffix(".PrepareReload"), let file = try? ConfigurationFile(path: "\(directory)/main.conf")
            else { return }
            daemons[name] = .replies([["digest": .string(file.digest), "changes": []]])
        }
        return daemons
    }

    /// The whole command.
    func reload(
        _ options: String..., from daemons: ScriptedDaemons? = nil, _ each: @escaping (String) -> Void = { _ in }
    ) throws -> Shown {
        let daemons = try daemons ?? director()
        let loads = daemons.onCall
        daemons.onCall = {
            loads($0)
            each($0)
        }
        let words = ["--rollback", "--state-dir", "\(directory)/state"] + options
        return try ReloadCommand.parse(words).answer(from: daemons)
    }

    @Test func `a rollback goes to the configuration in force where the files differ, else to the one before`() throws {
        let options = try kept()
        // As in force: back to the one before.
        var rollback = try Rollback(options.pair(of: nil), nil)
        #expect(rollback.replaced == [file])
        try rollback.carryOut()
        rollback.close()
        #expect(content(file)?.contains("priority 50") == true)
        #expect(content("\(directory)/conf.d/.vi.conf.rolled-back")?.contains("priority 60") == true)
        // Broken since: back to the one in force, and what came since moves away.
        try "vrrp_instance {".write(toFile: file, atomically: true, encoding: .utf8)
        let newcomer = try write("! new\n", "conf.d/zz.conf")
        rollback = try Rollback(options.pair(of: nil), nil)
        #expect(rollback.replaced == [file])
        #expect(rollback.moved == [newcomer])
        try rollback.carryOut()
        rollback.close()
        #expect(content(file)?.contains("priority 60") == true)
        #expect(content(newcomer) == nil)
        #expect(content("\(directory)/conf.d/.zz.conf.rolled-back") == "! new\n")
    }

    @Test func `copies of a rollback are no part of the configuration, and a link stays one`() throws {
        let kept = KeptConfigurations(directory: "\(directory)/state")
        let path = try write("include \(directory)/conf.d/*\n", "main.conf")
        for priority in ["priority 50", "priority 60"] {
            _ = try write(sampleInstance.replacing("advert_int 0.4", with: priority), "elsewhere/vi.conf")
            if priority == "priority 50" {
                try FileSystem.makeDirectory("\(directory)/conf.d", mode: 0o755)
                #expect(symlink("../elsewhere/vi.conf", "\(directory)/conf.d/vi.conf") == 0)
            }
            try kept.keep(try #require(ConfigurationFile(path: path).bundle))
        }
        _ = try write("! new\n", "elsewhere/zz")
        let newcomer = "\(directory)/conf.d/zz"
        #expect(symlink("../elsewhere/zz", newcomer) == 0)
        var rollback = try Rollback(KeptOptions.parse(["--state-dir", "\(directory)/state"]).pair(of: nil), nil)
        #expect(rollback.moved == [newcomer])
        try rollback.carryOut()
        rollback.close()
        #expect(content(newcomer) == nil)
        #expect(content("\(directory)/conf.d/.zz.rolled-back") == "! new\n", "a link is moved itself")
        rollback = try Rollback(KeptOptions.parse(["--state-dir", "\(directory)/state"]).pair(of: nil), nil)
        try rollback.carryOut()
        rollback.close()
        #expect(content("\(directory)/elsewhere/vi.conf")?.contains("priority 50") == true)
        var status = stat()
        #expect(lstat("\(directory)/conf.d/vi.conf", &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
        _ = try ConfigurationFile(path: path)
    }

    @Test func `a rollback that cannot be loaded leaves the files as they were`() throws {
        _ = try kept()
        let newcomer = try write("! new\n", "conf.d/zz.conf")
        let before = content(file)
        let daemons = try director()
        daemons.onCall = { _ in }
        #expect(throws: Failure.self) { try reload(from: daemons) }
        #expect(content(file) == before)
        #expect(content(newcomer) == "! new\n")
    }

    @Test func `a rollback keeps owner and mode, and with --dry-run nothing is written`() throws {
        let options = try kept()
        #expect(chmod(file, 0o640) == 0)
        let before = content(file)
        let daemons = try director()
        let answer = try reload("--dry-run", from: daemons)
        #expect(try text(answer).contains("Would put back: \(file)"))
        #expect(content(file) == before)
        #expect(daemons.calls.allSatisfy { !$0.contains("Reload") })
        var rollback = try Rollback(options.pair(of: nil), nil)
        try rollback.carryOut()
        var status = stat()
        #expect(stat(file, &status) == 0 && status.st_mode & 0o7777 == 0o640)
    }

    @Test func `without anything kept a rollback says so`() throws {
        let options = try KeptOptions.parse(["--state-dir", "\(directory)/nothing"])
        #expect(throws: Failure.self) { try options.pair(of: nil).get(.inForce) }
    }

    // MARK: Interrupted

    @Test func `one that was killed half-way is gone on with, and not turned round`() throws {
        let options = try kept()
        var rollback = try Rollback(options.pair(of: nil), nil)
        #expect(rollback.destination == .before)
        try rollback.carryOut()
        // Killed here: the daemons hold priority 60, the files say 50.
        rollback = try Rollback(options.pair(of: nil), nil)
        #expect(rollback.destination == .before)
        #expect(rollback.isContinued)
        // Or between two renames.
        _ = try write(sampleInstance.replacing("advert_int 0.4", with: "priority 60"), "conf.d/vi.conf")
        let digest = options.pair(of: nil).whole(.before)?.digest?.prefix(8) ?? ""
        let answer = try reload()
        #expect(
            try text(answer).hasPrefix("Back to the one before it (\(digest)), which a rollback that ended half-way"))
        #expect(content(file)?.contains("priority 50") == true)
        #expect(!isThere(note))
        // The daemons of this test still have the other one, so that is where the next one goes.
        #expect(try Rollback(options.pair(of: nil), nil).destination == .inForce)
    }

    @Test func `one that was killed long ago, before another configuration was loaded, is forgotten`() throws {
        let options = try kept()
        var rollback = try Rollback(options.pair(of: nil), nil)
        try rollback.carryOut()
        #expect(isThere(note))
        _ = try kept("priority 70")
        rollback = try Rollback(options.pair(of: nil), nil)
        #expect(!rollback.isContinued)
        #expect(rollback.destination == .before)
        try rollback.carryOut()
        #expect(content(file)?.contains("priority 60") == true)
    }

    @Test func `Ctrl-C does not leave it half done`() throws {
        _ = try kept()
        // Threads that run tests may have it blocked already.
        var interrupt = sigset_t()
        var before = sigset_t()
        sigemptyset(&interrupt)
        sigaddset(&interrupt, SIGINT)
        pthread_sigmask(SIG_UNBLOCK, &interrupt, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        // From the first preparation on it is held off.
        let answer = try reload { if $0.hasPrefix("Vrrp.") { raise(SIGINT) } }
        #expect(try text(answer).contains("Loaded in vrrpd ("))
        var pending = sigset_t()
        #expect(sigpending(&pending) == 0 && sigismember(&pending, SIGINT) == 0)
        var mask = sigset_t()
        #expect(pthread_sigmask(SIG_BLOCK, nil, &mask) == 0 && sigismember(&mask, SIGINT) == 0)
    }

    @Test func `two at once: the second one touches nothing`() throws {
        _ = try kept()
        let lock = open("\(directory)/state", O_RDONLY | O_DIRECTORY)
        defer { close(lock) }
        #expect(flock(lock, LOCK_EX) == 0)
        let failure = #expect(throws: Failure.self) { try reload() }
        #expect(failure?.description.hasPrefix("another 'lbctl reload --rollback' is at work") == true)
        #expect(content(file)?.contains("priority 60") == true)
    }

    @Test func `JSON says where it went and what moved, done or not`() throws {
        _ = try kept()
        let newcomer = try write("! new\n", "conf.d/zz.conf")
        _ = try write("vrrp_instance {", "conf.d/vi.conf")
        let wire = try #require(reload().wire.first)
        #expect(wire["destination"]?.string == "inForce")
        #expect(wire["restored"]?.array == [.string(file)])
        #expect(wire["moved"]?.array == [.string(newcomer)])
        #expect(wire["committed"]?.bool == true)
    }

    // MARK: What stands there

    @Test func `a file and a directory that are gone come back with the rights of what is around them`() throws {
        let options = try kept()
        let main = "\(directory)/main.conf"
        #expect(chown(main, 0, 65_533) == 0 && chmod(main, 0o640) == 0)
        #expect(chown(directory, 0, 65_533) == 0 && chmod(directory, 0o750) == 0)
        try FileManager.default.removeItem(atPath: "\(directory)/conf.d")
        let before = umask(0o077)
        defer { umask(before) }
        var rollback = try Rollback(options.pair(of: nil), nil)
        try rollback.carryOut()
        #expect(FileRights(of: file) == FileRights(owner: 0, group: 65_533, mode: 0o640))
        #expect(FileRights(of: "\(directory)/conf.d") == FileRights(owner: 0, group: 65_533, mode: 0o750))
        var screen = Screen(style: Style(isColoured: false), now: .now, width: 400)
        rollback.show(on: &screen)
        #expect(screen.text.contains("Put back: \(file) (nothing stood there)\n"), "\(screen.text)")
        #expect(rollback.undone() == "nothing was loaded, and the files are as they were before")
        #expect(!isThere("\(directory)/conf.d"))
    }

    @Test func `undone, the old file itself is back: that needs no room`() throws {
        let options = try kept()
        let inode = try #require(status(file)).st_ino
        var rollback = try Rollback(options.pair(of: nil), nil)
        try rollback.carryOut()
        #expect(status(file)?.st_ino != inode)
        _ = rollback.undone()
        #expect(status(file)?.st_ino == inode)
        #expect(try names("\(directory)/conf.d") == ["vi.conf"])
        #expect(!isThere(note))
    }

    @Test func `where the old file cannot come back, its copy and the note stay`() throws {
        let options = try kept()
        var rollback = try Rollback(options.pair(of: nil), nil)
        try rollback.carryOut()
        unlink(file)
        _ = try write("in the way", "conf.d/vi.conf/x")
        #expect(rollback.undone().contains("cannot be made as they were before: \(file) ("))
        #expect(content(copy)?.contains("priority 60") == true)
        #expect(isThere(note))
    }

    @Test func `where one new file cannot be written, none of the others is touched`() throws {
        let kept = KeptConfigurations(directory: "\(directory)/state")
        let path = try write("include \(directory)/conf.d/*.conf\n", "main.conf")
        for text in ["! one\n", "! two\n"] {
            for name in ["a", "b", "c"] { _ = try write(text, "conf.d/\(name).conf") }
            try kept.keep(try #require(ConfigurationFile(path: path).bundle))
        }
        let inode = try #require(status("\(directory)/conf.d/a.conf")).st_ino
        // In the way of what would become the new b.conf.
        try FileSystem.makeDirectory("\(directory)/conf.d/.b.conf.last-good", mode: 0o755)
        let failure = #expect(throws: Failure.self) { try reload() }
        let said = failure?.description ?? ""
        #expect(said.hasPrefix("\(directory)/conf.d/b.conf cannot be written: "), "\(said)")
        #expect(said.hasSuffix("nothing was loaded, and the files are as they were before"), "\(said)")
        #expect(!said.contains("root may"))
        #expect(status("\(directory)/conf.d/a.conf")?.st_ino == inode)
        #expect(try names("\(directory)/conf.d") == [".b.conf.last-good", "a.conf", "b.conf", "c.conf"])
        #expect(!isThere(note))
    }

    @Test(arguments: ["nowhere", "vi.conf"])
    func `a link that leads to no file moves aside, and back`(_ destination: String) throws {
        let options = try kept()
        unlink(file)
        #expect(symlink(destination, file) == 0)
        var rollback = try Rollback(options.pair(of: nil), nil)
        #expect(rollback.destination == .inForce)
        try rollback.carryOut()
        #expect(content(file)?.contains("priority 60") == true)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: copy) == destination)
        _ = rollback.undone()
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: file) == destination)
        #expect(try names("\(directory)/conf.d") == ["vi.conf"])
    }

    @Test func `a directory where a file was moves aside, and back`() throws {
        let options = try kept()
        unlink(file)
        _ = try write("x", "conf.d/vi.conf/x")
        var rollback = try Rollback(options.pair(of: nil), nil)
        try rollback.carryOut()
        #expect(content(file)?.contains("priority 60") == true)
        #expect(content("\(copy)/x") == "x")
        _ = rollback.undone()
        #expect(content("\(file)/x") == "x")
    }

    @Test func `what cannot be done is refused before anything is touched`() throws {
        let options = try kept()
        try FileSystem.makeDirectory(copy, mode: 0o755)
        var failure = #expect(throws: Failure.self) { try Rollback(options.pair(of: nil), nil) }
        #expect(failure?.description.contains("\(copy), which is a directory") == true)
        try FileManager.default.removeItem(atPath: "\(directory)/conf.d")
        _ = try write("", "conf.d")
        failure = #expect(throws: Failure.self) { try Rollback(options.pair(of: nil), nil) }
        #expect(failure?.description.contains("\(directory)/conf.d is no directory") == true)
        #expect(!isThere(note))
    }
}
