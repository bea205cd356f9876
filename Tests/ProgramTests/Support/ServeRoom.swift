// A director that is served over HTTP: vrrpd, busd and `lbctl serve` as processes on one host.

import Glibc
import Platform

/// A vrrpd with its bus, and a web server beside them.
final class ServeRoom {
    let alone: Alone
    private(set) var busd: Program
    let tap: EventTap
    private(set) var server: Program
    /// `http://127.0.0.1:PORT/`
    private(set) var root = ""

    /// Serves with these options, `--listen` among them, and waits until it does.
    init(_ options: [String]) throws {
        alone = try Alone()
        (busd, tap) = try alone.router.startBus(["io.evenkeel.vrrp.instance"])
        server = try Self.serve(options, alone)
        try alone.holds(true)
        try alone.eventually("it serves") { server.output.contains("serving at ") }
        root = String(server.output.split(separator: "serving at ")[1].prefix { $0 != "\n" })
    }

    private static func serve(_ options: [String], _ alone: Alone) throws -> Program {
        try Program(
            [Program.directory + "/lbctl", "serve", "--socket", alone.router.directory + "/run/bus.sock"] + options,
            on: alone.host, log: alone.segment.directory + "/serve.log", loop: alone.segment.loop)
    }

    /// Serves again where it did before.
    func serveAgain() throws {
        let address = root.drop { $0 != "/" }.drop { $0 == "/" }.prefix { $0 != "/" }
        server = try Self.serve(["--listen", String(address)], alone)
    }

    /// Starts busd again.
    func startBusAgain() throws { (busd, _) = try alone.router.startBus([]) }

    /// A request: its status and the body.
    func get(_ path: String, _ options: String...) throws -> (status: String, body: String) {
        let files = (alone.segment.directory + "/body", alone.segment.directory + "/status")
        try FileSystem.replace(files.0, with: [], durable: false)
        let request = ["/usr/bin/curl", "-sk", "-m", "20", "-o", files.0, "-w", "%{http_code}"]
        let curl = try Program(
            request + options + [root + path], on: alone.host, log: files.1, loop: alone.segment.loop)
        try alone.eventually("\(path) is answered", within: .seconds(25)) { curl.exit != nil }
        defer { unlink(files.1) }
        let body = try FileSystem.contents(of: files.0, limit: 1 << 22) ?? []
        return (String(curl.output.suffix(3)), String(decoding: body, as: UTF8.self))
    }

    /// A request by forty at once, with curl's options: how many had which status, as in `40 200`.
    func getByMany(_ path: String, _ options: String = "") throws -> [String] {
        let asked =
            "seq 40 | xargs -P 40 -I{} curl -s \(options) -o /dev/null -w '%{http_code}\\n' \(root)\(path) | sort | uniq -c"
        let log = alone.segment.directory + "/many"
        let counts = try Program(["/bin/bash", "-c", asked], on: alone.host, log: log, loop: alone.segment.loop)
        try alone.eventually("\(path) is answered to all", within: .seconds(20)) { counts.exit != nil }
        defer { unlink(log) }
        return counts.output.split(whereSeparator: \.isWhitespace).map(String.init)
    }
}
