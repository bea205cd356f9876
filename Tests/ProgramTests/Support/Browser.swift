// A real Chromium on a host, without a screen, driven through its DevTools pipe: JSON messages, each ended by a NUL, as in Varlink.

import Glibc
import JSON
import Platform
import Varlink

private let chromium = "/usr/bin/chromium"

/// True where it is installed.
let hasBrowser = access(chromium, X_OK) == 0

/// A browser with one page.
final class Browser {
    /// What the browser does not do.
    struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    private let segment: Segment
    private let program: Program
    private let commands: FileDescriptor
    private let answers: FileDescriptor
    private var watch: Watch?
    private var framer = VarlinkFramer(limit: 1 << 24)
    private var results: [Int64: JSONObject] = [:]
    private var last: Int64 = 0
    private var session: String?

    /// A browser with an empty page.
    init(on host: Host, of segment: Segment) throws {
        self.segment = segment
        let directory = segment.directory + "/browser"
        try FileSystem.makeDirectory(directory, mode: 0o700)
        // Opened both ways: nobody waits for the other.
        func pipe(_ name: String) throws -> Int32 {
            let path = "\(directory)/\(name)"
            try Errno.check(mkfifo(path, 0o600), "mkfifo")
            return try Errno.check(Glibc.open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC), "open")
        }
        commands = FileDescriptor(owning: try pipe("commands"))
        answers = FileDescriptor(owning: try pipe("answers"))
        program = try Program(
            [
                "/bin/bash", "-c", "exec \"$@\" 3<\"$0/commands\" 4>\"$0/answers\"", directory, "/usr/bin/env",
                "HOME=\(directory)", chromium, "--headless", "--no-sandbox", "--disable-gpu",
                "--remote-debugging-pipe", "--user-data-dir=\(directory)/profile", "--no-first-run",
                "--disable-background-networking", "--disable-dev-shm-usage",
            ], on: host, log: directory + "/log", loop: segment.loop)
        watch = try segment.loop.watch(answers.number, .read) { [weak self] _ in self?.receive() }
        let target = try call("Target.createTarget", ["url": "about:blank"])["targetId"] ?? .null
        session = try call("Target.attachToTarget", ["targetId": target, "flatten": true])["sessionId"]?.string
        _ = try call("Page.enable")
    }

    deinit { program.signal(SIGKILL) }

    /// Shows a page. `script` runs before the page's own.
    func open(_ url: String, first script: String = "") throws {
        _ = try call("Page.addScriptToEvaluateOnNewDocument", ["source": .string(script)])
        _ = try call("Page.navigate", ["url": .string(url)])
    }

    /// The value of an expression in the page.
    func value(_ expression: String) throws -> JSONValue {
        let answer = try call("Runtime.evaluate", ["expression": .string(expression), "returnByValue": true])
        if let exception = answer["exceptionDetails"] { throw Refusal(description: "\(expression): \(exception)") }
        return answer["result"]?["value"] ?? .null
    }

    /// Waits until an expression is true in the page.
    @discardableResult
    func becomes(_ expression: String, within limit: Duration = .seconds(30)) throws -> Duration {
        do {
            return try segment.eventually(expression, within: limit) {
                // While one page gives way to another there is none.
                (try? value(expression)) == .bool(true)
            }
        } catch {
            throw Refusal(
                description: "\(error); the page: \((try? value("document.body.innerText"))?.string ?? "none")")
        }
    }

    /// How large the window is, and whether it is dark.
    func appear(width: Int, height: Int, isDark: Bool) throws {
        _ = try call(
            "Emulation.setDeviceMetricsOverride",
            ["width": .int(Int64(width)), "height": .int(Int64(height)), "deviceScaleFactor": 1, "mobile": false])
        let feature: JSONValue = ["name": "prefers-color-scheme", "value": isDark ? "dark" : "light"]
        _ = try call("Emulation.setEmulatedMedia", ["features": [feature]])
    }

    /// Presses the tabulator key.
    func tab() throws {
        for kind in ["keyDown", "keyUp"] {
            _ = try call(
                "Input.dispatchKeyEvent",
                ["type": .string(kind), "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9])
        }
    }

    /// The page as a PNG, in base64.
    func picture() throws -> String {
        // As wide as its window: the page is drawn without the bar at its side, and would be cut by as much.
        let size = try value("[window.innerWidth, document.documentElement.scrollHeight]").array ?? []
        let clip: JSONObject = ["x": 0, "y": 0, "width": size.first ?? 0, "height": size.last ?? 0, "scale": 1]
        let parameters: JSONObject = ["format": "png", "captureBeyondViewport": true, "clip": .object(clip)]
        return try call("Page.captureScreenshot", parameters)["data"]?.string ?? ""
    }

    private func call(_ method: String, _ parameters: JSONObject = [:]) throws -> JSONObject {
        last += 1
        var message: JSONObject = ["id": .int(last), "method": .string(method), "params": .object(parameters)]
        if let session { message["sessionId"] = .string(session) }
        let octets = try JSONValue.object(message).serialised() + [0]
        _ = try octets.withUnsafeBytes { try commands.write($0) }
        let id = last
        try segment.eventually("\(method) is answered", within: .seconds(60)) {
            if let exit = program.exit { throw Refusal(description: "chromium ended: \(exit): \(program.output)") }
            return results[id] != nil
        }
        let answer = results.removeValue(forKey: id) ?? [:]
        guard let result = answer["result"]?.object else { throw Refusal(description: "\(method): \(answer)") }
        return result
    }

    private func receive() {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while let count = try? chunk.withUnsafeMutableBytes({ try answers.read(into: $0) }), count > 0 {
            chunk[..<count].withUnsafeBytes { framer.append($0) }
        }
        let limits = JSONLimits(octets: 1 << 24, depth: 64)
        while let message = try? framer.next() {
            guard let object = try? JSONValue(parsing: message, limits: limits).object, let id = object["id"]?.int
            else { continue }
            results[id] = object
        }
    }
}
