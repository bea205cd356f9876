// `ha_suspend` with the kernel's word: an address comes to a network namespace and goes, as a VRRP router has it come and go.
import Bus
import Glibc
import Net
import Platform
import Testing

@Suite(.enabled(if: canMakeNetworks), .serialized, .timeLimit(.minutes(1)))
struct SuspendedCheckTests {
    @Test(arguments: ["10.99.0.1", "2001:db8:99::1"])
    func `checks pause while the address of the virtual server is not here`(address: String) throws {
        let segment = try Segment(hosts: 1)
        let host = segment.hosts[0]
        let room = try CheckRoom()
        let isIPv6 = address.contains(":")
        let length = isIPv6 ? "128" : "32"
        let real = isIPv6 ? "::1" : "127.0.0.1"
        let service = isIPv6 ? "[\(address)]" : address
        let name = "tcp/\(service):80/\(isIPv6 ? "[::1]" : real):9"
        try room.configure(
            """
            virtual_server \(address) 80 {
             delay_loop 0.2
             lb_algo rr
             lb_kind NAT
             protocol TCP
             warmup 0
             ha_suspend
             real_server \(real) 9 {
              weight 1
              TCP_CHECK {
              }
             }
            }

            """)
        func ip(_ words: [String]) throws { try segment.ip(["-n", host.namespace] + words) }
        try ip(["link", "set", "lo", "up"])
        try room.restart(["/sbin/ip", "netns", "exec", host.namespace])
        try room.eventually("it is suspended") { try room.list()[name]?.suspended == true }
        #expect(try room.list()[name]?.state == .up)
        try ip(["addr", "add", "\(address)/\(length)", "dev", "lo"])
        _ = try room.becomes(name, .down)
        #expect(try room.list()[name]?.suspended == nil)
        try ip(["addr", "del", "\(address)/\(length)", "dev", "lo"])
        try room.eventually("it is suspended again") { try room.list()[name]?.suspended == true }
        let failures = try room.list()[name]?.checks[0].runtime.failures
        #expect(try room.list()[name]?.state == .down)
        // The same word for as long as some probes would have taken.
        let end = room.loop.refreshNow() + .seconds(1)
        while room.loop.now < end { try room.loop.turn(timeoutMilliseconds: 20) }
        #expect(try room.list()[name]?.checks[0].runtime.failures == failures)
    }
}
