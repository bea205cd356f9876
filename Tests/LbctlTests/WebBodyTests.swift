// The bodies that readers hold, who shares one, and what is served whoever reads slowly.
import Foundation
import Glibc
import Platform
import Synchronization
import Testing

@testable import lbctl

@Suite(.serialized) struct WebBodyTests {
    @Test func `octets count as long as somebody reads them`() {
        let before = WebBody.octetsAlive
        var one: WebBody? = WebBody([1, 2, 3])
        let same = one
        let none = WebBody([])
        #expect(WebBody.octetsAlive - before == 3 && none.octets.count == 0)
        one = nil
        #expect(WebBody.octetsAlive - before == 3 && same?.octets.elementsEqual([1, 2, 3]) == true)
        _ = consume same
        #expect(WebBody.octetsAlive == before)
    }

    @Test func `all who wait for an answer have the same one, also when those before them have read it`() throws {
        let crowd = Crowd(of: 21)
        for _ in 0..<crowd.size { Thread.detachNewThread { crowd.ask() } }
        crowd.wait { $0.served.load(ordering: .relaxed) == $0.size }
        #expect(crowd.served.load(ordering: .relaxed) == crowd.size)
        // The first one, and one for all others; more where a thread comes late.
        #expect(crowd.made.load(ordering: .relaxed) <= 4)
    }

    private let site = Site(socket: "/nowhere/bus.sock", timeout: .seconds(1), token: nil)

    private func ask(_ path: String, host: String? = "localhost", type: String? = nil) -> (status: UInt32, text: String)
    {
        let request = WebRequest(
            method: "GET", path: path, parameters: type.map { [(name: "type", value: $0)] } ?? [], host: host)
        let answer = site.answer(request)
        guard case .whole(let body) = answer.body else { return (answer.status, "") }
        return (answer.status, String(decoding: body.octets, as: UTF8.self))
    }

    @Test func `while readers hold much no large answer is made, and the page and health are there`() {
        #expect(ask("/metrics").text.contains("busd is not reachable"))
        let held = WebBody(Array(repeating: 0, count: 64 << 20))
        for path in ["/", "/page.js", "/page.css", "/api"] { #expect(ask(path).status == 200, "\(path)") }
        #expect(ask("/healthz").text.contains("busd is not reachable"))
        for path in ["/metrics", "/api/status", "/api/io.evenkeel.Vrrp.List"] {
            let answer = ask(path)
            #expect(answer.status == 503 && answer.text.contains("too many large answers"), "\(path): \(answer)")
        }
        withExtendedLifetime(held) {}
    }

    @Test func `a type of events that cannot come is refused`() {
        for type in ["nonsense", "io.evenkeel.vrrp.nonsense"] {
            let answer = ask("/events", type: type)
            #expect(answer.status == 400 && answer.text.contains("no daemon of this version publishes"), "\(answer)")
        }
        for type in ["vrrp.instance", "vrrp*", "org.example.thing"] {
            #expect(ask("/events", type: type).status == 503, "nobody is there, but it may come")
        }
    }

    @Test func `the target of a request may be a whole address, whose host counts`() {
        #expect(ask("http://localhost:9651/page.css", host: "elsewhere.example").status == 200)
        #expect(ask("HTTP://127.0.0.1").text.contains("<title>"))
        #expect(ask("http://elsewhere.example/page.css").status == 421)
        #expect(ask("/http://localhost/page.css").status == 404)
    }
}

/// Many who ask for the same at once.
private final class Crowd: Sendable {
    let size: Int
    let made = Atomic(0)
    let served = Atomic(0)
    private let asked = Atomic(0)
    private let answer = SharedAnswer()

    init(of size: Int) { self.size = size }

    /// One of them. The first answer is made while all others come.
    func ask() {
        asked.add(1, ordering: .relaxed)
        let body = try? answer.value { _ throws(Failure) in
            try FreshAnswer { () throws(Failure) in
                if made.add(1, ordering: .relaxed).newValue == 1 {
                    wait { $0.asked.load(ordering: .relaxed) == $0.size }
                    usleep(100_000)
                }
                return WebBody(Array(repeating: 0, count: LargeTurn.threshold))
            }
        }
        if body != nil { served.add(1, ordering: .relaxed) }
    }

    /// At most twenty seconds.
    func wait(until isSo: (Crowd) -> Bool) {
        for _ in 0..<2000 where !isSo(self) { usleep(10_000) }
    }
}
