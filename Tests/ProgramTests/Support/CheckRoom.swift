// checkd (and busd, when events matter) as real processes in a temporary directory, without root and without a network but
// loopback.
import Bus
import CLinux
import Glibc
import JSON
import Net
import Platform
import Testing
import Varlink

/// One checkd under test.
final class CheckRoom {
    let loop: EventLoop
    let directory: String
    private(set) var checkd: Program?
    private(set) var scriptd: Program?
    private var busd: Program?

    /// `bus` starts busd too.
    init(bus: Bool = false) throws {
        signal(SIGPIPE, SIG_IGN)
        loop = try EventLoop()
        var template = Array("/tmp/ck-XXXXXX".utf8CString)
        directory = String(cString: try #require(mkdtemp(&template)))
        try FileSystem.makeDirectory(directory + "/run", mode: 0o755)
        guard bus else { return }
        busd = try Program(
            [Program.directory + "/busd", "--run-dir", directory + "/run", "--state-dir", directory + "/state"],
            on: nil,
            log: directory + "/busd.log", loop: loop)
        let path = directory + "/run/bus.sock"
        try eventually("busd listens") { (try? UnixSocket.connect(to: path).release()).map(close) != nil }
    }

    deinit {
        checkd?.signal(SIGKILL)
        busd?.signal(SIGKILL)
        scriptd?.signal(SIGTERM)
        var isGone = false
        let remover = try? ChildProcess(["/bin/rm", "-rf", directory], environment: Program.environment, on: loop) {
            _ in
            isGone = true
        }
        if remover != nil { try? eventually("the directory is removed") { isGone } }
    }

    /// What checkd has said.
    var log: String { checkd?.output ?? "" }

    /// What checkd has kept on the disk.
    var savedVerdicts: String {
        let octets = (try? FileSystem.contents(of: directory + "/state/checkd.json", limit: 1 << 24)) ?? nil
        return String(decoding: octets ?? [], as: UTF8.self)
    }

    /// Which file that is: it is replaced when it is written. nil = there is none.
    var savedVerdictsFile: UInt? {
        var status = stat()
        return stat(directory + "/state/checkd.json", &status) == 0 ? UInt(status.st_ino) : nil
    }

    /// Writes the configuration and starts checkd; returns when it answers.
    func start(_ configuration: String) throws {
        try configure(configuration)
        try restart()
    }

    /// Writes the configuration.
    func configure(_ text: String) throws {
        try FileSystem.replace(directory + "/check.conf", with: Array(text.utf8), durable: false)
    }

    /// Starts checkd (through the command `prefix`), without a wait for its answer when `waits` is false.
    func restart(_ prefix: [String] = [], waits: Bool = true) throws {
        unlink(directory + "/run/private/checkd.sock")
        checkd = try Program(
            prefix + [
                Program.directory + "/checkd", "--config", directory + "/check.conf", "--run-dir", directory + "/run",
                "--state-dir", directory + "/state", "--log-level", "debug",
            ], on: nil, log: directory + "/checkd.log", loop: loop)
        if waits { try eventually("checkd answers") { (try? self.names()) != nil } }
    }

    /// Starts scriptd (again).
    func startScriptd() throws {
        scriptd?.signal(SIGKILL)
        let path = directory + "/run/private/scriptd.sock"
        unlink(path)
        scriptd = try Program(
            [Program.directory + "/scriptd", "--config", directory + "/check.conf", "--run-dir", directory + "/run"],
            on: nil, log: directory + "/scriptd.log", loop: loop)
        try eventually("scriptd listens") { access(path, F_OK) == 0 }
    }

    /// Runs a command to its successful end.
    func run(_ arguments: [String]) throws {
        let program = try Program(arguments, on: nil, log: directory + "/commands.log", loop: loop)
        try eventually("\(arguments[0]) ends", within: .seconds(30)) { program.exit != nil }
        guard let exit = program.exit, exit != .exited(0) else { return }
        Issue.record("\(program.output)")
        throw ProgramFailure.command(arguments, exit)
    }

    /// Ends checkd with a signal.
    func end(_ signal: Int32) throws {
        checkd?.signal(signal)
        try eventually("checkd ends") { self.checkd?.exit != nil }
    }

    /// A call on checkd's private socket. The tiny servers do not answer meanwhile.
    func call<Method: VarlinkMethod>(_ method: Method) throws -> Method.Reply {
        try client().call(method, timeout: .seconds(10))
    }

    /// A connection to checkd's private socket.
    func client() throws -> BusClient { try BusClient(path: directory + "/run/private/checkd.sock") }

    /// Every server by its real server's address.
    func list() throws -> [String: CheckAPI.ServerHealth] {
        let servers = try call(CheckAPI.List()).servers
        return Dictionary(uniqueKeysWithValues: servers.map { ($0.server, $0) })
    }

    /// The names of all servers, however many.
    func names() throws -> Set<String> {
        var names: Set<String> = []
        let client = try BusClient(path: directory + "/run/private/checkd.sock")
        try client.stream(CheckAPI.List(), timeout: .seconds(10)) { reply in
            names.formUnion(reply.servers.map(\.server))
            return true
        }
        return names
    }

    /// Asks for a test of alerts, and gives what became of each message.
    func testAlerts() throws -> [CheckAPI.AlertDelivery] {
        let call = try PendingCall(directory + "/run/private/checkd.sock", CheckAPI.TestAlerts(), on: loop)
        try eventually("the answer", within: .seconds(30)) { call.reply != nil }
        let reply: CheckAPI.TestAlerts.Reply = try JSONValue.object(try #require(call.reply).parameters).decode()
        return reply.deliveries
    }

    /// Has checkd go over to another configuration, and waits until it has.
    func reload(_ configuration: String) throws {
        try configure(configuration)
        let caller = try client()
        _ = try caller.call(CheckAPI.CommitReload(digest: try caller.call(CheckAPI.PrepareReload()).digest))
    }

    /// Runs the loop until `condition` holds.
    func eventually(
        _ what: String, within limit: Duration = .seconds(15), _ condition: () throws -> Bool
    ) throws {
        let start = loop.refreshNow()
        while !(try condition()) {
            guard loop.now - start < limit else {
                Issue.record("not within \(limit): \(what)\n\(log)")
                throw ProgramFailure.timedOut(what, after: limit)
            }
            try loop.turn(timeoutMilliseconds: 5)
        }
    }

    /// Waits until a server has this verdict from probing.
    func becomes(_ server: String, _ state: CheckAPI.Health) throws -> CheckAPI.ServerHealth {
        var last: CheckAPI.ServerHealth?
        try eventually("\(server) is \(state)") {
            last = try self.list()[server]
            return last?.state == state && last?.verified == true
        }
        return try #require(last)
    }

    /// Follows events through busd.
    func listen(_ types: [String]) throws -> EventTap { try EventTap(directory + "/run/bus.sock", types, on: loop) }
}

/// A call on a connection of its own; what it is answered is heard while the loop runs.
private final class CallReader {
    private let socket: FileDescriptor
    private let heard: (VarlinkReply) -> Void
    private var framer = VarlinkFramer()
    private var watch: Watch?

    init(_ path: String, _ call: VarlinkCall, on loop: EventLoop, _ heard: @escaping (VarlinkReply) -> Void) throws {
        socket = try UnixSocket.connect(to: path)
        self.heard = heard
        let call = try call.encoded()
        _ = try call.withUnsafeBytes { try socket.write($0) }
        watch = try loop.watch(socket.number, .read) { [weak self] _ in self?.receive() }
    }

    private func receive() {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        guard let count = try? chunk.withUnsafeMutableBytes({ try socket.read(into: $0) }), count > 0 else {
            watch?.cancel()
            return
        }
        chunk[..<count].withUnsafeBytes { framer.append($0) }
        while let message = try? framer.next(), let reply = try? VarlinkReply(parsing: message) { heard(reply) }
    }
}

/// A call whose reply comes while the loop runs.
final class PendingCall {
    private(set) var reply: VarlinkReply?
    private var reader: CallReader?

    init(_ path: String, _ method: some VarlinkMethod, on loop: EventLoop) throws {
        reader = try CallReader(path, method.call(), on: loop) { [weak self] in self?.reply = $0 }
    }
}

/// A subscription whose events pile up while the loop runs.
final class EventTap {
    /// Events in order; the retained ones come first.
    private(set) var events: [JSONObject] = []
    private var reader: CallReader?

    init(_ path: String, _ types: [String], on loop: EventLoop) throws {
        let call = BusAPI.Subscribe(types: types, subjects: nil).call(more: true)
        reader = try CallReader(path, call, on: loop) { [weak self] reply in
            if let event = reply.parameters["event"]?.object { self?.events.append(event) }
        }
    }

    /// The states that were published about a server, without repetitions; `gone` for a removal.
    func states(of server: String) -> [String] {
        var states: [String] = []
        for event in events where event["subject"]?.string == server {
            let state = event["data"]?["state"]?.string ?? "gone"
            if states.last != state { states.append(state) }
        }
        return states
    }
}

/// A server that is checked, and those who are told of it by mail.
func mailedServer(
    _ server: TinyServer, mail host: String = "127.0.0.1", _ port: UInt16, from sender: String,
    to recipients: [String] = ["ops@example.com"], _ words: String, delay: Double = 0.1
) -> String {
    """
    global_defs {
     router_id lb1
     notification_email {
     \(recipients.joined(separator: "\n "))
     }
     notification_email_from \(sender)
     smtp_server \(host) \(port)
     smtp_helo_name lb1.example.com
     \(words)
    }
    virtual_server 127.0.0.1 81 {
     protocol TCP
     real_server 127.0.0.1 \(server.port) {
      TCP_CHECK {
       connect_timeout 1
       delay_loop \(delay)
       warmup 0
       retry 0
      }
     }
    }

    """
}
