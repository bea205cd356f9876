// What busd asks of the kernel for each message: nothing that the message does not need. Counted from outside, by strace.
import Bus
import Foundation
import Glibc
import Platform
import Testing

@Suite(.serialized, .enabled(if: geteuid() == 0 && access("/usr/bin/strace", X_OK) == 0), .timeLimit(.minutes(1)))
struct SystemCallTests {
    @Test func `a call and its reply change nothing of what epoll waits for`() throws {
        let bus = try BusProgram()
        let client = try bus.client()
        let trace = bus.directory + "/trace"
        let strace = Process()
        strace.executableURL = URL(fileURLWithPath: "/usr/bin/strace")
        strace.arguments = ["-qq", "-e", "trace=epoll_ctl,read,write", "-o", trace, "-p", "\(bus.pid)"]
        try strace.run()
        func count(_ call: String) throws -> Int {
            try String(contentsOfFile: trace, encoding: .utf8).components(separatedBy: "\n").count {
                $0.hasPrefix(call + "(")
            }
        }
        try eventually("its calls are seen") {
            _ = try client.call(BusAPI.GetStatistics())
            return try FileManager.default.fileExists(atPath: trace) && count("write") > 0
        }
        let before = (try count("write"), try count("epoll_ctl"))
        for _ in 0..<300 { _ = try client.call(BusAPI.GetStatistics()) }
        // It inherits this thread's signal mask; busd goes on without it.
        Glibc.kill(strace.processIdentifier, SIGKILL)
        strace.waitUntilExit()
        #expect(try count("write") - before.0 >= 299)
        #expect(try count("epoll_ctl") - before.1 == 0)
    }
}
