// Python's varlink package, written by others, against busd and against the server machine.
import Bus
import Foundation
import Glibc
import JSON
import Platform
import Testing
import Varlink

@Suite(.timeLimit(.minutes(2))) struct StockClientTests {
    /// Runs `python3 -m varlink.cli` while a test service is attached.
    private func cli(_ arguments: [String]) throws -> (output: String, status: Int32) {
        let bus = try BusProgram()
        let loop = try EventLoop()
        let daemon = try TestService(bus, on: loop)
        let address = "unix:" + bus.socket
        return try withExtendedLifetime(daemon) {
            try loop.run { try python(["-m", "varlink.cli"] + arguments.map { $0.replacing("BUS", with: address) }) }
        }
    }

    @Test func `info lists busd's own and the attached interfaces`() throws {
        let (output, status) = try cli(["info", "BUS"])
        #expect(status == 0)
        for name in ["org.varlink.service", "org.varlink.resolver", "io.evenkeel.Bus", "io.evenkeel.Vrrp", "busd"] {
            #expect(output.contains(name))
        }
    }

    @Test(arguments: [
        ("io.evenkeel.Bus", "method Subscribe"), ("io.evenkeel.Vrrp", "method Failover"),
        ("org.varlink.service", "method GetInfo"), ("org.varlink.resolver", "method Resolve"),
    ])
    func `help prints an interface's definition`(_ interface: String, _ text: String) throws {
        let (output, status) = try cli(["help", "BUS/" + interface])
        #expect(status == 0)
        #expect(output.contains(text))
    }

    @Test func `a call is answered`() throws {
        let (output, status) = try cli(["call", "BUS/io.evenkeel.Vrrp.Show", #"{"name":"VI_7"}"#])
        #expect(status == 0)
        #expect(try JSONValue(parsing: output.utf8)["instance"]?["name"] == "VI_7")
    }

    @Test func `an error is shown`() throws {
        let (output, _) = try cli(["call", "BUS/io.evenkeel.Vrrp.Show", #"{"name":"nope"}"#])
        #expect(output.contains("io.evenkeel.Vrrp.InstanceNotFound"))
    }

    @Test func `a list asked for with more comes whole`() throws {
        let (output, status) = try cli(["call", "--more", "BUS/io.evenkeel.Vrrp.List", "{}"])
        #expect(status == 0)
        #expect(output.contains("VI_0") && output.contains("VI_1"))
    }

    @Test func `a subscription with more prints the snapshot and its mark`() throws {
        let bus = try BusProgram()
        _ = try bus.client().call(BusAPI.Publish(events: [EventTests.event("first")]))
        let call = ["call", "--more", "unix:\(bus.socket)/io.evenkeel.Bus.Subscribe", "{}"]
        let script = """
            import subprocess, sys
            p = subprocess.Popen([sys.executable, "-u", "-m", "varlink.cli"] + sys.argv[1:], stdout=subprocess.PIPE, text=True)
            for line in p.stdout:
                print(line, end="")
                if "snapshotComplete" in line:
                    break
            p.kill()
            """
        let (output, status) = try python(["-c", script] + call)
        #expect(status == 0)
        #expect(output.contains("\"subject\": \"first\""))
        #expect(output.contains("snapshotComplete"))
    }

    @Test func `a passed socket is used and busd knows that it did not make it`() throws {
        let directory = NSTemporaryDirectory() + "/bus-activation-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let script = """
            import os, socket, sys
            s = socket.socket(socket.AF_UNIX)
            s.bind(sys.argv[1] + "/activated.sock")
            s.listen()
            os.dup2(s.fileno(), 3)
            os.set_inheritable(3, True)
            os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
            os.execv(sys.argv[2], [sys.argv[2], "--run-dir", sys.argv[1], "--log-level", "error"])
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", script, directory, try BusProgram.path(of: "busd")]
        try process.run()
        defer {
            Glibc.kill(process.processIdentifier, SIGTERM)
            process.waitUntilExit()
            #expect(access(directory + "/activated.sock", F_OK) == 0, "the socket is the service manager's")
        }
        try eventually("busd answers") {
            (try? BusClient(path: directory + "/activated.sock").call(BusAPI.GetStatistics())) != nil
        }
        #expect(access(directory + "/bus.sock", F_OK) != 0)
    }

    @Test func `the certification suite passes against the server machine`() throws {
        let directory = NSTemporaryDirectory() + "/certification-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let (text, found) = try python([
            "-c",
            "import os, varlink; print(open(os.path.dirname(varlink.__file__) + '/tests/org.varlink.certification.varlink').read())",
        ])
        #expect(found == 0)
        let server = try CertificationServer(path: directory + "/c.sock", definition: try .init(parsing: text))
        let thread = Thread { server.serveOneConnection() }
        thread.start()
        let (output, status) = try python([
            "-m", "varlink.tests.test_certification", "--client", "--varlink=unix:\(directory)/c.sock",
        ])
        #expect(status == 0)
        #expect(output.contains("Certification passed"), "\(output)")
    }
}
