// The server that is checked: every address of 127.0.0.0/8 on one port, an HTTP answer to whatever is asked, or a reset.
import CLinux
import Glibc
import Platform

/// The server as a process of its own (`bench serve`).
struct CheckTarget {
    static let port = 8099
    /// While this file exists connections are reset once their request is read.
    private static let switchPath = "/tmp/bench-reset"
    /// The times of the resets, a line each, in seconds of CLOCK_MONOTONIC.
    private static let notes = "/tmp/bench-resets"
    private let program: Program

    init() throws {
        unlink(Self.switchPath)
        unlink(Self.notes)
        program = try Program([CommandLine.arguments[0], "serve"], log: "/dev/stderr")
        try eventually("the server listens", within: 10, step: 20) {
            contents("/proc/net/tcp").contains(":\(String(Self.port, radix: 16, uppercase: true)) 00000000:0000 0A")
        }
    }

    func resetConnections(_ reset: Bool) throws {
        if reset { try FileSystem.replace(Self.switchPath, with: [], durable: false) } else { unlink(Self.switchPath) }
    }

    func resets() -> [Double] { contents(Self.notes).split(separator: "\n").compactMap { Double($0) } }

    /// `bench serve`: until it is ended. One connection after the other: a check asks at once or closes at once.
    static func serve() throws {
        let listener = try Errno.check(
            socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0), "socket")
        var one: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try Errno.check(bound, "bind")
        try Errno.check(listen(listener, 4096), "listen")
        let answer = Array("HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n".utf8)
        var request = [UInt8](repeating: 0, count: 4096)
        while true {
            let client = accept(listener, nil, nil)
            guard client >= 0 else { continue }
            let asked = recv(client, &request, request.count, 0) > 0
            let resets = asked && access(switchPath, F_OK) == 0
            if resets {
                var linger = linger(l_onoff: 1, l_linger: 0)
                setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
            } else if asked {
                _ = send(client, answer, answer.count, Int32(MSG_NOSIGNAL))
            }
            let time = seconds
            close(client)
            if resets { note(time) }
        }
    }

    private static func note(_ time: Double) {
        guard let file = fopen(notes, "a") else { return }
        fputs("\(time)\n", file)
        fclose(file)
    }
}

/// Ten thousand TCP checks a second, ours alone, on this machine's own kernel.
struct CheckLoad {
    let rounds: Int

    init(_ options: Options) {
        rounds = options.rounds ?? 3
    }

    private static let servers = 10_000
    private static let namespace = "bn-checks"
    private static let home = "/tmp/bn-checks"

    func run() throws {
        try Program.script(
            """
            ! [ -e /run/netns/\(Self.namespace) ] || ip netns delete \(Self.namespace)
            rm -rf \(Self.home); mkdir -p \(Self.home)/private \(Self.home)/state
            ip netns add \(Self.namespace)
            ip -n \(Self.namespace) link set lo up
            """)
        defer { try? Program.script("ip netns delete \(Self.namespace); rm -rf \(Self.home)") }
        let text = CheckKind.tcp.configuration(servers: Self.servers, seconds: 1)
        try FileSystem.replace(Self.home + "/conf", with: Array(text.utf8), durable: false)
        let target = try Program([CommandLine.arguments[0], "serve"], namespace: Self.namespace)
        let options = ["--config", Self.home + "/conf", "--run-dir", Self.home, "--state-dir", Self.home + "/state"]
        let programs = try ["busd", "checkd"].map {
            try Program(["\(Options.programs)/\($0)"] + options, namespace: Self.namespace, log: Self.home + "/log")
        }
        pause(milliseconds: 5000)
        var used: [Double] = [], late: [Double] = [], resident: [Double] = []
        for _ in 0..<rounds {
            let (start, before, opens) = (
                seconds, programs[1].processorTime, Program.acceptedConnections(inNetworkOf: "\(target.pid)")
            )
            pause(milliseconds: 10_000)
            let passed = seconds - start
            used.append((programs[1].processorTime - before) / passed)
            late.append(Double(Program.acceptedConnections(inNetworkOf: "\(target.pid)") - opens) / passed)
            resident.append(Program.residentMemory(programs[1].pid))
        }
        func row(_ what: String, _ unit: String, _ values: [Double]) throws {
            try Row(
                table: "checks",
                what: "\(Series.short(Double(Self.servers))) servers, a TCP_CHECK a second, this kernel: \(what)",
                unit: unit,
                ours: Series(values: values), peer: nil, moreIsBetter: false, goal: nil
            ).emit()
        }
        try row("checks", "per second", late)
        try row("checkd", "processors", used)
        try row("checkd", "MB resident", resident)
        for program in programs.reversed() { program.stop() }
    }
}
