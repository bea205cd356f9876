// The start of every daemon: a signal that comes before it is ready is neither lost nor its end, and what somebody has put in the place of
// its sockets does not keep it from listening there.

import CLinux
import Glibc
import Net
import Platform
import Testing

/// A daemon of the suite.
enum DaemonName: String, CaseIterable, CustomStringConvertible {
    case busd, vrrpd, ipvsd, checkd

    var description: String { rawValue }

    /// A configuration with something to do.
    var configuration: String {
        switch self {
        case .busd: ""
        case .vrrpd:
            "vrrp_instance VI_1 {\n interface eth0\n virtual_router_id 51\n virtual_ipaddress {\n 10.77.9.1/32\n }\n}\n"
        case .ipvsd, .checkd:
            """
            virtual_server 10.7.7.7 80 {
             lvs_method NAT
             protocol TCP
             real_server 127.0.0.1 9 {
              TCP_CHECK {
              }
             }
            }

            """
        }
    }

    /// Where it listens, below its run directory.
    var sockets: [String] {
        switch self {
        case .busd: ["/bus.sock", "/private/bus.sock"]
        case .vrrpd, .ipvsd, .checkd: ["/private/\(rawValue).sock"]
        }
    }
}

/// What somebody can put where a daemon wants to listen.
enum Squatter: String, CaseIterable, CustomStringConvertible {
    case file = "a file"
    case link = "a dangling link"
    case linkToListener = "a link to where somebody listens"
    case dead = "the socket of a dead process"
    case listener = "a listener of another user"

    var description: String { rawValue }
}

/// One daemon in a namespace and a directory of its own.
private final class Room {
    let segment: Segment
    let name: DaemonName
    private(set) var program: Program?
    var run: String { segment.directory + "/run" }
    var configuration: String { segment.directory + "/configuration" }
    var log: String { program?.output ?? "" }

    init(_ name: DaemonName) throws {
        self.name = name
        segment = try Segment(hosts: 1)
        try FileSystem.makeDirectory(run + "/private", mode: 0o755)
        try FileSystem.replace(configuration, with: Array(name.configuration.utf8), durable: false)
    }

    deinit { program?.signal(SIGKILL) }

    /// Starts the daemon by way of the command `prefix`.
    func start(_ prefix: [String] = [], options: [String] = []) throws {
        program = try Program(
            prefix + [
                "\(Program.directory)/\(name)", "--config", configuration, "--run-dir", run, "--state-dir",
                segment.directory + "/state",
            ] + options, on: segment.hosts[0], log: segment.directory + "/log", loop: segment.loop)
    }

    /// Waits until `condition` holds; what the daemon said is part of a failure.
    func eventually(_ what: String, _ condition: () throws -> Bool) throws {
        do {
            try segment.eventually(what, within: .seconds(10), condition)
        } catch {
            Issue.record("\(program?.exit as ChildExit?): \(log)")
            throw error
        }
    }

    /// True when it is the daemon that listens at a path.
    func listens(at path: String) -> Bool {
        guard let connection = try? UnixSocket.connect(to: path),
            let peer = try? PeerCredentials(of: connection.number)
        else { return false }
        return peer.pid == program?.pid
    }

    func listensEverywhere() -> Bool { name.sockets.allSatisfy { listens(at: run + $0) } }

    /// True while the daemon has a file open.
    func hasOpen(_ path: String) -> Bool {
        guard let pid = program?.pid, let directory = opendir("/proc/\(pid)/fd") else { return false }
        defer { closedir(directory) }
        var target = [CChar](repeating: 0, count: 4096)
        while let entry = readdir(directory) {
            let number = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            let length = readlink("/proc/\(pid)/fd/\(number)", &target, target.count)
            let octets = target.prefix(max(length, 0)).map { UInt8(bitPattern: $0) }
            if String(decoding: octets, as: UTF8.self) == path { return true }
        }
        return false
    }
}

@Suite(.serialized, .enabled(if: canMakeNetworks), .timeLimit(.minutes(3)))
struct StartTests {
    /// Starts the daemon so that it waits for a pipe in the middle of its start; does `body`, then lets it go on. What is returned is to be
    /// called again and again: a pipe may be waited for more than once.
    private func held(_ room: Room, _ body: () throws -> Void) throws -> () -> Void {
        let pipe = room.segment.directory + "/pipe"
        switch room.name {
        case .vrrpd, .ipvsd, .checkd:
            // The configuration comes through the pipe.
            let text = Array(room.name.configuration.utf8)
            let file = room.configuration + ".later"
            try FileSystem.replace(file, with: text, durable: false)
            unlink(room.configuration)
            #expect(mkfifo(room.configuration, 0o600) == 0)
            let writer = FileDescriptor(
                owning: try Errno.check(ek_open(room.configuration, O_RDWR | O_NONBLOCK, 0), "open"))
            try room.start()
            try room.eventually("it reads its configuration") { room.hasOpen(room.configuration) }
            try body()
            #expect(rename(file, room.configuration) == 0)
            _ = text.withUnsafeBytes { ek_write(writer.number, $0.baseAddress, $0.count) }
            return {}
        case .busd:
            // It looks up more than one group, and waits for a writer each time.
            #expect(mkfifo(pipe, 0o600) == 0)
            let script = "mount --bind \"$0\" /etc/group; exec \"$@\""
            try room.start(["/usr/bin/unshare", "-m", "/bin/sh", "-c", script, pipe])
            func serve() -> Bool {
                let writer = ek_open(pipe, O_WRONLY | O_NONBLOCK, 0)
                if writer >= 0 { close(writer) }
                return writer >= 0
            }
            try room.eventually("it looks up a group") { serve() }
            try body()
            return { _ = serve() }
        }
    }

    @Test(arguments: DaemonName.allCases)
    func `a reload that is asked for during the start is no end`(_ name: DaemonName) throws {
        let room = try Room(name)
        let serve = try held(room) { room.program?.signal(SIGHUP) }
        try room.eventually("it listens") {
            serve()
            return room.listensEverywhere()
        }
        room.program?.signal(SIGTERM)
        try room.eventually("it ends") {
            serve()
            return room.program?.exit != nil
        }
        #expect(room.program?.exit == .exited(0), "\(room.log)")
    }

    @Test(arguments: [DaemonName.vrrpd, .ipvsd, .checkd])
    func `a daemon keeps what was good, and with --last-good starts with it when its file is refused`(
        _ name: DaemonName
    ) throws {
        let room = try Room(name)
        let kept = room.segment.directory + "/state/configuration.good"
        try room.start()
        try room.eventually("it keeps its configuration") { access(kept, R_OK) == 0 }
        room.program?.signal(SIGTERM)
        try room.eventually("it ends") { room.program?.exit != nil }
        var status = stat()
        #expect(stat(kept, &status) == 0 && status.st_mode & 0o077 == 0, "it holds passwords")
        let broken = Array("vrrp_instance {\n".utf8)
        try FileSystem.replace(room.configuration, with: broken, durable: false)
        try room.start()
        try room.eventually("it ends: its file is refused") { room.program?.exit != nil }
        #expect(room.program?.exit == .exited(2), "\(room.log)")
        try room.start(options: ["--last-good"])
        try room.eventually("it runs, and says loudly with what") {
            room.listensEverywhere() && room.log.contains("starting with the last good one")
                && room.log.contains("configuration: the configuration was refused at the start")
        }
        // A reload of the mended file ends the alarm.
        try FileSystem.replace(room.configuration, with: Array(name.configuration.utf8), durable: false)
        room.program?.signal(SIGHUP)
        try room.eventually("the alarm is over") { room.log.contains("configuration: over: ") }
    }

    @Test(arguments: DaemonName.allCases, [SIGTERM, SIGINT, SIGUSR1])
    func `an end that is asked for during the start is one in order`(_ name: DaemonName, _ signal: Int32) throws {
        let room = try Room(name)
        let serve = try held(room) { room.program?.signal(signal) }
        try room.eventually("it ends") {
            serve()
            return room.program?.exit != nil
        }
        #expect(room.program?.exit == .exited(0), "\(room.log)")
    }

    @Test(arguments: DaemonName.allCases, Squatter.allCases)
    func `what stands in the place of a socket is replaced`(_ name: DaemonName, _ squatter: Squatter) throws {
        let room = try Room(name)
        var listeners: [Program] = []
        defer { for listener in listeners { listener.signal(SIGKILL) } }
        for socket in name.sockets {
            let path = room.run + socket
            switch squatter {
            case .file: try FileSystem.replace(path, with: Array("x".utf8), durable: false)
            case .link: #expect(symlink("/nonexistent/socket", path) == 0)
            case .dead: _ = try UnixSocket.listen(at: path, mode: 0o666)
            case .linkToListener:
                listeners.append(try listener(at: path + ".other", in: room, as: 0))
                #expect(symlink(path + ".other", path) == 0)
            case .listener: listeners.append(try listener(at: path, in: room, as: 65_534))
            }
        }
        try room.start()
        try room.eventually("it listens") { room.listensEverywhere() }
    }

    @Test(arguments: DaemonName.allCases)
    func `what cannot be replaced is named, and is no reason to hold no elections`(_ name: DaemonName) throws {
        let room = try Room(name)
        let path = room.run + (name.sockets.last ?? "")
        try FileSystem.makeDirectory(path, mode: 0o755)
        try room.start()
        try room.eventually("it says so") { room.log.contains(path) }
        switch name {
        case .vrrpd:
            try room.segment.observe(for: .milliseconds(500))
            #expect(room.program?.exit == nil, "\(room.log)")
        case .busd, .ipvsd, .checkd:
            try room.eventually("it ends") { room.program?.exit != nil }
            #expect(room.program?.exit == .exited(1))
        }
    }

    /// A process of another user that listens at a path and answers nothing.
    private func listener(at path: String, in room: Room, as user: Int) throws -> Program {
        for directory in [room.segment.directory, room.run, room.run + "/private"] { chmod(directory, 0o777) }
        let program = try Program(
            [
                "/usr/bin/setpriv", "--reuid=\(user)", "--clear-groups", "/usr/bin/perl", "-MSocket", "-e",
                "socket(S, PF_UNIX, SOCK_STREAM, 0); bind(S, sockaddr_un($ARGV[0])) or die; listen(S, 1); sleep 60",
                path,
            ], on: nil, log: room.segment.directory + "/listener", loop: room.segment.loop)
        try room.segment.eventually("it listens", within: .seconds(5)) {
            (try? UnixSocket.connect(to: path).release()).map(close) != nil
        }
        return program
    }
}
